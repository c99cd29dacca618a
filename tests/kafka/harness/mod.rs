//! What the scenarios stand on: a real broker, a real receiver, and Hookcast as its users start
//! it. Knows processes, Kafka and HTTP; nothing of Hookcast but its command line, its
//! configuration and its admin endpoints.

mod answers;
mod broker;
mod connection;
mod deliveries;
mod environment;
mod events;
mod hookcast;
mod metrics;
mod ports;
mod process;
mod receiver;
mod topics;
mod wait;
mod wire;

pub use answers::{Answer, Gate, Manner, Request};
pub use broker::{Broker, SASL_USER};
pub use deliveries::message_ids;
pub use environment::from_environment;
pub use events::{Stream, track};
pub use hookcast::{Config, Hookcast, Mode, SECRET, one_action};
pub use metrics::Metrics;
pub use ports::free_port;
pub use process::Guarded;
pub use receiver::Receiver;
pub use topics::{Place, Record, Stored};
pub use wait::{DEADLINE, until};
pub use wire::{RawHeader, produce_raw};

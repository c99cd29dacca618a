//! Hookcast delivers events from Kafka topics to webhooks: signed, in order, at least once.
//!
//! Every record of the sources is matched against the triggers of the actions, mapped to a
//! payload, gathered into a batch, and delivered as a signed HTTP request. A position is
//! committed only when everything below it is settled: accepted by its endpoint, or acknowledged
//! by the dead-letter topic. The crate has two halves. The pure one decides; it reads no clock,
//! draws no lots, opens no socket. The other one does what the pure one says, and is thin.
//!
//! ```text
//!  Kafka ─► consumer ─► worker ────── one per assigned partition ───────► endpoint ─► HTTP
//!              ▲         │  ┌──────────── pipeline (pure) ───────────┐      ▲   │
//!              │         ├─►│ push: event → routing → lanes: request │      │   │
//!              │         │  │       → batch → signature ····· Send ──┼──────┘   │
//!              │         ├─►│ complete: verdict → retry·split·settle ◄──────────┘
//!              │         │  │ poll: Send · DeadLetter ───────────────┼─► producer ─► Kafka
//!              └─ commit ◄──┤ position: the lowest offset still owed │
//!                        │  └────────────────────────────────────────┘
//! ```
//!
//! The modules stand below in the order in which a record meets them.

// The pure half: what is decided.
mod spelling;
mod spec;
pub mod record;
pub mod secret;
pub mod standard_webhooks;
pub mod egress;
pub mod plan;
pub mod event;
pub mod trigger;
pub mod routing;
pub mod mapping;
pub mod rejections;
pub mod request;
pub mod disguise;
pub mod original;
pub mod kept;
pub mod batch;
pub mod signature;
pub mod runs;
pub mod offsets;
pub mod progress;
pub mod verdict;
pub mod retention;
pub mod retry;
pub mod gate;
pub mod rate;
pub mod gates;
pub mod dead_letter;
pub mod letters;
pub mod provenance;
pub mod lane;
pub mod debt;
mod lanes;
mod lost;
mod parked;
mod patience;
mod slice;
mod standing;
pub mod pipeline;
pub mod explanation;
pub mod watchdog;

// The other half: what is done.
pub mod clock;
mod librdkafka;
mod kafka_log;
pub mod consumer;
pub mod catch_up;
pub mod published;
pub mod worker;
pub mod open_files;
pub mod endpoint;
pub mod producer;
pub mod redrive;
pub mod topics;
pub mod source_topics;
pub mod shares;
pub mod memory;
pub mod metrics;
pub mod health;
pub mod admin;
pub mod service;
pub mod config;
mod bar;
pub mod demo;
pub mod cli;

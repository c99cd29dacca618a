//! Hookcast against a real Apache Kafka and real HTTP, from outside: the binary, a configuration
//! file, signals, topics, requests.
//!
//! `make kafka` fetches the broker once. One test: `cargo test --test kafka NAME`.

mod harness;
mod self_tests;

mod admin;
mod batches;
mod churn;
mod dead_letters;
mod endpoints;
mod faults;
mod first_webhook;
mod giving_up;
mod lanes;
mod letters;
mod members;
mod origins;
mod open_files;
mod outages;
mod positions;
mod progress;
mod rates;
mod redrive;
mod requests;
mod restarts;
mod retries;
mod routing;
mod security;
mod soak;
mod sources;
mod zombies;

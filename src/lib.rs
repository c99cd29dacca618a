//! Hookcast delivers events from Kafka topics to webhooks.
//!
//! (map to follow)

pub mod batch;
pub mod cli;
pub mod config;
pub mod dead_letter;
pub mod egress;
pub mod event;
pub mod lane;
mod lanes;
pub mod letters;
pub mod mapping;
pub mod offsets;
pub mod original;
mod parked;
pub mod pipeline;
pub mod plan;
pub mod record;
pub mod request;
pub mod retry;
pub mod routing;
pub mod secret;
pub mod signature;
pub mod trigger;
pub mod verdict;

pub mod admin;
pub mod consumer;
pub mod endpoint;
pub mod health;
mod kafka_log;
mod librdkafka;
pub mod memory;
pub mod metrics;
pub mod producer;
pub mod service;
pub mod topics;
pub mod worker;

//! Where the events of a partition came from.
//!
//! From its own records, unless it is one of the redrive topic: a redriven event came from where
//! its headers say, and is known by that, to its receiver and in the dead-letter topic. That is
//! read when it is needed, so that no event has to carry it.

use crate::batch::Batch;
use crate::dead_letter;
use crate::plan::Plan;
use crate::record::{Header, Offset, Origin, Record, TopicPartition};
use crate::signature::{HexDigest, idempotency_key, idempotency_key_of_redriven};

/// See the module's documentation.
#[derive(Debug, Clone)]
pub struct Provenance {
    partition: TopicPartition,
    /// Whether this is the redrive topic.
    is_told: bool,
}

impl Provenance {
    /// The provenance of the events of `partition`.
    #[must_use]
    pub fn new(plan: &Plan, partition: TopicPartition) -> Self {
        let is_told = *plan.redrive_topic == *partition.topic;
        Self { partition, is_told }
    }

    /// Where the event of a record came from.
    #[must_use]
    pub fn of_record(&self, record: &Record<'_>) -> Origin {
        self.of(&record.headers, record.offset, record.timestamp)
    }

    /// Where the event at `index` of a batch came from.
    ///
    /// # Panics
    /// When there is no such event.
    #[must_use]
    pub fn of_entry(&self, batch: &Batch, index: usize) -> Origin {
        let entry = &batch.entries()[index];
        let headers = if self.is_told { batch.original(index).headers } else { Vec::new() };
        self.of(&headers, entry.offset, entry.timestamp)
    }

    /// The value of `Idempotency-Key` for the events of a batch.
    #[must_use]
    pub fn idempotency_key(&self, destination: &str, action: &str, batch: &Batch) -> HexDigest {
        if !self.is_told {
            return idempotency_key(destination, action, &self.partition, batch.entries());
        }
        let entries = 0..batch.entries().len();
        let origins = entries.map(|index| self.of_entry(batch, index)).collect();
        idempotency_key_of_redriven(destination, action, origins)
    }

    /// A record of the redrive topic that does not say where it came from came from there.
    fn of(&self, headers: &[Header<'_>], offset: Offset, timestamp: Option<i64>) -> Origin {
        let told = if self.is_told { dead_letter::origin(headers) } else { None };
        told.unwrap_or_else(|| Origin { partition: self.partition.clone(), offset, timestamp })
    }
}

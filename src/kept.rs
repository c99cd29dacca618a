//! A record that outlives what it was fetched into: one allocation holds all of it.

use crate::original::{self, Value};
use crate::record::{Offset, Record};

/// See the module's documentation.
#[derive(Debug)]
pub struct KeptRecord {
    offset: Offset,
    timestamp: Option<i64>,
    bytes: Vec<u8>,
}

impl KeptRecord {
    /// A copy of `record`.
    #[must_use]
    pub fn new(record: &Record<'_>) -> Self {
        let mut bytes = Vec::with_capacity(original::kept_bytes(record, Value::Kept));
        original::keep(record, Value::Kept, &mut bytes);
        Self { offset: record.offset, timestamp: record.timestamp, bytes }
    }

    /// The place of the record.
    #[must_use]
    pub fn offset(&self) -> Offset {
        self.offset
    }

    /// The bytes of memory it holds.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The record as it was read.
    #[must_use]
    pub fn record(&self) -> Record<'_> {
        let original = original::read(&self.bytes, &[]);
        Record {
            offset: self.offset,
            timestamp: self.timestamp,
            key: original.key,
            value: original.value,
            headers: original.headers,
        }
    }
}

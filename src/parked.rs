//! A record that some lane had no room for, kept until every lane has taken it.
//!
//! While a record is parked its partition is not read, so there is one at the most. Knows the
//! record and who still has to take it.

use crate::original::{self, Value};
use crate::plan::ActionId;
use crate::record::{Offset, Record};

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Parked {
    offset: Offset,
    timestamp: Option<i64>,
    record: Vec<u8>,
    owed: Vec<ActionId>,
}

impl Parked {
    /// Keeps a copy of `record` for the lanes that it is still owed to.
    pub(crate) fn new(record: &Record<'_>, owed: Vec<ActionId>) -> Self {
        let mut copy = Vec::new();
        original::keep(record, Value::Kept, &mut copy);
        Self { offset: record.offset, timestamp: record.timestamp, record: copy, owed }
    }

    pub(crate) fn offset(&self) -> Offset {
        self.offset
    }

    pub(crate) fn held_bytes(&self) -> usize {
        self.record.len()
    }

    /// Who still has to take it.
    pub(crate) fn owed(&self) -> &[ActionId] {
        &self.owed
    }

    pub(crate) fn still_owed_to(mut self, owed: Vec<ActionId>) -> Self {
        self.owed = owed;
        self
    }

    /// The record as it was read.
    pub(crate) fn record(&self) -> Record<'_> {
        let original = original::read(&self.record, &[]);
        Record {
            offset: self.offset,
            timestamp: self.timestamp,
            key: original.key,
            value: original.value,
            headers: original.headers,
        }
    }
}

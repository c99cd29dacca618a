//! A Kafka record as the pure half sees it, and its coordinates.
//!
//! Knows that the place of a record and the next place to read are two things: an [`Offset`] and
//! a [`Position`]. It knows nothing of how records are fetched.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

/// The place of one record in its partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Offset(pub i64);

impl Offset {
    /// The position of a reader that has read this record and everything before it. This is the
    /// one place where an offset becomes a position by adding one.
    #[must_use]
    pub fn next(self) -> Position {
        Position(self.0 + 1)
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The next offset to read: everything below it is done with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position(pub i64);

impl Position {
    /// The position of a reader whose next record is the one at `offset`.
    #[must_use]
    pub fn at(offset: Offset) -> Self {
        Self(offset.0)
    }

    /// Whether a record at `offset` lies behind a reader at this position.
    #[must_use]
    pub fn is_past(self, offset: Offset) -> bool {
        offset.0 < self.0
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A partition of a topic.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicPartition {
    /// The topic's name.
    pub topic: Arc<str>,
    /// The partition's number.
    pub partition: i32,
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", self.topic, self.partition)
    }
}

/// Where an event came from: the record that it was read from first. For all but redriven events
/// that is the record that it is read from now.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The partition of the record.
    pub partition: TopicPartition,
    /// Its place there.
    pub offset: Offset,
    /// Its timestamp in milliseconds since 1970-01-01 UTC; none: it has none.
    pub timestamp: Option<i64>,
}

/// A moment, on both clocks: the one that never jumps, and the one that the world agrees on.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// For waiting and measuring.
    pub instant: Instant,
    /// Milliseconds since 1970-01-01 UTC, for what is written down.
    pub unix_ms: i64,
}

/// One record, borrowed from wherever it was fetched into.
#[derive(Debug, Clone)]
pub struct Record<'a> {
    /// Its place in the partition.
    pub offset: Offset,
    /// Kafka's timestamp in milliseconds since 1970-01-01 UTC; none: the record has none.
    pub timestamp: Option<i64>,
    /// The key, if it has one.
    pub key: Option<&'a [u8]>,
    /// The value; none for a tombstone.
    pub value: Option<&'a [u8]>,
    /// The headers, in the record's order.
    pub headers: Vec<Header<'a>>,
}

/// One header of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header<'a> {
    /// The name: any bytes, though UTF-8 by convention.
    pub name: &'a [u8],
    /// The value; Kafka allows null.
    pub value: Option<&'a [u8]>,
}

//! The events of one request: gathered, sealed, split.
//!
//! Knows how payloads become a body, and which part of it belongs to which record. It does not
//! know when a batch is full or due, nor where it goes: that is the lane's business.

use std::ops::Range;
use std::time::Instant;

use bytes::Bytes;

use crate::original::{self, Original};
use crate::record::{Offset, Record};

/// How payloads stand in the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// A JSON array of payloads, also of one.
    Array,
    /// The one payload as it is.
    Bare,
}

/// One event of a batch: its coordinates and where its bytes lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The place of its record.
    pub offset: Offset,
    /// The record's timestamp in milliseconds since 1970-01-01 UTC.
    pub timestamp: Option<i64>,
    payload: Range<usize>,
    original: Range<usize>,
}

/// A batch that still grows. Payloads are copied once, into the body that will be sent.
#[derive(Debug)]
pub struct OpenBatch {
    framing: Framing,
    body: Vec<u8>,
    originals: Vec<u8>,
    entries: Vec<Entry>,
    opened_at: Instant,
}

impl OpenBatch {
    /// An empty batch with room for `capacity` bytes of body before it has to grow.
    #[must_use]
    pub fn new(framing: Framing, capacity: usize, now: Instant) -> Self {
        let mut body = Vec::with_capacity(capacity);
        if framing == Framing::Array {
            body.push(b'[');
        }
        Self { framing, body, originals: Vec::new(), entries: Vec::new(), opened_at: now }
    }

    /// When it was opened.
    #[must_use]
    pub fn opened_at(&self) -> Instant {
        self.opened_at
    }

    /// How many events it holds.
    #[must_use]
    pub fn events(&self) -> usize {
        self.entries.len()
    }

    /// The timestamp of its first event's record, in milliseconds since 1970-01-01 UTC.
    #[must_use]
    pub fn first_timestamp(&self) -> Option<i64> {
        self.entries.first().and_then(|first| first.timestamp)
    }

    /// The length of the body if a payload of `payload` bytes were added and the batch sealed.
    #[must_use]
    pub fn body_with(&self, payload: usize) -> usize {
        let framing = match self.framing {
            Framing::Array => 1 + usize::from(!self.entries.is_empty()),
            Framing::Bare => 0,
        };
        self.body.len() + framing + payload
    }

    /// The bytes of memory it holds.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        held_bytes(self.body.capacity(), &self.originals, &self.entries)
    }

    /// Adds the event that `record` has become. `payload` is a JSON object.
    pub fn add(&mut self, payload: &[u8], record: &Record<'_>) {
        if self.framing == Framing::Array && !self.entries.is_empty() {
            self.body.push(b',');
        }
        let payload_at = self.body.len();
        self.body.extend_from_slice(payload);
        let original_at = self.originals.len();
        // The default mapping hands on the record's own bytes: they are the same place in
        // memory, and comparing places is all that it takes to see it.
        let value = if record.value.is_some_and(|value| std::ptr::eq(value, payload)) {
            original::Value::IsPayload
        } else {
            original::Value::Kept
        };
        original::keep(record, value, &mut self.originals);
        self.entries.push(Entry {
            offset: record.offset,
            timestamp: record.timestamp,
            payload: payload_at..self.body.len(),
            original: original_at..self.originals.len(),
        });
    }

    /// Closes the batch: its body is what is signed and sent from now on.
    #[must_use]
    pub fn seal(mut self) -> Batch {
        if self.framing == Framing::Array {
            self.body.push(b']');
        }
        Batch {
            framing: self.framing,
            body_capacity: self.body.capacity(),
            body: Bytes::from(self.body),
            originals: self.originals,
            entries: self.entries,
        }
    }
}

/// A batch that is complete: one body, and what it was made of.
#[derive(Debug)]
pub struct Batch {
    framing: Framing,
    body: Bytes,
    body_capacity: usize,
    originals: Vec<u8>,
    entries: Vec<Entry>,
}

impl Batch {
    /// The request's body. Cloning it copies nothing.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Its events, in the order of the partition.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The payload of the event at `index`.
    ///
    /// # Panics
    /// When there is no such event.
    #[must_use]
    pub fn payload(&self, index: usize) -> &[u8] {
        &self.body[self.entries[index].payload.clone()]
    }

    /// What a dead letter needs of the record of the event at `index`.
    ///
    /// # Panics
    /// When there is no such event.
    #[must_use]
    pub fn original(&self, index: usize) -> Original<'_> {
        original::read(&self.originals[self.entries[index].original.clone()], self.payload(index))
    }

    /// The bytes of memory it holds.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        held_bytes(self.body_capacity, &self.originals, &self.entries)
    }

    /// Its first `events` events, and the others.
    ///
    /// # Panics
    /// When either part would hold none.
    #[must_use]
    pub fn cut(&self, events: usize) -> (Self, Self) {
        (self.part(0..events), self.part(events..self.entries.len()))
    }

    /// The event at `index` alone.
    ///
    /// # Panics
    /// When there is no such event.
    #[must_use]
    pub fn only(&self, index: usize) -> Self {
        self.part(index..index + 1)
    }

    fn part(&self, range: Range<usize>) -> Self {
        let entries = &self.entries[range];
        let first = entries.first().expect("a part holds at least one event");
        let last = entries.last().expect("a part holds at least one event");
        let payloads = first.payload.start..last.payload.end;
        let originals = first.original.start..last.original.end;
        let before = usize::from(self.framing == Framing::Array);
        let entries = entries
            .iter()
            .map(|entry| Entry {
                payload: shift(&entry.payload, payloads.start, before),
                original: shift(&entry.original, originals.start, 0),
                ..entry.clone()
            })
            .collect();
        let mut body = Vec::with_capacity(payloads.len() + 2 * before);
        body.extend_from_slice(&b"["[..before]);
        body.extend_from_slice(&self.body[payloads]);
        body.extend_from_slice(&b"]"[..before]);
        Self {
            framing: self.framing,
            body_capacity: body.capacity(),
            body: Bytes::from(body),
            originals: self.originals[originals].to_vec(),
            entries,
        }
    }
}

fn held_bytes(body: usize, originals: &Vec<u8>, entries: &Vec<Entry>) -> usize {
    body + originals.capacity() + entries.capacity() * size_of::<Entry>()
}

fn shift(range: &Range<usize>, from: usize, to: usize) -> Range<usize> {
    range.start - from + to..range.end - from + to
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::{Batch, Framing, OpenBatch};
    use crate::record::{Offset, Record};

    fn batch(framing: Framing, payloads: &[&str]) -> Batch {
        let mut open = OpenBatch::new(framing, 0, Instant::now());
        for (offset, payload) in (10..).step_by(10).zip(payloads) {
            let key = format!("key of {payload}");
            let record = Record {
                offset: Offset(offset),
                timestamp: Some(offset * 1000),
                key: Some(key.as_bytes()),
                value: Some(payload.as_bytes()),
                headers: Vec::new(),
            };
            let length = open.body_with(payload.len());
            open.add(payload.as_bytes(), &record);
            let brackets_to_come = usize::from(framing == Framing::Array);
            assert_eq!(open.body.len() + brackets_to_come, length);
        }
        open.seal()
    }

    #[test]
    fn a_body_is_an_array_also_of_one_event() {
        assert_eq!(batch(Framing::Array, &["{}"]).body(), "[{}]");
        assert_eq!(batch(Framing::Array, &["{}", "{ }"]).body(), "[{},{ }]");
    }

    #[test]
    fn a_bare_body_is_the_payload() {
        assert_eq!(batch(Framing::Bare, &["{\"a\":1}"]).body(), "{\"a\":1}");
    }

    #[test]
    fn halves_hold_every_event_once_and_in_order() {
        let whole = batch(Framing::Array, &["{\"n\":1}", "{\"n\":22}", "{\"n\":3}"]);
        let (first, second) = whole.cut(2);
        assert_eq!(first.body(), "[{\"n\":1},{\"n\":22}]");
        assert_eq!(second.body(), "[{\"n\":3}]");
        assert_eq!(second.entries()[0].offset, Offset(30));
        assert_eq!(second.payload(0), b"{\"n\":3}");
        let original = second.original(0);
        assert_eq!(original.key, Some(&b"key of {\"n\":3}"[..]));
        assert_eq!(original.value, Some(&b"{\"n\":3}"[..]));
    }

    #[test]
    fn one_event_can_be_a_batch_of_its_own() {
        let whole = batch(Framing::Array, &["{}", "{ }", "{  }"]);
        assert_eq!(whole.only(1).body(), "[{ }]");
        assert_eq!(whole.only(2).entries()[0].offset, Offset(30));
    }
}

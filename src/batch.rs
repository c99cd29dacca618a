//! The events of one request: gathered, sealed, split.
//!
//! Knows how payloads become a body, and which part of it belongs to which record. It does not
//! know when a batch is full or due, nor where it goes: that is the lane's business.

use std::ops::Range;
use std::slice;
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
        held_bytes(&self.body, &self.originals, &self.entries)
    }

    /// Adds the event that `record` has become. `payload` is a JSON object.
    pub fn add(&mut self, payload: &[u8], record: &Record<'_>) {
        if self.framing == Framing::Array && !self.entries.is_empty() {
            self.body.push(b',');
        }
        let payload_at = self.body.len();
        self.body.extend_from_slice(payload);
        let original_at = self.originals.len();
        original::keep(record, original::Value::of(record, payload), &mut self.originals);
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
        Batch::of(self.framing, self.body, self.originals, self.entries)
    }
}

/// A batch that is complete: one body, and what it was made of.
#[derive(Debug)]
pub struct Batch {
    framing: Framing,
    body: Bytes,
    originals: Bytes,
    entries: Entries,
    held_bytes: usize,
}

/// The events of a batch. There may be thousands of batches of one.
#[derive(Debug)]
enum Entries {
    One(Entry),
    Many(Vec<Entry>),
}

impl Batch {
    /// The batch of one event that wants no company: `record` has become `payload`. One piece of
    /// memory holds all of it.
    #[must_use]
    pub fn bare(payload: &[u8], record: &Record<'_>) -> Self {
        let value = original::Value::of(record, payload);
        let kept = original::kept_bytes(record, value);
        let mut all = Vec::with_capacity(payload.len() + kept);
        all.extend_from_slice(payload);
        original::keep(record, value, &mut all);
        let held_bytes = all.capacity() + size_of::<Entry>();
        let mut body = Bytes::from(all);
        let originals = body.split_off(payload.len());
        let entry = Entry {
            offset: record.offset,
            timestamp: record.timestamp,
            payload: 0..payload.len(),
            original: 0..originals.len(),
        };
        Self { framing: Framing::Bare, body, originals, entries: Entries::One(entry), held_bytes }
    }

    /// The request's body. Cloning it copies nothing.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Its events, in the order of the partition.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        match &self.entries {
            Entries::One(entry) => slice::from_ref(entry),
            Entries::Many(entries) => entries,
        }
    }

    /// The payload of the event at `index`.
    ///
    /// # Panics
    /// When there is no such event.
    #[must_use]
    pub fn payload(&self, index: usize) -> &[u8] {
        &self.body[self.entries()[index].payload.clone()]
    }

    /// What a dead letter needs of the record of the event at `index`.
    ///
    /// # Panics
    /// When there is no such event.
    #[must_use]
    pub fn original(&self, index: usize) -> Original<'_> {
        let kept = &self.originals[self.entries()[index].original.clone()];
        original::read(kept, self.payload(index))
    }

    /// The bytes of memory it holds.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// Its first `events` events, and the others.
    ///
    /// # Panics
    /// When either part would hold none.
    #[must_use]
    pub fn cut(&self, events: usize) -> (Self, Self) {
        (self.part(0..events), self.part(events..self.entries().len()))
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
        let entries = &self.entries()[range];
        let first = entries.first().expect("a part holds at least one event");
        let last = entries.last().expect("a part holds at least one event");
        let payloads = first.payload.start..last.payload.end;
        let originals = first.original.start..last.original.end;
        let before = usize::from(self.framing == Framing::Array);
        let entry = |entry: &Entry| Entry {
            payload: shift(&entry.payload, payloads.start, before),
            original: shift(&entry.original, originals.start, 0),
            ..entry.clone()
        };
        let entries = entries.iter().map(entry).collect();
        let mut body = Vec::with_capacity(payloads.len() + 2 * before);
        body.extend_from_slice(&b"["[..before]);
        body.extend_from_slice(&self.body[payloads.clone()]);
        body.extend_from_slice(&b"]"[..before]);
        Self::of(self.framing, body, self.originals[originals.clone()].to_vec(), entries)
    }

    fn of(framing: Framing, body: Vec<u8>, originals: Vec<u8>, entries: Vec<Entry>) -> Self {
        Self {
            framing,
            held_bytes: held_bytes(&body, &originals, &entries),
            body: Bytes::from(body),
            originals: Bytes::from(originals),
            entries: Entries::Many(entries),
        }
    }
}

fn held_bytes(body: &Vec<u8>, originals: &Vec<u8>, entries: &Vec<Entry>) -> usize {
    body.capacity() + originals.capacity() + entries.capacity() * size_of::<Entry>()
}

fn shift(range: &Range<usize>, from: usize, to: usize) -> Range<usize> {
    range.start - from + to..range.end - from + to
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::{Batch, Entry, Framing, OpenBatch};
    use crate::record::{Header, Offset, Record};

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
    fn a_batch_of_one_is_what_gathering_one_event_makes() {
        let value = br#"{"a":1}"#;
        for payload in [&value[..], b"{}"] {
            for headers in [vec![], vec![Header { name: b"h", value: Some(b"v") }]] {
                let (offset, timestamp) = (Offset(3), Some(5));
                let (key, value) = (Some(&b"k"[..]), Some(&value[..]));
                let record = Record { offset, timestamp, key, value, headers };
                let bare = Batch::bare(payload, &record);
                let mut open = OpenBatch::new(Framing::Bare, 0, Instant::now());
                open.add(payload, &record);
                let gathered = open.seal();
                assert_eq!(bare.body(), gathered.body());
                assert_eq!(bare.entries(), gathered.entries());
                assert_eq!(bare.original(0), gathered.original(0));
                let part = bare.only(0);
                assert_eq!((part.body(), part.original(0)), (bare.body(), bare.original(0)));
                let bytes = payload.len() + bare.originals.len() + size_of::<Entry>();
                assert_eq!(bare.held_bytes(), bytes, "exactly as much memory as it takes");
            }
        }
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

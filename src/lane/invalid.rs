//! The lane of records that are no events: straight into the dead-letter topic.
//!
//! Knows how far it is and what its letters hold. They are written like all others.

use super::cursor::Cursor;
use crate::record::{Offset, Position};

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct InvalidEvents {
    pub(crate) cursor: Cursor,
    letter_bytes: usize,
    /// The bytes of the next record to read again, where there was no room for it.
    next_bytes: usize,
}

impl InvalidEvents {
    /// A lane that holds nothing, and stands at `cursor`.
    pub(crate) fn new(cursor: Cursor) -> Self {
        Self { cursor, letter_bytes: 0, next_bytes: 0 }
    }

    /// The bytes of memory that its letters hold.
    pub(crate) fn held_bytes(&self) -> usize {
        self.letter_bytes
    }

    /// Whether it may take a record of `bytes` bytes, where `share` bytes are its part of the
    /// memory. One always finds room.
    pub(crate) fn has_room(&self, bytes: usize, share: usize) -> bool {
        self.cursor.is_empty() || self.letter_bytes + bytes <= share
    }

    /// Whether it is worth reading the log again for it.
    pub(crate) fn wants_to_catch_up(&self, share: usize) -> bool {
        let has_room = self.letter_bytes <= share / 2 && self.has_room(self.next_bytes, share);
        self.cursor.is_behind() && has_room
    }

    /// There was no room for a record of `bytes` bytes that was read again.
    pub(crate) fn lacks_room_for(&mut self, bytes: usize) {
        self.next_bytes = bytes;
    }

    /// The record at `offset` is owed to the dead-letter topic, in a letter of so many bytes.
    pub(crate) fn take(&mut self, offset: Offset, letter_bytes: usize) {
        self.next_bytes = 0;
        self.cursor.take(offset, None);
        self.letter_bytes += letter_bytes;
    }

    /// The letter about the record at `offset` is written.
    pub(crate) fn letter_written(&mut self, offset: Offset, letter_bytes: usize) {
        self.cursor.settle(offset);
        self.letter_bytes -= letter_bytes;
    }

    /// The partition's reader goes on from `reader` without this lane. Its letters stay: they are
    /// bounded, and are all there is.
    pub(crate) fn fall_behind(&mut self, reader: Position) {
        self.cursor.fall_behind(reader, |_| false);
    }
}

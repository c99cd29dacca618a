//! What a pipeline has room for, and when the next record is wanted.

use super::{Pipeline, Reading};
use crate::parked::Parked;

impl Pipeline {
    /// Its events may hold `bytes` bytes of memory from now on. Each lane that holds events has
    /// an equal share of it; one event finds room in any case.
    pub fn allow(&mut self, bytes: usize) {
        self.lanes.allow(bytes.saturating_sub(self.parked_bytes()));
    }

    /// The bytes of memory that its events hold.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.lanes.held_bytes() + self.parked_bytes()
    }

    fn parked_bytes(&self) -> usize {
        self.parked.as_ref().map_or(0, |parked| parked.record.held_bytes())
    }

    /// Whether the next record may be handed in. It may have to wait for room; where it certainly
    /// would, it need not be read yet.
    #[must_use]
    pub fn wants_record(&self) -> bool {
        let is_full = || self.only.is_some_and(|only| self.lanes.is_full(only));
        self.reading == Reading::Yes && self.parked.is_none() && !is_full()
    }

    pub(super) fn parked_has_room(&self) -> bool {
        self.parked.as_ref().is_some_and(|parked| self.has_room_for(parked))
    }

    /// Whether one of those that had no room has some now.
    pub(super) fn has_room_for(&self, parked: &Parked) -> bool {
        let bytes = parked.record.held_bytes();
        parked.owed.iter().any(|&debtor| self.lanes.has_room(debtor, bytes))
    }
}

//! What a world looks at after every step, beside what its record keeper sees.

use hookcast::letters::{Debtor, Writing};

use super::{World, offset_of};

impl World {
    /// Whether the time of the event is over that this letter is about.
    pub(super) fn check_expiry(&mut self, writing: &Writing) {
        let Debtor::Lane(lane) = writing.debtor else { panic!("nobody can give this up") };
        let action = lane.action;
        let offset = offset_of(writing);
        let give_up_after = self.plan.actions[action.0].delivery.retry.give_up_after;
        let give_up_after = i64::try_from(give_up_after.as_millis()).expect("some minutes");
        let timestamp = self.log.by_offset()[&offset].record().timestamp.expect("it has one");
        assert!(timestamp + give_up_after <= self.now.unix_ms, "{offset} is too young to expire");
        self.keeper.expired(action, offset, self.now.unix_ms - give_up_after);
    }

    /// A pipeline that has nothing more to do now sleeps until a time to come; and where no answer
    /// and no acknowledgement will wake it, it knows that time.
    pub(super) fn check_sleep(&mut self) {
        let mut more = Vec::new();
        self.pipeline.poll(self.now, &mut more);
        assert!(more.is_empty(), "one look does not show everything: {more:?}");
        if self.slice.is_none() {
            self.begin_slice();
        }
        let wake = self.pipeline.wake_at(self.now);
        assert!(wake.is_none_or(|at| at > self.now.instant), "it does not sleep");
        let has_work = self.slice.is_some() || self.pipeline.is_drained();
        let is_waiting = has_work || !self.requests.is_empty() || !self.letters.is_empty();
        assert!(is_waiting || self.pipeline.is_empty() || wake.is_some(), "it sleeps for ever");
    }

    /// The bound of memory: the room, and one event or its letter for each lane.
    pub(super) fn check_memory(&self) {
        let largest_event = 8 * 1024;
        // Those that are behind, and those that have a place.
        let lanes = 2 * self.plan.actions.len() + 64 + 128 + 2;
        let bound = self.most_room.saturating_add(lanes * largest_event);
        let held = self.pipeline.held_bytes();
        assert!(self.is_draining || held <= bound, "{held} bytes where {bound} are allowed");
        assert!(!self.pipeline.is_empty() || held == 0, "{held} bytes are held by nobody");
    }
}

//! What a world looks at after every step, beside what its record keeper sees.

use hookcast::letters::{Debtor, Writing};

use super::{World, offset_of};

impl World {
    /// Whether the time of the event is over that this letter is about.
    pub(super) fn check_expiry(&mut self, writing: &Writing) {
        let Debtor::Lane(lane) = writing.debtor else { panic!("nobody can give this up") };
        let action = lane.action;
        let offset = offset_of(writing);
        if self.keeper.is_refused(action, offset) {
            // It is the same letter, which could not be written at first.
            return;
        }
        let give_up_after = self.plan.actions[action.0].delivery.retry.give_up_after;
        let give_up_after = i64::try_from(give_up_after.as_millis()).expect("some minutes");
        let timestamp = self.log.at(offset).record().timestamp.expect("it has one");
        // One from the future is as old as it is known.
        let began = timestamp.min(self.earliest);
        assert!(began + give_up_after <= self.now.unix_ms, "{offset} is too young to expire");
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

    /// The bound of memory: one event, or its letter, for each lane; and for the one that fills up
    /// first all of the room, for the next one half of it, and so on.
    pub(super) fn check_memory(&self) {
        let largest = 2 * self.log.largest() + 64;
        let shares: usize = (1..=self.nature.most_lanes)
            .map(|lane| self.most_room / lane)
            .fold(0, usize::saturating_add);
        let bound = shares.saturating_add(self.nature.most_lanes * largest);
        let held = self.pipeline.held_bytes();
        assert!(self.is_draining || held <= bound, "{held} bytes where {bound} are allowed");
        assert!(!self.pipeline.is_empty() || held == 0, "{held} bytes are held by nobody");
    }

    /// What was deleted before everybody had it was counted, and more than was deleted never was.
    pub(super) fn check_losses(&self) {
        let lost = self.log.records.iter().filter(|record| record.offset < self.log.begin);
        let lost = lost.filter(|record| self.keeper.is_lost(record)).count();
        let counted = self.counted;
        assert!(lost as u64 <= counted, "{lost} are lost and {counted} were counted");
    }

    /// A life counts nothing that was committed before it, and nothing that is still there.
    pub(super) fn check_count(&self) {
        let deleted = (self.log.begin - self.committed_then).max(0);
        let counted = self.counted_now;
        assert!(counted <= deleted.unsigned_abs(), "{counted} are counted of {deleted}");
    }
}

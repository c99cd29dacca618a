//! Time: it passes, and the clock on the wall is set by people.

use std::time::Duration;

use super::World;

impl World {
    pub(super) fn pass_time(&mut self) {
        // Meanwhile other partitions take memory, or give it back.
        if self.nature.widest_room != usize::MAX && self.random.u8(0..4) == 0 {
            self.room = self.random.usize(1..=self.nature.widest_room);
            self.most_room = self.most_room.max(self.room);
            self.allow(self.room);
        }
        let until = match self.pipeline.wake_at(self.now) {
            Some(wake) if self.random.bool() => wake.saturating_duration_since(self.now.instant),
            _ => Duration::from_millis(self.random.u64(0..300)),
        };
        self.now.instant += until;
        self.now.unix_ms += i64::try_from(until.as_millis()).expect("a short while");
    }

    /// The clock on the wall is set, by minutes or by hours. The other one goes on as ever.
    pub(super) fn jump(&mut self) {
        if !self.nature.has_jumping_clock {
            return;
        }
        let widest = self.random.choice([300_000, 20_000_000]).expect("there is a choice");
        let by = self.random.i64(-widest..=widest);
        self.latest = self.latest.max(self.now.unix_ms);
        self.now.unix_ms += by;
        self.earliest = self.earliest.min(self.now.unix_ms);
        self.sights.jumps_forwards += usize::from(by > 0);
        self.sights.jumps_backwards += usize::from(by < 0);
    }

    /// Whoever has set the clock back sets it right: events whose failures were noted in what is now
    /// the future would wait until then, which is right, and longer than a world lives.
    pub(super) fn set_clock_right(&mut self) {
        self.now.unix_ms = self.now.unix_ms.max(self.latest);
    }
}

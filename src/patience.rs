//! How long a partition's reader waits for a lane without room while others have nothing to do.
//!
//! At most one second in any ten: waiting uses up what is left, and going on restores it at a
//! twentieth of that speed, up to half a second. Knows time only.

use std::time::{Duration, Instant};

/// The most that is left at any time. What it is together with what ten seconds restore is the
/// second that others may lose.
const MOST: Duration = Duration::from_millis(500);
/// So many times slower than it is used up it comes back.
const SLOWNESS: u32 = 20;

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Patience {
    left: Duration,
    /// What was waited beyond that, and has to be made up for first.
    overdrawn: Duration,
    /// When this was right.
    at: Option<Instant>,
    is_waiting: bool,
}

impl Patience {
    /// All of it.
    pub(crate) fn new() -> Self {
        Self { left: MOST, overdrawn: Duration::ZERO, at: None, is_waiting: false }
    }

    /// From `now` on the reader waits at the others' expense, or does not.
    pub(crate) fn note(&mut self, now: Instant, is_waiting: bool) {
        let elapsed = self.at.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        if self.is_waiting {
            self.overdrawn += elapsed.saturating_sub(self.left);
            self.left = self.left.saturating_sub(elapsed);
        } else {
            let restored = elapsed / SLOWNESS;
            self.left = MOST.min(self.left + restored.saturating_sub(self.overdrawn));
            self.overdrawn = self.overdrawn.saturating_sub(restored);
        }
        (self.at, self.is_waiting) = (Some(now), is_waiting);
    }

    /// Whether nothing is left.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.left.is_zero()
    }

    /// When nothing will be left, if the reader goes on waiting.
    pub(crate) fn ends_at(&self) -> Option<Instant> {
        self.at.filter(|_| self.is_waiting).map(|at| at + self.left)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Patience;

    #[test]
    fn others_lose_at_most_one_second_in_ten() {
        for seed in 0..100 {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut patience = Patience::new();
            let begun = Instant::now();
            let mut now = begun;
            // What was waited, by tenths of seconds.
            let mut waited = vec![Duration::ZERO];
            let step = Duration::from_millis(1);
            patience.note(now, false);
            let mut wants_to_wait = false;
            for tick in 1..60_000 {
                if random.u16(0..500) == 0 {
                    wants_to_wait = random.u8(0..3) > 0;
                }
                let waits = wants_to_wait && !patience.is_exhausted();
                patience.note(now, waits);
                now += step;
                if tick % 100 == 0 {
                    waited.push(Duration::ZERO);
                }
                if waits {
                    *waited.last_mut().expect("there is one") += step;
                }
            }
            for ten_seconds in waited.windows(100) {
                let lost: Duration = ten_seconds.iter().sum();
                assert!(lost <= Duration::from_secs(1), "seed {seed}: {lost:?}");
            }
            assert!(waited.iter().sum::<Duration>() > Duration::from_millis(500));
        }
    }
}

//! Who has not moved for too long, and who should have.
//!
//! Knows the loops of this process by name: when each made its last turn, how long one may take,
//! and since when it has had something to do without beginning it. It is told the time. Whoever
//! waits for something that will come, an answer, a backoff, a broker, makes its turns meanwhile,
//! and has nothing to do.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// How long a loop may take for one turn, and may leave undone what it could begin. Every loop wakes
/// at least every few seconds.
pub const LONGEST_TURN: Duration = Duration::from_secs(45);

/// See the module's documentation.
#[derive(Debug, Default)]
pub struct Watchdog {
    loops: HashMap<String, Turn>,
}

#[derive(Debug, Clone, Copy)]
struct Turn {
    began: Instant,
    /// How long it may take.
    allowed: Duration,
    /// Since when there is something to do that nobody begins.
    idle_since: Option<Instant>,
}

impl Watchdog {
    /// The loop of this name begins a turn that may take as long as `allowed`.
    pub fn turn(&mut self, name: &str, now: Instant, allowed: Duration) {
        if let Some(turn) = self.loops.get_mut(name) {
            (turn.began, turn.allowed) = (now, allowed);
        } else {
            let turn = Turn { began: now, allowed, idle_since: None };
            self.loops.insert(name.to_owned(), turn);
        }
    }

    /// Whether the loop of this name leaves undone what it could begin.
    pub fn idles(&mut self, name: &str, now: Instant, idles: bool) {
        if let Some(turn) = self.loops.get_mut(name) {
            turn.idle_since = idles.then(|| turn.idle_since.unwrap_or(now));
        }
    }

    /// The loop of this name has ended as it should.
    pub fn forget(&mut self, name: &str) {
        self.loops.remove(name);
    }

    /// What is wrong, if anything is: the loop that is late for the longest time.
    #[must_use]
    pub fn ailment(&self, now: Instant) -> Option<String> {
        let late = self.loops.iter().filter_map(|(name, turn)| {
            let took = now.saturating_duration_since(turn.began);
            let idled = turn.idle_since.map(|since| now.saturating_duration_since(since));
            if took > turn.allowed {
                Some((turn.began, format!("{name} has not moved for {} s", took.as_secs())))
            } else if let Some(idled) = idled.filter(|idled| *idled > LONGEST_TURN) {
                let seconds = idled.as_secs();
                let what =
                    format!("{name} has had something to do for {seconds} s and has not begun it");
                Some((turn.began, what))
            } else {
                None
            }
        });
        late.min().map(|(_, what)| what)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{LONGEST_TURN, Watchdog};

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_loop_that_stays_away_is_an_ailment_within_a_minute_until_it_moves_or_ends() {
        let (begun, mut watchdog) = (Instant::now(), Watchdog::default());
        watchdog.turn("a", begun, LONGEST_TURN);
        watchdog.turn("b", begun + SECOND, LONGEST_TURN);
        assert_eq!(watchdog.ailment(begun + LONGEST_TURN), None);
        let late = begun + Duration::from_mins(1);
        assert_eq!(watchdog.ailment(late).as_deref(), Some("a has not moved for 60 s"));
        watchdog.turn("a", late, LONGEST_TURN);
        assert_eq!(watchdog.ailment(late).as_deref(), Some("b has not moved for 59 s"));
        watchdog.forget("b");
        assert_eq!(watchdog.ailment(late), None);
    }

    #[test]
    fn a_drain_may_take_its_time() {
        let (begun, mut watchdog) = (Instant::now(), Watchdog::default());
        watchdog.turn("a", begun, Duration::from_mins(10));
        assert_eq!(watchdog.ailment(begun + Duration::from_mins(10)), None);
        watchdog.turn("a", begun + Duration::from_mins(10), LONGEST_TURN);
        assert!(watchdog.ailment(begun + Duration::from_mins(11)).is_some());
    }

    #[test]
    fn who_makes_turns_and_begins_nothing_is_ailing_too() {
        let (begun, mut watchdog) = (Instant::now(), Watchdog::default());
        let mut now = begun;
        while now <= begun + LONGEST_TURN {
            watchdog.turn("a", now, LONGEST_TURN);
            watchdog.idles("a", now, true);
            assert_eq!(watchdog.ailment(now), None);
            now += 5 * SECOND;
        }
        let what = "a has had something to do for 50 s and has not begun it";
        assert_eq!(watchdog.ailment(now).as_deref(), Some(what));
        watchdog.idles("a", now, false);
        assert_eq!(watchdog.ailment(now), None);
        watchdog.idles("a", now, true);
        assert_eq!(watchdog.ailment(now + SECOND), None, "it counts from anew");
    }
}

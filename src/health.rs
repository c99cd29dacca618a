//! Whether the process is alive and whether it is ready, as far as it can tell itself.
//!
//! librdkafka counts any poll of any queue as a sign of life, so a wedged thread is never noticed
//! by the broker. Every loop of this process therefore beats here, and a beat that stays away
//! too long is what `/healthz` reports.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::watchdog::{LONGEST_TURN, Watchdog};

/// See the module's documentation.
#[derive(Debug, Default)]
pub struct Health {
    joined_group: AtomicBool,
    has_topics: AtomicBool,
    broker_down: AtomicBool,
    watchdog: Mutex<Watchdog>,
}

impl Health {
    /// Nothing is known yet: alive, but not ready.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the process is a member of its consumer group. True: this is a change.
    pub fn set_joined_group(&self, joined: bool) -> bool {
        self.joined_group.swap(joined, Ordering::Relaxed) != joined
    }

    /// The dead-letter and the redrive topic exist.
    pub fn set_has_topics(&self) {
        self.has_topics.store(true, Ordering::Relaxed);
    }

    /// Whether they do.
    #[must_use]
    pub fn has_topics(&self) -> bool {
        self.has_topics.load(Ordering::Relaxed)
    }

    /// Whether no broker can be reached. True: this is a change.
    pub fn set_broker_down(&self, down: bool) -> bool {
        self.broker_down.swap(down, Ordering::Relaxed) != down
    }

    /// Whether no broker can be reached.
    #[must_use]
    pub fn is_broker_down(&self) -> bool {
        self.broker_down.load(Ordering::Relaxed)
    }

    /// The loop of this name has made a turn.
    pub fn beat(&self, name: &str) {
        self.beat_within(name, LONGEST_TURN);
    }

    /// The loop of this name begins a turn that may take as long as `allowed`: a drain.
    pub fn beat_within(&self, name: &str, allowed: Duration) {
        self.watchdog().turn(name, Instant::now(), allowed);
    }

    /// Whether the loop of this name leaves undone what it could begin.
    pub fn idles(&self, name: &str, idles: bool) {
        self.watchdog().idles(name, Instant::now(), idles);
    }

    /// The loop of this name has ended as it should.
    pub fn forget(&self, name: &str) {
        self.watchdog().forget(name);
    }

    /// What is wrong with the process itself, if anything is.
    #[must_use]
    pub fn ailment(&self) -> Option<String> {
        self.watchdog().ailment(Instant::now())
    }

    fn watchdog(&self) -> MutexGuard<'_, Watchdog> {
        self.watchdog.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the process still waits for, if for anything.
    #[must_use]
    pub fn unreadiness(&self) -> Option<&'static str> {
        if self.is_broker_down() {
            Some("no broker can be reached")
        } else if !self.joined_group.load(Ordering::Relaxed) {
            Some("not a member of the consumer group yet")
        } else if !self.has_topics() {
            Some("the dead-letter and redrive topics do not exist yet")
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Health;

    #[test]
    fn readiness_asks_for_a_broker_a_group_and_the_topics() {
        let health = Health::new();
        assert!(health.unreadiness().is_some());
        assert!(health.set_joined_group(true));
        assert!(!health.set_joined_group(true), "joining twice is no change");
        health.set_has_topics();
        assert_eq!(health.unreadiness(), None);
        assert!(health.set_broker_down(true));
        assert_eq!(health.unreadiness(), Some("no broker can be reached"));
    }
}

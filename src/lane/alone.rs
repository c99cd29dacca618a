//! Events that fail alone: since when, and whether it is taken for their own fault.
//!
//! An event that keeps failing while its endpoint accepts others is *set aside*: it is tried again
//! on its own, and holds up nothing but what must not overtake it.

use crate::record::{Offset, Position};

/// So many failures alone, others being accepted meanwhile, set an event aside.
const FAILURES_THAT_SET_ASIDE: u32 = 3;

/// What is known of a request's failures alone. Times are in milliseconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Alone {
    failures: u32,
    /// The first of them.
    since: i64,
    /// When it began to fail with an earlier owner, where that is known.
    inherited: Option<i64>,
    is_aside: bool,
}

impl Alone {
    pub(super) fn is_aside(&self) -> bool {
        self.is_aside
    }

    /// Since when the event fails that was set aside.
    pub(super) fn aside_since(&self) -> Option<i64> {
        self.is_aside.then_some(self.inherited.unwrap_or(self.since))
    }

    /// The event has failed alone.
    pub(super) fn failed(&mut self, unix_ms: i64, inherited: Option<i64>) {
        if self.failures == 0 {
            self.since = unix_ms;
            self.inherited = inherited;
        }
        self.failures = self.failures.saturating_add(1);
    }

    /// It has failed again although it is set aside. What began in the future began now: the clock
    /// was set back.
    pub(super) fn failed_aside(&mut self, unix_ms: i64) {
        self.since = self.since.min(unix_ms);
        self.inherited = self.inherited.map(|since| since.min(unix_ms));
    }

    /// Whether it is time to set the event aside, if others were accepted since this time.
    pub(super) fn is_suspect_since(&self) -> Option<i64> {
        (self.failures >= FAILURES_THAT_SET_ASIDE).then_some(self.since)
    }

    /// It is not the event's fault: the endpoint fails altogether.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// It is the event's fault, as is known since `unix_ms` at least, or since `inherited`.
    pub(super) fn set_aside(&mut self, unix_ms: i64, inherited: Option<i64>) {
        if self.failures == 0 {
            self.since = unix_ms;
            self.inherited = inherited;
        }
        self.is_aside = true;
    }
}

/// Since when some event failed alone with an earlier owner of the lane. Which one is not told: it
/// lies below a position.
#[derive(Debug, Clone, Copy)]
pub(super) struct Inherited {
    pub(super) since: i64,
    pub(super) below: Position,
}

impl Inherited {
    /// Since when the event at `offset` may have failed alone.
    pub(super) fn since(&self, offset: Offset) -> Option<i64> {
        self.below.is_past(offset).then_some(self.since)
    }
}

//! Whether a lane leaves undone what it could do.

use super::Lane;
use crate::record::Now;

impl Lane {
    /// Whether it holds events and waits for nothing: not for an answer or a letter, not for a time,
    /// not for a place that a request of another partition will give back, and not for the
    /// operator. Asked right after [`poll`](Self::poll) it is a sign that something is wrong.
    #[must_use]
    pub fn idles(&self, now: Now) -> bool {
        let awaits = self.is_in_flight() || !self.buried.is_empty() || self.is_paused();
        let wakes = self.wake_at(now).is_some_and(|at| at > now.instant);
        let is_in_use = self.gate().is_some_and(|gate| gate.in_flight() > 0);
        !(self.is_empty() || awaits || wakes || is_in_use)
    }
}

//! `delivery.reject_limit`: when so many events are rejected in a row that it is not their fault.
//!
//! An expired token makes an endpoint reject everything. Then an action counts as failing, and
//! retries, instead of filling the dead-letter topic overnight.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many events of one action were rejected in a row, in one process.
#[derive(Debug)]
pub struct Rejections {
    limit: Option<NonZeroUsize>,
    in_a_row: AtomicUsize,
}

impl Rejections {
    /// None so far; without a limit there are never too many.
    #[must_use]
    pub fn new(limit: Option<NonZeroUsize>) -> Self {
        Self { limit, in_a_row: AtomicUsize::new(0) }
    }

    /// So many events were rejected. Whether these were the ones too many.
    pub fn rejected(&self, events: usize) -> bool {
        let before = self.in_a_row.fetch_add(events, Ordering::Relaxed);
        !self.are_too_many(before) && self.are_too_many(before + events)
    }

    /// A request was accepted. Whether there had been too many rejections until now.
    pub fn accepted(&self) -> bool {
        // Mostly there is nothing to forget, and reading costs the other workers nothing.
        self.in_a_row.load(Ordering::Relaxed) > 0
            && self.are_too_many(self.in_a_row.swap(0, Ordering::Relaxed))
    }

    /// Whether the action counts as failing: what is rejected now has to be tried again.
    #[must_use]
    pub fn count_as_failing(&self) -> bool {
        self.are_too_many(self.in_a_row.load(Ordering::Relaxed))
    }

    fn are_too_many(&self, events: usize) -> bool {
        self.limit.is_some_and(|limit| events >= limit.get())
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::Rejections;

    #[test]
    fn so_many_in_a_row_count_as_failing_until_something_is_accepted() {
        let rejections = Rejections::new(NonZeroUsize::new(10));
        assert!(!rejections.rejected(9));
        assert!(!rejections.count_as_failing());
        assert!(rejections.rejected(3), "the tenth is among them");
        assert!(rejections.count_as_failing());
        assert!(!rejections.rejected(1), "it is said once");
        assert!(rejections.accepted(), "this ends it");
        assert!(!rejections.count_as_failing());
        assert!(!rejections.accepted(), "it is said once");
    }

    #[test]
    fn an_acceptance_begins_the_count_anew() {
        let rejections = Rejections::new(NonZeroUsize::new(2));
        for _ in 0..10 {
            assert!(!rejections.rejected(1));
            assert!(!rejections.accepted());
        }
        assert!(!rejections.count_as_failing());
    }

    #[test]
    fn without_a_limit_there_are_never_too_many() {
        let rejections = Rejections::new(None);
        assert!(!rejections.rejected(usize::MAX / 2));
        assert!(!rejections.count_as_failing());
    }
}

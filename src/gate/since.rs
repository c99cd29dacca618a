//! Since when an endpoint fails: the clock by which events expire.
//!
//! It survives restarts and hand-overs, so it runs in the world's time, and what another member
//! has seen of the same endpoint counts as well.

/// See the module's documentation. Times are in milliseconds since 1970-01-01 UTC.
#[derive(Debug, Default)]
pub struct FailingSince {
    since: Option<i64>,
    /// What an earlier owner has told. It is in force once it fails here too: what was repaired
    /// while nobody was looking must not cost an event that nobody has tried.
    told: Option<i64>,
    accepted_at: Option<i64>,
}

impl FailingSince {
    /// The first failure since the last acceptance, here or with an earlier owner; none: there was
    /// none.
    pub(crate) fn unix_ms(&self) -> Option<i64> {
        self.since.or(self.told)
    }

    /// The same where it has failed here too, so that events may expire.
    pub(crate) fn in_force(&self) -> Option<i64> {
        self.since
    }

    /// Whether something was accepted at that time or later.
    pub(crate) fn has_accepted_since(&self, unix_ms: i64) -> bool {
        self.accepted_at.is_some_and(|accepted| accepted >= unix_ms)
    }

    pub(crate) fn failed(&mut self, unix_ms: i64) {
        // What began in the future began now: the clock was set back.
        let began = self.since.or(self.told.take()).unwrap_or(unix_ms);
        self.since = Some(began.min(unix_ms));
    }

    pub(crate) fn accepted(&mut self, unix_ms: i64) {
        (self.since, self.told) = (None, None);
        self.accepted_at = self.accepted_at.max(Some(unix_ms));
    }

    /// An earlier owner says since when it fails. The earliest counts, unless something was
    /// accepted here later than that.
    pub(crate) fn restore(&mut self, unix_ms: i64) {
        if self.accepted_at.is_none_or(|accepted| accepted < unix_ms) {
            let clock = if self.since.is_some() { &mut self.since } else { &mut self.told };
            *clock = Some(clock.map_or(unix_ms, |since| since.min(unix_ms)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::FailingSince;

    #[test]
    fn the_first_failure_counts_until_something_is_accepted() {
        let mut failing = FailingSince::default();
        assert_eq!(failing.unix_ms(), None);
        failing.failed(10);
        failing.failed(20);
        assert_eq!(failing.unix_ms(), Some(10));
        failing.accepted(30);
        assert_eq!(failing.unix_ms(), None);
        failing.failed(40);
        assert_eq!(failing.unix_ms(), Some(40));
    }

    #[test]
    fn the_earliest_that_any_owner_has_seen_counts() {
        let mut failing = FailingSince::default();
        failing.restore(30);
        failing.restore(10);
        failing.restore(20);
        failing.failed(40);
        assert_eq!(failing.unix_ms(), Some(10));
    }

    #[test]
    fn what_was_before_the_last_acceptance_is_over() {
        let mut failing = FailingSince::default();
        failing.accepted(30);
        failing.restore(10);
        assert_eq!(failing.unix_ms(), None);
        failing.restore(35);
        assert_eq!(failing.unix_ms(), Some(35));
    }

    #[test]
    fn what_was_told_is_in_force_once_it_fails_here_too() {
        let mut failing = FailingSince::default();
        failing.restore(10);
        assert_eq!((failing.unix_ms(), failing.in_force()), (Some(10), None));
        failing.failed(50);
        assert_eq!(failing.in_force(), Some(10));
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_keep_what_fails_for_hours() {
        let mut failing = FailingSince::default();
        failing.failed(5_000);
        failing.failed(1_000);
        assert_eq!(failing.in_force(), Some(1_000));
    }
}

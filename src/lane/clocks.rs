//! Since when a lane fails: its endpoint, and its events alone. Both clocks survive restarts. Times
//! are in milliseconds since 1970-01-01 UTC.

use super::Lane;
use super::alone::Inherited;
use crate::gate::Gate;
use crate::record::Position;

impl Lane {
    /// What an earlier owner has told: since when its endpoint fails, and since when an event fails
    /// alone that lies below `below`. In milliseconds since 1970-01-01 UTC.
    pub(crate) fn inherit(
        &mut self,
        failing_since: Option<i64>,
        alone_since: Option<i64>,
        below: Position,
    ) {
        if let Some(since) = failing_since {
            match self.gate() {
                Some(gate) => gate.restore_failing_since(since),
                None => self.failing.restore(since),
            }
        }
        self.inherited = alone_since.map(|since| Inherited { since, below });
    }

    /// Since when its endpoint fails, in milliseconds since 1970-01-01 UTC.
    pub(crate) fn failing_since(&self) -> Option<i64> {
        self.gate().map_or_else(|| self.failing.unix_ms(), Gate::failing_since)
    }

    /// The same where it has failed in this process too, so that events may expire.
    pub(super) fn expires_since(&self) -> Option<i64> {
        self.gate().map_or_else(|| self.failing.in_force(), Gate::expires_since)
    }

    /// Since when an event of it fails alone, of several the longest, in the same unit.
    pub(crate) fn alone_since(&self) -> Option<i64> {
        let lowest = self.cursor.lowest_owed();
        let may_be_owed =
            |inherited: &Inherited| lowest.is_some_and(|lowest| lowest < inherited.below);
        let inherited = self.inherited.filter(may_be_owed).map(|inherited| inherited.since);
        self.queue.aside_since().into_iter().chain(inherited).min()
    }

    pub(super) fn has_accepted_since(&self, unix_ms: i64) -> bool {
        match self.gate() {
            Some(gate) => gate.has_accepted_since(unix_ms),
            None => self.failing.has_accepted_since(unix_ms),
        }
    }
}

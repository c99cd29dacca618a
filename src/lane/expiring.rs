//! When the time of an event is over, and what becomes of it then.
//!
//! An event expires when `give_up_after` has passed since the later of its record's timestamp and
//! the start of its failure: its endpoint's, or its own where it was set aside. Backlogs do not
//! expire while the endpoint accepts. Times are in milliseconds since 1970-01-01 UTC.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Lane;
use super::gather::Gathering;
use super::queue::{Failure, Request};
use crate::batch::Entry;
use crate::dead_letter::{DeadLetter, Reason};
use crate::plan::GiveUp;
use crate::record::{Now, Offset};

impl Lane {
    /// Takes out the events that have expired. These letters settle them.
    pub fn expire(&mut self, now: Now) -> Vec<(Offset, DeadLetter)> {
        // Until then nothing needs a closer look.
        self.next_expiry = self.first_expiry().filter(|_| !self.is_empty());
        if self.next_expiry.is_none_or(|first| first > now.unix_ms) {
            return Vec::new();
        }
        let (failing_since, give_up_after) = (self.expires_since(), self.give_up_after());
        let expires_at = |since: Option<i64>, timestamp: Option<i64>, seen_at: i64| {
            // An event of the future is as old as it is known here.
            let timestamp = timestamp.map_or(i64::MIN, |timestamp| timestamp.min(seen_at));
            since.map(|since| since.max(timestamp).saturating_add(give_up_after))
        };
        let open = self.gathering.as_mut().map(|open| {
            let first_expires_at = |timestamp| expires_at(failing_since, timestamp, now.unix_ms);
            open.seal_if(|timestamp| {
                first_expires_at(timestamp).is_some_and(|at| at <= now.unix_ms)
            })
        });
        self.push_sealed(open.unwrap_or_default());
        let gathered = self.gathering.iter().flat_map(Gathering::first_timestamps);
        let gathered = gathered.filter_map(|first| expires_at(failing_since, first, now.unix_ms));
        let gathered = gathered.min();
        let spared = self.probe_is_due(now).then(|| self.queue.oldest_ready()).flatten();
        let expires_at = |request: &Request, entry: &Entry| {
            let since = request.alone.aside_since().or(failing_since);
            expires_at(since, entry.timestamp, request.first_attempt_at.unwrap_or(now.unix_ms))
        };
        let (expired, next) = self.queue.expire(now.unix_ms, spared, expires_at);
        self.next_expiry = gathered.into_iter().chain(next).min();
        let letters = expired.iter().flat_map(|request| {
            let unasked = || {
                let detail = "its endpoint has failed for as long as give_up_after allows";
                Arc::new(Failure { status: None, detail: detail.to_owned() })
            };
            let last = request.last_failure.clone().unwrap_or_else(unasked);
            self.letters(request, Reason::Expired, &last)
        });
        let letters: Vec<_> = letters.collect();
        for (offset, letter) in &letters {
            self.bury(*offset, letter.held_bytes());
        }
        letters
    }

    /// Whether the endpoint is down, and could be asked now whether it still is. What is asked with
    /// is spared until it is answered: a backlog of which every event has expired would otherwise
    /// be given up to its end without anybody noticing that the endpoint is well again.
    fn probe_is_due(&self, now: Now) -> bool {
        self.gate().is_some_and(|gate| gate.is_open() && gate.could_go(now.instant).is_ok())
            && self.may_send()
    }

    /// Whether events may have expired, be it some that have not been read yet.
    pub(super) fn may_expire(&self, now: Now) -> bool {
        self.first_expiry().is_some_and(|first| first <= now.unix_ms)
    }

    /// When it is worth looking whether something has expired.
    pub(super) fn expires_at(&self, now: Now) -> Option<Instant> {
        let first = self.first_expiry()?;
        // A lane that holds nothing has not been looked at.
        let seen = self.next_expiry.filter(|_| !self.is_empty());
        let next = if first > now.unix_ms { first } else { seen? };
        // Time goes by between the last look and this question.
        let wait = u64::try_from(next - now.unix_ms).unwrap_or(0);
        Some(now.instant + Duration::from_millis(wait))
    }

    /// No event expires before.
    fn first_expiry(&self) -> Option<i64> {
        let action = self.action();
        if action.paused || action.delivery.on_give_up == GiveUp::Hold {
            return None;
        }
        let since = self.expires_since().into_iter().chain(self.queue.aside_since()).min()?;
        Some(since.saturating_add(self.give_up_after()))
    }

    fn give_up_after(&self) -> i64 {
        i64::try_from(self.action().delivery.retry.give_up_after.as_millis()).unwrap_or(i64::MAX)
    }
}

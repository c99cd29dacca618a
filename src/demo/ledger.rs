//! What has arrived at the demo's receiver, counted.
//!
//! An event counts when the request that brought it was signed as it must be and was answered
//! with 200; it is known by its `messageId`.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What came of the requests so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Requests, whatever the answer.
    pub(super) requests: u64,
    /// Those with an array of events.
    pub(super) batches: u64,
    /// Those that were answered with 503, and so have to be made again.
    pub(super) refused: u64,
    /// Those whose signature is right.
    pub(super) verified: u64,
    /// Events accepted, each counted once.
    pub(super) accepted: u64,
    /// Events accepted that had been accepted before.
    pub(super) duplicates: u64,
}

/// One request, as far as it counts.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) is_signed: bool,
    pub(super) is_batch: bool,
    pub(super) is_refused: bool,
    /// The numbers of its events.
    pub(super) events: Vec<usize>,
}

/// See the module's documentation.
pub(super) struct Ledger {
    pages: Mutex<Pages>,
}

struct Pages {
    tally: Tally,
    accepted: Vec<bool>,
    /// All events below are accepted.
    complete_below: usize,
    last_arrival: Instant,
}

impl Ledger {
    /// A ledger for events with the numbers below `total`.
    pub(super) fn new(total: u32) -> Self {
        let pages = Pages {
            tally: Tally::default(),
            accepted: vec![false; total as usize],
            complete_below: 0,
            last_arrival: Instant::now(),
        };
        Self { pages: Mutex::new(pages) }
    }

    /// A request has arrived, and is about to be answered.
    pub(super) fn enter(&self, arrival: &Arrival) {
        let mut pages = self.pages();
        pages.last_arrival = Instant::now();
        pages.tally.requests += 1;
        pages.tally.batches += u64::from(arrival.is_batch);
        pages.tally.verified += u64::from(arrival.is_signed);
        pages.tally.refused += u64::from(arrival.is_refused);
        if arrival.is_refused || !arrival.is_signed {
            return;
        }
        for &number in &arrival.events {
            match pages.accepted.get_mut(number) {
                Some(accepted) if !*accepted => {
                    *accepted = true;
                    pages.tally.accepted += 1;
                }
                Some(_) => pages.tally.duplicates += 1,
                // Somebody tries the endpoint by hand.
                None => {}
            }
        }
    }

    pub(super) fn tally(&self) -> Tally {
        self.pages().tally
    }

    /// The lowest number that is not accepted yet.
    pub(super) fn complete_below(&self) -> u32 {
        let mut pages = self.pages();
        let pages = &mut *pages;
        let rest = &pages.accepted[pages.complete_below..];
        pages.complete_below += rest.iter().take_while(|accepted| **accepted).count();
        u32::try_from(pages.complete_below).unwrap_or(u32::MAX)
    }

    pub(super) fn has(&self, number: u32) -> bool {
        self.pages().accepted.get(number as usize).is_some_and(|accepted| *accepted)
    }

    /// How long ago the last request arrived.
    pub(super) fn idle_for(&self) -> Duration {
        self.pages().last_arrival.elapsed()
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        // A lock is only poisoned by a panic that ends the process anyway.
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{Arrival, Ledger};

    fn arrival(events: &[usize]) -> Arrival {
        let events = events.to_vec();
        Arrival { is_signed: true, is_batch: false, is_refused: false, events }
    }

    #[test]
    fn an_event_is_accepted_once_and_repeated_after_that() {
        let ledger = Ledger::new(3);
        ledger.enter(&arrival(&[0, 2]));
        ledger.enter(&arrival(&[2, 7]));
        let tally = ledger.tally();
        assert_eq!((tally.accepted, tally.duplicates, tally.requests), (2, 1, 2));
        assert_eq!(ledger.complete_below(), 1);
        ledger.enter(&arrival(&[1]));
        assert_eq!(ledger.complete_below(), 3);
    }

    #[test]
    fn what_is_refused_or_forged_is_not_accepted() {
        let ledger = Ledger::new(3);
        ledger.enter(&Arrival { is_refused: true, ..arrival(&[0]) });
        ledger.enter(&Arrival { is_signed: false, ..arrival(&[1]) });
        let tally = ledger.tally();
        assert_eq!((tally.accepted, tally.refused, tally.verified), (0, 1, 1));
        assert!(!ledger.has(0) && !ledger.has(1));
    }
}

//! The dead letters of one partition that the broker has not acknowledged yet.
//!
//! Knows which letter is to be written when, and whose event it settles. Letters wait here and
//! nowhere else, so that a dead-letter topic that fails holds up no request.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use slab::Slab;

use crate::dead_letter::DeadLetter;
use crate::lane::LaneId;
use crate::plan::{ActionId, Retry};
use crate::record::Offset;
use crate::retry;

/// When a write that failed is made again.
const RETRY: Retry = Retry {
    initial: Duration::from_millis(200),
    max: Duration::from_secs(10),
    give_up_after: Duration::MAX,
};

/// A letter's place among the pending ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LetterId(usize);

/// Whose event a letter is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Debtor {
    /// This lane owes it.
    Lane(LaneId),
    /// No action does: the record is no event.
    InvalidEvents,
}

impl Debtor {
    /// The action that it delivers to, if it does to any.
    #[must_use]
    pub fn action(self) -> Option<ActionId> {
        match self {
            Self::Lane(lane) => Some(lane.action),
            Self::InvalidEvents => None,
        }
    }
}

/// One letter to be written now.
#[derive(Debug, Clone)]
pub struct Writing {
    /// Names it when the result is handed in.
    pub id: LetterId,
    /// Whose event it is about.
    pub debtor: Debtor,
    /// What is written.
    pub letter: Arc<DeadLetter>,
}

/// Letters that are due, being written, or waiting to be written again.
#[derive(Debug, Default)]
pub struct Letters {
    pending: Slab<Pending>,
    due: VecDeque<LetterId>,
    backing_off: BinaryHeap<Reverse<(Instant, LetterId)>>,
    /// How many are being written.
    writing: usize,
}

#[derive(Debug)]
struct Pending {
    debtor: Debtor,
    offset: Offset,
    letter: Arc<DeadLetter>,
    failures: u32,
}

impl Letters {
    /// No letters.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a letter is being written, or is to be written now.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.writing > 0 || !self.due.is_empty()
    }

    /// A letter is to be written; the event at `offset` is settled by it.
    pub fn add(&mut self, debtor: Debtor, offset: Offset, letter: DeadLetter) {
        let pending = Pending { debtor, offset, letter: Arc::new(letter), failures: 0 };
        self.due.push_back(LetterId(self.pending.insert(pending)));
    }

    /// The next letter to write now.
    pub fn poll(&mut self, now: Instant) -> Option<Writing> {
        while let Some(&Reverse((at, id))) = self.backing_off.peek()
            && at <= now
        {
            self.backing_off.pop();
            self.due.push_back(id);
        }
        self.poll_due()
    }

    /// The same, but for what waits after a failure.
    pub fn poll_due(&mut self) -> Option<Writing> {
        let id = self.due.pop_front()?;
        self.writing += 1;
        let pending = &self.pending[id.0];
        Some(Writing { id, debtor: pending.debtor, letter: Arc::clone(&pending.letter) })
    }

    /// When [`poll`](Self::poll) has something again, if nothing else happens.
    #[must_use]
    pub fn wake_at(&self) -> Option<Instant> {
        self.backing_off.peek().map(|&Reverse((at, _))| at)
    }

    /// The broker has acknowledged a letter: whose event is settled by it, and how many bytes did
    /// the letter hold?
    ///
    /// # Panics
    /// When the letter is not pending.
    pub fn written(&mut self, id: LetterId) -> (Debtor, Offset, usize) {
        let pending = self.pending.remove(id.0);
        self.writing -= 1;
        let bytes = pending.letter.held_bytes();
        (pending.debtor, pending.offset, bytes)
    }

    /// A letter could not be written: it is tried again later. `chance` as for
    /// [`retry::backoff`].
    ///
    /// # Panics
    /// When the letter is not pending.
    pub fn failed(&mut self, id: LetterId, now: Instant, chance: f64) {
        self.writing -= 1;
        let pending = &mut self.pending[id.0];
        pending.failures = pending.failures.saturating_add(1);
        let wait = retry::backoff(&RETRY, pending.failures, chance);
        self.backing_off.push(Reverse((now + wait, id)));
    }
}

//! The batches of a lane that still grow, one per target.
//!
//! Knows when a batch is full, and when it has waited long enough. It does not know which
//! request may go next: that is the lane's business.

use std::sync::Arc;
use std::time::Instant;

use crate::batch::{Batch, Framing, OpenBatch};
use crate::plan::{BatchLimits, Target};
use crate::record::Record;

/// The most targets that a lane gathers for at a time. A mapped URL may give any number of them;
/// when another one comes along, the oldest batch goes as it is.
const MOST_TARGETS: usize = 64;

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Gathering {
    limits: BatchLimits,
    /// In the order in which they were opened.
    open: Vec<Open>,
    /// The size of the last body, to begin the next one with.
    last_body: usize,
}

#[derive(Debug)]
struct Open {
    target: Arc<Target>,
    batch: OpenBatch,
    /// When it has waited for company long enough.
    due_at: Instant,
}

/// A batch that grows no more.
#[derive(Debug)]
pub(super) struct Sealed {
    pub(super) target: Arc<Target>,
    pub(super) batch: Batch,
}

impl Gathering {
    pub(super) fn new(limits: BatchLimits) -> Self {
        Self { limits, open: Vec::new(), last_body: 0 }
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.open.iter().map(|open| open.batch.held_bytes()).sum()
    }

    /// Adds an event to the batch of its target, and gives back what is full or has to give way.
    pub(super) fn add(
        &mut self,
        record: &Record<'_>,
        payload: &[u8],
        target: &Arc<Target>,
        now: Instant,
    ) -> Vec<Sealed> {
        let mut sealed = Vec::new();
        let is_target = |open: &Open| Arc::ptr_eq(&open.target, target) || open.target == *target;
        let mut index = self.open.iter().position(is_target);
        if let Some(full) = index.filter(|&index| {
            self.open[index].batch.body_with(payload.len()) > self.limits.max_bytes
        }) {
            sealed.push(self.seal(full));
            index = None;
        }
        let index = index.unwrap_or_else(|| {
            if self.open.len() == MOST_TARGETS {
                sealed.push(self.seal(0));
            }
            let capacity = self.last_body.max(payload.len() + 2);
            let batch = OpenBatch::new(Framing::Array, capacity, now);
            let due_at = now + self.limits.max_delay;
            self.open.push(Open { target: Arc::clone(target), batch, due_at });
            self.open.len() - 1
        });
        let batch = &mut self.open[index].batch;
        batch.add(payload, record);
        if batch.events() == self.limits.max_events.get() {
            sealed.push(self.seal(index));
        }
        sealed
    }

    /// What is open now waits for company no longer. What is opened later does: a lane that was
    /// full once gathers again as soon as it has room.
    pub(super) fn flush(&mut self) {
        for open in &mut self.open {
            open.due_at = open.batch.opened_at();
        }
    }

    /// The oldest batch that is due, among those whose target is free.
    pub(super) fn seal_due(
        &mut self,
        now: Instant,
        is_free: impl Fn(&Target) -> bool,
    ) -> Option<Sealed> {
        let is_due = |open: &Open| open.due_at <= now && is_free(&open.target);
        let index = self.open.iter().position(is_due)?;
        Some(self.seal(index))
    }

    /// Seals the batches whose first event has a timestamp that `is_over` says so of.
    pub(super) fn seal_if(&mut self, is_over: impl Fn(Option<i64>) -> bool) -> Vec<Sealed> {
        let mut sealed = Vec::new();
        for index in (0..self.open.len()).rev() {
            if is_over(self.open[index].batch.first_timestamp()) {
                sealed.push(self.seal(index));
            }
        }
        sealed
    }

    /// The timestamp of the first event of every batch that is open.
    pub(super) fn first_timestamps(&self) -> impl Iterator<Item = Option<i64>> {
        self.open.iter().map(|open| open.batch.first_timestamp())
    }

    /// When a batch falls due, among those whose target is free.
    pub(super) fn due_at(&self, is_free: impl Fn(&Target) -> bool) -> Option<Instant> {
        let free = self.open.iter().filter(|open| is_free(&open.target));
        free.map(|open| open.due_at).min()
    }

    /// Seals whatever is open.
    pub(super) fn seal_all(&mut self) -> Vec<Sealed> {
        let mut sealed = Vec::with_capacity(self.open.len());
        while !self.open.is_empty() {
            sealed.push(self.seal(0));
        }
        sealed
    }

    fn seal(&mut self, index: usize) -> Sealed {
        let Open { target, batch, .. } = self.open.remove(index);
        let batch = batch.seal();
        self.last_body = batch.body().len();
        Sealed { target, batch }
    }
}

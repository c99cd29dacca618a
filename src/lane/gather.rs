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
    flushing: Flushing,
    /// The size of the last body, to begin the next one with.
    last_body: usize,
}

#[derive(Debug)]
struct Open {
    target: Arc<Target>,
    batch: OpenBatch,
}

/// Whether batches wait for company.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flushing {
    No,
    /// What is open now goes as it is.
    Yes,
}

/// A batch that grows no more.
#[derive(Debug)]
pub(super) struct Sealed {
    pub(super) target: Arc<Target>,
    pub(super) batch: Batch,
}

impl Gathering {
    pub(super) fn new(limits: BatchLimits) -> Self {
        Self { limits, open: Vec::new(), flushing: Flushing::No, last_body: 0 }
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
            self.open.push(Open { target: Arc::clone(target), batch });
            self.open.len() - 1
        });
        let batch = &mut self.open[index].batch;
        batch.add(payload, record);
        if batch.events() == self.limits.max_events.get() {
            sealed.push(self.seal(index));
        }
        sealed
    }

    /// What is open now waits for company no longer.
    pub(super) fn flush(&mut self) {
        if !self.open.is_empty() {
            self.flushing = Flushing::Yes;
        }
    }

    /// The oldest batch that is due, among those whose target is free.
    pub(super) fn seal_due(
        &mut self,
        now: Instant,
        is_free: impl Fn(&Target) -> bool,
    ) -> Option<Sealed> {
        let is_due = |open: &Open| {
            self.flushing == Flushing::Yes || open.batch.opened_at() + self.limits.max_delay <= now
        };
        let index = self.open.iter().position(|open| is_due(open) && is_free(&open.target))?;
        Some(self.seal(index))
    }

    /// When a batch falls due, among those whose target is free.
    pub(super) fn due_at(&self, is_free: impl Fn(&Target) -> bool) -> Option<Instant> {
        let free = self.open.iter().filter(|open| is_free(&open.target));
        match self.flushing {
            Flushing::Yes => free.map(|open| open.batch.opened_at()).min(),
            Flushing::No => free.map(|open| open.batch.opened_at() + self.limits.max_delay).min(),
        }
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
        let Open { target, batch } = self.open.remove(index);
        if self.open.is_empty() {
            self.flushing = Flushing::No;
        }
        let batch = batch.seal();
        self.last_body = batch.body().len();
        Sealed { target, batch }
    }
}

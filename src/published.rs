//! How far a worker is, for whoever commits and measures.
//!
//! The worker writes it, the thread that polls reads it; neither waits for the other's work.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::debt::Debt;
use crate::record::Position;

/// In place of a position that is not known yet.
const UNKNOWN: i64 = -1;

/// What the broker is to keep for the next owner of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committable {
    /// Everything below is settled.
    pub position: Position,
    /// How far the lanes are that stand elsewhere, see `docs/progress.md`.
    pub metadata: String,
}

/// See the module's documentation.
#[derive(Debug)]
pub struct Published {
    committable: Mutex<Option<Committable>>,
    debts: Mutex<Arc<[Debt]>>,
    read: AtomicI64,
}

impl Published {
    /// Of a worker that begins at `start`, where that is known.
    #[must_use]
    pub fn new(start: Option<Position>) -> Self {
        let read = AtomicI64::new(start.map_or(UNKNOWN, |start| start.0));
        Self { committable: Mutex::new(None), debts: Mutex::default(), read }
    }

    /// What may be committed; none before there is anything to tell.
    #[must_use]
    pub fn committable(&self) -> Option<Committable> {
        self.committable.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// This may be committed from now on.
    pub fn may_commit(&self, committable: Committable) {
        *self.committable.lock().unwrap_or_else(PoisonError::into_inner) = Some(committable);
    }

    /// What the actions owe that stand elsewhere than the reader, action by action.
    #[must_use]
    pub fn debts(&self) -> Arc<[Debt]> {
        Arc::clone(&self.debts.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// This is owed from now on.
    pub fn owes(&self, debts: Arc<[Debt]>) {
        *self.debts.lock().unwrap_or_else(PoisonError::into_inner) = debts;
    }

    /// The next record to read.
    #[must_use]
    pub fn read(&self) -> Option<Position> {
        let read = self.read.load(Ordering::Acquire);
        (read != UNKNOWN).then_some(Position(read))
    }

    /// The next record to read is this one.
    pub fn reads_at(&self, position: Option<Position>) {
        self.read.store(position.map_or(UNKNOWN, |position| position.0), Ordering::Release);
    }
}

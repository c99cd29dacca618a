//! One stretch of the log that is read again, for a lane that is behind and those that stand at
//! the passing offset.
//!
//! Knows where it is and when it is long enough. What its records mean is the pipeline's
//! business.

use crate::letters::Debtor;
use crate::record::{Offset, Position};

/// The most records of one slice: enough that seeking costs little, little enough that other lanes
/// that are behind get their turn soon.
const MOST_RECORDS: usize = 5_000;
/// A gap of so many known offsets is read through; a longer one ends the slice, and the next one
/// begins behind it.
const SHORT_GAP: i64 = 500;

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Slice {
    /// Whom it is read for; others ride along.
    pub(crate) debtor: Debtor,
    /// The next offset to read: nothing below it is missing.
    pub(crate) at: Position,
    left: usize,
}

impl Slice {
    /// A slice from `at` on.
    pub(crate) fn new(debtor: Debtor, at: Position) -> Self {
        Self { debtor, at, left: MOST_RECORDS }
    }

    /// Whether a lane that reads on at `place` is one of those that the record at `offset` is for:
    /// it has missed nothing that the slice has read, and does not stand further on.
    pub(crate) fn serves(&self, place: Position, offset: Offset) -> bool {
        self.at <= place && place <= Position::at(offset)
    }

    /// Everything below `position` was read.
    pub(crate) fn advance(&mut self, position: Position) {
        self.at = self.at.max(position);
        self.left = self.left.saturating_sub(1);
    }

    /// Whether it is over for a lane that reads on at `place` (none: it is level).
    pub(crate) fn is_over(&self, place: Option<Position>) -> bool {
        self.left == 0
            || place.is_none_or(|place| place.0 - self.at.0 > SHORT_GAP || place < self.at)
    }
}

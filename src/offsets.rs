//! Which events a lane holds that are not settled.
//!
//! Knows offsets only: which are owed, and between which of them something was settled, so that
//! they can be told as few runs. Events enter it as they are read and leave it in any order.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};

use crate::record::Offset;
use crate::runs::Runs;

/// What lies between an unsettled event and the one below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Between {
    /// Nothing that this lane was ever owed: both can be told as one run.
    Nothing,
    /// Something that is settled, perhaps.
    Settled,
}

/// The unsettled events that one lane holds.
#[derive(Debug, Default)]
pub struct Unsettled {
    offsets: BTreeMap<Offset, Between>,
    /// How many of them have something settled below them.
    after_settled: usize,
}

impl Unsettled {
    /// Nothing is owed.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether nothing is owed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.offsets.is_empty()
    }

    /// How many events are owed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.offsets.len()
    }

    /// The lowest offset that is owed.
    #[must_use]
    pub fn lowest(&self) -> Option<Offset> {
        self.offsets.first_key_value().map(|(&offset, _)| offset)
    }

    /// The event at `offset` is owed from now on; `between` says what lies between it and the
    /// one below it.
    ///
    /// # Panics
    /// When it is owed already.
    pub fn owe(&mut self, offset: Offset, between: Between) {
        self.after_settled += usize::from(between == Between::Settled);
        let earlier = self.offsets.insert(offset, between);
        assert!(earlier.is_none(), "an event is owed once");
    }

    /// The event at `offset` is settled. Gives back the lowest one above it, which knows of it.
    ///
    /// # Panics
    /// When it is not owed: whoever settles an event twice has lost count of it.
    pub fn settle(&mut self, offset: Offset) -> Option<Offset> {
        let between = self.offsets.remove(&offset).expect("only an event that is owed is settled");
        self.after_settled -= usize::from(between == Between::Settled);
        let (&above, between) = self.offsets.range_mut((Excluded(offset), Unbounded)).next()?;
        self.after_settled += usize::from(*between == Between::Nothing);
        *between = Between::Settled;
        Some(above)
    }

    /// The events for which `is_gone` says so are held no longer although they are not settled.
    /// Gives back runs that hold them, and nothing that is settled or still held.
    pub fn let_go(&mut self, is_gone: impl Fn(Offset) -> bool) -> Runs {
        let mut runs = Runs::new();
        let mut last_gone = None;
        let mut above_kept = Between::Nothing;
        for (offset, between) in std::mem::take(&mut self.offsets) {
            if between == Between::Settled {
                (above_kept, last_gone) = (Between::Settled, None);
            }
            if is_gone(offset) {
                runs.insert(last_gone.unwrap_or(offset), offset.next());
                last_gone = Some(offset);
            } else {
                self.offsets.insert(offset, above_kept);
                (above_kept, last_gone) = (Between::Nothing, None);
            }
        }
        let is_after_settled = |between: &&Between| **between == Between::Settled;
        self.after_settled = self.offsets.values().filter(is_after_settled).count();
        runs
    }

    /// The runs that hold every unsettled event and nothing that is settled.
    #[must_use]
    pub fn runs(&self) -> Runs {
        let mut runs = Runs::new();
        let mut from = None;
        let mut last = None;
        for (&offset, &between) in &self.offsets {
            if between == Between::Settled
                && let (Some(from), Some(last)) = (from.take(), last)
            {
                runs.insert(from, Offset::next(last));
            }
            from.get_or_insert(offset);
            last = Some(offset);
        }
        if let (Some(from), Some(last)) = (from, last) {
            runs.insert(from, Offset::next(last));
        }
        runs
    }

    /// How many runs there are.
    #[must_use]
    pub fn count_runs(&self) -> usize {
        let first = self.offsets.first_key_value();
        let first_counts = first.is_some_and(|(_, &between)| between == Between::Nothing);
        self.after_settled + usize::from(first_counts)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Between, Unsettled};
    use crate::record::Offset;

    #[test]
    fn runs_hold_what_is_owed_and_nothing_that_is_settled() {
        for seed in 0..300 {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut unsettled = Unsettled::new();
            let (mut owed, mut settled) = (BTreeSet::new(), BTreeSet::new());
            let mut next = 0;
            for _ in 0..300 {
                if random.bool() || owed.is_empty() {
                    next += random.i64(1..5);
                    let below = owed.last().copied().unwrap_or(Offset(0));
                    let between = if settled.range(below..).next().is_some() {
                        Between::Settled
                    } else {
                        Between::Nothing
                    };
                    unsettled.owe(Offset(next), between);
                    owed.insert(Offset(next));
                } else if random.u8(0..20) > 0 {
                    let offset = *random.choice(&owed).expect("something is owed");
                    let above = unsettled.settle(offset);
                    owed.remove(&offset);
                    assert_eq!(above, owed.range(offset..).next().copied());
                    settled.insert(offset);
                } else {
                    let keep = random.i64(1..4);
                    let is_gone = |offset: Offset| offset.0 % keep != 0;
                    let gone = unsettled.let_go(is_gone);
                    for &offset in owed.iter().filter(|offset| is_gone(**offset)) {
                        assert!(gone.contains(offset), "seed {seed}");
                    }
                    owed.retain(|offset| !is_gone(*offset));
                    assert!(settled.iter().all(|offset| !gone.contains(*offset)), "seed {seed}");
                    assert!(owed.iter().all(|offset| !gone.contains(*offset)), "seed {seed}");
                }
                let runs = unsettled.runs();
                assert_eq!(runs.len(), unsettled.count_runs(), "seed {seed}");
                assert_eq!(unsettled.lowest(), owed.first().copied(), "seed {seed}");
                assert!(owed.iter().all(|offset| runs.contains(*offset)), "seed {seed}");
                assert!(settled.iter().all(|offset| !runs.contains(*offset)), "seed {seed}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "is settled")]
    fn an_event_cannot_be_settled_twice() {
        let mut unsettled = Unsettled::new();
        unsettled.owe(Offset(1), Between::Nothing);
        unsettled.settle(Offset(1));
        unsettled.settle(Offset(1));
    }
}

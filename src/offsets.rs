//! Which events are taken but not settled, and so how far a position may move.
//!
//! Knows offsets only. One [`Unsettled`] belongs to one lane; events enter it in the order of the
//! partition and leave it in any order.

use std::collections::VecDeque;

use crate::record::Offset;

/// The events that one lane owes, in the order of the partition.
#[derive(Debug, Default)]
pub struct Unsettled {
    /// From the lowest unsettled offset on; what is settled further up stays for a while.
    offsets: VecDeque<(Offset, Settled)>,
    /// How many of them are settled.
    settled: usize,
}

/// So many settled offsets are not worth forgetting.
const FEW: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Settled {
    No,
    Yes,
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

    /// The lowest offset that is owed.
    #[must_use]
    pub fn lowest(&self) -> Option<Offset> {
        self.offsets.front().map(|&(offset, _)| offset)
    }

    /// The event at `offset` is owed from now on.
    ///
    /// # Panics
    /// When an event at the same or a higher offset has been owed before it and still is known.
    pub fn owe(&mut self, offset: Offset) {
        if let Some(&(last, _)) = self.offsets.back() {
            assert!(last < offset, "events are taken in the order of the partition");
        }
        self.offsets.push_back((offset, Settled::No));
    }

    /// The event at `offset` is settled.
    ///
    /// # Panics
    /// When it is not owed: whoever settles an event twice has lost count of it.
    pub fn settle(&mut self, offset: Offset) {
        let index = self
            .offsets
            .binary_search_by_key(&offset, |&(offset, _)| offset)
            .expect("only an event that is owed is settled");
        let settled = &mut self.offsets[index].1;
        assert_eq!(*settled, Settled::No, "an event is settled once");
        *settled = Settled::Yes;
        self.settled += 1;
        while let Some((_, Settled::Yes)) = self.offsets.front() {
            self.offsets.pop_front();
            self.settled -= 1;
        }
        // One event may fail for hours while millions behind it are settled: those must not stay.
        if self.settled > FEW.max(self.offsets.len() / 2) {
            self.offsets.retain(|&(_, settled)| settled == Settled::No);
            self.settled = 0;
        }
    }

    /// The event at `offset` is not owed any more although it was not settled: it is left to
    /// whoever reads the partition next.
    ///
    /// # Panics
    /// When it is not owed.
    pub fn leave(&mut self, offset: Offset) {
        self.settle(offset);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Unsettled;
    use crate::record::Offset;

    #[test]
    fn the_lowest_is_that_of_a_plain_set_in_any_order_of_settling() {
        for seed in 0..200 {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut unsettled = Unsettled::new();
            let mut model = BTreeSet::new();
            let mut next = 0;
            for _ in 0..300 {
                if random.bool() || model.is_empty() {
                    next += random.i64(1..5);
                    unsettled.owe(Offset(next));
                    model.insert(Offset(next));
                } else {
                    let offset = *random.choice(&model).expect("the model is not empty");
                    unsettled.settle(offset);
                    model.remove(&offset);
                }
                assert_eq!(unsettled.lowest(), model.first().copied(), "seed {seed}");
                assert_eq!(unsettled.is_empty(), model.is_empty());
            }
        }
    }

    #[test]
    fn what_is_settled_above_an_event_that_is_not_takes_no_memory() {
        let mut unsettled = Unsettled::new();
        unsettled.owe(Offset(0));
        for offset in 1..1_000_000 {
            unsettled.owe(Offset(offset));
            unsettled.settle(Offset(offset));
        }
        assert_eq!(unsettled.lowest(), Some(Offset(0)));
        assert!(unsettled.offsets.capacity() < 1000, "{}", unsettled.offsets.capacity());
    }

    #[test]
    #[should_panic(expected = "settled once")]
    fn an_event_cannot_be_settled_twice() {
        let mut unsettled = Unsettled::new();
        unsettled.owe(Offset(1));
        unsettled.owe(Offset(2));
        unsettled.settle(Offset(2));
        unsettled.settle(Offset(2));
    }
}

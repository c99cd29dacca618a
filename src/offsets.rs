//! Which events a lane holds that are not settled.
//!
//! Knows offsets and how old they are: which are owed, and between which of them something was
//! settled, so that they can be told as few runs. Events enter it as they are read and leave it in any order.

use std::collections::VecDeque;

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
    /// Ascending, from the lowest unsettled one on; what is settled further up stays for a while.
    events: VecDeque<Event>,
    /// How many of them are settled.
    settled: usize,
    /// How many of those that are not have something settled below them.
    after_settled: usize,
}

#[derive(Debug, Clone, Copy)]
struct Event {
    offset: Offset,
    /// Of its record, in milliseconds since 1970-01-01 UTC.
    timestamp: Option<i64>,
    between: Between,
    is_settled: bool,
}

/// So many settled events are not worth forgetting.
const FEW: usize = 64;

impl Unsettled {
    /// Nothing is owed.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether nothing is owed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// How many events are owed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events.len() - self.settled
    }

    /// The lowest offset that is owed.
    #[must_use]
    pub fn lowest(&self) -> Option<Offset> {
        self.events.front().map(|event| event.offset)
    }

    /// The timestamp of the record at that offset, if it has one.
    #[must_use]
    pub fn lowest_timestamp(&self) -> Option<i64> {
        self.events.front().and_then(|event| event.timestamp)
    }

    /// The event at `offset` is owed from now on; `between` says what lies between it and the
    /// one below it.
    ///
    /// # Panics
    /// When it is owed already.
    pub fn owe(&mut self, offset: Offset, timestamp: Option<i64>, between: Between) {
        self.after_settled += usize::from(between == Between::Settled);
        let event = Event { offset, timestamp, between, is_settled: false };
        // Only what is read again comes before something that is held.
        if self.events.back().is_none_or(|last| last.offset < offset) {
            self.events.push_back(event);
            return;
        }
        match self.index(offset) {
            Err(index) => self.events.insert(index, event),
            Ok(_) => panic!("an event is owed once"),
        }
    }

    /// The event at `offset` is settled. Gives back the lowest one above it, which knows of it.
    ///
    /// # Panics
    /// When it is not owed: whoever settles an event twice has lost count of it.
    pub fn settle(&mut self, offset: Offset) -> Option<Offset> {
        let is_lowest = self.lowest() == Some(offset);
        let index = if is_lowest { Ok(0) } else { self.index(offset) };
        let index = index.expect("only an event that is owed is settled");
        let event = &mut self.events[index];
        assert!(!event.is_settled, "an event is settled once");
        event.is_settled = true;
        self.settled += 1;
        self.after_settled -= usize::from(event.between == Between::Settled);
        let mut above = self.events.range_mut(index + 1..).filter(|event| !event.is_settled);
        let above = above.next().map(|event| {
            self.after_settled += usize::from(event.between == Between::Nothing);
            event.between = Between::Settled;
            event.offset
        });
        while self.events.front().is_some_and(|event| event.is_settled) {
            self.events.pop_front();
            self.settled -= 1;
        }
        // One event may fail for hours while millions above it are settled: those must not stay.
        if self.settled > FEW.max(self.events.len() / 2) {
            self.events.retain(|event| !event.is_settled);
            self.settled = 0;
        }
        above
    }

    /// The events for which `is_gone` says so are held no longer although they are not settled.
    /// Gives back runs that hold them, and nothing that is settled or still held.
    pub fn let_go(&mut self, is_gone: impl Fn(Offset) -> bool) -> Runs {
        let mut runs = Runs::new();
        let mut last_gone = None;
        let mut above_kept = Between::Nothing;
        let mut kept = VecDeque::new();
        for event in self.events.drain(..).filter(|event| !event.is_settled) {
            if event.between == Between::Settled {
                (above_kept, last_gone) = (Between::Settled, None);
            }
            if is_gone(event.offset) {
                runs.insert(last_gone.unwrap_or(event.offset), event.offset.next());
                last_gone = Some(event.offset);
            } else {
                kept.push_back(Event { between: above_kept, ..event });
                (above_kept, last_gone) = (Between::Nothing, None);
            }
        }
        self.events = kept;
        self.settled = 0;
        let is_after_settled = |event: &&Event| event.between == Between::Settled;
        self.after_settled = self.events.iter().filter(is_after_settled).count();
        runs
    }

    /// The runs that hold every unsettled event and nothing that is settled.
    #[must_use]
    pub fn runs(&self) -> Runs {
        let mut runs = Runs::new();
        let mut run: Option<(Offset, Offset)> = None;
        for event in self.events.iter().filter(|event| !event.is_settled) {
            let from = match run {
                Some((from, _)) if event.between == Between::Nothing => from,
                Some((from, last)) => {
                    runs.insert(from, last.next());
                    event.offset
                }
                None => event.offset,
            };
            run = Some((from, event.offset));
        }
        if let Some((from, last)) = run {
            runs.insert(from, last.next());
        }
        runs
    }

    /// How many runs there are.
    #[must_use]
    pub fn count_runs(&self) -> usize {
        let first = self.events.front();
        self.after_settled + usize::from(first.is_some_and(|it| it.between == Between::Nothing))
    }

    fn index(&self, offset: Offset) -> Result<usize, usize> {
        self.events.binary_search_by_key(&offset, |event| event.offset)
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
                    unsettled.owe(Offset(next), Some(next), between);
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
                let oldest = owed.first().map(|offset| offset.0);
                assert_eq!(unsettled.lowest_timestamp(), oldest, "seed {seed}");
                assert!(owed.iter().all(|offset| runs.contains(*offset)), "seed {seed}");
                assert!(settled.iter().all(|offset| !runs.contains(*offset)), "seed {seed}");
            }
        }
    }

    #[test]
    fn what_is_settled_above_an_event_that_is_not_takes_no_memory() {
        let mut unsettled = Unsettled::new();
        unsettled.owe(Offset(0), None, Between::Nothing);
        for offset in 1..1_000_000 {
            unsettled.owe(Offset(offset), None, Between::Nothing);
            unsettled.settle(Offset(offset));
        }
        assert_eq!(unsettled.lowest(), Some(Offset(0)));
        assert!(unsettled.events.capacity() < 1000, "{}", unsettled.events.capacity());
    }

    #[test]
    #[should_panic(expected = "is settled")]
    fn an_event_cannot_be_settled_twice() {
        let mut unsettled = Unsettled::new();
        unsettled.owe(Offset(1), None, Between::Nothing);
        unsettled.settle(Offset(1));
        unsettled.settle(Offset(1));
    }
}

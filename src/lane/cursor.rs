//! How far one lane is: what it has read, what it still has to read, what it owes.
//!
//! A lane that is level reads what the partition's reader reads. One that has fallen behind has a
//! place of its own, and reads the log again from there. Either way it may know more than its
//! place tells: what it has settled above it, or still holds in memory. Knows offsets only.

use crate::offsets::{Between, Unsettled};
use crate::record::{Offset, Position};
use crate::runs::Runs;
use crate::standing::{Clocks, Standing};

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Cursor {
    pace: Pace,
    /// Below it everything was read, `unread` excepted.
    known_below: Position,
    /// What lies below `known_below` and has to be read again, for it has left memory, or was
    /// never read by this process. While the lane is level, all of it lies ahead of the reader.
    unread: Runs,
    /// What is in memory and not settled.
    held: Unsettled,
    /// Whether something that is settled, perhaps, was passed since the last event was taken.
    passed: Between,
}

/// Who feeds a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// The partition's reader.
    Level,
    /// The catch-up reader.
    Behind,
}

impl Cursor {
    /// The cursor of a lane that was never fed.
    pub(crate) fn level() -> Self {
        Self {
            pace: Pace::Level,
            known_below: Position(0),
            unread: Runs::new(),
            held: Unsettled::new(),
            passed: Between::Nothing,
        }
    }

    /// The cursor of a lane that stands somewhere else than the partition's reader, which begins
    /// at `reader`.
    pub(crate) fn restored(standing: Standing, reader: Position) -> Self {
        let is_behind = standing.lowest() < reader;
        Self {
            pace: if is_behind { Pace::Behind } else { Pace::Level },
            known_below: standing.settled_below,
            unread: standing.unsettled,
            ..Self::level()
        }
    }

    /// The cursor of a lane that is behind, and has to read `unread`, whose last run has no end.
    pub(crate) fn with_unread(mut unread: Runs) -> Self {
        let last = unread.iter().next_back();
        let (from, to) = last.expect("there is always more to read");
        unread.remove(from, to);
        Self { pace: Pace::Behind, known_below: Position::at(from), unread, ..Self::level() }
    }

    pub(crate) fn is_behind(&self) -> bool {
        self.pace == Pace::Behind
    }

    /// Whether it holds nothing that is owed.
    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// How many events it holds that are owed.
    pub(crate) fn held_events(&self) -> usize {
        self.held.len()
    }

    /// The lowest offset that it holds.
    pub(crate) fn lowest_held(&self) -> Option<Offset> {
        self.held.lowest()
    }

    /// The timestamp of the record at the lowest offset that it holds.
    pub(crate) fn lowest_timestamp(&self) -> Option<i64> {
        self.held.lowest_timestamp()
    }

    /// The lowest offset that it owes, or may owe once it has read it. None for a level lane that
    /// holds nothing: it owes what the reader has not read yet.
    pub(crate) fn lowest_owed(&self) -> Option<Position> {
        let held = self.held.lowest().map(Position::at);
        held.into_iter().chain(self.place()).min()
    }

    /// Where a lane that is behind reads on.
    pub(crate) fn place(&self) -> Option<Position> {
        (self.pace == Pace::Behind).then(|| self.first_unread())
    }

    fn first_unread(&self) -> Position {
        self.unread.first().map_or(self.known_below, Position::at)
    }

    /// Whether the event at `offset` was settled or taken already.
    pub(crate) fn knows(&self, offset: Offset) -> bool {
        self.known_below.is_past(offset) && !self.unread.contains(offset)
    }

    /// The event at `offset`, which it does not know, is owed and in memory from now on.
    pub(crate) fn take(&mut self, offset: Offset, timestamp: Option<i64>) {
        let passed = std::mem::replace(&mut self.passed, Between::Nothing);
        self.held.owe(offset, timestamp, passed);
        self.read_past(offset.next());
    }

    /// Nothing below `position` has to be read any more.
    pub(crate) fn read_past(&mut self, position: Position) {
        self.unread.remove_below(position);
        self.known_below = self.known_below.max(position);
        // What lies between two unread runs is known, and settled perhaps.
        if self.first_unread() > position {
            self.passed = Between::Settled;
        }
    }

    /// The event at `offset` is settled.
    ///
    /// # Panics
    /// When it is not owed.
    pub(crate) fn settle(&mut self, offset: Offset) {
        let above = self.held.settle(offset);
        // Whatever is read next may come to lie between `offset` and what was above it.
        let next = self.first_unread();
        if next.is_past(offset) && above.is_none_or(|above| !next.is_past(above)) {
            self.passed = Between::Settled;
        }
    }

    /// The lane is behind from now on: the partition's reader goes on from `reader` without it,
    /// and the events for which `is_gone` says so leave memory.
    pub(crate) fn fall_behind(&mut self, reader: Position, is_gone: impl Fn(Offset) -> bool) {
        self.pace = Pace::Behind;
        self.read_past(reader);
        for (from, to) in &self.held.let_go(is_gone) {
            self.unread.insert(from, to);
        }
        // What was known of the neighbourhood of an event leaves memory with it.
        self.passed = Between::Settled;
    }

    /// Level again, if there is nothing left to read below `reader`.
    pub(crate) fn meet(&mut self, reader: Position) {
        if self.pace == Pace::Behind && self.first_unread() >= reader {
            self.pace = Pace::Level;
        }
    }

    /// Everything that it has still to read, to the end of all offsets.
    pub(crate) fn unread(&self) -> Runs {
        let mut unread = self.unread.clone();
        unread.insert(Offset(self.known_below.0), Position(i64::MAX));
        unread
    }

    /// It has to read what is in `runs`, too, and is behind from now on.
    pub(crate) fn read_anew(&mut self, runs: &Runs) {
        for (from, to) in runs {
            self.unread.insert(from, to.min(self.known_below));
        }
        self.pace = Pace::Behind;
        self.passed = Between::Settled;
    }

    /// Whether whoever starts at `start` knows as much: it holds nothing, and has settled nothing
    /// from there on.
    pub(crate) fn tells_nothing(&self, start: Position) -> bool {
        self.pace == Pace::Level && self.held.is_empty() && self.known_below <= start
    }

    /// Below it everything was read but what has to be read again.
    pub(crate) fn known_below(&self) -> Position {
        self.known_below
    }

    /// How many runs it takes to tell what is not settled.
    pub(crate) fn count_runs(&self) -> usize {
        self.held.count_runs() + self.unread.len()
    }

    /// How far it is, for a next owner whose reader begins at `start`, while the present one is at
    /// `reader`.
    pub(crate) fn standing(&self, start: Position, reader: Position) -> Standing {
        let Standing { mut settled_below, mut unsettled, clocks } =
            self.standing_in_full(start, reader);
        let last = unsettled.iter().last();
        let is_open = match self.pace {
            Pace::Behind => last.is_some_and(|(_, to)| to >= self.known_below),
            // Nothing was settled above the last event that is held, and the next owner's reader
            // reads all that there is from there on.
            Pace::Level => {
                let is_ahead = self.known_below > reader;
                let is_read = last.is_some_and(|(from, _)| !start.is_past(from));
                self.passed == Between::Nothing && !is_ahead && is_read
            }
        };
        if let Some((from, to)) = last.filter(|_| is_open) {
            unsettled.remove(from, to);
            settled_below = Position::at(from);
        }
        Standing { settled_below, unsettled, clocks }
    }

    /// The same, with every event that it holds below `settled_below`, also where nothing is
    /// settled above it.
    pub(crate) fn standing_in_full(&self, start: Position, reader: Position) -> Standing {
        let mut unsettled = self.held.runs();
        for (from, to) in &self.unread {
            unsettled.insert(from, to);
        }
        let is_left_behind = self.held.lowest().is_some_and(|lowest| start.is_past(lowest));
        let settled_below = match self.pace {
            // The reader of the next owner does not read what lies between here and there.
            Pace::Level if is_left_behind => self.known_below.max(reader),
            _ => self.known_below,
        };
        Standing { settled_below, unsettled, clocks: Clocks::default() }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// One lane in a log of `end` records, fed by chance: what it tells of itself never covers
    /// what it has settled, and never misses what it owes.
    fn live(seed: u64) {
        let mut random = fastrand::Rng::with_seed(seed);
        let end = random.i64(5..80);
        let owed: BTreeSet<i64> = (0..end).filter(|_| random.u8(0..3) > 0).collect();
        let mut settled = BTreeSet::new();
        let mut cursor = Cursor::level();
        let mut held = BTreeSet::new();
        let mut reader = 0;
        for _ in 0..1000 {
            match random.u8(0..12) {
                // The reader reads on.
                0..4 if reader < end => {
                    let offset = Offset(reader);
                    if !cursor.is_behind() && owed.contains(&reader) && !cursor.knows(offset) {
                        cursor.take(offset, None);
                        assert!(held.insert(reader), "seed {seed}");
                    }
                    reader += 1;
                    cursor.meet(Position(reader));
                }
                // A slice of a few records.
                4..6 => {
                    let Some(place) = cursor.place() else { continue };
                    for at in (place.0..).take(random.usize(1..9)) {
                        let stands_here = cursor.place() == Some(Position(at));
                        if at >= reader || !stands_here {
                            break;
                        }
                        if owed.contains(&at) {
                            cursor.take(Offset(at), None);
                            assert!(held.insert(at), "seed {seed}: {at}");
                        } else {
                            cursor.read_past(Position(at + 1));
                        }
                    }
                    cursor.meet(Position(reader));
                }
                6..10 => {
                    let Some(offset) = random.choice(&held).copied() else { continue };
                    cursor.settle(Offset(offset));
                    held.remove(&offset);
                    assert!(settled.insert(offset), "seed {seed}: {offset} is settled twice");
                }
                10 if !cursor.is_behind() => {
                    let modulus = random.i64(1..4);
                    cursor.fall_behind(Position(reader), |offset| offset.0 % modulus == 0);
                    held.retain(|offset| offset % modulus != 0);
                }
                // A hand-over.
                11 if random.u8(0..5) == 0 => {
                    let lowest = cursor.lowest_held().filter(|_| !cursor.is_behind());
                    let lowest = lowest.map_or(reader, |lowest| lowest.0).min(reader);
                    let start = if random.bool() { lowest } else { reader };
                    let standing = cursor.standing(Position(start), Position(reader));
                    let is_behind = standing.lowest() < Position(start);
                    held.clear();
                    reader = start;
                    cursor = Cursor::restored(standing, Position(start));
                    assert_eq!(cursor.is_behind(), is_behind);
                }
                _ => {}
            }
            let lowest = cursor.lowest_held().filter(|_| !cursor.is_behind());
            let lowest = lowest.map_or(reader, |lowest| lowest.0).min(reader);
            let start = if random.bool() { lowest } else { reader };
            let standing = cursor.standing(Position(start), Position(reader));
            for offset in owed.iter().copied() {
                let is_told_settled = standing.settled_below.is_past(Offset(offset))
                    && !standing.unsettled.contains(Offset(offset));
                let is_certain = offset < reader || cursor.is_behind();
                assert!(
                    is_told_settled == settled.contains(&offset) || !is_certain && !is_told_settled,
                    "seed {seed}: {offset}"
                );
                let is_ahead = !cursor.is_behind() && offset >= reader;
                let lowest = cursor.lowest_owed();
                assert!(
                    settled.contains(&offset)
                        || is_ahead
                        || lowest.is_some_and(|lowest| lowest.0 <= offset),
                    "seed {seed}: {offset} is owed, below {lowest:?}"
                );
            }
            assert_eq!(cursor.held_events(), held.len());
        }
        assert!(!settled.is_empty() || owed.len() < 3);
    }

    #[test]
    fn a_lane_tells_exactly_what_it_has_settled() {
        (0..200).for_each(live);
    }
}

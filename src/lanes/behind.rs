//! The lanes that are behind: who they are, whose turn it is, and what is told of them.

use super::Lanes;
use super::roster::LanesOfAction;
use crate::debt::Debt;
use crate::lane::cursor::Cursor;
use crate::letters::Debtor;
use crate::progress::LaneProgress;
use crate::record::{Now, Offset, Position};
use crate::slice::Slice;
use crate::standing::{Clocks, Whose};

/// An event that a lane has held for so many offsets is not read again by the reader of the next
/// owner, but by the catch-up reader.
const LONG_AGO: i64 = 10_000;

impl Lanes {
    /// The reader goes on from `reader` without this lane.
    pub(crate) fn fall_behind(&mut self, debtor: Debtor, reader: Position) {
        match debtor {
            Debtor::InvalidEvents => {
                self.invalid_events.fall_behind(reader);
                self.behind.push_back(debtor);
            }
            Debtor::Lane(id) => {
                self.change(id, |lane| lane.fall_behind(reader));
                self.line_up(id);
            }
        }
    }

    /// The lanes that are behind, the least recently served one first.
    pub(crate) fn behind(&self) -> impl ExactSizeIterator<Item = Debtor> {
        self.behind.iter().copied()
    }

    /// Where they read on.
    pub(crate) fn places(&self) -> impl Iterator<Item = Position> {
        self.behind.iter().filter_map(|&debtor| self.cursor(debtor).and_then(Cursor::place))
    }

    /// Those of them that the record of `slice` at `offset` is for.
    pub(crate) fn riders(&self, slice: &Slice, offset: Offset) -> Vec<Debtor> {
        let place = |debtor| self.cursor(debtor).and_then(Cursor::place);
        let rides = |debtor: &Debtor| place(*debtor).is_some_and(|at| slice.serves(at, offset));
        self.behind.iter().copied().filter(rides).collect()
    }

    /// The lane that is behind and for which it is worth reading the log again, and from where.
    /// It is the last one to be served from now on.
    pub(crate) fn next_to_catch_up(&mut self, now: Now) -> Option<(Debtor, Position)> {
        let is_eligible = |&debtor: &Debtor| {
            let share = self.share_of(debtor);
            match debtor {
                Debtor::InvalidEvents => self.invalid_events.wants_to_catch_up(share),
                Debtor::Lane(id) => self.slots[id.slot].wants_to_catch_up(share, now),
            }
        };
        let index = self.behind.iter().position(is_eligible)?;
        let debtor = self.behind.remove(index)?;
        self.behind.push_back(debtor);
        let place = self.cursor(debtor).and_then(Cursor::place);
        Some((debtor, place.expect("a lane that is behind has a place")))
    }

    /// What every action owes that has something left to do: the debts of its lanes side by side.
    pub(crate) fn debts(&self) -> impl Iterator<Item = Debt> {
        self.by_action.values().flat_map(LanesOfAction::ids).filter_map(|id| {
            let cursor = self.slots[id.slot].cursor();
            let (from, oldest) = (cursor.lowest_owed()?, cursor.lowest_timestamp());
            Some(Debt { action: id.action, from, oldest })
        })
    }

    /// The lanes that have nothing left to read below `reader` are level again.
    pub(crate) fn meet(&mut self, reader: Position) {
        for index in (0..self.behind.len()).rev() {
            let debtor = self.behind[index];
            let cursor = self.cursor_mut(debtor);
            cursor.meet(reader);
            if !cursor.is_behind() {
                self.behind.remove(index);
            }
        }
    }

    /// Where the reader of the next owner begins, where the present one began at `began` and is at
    /// `reader` now: at the lowest event that a level lane holds, so that hardly anything has to be
    /// read twice. A lane that holds one from long ago is left behind. Nobody is told what lies
    /// below `began`: lanes that this process never fed had settled it before; nor what lies below
    /// the place where lanes were forgotten.
    pub(crate) fn start(&self, began: Position, reader: Position) -> Position {
        let level = self.cursors().filter(|(_, cursor)| !cursor.is_behind());
        let lowest = level.filter_map(|(_, cursor)| cursor.lowest_held()).map(Position::at);
        let told_below = began.max(self.told_below);
        let near = lowest.filter(|lowest| reader.0 - lowest.0 <= LONG_AGO && told_below <= *lowest);
        near.min().map_or(reader, |near| near.min(reader))
    }

    /// Since when what a lane owes fails.
    fn clocks(&self, debtor: Debtor) -> Clocks {
        match debtor {
            Debtor::Lane(id) if !self.slots[id.slot].owes_nothing() => Clocks {
                failing_since: self.slots[id.slot].failing_since(),
                alone_since: self.slots[id.slot].alone_since(),
            },
            _ => Clocks::default(),
        }
    }

    /// The lanes that stand elsewhere than at `start`, where the present reader is at `reader`.
    pub(crate) fn listed(
        &self,
        start: Position,
        reader: Position,
    ) -> impl Iterator<Item = LaneProgress> {
        self.cursors().filter_map(move |(debtor, cursor)| {
            let clocks = self.clocks(debtor);
            let mut standing = match clocks.alone_since {
                None => cursor.standing(start, reader),
                // The event that fails alone has to stand below what is told.
                Some(_) => cursor.standing_in_full(start, reader),
            };
            standing.clocks = clocks;
            let is_elsewhere = !standing.unsettled.is_empty()
                || standing.clocks != Clocks::default()
                || if cursor.is_behind() {
                    standing.settled_below != start
                } else {
                    standing.settled_below > start
                };
            is_elsewhere.then(|| standing.told(&self.plan, self.whose(debtor)))
        })
    }

    fn whose(&self, debtor: Debtor) -> Whose {
        match debtor {
            Debtor::Lane(id) => Whose::Action(id.action, self.slots[id.slot].origin().clone()),
            Debtor::InvalidEvents => Whose::Nobody,
        }
    }
}

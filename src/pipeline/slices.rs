//! How a pipeline catches up: stretches of the log that are read again for lanes that are behind.

use std::collections::BTreeMap;

use super::{Pipeline, Reading};
use crate::lane::cursor::Cursor;
use crate::lanes::Addressed;
use crate::letters::Debtor;
use crate::plan::ActionId;
use crate::record::{Now, Offset, Position, Record};
use crate::slice::Slice;

/// Whether more of a slice is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appetite {
    /// The next record, please.
    More,
    /// The slice is over.
    Enough,
}

impl Pipeline {
    /// Where the log is to be read again now, if anywhere: the records from there on go to
    /// [`read_again`](Self::read_again), until it has enough.
    pub fn begin_slice(&mut self, now: Now) -> Option<Position> {
        if self.slice.is_some() || self.reading == Reading::Draining {
            return None;
        }
        let (debtor, place) = self.lanes.next_to_catch_up(now)?;
        self.slice = Some(Slice::new(debtor, place));
        Some(place)
    }

    /// Takes the next record of the slice.
    ///
    /// # Panics
    /// When no slice was begun, or the record does not lie behind its last one.
    pub fn read_again(&mut self, record: &Record<'_>, now: Now) -> Appetite {
        let slice = self.slice.as_mut().expect("a slice was begun");
        let offset = record.offset;
        assert!(!slice.at.is_past(offset), "{offset} of {} was read already", self.partition);
        let (plan, fields) = (&*self.plan, &mut self.fields);
        let offer = record.value.map(|value| self.intake.read(plan, fields, record, value));
        self.owed.clear();
        if let Some(Ok(offer)) = &offer {
            // Whether it is owed to nobody at all is no news the second time.
            let _ = self.intake.route(&self.plan, offer, &mut self.owed);
        }
        let mut addressed = BTreeMap::new();
        let mut riders = self.lanes.riders(slice, offset);
        if let Some(Ok(offer)) = &offer {
            let behind = self.lanes.behind().len();
            for action in riders.iter().copied().filter_map(Debtor::action) {
                if self.owed.binary_search(&action).is_ok() {
                    let address = || self.lanes.address_again(action, offer.event, offset);
                    addressed.entry(action).or_insert_with(address);
                }
            }
            if self.lanes.behind().len() > behind {
                riders = self.lanes.riders(slice, offset);
            }
        }
        for debtor in riders {
            let is_owed = match debtor {
                Debtor::InvalidEvents => matches!(offer, Some(Err(_))),
                Debtor::Lane(id) => {
                    let addressed = addressed.get(&id.action).and_then(Option::as_ref);
                    addressed.is_some_and(|addressed: &Addressed| addressed.lane == id)
                }
            };
            let cursor = self.lanes.cursor_mut(debtor);
            if !is_owed || cursor.knows(offset) {
                cursor.read_past(offset.next());
                continue;
            }
            let bytes = record.value.map_or(0, <[u8]>::len);
            if !self.lanes.has_room(debtor, bytes) {
                self.lanes.lacks_room_for(debtor, bytes);
                continue;
            }
            match (debtor, &offer) {
                (Debtor::Lane(id), Some(Ok(offer))) => {
                    let addressed = addressed.remove(&id.action).flatten();
                    let addressed = addressed.expect("it is owed the event");
                    self.lanes.take(addressed, record, offer.event, now);
                }
                (_, Some(Err(why))) => self.lanes.bury(record, why),
                _ => {}
            }
        }
        self.slice_has_read(offset.next())
    }

    /// Nothing lies between the last record of the slice and `position`.
    ///
    /// # Panics
    /// When no slice was begun.
    pub fn nothing_up_to(&mut self, position: Position) -> Appetite {
        let slice = self.slice.as_ref().expect("a slice was begun");
        for debtor in self.lanes.riders(slice, Offset(position.0)) {
            self.lanes.cursor_mut(debtor).read_past(position);
        }
        self.slice_has_read(position)
    }

    /// The log begins at `position`, above what was to be read again: what lay below is gone. How
    /// many offsets are lost to some action?
    pub fn lost_below(&mut self, position: Position) -> u64 {
        let lowest = self.lanes.places().min();
        for debtor in self.lanes.behind().collect::<Vec<_>>() {
            let cursor = self.lanes.cursor_mut(debtor);
            if cursor.place().is_some_and(|place| place < position) {
                cursor.read_past(position);
            }
        }
        if let Some(reader) = self.next {
            self.lanes.meet(reader);
        }
        lowest.map_or(0, |lowest| self.lost.add(lowest, position))
    }

    /// The next record of the reader is the one at `offset`, of a log that begins at `begin`. How
    /// many offsets were deleted ahead of it? What else is missing was never there for a reader:
    /// transactions and compaction leave gaps.
    pub fn reader_skips(&mut self, offset: Offset, begin: Position) -> u64 {
        let to = begin.min(Position::at(offset));
        self.reads_at().map_or(0, |reader| self.lost.add(reader, to.max(reader)))
    }

    /// The actions that have a lane behind.
    pub fn actions_behind(&self) -> impl Iterator<Item = ActionId> {
        self.lanes.behind().filter_map(Debtor::action)
    }

    /// How many events of an action are set aside, for every action that has some in memory.
    pub fn set_aside(&self) -> impl Iterator<Item = (ActionId, usize)> {
        self.lanes.set_aside()
    }

    /// The slice has come to its end, wanted or not.
    pub fn end_slice(&mut self) {
        self.slice = None;
    }

    fn slice_has_read(&mut self, position: Position) -> Appetite {
        if let Some(reader) = self.next {
            self.lanes.meet(reader);
        }
        let slice = self.slice.as_mut().expect("a slice was begun");
        slice.advance(position);
        let place = self.lanes.cursor(slice.debtor).and_then(Cursor::place);
        if slice.is_over(place) { Appetite::Enough } else { Appetite::More }
    }
}

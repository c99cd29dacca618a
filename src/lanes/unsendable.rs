//! What is dead-lettered without ever having been a request: records that no lane could deliver, and
//! events that no request can be made of.

use super::Lanes;
use crate::dead_letter::{Account, DeadLetter};
use crate::lane::LaneId;
use crate::letters::Debtor;
use crate::original::Original;
use crate::provenance::Provenance;
use crate::record::Record;
use crate::request::Unsendable;

impl Lanes {
    /// A record that no lane could deliver goes to the dead-letter topic, if the lane of invalid
    /// events is level, does not know it, and has room; it is named if it has none.
    pub(crate) fn place_invalid(&mut self, record: &Record<'_>, why: &Account) -> Vec<Debtor> {
        let cursor = &self.invalid_events.cursor;
        if cursor.is_behind() || cursor.knows(record.offset) {
            return Vec::new();
        }
        if !self.has_room(Debtor::InvalidEvents, record.value.map_or(0, <[u8]>::len)) {
            return vec![Debtor::InvalidEvents];
        }
        self.bury(record, why);
        Vec::new()
    }

    /// A record that no lane could deliver goes to the dead-letter topic.
    pub(crate) fn bury(&mut self, record: &Record<'_>, why: &Account) {
        let letter = self.letter(record, why);
        self.invalid_events.take(record.offset, letter.held_bytes());
        self.letters.add(Debtor::InvalidEvents, record.offset, letter);
    }

    /// An event of the lane `id` that cannot become a request goes to the dead-letter topic.
    pub(super) fn bury_unsendable(
        &mut self,
        id: LaneId,
        record: &Record<'_>,
        unsendable: &Unsendable,
    ) {
        let addressee = Some(self.slots[id.slot].addressee());
        let (reason, error) = (unsendable.reason(), unsendable.to_string());
        let letter = self.letter(record, &Account::without_attempt(addressee, reason, error));
        let bytes = letter.held_bytes();
        self.change(id, |lane| lane.take_unsendable(record, bytes));
        self.letters.add(Debtor::Lane(id), record.offset, letter);
    }

    /// A letter about an event that was never part of a request.
    fn letter(&self, record: &Record<'_>, account: &Account) -> DeadLetter {
        let original =
            Original { key: record.key, value: record.value, headers: record.headers.clone() };
        let origin = Provenance::new(&self.plan, self.partition.clone()).of_record(record);
        DeadLetter::new(&original, &origin, account)
    }
}

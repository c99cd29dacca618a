//! How many lanes of origins hold something at a time.
//!
//! A lane may always hold one event, but there may be any number of origins. So there are places
//! for lanes that are level, and who finds none waits for one as for memory. An endpoint that is
//! down holds none for long: its lane falls behind when others need places.

use super::Lanes;
use crate::lane::LaneId;
use crate::letters::Debtor;
use crate::progress::LaneOrigin;
use crate::record::Position;

/// So many places there are in any case.
const FEWEST: usize = 128;
/// For so many bytes of memory there is one place.
const BYTES_OF_A_PLACE: usize = 16 * 1024;

impl Lanes {
    /// Whether a lane may hold something, as far as places are concerned.
    pub(super) fn has_place(&self, id: LaneId) -> bool {
        self.busy_origins < FEWEST.max(self.room / BYTES_OF_A_PLACE)
            || !self.is_of_origin(id)
            || self.slots[id.slot].cursor().is_behind()
            || self.busy.contains(&id)
    }

    /// Lets lanes of endpoints that are down fall behind where one of `waiting` needs a place. The
    /// reader is at `reader`.
    pub(crate) fn make_places(&mut self, waiting: &[Debtor], reader: Position) {
        let needs_place = |debtor: &Debtor| match debtor {
            Debtor::Lane(id) => !self.has_place(*id),
            Debtor::InvalidEvents => false,
        };
        if !waiting.iter().any(needs_place) {
            return;
        }
        let is_to_go = |id: &&LaneId| {
            let lane = &self.slots[id.slot];
            let is_waiting = || waiting.contains(&Debtor::Lane(**id));
            self.is_of_origin(**id)
                && !lane.cursor().is_behind()
                && lane.is_stuck()
                && !is_waiting()
        };
        let to_go: Vec<_> = self.busy.iter().filter(is_to_go).copied().collect();
        for id in to_go {
            self.fall_behind(Debtor::Lane(id), reader);
        }
    }

    pub(super) fn note_busy(&mut self, id: LaneId) {
        if self.slots[id.slot].is_empty() && self.busy.insert(id) && self.is_of_origin(id) {
            self.busy_origins += 1;
        }
    }

    pub(super) fn note_idle(&mut self, id: LaneId) {
        if self.busy.remove(&id) && self.is_of_origin(id) {
            self.busy_origins -= 1;
        }
    }

    pub(super) fn is_of_origin(&self, lane: LaneId) -> bool {
        matches!(self.slots[lane.slot].origin(), LaneOrigin::Mapped { .. })
    }
}

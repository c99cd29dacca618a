//! What fails in the lanes for so long that it is given up, or for itself alone.

use super::Lanes;
use crate::letters::Debtor;
use crate::plan::ActionId;
use crate::record::Now;

impl Lanes {
    /// How many events of each busy lane's action are set aside.
    pub(crate) fn set_aside(&self) -> impl Iterator<Item = (ActionId, usize)> {
        self.busy.iter().map(|id| (id.action, self.slots[id.slot].aside()))
    }

    /// Gives up what has failed for too long: letters take its place.
    pub(crate) fn expire(&mut self, now: Now) {
        for &id in &self.busy {
            let lane = &mut self.slots[id.slot];
            self.held -= lane.held_bytes();
            for (offset, letter) in lane.expire(now) {
                self.letters.add(Debtor::Lane(id), offset, letter);
            }
            self.held += lane.held_bytes();
        }
    }

    /// Whether the reader must not wait for this lane: nothing that it could do makes room.
    pub(crate) fn is_stuck(&self, debtor: Debtor) -> bool {
        match debtor {
            Debtor::InvalidEvents => false,
            Debtor::Lane(id) => self.slots[id.slot].is_stuck(),
        }
    }
}

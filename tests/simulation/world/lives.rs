//! How a life of a world ends, and another one begins: commits, crashes and hand-overs.

use std::sync::Arc;

use hookcast::gates::Gates;
use hookcast::pipeline::Pipeline;
use hookcast::plan::{ActionId, Plan};
use hookcast::progress::Progress;
use hookcast::record::Position;

use super::{MOST_METADATA, World, offsets, partition};

impl World {
    pub(super) fn commit(&mut self) {
        let Some(progress) = self.pipeline.progress() else { return };
        let position = progress.position;
        // Now and then there is hardly any room for what is to be told.
        let room = if self.is_hostile() { self.random.usize(0..200) } else { MOST_METADATA };
        self.sights.lanes_behind += progress.lanes.len();
        let encoded = progress.encode(room);
        self.sights.shared_lanes += encoded.metadata.matches("@*").count();
        self.sights.crowds += usize::from(encoded.metadata.matches('@').count() > 10);
        self.sights.folded += usize::from(encoded.folded > 0);
        if !self.is_hostile() {
            self.keeper.commit(&self.log, position.0, encoded);
        }
    }

    /// The process ends between any two steps; what is in flight may arrive all the same.
    pub(super) fn crash(&mut self) {
        self.sights.crashes += 1;
        self.gates = Arc::new(Gates::new(&self.plan));
        for attempt in std::mem::take(&mut self.requests) {
            if self.random.bool() {
                let offsets = offsets(&attempt);
                let records = self.log.by_offset();
                let is_good = |offset| !records[offset].is_poison && !records[offset].is_stubborn;
                if offsets.iter().all(is_good) {
                    let action = attempt.ticket.lane.action;
                    for offset in offsets {
                        self.keeper.settle(Some(action), offset);
                    }
                }
            }
        }
        self.begin_again();
    }

    /// Gives the partition away once it is drained.
    pub(super) fn hand_over(&mut self) {
        if self.pipeline.is_drained() {
            assert!(self.requests.is_empty() && self.letters.is_empty());
            self.commit();
            self.begin_again();
        }
    }

    /// Another pipeline takes over, with what the broker has of the last one.
    fn begin_again(&mut self) {
        self.requests.clear();
        self.letters.clear();
        self.is_draining = false;
        self.slice = None;
        if self.is_hostile() && self.random.u8(0..4) == 0 {
            self.sights.lost_metadata += 1;
            self.keeper.lose_metadata();
        }
        if self.is_hostile() && self.random.u8(0..4) == 0 {
            self.change_urls();
        }
        let position = Position(self.keeper.committed());
        let told = Progress::parse(self.keeper.new_life(), position).expect("it is our own");
        let (plan, gates) = (Arc::clone(&self.plan), Arc::clone(&self.gates));
        self.pipeline = match told {
            None => Pipeline::new(plan, gates, partition(), Some(position)),
            Some(progress) => {
                self.sights.restored += 1;
                Pipeline::restored(plan, gates, partition(), progress)
            }
        };
        let start = self.pipeline.reads_at().expect("it begins somewhere");
        self.next = self.log.index_at(start.0);
        self.pipeline.allow(self.room);
        self.most_room = self.room;
    }

    /// The next owner has a configuration with other URLs. A constant URL that changes keeps its
    /// place; where a mapping is involved its action starts whole at its lowest one.
    fn change_urls(&mut self) {
        self.sights.changed_urls += 1;
        std::mem::swap(&mut self.plan, &mut self.other_plan);
        self.gates = Arc::new(Gates::new(&self.plan));
        let fingerprint =
            |plan: &Plan, id: ActionId| plan.actions[id.0].request.target.fingerprint();
        let (new, old) = (&self.plan, &self.other_plan);
        self.keeper.change_urls(|id| fingerprint(new, id) != fingerprint(old, id));
    }
}

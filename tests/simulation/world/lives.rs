//! How a life of a world ends, and another one begins: commits, crashes and hand-overs.

use std::sync::Arc;

use hookcast::gates::Gates;
use hookcast::pipeline::Pipeline;
use hookcast::plan::ActionId;
use hookcast::progress::Progress;
use hookcast::record::Position;
use hookcast::runs::Runs;

use super::{World, partition};
use crate::defects::Defect;
use crate::plans::Plans;

/// The most metadata that the broker takes with a commit, in bytes.
const MOST_METADATA: usize = 4_000;

impl World {
    pub(super) fn commit(&mut self) {
        let (Some(progress), Some(reader)) = (self.pipeline.progress(), self.pipeline.reads_at())
        else {
            return;
        };
        let progress = self.defects.told(progress, reader.0);
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

    /// The process ends between any two steps.
    pub(super) fn crash(&mut self) {
        self.sights.crashes += 1;
        self.defects.late = self.pipeline.progress();
        self.gates = Arc::new(Gates::new(&self.plan));
        self.keeper.rest.forget();
        if !self.defects.has(Defect::ForgetsARevoke) {
            self.lose_answers();
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
        self.check_count();
        if self.is_hostile() && self.random.u8(0..4) == 0 {
            self.sights.lost_metadata += 1;
            self.keeper.lose_metadata();
        }
        let (urls, last_plan) = (self.urls, Arc::clone(&self.plan));
        self.change_configuration();
        let position = Position(self.keeper.committed());
        self.keeper.begin_new_life(self.now);
        let told = Progress::parse(self.keeper.metadata(), position).expect("it is our own");
        self.tell_unknown(told.as_ref());
        let told = told.map(|told| self.falsified(told, urls));
        let (plan, gates) = (Arc::clone(&self.plan), Arc::clone(&self.gates));
        let next = match told {
            None => Pipeline::new(plan, gates, partition(), Some(position)),
            Some(progress) => {
                self.sights.restored += 1;
                Pipeline::restored(plan, gates, partition(), progress)
            }
        };
        let last = std::mem::replace(&mut self.pipeline, next);
        if self.defects.has(Defect::ForgetsARevoke) {
            self.defects.undead = Some((last, last_plan));
        }
        let start = self.pipeline.reads_at().expect("it begins somewhere");
        self.next = self.log.index_at(start.0);
        self.counted_now = 0;
        self.committed_then = position.0;
        self.allow(self.room);
        self.most_room = self.room;
    }

    /// What the next owner is told, where a defect falsifies it.
    fn falsified(&self, mut told: Progress, last_urls: usize) -> Progress {
        if self.defects.has(Defect::LosesItsPlaceWithItsUrl) && last_urls != self.urls {
            for lane in &mut told.lanes {
                lane.unsettled = Runs::new();
                lane.settled_below = lane.settled_below.max(told.start);
            }
        }
        if self.defects.has(Defect::DropsForeignEntries) && self.unknown.is_some() {
            let known = self.plan.actions.len();
            let is_known = |action: &str| (0..known).any(|id| Plans::name(ActionId(id)) == *action);
            told.lanes.retain(|lane| lane.action.is_empty() || is_known(&lane.action));
        }
        told
    }
}

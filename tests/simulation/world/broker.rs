//! The broker: what the reader and the catch-up reader get of the log, and what is deleted of it.

use hookcast::pipeline::Appetite;
use hookcast::record::{Offset, Position};

use super::World;
use crate::defects::Defect;

impl World {
    pub(super) fn read(&mut self) {
        for _ in 0..self.random.usize(1..20) {
            if !self.pipeline.wants_record() {
                self.sights.full_pipelines += usize::from(!self.is_draining);
                return;
            }
            self.next = self.next.max(self.log.index_at(self.log.begin));
            let Some(record) = self.log.records.get(self.next) else { return };
            let expected = self.pipeline.reads_at();
            if expected.is_some_and(|at| at < Position(record.offset)) {
                let begin = Position(self.log.begin);
                let lost = self.pipeline.reader_skips(Offset(record.offset), begin);
                self.sights.lost_to_readers += usize::from(lost > 0);
                self.count_losses(lost);
            }
            self.next += 1;
            let record = &self.log.records[self.next - 1];
            self.pipeline.push(&record.record(), self.now);
            self.excuse_unknown(self.next - 1);
        }
    }

    /// The catch-up reader reads a little, or fails.
    pub(super) fn read_again(&mut self) {
        if self.slice.is_none() && !self.begin_slice() {
            return;
        }
        if self.defects.has(Defect::TakesRidersPastTheirRoom) {
            self.pipeline.allow(usize::MAX);
        }
        for _ in 0..self.random.usize(1..20) {
            let Some(next) = &mut self.slice else { break };
            let appetite = if *next < self.log.index_at(self.log.begin) {
                let lost = self.pipeline.lost_below(Position(self.log.begin));
                self.sights.lost_to_lanes += usize::from(lost > 0);
                self.count_losses(lost);
                Appetite::Enough
            } else if let Some(record) = self.log.records.get(*next) {
                *next += 1;
                self.pipeline.read_again(&record.record(), self.now)
            } else {
                self.pipeline.nothing_up_to(Position(self.log.end()));
                Appetite::Enough
            };
            if appetite == Appetite::Enough || self.random.u8(0..100) == 0 {
                self.pipeline.end_slice();
                self.slice = None;
            }
        }
        self.allow(self.room);
    }

    pub(super) fn begin_slice(&mut self) -> bool {
        if self.defects.has(Defect::NeverReadsAgain) {
            return false;
        }
        let place = self.pipeline.begin_slice(self.now);
        if let Some(place) = place {
            self.sights.slices += 1;
            self.slice = Some(self.log.index_at(place.0));
        }
        place.is_some()
    }

    /// The oldest records are deleted, whoever has still to read them; never the last one.
    pub(super) fn delete(&mut self) {
        let first = self.log.index_at(self.log.begin);
        let most = (self.log.records.len() - first).min(20);
        if self.nature.deletes && most > 1 && self.keeper.has_committed() {
            self.log.begin = self.log.records[first + self.random.usize(1..most)].offset;
            self.sights.deletions += 1;
        }
    }

    fn count_losses(&mut self, lost: u64) {
        if !self.defects.has(Defect::LosesInSilence) {
            self.counted += lost;
            self.counted_now += lost;
        }
    }

    /// The pipeline may hold so many bytes.
    pub(super) fn allow(&mut self, room: usize) {
        let is_shared = !self.defects.has(Defect::SharesNothing);
        let lanes = if is_shared { 1 } else { self.nature.most_lanes };
        self.pipeline.allow(room.saturating_mul(lanes));
    }
}

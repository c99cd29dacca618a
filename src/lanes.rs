//! All lanes of one partition, and the memory they share.
//!
//! Knows which lanes exist, which of them owe something, and how the partition's memory is
//! divided among those. It does not know the reader that feeds them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use crate::batch::Batch;
use crate::dead_letter::{Account, DeadLetter, Origin, Reason};
use crate::event::Event;
use crate::lane::{Answer, Attempt, Completed, Lane, Ticket};
use crate::letters::{Debtor, LetterId, Letters, Writing};
use crate::offsets::Unsettled;
use crate::original::Original;
use crate::plan::{ActionId, Plan};
use crate::record::{Now, Offset, Position, Record, TopicPartition};
use crate::request;

/// What an answer has led to, for whoever counts.
#[derive(Debug)]
pub enum Completion {
    /// The events are settled.
    Delivered(Batch),
    /// The same request is made again later.
    Retried,
    /// The halves are tried on their own.
    Split,
    /// So many events are refused, and will be dead-lettered.
    Rejected(usize),
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Lanes {
    plan: Arc<Plan>,
    partition: TopicPartition,
    by_action: BTreeMap<ActionId, Lane>,
    /// The lanes that owe something.
    busy: BTreeSet<ActionId>,
    letters: Letters,
    /// Records that are no events and whose letters are not acknowledged.
    invalid_events: Unsettled,
    /// How many bytes the lanes' events may hold; none: whatever it takes.
    room: Option<usize>,
    /// Where a payload is made before it finds its batch.
    payload: Vec<u8>,
}

impl Lanes {
    pub(crate) fn new(plan: Arc<Plan>, partition: TopicPartition) -> Self {
        Self {
            plan,
            partition,
            by_action: BTreeMap::new(),
            busy: BTreeSet::new(),
            letters: Letters::new(),
            invalid_events: Unsettled::new(),
            room: Some(usize::MAX),
            payload: Vec::new(),
        }
    }

    pub(crate) fn allow(&mut self, bytes: usize) {
        self.room = Some(bytes);
    }

    /// What is left to do is bounded, and must not wait for room.
    pub(crate) fn allow_all(&mut self) {
        self.room = None;
    }

    pub(crate) fn held_bytes(&self) -> usize {
        self.busy().map(Lane::held_bytes).sum::<usize>() + self.letters.held_bytes()
    }

    /// Whether letters that cannot be written have used up the memory.
    pub(crate) fn is_clogged(&self) -> bool {
        self.room.is_some_and(|room| self.letters.held_bytes() > room)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.busy.is_empty() && self.invalid_events.is_empty()
    }

    /// Whether nothing is under way and nothing can be begun: what is still owed is owed by lanes
    /// that are paused.
    pub(crate) fn is_finished(&self) -> bool {
        let only_paused = self.busy().all(Lane::is_paused);
        only_paused && self.letters.is_empty() && self.invalid_events.is_empty()
    }

    pub(crate) fn lowest_owed(&self) -> Option<Offset> {
        self.busy().filter_map(Lane::lowest_owed).chain(self.invalid_events.lowest()).min()
    }

    /// The position of a reader that has read everything that is settled or under way.
    pub(crate) fn begun(&self) -> Option<Position> {
        self.by_action.values().filter_map(Lane::begun).chain(self.letters.end()).max()
    }

    /// Whether the lane of `id` may take an event of `bytes` bytes. Lanes that hold events share
    /// the memory equally.
    pub(crate) fn has_room(&self, id: ActionId, bytes: usize) -> bool {
        let (Some(lane), Some(room)) = (self.by_action.get(&id), self.room) else { return true };
        let sharing = self.busy.len() + usize::from(!self.busy.contains(&id));
        lane.has_room(bytes, room / sharing)
    }

    /// Gives an event to those of the lanes it is owed to that have room, and names the others.
    pub(crate) fn place(
        &mut self,
        record: &Record<'_>,
        event: Event<'_>,
        owed: &[ActionId],
        now: Now,
    ) -> Vec<ActionId> {
        let mut without_room = Vec::new();
        for &id in owed {
            if self.has_room(id, event.text().len()) {
                self.take(id, record, event, now);
            } else {
                self.by_action.get_mut(&id).expect("a lane without room exists").flush();
                without_room.push(id);
            }
        }
        without_room
    }

    fn take(&mut self, id: ActionId, record: &Record<'_>, event: Event<'_>, now: Now) {
        let lane = self
            .by_action
            .entry(id)
            .or_insert_with(|| Lane::new(Arc::clone(&self.plan), id, self.partition.clone()));
        self.busy.insert(id);
        let template = &self.plan.actions[id.0].request;
        match request::resolve(template, &self.plan.egress, event, &mut self.payload) {
            Ok((target, payload)) => lane.take(record, payload, target, now),
            Err(unsendable) => {
                lane.take_unsendable(record.offset);
                let reason = unsendable.reason();
                let addressee = Some(lane.addressee());
                let letter = self.letter(record, addressee, reason, unsendable.to_string());
                self.letters.add(Debtor::Lane(id), record.offset, letter);
            }
        }
    }

    /// A record that is no event goes to the dead-letter topic.
    pub(crate) fn bury(&mut self, record: &Record<'_>, why: &str) {
        self.invalid_events.owe(record.offset);
        let letter = self.letter(record, None, Reason::InvalidEvent, why.to_owned());
        self.letters.add(Debtor::InvalidEvents, record.offset, letter);
    }

    /// A letter about an event that was never part of a request.
    fn letter(
        &self,
        record: &Record<'_>,
        addressee: Option<(Arc<str>, Arc<str>)>,
        reason: Reason,
        error: String,
    ) -> DeadLetter {
        let original =
            Original { key: record.key, value: record.value, headers: record.headers.clone() };
        let origin = Origin {
            partition: &self.partition,
            offset: record.offset,
            timestamp: record.timestamp,
        };
        let account =
            Account { addressee, reason, status: None, attempts: 0, first_attempt_at: None, error };
        DeadLetter::new(&original, &origin, &account)
    }

    /// The next letter to write now.
    pub(crate) fn next_letter(&mut self, now: Now) -> Option<Writing> {
        self.letters.poll(now.instant)
    }

    /// Hands every request that is to be made now to `send`.
    pub(crate) fn send(&mut self, now: Now, mut send: impl FnMut(Attempt)) {
        for id in &self.busy {
            let lane = self.by_action.get_mut(id).expect("a busy lane exists");
            while let Some(attempt) = lane.poll(now) {
                send(attempt);
            }
        }
    }

    pub(crate) fn wake_at(&self) -> Option<Instant> {
        self.busy().filter_map(Lane::wake_at).chain(self.letters.wake_at()).min()
    }

    pub(crate) fn complete(
        &mut self,
        ticket: Ticket,
        answer: &Answer,
        now: Now,
        chance: f64,
    ) -> Completion {
        let lane = self.by_action.get_mut(&ticket.action).expect("a lane that sends exists");
        let completion = match lane.complete(ticket, answer, now, chance) {
            Completed::Delivered(batch) => Completion::Delivered(batch),
            Completed::Retried => Completion::Retried,
            Completed::Split => Completion::Split,
            Completed::Rejected(letters) => {
                let events = letters.len();
                for (offset, letter) in letters {
                    self.letters.add(Debtor::Lane(ticket.action), offset, letter);
                }
                Completion::Rejected(events)
            }
        };
        self.note_if_idle(ticket.action);
        completion
    }

    pub(crate) fn letter_written(&mut self, id: LetterId) {
        match self.letters.written(id) {
            (Debtor::InvalidEvents, offset) => self.invalid_events.settle(offset),
            (Debtor::Lane(action), offset) => {
                self.by_action.get_mut(&action).expect("a lane that owes exists").settle(offset);
                self.note_if_idle(action);
            }
        }
    }

    pub(crate) fn letter_failed(&mut self, id: LetterId, now: Now, chance: f64) {
        self.letters.failed(id, now.instant, chance);
    }

    /// Forgets what is not under way and lies at `end` or above.
    pub(crate) fn leave_from(&mut self, end: Position) {
        for lane in self.by_action.values_mut() {
            lane.leave_from(end);
        }
        self.busy.retain(|id| !self.by_action[id].is_empty());
    }

    /// Half-full batches wait no longer for company.
    pub(crate) fn flush(&mut self) {
        self.by_action.values_mut().for_each(Lane::flush);
    }

    fn busy(&self) -> impl Iterator<Item = &Lane> {
        self.busy.iter().map(|id| &self.by_action[id])
    }

    fn note_if_idle(&mut self, action: ActionId) {
        if self.by_action[&action].is_empty() {
            self.busy.remove(&action);
        }
    }
}

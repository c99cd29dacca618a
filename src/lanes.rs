//! All lanes of one partition, and the memory they share.
//!
//! Knows which lanes exist, which of them owe something, and how the partition's memory is
//! divided among those. It does not know the reader that feeds them.

mod behind;
mod failing;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use slab::Slab;

use crate::batch::Batch;
use crate::dead_letter::{Account, DeadLetter};
use crate::event::Event;
use crate::gates::Gates;
use crate::lane::cursor::Cursor;
use crate::lane::invalid::InvalidEvents;
use crate::lane::{Answer, Attempt, Completed, Lane, LaneId, News, Ticket};
use crate::letters::{Debtor, LetterId, Letters, Writing};
use crate::original::Original;
use crate::plan::{ActionId, Plan};
use crate::provenance::Provenance;
use crate::record::{Now, Position, Record, TopicPartition};
use crate::request;
use crate::standing::{Clocks, Standing, Whose};

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
    gates: Arc<Gates>,
    /// Called when a lane may go on because of what other partitions do.
    waker: Waker,
    partition: TopicPartition,
    /// Every lane that was ever fed; its slot is its place here.
    lanes: Slab<Lane>,
    /// The same, by whose events it is for.
    by_action: BTreeMap<ActionId, LaneId>,
    invalid_events: InvalidEvents,
    /// The lanes that hold something.
    busy: BTreeSet<LaneId>,
    /// The lanes that are behind, the least recently served one first.
    behind: VecDeque<Debtor>,
    letters: Letters,
    /// How many bytes the lanes' events may hold.
    room: usize,
    /// Where a payload is made before it finds its batch.
    payload: Vec<u8>,
}

impl Lanes {
    pub(crate) fn new(plan: Arc<Plan>, gates: Arc<Gates>, partition: TopicPartition) -> Self {
        Self {
            plan,
            gates,
            waker: Waker::noop().clone(),
            partition,
            lanes: Slab::new(),
            by_action: BTreeMap::new(),
            invalid_events: InvalidEvents::new(Cursor::level()),
            busy: BTreeSet::new(),
            behind: VecDeque::new(),
            letters: Letters::new(),
            room: usize::MAX,
            payload: Vec::new(),
        }
    }

    /// The lane of `whose` stands somewhere else than the partition's reader, which begins at
    /// `reader`.
    pub(crate) fn restore(&mut self, whose: Whose, standing: Standing, reader: Position) {
        let Standing { clocks, settled_below, .. } = standing;
        let cursor = Cursor::restored(standing, reader);
        let is_behind = cursor.is_behind();
        let debtor = match whose {
            Whose::Nobody => {
                self.invalid_events = InvalidEvents::new(cursor);
                Debtor::InvalidEvents
            }
            Whose::Action(action) => {
                let id = self.add(action, cursor);
                let Clocks { failing_since, alone_since } = clocks;
                self.lane_mut(id).inherit(failing_since, alone_since, settled_below);
                Debtor::Lane(id)
            }
        };
        if is_behind {
            self.behind.push_back(debtor);
        }
    }

    /// The lane of an action, which may never have been fed.
    fn lane_of(&mut self, action: ActionId) -> LaneId {
        match self.by_action.get(&action) {
            Some(&id) => id,
            None => self.add(action, Cursor::level()),
        }
    }

    fn add(&mut self, action: ActionId, cursor: Cursor) -> LaneId {
        let slot = self.lanes.vacant_entry();
        let id = LaneId { action, slot: slot.key() };
        let (plan, gates) = (Arc::clone(&self.plan), Arc::clone(&self.gates));
        slot.insert(Lane::new(plan, id, self.partition.clone(), cursor, gates));
        self.by_action.insert(action, id);
        id
    }

    pub(crate) fn wake_with(&mut self, waker: Waker) {
        self.waker = waker;
    }

    pub(crate) fn allow(&mut self, bytes: usize) {
        self.room = bytes;
    }

    pub(crate) fn held_bytes(&self) -> usize {
        self.busy().map(Lane::held_bytes).sum::<usize>() + self.invalid_events.held_bytes()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.busy.is_empty() && self.invalid_events.cursor.is_empty()
    }

    /// Whether neither an answer nor an acknowledgement is awaited, and no letter waits for its
    /// first attempt.
    pub(crate) fn is_at_rest(&self) -> bool {
        !self.letters.is_busy() && !self.busy().any(Lane::is_in_flight)
    }

    /// The lowest offset that a lane owes, or may owe. None when all that there are stand at the
    /// reader and hold nothing.
    pub(crate) fn lowest_owed(&self) -> Option<Position> {
        self.cursors().filter_map(|(_, cursor)| cursor.lowest_owed()).min()
    }

    /// Every lane that was ever fed, and how far it is.
    pub(crate) fn cursors(&self) -> impl Iterator<Item = (Debtor, &Cursor)> {
        let ids = self.by_action.values();
        let lanes = ids.map(|id| (Debtor::Lane(*id), self.lanes[id.slot].cursor()));
        lanes.chain([(Debtor::InvalidEvents, &self.invalid_events.cursor)])
    }

    pub(crate) fn cursor(&self, debtor: Debtor) -> Option<&Cursor> {
        match debtor {
            Debtor::InvalidEvents => Some(&self.invalid_events.cursor),
            Debtor::Lane(id) => self.lanes.get(id.slot).map(Lane::cursor),
        }
    }

    /// How far a lane is that was fed before, for whoever feeds it.
    ///
    /// # Panics
    /// When it was never fed.
    pub(crate) fn cursor_mut(&mut self, debtor: Debtor) -> &mut Cursor {
        match debtor {
            Debtor::InvalidEvents => &mut self.invalid_events.cursor,
            Debtor::Lane(id) => self.lane_mut(id).cursor_mut(),
        }
    }

    fn lane_mut(&mut self, id: LaneId) -> &mut Lane {
        &mut self.lanes[id.slot]
    }

    /// Whether a lane may take an event of `bytes` bytes. Lanes that hold events share the memory
    /// equally.
    pub(crate) fn has_room(&self, debtor: Debtor, bytes: usize) -> bool {
        let share = self.share_of(debtor);
        match debtor {
            Debtor::InvalidEvents => self.invalid_events.has_room(bytes, share),
            Debtor::Lane(id) => self.lanes[id.slot].has_room(bytes, share),
        }
    }

    /// A lane's part of the memory: that of one among all that hold something, itself included.
    fn share_of(&self, debtor: Debtor) -> usize {
        let has_invalid = !self.invalid_events.cursor.is_empty();
        let is_counted = match debtor {
            Debtor::InvalidEvents => has_invalid,
            Debtor::Lane(id) => self.busy.contains(&id),
        };
        self.room / (self.busy.len() + usize::from(has_invalid) + usize::from(!is_counted))
    }

    /// Gives an event to those of the level lanes it is owed to that do not know it and have room,
    /// and names those without.
    pub(crate) fn place(
        &mut self,
        record: &Record<'_>,
        event: Event<'_>,
        owed: impl IntoIterator<Item = ActionId>,
        now: Now,
    ) -> Vec<Debtor> {
        let mut without_room = Vec::new();
        for action in owed {
            let id = self.lane_of(action);
            let cursor = self.lanes[id.slot].cursor();
            if cursor.is_behind() || cursor.knows(record.offset) {
                continue;
            }
            if self.has_room(Debtor::Lane(id), event.text().len()) {
                self.take(id, record, event, now);
            } else {
                self.lane_mut(id).flush();
                without_room.push(Debtor::Lane(id));
            }
        }
        without_room
    }

    /// Gives an event to the lane `id`, which has room for it.
    pub(crate) fn take(&mut self, id: LaneId, record: &Record<'_>, event: Event<'_>, now: Now) {
        let lane = &mut self.lanes[id.slot];
        self.busy.insert(id);
        let template = &self.plan.actions[id.action.0].request;
        match request::resolve(template, &self.plan.egress, event, &mut self.payload) {
            Ok((target, payload)) => lane.take(record, payload, target, now),
            Err(unsendable) => {
                let (reason, error) = (unsendable.reason(), unsendable.to_string());
                let account = Account::without_attempt(Some(lane.addressee()), reason, error);
                let letter = self.letter(record, &account);
                self.lane_mut(id).take_unsendable(record, letter.held_bytes());
                self.letters.add(Debtor::Lane(id), record.offset, letter);
            }
        }
    }

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

    /// A letter about an event that was never part of a request.
    fn letter(&self, record: &Record<'_>, account: &Account) -> DeadLetter {
        let original =
            Original { key: record.key, value: record.value, headers: record.headers.clone() };
        let origin = Provenance::new(&self.plan, self.partition.clone()).of_record(record);
        DeadLetter::new(&original, &origin, account)
    }

    /// How many of the actions for which `counts` says so hold something, or are behind.
    pub(crate) fn occupied(&self, counts: impl Fn(ActionId) -> bool) -> usize {
        let behind = self.behind.iter().filter_map(|debtor| match debtor {
            Debtor::Lane(id) => Some(id.action),
            Debtor::InvalidEvents => None,
        });
        let busy = self.busy.iter().map(|id| id.action);
        let mut actions: Vec<_> = busy.chain(behind).filter(|action| counts(*action)).collect();
        actions.sort_unstable();
        actions.dedup();
        actions.len()
    }

    /// The next letter to write now.
    pub(crate) fn next_letter(&mut self, now: Now) -> Option<Writing> {
        self.letters.poll(now.instant)
    }

    /// What a lane has open waits for company no longer.
    pub(crate) fn flush(&mut self, debtor: Debtor) {
        if let Debtor::Lane(id) = debtor {
            self.lane_mut(id).flush();
        }
    }

    /// The next letter to write now for the first time.
    pub(crate) fn next_new_letter(&mut self) -> Option<Writing> {
        self.letters.poll_due()
    }

    /// Hands every request that is to be made now to `send`.
    pub(crate) fn send(&mut self, now: Now, mut send: impl FnMut(Attempt)) {
        for id in &self.busy {
            let lane = &mut self.lanes[id.slot];
            while let Some(attempt) = lane.poll(now, &self.waker) {
                send(attempt);
            }
        }
    }

    /// Whether a lane holds events and waits for nothing.
    pub(crate) fn idle(&self, now: Now) -> bool {
        self.busy().any(|lane| lane.idles(now))
    }

    pub(crate) fn wake_at(&self, now: Now) -> Option<Instant> {
        let send = self.busy().filter_map(|lane| lane.wake_at(now));
        let behind = self.behind.iter().filter_map(|debtor| match debtor {
            Debtor::Lane(id) => self.lanes[id.slot].could_catch_up_at(now),
            Debtor::InvalidEvents => None,
        });
        send.chain(behind).chain(self.letters.wake_at()).min()
    }

    /// Nothing is sent any more: whoever else waits for the same endpoints goes first.
    pub(crate) fn step_aside(&mut self) {
        self.lanes.iter_mut().for_each(|(_, lane)| lane.step_aside());
    }

    pub(crate) fn complete(
        &mut self,
        ticket: Ticket,
        answer: &Answer,
        now: Now,
        chance: f64,
    ) -> (Completion, News) {
        let lane = self.lane_mut(ticket.lane);
        let (completed, news) = lane.complete(ticket, answer, now, chance);
        let completion = match completed {
            Completed::Delivered(batch) => Completion::Delivered(batch),
            Completed::Retried => Completion::Retried,
            Completed::Split => Completion::Split,
            Completed::Rejected(letters) => {
                let events = letters.len();
                for (offset, letter) in letters {
                    self.letters.add(Debtor::Lane(ticket.lane), offset, letter);
                }
                Completion::Rejected(events)
            }
        };
        self.note_if_idle(ticket.lane);
        (completion, news)
    }

    pub(crate) fn letter_written(&mut self, id: LetterId) {
        let (debtor, offset, bytes) = self.letters.written(id);
        match debtor {
            Debtor::InvalidEvents => self.invalid_events.letter_written(offset, bytes),
            Debtor::Lane(id) => {
                self.lane_mut(id).letter_written(offset, bytes);
                self.note_if_idle(id);
            }
        }
    }

    pub(crate) fn letter_failed(&mut self, id: LetterId, now: Now, chance: f64) {
        self.letters.failed(id, now.instant, chance);
    }

    fn busy(&self) -> impl Iterator<Item = &Lane> {
        self.busy.iter().map(|id| &self.lanes[id.slot])
    }

    fn note_if_idle(&mut self, id: LaneId) {
        let lane = self.lane_mut(id);
        if lane.is_empty() {
            lane.step_aside();
            self.busy.remove(&id);
        }
    }
}

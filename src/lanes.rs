//! All lanes of one partition, and the memory they share.
//!
//! Knows which lanes exist, which of them owe something, and how the partition's memory is
//! divided among those. It does not know the reader that feeds them.

mod behind;
mod failing;
mod places;
mod roster;
mod shared;
mod unsendable;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use slab::Slab;

use crate::batch::Batch;
use crate::event::Event;
use crate::gates::Gates;
use crate::lane::cursor::Cursor;
use crate::lane::invalid::InvalidEvents;
use crate::lane::{Answer, Attempt, Completed, Lane, LaneId, News, Ticket};
use crate::lanes::roster::{Aim, LanesOfAction};
use crate::letters::{Debtor, LetterId, Letters, Writing};
use crate::plan::{ActionId, Plan};
use crate::record::{Now, Position, Record, TopicPartition};
use crate::request;

pub(crate) use roster::Addressed;

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
    /// Every lane in the slot that it is named by.
    slots: Slab<Lane>,
    /// The same, by whose events they are for.
    by_action: BTreeMap<ActionId, LanesOfAction>,
    /// How many there were when idle ones were looked for last.
    were: usize,
    invalid_events: InvalidEvents,
    /// Of lanes that were forgotten nothing can be told any more: whoever starts below it repeats
    /// what they have settled.
    told_below: Position,
    /// The lanes that hold something.
    busy: BTreeSet<LaneId>,
    /// How many of them are those of origins.
    busy_origins: usize,
    /// The lanes that are behind, the least recently served one first.
    behind: VecDeque<Debtor>,
    /// The lanes that are behind, and give way to the ones that origins share as soon as nothing
    /// is in flight.
    leaving: BTreeSet<LaneId>,
    letters: Letters,
    /// How many bytes the lanes' events hold, but for records that are no events.
    held: usize,
    /// How many bytes they may hold.
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
            slots: Slab::new(),
            by_action: BTreeMap::new(),
            were: 0,
            told_below: Position(0),
            invalid_events: InvalidEvents::new(Cursor::level()),
            busy: BTreeSet::new(),
            busy_origins: 0,
            behind: VecDeque::new(),
            leaving: BTreeSet::new(),
            letters: Letters::new(),
            held: 0,
            room: usize::MAX,
            payload: Vec::new(),
        }
    }

    pub(crate) fn wake_with(&mut self, waker: Waker) {
        self.waker = waker;
    }

    pub(crate) fn allow(&mut self, bytes: usize) {
        self.room = bytes;
    }

    pub(crate) fn held_bytes(&self) -> usize {
        debug_assert_eq!(self.held, self.busy().map(Lane::held_bytes).sum::<usize>());
        self.held + self.invalid_events.held_bytes()
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

    /// Every lane that there is, and how far it is.
    pub(crate) fn cursors(&self) -> impl Iterator<Item = (Debtor, &Cursor)> {
        let ids = self.by_action.values().flat_map(LanesOfAction::ids);
        let lanes = ids.map(|id| (Debtor::Lane(id), self.slots[id.slot].cursor()));
        lanes.chain([(Debtor::InvalidEvents, &self.invalid_events.cursor)])
    }

    pub(crate) fn cursor(&self, debtor: Debtor) -> Option<&Cursor> {
        match debtor {
            Debtor::InvalidEvents => Some(&self.invalid_events.cursor),
            Debtor::Lane(id) => self.slots.get(id.slot).map(Lane::cursor),
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
        &mut self.slots[id.slot]
    }

    /// Changes a lane, and accounts for what it holds afterwards.
    fn change<R>(&mut self, id: LaneId, change: impl FnOnce(&mut Lane) -> R) -> R {
        let lane = &mut self.slots[id.slot];
        self.held -= lane.held_bytes();
        let result = change(lane);
        self.held += lane.held_bytes();
        result
    }

    /// Whether a lane may take an event of `bytes` bytes. Lanes that hold events share the memory
    /// equally.
    pub(crate) fn has_room(&self, debtor: Debtor, bytes: usize) -> bool {
        let share = self.share_of(debtor);
        match debtor {
            Debtor::InvalidEvents => self.invalid_events.has_room(bytes, share),
            Debtor::Lane(id) => self.slots[id.slot].has_room(bytes, share) && self.has_place(id),
        }
    }

    /// Whether the only lane of an action is level, has as many events as it may, and needs nothing
    /// but time.
    pub(crate) fn is_full(&self, action: ActionId) -> bool {
        let Some(LanesOfAction::One(id)) = self.by_action.get(&action) else { return false };
        let lane = &self.slots[id.slot];
        lane.is_full() && !lane.cursor().is_behind() && !lane.is_stuck()
    }

    /// A lane's part of the memory: that of one among all that hold something, itself included.
    fn share_of(&self, debtor: Debtor) -> usize {
        let has_invalid = !self.invalid_events.cursor.is_empty();
        let is_counted = match debtor {
            Debtor::InvalidEvents => has_invalid,
            Debtor::Lane(id) => !self.slots[id.slot].is_empty(),
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
            let Addressed { lane: id, target } = self.address(action, event);
            let cursor = self.slots[id.slot].cursor();
            if cursor.is_behind() || cursor.knows(record.offset) {
                continue;
            }
            if self.has_room(Debtor::Lane(id), event.text().len()) {
                self.take(Addressed { lane: id, target }, record, event, now);
            } else {
                self.lane_mut(id).flush();
                without_room.push(Debtor::Lane(id));
            }
        }
        without_room
    }

    /// Gives an event to the lane that it is addressed to, which has room for it.
    pub(crate) fn take(
        &mut self,
        addressed: Addressed,
        record: &Record<'_>,
        event: Event<'_>,
        now: Now,
    ) {
        let Addressed { lane: id, target } = addressed;
        self.note_busy(id);
        let lane = &mut self.slots[id.slot];
        let template = &self.plan.actions[id.action.0].request;
        let target = match &target {
            Aim::Constant => Ok(template.target.constant().expect("the action has one target")),
            Aim::Resolved(target) => target.as_ref().map_err(Clone::clone),
        };
        let resolved = target.and_then(|target| {
            let payload = request::payload(&template.data, event, &mut self.payload)?;
            Ok((target, payload))
        });
        match resolved {
            Ok((target, payload)) => {
                self.held -= lane.held_bytes();
                lane.take(record, payload, target, now);
                self.held += lane.held_bytes();
            }
            Err(unsendable) => self.bury_unsendable(id, record, &unsendable),
        }
    }

    /// How many of the actions for which `counts` says so hold something, or are behind.
    pub(crate) fn occupied(&self, counts: impl Fn(ActionId) -> bool) -> usize {
        let behind = self.behind.iter().copied().filter_map(Debtor::action);
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

    /// A lane had no room for an event of `bytes` bytes that was read again.
    pub(crate) fn lacks_room_for(&mut self, debtor: Debtor, bytes: usize) {
        match debtor {
            Debtor::InvalidEvents => self.invalid_events.lacks_room_for(bytes),
            Debtor::Lane(id) => self.lane_mut(id).lacks_room_for(bytes),
        }
    }

    /// The next letter to write now for the first time.
    pub(crate) fn next_new_letter(&mut self) -> Option<Writing> {
        self.letters.poll_due()
    }

    /// Hands every request that is to be made now to `send`.
    pub(crate) fn send(&mut self, now: Now, mut send: impl FnMut(Attempt)) {
        for id in &self.busy {
            let lane = &mut self.slots[id.slot];
            self.held -= lane.held_bytes();
            while let Some(attempt) = lane.poll(now, &self.waker) {
                send(attempt);
            }
            self.held += lane.held_bytes();
        }
    }

    /// Whether a lane holds events and waits for nothing.
    pub(crate) fn idle(&self, now: Now) -> bool {
        self.busy().any(|lane| lane.idles(now))
    }

    pub(crate) fn wake_at(&self, now: Now) -> Option<Instant> {
        let send = self.busy().filter_map(|lane| lane.wake_at(now));
        let behind = self.behind.iter().filter_map(|debtor| match debtor {
            Debtor::Lane(id) => self.slots[id.slot].could_catch_up_at(now),
            Debtor::InvalidEvents => None,
        });
        send.chain(behind).chain(self.letters.wake_at()).min()
    }

    /// Nothing is sent any more: whoever else waits for the same endpoints goes first.
    pub(crate) fn step_aside(&mut self) {
        // What is told of a lane of its own is more than what is told of a shared one.
        self.leaving.clear();
        self.slots.iter_mut().for_each(|(_, lane)| lane.step_aside());
    }

    pub(crate) fn complete(
        &mut self,
        ticket: Ticket,
        answer: &Answer,
        now: Now,
        chance: f64,
    ) -> (Completion, News) {
        let complete = |lane: &mut Lane| lane.complete(ticket, answer, now, chance);
        let (completed, news) = self.change(ticket.lane, complete);
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
        self.leave_if_at_rest(ticket.lane);
        (completion, news)
    }

    pub(crate) fn letter_written(&mut self, id: LetterId) {
        let (debtor, offset, bytes) = self.letters.written(id);
        match debtor {
            Debtor::InvalidEvents => self.invalid_events.letter_written(offset, bytes),
            Debtor::Lane(id) => {
                self.change(id, |lane| lane.letter_written(offset, bytes));
                self.note_if_idle(id);
                self.leave_if_at_rest(id);
            }
        }
    }

    pub(crate) fn letter_failed(&mut self, id: LetterId, now: Now, chance: f64) {
        self.letters.failed(id, now.instant, chance);
    }

    fn busy(&self) -> impl Iterator<Item = &Lane> {
        self.busy.iter().map(|id| &self.slots[id.slot])
    }

    fn note_if_idle(&mut self, id: LaneId) {
        let lane = self.lane_mut(id);
        if lane.is_empty() {
            lane.step_aside();
            self.note_idle(id);
        }
    }
}

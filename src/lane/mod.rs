//! One action's way through one partition: from an event that is owed to one that is settled.
//!
//! A lane gathers payloads into batches, decides which request may go now, and what an answer
//! means for the events it carried. It knows its own events only: what the others of the
//! partition do, and how far the position may move, is the pipeline's business.

mod alone;
mod attempt;
mod chains;
mod clocks;
mod completing;
pub(crate) mod cursor;
mod expiring;
mod gather;
mod idle;
pub(crate) mod invalid;
mod leaving;
mod queue;
mod sending;

use std::collections::HashSet;
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use crate::batch::Batch;
use crate::gate::{Entrance, FailingSince, Gate, Wait};
use crate::gates::Shared;
use crate::lane::alone::Inherited;
use crate::lane::chains::ChainId;
use crate::lane::cursor::Cursor;
use crate::lane::gather::{Gathering, Sealed};
use crate::lane::queue::Queue;
use crate::plan::{Action, Order, Plan, Target, TargetTemplate};
use crate::progress::LaneOrigin;
use crate::provenance::Provenance;
use crate::rate::{RateLimit, Turn};
use crate::record::{Now, Offset, Position, Record, TopicPartition};
use crate::rejections::Rejections;
use crate::signature::Signer;

use attempt::RequestId;
pub use attempt::{Answer, Attempt, Completed, LaneId, News, Streak, Ticket};

/// So many runs of unsettled offsets are told of a lane at the most: one that needs more begins
/// nothing but its oldest event until it needs fewer.
const MOST_RUNS: usize = 64;

/// See the module's documentation.
#[derive(Debug)]
pub struct Lane {
    plan: Arc<Plan>,
    id: LaneId,
    origin: LaneOrigin,
    provenance: Provenance,
    signer: Option<Signer>,
    cursor: Cursor,
    /// Present when the action gathers its events.
    gathering: Option<Gathering>,
    queue: Queue,
    /// Its way through the endpoint's gate, where there is one.
    entrance: Option<Entrance>,
    /// Its turn among all lanes of its action, where that one may make so many requests a second.
    turn: Option<Turn>,
    /// When it is worth asking the limit or the gate again.
    ask_again_at: Option<Instant>,
    /// The most events of the next request: less than its action allows after a failure.
    most_together: usize,
    in_flight: usize,
    /// What its action rejects, in all lanes of the process.
    rejections: Arc<Rejections>,
    /// Since when requests fail, where no gate knows.
    failing: FailingSince,
    /// What an earlier owner knew of events that fail alone.
    inherited: Option<Inherited>,
    /// When the next of the events expires that are held, once the first may have.
    next_expiry: Option<i64>,
    /// The bytes of the next event to read again, where there was no room for it.
    next_bytes: usize,
    /// Whether it begins nothing any more.
    is_leaving: bool,
    /// The events that wait for their letters to be written.
    buried: HashSet<Offset>,
    /// The bytes that those letters hold.
    letter_bytes: usize,
}

impl Lane {
    /// A lane of `partition` that holds nothing and stands at `cursor`, and what it shares with
    /// others.
    #[must_use]
    pub(crate) fn new(
        plan: Arc<Plan>,
        (id, origin): (LaneId, LaneOrigin),
        partition: TopicPartition,
        cursor: Cursor,
        shared: Shared,
    ) -> Self {
        let Shared { gate, limit, rejections } = shared;
        let action = &plan.actions[id.action.0];
        let entrance = gate.as_ref().map(Gate::entrance);
        let turn = limit.as_ref().map(RateLimit::turn);
        let signer = action.shared_secret.as_ref().map(Signer::new);
        let gathering = action.batch.map(Gathering::new);
        Self {
            provenance: Provenance::new(&plan, partition),
            plan,
            id,
            origin,
            signer,
            cursor,
            gathering,
            queue: Queue::default(),
            entrance,
            turn,
            ask_again_at: None,
            most_together: usize::MAX,
            in_flight: 0,
            rejections,
            failing: FailingSince::default(),
            inherited: None,
            next_expiry: None,
            next_bytes: 0,
            is_leaving: false,
            buried: HashSet::new(),
            letter_bytes: 0,
        }
    }

    /// How far it is.
    pub(crate) fn cursor(&self) -> &Cursor {
        &self.cursor
    }

    /// How far it is, for whoever feeds it.
    pub(crate) fn cursor_mut(&mut self) -> &mut Cursor {
        &mut self.cursor
    }

    /// How many of its events are set aside.
    #[must_use]
    pub fn aside(&self) -> usize {
        self.queue.aside()
    }

    /// Whether every event that it holds is settled.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cursor.is_empty()
    }

    /// Whether it neither holds nor has to read anything again.
    pub(crate) fn owes_nothing(&self) -> bool {
        self.cursor.lowest_owed().is_none()
    }

    /// Whether nothing can move on without the operator.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.action().paused
    }

    /// Whether waiting for it is in vain for now: it is paused, or its endpoint is down.
    #[must_use]
    pub fn is_stuck(&self) -> bool {
        self.is_paused() || self.gate().is_some_and(Gate::is_open)
    }

    /// It has nothing to send for now: other lanes of its endpoint and of its action go first.
    pub fn step_aside(&mut self) {
        self.ask_again_at = None;
        if let Some(turn) = &mut self.turn {
            turn.leave();
        }
        if let Some(entrance) = &mut self.entrance {
            entrance.leave();
        }
    }

    /// Whether answers are awaited.
    #[must_use]
    pub fn is_in_flight(&self) -> bool {
        self.in_flight > 0
    }

    /// The bytes of memory that its events hold.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        let open = self.gathering.as_ref().map_or(0, Gathering::held_bytes);
        self.queue.held_bytes() + open + self.letter_bytes
    }

    /// Whether it may take an event of `bytes` bytes, where `share` bytes are its part of the
    /// memory. One event always finds room.
    #[must_use]
    pub fn has_room(&self, bytes: usize, share: usize) -> bool {
        let events = self.cursor.held_events();
        events == 0 || events < self.most_events() && self.held_bytes() + bytes <= share
    }

    /// Whether it holds as many events as it may, and none of them waits for company.
    pub(crate) fn is_full(&self) -> bool {
        self.gathering.is_none() && self.cursor.held_events() >= self.most_events()
    }

    /// Whether it is worth reading the log again for it: it is behind, could send, and holds less
    /// than half of what it may.
    #[must_use]
    pub fn wants_to_catch_up(&self, share: usize, now: Now) -> bool {
        // Without an event there is nothing to find out with that the endpoint is well again, and
        // nothing to stand in line for where requests are limited: others would take every token.
        let could_send = self.is_empty()
            || self.could_go_at(now).is_none() && !self.is_limited(now)
            || self.may_expire(now);
        let is_hungry =
            self.cursor.held_events() <= self.most_events() / 2 && self.held_bytes() <= share / 2;
        let has_room = is_hungry && self.has_room(self.next_bytes, share);
        self.cursor.is_behind() && !self.is_paused() && has_room && could_send
    }

    /// When it may be worth reading the log again for it, where its endpoint is what keeps it.
    #[must_use]
    pub fn could_catch_up_at(&self, now: Now) -> Option<Instant> {
        if !self.cursor.is_behind() || self.is_paused() {
            return None;
        }
        self.could_go_at(now).into_iter().chain(self.expires_at(now)).min()
    }

    /// Whether its action has used up what requests it may make now. Nobody is woken when that
    /// ends: a lane that holds events stands in line, and is woken for its turn.
    fn is_limited(&self, now: Now) -> bool {
        self.turn.as_ref().is_some_and(|turn| !turn.could_go(now.instant))
    }

    fn could_go_at(&self, now: Now) -> Option<Instant> {
        match self.gate()?.could_go(now.instant) {
            Err(Wait::Until(at)) => Some(at),
            _ => None,
        }
    }

    /// Enough to keep every connection and every key busy while answers are under way, and not
    /// more: what is gathered in advance has to be read again by whoever comes next.
    fn most_events(&self) -> usize {
        match self.action().batch {
            Some(limits) => 4 * limits.max_events.get(),
            None => 8 * self.action().delivery.concurrency.get(),
        }
    }

    /// Takes an event that is owed: `record` has become `payload`, which goes to `target`.
    pub fn take(&mut self, record: &Record<'_>, payload: &[u8], target: &Arc<Target>, now: Now) {
        self.next_bytes = 0;
        self.cursor.take(record.offset, record.timestamp);
        let Some(gathering) = &mut self.gathering else {
            let chain = self.key_chain(record, target);
            self.queue.push(Batch::bare(payload, record), Arc::clone(target), chain);
            return;
        };
        let sealed = gathering.add(record, payload, target, now.instant);
        self.push_sealed(sealed);
    }

    fn push_sealed(&mut self, sealed: impl IntoIterator<Item = Sealed>) {
        for Sealed { batch, target } in sealed {
            let chain = self.target_chain(&target);
            self.queue.push(batch, target, chain);
        }
    }

    /// Takes an event that is owed and can only be dead-lettered, in a letter of so many bytes.
    /// It is settled by [`letter_written`](Self::letter_written).
    pub fn take_unsendable(&mut self, record: &Record<'_>, letter_bytes: usize) {
        self.next_bytes = 0;
        self.cursor.take(record.offset, record.timestamp);
        self.bury(record.offset, letter_bytes);
    }

    fn bury(&mut self, offset: Offset, letter_bytes: usize) {
        self.buried.insert(offset);
        self.letter_bytes += letter_bytes;
    }

    /// The letter about the event at `offset` is written: the event is settled.
    ///
    /// # Panics
    /// When it is not owed.
    pub fn letter_written(&mut self, offset: Offset, letter_bytes: usize) {
        self.buried.remove(&offset);
        self.letter_bytes -= letter_bytes;
        self.cursor.settle(offset);
    }

    /// There was no room for an event of `bytes` bytes that was read again. Until there is, it is
    /// not worth it: the same would be read over and over.
    pub(crate) fn lacks_room_for(&mut self, bytes: usize) {
        self.next_bytes = bytes;
        self.flush();
    }

    /// Half-full batches wait no longer for company: nothing more can come.
    pub fn flush(&mut self) {
        if let Some(gathering) = &mut self.gathering {
            gathering.flush();
        }
    }

    /// The next request to make now. `waker` is called when it is worth asking again because of what
    /// other partitions do.
    pub fn poll(&mut self, now: Now, waker: &Waker) -> Option<Attempt> {
        if self.is_paused() || !self.may_send() {
            return None;
        }
        self.queue.wake(now.instant);
        self.seal_what_is_due(now.instant);
        self.attempt(now, waker)
    }

    /// When [`poll`](Self::poll) has something again, if no answer arrives before.
    #[must_use]
    pub fn wake_at(&self, now: Now) -> Option<Instant> {
        if self.is_paused() {
            return None;
        }
        let expiry = self.expires_at(now);
        if !self.may_send() {
            return expiry;
        }
        let retry = self.queue.wake_at();
        let gathering = self.gathering.as_ref();
        let batch = gathering.and_then(|open| open.due_at(|target| !self.is_held(target)));
        retry.into_iter().chain(batch).chain(self.ask_again_at).chain(expiry).min()
    }

    /// The partition's reader goes on from `reader` without this lane. What was attempted stays,
    /// and the oldest event; the rest leaves memory and is read again.
    pub fn fall_behind(&mut self, reader: Position) {
        let open = self.gathering.as_mut().map(Gathering::seal_all);
        self.push_sealed(open.into_iter().flatten());
        let mut stays: HashSet<_> =
            self.queue.shed(self.cursor.lowest_held()).into_iter().collect();
        stays.extend(&self.buried);
        self.cursor.fall_behind(reader, |offset| !stays.contains(&offset));
    }

    fn action(&self) -> &Action {
        &self.plan.actions[self.id.action.0]
    }

    fn gate(&self) -> Option<&Gate> {
        self.entrance.as_ref().map(Entrance::gate)
    }

    /// Requests without a gate are limited here; those with one, there.
    fn may_send(&self) -> bool {
        let has_place = || self.in_flight < self.action().delivery.concurrency.get();
        !self.is_leaving && (self.entrance.is_some() || has_place())
    }

    /// What a single event has to wait for, if for anything: those before it with its key.
    fn key_chain(&self, record: &Record<'_>, target: &Target) -> Option<ChainId> {
        let action = self.action();
        if action.delivery.order == Order::None {
            return None;
        }
        // A constant target is the same for all and adds nothing.
        let is_constant = matches!(action.request.target, TargetTemplate::Constant(_));
        let target = (!is_constant).then_some(target);
        record.key.map(|key| ChainId::new((key, target)))
    }

    /// What a batch has to wait for, if for anything: those before it with its target.
    fn target_chain(&self, target: &Target) -> Option<ChainId> {
        (self.action().delivery.order == Order::Key).then(|| ChainId::new(target))
    }

    fn is_held(&self, target: &Target) -> bool {
        self.target_chain(target).is_some_and(|chain| self.queue.is_held(chain))
    }

    /// Batches are sealed only when their target is free and some request may go: until then they
    /// may still gain company. A sealed one goes behind what is ready and not after everything
    /// that is, or targets that always have something ready would keep it waiting for ever.
    fn seal_what_is_due(&mut self, now: Instant) {
        let Some(mut gathering) = self.gathering.take() else { return };
        self.push_sealed(gathering.seal_due(now, |target| !self.is_held(target)));
        self.gathering = Some(gathering);
    }

    /// The destination's and the action's name.
    #[must_use]
    pub fn addressee(&self) -> (Arc<str>, Arc<str>) {
        let action = self.action();
        (Arc::clone(&action.destination_name), Arc::clone(&action.name))
    }
}

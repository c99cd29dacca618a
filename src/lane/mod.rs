//! One action's way through one partition: from an event that is owed to one that is settled.
//!
//! A lane gathers payloads into batches, decides which request may go now, and what an answer
//! means for the events it carried. It knows its own events only: what the others of the
//! partition do, and how far the position may move, is the pipeline's business.

mod attempt;
mod chains;
mod completing;
pub(crate) mod cursor;
mod gather;
pub(crate) mod invalid;
mod queue;

use std::collections::HashSet;
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use crate::batch::{Framing, OpenBatch};
use crate::gate::{Entrance, Gate, Pass, Wait};
use crate::gates::Gates;
use crate::lane::chains::ChainId;
use crate::lane::cursor::Cursor;
use crate::lane::gather::{Gathering, Sealed};
use crate::lane::queue::{Queue, Request};
use crate::plan::{Action, ActionId, Order, Plan, Target, TargetTemplate};
use crate::record::{Now, Offset, Position, Record, TopicPartition};
use crate::request::SignedRequest;
use crate::signature::{Signer, idempotency_key};

use attempt::RequestId;
pub use attempt::{Answer, Attempt, Completed, Ticket};

/// So many runs of unsettled offsets are told of a lane at the most: one that needs more begins
/// nothing but its oldest event until it needs fewer.
const MOST_RUNS: usize = 64;

/// See the module's documentation.
#[derive(Debug)]
pub struct Lane {
    plan: Arc<Plan>,
    id: ActionId,
    partition: TopicPartition,
    signer: Option<Signer>,
    cursor: Cursor,
    /// Present when the action gathers its events.
    gathering: Option<Gathering>,
    queue: Queue,
    /// What its endpoint's lanes in all partitions share.
    gates: Arc<Gates>,
    /// Its way through the endpoint's gate, where there is one.
    entrance: Option<Entrance>,
    /// When it is worth asking the gate again.
    ask_again_at: Option<Instant>,
    /// The most events of the next request: less than its action allows after a failure.
    most_together: usize,
    in_flight: usize,
    /// The events that wait for their letters to be written.
    buried: HashSet<Offset>,
    /// The bytes that those letters hold.
    letter_bytes: usize,
}

/// What proves a request's origin and tells it from others.
#[derive(Debug, Clone)]
struct Stamp {
    signature: Option<Arc<str>>,
    idempotency_key: Arc<str>,
}

impl Lane {
    /// A lane of the action `id` in `partition` that holds nothing, and stands at `cursor`.
    #[must_use]
    pub(crate) fn new(
        plan: Arc<Plan>,
        id: ActionId,
        partition: TopicPartition,
        cursor: Cursor,
        gates: Arc<Gates>,
    ) -> Self {
        let action = &plan.actions[id.0];
        let entrance = gates.gate(id).map(Gate::entrance);
        let signer = action.shared_secret.as_ref().map(Signer::new);
        let gathering = action.batch.map(Gathering::new);
        Self {
            plan,
            id,
            partition,
            signer,
            cursor,
            gathering,
            queue: Queue::default(),
            gates,
            entrance,
            ask_again_at: None,
            most_together: usize::MAX,
            in_flight: 0,
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

    /// Whether every event that it holds is settled.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cursor.is_empty()
    }

    /// Whether nothing can move on without the operator.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.action().paused
    }

    /// Whether waiting for it is in vain for now: it is paused, or its endpoint is down.
    #[must_use]
    pub fn is_stuck(&self) -> bool {
        let gate = self.gates.gate(self.id);
        self.is_paused() || gate.is_some_and(|gate| gate.is_open())
    }

    /// It has nothing to send for now: other lanes of its endpoint go first.
    pub fn step_aside(&mut self) {
        self.ask_again_at = None;
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

    /// Whether it is worth reading the log again for it: it is behind, could send, and holds less
    /// than half of what it may.
    #[must_use]
    pub fn wants_to_catch_up(&self, share: usize, now: Instant) -> bool {
        // Without an event there is nothing to find out with that the endpoint is well again.
        let could_send = self.is_empty() || self.could_catch_up_at(now).is_none();
        let is_hungry =
            self.cursor.held_events() <= self.most_events() / 2 && self.held_bytes() <= share / 2;
        self.cursor.is_behind() && !self.is_paused() && is_hungry && could_send
    }

    /// When it may be worth reading the log again for it, where its endpoint is what keeps it.
    #[must_use]
    pub fn could_catch_up_at(&self, now: Instant) -> Option<Instant> {
        let gate = self.gates.gate(self.id)?;
        match gate.could_go(now) {
            Err(Wait::Until(at)) if self.cursor.is_behind() && !self.is_paused() => Some(at),
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
    pub fn take(&mut self, record: &Record<'_>, payload: &[u8], target: Arc<Target>, now: Now) {
        self.cursor.take(record.offset);
        let Some(gathering) = &mut self.gathering else {
            let mut batch = OpenBatch::new(Framing::Bare, payload.len(), now.instant);
            batch.add(payload, record);
            let chain = self.key_chain(record, &target);
            self.queue.push(batch.seal(), target, chain);
            return;
        };
        for Sealed { batch, target } in gathering.add(record, payload, &target, now.instant) {
            let chain = self.target_chain(&target);
            self.queue.push(batch, target, chain);
        }
    }

    /// Takes an event that is owed and can only be dead-lettered, in a letter of so many bytes.
    /// It is settled by [`letter_written`](Self::letter_written).
    pub fn take_unsendable(&mut self, offset: Offset, letter_bytes: usize) {
        self.cursor.take(offset);
        self.bury(offset, letter_bytes);
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
    pub fn wake_at(&self) -> Option<Instant> {
        if self.is_paused() || !self.may_send() {
            return None;
        }
        let retry = self.queue.wake_at();
        let gathering = self.gathering.as_ref();
        let batch = gathering.and_then(|open| open.due_at(|target| !self.is_held(target)));
        retry.into_iter().chain(batch).chain(self.ask_again_at).min()
    }

    /// The partition's reader goes on from `reader` without this lane. What was attempted stays,
    /// and the oldest event; the rest leaves memory and is read again.
    pub fn fall_behind(&mut self, reader: Position) {
        let open = self.gathering.as_mut().map(Gathering::seal_all);
        for Sealed { batch, target } in open.into_iter().flatten() {
            let chain = self.target_chain(&target);
            self.queue.push(batch, target, chain);
        }
        let mut stays: HashSet<_> =
            self.queue.shed(self.cursor.lowest_held()).into_iter().collect();
        stays.extend(&self.buried);
        self.cursor.fall_behind(reader, |offset| !stays.contains(&offset));
    }

    fn action(&self) -> &Action {
        &self.plan.actions[self.id.0]
    }

    /// Requests without a gate are limited here; those with one, there.
    fn may_send(&self) -> bool {
        self.entrance.is_some() || self.in_flight < self.action().delivery.concurrency.get()
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
        if let Some(sealed) = gathering.seal_due(now, |target| !self.is_held(target)) {
            let Sealed { batch, target } = sealed;
            let chain = self.target_chain(&target);
            self.queue.push(batch, target, chain);
        }
        self.gathering = Some(gathering);
    }

    /// Begins the next request that is ready, if the gate lets it through.
    fn attempt(&mut self, now: Now, waker: &Waker) -> Option<Attempt> {
        let lowest = self.cursor.lowest_held();
        // Whatever is begun now may be settled before what lies below it.
        let is_ragged = self.cursor.count_runs() > MOST_RUNS;
        let may_go = |request: &Request| {
            let first = request.batch.entries().first().map(|entry| entry.offset);
            !is_ragged || request.attempts > 0 || first == lowest
        };
        if !self.queue.has_ready(may_go) {
            self.step_aside();
            return None;
        }
        let mut pass = None;
        if let Some(entrance) = &mut self.entrance {
            match entrance.ask(now.instant, waker) {
                Ok(granted) => pass = Some(granted),
                Err(wait) => {
                    self.ask_again_at = match wait {
                        Wait::Until(at) => Some(at),
                        Wait::ForAPlace => None,
                    };
                    return None;
                }
            }
        }
        self.ask_again_at = None;
        let probe = pass.as_ref().and_then(Pass::probe);
        let id = match probe {
            Some(nth) => self.queue.next_oldest(nth, may_go)?,
            None => self.queue.next(may_go)?,
        };
        let most_together = if probe.is_some() { 1 } else { self.most_together };
        if self.queue.request(id).batch.entries().len() > most_together {
            self.queue.cut(id, most_together);
        }
        let action = &self.plan.actions[self.id.0];
        let request = self.queue.request(id);
        request.pass = pass;
        let entries = request.batch.entries();
        let stamp = request.stamp.get_or_insert_with(|| {
            let scope = action.delivery.signature;
            let signature =
                self.signer.as_ref().map(|signer| signer.sign_batch(&request.batch, scope));
            let (destination, name) = (&action.destination_name, &action.name);
            let key = idempotency_key(destination, name, &self.partition, entries);
            Stamp { signature: signature.map(Arc::from), idempotency_key: key.into() }
        });
        request.attempts = request.attempts.saturating_add(1);
        request.first_attempt_at.get_or_insert(now.unix_ms);
        self.in_flight += 1;
        Some(Attempt {
            ticket: Ticket { action: self.id, request: id },
            request: SignedRequest {
                target: Arc::clone(&request.target),
                body: request.batch.body().clone(),
                signature: stamp.signature.clone(),
                idempotency_key: Arc::clone(&stamp.idempotency_key),
            },
            events: entries.len(),
            is_admitted: self.entrance.is_some(),
            timeout: action.delivery.timeout,
        })
    }

    /// The destination's and the action's name.
    #[must_use]
    pub fn addressee(&self) -> (Arc<str>, Arc<str>) {
        let action = self.action();
        (Arc::clone(&action.destination_name), Arc::clone(&action.name))
    }
}

//! The requests of a lane that are not through, and which of them may go next.
//!
//! Knows order (chains) and time (backoff). It does not know how many may be in flight, nor what
//! an answer means: that is the lane's business.

mod overtaking;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use slab::Slab;

use super::RequestId;
use super::alone::{Alone, Inherited};
use super::chains::{ChainId, Chains, Turn};
use super::sending::Stamp;
use crate::batch::{Batch, Entry};
use crate::gate::Pass;
use crate::plan::Target;
use crate::record::Offset;
use overtaking::OutOfTurn;

/// A sealed batch on its way.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) batch: Batch,
    pub(super) target: Arc<Target>,
    chain: Option<ChainId>,
    /// Made for the first attempt, and the same for all.
    pub(super) stamp: Option<Stamp>,
    /// How often the events were sent, as part of larger batches too.
    pub(super) attempts: u32,
    /// How often this request has failed.
    pub(super) failures: u32,
    /// The most of its events that go together: fewer after each failure. What others of the lane
    /// meet with must not make it whole again, or one that fails would never be found.
    pub(super) most_together: usize,
    /// When the events were sent first, in milliseconds since 1970-01-01 UTC.
    pub(super) first_attempt_at: Option<i64>,
    /// What let it through the gate, while an answer is awaited.
    pub(super) pass: Option<Pass>,
    is_in_flight: bool,
    /// Whether it has failed while it held a single event.
    has_failed_alone: bool,
    /// Its failures alone, while it holds a single event.
    pub(super) alone: Alone,
    /// How its last attempt failed.
    pub(super) last_failure: Option<Arc<Failure>>,
}

/// How an attempt failed, as a letter tells it.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) status: Option<u16>,
    pub(super) detail: String,
}

impl Request {
    /// The same with another batch, of which it is not known yet that it fails.
    fn with(&self, batch: Batch) -> Self {
        Self {
            batch,
            target: Arc::clone(&self.target),
            stamp: None,
            pass: None,
            is_in_flight: false,
            has_failed_alone: false,
            alone: Alone::default(),
            last_failure: self.last_failure.clone(),
            ..*self
        }
    }

    pub(super) fn first_offset(&self) -> Option<Offset> {
        self.batch.entries().first().map(|entry| entry.offset)
    }
}

/// See the module's documentation.
#[derive(Debug, Default)]
pub(super) struct Queue {
    requests: Slab<Request>,
    chains: Chains,
    /// Requests whose turn it is and whose time has come.
    ready: VecDeque<RequestId>,
    /// Requests whose turn it is and that wait after a failure.
    backing_off: BinaryHeap<Reverse<(Instant, RequestId)>>,
    held_bytes: usize,
    /// How many requests are set aside.
    aside: usize,
    /// The probe that was sent out of its turn.
    out_of_turn: Option<OutOfTurn>,
}

impl Queue {
    pub(super) fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// Whether a request of this chain is on its way.
    pub(super) fn is_held(&self, chain: ChainId) -> bool {
        self.chains.is_held(chain)
    }

    /// Appends a request that was never attempted, behind those of its chain.
    pub(super) fn push(&mut self, batch: Batch, target: Arc<Target>, chain: Option<ChainId>) {
        let id = self.insert(Request {
            batch,
            target,
            chain,
            stamp: None,
            attempts: 0,
            failures: 0,
            most_together: usize::MAX,
            first_attempt_at: None,
            pass: None,
            is_in_flight: false,
            has_failed_alone: false,
            alone: Alone::default(),
            last_failure: None,
        });
        if chain.is_none_or(|chain| self.chains.enter(chain, id) == Turn::Now) {
            self.ready.push_back(id);
        }
    }

    /// Moves what has waited long enough to what is ready.
    pub(super) fn wake(&mut self, now: Instant) {
        while let Some(&Reverse((at, id))) = self.backing_off.peek()
            && at <= now
        {
            self.backing_off.pop();
            self.ready.push_back(id);
        }
    }

    /// When the next request has waited long enough.
    pub(super) fn wake_at(&self) -> Option<Instant> {
        self.backing_off.peek().map(|&Reverse((at, _))| at)
    }

    /// Whether a request waits for another.
    pub(super) fn anything_waits(&self) -> bool {
        self.chains.anything_waits()
    }

    /// Whether there is a request that is ready and for which `may_go` says yes.
    pub(super) fn has_ready(&self, may_go: impl Fn(&Request) -> bool) -> bool {
        self.ready.iter().any(|id| self.may_leave(*id, &may_go))
    }

    /// The next request that is ready and for which `may_go` says yes. It keeps its turn until it
    /// is removed.
    pub(super) fn next(&mut self, may_go: impl Fn(&Request) -> bool) -> Option<RequestId> {
        let index = self.ready.iter().position(|id| self.may_leave(*id, &may_go))?;
        self.send(index)
    }

    /// What an endpoint that is down is probed with: the oldest of what is ready, if `nth` is 0, and
    /// another one otherwise. Where all others wait for that one, `may_overtake` says whether one
    /// of them may go in its place. What was set aside comes last: it may fail for itself.
    pub(super) fn next_probe(
        &mut self,
        nth: usize,
        may_go: impl Fn(&Request) -> bool,
        may_overtake: bool,
    ) -> Option<RequestId> {
        let ready = self.ready.iter().enumerate();
        let ready = ready.filter(|(_, id)| self.may_leave(**id, &may_go));
        let mut by_age: Vec<_> = ready
            .map(|(index, id)| {
                let request = &self.requests[id.0];
                (request.alone.is_aside(), request.first_offset(), index)
            })
            .collect();
        by_age.sort_unstable();
        let (_, _, oldest) = *by_age.first()?;
        let others = by_age.len() - 1;
        match nth {
            0 => self.send(oldest),
            _ if others > 0 => self.send(by_age[1 + (nth - 1) % others].2),
            _ if may_overtake => {
                let holder = self.ready[oldest];
                self.overtake(holder).or_else(|| self.send(oldest))
            }
            _ => self.send(oldest),
        }
    }

    /// Whether something else than a request in flight is ready, or waits for it and `may_overtake`.
    pub(super) fn has_others_than(&self, id: RequestId, may_overtake: bool) -> bool {
        let chain = self.requests[id.0].chain.filter(|_| may_overtake);
        let waits = chain.is_some_and(|chain| self.chains.waiting(chain).next().is_some());
        waits || !self.ready.is_empty()
    }

    fn send(&mut self, ready: usize) -> Option<RequestId> {
        let id = self.ready.remove(ready)?;
        self.requests[id.0].is_in_flight = true;
        Some(id)
    }

    fn may_leave(&self, id: RequestId, may_go: impl Fn(&Request) -> bool) -> bool {
        may_go(&self.requests[id.0]) && !self.is_overtaken(id)
    }

    /// A request is tried on its own from now on, which is at `unix_ms`.
    pub(super) fn set_aside(&mut self, id: RequestId, unix_ms: i64, inherited: Option<&Inherited>) {
        let request = &mut self.requests[id.0];
        let offset = request.first_offset();
        let inherited = offset.and_then(|offset| inherited?.since(offset));
        request.alone.set_aside(unix_ms, inherited);
        self.aside += 1;
    }

    /// The chain goes on without the request whose turn it is.
    pub(super) fn leave_chain(&mut self, id: RequestId) {
        let chain = self.requests[id.0].chain.take();
        self.ready.extend(chain.and_then(|chain| self.chains.leave(chain)));
    }

    /// How many events are set aside.
    pub(super) fn aside(&self) -> usize {
        self.aside
    }

    /// Since when the one fails that was set aside and fails for the longest.
    pub(super) fn aside_since(&self) -> Option<i64> {
        if self.aside == 0 {
            return None;
        }
        self.requests.iter().filter_map(|(_, request)| request.alone.aside_since()).min()
    }

    /// What a probe would go with: the oldest of what is ready.
    pub(super) fn oldest_ready(&self) -> Option<RequestId> {
        let age = |id: &&RequestId| {
            let request = &self.requests[id.0];
            (request.alone.is_aside(), request.first_offset())
        };
        self.ready.iter().filter(|id| !self.is_overtaken(**id)).min_by_key(age).copied()
    }

    /// Takes out the events that have expired, of what is neither in flight nor `spared`: of each
    /// request those that are in front of the first one that has not. Says also when that is the
    /// case for the next.
    pub(super) fn expire(
        &mut self,
        now: i64,
        spared: Option<RequestId>,
        expires_at: impl Fn(&Request, &Entry) -> Option<i64>,
    ) -> (Vec<Request>, Option<i64>) {
        let mut prefixes = Vec::new();
        let mut next: Option<i64> = None;
        for (index, request) in &self.requests {
            let id = RequestId(index);
            if request.is_in_flight || self.is_overtaken(id) || spared == Some(id) {
                continue;
            }
            let entries = request.batch.entries();
            let mut times = entries.iter().map(|entry| expires_at(request, entry));
            let fresh = times.clone().position(|at| at.is_none_or(|at| at > now));
            let expired = fresh.unwrap_or(entries.len());
            if expired > 0 {
                prefixes.push((id, expired));
            }
            let first_fresh = times.nth(expired).flatten();
            next = next.into_iter().chain(first_fresh).min();
        }
        if prefixes.is_empty() {
            return (Vec::new(), next);
        }
        let gone: HashSet<_> = prefixes
            .iter()
            .filter(|(id, expired)| self.requests[id.0].batch.entries().len() == *expired)
            .map(|(id, _)| *id)
            .collect();
        for waiting in self.chains.forget(&gone) {
            self.requests[waiting.0].chain = None;
        }
        self.ready.retain(|id| !gone.contains(id));
        self.backing_off.retain(|Reverse((_, id))| !gone.contains(id));
        let mut expired = Vec::with_capacity(prefixes.len());
        for (id, events) in prefixes {
            if gone.contains(&id) {
                expired.push(self.remove(id));
            } else {
                let (first, rest) = self.requests[id.0].batch.cut(events);
                self.replace(id, rest);
                let request = &mut self.requests[id.0];
                request.stamp = None;
                expired.push(request.with(first));
            }
        }
        (expired, next)
    }

    /// Leaves a request its first `events` events; the others follow it on their own.
    pub(super) fn cut(&mut self, id: RequestId, events: usize) {
        let rest = self.part(id, events);
        match self.requests[id.0].chain {
            Some(chain) => self.chains.enter_at(chain, 0, rest),
            None => self.ready.push_front(rest),
        }
    }

    /// Leaves a request its first `events` events, and makes another one of the rest, which is
    /// nowhere in line yet.
    fn part(&mut self, id: RequestId, events: usize) -> RequestId {
        let (first, rest) = self.requests[id.0].batch.cut(events);
        self.replace(id, first);
        let request = &mut self.requests[id.0];
        request.stamp = None;
        let rest = request.with(rest);
        self.insert(rest)
    }

    pub(super) fn request(&mut self, id: RequestId) -> &mut Request {
        &mut self.requests[id.0]
    }

    /// A request goes again, not before `at`.
    pub(super) fn back_off(&mut self, id: RequestId, at: Instant) {
        self.backing_off.push(Reverse((at, id)));
    }

    /// Takes out a request that is through, and gives the next of its chain its turn.
    pub(super) fn remove(&mut self, id: RequestId) -> Request {
        let request = self.take(id);
        let next = request.chain.and_then(|chain| self.chains.leave(chain));
        self.ready.extend(next);
        request
    }

    /// Puts the halves of a request in its place, the earlier one first.
    pub(super) fn split(&mut self, id: RequestId) {
        let request = &mut self.requests[id.0];
        request.failures = 0;
        let half = request.batch.entries().len().div_ceil(2);
        self.cut(id, half);
        self.ready.push_front(id);
    }

    /// Forgets what was never attempted, but for the event at `kept`, and names what stays.
    pub(super) fn shed(&mut self, kept: Option<Offset>) -> Vec<Offset> {
        let waiting = self.requests.iter().filter(|(_, request)| request.attempts == 0);
        let waiting: Vec<_> = waiting.map(|(id, _)| RequestId(id)).collect();
        for id in waiting {
            let request = &mut self.requests[id.0];
            let entries = request.batch.entries();
            let kept = entries.iter().position(|entry| Some(entry.offset) == kept);
            match kept {
                None => drop(self.take(id)),
                Some(index) if entries.len() > 1 => {
                    let only = request.batch.only(index);
                    self.replace(id, only);
                }
                Some(_) => {}
            }
        }
        // Only what has its turn was attempted, and the oldest event has its turn too: where one of
        // a chain is left, it holds the chain.
        let requests = &self.requests;
        self.ready.retain(|id| requests.contains(id.0));
        let held: HashSet<_> = requests.iter().filter_map(|(_, request)| request.chain).collect();
        self.chains.retain(|chain| held.contains(&chain), |id| requests.contains(id.0));
        let entries = self.requests.iter().flat_map(|(_, request)| request.batch.entries());
        entries.map(|entry| entry.offset).collect()
    }

    /// Gives a request another batch.
    fn replace(&mut self, id: RequestId, batch: Batch) {
        let request = &mut self.requests[id.0];
        self.held_bytes += batch.held_bytes();
        self.held_bytes -= request.batch.held_bytes();
        request.batch = batch;
    }

    fn insert(&mut self, request: Request) -> RequestId {
        self.held_bytes += request.batch.held_bytes();
        RequestId(self.requests.insert(request))
    }

    fn take(&mut self, id: RequestId) -> Request {
        let request = self.requests.remove(id.0);
        self.aside -= usize::from(request.alone.is_aside());
        self.held_bytes -= request.batch.held_bytes();
        request
    }
}

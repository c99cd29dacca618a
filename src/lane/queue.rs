//! The requests of a lane that are not through, and which of them may go next.
//!
//! Knows order (chains) and time (backoff). It does not know how many may be in flight, nor what
//! an answer means: that is the lane's business.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use slab::Slab;

use super::chains::{ChainId, Chains, Turn};
use super::{RequestId, Stamp};
use crate::batch::Batch;
use crate::gate::Pass;
use crate::plan::Target;
use crate::record::Offset;

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
    /// When the events were sent first, in milliseconds since 1970-01-01 UTC.
    pub(super) first_attempt_at: Option<i64>,
    /// What let it through the gate, while an answer is awaited.
    pub(super) pass: Option<Pass>,
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
            first_attempt_at: None,
            pass: None,
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

    /// Whether there is a request that is ready and for which `may_go` says yes.
    pub(super) fn has_ready(&self, may_go: impl Fn(&Request) -> bool) -> bool {
        self.ready.iter().any(|id| may_go(&self.requests[id.0]))
    }

    /// The next request that is ready and for which `may_go` says yes. It keeps its turn until it
    /// is removed.
    pub(super) fn next(&mut self, may_go: impl Fn(&Request) -> bool) -> Option<RequestId> {
        let index = self.ready.iter().position(|id| may_go(&self.requests[id.0]))?;
        self.ready.remove(index)
    }

    /// The same by age: 0 is the oldest, 1 the next one, and after the last one the oldest again.
    pub(super) fn next_oldest(
        &mut self,
        nth: usize,
        may_go: impl Fn(&Request) -> bool,
    ) -> Option<RequestId> {
        let ready = self.ready.iter().enumerate();
        let ready = ready.map(|(index, id)| (index, &self.requests[id.0]));
        let ready = ready.filter(|(_, request)| may_go(request));
        let age = |request: &Request| request.batch.entries().first().map(|entry| entry.offset);
        let mut by_age: Vec<_> = ready.map(|(index, request)| (age(request), index)).collect();
        by_age.sort_unstable();
        let (_, index) = *by_age.get(nth % by_age.len().max(1))?;
        self.ready.remove(index)
    }

    /// Leaves a request its first `events` events; the others follow it on their own.
    pub(super) fn cut(&mut self, id: RequestId, events: usize) {
        let (first, rest) = self.requests[id.0].batch.cut(events);
        self.replace(id, first);
        let request = &mut self.requests[id.0];
        request.stamp = None;
        let target = Arc::clone(&request.target);
        let rest = Request { batch: rest, target, stamp: None, pass: None, ..*request };
        let chain = rest.chain;
        let rest = self.insert(rest);
        match chain {
            Some(chain) => self.chains.enter_next(chain, rest),
            None => self.ready.push_front(rest),
        }
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
        self.held_bytes -= request.batch.held_bytes();
        request
    }
}

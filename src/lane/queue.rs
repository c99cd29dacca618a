//! The requests of a lane that are not through, and which of them may go next.
//!
//! Knows order (chains) and time (backoff). It does not know how many may be in flight, nor what
//! an answer means: that is the lane's business.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use slab::Slab;

use super::chains::{ChainId, Chains, Turn};
use super::{RequestId, Stamp};
use crate::batch::Batch;
use crate::plan::Target;
use crate::record::{Offset, Position};

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
    /// Whether an answer is awaited.
    is_in_flight: bool,
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
            is_in_flight: false,
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

    /// The next request that is ready, which is in flight from now on. It keeps its turn until it
    /// is removed.
    pub(super) fn next(&mut self) -> Option<(RequestId, &mut Request)> {
        let id = self.ready.pop_front()?;
        let request = &mut self.requests[id.0];
        request.is_in_flight = true;
        Some((id, request))
    }

    /// The position of a reader that has read everything that is in flight.
    pub(super) fn in_flight_end(&self) -> Option<Position> {
        let in_flight = self.requests.iter().filter(|(_, request)| request.is_in_flight);
        let last = |request: &Request| request.batch.entries().last().map(|entry| entry.offset);
        in_flight.filter_map(|(_, request)| last(request)).max().map(Offset::next)
    }

    pub(super) fn request(&mut self, id: RequestId) -> &mut Request {
        &mut self.requests[id.0]
    }

    /// A request goes again, not before `at`.
    pub(super) fn back_off(&mut self, id: RequestId, at: Instant) {
        self.requests[id.0].is_in_flight = false;
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
        let whole = self.take(id);
        let (first, second) = whole.batch.split();
        let half = |batch| {
            let target = Arc::clone(&whole.target);
            Request { batch, target, stamp: None, failures: 0, is_in_flight: false, ..whole }
        };
        let (first, second) = (half(first), half(second));
        let second = self.insert(second);
        match whole.chain {
            Some(chain) => self.chains.enter_next(chain, second),
            None => self.ready.push_front(second),
        }
        let first = self.insert(first);
        self.ready.push_front(first);
    }

    /// Forgets the events at `end` and above that are not in flight, and names them.
    pub(super) fn leave_from(&mut self, end: Position) -> Vec<Offset> {
        let waiting = self.requests.iter().filter(|(_, request)| !request.is_in_flight);
        let waiting: Vec<_> = waiting.map(|(id, _)| RequestId(id)).collect();
        let mut left = Vec::new();
        for id in waiting {
            let request = &mut self.requests[id.0];
            let offsets = request.batch.entries().iter().map(|entry| entry.offset);
            let above = left.len();
            left.extend(offsets.filter(|offset| !end.is_past(*offset)));
            if left.len() == above {
                continue;
            }
            match request.batch.below(end) {
                None => drop(self.take(id)),
                Some(below) => {
                    self.held_bytes -= request.batch.held_bytes();
                    self.held_bytes += below.held_bytes();
                    request.batch = below;
                    request.stamp = None;
                }
            }
        }
        // Chains are in the order of the partition: behind a request that is left there are only
        // such as are left too, and what remains keeps its turn.
        let requests = &self.requests;
        self.backing_off.retain(|Reverse((_, id))| requests.contains(id.0));
        self.ready.retain(|id| requests.contains(id.0));
        self.chains.retain(|id| requests.contains(id.0));
        left
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

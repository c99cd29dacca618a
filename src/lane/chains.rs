//! Which requests wait for one another.
//!
//! A chain is what must stay in order: the events of one key, or the batches of one target. Only
//! the first request of a chain may be sent; the others wait behind it. Chains exist only while
//! they hold requests, so thousands of keys cost nothing once they are through.

use std::collections::hash_map::Entry;
use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, Hash};

use foldhash::HashMap;
use foldhash::fast::FixedState;

use super::RequestId;

/// What is kept in order, by its hash. Two keys that share one are ordered among each other,
/// which is more than was asked and wrong for nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ChainId(u64);

impl ChainId {
    pub(super) fn new(parts: impl Hash) -> Self {
        Self(FixedState::default().hash_one(parts))
    }
}

/// Whether a request may go at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Now,
    Later,
}

/// The chains that hold requests. A key that is present is held by the request whose turn it is;
/// the queue is what waits behind that one.
#[derive(Debug, Default)]
pub(super) struct Chains {
    waiting: HashMap<ChainId, VecDeque<RequestId>>,
}

impl Chains {
    /// Whether a request of this chain is under way.
    pub(super) fn is_held(&self, chain: ChainId) -> bool {
        self.waiting.contains_key(&chain)
    }

    /// Appends a request to its chain.
    pub(super) fn enter(&mut self, chain: ChainId, request: RequestId) -> Turn {
        match self.waiting.entry(chain) {
            Entry::Occupied(mut queue) => {
                queue.get_mut().push_back(request);
                Turn::Later
            }
            Entry::Vacant(free) => {
                free.insert(VecDeque::new());
                Turn::Now
            }
        }
    }

    /// Puts a request into a chain that is held, behind `before` of those that wait.
    pub(super) fn enter_at(&mut self, chain: ChainId, before: usize, request: RequestId) {
        let queue = self.waiting.entry(chain).or_default();
        queue.insert(before.min(queue.len()), request);
    }

    /// Whether anything waits for another.
    pub(super) fn anything_waits(&self) -> bool {
        self.waiting.values().any(|queue| !queue.is_empty())
    }

    /// Those that wait in a chain, in their order.
    pub(super) fn waiting(&self, chain: ChainId) -> impl Iterator<Item = &RequestId> {
        self.waiting.get(&chain).into_iter().flatten()
    }

    /// Takes out the one that waits behind `before` others.
    pub(super) fn withdraw(&mut self, chain: ChainId, before: usize) -> Option<RequestId> {
        self.waiting.get_mut(&chain)?.remove(before)
    }

    /// Forgets those among `gone` that wait, and says which these are.
    pub(super) fn forget(&mut self, gone: &HashSet<RequestId>) -> Vec<RequestId> {
        let mut forgotten = Vec::new();
        for queue in self.waiting.values_mut().filter(|_| !gone.is_empty()) {
            queue.retain(|request| {
                let is_gone = gone.contains(request);
                forgotten.extend(is_gone.then_some(*request));
                !is_gone
            });
        }
        forgotten
    }

    /// The request that held the chain is through: whose turn is it now?
    pub(super) fn leave(&mut self, chain: ChainId) -> Option<RequestId> {
        let queue = self.waiting.get_mut(&chain)?;
        let next = queue.pop_front();
        if next.is_none() {
            self.waiting.remove(&chain);
        }
        next
    }

    /// Forgets the chains that `is_held` says are held by nobody, and in the others whatever waits
    /// and is not to be kept.
    pub(super) fn retain(
        &mut self,
        is_held: impl Fn(ChainId) -> bool,
        is_kept: impl Fn(RequestId) -> bool,
    ) {
        self.waiting.retain(|&chain, _| is_held(chain));
        for queue in self.waiting.values_mut() {
            queue.retain(|&request| is_kept(request));
        }
    }
}

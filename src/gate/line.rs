//! The lanes that wait in front of a gate, first come, first served.
//!
//! A lane stands in line from the answer that it has to wait until it is let in or leaves. For as
//! long as it stands there its place is kept: a lane that has just had a request answered would
//! otherwise always be there first, and the others would wait for ever. Every lane whose turn it
//! is has been called since it asked last, so no call is ever lost.

use std::collections::VecDeque;
use std::task::Waker;

/// A lane, as one gate knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LaneId(pub(super) u64);

/// Whether a lane that waits has to be told when its turn has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Await {
    /// It has to be called.
    Call,
    /// It knows a time and asks again then.
    Time,
}

/// See the module's documentation. As long as there are lanes at most.
#[derive(Debug, Default)]
pub(super) struct Line {
    waiting: VecDeque<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    lane: LaneId,
    waker: Waker,
    /// It has been called since it asked last, or needs no call.
    is_called: bool,
}

/// Who is to be called. Calls are made when the gate is unlocked: nobody knows what a waker does.
#[derive(Debug, Default)]
#[must_use]
pub(super) struct Calls {
    /// Mostly there is one at most, and this costs no allocation.
    first: Option<Waker>,
    others: Vec<Waker>,
}

impl Line {
    /// How many lanes stand in front of `lane`: all of them, when it does not stand in line.
    pub(super) fn ahead_of(&self, lane: LaneId) -> usize {
        self.position(lane).unwrap_or(self.waiting.len())
    }

    /// Whether nobody waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether a lane other than `lane` waits.
    pub(super) fn has_others_than(&self, lane: LaneId) -> bool {
        self.waiting.iter().any(|waiting| waiting.lane != lane)
    }

    /// `lane` has asked and has to wait. It keeps its place, or takes the last one.
    pub(super) fn wait(&mut self, lane: LaneId, waker: &Waker, awaited: Await) {
        let is_called = awaited == Await::Time;
        match self.position(lane).and_then(|at| self.waiting.get_mut(at)) {
            Some(waiting) => {
                waiting.waker.clone_from(waker);
                waiting.is_called = is_called;
            }
            None => self.waiting.push_back(Waiting { lane, waker: waker.clone(), is_called }),
        }
    }

    /// `lane` waits no longer.
    pub(super) fn leave(&mut self, lane: LaneId) {
        if let Some(at) = self.position(lane) {
            self.waiting.remove(at);
        }
    }

    /// The turn of the first `places` lanes has come.
    pub(super) fn call(&mut self, places: usize) -> Calls {
        let mut calls = Calls::default();
        let uncalled = self.waiting.iter_mut().take(places).filter(|waiting| !waiting.is_called);
        for waiting in uncalled {
            waiting.is_called = true;
            calls.add(waiting.waker.clone());
        }
        calls
    }

    /// What the lanes were told holds no longer: all of them have to ask anew.
    pub(super) fn call_all(&mut self) -> Calls {
        for waiting in &mut self.waiting {
            waiting.is_called = false;
        }
        self.call(usize::MAX)
    }

    fn position(&self, lane: LaneId) -> Option<usize> {
        self.waiting.iter().position(|waiting| waiting.lane == lane)
    }
}

impl Calls {
    /// Makes them.
    pub(super) fn make(self) {
        for waker in self.first.into_iter().chain(self.others) {
            waker.wake();
        }
    }

    fn add(&mut self, waker: Waker) {
        match &self.first {
            None => self.first = Some(waker),
            Some(_) => self.others.push(waker),
        }
    }
}

//! How many requests an endpoint gets, and when: the state that all its lanes in a process share.
//!
//! An endpoint is one action and one origin. Every request needs a [`Pass`] of its gate. The gate
//! narrows when the endpoint cannot keep up, obeys its `Retry-After`, lets single probes through
//! while it is down, and lets the lanes that wait in first come, first served. It does not know
//! events: which of them goes is the lane's business, and so is what becomes of them.

mod breaker;
mod line;
mod since;
mod state;
#[cfg(test)]
mod tests;
mod window;

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

pub use crate::gate::since::FailingSince;

use crate::gate::breaker::Probed;
use crate::gate::line::LaneId;
use crate::gate::state::{Begun, State};
use crate::plan::Delivery;
use crate::record::Now;
use crate::verdict::{Outcome, Verdict};

/// See the module's documentation.
#[derive(Debug)]
pub struct Gate {
    state: Mutex<State>,
    /// What [`expires_since`](Self::expires_since) says: every lane asks at every turn, and must
    /// not stand in anybody's way for it.
    expires_since: AtomicI64,
}

/// In place of a time: there is none.
const NEVER: i64 = i64::MAX;

/// One lane's way through the gate. A lane that is told to wait stands in line, and its place is
/// kept: when its turn has come it has to [`ask`](Self::ask) or to [`leave`](Self::leave), or
/// those behind it wait for ever. Dropping the entrance leaves.
#[derive(Debug)]
pub struct Entrance {
    gate: Arc<Gate>,
    lane: LaneId,
    /// Whether it stands in line.
    is_waiting: bool,
    probed: Option<Probed>,
}

/// The right to make one request, which ends with its answer. To drop it means that the answer
/// will never be known, as when a partition is revoked: its place is free again, and nothing is
/// learnt.
#[must_use = "dropping it gives the place back"]
pub struct Pass {
    gate: Arc<Gate>,
    begun: Begun,
    probe: Option<usize>,
    most_events: usize,
    is_answered: bool,
}

/// Why a request cannot go now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Ask again at this time; the waker may be called before.
    Until(Instant),
    /// Ask again when the waker is called: a place is free.
    ForAPlace,
}

/// What is heard of an endpoint when a request has been answered, or will never be.
#[derive(Debug, Clone, Copy)]
pub struct Heard {
    /// How the attempt ended.
    pub outcome: Outcome,
    /// What is done with its events. One that answers, be it with a refusal, is not down.
    pub verdict: Verdict,
    /// How long the endpoint wants to be left alone.
    pub retry_after: Option<Duration>,
    /// Whose fault a failure is.
    pub fault: Fault,
    /// How many events the request carried.
    pub events: usize,
    /// Whether its lane holds other events that could go in place of these.
    pub has_others: bool,
}

/// Whose fault a failure is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The endpoint's.
    Endpoint,
    /// The event's, which was set aside because it keeps failing where others are accepted.
    Event,
}

/// What an answer has changed for the endpoint as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It has failed too often in a row: from now on it gets one probe at a time.
    Opened,
    /// It answers again, and its requests flow.
    Closed,
}

impl Gate {
    /// The gate of an endpoint of which nothing is known yet.
    #[must_use]
    pub fn new(delivery: &Delivery) -> Self {
        Self { state: Mutex::new(State::new(delivery)), expires_since: AtomicI64::new(NEVER) }
    }

    /// A way through it for one more lane.
    #[must_use]
    pub fn entrance(self: &Arc<Self>) -> Entrance {
        let lane = self.lock().new_lane();
        Entrance { gate: Arc::clone(self), lane, is_waiting: false, probed: None }
    }

    /// Whether one more request could go now. Unlike [`Entrance::ask`] it heeds nobody who waits,
    /// and calls nobody later.
    ///
    /// # Errors
    /// Why not.
    pub fn could_go(&self, now: Instant) -> Result<(), Wait> {
        self.lock().could_go(now)
    }

    /// Whether the endpoint has failed so often in a row that it gets nothing but probes.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.lock().breaker.is_open()
    }

    /// How many requests are in flight.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.lock().in_flight
    }

    /// How many requests may be in flight at a time. Those that were when the endpoint opened
    /// or closed count for its concurrency alone.
    #[must_use]
    pub fn window(&self) -> usize {
        self.lock().window.places()
    }

    /// When it failed for the first time since it accepted something last, in milliseconds since
    /// 1970-01-01 UTC; none: it is well. A refusal does not count as an acceptance: what fails
    /// between refusals must expire some time.
    #[must_use]
    pub fn failing_since(&self) -> Option<i64> {
        self.lock().failing.unix_ms()
    }

    /// The same where it has failed in this process too, so that events may expire.
    #[must_use]
    pub fn expires_since(&self) -> Option<i64> {
        let since = self.expires_since.load(Ordering::Acquire);
        (since != NEVER).then_some(since)
    }

    /// Whether it has accepted something at `unix_ms` or later.
    #[must_use]
    pub fn has_accepted_since(&self, unix_ms: i64) -> bool {
        self.lock().failing.has_accepted_since(unix_ms)
    }

    /// What an earlier owner of one of its lanes knew of [`failing_since`](Self::failing_since).
    /// The earliest counts, unless something was accepted here later than that.
    pub fn restore_failing_since(&self, unix_ms: i64) {
        let mut state = self.lock();
        state.failing.restore(unix_ms);
        self.tell_expiry(&state);
    }

    /// Has to follow whatever may have changed since when the endpoint fails.
    fn tell_expiry(&self, state: &State) {
        let since = state.failing.in_force().unwrap_or(NEVER);
        self.expires_since.store(since, Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entrance {
    /// The gate that it leads through.
    #[must_use]
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// May one more request go now? If not, `waker` is called when it is worth asking again.
    ///
    /// # Errors
    /// Why not. From then on the lane stands in line.
    pub fn ask(&mut self, now: Instant, waker: &Waker) -> Result<Pass, Wait> {
        let mut state = self.gate.lock();
        let admitted = state.admit(self.lane, self.probed, now, waker);
        let most_events = state.most_events(now);
        drop(state);
        self.is_waiting = admitted.is_err();
        let (begun, probe) = admitted?;
        self.probed = probe.or(self.probed);
        let probe = probe.map(Probed::event);
        let gate = Arc::clone(&self.gate);
        Ok(Pass { gate, begun, probe, most_events, is_answered: false })
    }

    /// The lane has nothing to send for now, or something else keeps it: others go first.
    pub fn leave(&mut self) {
        if !self.is_waiting {
            return;
        }
        self.is_waiting = false;
        let mut state = self.gate.lock();
        state.line.leave(self.lane);
        let calls = state.call();
        drop(state);
        calls.make();
    }
}

impl Drop for Entrance {
    fn drop(&mut self) {
        self.leave();
    }
}

impl Pass {
    /// Present when the request is a probe: it has to carry a single event, and this says which
    /// of the lane's. 0 is the oldest; every number above it is another one than the last, as far
    /// as the lane has others.
    #[must_use]
    pub fn probe(&self) -> Option<usize> {
        self.probe
    }

    /// The most events that the request may carry, as the endpoint has taught.
    #[must_use]
    pub fn most_events(&self) -> usize {
        self.most_events
    }

    /// The request has been answered, or will never be. `chance` as for
    /// [`retry::backoff`](crate::retry::backoff). Says what is worth a word, once.
    #[must_use = "a change is told once"]
    pub fn answered(mut self, heard: &Heard, now: Now, chance: f64) -> Option<Change> {
        self.is_answered = true;
        let mut state = self.gate.lock();
        let (news, calls) = state.answered(self.begun, heard, now, chance);
        self.gate.tell_expiry(&state);
        drop(state);
        calls.make();
        news
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if self.is_answered {
            return;
        }
        let calls = self.gate.lock().aborted(self.begun);
        calls.make();
    }
}

impl fmt::Debug for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pass").field("probe", &self.probe).finish_non_exhaustive()
    }
}

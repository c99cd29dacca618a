//! What a gate knows, all of it under one lock, and what an answer changes about it.

use std::task::Waker;
use std::time::{Duration, Instant};

use super::breaker::{Breaker, Probed};
use super::line::{Await, Calls, LaneId, Line};
use super::since::FailingSince;
use super::window::Window;
use super::{Change, Fault, Heard, Wait};
use crate::plan::Delivery;
use crate::record::Now;
use crate::verdict::{Outcome, Verdict};

/// The longest that a `Retry-After` is obeyed.
const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(1);
/// How long a 413 is remembered.
const TOO_LARGE_FOR: Duration = Duration::from_mins(10);
/// The status that says that a request was too large.
const TOO_LARGE: u16 = 413;

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct State {
    pub(super) in_flight: usize,
    /// Those among them that began after it opened or closed last. The others may hang for as long
    /// as the timeout lasts, and must not keep the endpoint waiting when it is well again.
    in_flight_now: usize,
    pub(super) window: Window,
    pub(super) breaker: Breaker,
    /// What the endpoint has asked for in `Retry-After`.
    left_alone_until: Option<Instant>,
    /// The most events of a request that are not too many, as far as that is known, and until when.
    most_events: Option<(usize, Instant)>,
    pub(super) line: Line,
    pub(super) failing: FailingSince,
    /// How many lanes have ever had an entrance.
    lanes: u64,
}

/// What a pass remembers of the moment in which its request began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Begun {
    /// The window's round.
    round: u64,
    /// The breaker's era.
    era: u64,
    is_probe: bool,
}

impl State {
    pub(super) fn new(delivery: &Delivery) -> Self {
        Self {
            in_flight: 0,
            in_flight_now: 0,
            window: Window::new(delivery.concurrency.get()),
            breaker: Breaker::new(delivery.retry),
            left_alone_until: None,
            most_events: None,
            line: Line::default(),
            failing: FailingSince::default(),
            lanes: 0,
        }
    }

    pub(super) fn new_lane(&mut self) -> LaneId {
        self.lanes += 1;
        LaneId(self.lanes)
    }

    /// `lane`, which has `probed` before, begins a request, or stands in line from now on. Says
    /// what it probes with, if it does.
    pub(super) fn admit(
        &mut self,
        lane: LaneId,
        probed: Option<Probed>,
        now: Instant,
        waker: &Waker,
    ) -> Result<(Begun, Option<Probed>), Wait> {
        if let Err(wait) = self.could_go(now).and_then(|()| self.is_turn_of(lane, now)) {
            let awaited = match wait {
                Wait::Until(_) => Await::Time,
                Wait::ForAPlace => Await::Call,
            };
            self.line.wait(lane, waker, awaited);
            return Err(wait);
        }
        // Those behind it have one lane less in front of them, and one place less to go to.
        self.line.leave(lane);
        self.in_flight += 1;
        self.in_flight_now += 1;
        let probe = self.breaker.probe(lane, probed);
        let begun = Begun {
            round: self.window.round(),
            era: self.breaker.era(),
            is_probe: probe.is_some(),
        };
        Ok((begun, probe))
    }

    /// The request that began so has been answered.
    pub(super) fn answered(
        &mut self,
        begun: Begun,
        heard: &Heard,
        now: Now,
        chance: f64,
    ) -> (Option<Change>, Calls) {
        self.end(begun);
        let news = self.hear(begun, heard, now, chance);
        if news.is_none() {
            return (None, self.call());
        }
        // A new era: what is in flight belongs to the last one, and so does what those who wait
        // were told.
        self.in_flight_now = 0;
        (news, self.line.call_all())
    }

    /// The answer to the request that began so will never be known.
    pub(super) fn aborted(&mut self, begun: Begun) -> Calls {
        self.end(begun);
        if self.is_the_probe(begun) {
            self.breaker.probe_lost();
        }
        self.call()
    }

    /// Calls those whose turn has come.
    pub(super) fn call(&mut self) -> Calls {
        let free = self.free();
        self.line.call(free)
    }

    pub(super) fn could_go(&self, now: Instant) -> Result<(), Wait> {
        // When the next probe may go is not known before the present one has ended.
        if self.breaker.is_probing() {
            return Err(Wait::ForAPlace);
        }
        match self.breaker.probe_at().max(self.left_alone_until) {
            Some(at) if now < at => Err(Wait::Until(at)),
            _ if self.free() == 0 => Err(Wait::ForAPlace),
            _ => Ok(()),
        }
    }

    /// The most events that a request may carry.
    pub(super) fn most_events(&self, now: Instant) -> usize {
        let in_force = self.most_events.filter(|(_, until)| now < *until);
        in_force.map_or(usize::MAX, |(events, _)| events)
    }

    /// Whether nobody else goes first.
    fn is_turn_of(&mut self, lane: LaneId, now: Instant) -> Result<(), Wait> {
        if !self.breaker.is_open() {
            let is_turn = self.line.ahead_of(lane) < self.free();
            return if is_turn { Ok(()) } else { Err(Wait::ForAPlace) };
        }
        // All who wait know when the probe may go, and whoever comes first sends it.
        let others = self.line.has_others_than(lane).then_some(());
        match others.and_then(|()| self.breaker.courtesy(lane, now)) {
            Some(until) => Err(Wait::Until(until)),
            None => Ok(()),
        }
    }

    /// How many lanes may come and ask. While it is open and no probe is in flight these are all
    /// of them: they learn when the next one may go.
    fn free(&self) -> usize {
        if self.breaker.is_probing() {
            0
        } else if self.breaker.is_open() {
            usize::MAX
        } else {
            let most = self.window.most().saturating_sub(self.in_flight);
            self.window.places().saturating_sub(self.in_flight_now).min(most)
        }
    }

    /// The request that began so is in flight no longer.
    fn end(&mut self, begun: Begun) {
        self.in_flight -= 1;
        if begun.era == self.breaker.era() {
            self.in_flight_now -= 1;
        }
    }

    /// Whether the request that began so is the probe on which the endpoint's state depends, and
    /// none that was overtaken by another answer.
    fn is_the_probe(&self, begun: Begun) -> bool {
        let is_of_now = begun.era == self.breaker.era();
        begun.is_probe && self.breaker.is_open() && is_of_now
    }

    fn hear(&mut self, begun: Begun, heard: &Heard, now: Now, chance: f64) -> Option<Change> {
        if let Some(wait) = heard.retry_after {
            let until = now.instant + wait.min(LONGEST_RETRY_AFTER);
            self.left_alone_until = self.left_alone_until.max(Some(until));
        }
        match heard.verdict {
            Verdict::Accept => {
                self.failing.accepted(now.unix_ms);
                self.window.accepted(begun.round);
                self.answers(begun)
            }
            Verdict::Split | Verdict::Reject => {
                if heard.is_too_much() {
                    self.window.overwhelmed(begun.round);
                }
                if heard.outcome == Outcome::Status(TOO_LARGE) {
                    self.too_large(heard.events, now.instant);
                }
                self.answers(begun)
            }
            Verdict::Retry if self.is_the_probe(begun) => {
                let are_others = heard.has_others || !self.line.is_empty();
                self.breaker.probe_failed(now.instant, chance, are_others);
                None
            }
            // It was in flight when the endpoint opened or closed, and has nothing new to tell.
            Verdict::Retry if begun.era < self.breaker.era() => None,
            Verdict::Retry if heard.fault == Fault::Event => None,
            Verdict::Retry => {
                if heard.is_too_much() {
                    self.window.overwhelmed(begun.round);
                }
                self.failing.failed(now.unix_ms);
                self.breaker.failed(now.instant, chance).then_some(Change::Opened)
            }
        }
    }

    /// A request of so many events was too large. A single one that is too large by itself says
    /// that the batches were refused for its sake, and not for their size.
    fn too_large(&mut self, events: usize, now: Instant) {
        self.most_events = (events > 1).then(|| {
            let most = self.most_events(now).min(events / 2);
            (most, now + TOO_LARGE_FOR)
        });
    }

    /// The endpoint answers: whatever it says, it is not down.
    fn answers(&mut self, begun: Begun) -> Option<Change> {
        let was_probed = self.is_the_probe(begun);
        if !self.breaker.succeeded() {
            return None;
        }
        if was_probed {
            self.window.begin_anew();
        } else {
            // It has been answering all the time, only not everything that it was sent at once.
            self.window.begin_again();
        }
        Some(Change::Closed)
    }
}

impl Heard {
    /// Whether the endpoint wants fewer requests at a time.
    fn is_too_much(&self) -> bool {
        matches!(self.outcome, Outcome::Status(429 | 503) | Outcome::Timeout)
    }
}

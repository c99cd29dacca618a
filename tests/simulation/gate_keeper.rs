//! Who watches a gate in its world, knows the rules by heart, and sees when one is broken.

use std::time::{Duration, Instant};

use hookcast::gate::{Change, Fault, Gate, Heard, Pass};
use hookcast::plan::Retry;
use hookcast::record::Now;
use hookcast::retry::backoff;
use hookcast::verdict::{Outcome, Verdict};

/// The rules, written down a second time.
pub struct GateKeeper {
    concurrency: usize,
    retry: Retry,
    lanes: usize,
    /// The lanes that were told to wait and have neither gone nor left since, in that order.
    line: Vec<usize>,
    in_flight: usize,
    /// Of these, the ones that began after it had opened or closed last.
    in_flight_now: usize,
    failures: u32,
    /// How often it has opened or closed.
    era: usize,
    is_open: bool,
    is_probing: bool,
    failed_probes: u32,
    probe_at: Instant,
    left_alone_until: Instant,
    /// How often the window has been cut.
    cuts: usize,
    failing_since: Option<i64>,
    accepted_at: Option<i64>,
}

/// What is remembered of a request.
#[derive(Debug)]
pub struct Begun {
    era: usize,
    cuts: usize,
    is_probe: bool,
}

impl GateKeeper {
    pub fn new(concurrency: usize, retry: Retry, now: Instant) -> Self {
        Self {
            concurrency,
            retry,
            lanes: 0,
            line: Vec::new(),
            in_flight: 0,
            in_flight_now: 0,
            failures: 0,
            era: 0,
            is_open: false,
            is_probing: false,
            failed_probes: 0,
            probe_at: now,
            left_alone_until: now,
            cuts: 0,
            failing_since: None,
            accepted_at: None,
        }
    }

    pub fn new_lane(&mut self) -> usize {
        self.lanes += 1;
        self.lanes
    }

    pub fn look_at(&self, gate: &Gate) {
        assert_eq!(gate.in_flight(), self.in_flight);
        assert!((1..=self.concurrency).contains(&gate.window()));
        assert_eq!(gate.is_open(), self.is_open);
        assert_eq!(gate.failing_since(), self.failing_since);
    }

    pub fn waits(&mut self, lane: usize) {
        if !self.line.contains(&lane) {
            self.line.push(lane);
        }
    }

    pub fn left(&mut self, lane: usize) {
        self.line.retain(|other| *other != lane);
    }

    pub fn begins(&mut self, gate: &Gate, lane: usize, pass: &Pass, now: Instant) -> Begun {
        assert!(now >= self.left_alone_until, "a request before Retry-After");
        assert!(self.in_flight < self.concurrency, "more in flight than the concurrency");
        assert_eq!(pass.probe().is_some(), self.is_open, "only an open endpoint is probed");
        if self.is_open {
            assert!(!self.is_probing, "two probes at a time");
            assert!(now >= self.probe_at, "a probe before its backoff");
            self.is_probing = true;
        } else {
            assert!(self.in_flight_now < gate.window(), "more in flight than the window");
            let free = (gate.window() - self.in_flight_now).min(self.concurrency - self.in_flight);
            let ahead = self.line.iter().take_while(|other| **other != lane).count();
            assert!(ahead < free, "{ahead} wait in front of it, and {free} places are free");
        }
        self.left(lane);
        self.in_flight += 1;
        self.in_flight_now += 1;
        Begun { era: self.era, cuts: self.cuts, is_probe: self.is_open }
    }

    /// The answer to a request will never be known. Whether it was the probe.
    pub fn lost(&mut self, begun: &Begun) -> bool {
        let is_the_probe = self.is_the_probe(begun);
        self.ends(begun);
        is_the_probe
    }

    pub fn answered(
        &mut self,
        begun: &Begun,
        heard: &Heard,
        now: Now,
        chance: f64,
        news: Option<Change>,
    ) {
        let is_the_probe = self.is_the_probe(begun);
        let is_of_now = begun.era == self.era;
        self.ends(begun);
        if let Some(wait) = heard.retry_after {
            let until = now.instant + wait.min(Duration::from_hours(1));
            self.left_alone_until = self.left_alone_until.max(until);
        }
        if heard.verdict == Verdict::Accept {
            self.failing_since = None;
            self.accepted_at = self.accepted_at.max(Some(now.unix_ms));
        }
        let mut expected = None;
        if heard.verdict != Verdict::Retry {
            self.failures = 0;
            if self.is_open {
                expected = Some(Change::Closed);
                self.is_open = false;
                self.is_probing = false;
                self.era += 1;
                self.in_flight_now = 0;
            }
        } else if is_the_probe {
            self.failed_probes += 1;
            let failures = 5 + self.failed_probes;
            // Another event may go at once, to be compared with this one.
            let is_compared = self.failed_probes.is_multiple_of(3);
            let wait = backoff(&self.retry, failures, chance);
            self.probe_at = if is_compared { now.instant } else { now.instant + wait };
        } else if is_of_now && heard.fault == Fault::Endpoint {
            self.failures += 1;
            // A clock may have been set back since.
            let since = self.failing_since.unwrap_or(now.unix_ms);
            self.failing_since = Some(since.min(now.unix_ms));
            if self.failures == 5 {
                expected = Some(Change::Opened);
                self.is_open = true;
                self.era += 1;
                self.in_flight_now = 0;
                self.failed_probes = 0;
                self.probe_at = now.instant + backoff(&self.retry, 5, chance);
            }
        }
        assert_eq!(news, expected, "{begun:?} {heard:?}");
    }

    /// The window was `was` wide before an answer, and is as wide as `gate` says.
    pub fn check_window(
        &mut self,
        begun: &Begun,
        heard: &Heard,
        was: usize,
        gate: &Gate,
        news: Option<Change>,
    ) {
        let is = gate.window();
        let is_too_much = matches!(heard.outcome, Outcome::Status(429 | 503) | Outcome::Timeout);
        if news == Some(Change::Closed) {
            assert_eq!(is, 1, "it does not ramp up");
            self.cuts += 1;
        } else if is < was {
            assert!(is_too_much && heard.fault == Fault::Endpoint, "{heard:?} narrows it");
            assert_eq!(begun.cuts, self.cuts, "it is cut twice in a round trip");
            assert_eq!(is, (was / 2).max(1));
            self.cuts += 1;
        } else if is > was {
            assert_eq!(heard.verdict, Verdict::Accept, "{heard:?} widens it");
            assert_eq!(is, was + 1);
        }
    }

    pub fn remembers(&mut self, unix_ms: i64) {
        if self.accepted_at.is_none_or(|accepted| accepted < unix_ms) {
            let since = self.failing_since.map_or(unix_ms, |since| since.min(unix_ms));
            self.failing_since = Some(since);
        }
    }

    fn is_the_probe(&self, begun: &Begun) -> bool {
        begun.is_probe && self.is_open && begun.era == self.era
    }

    fn ends(&mut self, begun: &Begun) {
        if self.is_the_probe(begun) {
            self.is_probing = false;
        }
        self.in_flight -= 1;
        if begun.era == self.era {
            self.in_flight_now -= 1;
        }
    }
}

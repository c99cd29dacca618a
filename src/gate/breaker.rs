//! Whether an endpoint is tried at all: after so many failures in a row only one event at a time.
//!
//! Knows when the next probe may go and which lane sent the last one. Says *open* as circuit
//! breakers do: open is the state in which requests do not flow.

use std::time::{Duration, Instant};

use super::line::LaneId;
use crate::plan::Retry;
use crate::retry::backoff;

/// So many failures in a row open an endpoint.
const FAILURES_THAT_OPEN: u32 = 5;
/// After so many failed probes another event is tried: it may be the event's fault.
const FAILURES_PER_EVENT: u32 = 3;
/// How long a lane that has tried its event waits for another one to try its own.
const COURTESY: Duration = Duration::from_millis(100);

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Breaker {
    retry: Retry,
    /// Failures in a row, while it is closed.
    failures: u32,
    /// How often it has opened or closed.
    era: u64,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    probe_at: Instant,
    is_probing: bool,
    failed_probes: u32,
    last_prober: Option<LaneId>,
    /// Until when the last prober lets others go first.
    courtesy_until: Option<Instant>,
}

/// What a lane has probed an endpoint with, since it opened.
#[derive(Debug, Clone, Copy)]
pub(super) struct Probed {
    era: u64,
    event: usize,
    /// How often it was another event than the oldest.
    others: usize,
}

impl Breaker {
    pub(super) fn new(retry: Retry) -> Self {
        Self { retry, failures: 0, era: 0, open: None }
    }

    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    pub(super) fn is_probing(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.is_probing)
    }

    /// How often it has opened or closed. The answer to a request that began in another era has
    /// no more to say than that the endpoint answers, if it does.
    pub(super) fn era(&self) -> u64 {
        self.era
    }

    /// When the next probe may go, if none is in flight; none: it is closed, or one is.
    pub(super) fn probe_at(&self) -> Option<Instant> {
        self.open.as_ref().filter(|open| !open.is_probing).map(|open| open.probe_at)
    }

    /// A usual request has failed. Whether this was one too many.
    pub(super) fn failed(&mut self, now: Instant, chance: f64) -> bool {
        self.failures += 1;
        if self.is_open() || self.failures < FAILURES_THAT_OPEN {
            return false;
        }
        self.era += 1;
        self.open = Some(Open {
            probe_at: now + backoff(&self.retry, self.failures, chance),
            is_probing: false,
            failed_probes: 0,
            last_prober: None,
            courtesy_until: None,
        });
        true
    }

    /// The endpoint has answered. Whether this closes it.
    pub(super) fn succeeded(&mut self) -> bool {
        self.failures = 0;
        let was_open = self.open.take().is_some();
        self.era += u64::from(was_open);
        was_open
    }

    /// Whether `lane` should let another one go first, which there is: it has tried its event
    /// often enough. Until when.
    pub(super) fn courtesy(&mut self, lane: LaneId, now: Instant) -> Option<Instant> {
        let open = self.open.as_mut()?;
        if !open.is_time_for_another_event() || open.last_prober != Some(lane) {
            return None;
        }
        let until = *open.courtesy_until.get_or_insert(now + COURTESY);
        (now < until).then_some(until)
    }

    /// `lane`, which has `probed` before, sends a probe. Says with what.
    pub(super) fn probe(&mut self, lane: LaneId, probed: Option<Probed>) -> Option<Probed> {
        let era = self.era;
        let open = self.open.as_mut()?;
        debug_assert!(!open.is_probing, "one probe at a time");
        open.is_probing = true;
        open.last_prober = Some(lane);
        open.courtesy_until = None;
        let probed = probed.filter(|probed| probed.era == era);
        let others = probed.map_or(0, |probed| probed.others);
        if probed.is_some() && open.is_time_for_another_event() {
            return Some(Probed { era, event: others + 1, others: others + 1 });
        }
        Some(Probed { era, event: 0, others })
    }

    /// The probe has failed. Where it is time for another event, and there `are_others`, that one
    /// goes at once: if it waited, the endpoint might be well again by then, and what is accepted
    /// would be taken for the better one of the two.
    pub(super) fn probe_failed(&mut self, now: Instant, chance: f64, are_others: bool) {
        if let Some(open) = &mut self.open {
            open.is_probing = false;
            open.failed_probes = open.failed_probes.saturating_add(1);
            let failures = self.failures.saturating_add(open.failed_probes);
            let is_time = open.is_time_for_another_event() && are_others;
            let wait = backoff(&self.retry, failures, chance);
            open.probe_at = if is_time { now } else { now + wait };
        }
    }

    /// Nobody will ever know how the probe has ended: another may go at once.
    pub(super) fn probe_lost(&mut self) {
        if let Some(open) = &mut self.open {
            open.is_probing = false;
        }
    }
}

impl Open {
    fn is_time_for_another_event(&self) -> bool {
        self.failed_probes > 0 && self.failed_probes.is_multiple_of(FAILURES_PER_EVENT)
    }
}

impl Probed {
    /// Which of the lane's events it is: 0 is the oldest, and from then on always another one.
    pub(super) fn event(self) -> usize {
        self.event
    }
}

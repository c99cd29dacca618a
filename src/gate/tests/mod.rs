//! The rules of a gate, one by one: `flow` while the endpoint is closed, `outage` while it is not.

mod flow;
mod outage;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

use super::{Change, Entrance, Fault, Gate, Heard, Pass, Wait};
use crate::plan::{Delivery, Retry};
use crate::record::Now;
use crate::verdict::{Outcome, Verdict};

/// Counts how often a lane is called.
#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A lane of a test: its entrance, and its bell.
struct Lane {
    entrance: Entrance,
    bell: Arc<Bell>,
    waker: Waker,
}

impl Lane {
    fn at(gate: &Arc<Gate>) -> Self {
        let bell = Arc::new(Bell::default());
        Self { entrance: gate.entrance(), waker: Arc::clone(&bell).into(), bell }
    }

    fn ask(&mut self, now: Now) -> Result<Pass, Wait> {
        self.entrance.ask(now.instant, &self.waker)
    }

    fn go(&mut self, now: Now) -> Pass {
        self.ask(now).expect("it may go")
    }

    fn wait(&mut self, now: Now) -> Wait {
        self.ask(now).expect_err("it has to wait")
    }

    /// How often it was called since it was asked last.
    fn calls(&self) -> usize {
        self.bell.0.swap(0, Ordering::Relaxed)
    }
}

const RETRY: Retry = Retry {
    initial: Duration::from_millis(500),
    max: Duration::from_secs(30),
    give_up_after: Duration::from_hours(4),
};

fn gate(concurrency: usize) -> Arc<Gate> {
    let concurrency = NonZeroUsize::new(concurrency).expect("tests have places");
    Arc::new(Gate::new(&Delivery { concurrency, retry: RETRY, ..Delivery::default() }))
}

fn begin() -> Now {
    Now { instant: Instant::now(), unix_ms: 1_700_000_000_000 }
}

fn after(now: Now, wait: Duration) -> Now {
    let milliseconds = i64::try_from(wait.as_millis()).expect("tests are short");
    Now { instant: now.instant + wait, unix_ms: now.unix_ms + milliseconds }
}

fn heard(status: u16) -> Heard {
    let verdict = match status {
        200 => Verdict::Accept,
        400 => Verdict::Reject,
        _ => Verdict::Retry,
    };
    Heard {
        outcome: Outcome::Status(status),
        verdict,
        retry_after: None,
        fault: Fault::Endpoint,
        events: 1,
        has_others: false,
    }
}

fn with_retry_after(status: u16, seconds: u64) -> Heard {
    Heard { retry_after: Some(Duration::from_secs(seconds)), ..heard(status) }
}

/// A gate that five failures have opened; its first probe may go after 4 seconds.
fn opened(concurrency: usize, now: Now) -> (Arc<Gate>, Lane) {
    let gate = gate(concurrency);
    let mut lane = Lane::at(&gate);
    for failure in 1..=5 {
        let change = lane.go(now).answered(&heard(500), now, 0.5);
        assert_eq!(change, (failure == 5).then_some(Change::Opened));
    }
    assert!(gate.is_open());
    (gate, lane)
}

/// When the probe of [`opened`] may go.
const PROBE_AFTER: Duration = Duration::from_secs(4);

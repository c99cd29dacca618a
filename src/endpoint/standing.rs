//! What is worth saying about an endpoint: once when it begins to fail, once when it is well.
//!
//! Knows answers in a row, across all partitions of the process. It changes nothing: what is done
//! about failures is the lane's business.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Instant;

use tracing::{info, warn};

use crate::gate::Change;
use crate::lane::{Answer, Streak};
use crate::verdict::Outcome;

/// So many failures in a row are worth a word; fewer are everyday life.
const WORTH_A_WORD: u32 = 5;
/// Between two words about rejections, in seconds.
const REJECTIONS_EVERY: u64 = 60;

/// How one action's endpoint has been doing.
#[derive(Debug)]
pub(super) struct Standing {
    /// `destination/action`.
    name: String,
    failures: AtomicU32,
    since: Instant,
    /// When rejections were mentioned last, in seconds after `since`, plus one; 0: never.
    rejections_said_at: AtomicU64,
}

impl Standing {
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            failures: AtomicU32::new(0),
            since: Instant::now(),
            rejections_said_at: AtomicU64::new(0),
        }
    }

    /// A request was accepted.
    pub(super) fn accepted(&self) {
        if self.failures.load(Ordering::Relaxed) > 0
            && self.failures.swap(0, Ordering::Relaxed) >= WORTH_A_WORD
        {
            info!(action = self.name, "the endpoint accepts requests again");
        }
    }

    /// A request failed and will be made again.
    pub(super) fn failed(&self, answer: &Answer) {
        if self.failures.fetch_add(1, Ordering::Relaxed) + 1 == WORTH_A_WORD {
            let (outcome, detail) = worth_saying(answer);
            warn!(action = self.name, ?outcome, detail, "the endpoint fails; trying again");
        }
    }

    /// One of several endpoints, that of this origin, is down or well again.
    pub(super) fn changed(&self, origin: &str, answer: &Answer, change: Change) {
        match change {
            Change::Opened => {
                let (outcome, detail) = worth_saying(answer);
                let action = &self.name;
                warn!(action, origin, ?outcome, detail, "the endpoint fails; trying again");
            }
            Change::Closed => {
                info!(action = self.name, origin, "the endpoint accepts requests again");
            }
        }
    }

    /// So many events were refused for good.
    pub(super) fn rejected(&self, answer: &Answer, events: usize) {
        let now = self.since.elapsed().as_secs() + 1;
        let said = self.rejections_said_at.load(Ordering::Relaxed);
        let is_due = said == 0 || now.saturating_sub(said) >= REJECTIONS_EVERY;
        let is_mine = |said| {
            let order = Ordering::Relaxed;
            self.rejections_said_at.compare_exchange(said, now, order, order).is_ok()
        };
        if is_due && is_mine(said) {
            let (outcome, detail) = worth_saying(answer);
            warn!(
                action = self.name,
                ?outcome,
                detail,
                events,
                "the endpoint rejects events; they go to the dead-letter topic"
            );
        }
    }

    /// So many events were rejected in a row that it is not their fault; or this is over.
    pub(super) fn rejects(&self, streak: Streak) {
        match streak {
            Streak::TooLong => warn!(
                action = self.name,
                "as many events as reject_limit were rejected in a row: it counts as failing, and \
                 retries until something is accepted"
            ),
            Streak::Over => info!(action = self.name, "it accepts events again"),
        }
    }
}

/// An answer as the log tells it: without its body, which may repeat what was sent, headers and
/// their secrets included. The dead letter keeps it.
fn worth_saying(answer: &Answer) -> (Outcome, Option<&str>) {
    let detail = match answer.outcome {
        Outcome::Status(_) => None,
        _ => Some(&*answer.detail),
    };
    (answer.outcome, detail)
}

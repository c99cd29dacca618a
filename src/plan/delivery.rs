//! How an action's requests are made, and made again.

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::verdict::Verdicts;

/// How an action's requests are made, and made again.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// The longest that one attempt takes, from connection to the answer's last byte.
    pub timeout: Duration,
    /// The most requests in flight for one endpoint in one process.
    pub concurrency: NonZeroUsize,
    /// Which events wait for one another.
    pub order: Order,
    /// Requests per second of one action in the whole group; none: no limit.
    pub rate_limit: Option<f64>,
    /// When a failed attempt is made again.
    pub retry: Retry,
    /// What becomes of an event whose time is over.
    pub on_give_up: GiveUp,
    /// Rejections in a row after which an action counts as failing; none: never.
    pub reject_limit: Option<NonZeroUsize>,
    /// What an answer means.
    pub verdicts: Verdicts,
    /// Which bytes are signed.
    pub signature: SignatureScope,
}

impl Default for Delivery {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            concurrency: NonZeroUsize::new(64).expect("64 is not zero"),
            order: Order::Key,
            rate_limit: None,
            retry: Retry::default(),
            on_give_up: GiveUp::DeadLetter,
            reject_limit: NonZeroUsize::new(1000),
            verdicts: Verdicts::default(),
            signature: SignatureScope::Body,
        }
    }
}

/// Which events of a lane wait for one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Events with the same Kafka key; with batching all events of the partition.
    Key,
    /// None.
    None,
}

/// When a failed attempt is made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// The upper end of the first backoff.
    pub initial: Duration,
    /// The upper end of every later backoff.
    pub max: Duration,
    /// How long an event may fail before it expires.
    pub give_up_after: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            initial: Duration::from_millis(500),
            max: Duration::from_secs(30),
            give_up_after: Duration::from_hours(4),
        }
    }
}

/// What becomes of an expired event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GiveUp {
    /// It is dead-lettered.
    DeadLetter,
    /// It waits for ever.
    Hold,
}

/// Which bytes `X-Signature` covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureScope {
    /// The body exactly as it is sent.
    Body,
    /// The first payload of a batch, as Segment signs batches.
    FirstElement,
}

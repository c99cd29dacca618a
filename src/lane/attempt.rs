//! One attempt of a lane: what is sent, how it ends, and what that leads to.

use std::time::Duration;

use crate::batch::Batch;
use crate::dead_letter::DeadLetter;
use crate::gate::Change;
use crate::plan::ActionId;
use crate::record::Offset;
use crate::request::SignedRequest;
use crate::verdict::Outcome;

/// A lane of one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LaneId {
    /// The action whose events it delivers.
    pub action: ActionId,
    /// Its place among the partition's lanes, which another one may have after it.
    pub(crate) slot: usize,
}

/// A request's place in its lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct RequestId(pub(super) usize);

/// Names a request that is in flight, from [`Attempt`] to its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ticket {
    /// The lane that has sent it.
    pub lane: LaneId,
    pub(super) request: RequestId,
}

/// One request to be made now.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// Names it when the answer is handed in.
    pub ticket: Ticket,
    /// What is sent, and where to.
    pub request: SignedRequest,
    /// How many events the body carries.
    pub events: usize,
    /// Whether a gate has let it through. The others wait for a place where they are made.
    pub is_admitted: bool,
    /// The longest that the attempt may take.
    pub timeout: Duration,
}

/// How an attempt ended.
#[derive(Debug, Clone)]
pub struct Answer {
    /// What the verdict depends on.
    pub outcome: Outcome,
    /// The answer's body or the error, for the dead letter.
    pub detail: String,
    /// How long the endpoint wants to be left alone: its `Retry-After`, with 429 and 503.
    pub retry_after: Option<Duration>,
}

/// What an answer has changed beyond the events of its request. It is worth a word, once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct News {
    /// For the endpoint as a whole.
    pub endpoint: Option<Change>,
    /// For what its action rejects.
    pub rejections: Option<Streak>,
}

/// Whether an action rejects so much that it counts as failing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Streak {
    /// It does from now on: `reject_limit` events in a row were rejected.
    TooLong,
    /// It accepts something again.
    Over,
}

/// What an answer has led to.
#[derive(Debug)]
pub enum Completed {
    /// The events are settled.
    Delivered(Batch),
    /// The same request is made again later.
    Retried,
    /// The halves are tried on their own.
    Split,
    /// The events are refused; these letters settle them.
    Rejected(Vec<(Offset, DeadLetter)>),
}

//! A partition in this process's hands: its worker, and how far it is.

use std::sync::Arc;

use rdkafka::topic_partition_list::TopicPartitionListElem;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::record::{Position, TopicPartition};
use crate::worker::Progress;

/// A partition that is assigned to this process.
pub(super) struct Held {
    pub(super) worker: JoinHandle<()>,
    /// Turns true when the worker is to finish what it has begun; closed when it has.
    pub(super) drain: watch::Sender<bool>,
    pub(super) progress: Arc<Progress>,
    /// The last position that the broker has accepted; none before the first commit.
    pub(super) committed: Option<Position>,
}

impl Held {
    /// The position to commit, where it differs from what was committed.
    pub(super) fn uncommitted(&self) -> Option<Position> {
        self.progress.settled().filter(|settled| Some(*settled) != self.committed)
    }
}

/// The partition that an element of librdkafka's lists names.
pub(super) fn topic_partition(element: &TopicPartitionListElem<'_>) -> TopicPartition {
    TopicPartition { topic: element.topic().into(), partition: element.partition() }
}

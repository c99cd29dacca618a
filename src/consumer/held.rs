//! A partition in this process's hands: its worker, and how far it is.

use std::sync::Arc;

use rdkafka::topic_partition_list::TopicPartitionListElem;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::clock;
use crate::published::{Committable, Published};
use crate::record::TopicPartition;

/// A partition that is assigned to this process.
pub(super) struct Held {
    pub(super) worker: JoinHandle<()>,
    /// Turns true when the worker is to finish what it has begun; closed when it has.
    pub(super) drain: watch::Sender<bool>,
    pub(super) published: Arc<Published>,
    /// What the broker has accepted last; none before the first commit.
    pub(super) committed: Option<Committable>,
    /// When it was assigned, in milliseconds since 1970-01-01 UTC.
    pub(super) taken_over_at: i64,
}

impl Held {
    /// A partition that is assigned just now.
    pub(super) fn new(
        worker: JoinHandle<()>,
        drain: watch::Sender<bool>,
        published: Arc<Published>,
        committed: Option<Committable>,
    ) -> Self {
        Self { worker, drain, published, committed, taken_over_at: clock::now().unix_ms }
    }

    /// What is to be committed, where it differs from what was.
    pub(super) fn uncommitted(&self) -> Option<Committable> {
        self.published.committable().filter(|now| Some(now) != self.committed.as_ref())
    }
}

/// The partition that an element of librdkafka's lists names.
pub(super) fn topic_partition(element: &TopicPartitionListElem<'_>) -> TopicPartition {
    TopicPartition { topic: element.topic().into(), partition: element.partition() }
}

//! Where newly assigned partitions start.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::{Offset, TopicPartitionList};
use tracing::{info, warn};

use super::Start;
use super::held::topic_partition;
use crate::record::{Position, TopicPartition};

/// How long the broker may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where one partition starts.
#[derive(Debug)]
pub(super) struct PartitionStart {
    pub(super) partition: TopicPartition,
    /// None: at the first record that there is.
    pub(super) position: Option<Position>,
    /// The position that the group has committed.
    pub(super) committed: Option<Position>,
}

/// Finds out where the partitions start, for as long as it takes; none when `goes_on` says no,
/// which is asked before every try.
///
/// `latest` is resolved here, once, and committed before anything is read. librdkafka would
/// resolve it anew each time until the first commit, and skip what arrived in between.
pub(super) fn resolve<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    assigned: &TopicPartitionList,
    start: Start,
    goes_on: impl Fn() -> bool,
) -> Option<Vec<PartitionStart>> {
    let mut said = false;
    while goes_on() {
        match try_resolve(consumer, assigned, start) {
            Ok(starts) => return Some(starts),
            Err(error) => {
                if !said {
                    warn!(%error, "the committed positions cannot be read; trying again");
                    said = true;
                }
            }
        }
    }
    None
}

fn try_resolve<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    assigned: &TopicPartitionList,
    start: Start,
) -> KafkaResult<Vec<PartitionStart>> {
    let committed = consumer.committed_offsets(assigned.clone(), PATIENCE)?;
    let mut starts = Vec::with_capacity(committed.count());
    let mut resolved = TopicPartitionList::new();
    for element in committed.elements() {
        element.error()?;
        let partition = topic_partition(&element);
        let committed = match element.offset() {
            Offset::Offset(offset) => Some(Position(offset)),
            _ => None,
        };
        let position = match (committed, start) {
            (Some(position), _) => Some(position),
            (None, Start::Earliest) => None,
            (None, Start::Latest) => {
                let (topic, number) = (&partition.topic, partition.partition);
                let (_, end) = consumer.fetch_watermarks(topic, number, PATIENCE)?;
                resolved.add_partition_offset(topic, number, Offset::Offset(end))?;
                Some(Position(end))
            }
        };
        starts.push(PartitionStart { partition, position, committed });
    }
    if resolved.count() > 0 {
        commit_resolved(consumer, &resolved)?;
        info!(partitions = resolved.count(), "starting at the end, as auto.offset.reset says");
    }
    Ok(starts)
}

fn commit_resolved<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    resolved: &TopicPartitionList,
) -> Result<(), KafkaError> {
    consumer.commit(resolved, CommitMode::Sync)
}

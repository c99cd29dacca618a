//! Where newly assigned partitions start.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode as Code};
use rdkafka::{Offset, TopicPartitionList};
use tracing::{info, warn};

use super::Start;
use super::faults::{self, Fault};
use super::held::topic_partition;
use crate::librdkafka;
use crate::progress::Progress;
use crate::published::Committable;
use crate::record::{Position, TopicPartition};
use crate::worker;

/// How long the broker may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(200);

/// Where one partition starts.
#[derive(Debug)]
pub(super) struct PartitionStart {
    pub(super) partition: TopicPartition,
    pub(super) start: worker::Start,
    /// What the group has committed.
    pub(super) committed: Option<Committable>,
}

/// Finds out where the partitions start, for as long as it takes; none when `goes_on` says no,
/// which is asked before every try. `start` says where one starts that nothing is committed of.
///
/// This runs inside a rebalance callback. While it tries, nothing else that librdkafka reports is
/// heard, and the group takes this member for dead in the end: so whatever trying again does not
/// mend has to be told from what it does.
///
/// `latest` is resolved here, once, and committed before anything is read. librdkafka would
/// resolve it anew each time until the first commit, and skip what arrived in between.
///
/// # Errors
/// Why waiting does not help.
pub(super) fn resolve<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    assigned: &TopicPartitionList,
    start: impl Fn(&TopicPartition) -> Start,
    goes_on: impl Fn() -> bool,
) -> Result<Option<Vec<PartitionStart>>, String> {
    let mut said = false;
    while goes_on() {
        match try_resolve(consumer, assigned, &start) {
            Ok(starts) => return Ok(Some(starts)),
            Err(error) => {
                let fault = error.rdkafka_error_code();
                let fault = fault.map(|code| faults::judge(code, &error.to_string(), true));
                if let Some(Fault::Fatal(why)) = fault {
                    return Err(why);
                }
                if !std::mem::replace(&mut said, true) {
                    warn!(%error, "the committed positions cannot be read; trying again");
                }
                std::thread::park_timeout(PAUSE);
            }
        }
    }
    Ok(None)
}

fn try_resolve<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    assigned: &TopicPartitionList,
    start: impl Fn(&TopicPartition) -> Start,
) -> KafkaResult<Vec<PartitionStart>> {
    let committed = consumer.committed_offsets(assigned.clone(), PATIENCE)?;
    let mut starts = Vec::with_capacity(committed.count());
    let mut resolved = TopicPartitionList::new();
    for (index, element) in committed.elements().iter().enumerate() {
        element.error()?;
        let partition = topic_partition(element);
        let metadata = librdkafka::metadata(&committed, index);
        let committed = match element.offset() {
            Offset::Offset(offset) => Some(Committable {
                position: Position(offset),
                metadata: String::from_utf8_lossy(metadata).into_owned(),
            }),
            _ => None,
        };
        let start = match (&committed, start(&partition)) {
            (Some(committed), _) => after(&partition, committed),
            (None, Start::Earliest) => worker::Start::Beginning,
            (None, Start::Latest) => {
                let (topic, number) = (&partition.topic, partition.partition);
                let (_, end) = consumer.fetch_watermarks(topic, number, PATIENCE)?;
                resolved.add_partition_offset(topic, number, Offset::Offset(end))?;
                worker::Start::At(Position(end))
            }
        };
        starts.push(PartitionStart { partition, start, committed });
    }
    if resolved.count() > 0 {
        commit_resolved(consumer, &resolved)?;
        info!(partitions = resolved.count(), "starting at the end, as auto.offset.reset says");
    }
    Ok(starts)
}

/// Where a worker begins after what was committed. Metadata that cannot be used costs repetitions
/// and loses nothing: below the position everything is settled.
fn after(partition: &TopicPartition, committed: &Committable) -> worker::Start {
    match Progress::parse(&committed.metadata, committed.position) {
        Ok(Some(progress)) => worker::Start::After(progress),
        Ok(None) => worker::Start::At(committed.position),
        Err(unusable) => {
            warn!(
                %partition,
                position = %committed.position,
                %unusable,
                "the commit's metadata is ignored: every action begins at the position"
            );
            worker::Start::At(committed.position)
        }
    }
}

fn commit_resolved<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    resolved: &TopicPartitionList,
) -> Result<(), KafkaError> {
    match consumer.commit(resolved, CommitMode::Sync) {
        // The group has moved on while this member was busy here, and takes no commit of it until
        // it polls again. The workers begin at these positions, and commit them with the next.
        Err(KafkaError::ConsumerCommit(
            Code::IllegalGeneration
            | Code::RebalanceInProgress
            | Code::UnknownMemberId
            | Code::FencedInstanceId
            | Code::StaleMemberEpoch
            | Code::FencedMemberEpoch,
        )) => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use rdkafka::ClientConfig;
    use rdkafka::TopicPartitionList;
    use rdkafka::consumer::BaseConsumer;
    use rdkafka::mocking::MockCluster;
    use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

    use super::{PartitionStart, Start, resolve};

    /// What comes of three tries where the broker answers requests of one kind with an error.
    fn resolved(
        kind: RDKafkaApiKey,
        error: RDKafkaRespErr,
    ) -> Result<Option<Vec<PartitionStart>>, String> {
        let cluster = MockCluster::new(1).expect("a cluster in this process");
        cluster.create_topic("t", 1, 1).expect("a topic");
        cluster.request_errors(kind, &[error; 100]);
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", cluster.bootstrap_servers()).set("group.id", "g");
        let consumer: BaseConsumer = config.create().expect("a consumer");
        let mut assigned = TopicPartitionList::new();
        assigned.add_partition("t", 0);
        let tries = Cell::new(0);
        resolve(
            &consumer,
            &assigned,
            |_| Start::Latest,
            || {
                tries.set(tries.get() + 1);
                tries.get() <= 3
            },
        )
    }

    #[test]
    fn a_group_that_has_moved_on_is_not_waited_for() {
        let error = RDKafkaRespErr::RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION;
        let starts = resolved(RDKafkaApiKey::OffsetCommit, error).expect("no reason to end");
        assert_eq!(starts.expect("no reason to try again").len(), 1);
    }

    #[test]
    fn denied_access_is_a_reason_to_end() {
        let error = RDKafkaRespErr::RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED;
        let why = resolved(RDKafkaApiKey::OffsetFetch, error).expect_err("a reason to end");
        assert!(why.contains("denies access"), "{why}");
    }
}

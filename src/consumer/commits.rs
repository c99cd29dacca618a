//! Commits of settled positions, one at a time, with a look at every result.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};
use tracing::{debug, warn};

use super::held::{Held, topic_partition};
use crate::librdkafka;
use crate::metrics::Metrics;
use crate::published::Committable;
use crate::record::TopicPartition;

/// Between two commits.
const EVERY: Duration = Duration::from_millis(200);
/// A result that has not come by now is not waited for any longer.
const LOST_AFTER: Duration = Duration::from_secs(30);
/// The most metadata of one request, in bytes. Kafka refuses a request of more than 1 MiB whole.
const MOST_METADATA: usize = 512 * 1024;
/// The most metadata of a second, in bytes: the broker keeps all of it.
const METADATA_PER_SECOND: u32 = 256 * 1024;
/// Between two tries of the commit that a revocation waits for.
const RETRY_AFTER: Duration = Duration::from_millis(50);

/// See the module's documentation.
#[derive(Debug, Default)]
pub(super) struct Commits {
    /// The commit whose result has not come yet.
    under_way: Option<UnderWay>,
    /// Before this time no other one is begun.
    next_at: Option<Instant>,
    is_failing: bool,
}

/// What was sent to the broker, and when.
#[derive(Debug)]
struct UnderWay {
    since: Instant,
    committed: HashMap<TopicPartition, Committable>,
}

impl Commits {
    /// Commits what has moved, not more often than [`EVERY`].
    pub(super) fn begin_if_due<C: ConsumerContext>(
        &mut self,
        consumer: &BaseConsumer<C>,
        held: &HashMap<TopicPartition, Held>,
    ) {
        if self.next_at.is_none_or(|at| at <= Instant::now()) {
            self.next_at = Some(Instant::now() + EVERY);
            self.begin(consumer, held);
        }
    }

    /// Commits what has moved, unless a commit is under way.
    pub(super) fn begin<C: ConsumerContext>(
        &mut self,
        consumer: &BaseConsumer<C>,
        held: &HashMap<TopicPartition, Held>,
    ) {
        let is_awaited = |commit: &UnderWay| commit.since.elapsed() < LOST_AFTER;
        if self.under_way.as_ref().is_some_and(is_awaited) {
            return;
        }
        let moved = moved(held.iter());
        let Some(first) = requests(moved).into_iter().next() else { return };
        let bytes: usize = first.iter().map(|(_, commit)| commit.metadata.len()).sum();
        match librdkafka::commit(consumer, &list(&first)) {
            Ok(()) => {
                let since = Instant::now();
                self.under_way = Some(UnderWay { since, committed: first.into_iter().collect() });
                let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
                let pause = Duration::from_secs(1) * bytes / METADATA_PER_SECOND;
                self.next_at = Some(since + pause.max(EVERY));
            }
            Err(code) => debug!(%code, "a commit could not be begun"),
        }
    }

    /// The result of a commit has come.
    pub(super) fn ended(
        &mut self,
        metrics: &Metrics,
        result: KafkaResult<()>,
        offsets: &TopicPartitionList,
        held: &mut HashMap<TopicPartition, Held>,
    ) {
        let mut committed = self.under_way.take().map_or_else(HashMap::new, |it| it.committed);
        let mut failure = result.err();
        if failure.is_none() && offsets.count() > 0 {
            for element in offsets.elements() {
                let partition = topic_partition(&element);
                if let Err(error) = element.error() {
                    failure = Some(error);
                    continue;
                }
                let is_accepted =
                    |commit: &Committable| element.offset() == Offset::Offset(commit.position.0);
                let accepted = committed.remove(&partition).filter(is_accepted);
                if let (Some(accepted), Some(held)) = (accepted, held.get_mut(&partition)) {
                    held.committed = Some(accepted);
                }
            }
        }
        match failure {
            None => {
                metrics.commits_accepted.inc();
                self.is_failing = false;
            }
            Some(error) => {
                metrics.commits_failed.inc();
                // Positions stay uncommitted and go out again with the next commit.
                if !std::mem::replace(&mut self.is_failing, true) {
                    warn!(%error, "a commit failed; trying again");
                }
            }
        }
    }
}

/// Commits what revoked partitions have settled, before they are given away.
pub(super) fn commit_revoked<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    metrics: &Metrics,
    revoked: &[(TopicPartition, Held)],
    patience: Duration,
) {
    let deadline = Instant::now() + patience;
    for request in requests(moved(revoked.iter().map(|(partition, held)| (partition, held)))) {
        commit_now(consumer, metrics, &list(&request), deadline);
    }
}

fn commit_now<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    metrics: &Metrics,
    moved: &TopicPartitionList,
    deadline: Instant,
) {
    loop {
        match consumer.commit(moved, CommitMode::Sync) {
            Ok(()) => return metrics.commits_accepted.inc(),
            // The group is between two generations; it takes commits again in a moment.
            Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::RebalanceInProgress))
                if Instant::now() < deadline =>
            {
                std::thread::park_timeout(RETRY_AFTER);
            }
            Err(error) => {
                metrics.commits_failed.inc();
                warn!(
                    %error,
                    "revoked partitions could not be committed; the events since the last \
                     commit will be sent again"
                );
                return;
            }
        }
    }
}

/// What there is to commit of these partitions.
fn moved<'a>(
    held: impl Iterator<Item = (&'a TopicPartition, &'a Held)>,
) -> impl Iterator<Item = (TopicPartition, Committable)> {
    held.filter_map(|(partition, held)| Some((partition.clone(), held.uncommitted()?)))
}

/// The same, in as many requests as it takes.
fn requests(
    moved: impl Iterator<Item = (TopicPartition, Committable)>,
) -> Vec<Vec<(TopicPartition, Committable)>> {
    let mut requests: Vec<Vec<_>> = Vec::new();
    let mut room = 0;
    for (partition, commit) in moved {
        let bytes = commit.metadata.len();
        match requests.last_mut() {
            Some(request) if bytes <= room => {
                room -= bytes;
                request.push((partition, commit));
            }
            _ => {
                room = MOST_METADATA.saturating_sub(bytes);
                requests.push(vec![(partition, commit)]);
            }
        }
    }
    requests
}

fn list(commits: &[(TopicPartition, Committable)]) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for (partition, commit) in commits {
        let mut element = list.add_partition(&partition.topic, partition.partition);
        element
            .set_offset(Offset::Offset(commit.position.0))
            .expect("a position is a legal offset");
        if !commit.metadata.is_empty() {
            element.set_metadata(&commit.metadata);
        }
    }
    list
}

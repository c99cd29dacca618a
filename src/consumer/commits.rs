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
use crate::record::{Position, TopicPartition};

/// Between two commits.
const EVERY: Duration = Duration::from_millis(200);
/// A result that has not come by now is not waited for any longer.
const LOST_AFTER: Duration = Duration::from_secs(30);
/// Between two tries of the commit that a revocation waits for.
const RETRY_AFTER: Duration = Duration::from_millis(50);

/// See the module's documentation.
#[derive(Debug, Default)]
pub(super) struct Commits {
    /// When the commit was begun whose result has not come yet.
    under_way: Option<Instant>,
    begun_at: Option<Instant>,
    is_failing: bool,
}

impl Commits {
    /// Commits what has moved, not more often than [`EVERY`].
    pub(super) fn begin_if_due<C: ConsumerContext>(
        &mut self,
        consumer: &BaseConsumer<C>,
        held: &HashMap<TopicPartition, Held>,
    ) {
        if self.begun_at.is_none_or(|at| at.elapsed() >= EVERY) {
            self.begun_at = Some(Instant::now());
            self.begin(consumer, held);
        }
    }

    /// Commits what has moved, unless a commit is under way.
    pub(super) fn begin<C: ConsumerContext>(
        &mut self,
        consumer: &BaseConsumer<C>,
        held: &HashMap<TopicPartition, Held>,
    ) {
        if self.under_way.is_some_and(|since| since.elapsed() < LOST_AFTER) {
            return;
        }
        let moved = list(held.iter());
        if moved.count() == 0 {
            return;
        }
        match librdkafka::commit(consumer, &moved) {
            Ok(()) => self.under_way = Some(Instant::now()),
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
        self.under_way = None;
        let mut failure = result.err();
        if failure.is_none() && offsets.count() > 0 {
            for element in offsets.elements() {
                match (element.error(), element.offset()) {
                    (Ok(()), Offset::Offset(offset)) => {
                        if let Some(held) = held.get_mut(&topic_partition(&element)) {
                            held.committed = Some(Position(offset));
                        }
                    }
                    (Ok(()), _) => {}
                    (Err(error), _) => failure = Some(error),
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
    let moved = list(revoked.iter().map(|(partition, held)| (partition, held)));
    if moved.count() == 0 {
        return;
    }
    let deadline = Instant::now() + patience;
    loop {
        match consumer.commit(&moved, CommitMode::Sync) {
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

/// The positions to commit among these partitions.
fn list<'a>(held: impl Iterator<Item = (&'a TopicPartition, &'a Held)>) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for (partition, held) in held {
        if let Some(position) = held.uncommitted() {
            let mut element = list.add_partition(&partition.topic, partition.partition);
            element.set_offset(Offset::Offset(position.0)).expect("a position is a legal offset");
        }
    }
    list
}

//! Which part of the rate limits this member takes, as the group gives it partitions.
//!
//! How many partitions there are is asked of the cluster at every rebalance and now and then, by a
//! task of its own: the thread that polls never waits for it. Until the first answer nothing goes
//! of what is limited. An answer that is out of date is one that others have, too.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::AdminClient;
use rdkafka::error::KafkaError;
use tokio::sync::Notify;
use tracing::{debug, info};

use crate::clock;
use crate::gates::Gates;
use crate::kafka_log::KafkaLog;
use crate::plan::Plan;
use crate::rate::Known;
use crate::record::TopicPartition;

/// How long the broker may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two looks while nothing happens: others may have been given new partitions.
const EVERY: Duration = Duration::from_mins(1);
/// The same while there is no answer.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// See the module's documentation.
#[derive(Debug)]
pub struct Shares {
    plan: Arc<Plan>,
    gates: Arc<Gates>,
    known: Mutex<Known>,
    rebalanced: Notify,
}

impl Shares {
    /// Of a member that holds nothing.
    #[must_use]
    pub fn new(plan: Arc<Plan>, gates: Arc<Gates>) -> Self {
        Self { plan, gates, known: Mutex::default(), rebalanced: Notify::new() }
    }

    /// This member holds these partitions from now on. Waits for nothing.
    pub fn hold<'a>(&self, partitions: impl IntoIterator<Item = &'a TopicPartition>) {
        let mut held = BTreeMap::new();
        for partition in partitions {
            *held.entry(Arc::clone(&partition.topic)).or_default() += 1;
        }
        self.learn(|known| known.held = held);
        self.rebalanced.notify_one();
    }

    /// Keeps itself informed of how many partitions there are, for as long as it is polled. Returns
    /// at once where nothing is limited.
    pub async fn keep_informed(self: Arc<Self>, config: ClientConfig) {
        if !self.gates.have_limits() {
            return;
        }
        let mut said = false;
        loop {
            let pause = match partitions_of_cluster(config.clone()).await {
                Ok(all) => {
                    debug!(topics = all.len(), "the partitions of the cluster are counted");
                    self.learn(|known| known.all = Some(all));
                    said = false;
                    EVERY
                }
                Err(error) => {
                    if !std::mem::replace(&mut said, true) {
                        info!(
                            %error,
                            "the partitions of the cluster cannot be counted, of which \
                             `delivery.rate_limit` is shared out; trying again"
                        );
                    }
                    AFTER_FAILURE
                }
            };
            // Whether it has waited for the one or for the other, it looks again.
            let _ = tokio::time::timeout(pause, self.rebalanced.notified()).await;
        }
    }

    fn learn(&self, learn: impl FnOnce(&mut Known)) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        learn(&mut known);
        // Under the lock, so that the last word is the newest.
        self.gates.take_shares(&self.plan, &known, clock::now().instant);
    }
}

/// How many partitions every topic has.
async fn partitions_of_cluster(
    config: ClientConfig,
) -> Result<BTreeMap<Box<str>, usize>, KafkaError> {
    let ask = tokio::task::spawn_blocking(move || {
        // It is needed for a moment, and would hold threads and connections for good.
        let admin: AdminClient<_> = config.create_with_context(KafkaLog::new("shares"))?;
        // Asking for all of them has no side effect; asking for one by name could create it on
        // clusters that do that.
        let metadata = admin.inner().fetch_metadata(None, PATIENCE)?;
        let topics = metadata.topics().iter().filter(|topic| topic.error().is_none());
        Ok(topics.map(|topic| (topic.name().into(), topic.partitions().len())).collect())
    });
    ask.await.unwrap_or(Err(KafkaError::Canceled))
}

//! The topics of Hookcast's own: the dead-letter topic and the redrive topic.
//!
//! Knows how to find out whether they exist and how to create them. It keeps trying: a broker
//! that is away at the start is no reason to end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::MetadataTopic;
use tracing::{info, warn};

use crate::health::Health;
use crate::kafka_log::KafkaLog;

/// How long the broker may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two tries.
const PAUSE: Duration = Duration::from_secs(1);
/// Until what was created just now can be seen.
const SHORT_PAUSE: Duration = Duration::from_millis(100);
/// Between two looks whether something was redriven.
const LOOK_EVERY: Duration = Duration::from_secs(3);
/// Thirty days: long enough to notice, understand and redrive.
const RETENTION_MS: &str = "2592000000";
/// Room for the headers that a letter adds to an event, whatever the sources allow.
const MAX_MESSAGE_BYTES: &str = "16777216";

/// What to make sure of.
#[derive(Debug, Clone)]
pub struct OwnTopics {
    /// Their names.
    pub names: Vec<String>,
    /// Whether to create those that are missing.
    pub create: bool,
}

/// What is known of the redrive topic. While it holds nothing, nobody needs to read it, and its
/// partitions do not skew how those of the sources are divided among members.
#[derive(Debug, Default)]
pub struct RedriveTopic {
    was_looked_at: AtomicBool,
    holds_letters: AtomicBool,
}

impl RedriveTopic {
    /// Whether there is something in it; none: nobody has looked yet.
    #[must_use]
    pub fn holds_letters(&self) -> Option<bool> {
        let is_known = self.was_looked_at.load(Ordering::Acquire);
        is_known.then(|| self.holds_letters.load(Ordering::Relaxed))
    }

    fn found(&self, holds_letters: bool) {
        self.holds_letters.store(holds_letters, Ordering::Relaxed);
        self.was_looked_at.store(true, Ordering::Release);
    }
}

/// Returns when the redrive topic holds letters, and tells until then that it does not.
///
/// # Errors
/// When librdkafka refuses the configuration.
pub async fn await_letters(
    config: ClientConfig,
    name: String,
    redrive: Arc<RedriveTopic>,
    health: Arc<Health>,
) -> Result<(), KafkaError> {
    let client = config.create_with_context::<_, AdminClient<_>>(KafkaLog::new("topics"))?;
    let client = Arc::new(client);
    // To ask for a topic by name may create it.
    while !health.has_topics() {
        tokio::time::sleep(SHORT_PAUSE).await;
    }
    loop {
        let (client, name) = (Arc::clone(&client), name.clone());
        let look = tokio::task::spawn_blocking(move || holds_letters(&client, &name));
        // That the broker is away is said by the consumer.
        if let Ok(Ok(holds_letters)) = look.await {
            redrive.found(holds_letters);
            if holds_letters {
                return Ok(());
            }
        }
        // The sources wait for the first look; one at a topic that was created just now may fail.
        let is_awaited = redrive.holds_letters().is_none();
        tokio::time::sleep(if is_awaited { SHORT_PAUSE } else { LOOK_EVERY }).await;
    }
}

fn holds_letters(client: &AdminClient<KafkaLog>, name: &str) -> Result<bool, KafkaError> {
    let metadata = client.inner().fetch_metadata(Some(name), PATIENCE)?;
    for partition in metadata.topics().iter().flat_map(MetadataTopic::partitions) {
        let (begin, end) = client.inner().fetch_watermarks(name, partition.id(), PATIENCE)?;
        if begin < end {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns when all the topics exist; says once what it waits for.
///
/// # Errors
/// When librdkafka refuses the configuration.
pub async fn ensure(
    config: ClientConfig,
    topics: OwnTopics,
    health: Arc<Health>,
) -> Result<(), KafkaError> {
    let admin = Arc::new(config.create_with_context::<_, AdminClient<_>>(KafkaLog::new("topics"))?);
    let mut said = None;
    loop {
        let mut pause = PAUSE;
        let problem = match missing(&admin, &topics.names).await {
            Ok(missing) if missing.is_empty() => {
                health.set_has_topics();
                return Ok(());
            }
            Ok(missing) if topics.create => {
                let created = create(&admin, &missing).await;
                if created.is_ok() {
                    pause = SHORT_PAUSE;
                }
                created.err()
            }
            Ok(missing) => Some(format!(
                "missing: {}; create them, or set `topics.create: true`",
                missing.join(", ")
            )),
            // That the broker is away is said by the consumer.
            Err(_) => None,
        };
        if problem.is_some() && problem != said {
            warn!(problem = problem.as_deref(), "the dead-letter and redrive topics are not ready");
            said = problem;
        }
        tokio::time::sleep(pause).await;
    }
}

/// The names among `names` that the cluster has no topic for.
async fn missing(
    admin: &Arc<AdminClient<KafkaLog>>,
    names: &[String],
) -> Result<Vec<String>, KafkaError> {
    let admin = Arc::clone(admin);
    let names = names.to_vec();
    let ask = tokio::task::spawn_blocking(move || {
        // Asking for all of them has no side effect; asking for one by name could create it on
        // clusters that do that.
        let metadata = admin.inner().fetch_metadata(None, PATIENCE)?;
        let exists = |name: &String| {
            metadata.topics().iter().any(|topic| topic.name() == name && topic.error().is_none())
        };
        Ok(names.into_iter().filter(|name| !exists(name)).collect())
    });
    ask.await.unwrap_or(Err(KafkaError::Canceled))
}

async fn create(admin: &AdminClient<KafkaLog>, names: &[String]) -> Result<(), String> {
    let new = names.iter().map(|name| {
        // The cluster's own defaults decide on partitions and replicas.
        NewTopic::new(name, -1, TopicReplication::Fixed(-1))
            .set("cleanup.policy", "delete")
            .set("retention.ms", RETENTION_MS)
            .set("max.message.bytes", MAX_MESSAGE_BYTES)
    });
    let new: Vec<_> = new.collect();
    let options = AdminOptions::new().operation_timeout(Some(PATIENCE));
    let results = admin.create_topics(&new, &options).await.map_err(|error| error.to_string())?;
    let mut problems = Vec::new();
    for result in results {
        match result {
            Ok(name) => info!(topic = name, "topic created"),
            // Another member was faster.
            Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((name, code)) => problems.push(format!("{name}: {code}")),
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems.join("; ")) }
}

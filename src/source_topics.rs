//! The topics that events come from, as far as an operator has to be told of them.
//!
//! Asks the broker for the settings of each topic once, when a partition of it is assigned for the
//! first time. Nothing waits for the answer, and nothing fails for want of it: who may read a topic
//! need not be allowed to read its settings.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{
    AdminClient, AdminOptions, ConfigResource, OwnedResourceSpecifier, ResourceSpecifier,
};
use rdkafka::error::KafkaError;
use tokio::sync::mpsc;
use tracing::{info, warn};

use crate::kafka_log::KafkaLog;
use crate::plan::Plan;
use crate::retention::Retention;
use crate::routing::Routes;

/// How long the broker may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many topics may wait to be asked for; those beyond are asked for when they are assigned
/// again.
const MOST_WAITING: usize = 1024;
/// How many topics are asked for at a time.
const MOST_AT_ONCE: usize = 100;

/// Names topics that are read, for [`review`].
#[derive(Debug, Clone)]
pub struct Assigned(mpsc::Sender<Arc<str>>);

impl Assigned {
    /// And what hears of them.
    #[must_use]
    pub fn new() -> (Self, mpsc::Receiver<Arc<str>>) {
        let (tell, assigned) = mpsc::channel(MOST_WAITING);
        (Self(tell), assigned)
    }

    /// Some of `topic` is read from now on.
    pub fn topic(&self, topic: &Arc<str>) {
        // Nobody hears it when the process is ending, and then it does not matter.
        let _ = self.0.try_send(Arc::clone(topic));
    }
}

/// Warns of topics that may delete events before they are delivered. Returns when nobody can name
/// a topic any more.
pub async fn review(config: ClientConfig, plan: Arc<Plan>, mut assigned: mpsc::Receiver<Arc<str>>) {
    let mut known = HashSet::new();
    let mut topics = Vec::new();
    while assigned.recv_many(&mut topics, MOST_AT_ONCE).await > 0 {
        topics.retain(|topic| known.insert(Arc::clone(topic)));
        if topics.is_empty() {
            continue;
        }
        if let Err(error) = review_some(&config, &plan, &topics).await {
            info!(
                %error,
                "the settings of the sources' topics cannot be read; whether they keep events \
                 for long enough is not checked"
            );
        }
        topics.clear();
    }
}

async fn review_some(
    config: &ClientConfig,
    plan: &Plan,
    topics: &[Arc<str>],
) -> Result<(), KafkaError> {
    // It is needed for a moment, and would hold threads and connections for good.
    let admin: AdminClient<_> = config.create_with_context(KafkaLog::new("sources"))?;
    let asked: Vec<_> = topics.iter().map(|topic| ResourceSpecifier::Topic(topic)).collect();
    let options = AdminOptions::new().request_timeout(Some(PATIENCE));
    let answers = admin.describe_configs(&asked, &options).await;
    // Its own thread is awaited when it is dropped.
    let dropped = tokio::task::spawn_blocking(move || drop(admin)).await;
    dropped.expect("dropping a client does not panic");
    let mut refused = None;
    for answer in answers? {
        match answer {
            Ok(topic) => say(plan, &topic),
            Err(code) => refused = Some(code),
        }
    }
    refused.map_or(Ok(()), |code| Err(KafkaError::AdminOp(code)))
}

fn say(plan: &Plan, settings: &ConfigResource) {
    let OwnedResourceSpecifier::Topic(topic) = &settings.specifier else { return };
    let value = |name| settings.get(name).and_then(|entry| entry.value.as_deref());
    let retention =
        Retention::new(value("cleanup.policy"), value("retention.ms"), value("retention.bytes"));
    for warning in retention.warnings(plan, &Routes::new(plan, topic).actions(plan)) {
        warn!(topic, "{warning}");
    }
}

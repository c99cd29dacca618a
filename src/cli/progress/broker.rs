//! What the broker knows of a group: its positions, their metadata, and the ends of the log.
//!
//! Asks as a consumer that never subscribes, which the group does not notice. However many
//! partitions there are, a question for all of them takes one request to each broker.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::{Metadata, MetadataPartition};
use rdkafka::topic_partition_list::TopicPartitionListElem;
use rdkafka::{Offset, TopicPartitionList};

use crate::config::Config;
use crate::kafka_log;
use crate::plan::TopicPattern;
use crate::record::{Position, TopicPartition};

/// How long the broker may take to answer one question.
const PATIENCE: Duration = Duration::from_secs(10);
/// Before a question is asked again.
const PAUSE: Duration = Duration::from_millis(200);

/// So many reports of what failed are looked at: more keep coming for as long as it fails.
const MOST_REPORTS: usize = 50;

/// Why the broker cannot be asked.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum Error {
    #[error("the Kafka client cannot be created")]
    Client(#[source] KafkaError),
    #[error("no broker at {servers} answers within {}s: {reason}", PATIENCE.as_secs())]
    Away { servers: String, reason: String },
    #[error("the committed positions of group {group} cannot be read: {reason}")]
    Positions { group: String, reason: String },
    #[error("the ends of the topics cannot be read: {reason}")]
    Ends { reason: String },
}

/// What the broker has said.
pub(super) struct Answers {
    /// The partitions of the topics that the sources read, in order.
    pub(super) partitions: Vec<Answer>,
    /// The topics that a source names and that are not there.
    pub(super) missing: Vec<String>,
}

/// What the broker has said of one partition.
pub(super) struct Answer {
    pub(super) partition: TopicPartition,
    /// What the group has committed; none: nothing.
    pub(super) committed: Option<Committed>,
    /// The position behind the last record; none where the partition has no leader to ask.
    pub(super) end: Option<Position>,
}

/// A committed position and its metadata.
pub(super) struct Committed {
    pub(super) position: Position,
    pub(super) metadata: String,
}

/// Asks for all that is known of the group.
pub(super) fn ask(config: &Config) -> Result<Answers, Error> {
    let mut client = config.kafka.consumer();
    client.set("enable.auto.commit", "false").set("enable.auto.offset.store", "false");
    let consumer: BaseConsumer<Onlooker> =
        client.create_with_context(Onlooker::default()).map_err(Error::Client)?;

    let cluster = consumer.fetch_metadata(None, PATIENCE).map_err(|error| Error::Away {
        servers: config.kafka.bootstrap_servers().to_owned(),
        reason: reported(&consumer).unwrap_or_else(|| reason(&error)),
    })?;
    let (partitions, missing) = read_by_sources(&cluster, config);
    if partitions.is_empty() {
        return Ok(Answers { partitions: Vec::new(), missing });
    }
    let committed = patiently(|patience| committed(&consumer, partitions.keys(), patience));
    let committed = committed.map_err(|error| Error::Positions {
        group: config.kafka.group_id.clone(),
        reason: reason(&error),
    })?;
    let led = partitions.iter().filter(|(_, leader)| **leader == Leader::There);
    let led = led.map(|(partition, _)| partition);
    let ends = patiently(|patience| ends(&consumer, led.clone(), patience));
    let ends = ends.map_err(|error| Error::Ends { reason: reason(&error) })?;
    let answers = partitions.into_keys().map(|partition| Answer {
        committed: find(&committed, &partition)
            .map(|(position, metadata)| Committed { position, metadata }),
        end: find(&ends, &partition).map(|(end, _)| end),
        partition,
    });
    Ok(Answers { partitions: answers.collect(), missing })
}

/// Whether a partition has a broker that can be asked about it.
#[derive(PartialEq, Eq)]
enum Leader {
    There,
    Away,
}

/// The partitions that the sources read, and the topics that they name and that are not there.
fn read_by_sources(
    cluster: &Metadata,
    config: &Config,
) -> (BTreeMap<TopicPartition, Leader>, Vec<String>) {
    let patterns: Vec<_> = config.plan.sources.iter().flat_map(|source| &source.topics).collect();
    let own = [&config.topics.dead_letter, &config.topics.redrive];
    let mut partitions = BTreeMap::new();
    let mut found = Vec::new();
    for topic in cluster.topics() {
        let is_own = own.iter().any(|name| *name == topic.name());
        if is_own || !patterns.iter().any(|pattern| pattern.matches(topic.name())) {
            continue;
        }
        found.push(topic.name());
        let leader = |partition: &MetadataPartition| {
            if partition.leader() < 0 { Leader::Away } else { Leader::There }
        };
        partitions.extend(topic.partitions().iter().map(|partition| {
            let name = TopicPartition { topic: topic.name().into(), partition: partition.id() };
            (name, leader(partition))
        }));
    }
    let named = patterns.iter().filter_map(|pattern| match pattern {
        TopicPattern::Name(name) => Some(&**name),
        TopicPattern::Expression(_) => None,
    });
    let mut missing: Vec<_> =
        named.filter(|name| !found.contains(name)).map(str::to_owned).collect();
    missing.sort();
    missing.dedup();
    (partitions, missing)
}

fn committed<'a>(
    consumer: &BaseConsumer<Onlooker>,
    partitions: impl Iterator<Item = &'a TopicPartition>,
    patience: Duration,
) -> Result<TopicPartitionList, KafkaError> {
    let mut asked = TopicPartitionList::new();
    for partition in partitions {
        asked.add_partition(&partition.topic, partition.partition);
    }
    let committed = consumer.committed_offsets(asked, patience)?;
    committed.elements().iter().try_for_each(TopicPartitionListElem::error)?;
    Ok(committed)
}

fn ends<'a>(
    consumer: &BaseConsumer<Onlooker>,
    partitions: impl Iterator<Item = &'a TopicPartition>,
    patience: Duration,
) -> Result<TopicPartitionList, KafkaError> {
    let mut asked = TopicPartitionList::new();
    for partition in partitions {
        // In a question for offsets by time, this is the time after every record's.
        asked.add_partition_offset(&partition.topic, partition.partition, Offset::End)?;
    }
    if asked.count() == 0 {
        return Ok(asked);
    }
    consumer.offsets_for_times(asked, patience)
}

/// The position in a list of answers, if there is one without an error, and its metadata.
fn find(answers: &TopicPartitionList, partition: &TopicPartition) -> Option<(Position, String)> {
    let element = answers.find_partition(&partition.topic, partition.partition)?;
    element.error().ok()?;
    match element.offset() {
        Offset::Offset(offset) => Some((Position(offset), element.metadata().to_owned())),
        _ => None,
    }
}

/// Asks until there is an answer or an error that waiting does not mend: a leader or a
/// coordinator that has just changed answers the next time.
fn patiently<T>(mut ask: impl FnMut(Duration) -> Result<T, KafkaError>) -> Result<T, KafkaError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match ask(deadline.saturating_duration_since(Instant::now())) {
            Err(error) if !denies(&error) && Instant::now() + PAUSE < deadline => {
                std::thread::park_timeout(PAUSE);
            }
            result => return result,
        }
    }
}

fn denies(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        error.rdkafka_error_code(),
        Some(
            Code::GroupAuthorizationFailed
                | Code::TopicAuthorizationFailed
                | Code::ClusterAuthorizationFailed
        )
    )
}

fn reason(error: &KafkaError) -> String {
    error.rdkafka_error_code().map_or_else(|| error.to_string(), |code| code.to_string())
}

/// What librdkafka has to say of its connections.
fn reported(consumer: &BaseConsumer<Onlooker>) -> Option<String> {
    // Reports come with polling. Nothing is assigned, so nothing else does, but for lines of
    // librdkafka's log, which a poll that does not wait would take for the last.
    let mut polls = 0..MOST_REPORTS;
    while polls.next().is_some() && consumer.poll(Duration::from_millis(10)).is_some() {}
    consumer.context().reported.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Keeps what librdkafka reports.
#[derive(Default)]
struct Onlooker {
    /// The latest report of something that failed.
    reported: Mutex<Option<String>>,
}

impl ClientContext for Onlooker {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        kafka_log::log_line("progress", level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        // That all of them are down is said of each before.
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::AllBrokersDown) {
            let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
            *reported = Some(reason.to_owned());
        }
    }
}

impl ConsumerContext for Onlooker {}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rdkafka::mocking::MockCluster;
    use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

    use super::{Answers, Error, ask};
    use crate::config::Config;
    use crate::record::Position;

    /// What comes of asking where the broker answers two requests of one kind with an error.
    fn answers(kind: RDKafkaApiKey, error: RDKafkaRespErr) -> Result<Answers, Error> {
        let cluster = MockCluster::new(1).expect("a cluster in this process");
        cluster.create_topic("t", 2, 1).expect("a topic");
        cluster.request_errors(kind, &[error; 2]);
        let yaml = format!(
            "kafka: {{ bootstrap.servers: '{}', group.id: g }}
sources: {{ web: {{ topics: [t, gone] }} }}
destinations:
  crm: {{ actions: {{ all: {{ trigger: type = \"track\", url: https://example.com }} }} }}
",
            cluster.bootstrap_servers()
        );
        let no_variable = |_: &str| Err(std::env::VarError::NotPresent);
        let config = Config::parse("hookcast.yaml", &yaml, Path::new(""), &no_variable);
        ask(&config.unwrap_or_else(|errors| panic!("{errors}")))
    }

    #[test]
    fn a_leader_that_has_just_changed_is_asked_again() {
        let error = RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION;
        let answers = answers(RDKafkaApiKey::ListOffsets, error).expect("an answer in the end");
        assert_eq!(answers.missing, ["gone"]);
        let ends: Vec<_> = answers.partitions.iter().map(|answer| answer.end).collect();
        assert_eq!(ends, [Some(Position(0)); 2]);
        assert!(answers.partitions.iter().all(|answer| answer.committed.is_none()));
    }

    #[test]
    fn denied_access_is_said() {
        let error = RDKafkaRespErr::RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED;
        let why = answers(RDKafkaApiKey::OffsetFetch, error).err().expect("no answer");
        let why = why.to_string();
        assert!(why.contains("group g") && why.contains("authorization failed"), "{why}");
    }
}

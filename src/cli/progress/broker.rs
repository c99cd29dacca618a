//! What the broker knows of a group: its positions, their metadata, and the ends of the log.
//!
//! Asks as a consumer that never subscribes, which the group does not notice. However many
//! partitions there are, a question for all of them takes one request to each broker.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::metadata::{Metadata, MetadataPartition};
use rdkafka::topic_partition_list::TopicPartitionListElem;
use rdkafka::{Offset, TopicPartitionList};

use crate::cli::onlooker::{self, Listener, Onlooker, patiently, reason};
use crate::config::Config;
use crate::plan::TopicPattern;
use crate::record::{Position, TopicPartition};

/// Why the broker cannot be asked.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum Error {
    #[error(transparent)]
    Onlooker(#[from] onlooker::Error),
    #[error("the committed positions of group {group} cannot be read: {reason}")]
    Positions { group: String, reason: String },
    #[error("the ends of the topics cannot be read: {reason}")]
    Ends { reason: String },
}

/// What the broker has said.
pub(super) struct Answers {
    /// The partitions of the topics that the group reads, in order. Of the redrive topic those that
    /// something was ever written to.
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
    let Onlooker { consumer, cluster } =
        Onlooker::new(config, config.kafka.consumer(), "progress")?;
    let (partitions, missing) = read_by_group(&cluster, config);
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
    let is_worth_a_word = |answer: &Answer| {
        answer.end != Some(Position(0)) || *answer.partition.topic != *config.topics.redrive
    };
    Ok(Answers { partitions: answers.filter(is_worth_a_word).collect(), missing })
}

/// Whether a partition has a broker that can be asked about it.
#[derive(PartialEq, Eq)]
enum Leader {
    There,
    Away,
}

/// The partitions that the group reads, and the topics that sources name and that are not there.
fn read_by_group(
    cluster: &Metadata,
    config: &Config,
) -> (BTreeMap<TopicPartition, Leader>, Vec<String>) {
    let patterns: Vec<_> = config.plan.sources.iter().flat_map(|source| &source.topics).collect();
    let topics = &config.topics;
    let mut partitions = BTreeMap::new();
    let mut found = Vec::new();
    for topic in cluster.topics() {
        let is_read = topic.name() == topics.redrive
            || topic.name() != topics.dead_letter
                && patterns.iter().any(|pattern| pattern.matches(topic.name()));
        if !is_read {
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
    consumer: &BaseConsumer<Listener>,
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
    consumer: &BaseConsumer<Listener>,
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

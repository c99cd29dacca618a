//! The dead-letter topic, read from its beginning to the end that it had when it was opened.
//!
//! It is read one partition after the other, as often as need be: nothing of it is kept.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::Message;
use rdkafka::metadata::MetadataPartition;
use rdkafka::{Offset, TopicPartitionList};

use crate::cli::onlooker::{Listener, Onlooker, denies, patiently, reason};
use crate::config::Config;
use crate::dead_letter::{Place, Redriven};
use crate::librdkafka;
use crate::record::{Position, Record, TopicPartition};

/// The longest wait for a record, and so for a stop to be noticed.
const POLL: Duration = Duration::from_millis(100);
/// A broker that sends nothing for so long has gone away.
const LONGEST_SILENCE: Duration = Duration::from_secs(30);

/// Why the topic cannot be read.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum Error {
    #[error("there is no topic {0}; `hookcast run` creates it, unless `topics.create` is false")]
    Missing(String),
    #[error("the positions of {partition} cannot be read: {reason}")]
    Positions { partition: TopicPartition, reason: String },
    #[error("{partition} cannot be read from {position} on: {reason}")]
    Read { partition: TopicPartition, position: Position, reason: String },
}

/// See the module's documentation.
pub(super) struct Topic {
    onlooker: Onlooker,
    name: String,
    stretches: Vec<Stretch>,
    is_stopped: AtomicBool,
    offsets_read: AtomicU64,
}

/// What is read of one partition.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    partition: i32,
    from: Position,
    to: Position,
}

impl Stretch {
    /// How many offsets lie between its beginning and `position`.
    fn up_to(&self, position: Position) -> u64 {
        u64::try_from(position.0.min(self.to.0) - self.from.0).unwrap_or(0)
    }
}

impl Topic {
    /// Looks how far the topic reaches. Of what was written before `since` as much is left out as
    /// the broker can tell.
    pub(super) fn open(config: &Config, since: Option<i64>) -> Result<Self, super::Error> {
        let mut client = config.kafka.consumer();
        let name = client.get("client.id").unwrap_or("hookcast").to_owned();
        client
            .set("client.id", format!("{name}-dead-letters"))
            .set("enable.partition.eof", "true")
            // What the broker has deleted meanwhile is gone.
            .set("auto.offset.reset", "earliest");
        // Enough to keep one partition busy, and no pause of a second whenever that is there.
        for (key, value) in
            [("queued.max.messages.kbytes", "16384"), ("fetch.queue.backoff.ms", "10")]
        {
            if client.get(key).is_none() {
                client.set(key, value);
            }
        }
        // A name in the group is for its member.
        client.remove("group.instance.id");
        let onlooker = Onlooker::new(config, client, "dead letters")?;
        let name = config.topics.dead_letter.clone();
        let mut topic = Self {
            onlooker,
            name,
            stretches: Vec::new(),
            is_stopped: AtomicBool::new(false),
            offsets_read: AtomicU64::new(0),
        };
        topic.expect_there(&config.topics.dead_letter)?;
        let partitions = topic.onlooker.cluster.topics().iter();
        let partitions = partitions.filter(|found| found.name() == topic.name);
        let partitions =
            partitions.flat_map(|found| found.partitions().iter().map(MetadataPartition::id));
        let stretches = partitions.map(|partition| topic.stretch(partition, since));
        let mut stretches = stretches.collect::<Result<Vec<_>, _>>()?;
        stretches.retain(|stretch| stretch.from < stretch.to);
        stretches.sort_by_key(|stretch| stretch.partition);
        topic.stretches = stretches;
        Ok(topic)
    }

    /// An error when the cluster has no topic of this name.
    pub(super) fn expect_there(&self, name: &str) -> Result<(), Error> {
        let mut topics = self.onlooker.cluster.topics().iter();
        if topics.any(|topic| topic.name() == name && topic.error().is_none()) {
            return Ok(());
        }
        Err(Error::Missing(name.to_owned()))
    }

    /// What is to be read of one partition.
    fn stretch(&self, partition: i32, since: Option<i64>) -> Result<Stretch, Error> {
        let consumer = &self.onlooker.consumer;
        let failed = |error: KafkaError| Error::Positions {
            partition: self.partition(partition),
            reason: reason(&error),
        };
        let ask = |patience| consumer.fetch_watermarks(&self.name, partition, patience);
        let (begin, end) = patiently(ask).map_err(failed)?;
        let first = match since {
            None => begin,
            Some(since) => {
                let mut asked = TopicPartitionList::new();
                asked
                    .add_partition_offset(&self.name, partition, Offset::Offset(since))
                    .map_err(failed)?;
                let ask = |patience| consumer.offsets_for_times(asked.clone(), patience);
                let answer = patiently(ask).map_err(failed)?;
                let found = answer.find_partition(&self.name, partition);
                match found.map(|found| found.offset()) {
                    Some(Offset::Offset(first)) => first,
                    // Everything is older.
                    _ => end,
                }
            }
        };
        Ok(Stretch { partition, from: Position(first), to: Position(end) })
    }

    fn partition(&self, partition: i32) -> TopicPartition {
        TopicPartition { topic: self.name.as_str().into(), partition }
    }

    /// Reads it for what was redriven.
    pub(super) fn redriven(&self) -> Result<Redriven, Error> {
        let mut redriven = Redriven::new();
        self.read(|record, place| {
            redriven.note(record, place);
            Ok::<_, Error>(ControlFlow::Continue(()))
        })?;
        Ok(redriven)
    }

    /// Hands every record to `see`, until it has seen enough. Those of a partition come in their
    /// order, after all of the one before it.
    pub(super) fn read<E: From<Error>>(
        &self,
        mut see: impl FnMut(&Record<'_>, Place) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        for stretch in &self.stretches {
            let before = self.offsets_read.load(Ordering::Relaxed);
            if self.read_stretch(stretch, before, &mut see)?.is_break() {
                return Ok(());
            }
            self.offsets_read.store(before + stretch.up_to(stretch.to), Ordering::Relaxed);
        }
        Ok(())
    }

    fn read_stretch<E: From<Error>>(
        &self,
        stretch: &Stretch,
        read_before: u64,
        see: &mut impl FnMut(&Record<'_>, Place) -> Result<ControlFlow<()>, E>,
    ) -> Result<ControlFlow<()>, E> {
        let Stretch { partition, from, to } = *stretch;
        let mut position = from;
        let failed = |position, error: KafkaError| Error::Read {
            partition: self.partition(partition),
            position,
            reason: reason(&error),
        };
        self.assign(partition, from).map_err(|error| failed(from, error))?;
        let mut heard = Instant::now();
        let mut passing = KafkaError::MessageConsumption(Code::OperationTimedOut);
        while position < to {
            if self.is_stopped.load(Ordering::Relaxed) {
                return Ok(ControlFlow::Break(()));
            }
            match self.consumer().poll(POLL) {
                None if heard.elapsed() < LONGEST_SILENCE => continue,
                None => return Err(failed(position, passing).into()),
                // What was fetched of the last partition may still come.
                Some(Ok(message)) if message.partition() != partition => continue,
                Some(Ok(message)) => {
                    let record = librdkafka::record(&message);
                    // What was written since is for the next look.
                    if !to.is_past(record.offset) {
                        break;
                    }
                    position = record.offset.next();
                    let (offset, timestamp) = (record.offset, record.timestamp);
                    if see(&record, Place { partition, offset, timestamp })?.is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
                // What is left below the end are markers of transactions, or is not committed yet.
                Some(Err(KafkaError::PartitionEOF(ended))) if ended == partition => break,
                Some(Err(KafkaError::PartitionEOF(_))) => continue,
                Some(Err(error)) if is_final(&error) => {
                    return Err(failed(position, error).into());
                }
                // librdkafka tries again by itself, and a silence ends that.
                Some(Err(error)) if heard.elapsed() < LONGEST_SILENCE => {
                    passing = error;
                    continue;
                }
                Some(Err(error)) => return Err(failed(position, error).into()),
            }
            heard = Instant::now();
            self.offsets_read.store(read_before + stretch.up_to(position), Ordering::Relaxed);
        }
        Ok(ControlFlow::Continue(()))
    }

    fn consumer(&self) -> &BaseConsumer<Listener> {
        &self.onlooker.consumer
    }

    fn assign(&self, partition: i32, from: Position) -> Result<(), KafkaError> {
        let mut assigned = TopicPartitionList::new();
        assigned.add_partition_offset(&self.name, partition, Offset::Offset(from.0))?;
        self.consumer().assign(&assigned)
    }

    /// Whoever reads it ends soon, and has seen enough.
    pub(super) fn stop(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
    }

    /// How many offsets were read, all readings together.
    pub(super) fn offsets_read(&self) -> u64 {
        self.offsets_read.load(Ordering::Relaxed)
    }

    /// How many offsets one reading takes.
    pub(super) fn length(&self) -> u64 {
        self.stretches.iter().map(|stretch| stretch.up_to(stretch.to)).sum()
    }
}

/// Whether waiting does not mend it.
fn is_final(error: &KafkaError) -> bool {
    let code = error.rdkafka_error_code();
    denies(error)
        || matches!(
            code,
            Some(Code::UnknownTopicOrPartition | Code::UnknownTopic | Code::UnknownPartition)
        )
}

//! Topics as their owners see them: made, filled, read, and how far a group has come.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::client::{ClientContext, DefaultClientContext};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{
    BaseRecord, DeliveryResult, NoCustomPartitioner, Producer, ProducerContext, ThreadedProducer,
};
use rdkafka::{Offset, TopicPartitionList};

use super::{Broker, DEADLINE, until};

/// Where a record stands in its topic: partition and offset.
pub type Place = (i32, i64);

/// A record to be produced.
#[derive(Clone, Default)]
pub struct Record {
    partition: Option<i32>,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<(String, Option<Vec<u8>>)>,
    timestamp: Option<i64>,
}

impl Record {
    /// A record with this value and nothing else.
    pub fn new(value: impl Into<Vec<u8>>) -> Self {
        Self { value: Some(value.into()), ..Self::default() }
    }

    /// A null value.
    pub fn tombstone() -> Self {
        Self::default()
    }

    pub fn key(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.key = Some(key.into());
        self
    }

    pub fn partition(mut self, partition: i32) -> Self {
        self.partition = Some(partition);
        self
    }

    pub fn header(mut self, name: &str, value: Option<&[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.map(<[u8]>::to_vec)));
        self
    }

    /// Milliseconds since 1970.
    pub fn timestamp(mut self, timestamp: i64) -> Self {
        self.timestamp = Some(timestamp);
        self
    }
}

/// A record as it stands in a topic.
#[derive(Debug, Clone)]
pub struct Stored {
    pub place: Place,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    pub timestamp: Option<i64>,
}

impl Stored {
    /// The text of a header that stands there once.
    pub fn header(&self, name: &str) -> Option<String> {
        let mut values = self.headers.iter().filter(|(header, _)| header == name);
        let value = values.next()?.1.as_ref()?;
        assert!(values.next().is_none(), "the header {name} stands there twice");
        Some(String::from_utf8_lossy(value).into_owned())
    }
}

impl Broker {
    /// Makes a topic and waits until clients see it.
    pub fn create_topic(&self, topic: &str, partitions: usize, configs: &[(&str, &str)]) {
        let admin: AdminClient<DefaultClientContext> =
            self.client().create().expect("an admin client");
        let count = i32::try_from(partitions).expect("a small number of partitions");
        let mut new = NewTopic::new(topic, count, TopicReplication::Fixed(1));
        for (key, value) in configs {
            new = new.set(key, value);
        }
        let results = block_on(admin.create_topics([&new], &AdminOptions::new()))
            .expect("the broker answers");
        for result in results {
            result.unwrap_or_else(|(topic, error)| panic!("creating {topic}: {error}"));
        }
        until(&format!("topic {topic}"), || match self.partitions(topic) {
            Some(found) if found == partitions => Ok(()),
            found => Err(format!("{found:?} partitions")),
        });
    }

    /// Deletes a topic and waits until clients see it no more.
    pub fn delete_topic(&self, topic: &str) {
        let admin: AdminClient<DefaultClientContext> =
            self.client().create().expect("an admin client");
        let results = block_on(admin.delete_topics(&[topic], &AdminOptions::new()));
        for result in results.expect("the broker answers") {
            result.unwrap_or_else(|(topic, error)| panic!("deleting {topic}: {error}"));
        }
        until(&format!("topic {topic} to be gone"), || match self.partitions(topic) {
            None => Ok(()),
            Some(found) => Err(format!("{found} partitions")),
        });
    }

    /// Changes how large a record of a topic may be.
    pub fn set_max_message_bytes(&self, topic: &str, bytes: usize) {
        let admin: AdminClient<DefaultClientContext> =
            self.client().create().expect("an admin client");
        let bytes = bytes.to_string();
        let change =
            AlterConfig::new(ResourceSpecifier::Topic(topic)).set("max.message.bytes", &bytes);
        let results = block_on(admin.alter_configs([&change], &AdminOptions::new()))
            .expect("the broker answers");
        for result in results {
            result.unwrap_or_else(|(_, error)| panic!("changing {topic}: {error}"));
        }
    }

    /// Deletes the records of a partition below an offset, as retention does.
    pub fn delete_records(&self, topic: &str, partition: i32, below: i64) {
        let admin: AdminClient<DefaultClientContext> =
            self.client().create().expect("an admin client");
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, partition, Offset::Offset(below)).expect("an offset");
        let deleted = block_on(admin.delete_records(&list, &AdminOptions::new()));
        let deleted = deleted.expect("the broker answers");
        for element in deleted.elements() {
            element.error().expect("the records are deleted");
        }
    }

    /// How many partitions a topic has, if it is there and all of them have a leader.
    pub fn partitions(&self, topic: &str) -> Option<usize> {
        partitions_seen_by(&self.client().create().expect("a client"), topic)
    }

    /// Writes records, waits until the broker has all of them, and tells where they are.
    #[track_caller]
    pub fn produce(&self, topic: &str, records: impl IntoIterator<Item = Record>) -> Vec<Place> {
        let reports = Reports::default();
        let producer: ThreadedProducer<Reports> = self
            .client()
            .set("max.in.flight.requests.per.connection", "1")
            .set("linger.ms", "5")
            .set("message.max.bytes", "20000000")
            .set("queue.buffering.max.messages", "1000000")
            .create_with_context(reports.clone())
            .expect("a producer");
        let mut count = 0;
        for (number, record) in records.into_iter().enumerate() {
            count += 1;
            let mut next = BaseRecord::<[u8], [u8], usize>::with_opaque_to(topic, number);
            next.partition = record.partition;
            next.key = record.key.as_deref();
            next.payload = record.value.as_deref();
            next.timestamp = record.timestamp;
            if !record.headers.is_empty() {
                let headers =
                    record.headers.iter().fold(OwnedHeaders::new(), |headers, (name, value)| {
                        headers.insert(Header { key: name, value: value.as_ref() })
                    });
                next.headers = Some(headers);
            }
            producer
                .send(next)
                .unwrap_or_else(|(error, _)| panic!("producing to {topic}: {error}"));
        }
        producer.flush(DEADLINE).expect("all records are written in time");
        let reports = reports.0.lock().expect("nothing panics while it holds the reports");
        let places: Vec<_> = reports
            .values()
            .cloned()
            .map(|report| report.expect("the record is written"))
            .collect();
        assert_eq!(places.len(), count, "not every record of {topic} was reported");
        places
    }

    /// Everything that a topic holds now, in order of partition and offset.
    pub fn read(&self, topic: &str) -> Vec<Stored> {
        let reader: BaseConsumer = self
            .client()
            .set("group.id", "reader-of-the-tests")
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .set("fetch.wait.max.ms", "10")
            .create()
            .expect("a consumer");
        // Asked with the reader itself: a reader that has yet to learn where a partition is, tries
        // again after half a second.
        let Some(partitions) = partitions_seen_by(&reader, topic) else {
            return Vec::new();
        };
        reader.assign(&list(topic, partitions, Offset::Beginning)).expect("an assignment");
        let begun = Instant::now();
        let (mut records, mut ended) = (Vec::new(), 0);
        while ended < partitions {
            assert!(begun.elapsed() < DEADLINE, "reading {topic} took more than {DEADLINE:?}");
            match reader.poll(Duration::from_secs(1)) {
                None => {}
                Some(Ok(message)) => records.push(stored(&message)),
                Some(Err(KafkaError::PartitionEOF(_))) => ended += 1,
                Some(Err(error)) => panic!("reading {topic}: {error}"),
            }
        }
        records.sort_by_key(|record| record.place);
        records
    }

    /// Waits until a topic holds this many records, or more, and gives them all.
    #[track_caller]
    pub fn read_when(&self, topic: &str, count: usize) -> Vec<Stored> {
        until(&format!("{count} records in {topic}"), || {
            let records = self.read(topic);
            if records.len() < count {
                Err(format!("{} records", records.len()))
            } else {
                Ok(records)
            }
        })
    }

    /// The offset after the last record, for each partition.
    pub fn ends(&self, topic: &str) -> Vec<i64> {
        let client: BaseConsumer = self.client().create().expect("a client");
        let partitions = partitions_seen_by(&client, topic).expect("the topic is there");
        let end =
            |partition| client.fetch_watermarks(topic, partition, DEADLINE).expect("watermarks").1;
        (0..count(partitions)).map(end).collect()
    }

    /// Commits positions with metadata for a group that has no members.
    pub fn commit(&self, group: &str, topic: &str, positions: &[(i32, i64, &str)]) {
        let outsider: BaseConsumer =
            self.client().set("group.id", group).create().expect("a consumer");
        let mut list = TopicPartitionList::new();
        for &(partition, position, metadata) in positions {
            let mut element = list.add_partition(topic, partition);
            element.set_offset(Offset::Offset(position)).expect("an offset");
            element.set_metadata(metadata);
        }
        until(&format!("a commit for {group}"), || {
            outsider.commit(&list, CommitMode::Sync).map_err(|error| error.to_string())
        });
    }

    /// A way to ask again and again for a group's committed positions without being part of it.
    pub fn positions(&self, group: &str, topic: &str) -> Positions {
        let partitions = self.partitions(topic).expect("the topic is there");
        let observer = self.client().set("group.id", group).create().expect("a consumer");
        Positions { observer, topic: topic.to_owned(), partitions }
    }

    /// Waits until a group's committed positions are the ends of a topic.
    #[track_caller]
    pub fn wait_committed_to_end(&self, group: &str, topic: &str) {
        let positions = self.positions(group, topic);
        let ends: Vec<_> =
            self.ends(topic).into_iter().map(|end| (end > 0).then_some(end)).collect();
        until(&format!("the positions of {group} in {topic} at {ends:?}"), || {
            let committed = positions.committed();
            // A partition without records has nothing to commit; a position of 0 says the same.
            let reached = committed
                .iter()
                .zip(&ends)
                .all(|(position, end)| position.unwrap_or(0) == end.unwrap_or(0));
            if reached { Ok(()) } else { Err(format!("{committed:?}")) }
        });
    }
}

/// Asks for committed positions as a client that never subscribes, so the group does not notice.
pub struct Positions {
    observer: BaseConsumer,
    topic: String,
    partitions: usize,
}

impl Positions {
    /// The metadata of the committed position of one partition.
    pub fn metadata(&self, partition: i32) -> String {
        let mut list = TopicPartitionList::new();
        list.add_partition(&self.topic, partition);
        let committed =
            self.observer.committed_offsets(list, DEADLINE).expect("the broker answers");
        let element = committed.find_partition(&self.topic, partition);
        element.expect("it was asked for").metadata().to_owned()
    }

    /// The committed position of each partition, where there is one.
    pub fn committed(&self) -> Vec<Option<i64>> {
        let asked = list(&self.topic, self.partitions, Offset::Invalid);
        // While a broker comes back its coordinator may be loading: asked again, then.
        let committed = until(&format!("the committed positions in {}", self.topic), || {
            self.observer
                .committed_offsets(asked.clone(), DEADLINE)
                .map_err(|error| error.to_string())
        });
        let position = |partition| match committed.find_partition(&self.topic, partition)?.offset()
        {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        };
        (0..count(self.partitions)).map(position).collect()
    }
}

/// What became of each record, by its number.
#[derive(Clone, Default)]
struct Reports(Arc<Mutex<BTreeMap<usize, Result<Place, String>>>>);

impl ClientContext for Reports {}

impl ProducerContext<NoCustomPartitioner> for Reports {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, number: usize) {
        let report = match result {
            Ok(message) => Ok((message.partition(), message.offset())),
            Err((error, _)) => Err(error.to_string()),
        };
        self.0.lock().expect("nothing panics while it holds the reports").insert(number, report);
    }
}

fn partitions_seen_by(client: &BaseConsumer, topic: &str) -> Option<usize> {
    let metadata = client.fetch_metadata(Some(topic), DEADLINE).expect("metadata");
    let partitions = metadata.topics().first()?.partitions();
    let led = partitions.iter().all(|partition| partition.leader() >= 0);
    (led && !partitions.is_empty()).then_some(partitions.len())
}

fn stored(message: &impl Message) -> Stored {
    let headers = message.headers().map(|headers| {
        headers
            .iter()
            .map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec)))
            .collect()
    });
    Stored {
        place: (message.partition(), message.offset()),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        headers: headers.unwrap_or_default(),
        timestamp: message.timestamp().to_millis(),
    }
}

fn list(topic: &str, partitions: usize, offset: Offset) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for partition in 0..count(partitions) {
        list.add_partition_offset(topic, partition, offset)
            .expect("an offset that may be assigned");
    }
    list
}

fn count(partitions: usize) -> i32 {
    i32::try_from(partitions).expect("a small number of partitions")
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(future)
}

//! Fills topics: as fast as it goes, or at a steady pace.

use std::time::{Duration, Instant};

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{
    BaseRecord, NoCustomPartitioner, Producer as _, ProducerContext, ThreadedProducer,
};
use rdkafka::{ClientConfig, ClientContext};

use crate::events::{self, Writer};
use crate::harness::Broker;

/// The longest that the last records may take to be acknowledged.
const FLUSH: Duration = Duration::from_mins(1);
/// The longest wait for room among the records that are to be sent.
const ROOM: Duration = Duration::from_millis(5);

/// Fails when a record is not written: a topic with holes would never be read to its end.
struct AllWritten;

impl ClientContext for AllWritten {}

impl ProducerContext<NoCustomPartitioner> for AllWritten {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            // A panic in a callback of librdkafka would not end the process in order.
            eprintln!("a record was not written: {error}");
            std::process::exit(1);
        }
    }
}

/// A topic that is being filled.
pub struct Filling<'t> {
    producer: ThreadedProducer<AllWritten>,
    topic: &'t str,
}

impl<'t> Filling<'t> {
    /// As fast as it goes.
    pub fn at_once(broker: &Broker, topic: &'t str) -> Self {
        Self::new(broker.client().set("linger.ms", "50").set("batch.size", "500000"), topic)
    }

    /// Whatever is written goes at once.
    fn piecemeal(broker: &Broker, topic: &'t str) -> Self {
        Self::new(broker.client().set("linger.ms", "0"), topic)
    }

    fn new(config: &ClientConfig, topic: &'t str) -> Self {
        let mut config = config.clone();
        config.set("acks", "1").set("queue.buffering.max.messages", "200000");
        Self { producer: config.create_with_context(AllWritten).expect("a producer"), topic }
    }

    /// Waits for room, and not for the broker.
    pub fn write(&self, partition: i32, key: &str, event: &[u8]) {
        let mut record = BaseRecord::to(self.topic).key(key).payload(event).partition(partition);
        while let Err((error, again)) = self.producer.send(record) {
            let KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull) = error else {
                panic!("producing to {}: {error}", self.topic);
            };
            std::thread::park_timeout(ROOM);
            record = again;
        }
    }

    fn write_number(&self, writer: &mut Writer, number: usize) {
        let (partition, key) = (events::partition(number), events::key(number));
        self.write(partition, &key, writer.write(number));
    }

    /// Waits until everything is written.
    pub fn finish(self) {
        self.producer.flush(FLUSH).expect("all records are written in time");
    }
}

/// Writes events into a topic, the numbers from zero on, partitions in turns.
pub fn fill(broker: &Broker, topic: &str, events: usize) {
    let filling = Filling::at_once(broker, topic);
    let mut writer = Writer::new();
    (0..events).for_each(|number| filling.write_number(&mut writer, number));
    filling.finish();
}

/// Writes events into a topic, so many a second, each at once.
pub fn pace(broker: &Broker, topic: &str, events: usize, per_second: usize) {
    let filling = Filling::piecemeal(broker, topic);
    let mut writer = Writer::new();
    let begun = Instant::now();
    for number in 0..events {
        let due = Duration::from_secs_f64(number as f64 / per_second as f64);
        while let Some(early) = due.checked_sub(begun.elapsed()).filter(|early| !early.is_zero()) {
            std::thread::park_timeout(early);
        }
        filling.write_number(&mut writer, number);
    }
    filling.finish();
}

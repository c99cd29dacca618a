//! The way back: a letter goes into the redrive topic, and then a marker into the dead-letter topic
//! that says so.
//!
//! The letter comes before its marker, which is written once the broker has acknowledged the
//! letter. Whatever is interrupted between the two is redriven once more, and never forgotten.

use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, Message, OwnedHeaders, OwnedMessage};
use rdkafka::producer::{DeliveryFuture, FutureProducer, FutureRecord};

use crate::dead_letter::Marker;
use crate::kafka_log::KafkaLog;
use crate::producer;
use crate::record::Record;

/// Why a letter is not redriven, or not marked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// librdkafka refuses the configuration.
    #[error("the Kafka client cannot be created")]
    Client(#[source] KafkaError),
    /// The redrive topic takes no record of this size.
    #[error("the letter is larger than {topic} allows; raise its max.message.bytes")]
    TooLarge {
        /// The redrive topic.
        topic: String,
    },
    /// The broker has not acknowledged it.
    #[error("{topic} cannot be written")]
    Write {
        /// The topic.
        topic: String,
        /// What the broker says.
        source: KafkaError,
    },
}

/// Writes letters back.
pub struct Redriver {
    producer: FutureProducer<KafkaLog>,
    /// Writes one letter at a time. The broker measures what is written together, and refuses all
    /// of it.
    one_by_one: FutureProducer<KafkaLog>,
    redrive_topic: String,
    dead_letter_topic: String,
}

/// A marker and the partition of the dead-letter topic that it belongs into: that of its letter.
#[derive(Debug, Clone)]
pub struct Marking {
    /// What it says.
    pub marker: Marker,
    /// The partition's number.
    pub partition: i32,
}

impl Redriver {
    /// A producer that waits for every replica in sync. `config` holds the operator's keys.
    ///
    /// # Errors
    /// When librdkafka refuses the configuration.
    pub fn new(
        mut config: ClientConfig,
        redrive_topic: &str,
        dead_letter_topic: &str,
    ) -> Result<Self, Error> {
        let producer = producer::client(config.clone(), "redrive").map_err(Error::Client)?;
        config.set("batch.num.messages", "1");
        let one_by_one = producer::client(config, "redrive").map_err(Error::Client)?;
        let (redrive_topic, dead_letter_topic) = (redrive_topic.into(), dead_letter_topic.into());
        Ok(Self { producer, one_by_one, redrive_topic, dead_letter_topic })
    }

    /// Begins to write a letter, as it stands in `record`, and after it its marker. Letters go out
    /// in the order in which they are begun.
    ///
    /// # Errors
    /// When the letter is not even taken; what becomes of it later is in the future's result.
    pub fn begin(
        &self,
        record: &Record<'_>,
        marking: Marking,
    ) -> Result<impl Future<Output = Result<(), Error>> + use<>, Error> {
        let mut headers = OwnedHeaders::new_with_capacity(record.headers.len());
        for header in &record.headers {
            let name = String::from_utf8_lossy(header.name);
            headers = headers.insert(Header { key: &name, value: header.value });
        }
        let mut letter = FutureRecord::<[u8], [u8]>::to(&self.redrive_topic).headers(headers);
        letter.key = record.key;
        letter.payload = record.value;
        let (topic, alone) = (self.redrive_topic.clone(), self.one_by_one.clone());
        let delivery = self.producer.send_result(letter).map_err(|(error, _)| error);
        let delivery = delivery.map_err(|source| failed(&topic, source))?;
        let marking = self.mark(marking);
        Ok(async move {
            match delivered(delivery).await {
                Ok(()) => {}
                Err(Undelivered { error, message: Some(letter) }) if is_too_large(&error) => {
                    write_alone(&alone, &topic, &letter).await?;
                }
                Err(Undelivered { error, .. }) => return Err(failed(&topic, error)),
            }
            marking.await
        })
    }

    /// Writes a marker, for a letter that repeats one that was redriven.
    ///
    /// # Errors
    /// When the broker has not acknowledged it.
    pub fn mark(&self, marking: Marking) -> impl Future<Output = Result<(), Error>> + use<> {
        let (producer, topic) = (self.producer.clone(), self.dead_letter_topic.clone());
        async move {
            let mut headers = OwnedHeaders::new();
            for (name, value) in &marking.marker.headers {
                headers = headers.insert(Header { key: name, value: Some(value) });
            }
            let marker = FutureRecord::<[u8], [u8]>::to(&topic)
                .partition(marking.partition)
                .headers(headers);
            let delivery = producer.send_result(marker).map_err(|(error, _)| error);
            let delivery = delivery.map_err(|source| failed(&topic, source))?;
            delivered(delivery).await.map_err(|undelivered| failed(&topic, undelivered.error))
        }
    }
}

/// Writes a letter once more, which was refused together with others.
async fn write_alone(
    producer: &FutureProducer<KafkaLog>,
    topic: &str,
    letter: &OwnedMessage,
) -> Result<(), Error> {
    let mut record = FutureRecord::<[u8], [u8]>::to(topic);
    (record.key, record.payload) = (letter.key(), letter.payload());
    record.headers = letter.headers().cloned();
    let delivery = producer.send_result(record).map_err(|(error, _)| error);
    let delivery = delivery.map_err(|source| failed(topic, source))?;
    match delivered(delivery).await {
        Err(Undelivered { error, .. }) if is_too_large(&error) => {
            Err(Error::TooLarge { topic: topic.to_owned() })
        }
        result => result.map_err(|undelivered| failed(topic, undelivered.error)),
    }
}

/// What the broker has not acknowledged, and why.
struct Undelivered {
    error: KafkaError,
    message: Option<OwnedMessage>,
}

/// Waits for the broker.
async fn delivered(delivery: DeliveryFuture) -> Result<(), Undelivered> {
    match delivery.await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err((error, message))) => Err(Undelivered { error, message: Some(message) }),
        Err(_) => Err(Undelivered { error: KafkaError::Canceled, message: None }),
    }
}

fn is_too_large(error: &KafkaError) -> bool {
    *error == KafkaError::MessageProduction(RDKafkaErrorCode::MessageSizeTooLarge)
}

fn failed(topic: &str, source: KafkaError) -> Error {
    Error::Write { topic: topic.to_owned(), source }
}

//! The dead-letter topic: letters go in, and are done when the broker has acknowledged them.
//!
//! Knows how a letter becomes a record that fits. It does not know when a letter is tried again.

mod acknowledged;

use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use tokio::sync::OnceCell;

use crate::dead_letter::DeadLetter;
use crate::kafka_log::KafkaLog;
use acknowledged::Acknowledged;

/// A producer that waits for every replica in sync (`acks=all`). `config` holds the operator's keys;
/// logs call it `name`.
///
/// # Errors
/// When librdkafka refuses the configuration.
pub(crate) fn client(
    config: ClientConfig,
    name: &'static str,
) -> Result<FutureProducer<KafkaLog>, KafkaError> {
    careful(config).create_with_context(KafkaLog::new(name))
}

/// The operator's keys, with what letters need.
fn careful(mut config: ClientConfig) -> ClientConfig {
    config.set("acks", "all").set("enable.idempotence", "true");
    // A letter is larger than its event by its headers. What is too large for the topic is for the
    // broker to refuse, which is answered by cutting.
    config.set("message.max.bytes", "1000000000");
    // What librdkafka has not got rid of by then, since the topic was being created for one, is
    // tried again by us: by itself it would hold on to it for minutes, and the position with it.
    if ["message.timeout.ms", "delivery.timeout.ms"].iter().all(|key| config.get(key).is_none()) {
        config.set("message.timeout.ms", "10000");
    }
    config
}

/// Writes dead letters.
pub struct DeadLetterProducer {
    /// Letters that are written at the same time share a request.
    together: Acknowledged,
    /// One request a letter, from the first time that this is needed.
    alone: OnceCell<Acknowledged>,
    config: ClientConfig,
    topic: String,
}

impl DeadLetterProducer {
    /// A producer that waits for every replica in sync (`acks=all`) and repeats nothing by
    /// itself. `config` holds the operator's keys.
    ///
    /// # Errors
    /// When librdkafka refuses the configuration.
    pub fn new(config: ClientConfig, topic: &str) -> Result<Self, KafkaError> {
        let config = careful(config);
        let together = Acknowledged::new(&config, KafkaLog::new("dead letters"))?;
        Ok(Self { together, alone: OnceCell::new(), config, topic: topic.to_owned() })
    }

    /// Writes one letter. A value that is too large for the topic is cut, and its true length
    /// stands in the header `hookcast-truncated`.
    ///
    /// # Errors
    /// When the broker has not acknowledged it; the same letter may have been written all the
    /// same.
    pub async fn write(&self, letter: &DeadLetter) -> Result<(), KafkaError> {
        let mut kept = letter.value.as_ref().map_or(0, Vec::len);
        match self.write_cut(&self.together, letter, kept).await {
            Err(error) if is_too_large(&error) => {}
            result => return result,
        }
        // The broker judges all letters of a request together: only one that is too large by
        // itself is cut.
        let alone = self.alone.get_or_try_init(|| async { self.one_by_one() }).await?;
        loop {
            match self.write_cut(alone, letter, kept).await {
                Err(error) if is_too_large(&error) && kept > 0 => kept /= 2,
                result => return result,
            }
        }
    }

    fn one_by_one(&self) -> Result<Acknowledged, KafkaError> {
        let mut config = self.config.clone();
        config.set("batch.num.messages", "1");
        Acknowledged::new(&config, KafkaLog::new("dead letters, one by one"))
    }

    /// Writes a letter with the first `kept` bytes of its value.
    async fn write_cut(
        &self,
        producer: &Acknowledged,
        letter: &DeadLetter,
        kept: usize,
    ) -> Result<(), KafkaError> {
        let mut headers = OwnedHeaders::new_with_capacity(letter.headers.len() + 1);
        for (name, value) in &letter.headers {
            headers = headers.insert(Header { key: name, value: value.as_ref() });
        }
        let length = letter.value.as_ref().map_or(0, Vec::len);
        if kept < length {
            let length = length.to_string();
            headers = headers.insert(Header { key: "hookcast-truncated", value: Some(&length) });
        }
        let mut record = FutureRecord::to(&self.topic).headers(headers);
        if let Some(key) = &letter.key {
            record = record.key(key);
        }
        if let Some(value) = &letter.value {
            record = record.payload(&value[..kept]);
        }
        producer.write(record).await
    }
}

fn is_too_large(error: &KafkaError) -> bool {
    matches!(error.rdkafka_error_code(), Some(RDKafkaErrorCode::MessageSizeTooLarge))
}

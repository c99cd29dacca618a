//! A client that looks on: it asks and reads, and never subscribes, so that the group does not
//! notice it, nor ever commits.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::Metadata;

use crate::config::Config;
use crate::kafka_log;

/// How long the broker may take to answer one question.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
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
}

/// See the module's documentation.
pub(super) struct Onlooker {
    pub(super) consumer: BaseConsumer<Listener>,
    /// What the cluster consists of.
    pub(super) cluster: Metadata,
}

impl Onlooker {
    /// Connects with the keys of `client`. Logs call it `name`.
    pub(super) fn new(
        config: &Config,
        mut client: ClientConfig,
        name: &'static str,
    ) -> Result<Self, Error> {
        client.set("enable.auto.commit", "false").set("enable.auto.offset.store", "false");
        let listener = Listener { name, reported: Mutex::default() };
        let consumer: BaseConsumer<Listener> =
            client.create_with_context(listener).map_err(Error::Client)?;
        let cluster = consumer.fetch_metadata(None, PATIENCE).map_err(|error| Error::Away {
            servers: config.kafka.bootstrap_servers().to_owned(),
            reason: reported(&consumer).unwrap_or_else(|| reason(&error)),
        })?;
        Ok(Self { consumer, cluster })
    }
}

/// Asks until there is an answer or an error that waiting does not mend: a leader or a
/// coordinator that has just changed answers the next time.
pub(super) fn patiently<T>(
    mut ask: impl FnMut(Duration) -> Result<T, KafkaError>,
) -> Result<T, KafkaError> {
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

/// Whether the broker refuses for good.
pub(super) fn denies(error: &KafkaError) -> bool {
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

/// What an error says, in few words.
pub(super) fn reason(error: &KafkaError) -> String {
    error.rdkafka_error_code().map_or_else(|| error.to_string(), |code| code.to_string())
}

/// What librdkafka has to say of its connections.
fn reported(consumer: &BaseConsumer<Listener>) -> Option<String> {
    // Reports come with polling. Nothing is assigned, so nothing else does, but for lines of
    // librdkafka's log, which a poll that does not wait would take for the last.
    let mut polls = 0..MOST_REPORTS;
    while polls.next().is_some() && consumer.poll(Duration::from_millis(10)).is_some() {}
    consumer.context().reported.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Keeps what librdkafka reports.
pub(super) struct Listener {
    name: &'static str,
    /// The latest report of something that failed.
    reported: Mutex<Option<String>>,
}

impl ClientContext for Listener {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        kafka_log::log_line(self.name, level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        // That all of them are down is said of each before.
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::AllBrokersDown) {
            let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
            *reported = Some(reason.to_owned());
        }
    }
}

impl ConsumerContext for Listener {}

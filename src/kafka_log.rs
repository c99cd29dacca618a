//! What librdkafka says, in this program's log.
//!
//! librdkafka repeats itself for as long as a broker is away; what is worth saying once is said
//! by those who know the state (`consumer`), and its own words are kept for `--log-level debug`.

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use tracing::{debug, trace, warn};

/// The context of a client that is not the consumer.
#[derive(Debug, Clone)]
pub struct KafkaLog {
    client: &'static str,
}

impl KafkaLog {
    /// A context that names its client in what it logs.
    #[must_use]
    pub fn new(client: &'static str) -> Self {
        Self { client }
    }
}

impl ClientContext for KafkaLog {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log_line(self.client, level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        debug!(client = self.client, %error, reason, "librdkafka reports an error");
    }
}

/// Passes on one line of librdkafka's log.
pub fn log_line(client: &str, level: RDKafkaLogLevel, facility: &str, message: &str) {
    match level {
        RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
            warn!(target: "librdkafka", client, facility, "{message}");
        }
        RDKafkaLogLevel::Debug => trace!(target: "librdkafka", client, facility, "{message}"),
        _ => debug!(target: "librdkafka", client, facility, "{message}"),
    }
}

//! `hookcast demo`: the service as it is, between a broker and a receiver of its own.
//!
//! The broker is librdkafka's embedded mock, the receiver a small HTTP server that verifies every
//! signature and fails on purpose now and then. The service itself is the one that `run` starts,
//! from a configuration as anybody would write it (`hookcast.yaml` beside this file); the demo
//! only reads what it counts.

mod closing;
mod events;
mod feed;
mod ledger;
mod picture;
mod receiver;
mod stage;

use std::env::VarError;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rdkafka::error::KafkaError;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

use crate::config::{self, Config};
use crate::service::{self, Service, Signals};
use feed::Feed;
use ledger::Ledger;
use picture::Picture;
use receiver::Receiver;
use stage::Stage;

pub use receiver::Failures;

const CONFIGURATION: &str = include_str!("hookcast.yaml");
const GROUP: &str = "hookcast-demo";
const TOPIC: &str = "events.web";
const PARTITIONS: i32 = 4;

/// The number of events of a demo that nobody has told a number.
pub const USUAL_EVENTS: u32 = feed::USUAL_EVENTS;

/// What is shown.
#[derive(Debug, Clone)]
pub struct Demo {
    /// How many events are delivered.
    pub events: u32,
    /// How often the receiver fails.
    pub failures: Failures,
    /// Whether everything stays up when the events are delivered.
    pub keep: bool,
    /// What has to be typed to start this program.
    pub program: String,
}

/// How a demo ended that could be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Nothing is lost, and every signature is right.
    Well,
    /// Something is not as it was promised; the table says what.
    Badly,
}

/// Why there is nothing to show. What lies beneath is its source, and not repeated.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The embedded broker, or a client of it, does not work.
    #[error("the embedded broker does not work")]
    Broker(#[from] KafkaError),
    /// The configuration of the demo is refused, which is a defect.
    #[error("the demo's configuration: {0}")]
    Configuration(config::Errors),
    /// The receiver cannot listen.
    #[error("the receiver cannot listen")]
    Receiver(#[source] io::Error),
    /// Nobody can see it.
    #[error("stdout cannot be written to")]
    Output(#[from] io::Error),
    /// The service cannot start or go on.
    #[error(transparent)]
    Service(#[from] service::Error),
    /// The service has ended although nobody told it to.
    #[error("the service has ended in the middle of the demo")]
    EndedEarly,
}

/// Shows everything, and returns when it is over. Blocks.
///
/// # Errors
/// See [`Error`].
pub fn run(demo: &Demo) -> Result<Ended, Error> {
    service::on_runtime(perform(demo))?
}

async fn perform(demo: &Demo) -> Result<Ended, Error> {
    let mut signals = Signals::new()?;
    let mut picture = Picture::new(demo.events);
    picture.say("Hookcast between a broker and a receiver of its own:")?;
    // Declared before everything that talks to it, and so dropped after that.
    let cluster = cluster()?;
    let broker = cluster.bootstrap_servers();
    let secret: String = std::iter::repeat_with(fastrand::alphanumeric).take(24).collect();
    let ledger = Arc::new(Ledger::new(demo.events));
    let receiver = Receiver::start(&secret, demo.failures, Arc::clone(&ledger)).await;
    let receiver = receiver.map_err(Error::Receiver)?;
    let url = format!("http://{}", receiver.address);
    let feed = Feed::new(&broker, demo.events)?;
    let service = Service::start(configuration(&broker, &url, &secret)?).await?;
    let addresses = format!(
        "  broker    {broker}, embedded\n  receiver  {url}, answers {} of the requests with 503\n  \
         metrics   http://{}/metrics",
        demo.failures,
        service.admin_address()
    );
    let mut stage = Stage { demo, addresses, feed, picture, ledger, service };
    let shown = stage.show(&broker, &mut signals).await;
    if shown.is_err() {
        // Before the broker goes. What has gone wrong first is what counts.
        let _ = stage.end_service(&mut signals).await;
    }
    shown
}

/// The embedded broker, with all topics.
fn cluster() -> Result<MockCluster<'static, DefaultProducerContext>, KafkaError> {
    let cluster = MockCluster::new(1)?;
    for topic in [TOPIC, "hookcast-demo.dead-letter", "hookcast-demo.redrive"] {
        // Takes a second when the broker's thread has just gone to sleep.
        cluster.create_topic(topic, PARTITIONS, 1)?;
    }
    Ok(cluster)
}

/// The configuration with these addresses in the place of its variables.
fn configuration(broker: &str, receiver: &str, secret: &str) -> Result<Config, Error> {
    let variable = |name: &str| match name {
        "BROKER" => Ok(broker.to_owned()),
        "RECEIVER" => Ok(receiver.to_owned()),
        "SHARED_SECRET" => Ok(secret.to_owned()),
        _ => Err(VarError::NotPresent),
    };
    let name = "src/demo/hookcast.yaml";
    Config::parse(name, CONFIGURATION, Path::new(""), &variable).map_err(Error::Configuration)
}

#[cfg(test)]
mod tests {
    use super::configuration;

    #[test]
    fn the_configuration_is_right() {
        let config = configuration("127.0.0.1:9", "http://127.0.0.1:8", "secret");
        let config = config.unwrap_or_else(|error| panic!("{error}"));
        assert!(config.warnings.is_empty());
        assert_eq!(config.plan.actions.iter().filter(|action| action.batch.is_some()).count(), 1);
        assert_eq!(config.plan.actions.len(), 2);
    }
}

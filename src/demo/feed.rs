//! Writes the demo's events to its broker, no faster than they are delivered.
//!
//! Knows which event stands where in the log, so that in the end what was lost can be told from
//! what still waits there.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};
use rdkafka::{ClientConfig, ClientContext, Message};
use tracing::error;

use super::events::{self, Event};
use super::{PARTITIONS, TOPIC};

/// How long the default number of events takes, without the start.
const SPAN: Duration = Duration::from_secs(16);
/// The number of events that takes this long. Fewer take less; more are written faster.
pub(super) const USUAL_EVENTS: u32 = 50_000;

/// How far the feed may be ahead of the oldest event that is not delivered. The embedded broker
/// keeps 5 MiB of a partition and drops what is older without a word, so this holds even when all
/// events of the span land in one partition, and each brings the log's own 64 bytes with it.
const MOST_AHEAD: u32 = 8_000;
const _: () = assert!(MOST_AHEAD as usize * (events::LARGEST + 64) < 5 << 20);

/// See the module's documentation.
pub(super) struct Feed {
    producer: ThreadedProducer<Log>,
    total: u32,
    sent: u32,
}

impl Feed {
    /// A feed of `total` events into the broker at `bootstrap_servers`.
    pub(super) fn new(bootstrap_servers: &str, total: u32) -> Result<Self, KafkaError> {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", bootstrap_servers).set("client.id", "hookcast-demo");
        let producer = config.create_with_context(Log::new())?;
        Ok(Self { producer, total, sent: 0 })
    }

    /// Writes what is due when the demo has been running for `elapsed` and all events below
    /// `delivered_below` are delivered.
    pub(super) fn send_due(
        &mut self,
        elapsed: Duration,
        delivered_below: u32,
    ) -> Result<(), KafkaError> {
        let until = due(self.total, elapsed).min(delivered_below.saturating_add(MOST_AHEAD));
        while self.sent < until {
            let event = Event::new(self.sent);
            let record = BaseRecord::with_opaque_to(TOPIC, self.sent as usize)
                .key(&event.key)
                .payload(&event.value);
            match self.producer.send(record) {
                Ok(()) => self.sent += 1,
                // The next turn comes soon.
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => break,
                Err((error, _)) => return Err(error),
            }
        }
        Ok(())
    }

    /// Waits until the broker has acknowledged what was written. Blocks.
    pub(super) fn flush(&self) -> Result<(), KafkaError> {
        self.producer.flush(Duration::from_secs(5))
    }

    /// The events that the broker has acknowledged, by partition and offset.
    pub(super) fn log(&self) -> Vec<Vec<u32>> {
        self.producer.context().events().clone()
    }
}

/// How many of `total` events are due after this time.
fn due(total: u32, elapsed: Duration) -> u32 {
    let share = elapsed.as_secs_f64() / SPAN.as_secs_f64();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "times are positive, and a cast stops at the largest number"
    )]
    let due = (share * f64::from(total.max(USUAL_EVENTS))) as u32;
    due.min(total)
}

/// In the log where no event is known to stand.
pub(super) const NO_EVENT: u32 = u32::MAX;

/// The context of the producer: notes every acknowledgement.
struct Log {
    events: Mutex<Vec<Vec<u32>>>,
}

impl Log {
    fn new() -> Self {
        Self { events: Mutex::new((0..PARTITIONS).map(|_| Vec::new()).collect()) }
    }

    fn events(&self) -> MutexGuard<'_, Vec<Vec<u32>>> {
        // A lock is only poisoned by a panic that ends the process anyway.
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Log {}

impl ProducerContext for Log {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, number: usize) {
        let message = match result {
            Ok(message) => message,
            Err((error, _)) => {
                error!(%error, number, "an event of the demo could not be written");
                return;
            }
        };
        let place = (usize::try_from(message.partition()), usize::try_from(message.offset()));
        let (Ok(partition), Ok(offset)) = place else { return };
        let mut events = self.events();
        let Some(events) = events.get_mut(partition) else { return };
        let length = events.len().max(offset + 1);
        events.resize(length, NO_EVENT);
        events[offset] = u32::try_from(number).unwrap_or(NO_EVENT);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{SPAN, USUAL_EVENTS, due};

    #[test]
    fn few_events_take_less_time_and_many_are_written_faster() {
        assert_eq!(due(USUAL_EVENTS, Duration::ZERO), 0);
        assert_eq!(due(USUAL_EVENTS, SPAN / 2), USUAL_EVENTS / 2);
        assert_eq!(due(10, SPAN / 100), 10);
        assert_eq!(due(USUAL_EVENTS * 10, SPAN / 2), USUAL_EVENTS * 5);
        assert_eq!(due(USUAL_EVENTS, SPAN * 9), USUAL_EVENTS);
    }
}

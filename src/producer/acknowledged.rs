//! A producer whose records are awaited until the broker has acknowledged them.
//!
//! rdkafka has one that polls for acknowledgements all the time, the last millisecond of every
//! hundred without a pause: a hundredth of a core, for letters that are rare. This one polls while
//! something is under way, and now and then for what librdkafka has to say.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::KafkaError;
use rdkafka::message::ToBytes;
use rdkafka::producer::{
    BaseProducer, BaseRecord, DeliveryResult, FutureRecord, NoCustomPartitioner, Producer,
    ProducerContext,
};
use tokio::sync::oneshot;

use crate::kafka_log::KafkaLog;

/// How long a poll goes on.
const POLL: Duration = Duration::from_millis(100);
/// Between two polls while nothing is under way: log lines must not heap up.
const LISTEN_EVERY: Duration = Duration::from_secs(5);
/// How long such a poll goes on.
const LISTEN: Duration = Duration::from_millis(2);

/// Who waits for a record.
type Awaiting = Box<oneshot::Sender<Result<(), KafkaError>>>;

/// See the module's documentation.
pub(super) struct Acknowledged {
    producer: Arc<BaseProducer<Context>>,
    /// Tells the thread that something is under way. None when it is to end.
    begun: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Acknowledged {
    /// A producer and its thread.
    ///
    /// # Errors
    /// When librdkafka refuses the configuration, or the system has no thread to spare.
    pub(super) fn new(config: &ClientConfig, log: KafkaLog) -> Result<Self, KafkaError> {
        let producer: BaseProducer<_> = config.create_with_context(Context(log))?;
        let producer = Arc::new(producer);
        let (tell, begun) = sync_channel(1);
        let polled = Arc::clone(&producer);
        let thread = std::thread::Builder::new().name("kafka-letters".into());
        let thread = thread
            .spawn(move || poll(&polled, &begun))
            .map_err(|error| KafkaError::ClientCreation(error.to_string()))?;
        Ok(Self { producer, begun: Some(tell), thread: Some(thread) })
    }

    /// Returns when the broker has acknowledged the record.
    ///
    /// # Errors
    /// When it has not; it may have been written all the same.
    pub(super) async fn write<K: ToBytes + ?Sized, P: ToBytes + ?Sized>(
        &self,
        record: FutureRecord<'_, K, P>,
    ) -> Result<(), KafkaError> {
        let (tell, acknowledged) = oneshot::channel();
        let record = BaseRecord {
            topic: record.topic,
            partition: record.partition,
            payload: record.payload,
            key: record.key,
            timestamp: record.timestamp,
            headers: record.headers,
            delivery_opaque: Box::new(tell),
        };
        self.producer.send(record).map_err(|(error, _)| error)?;
        if let Some(begun) = &self.begun {
            // Where it is full, the thread has not taken note of the last one yet, and does so now.
            let _ = begun.try_send(());
        }
        acknowledged.await.unwrap_or(Err(KafkaError::Canceled))
    }
}

impl Drop for Acknowledged {
    fn drop(&mut self) {
        self.begun = None;
        if let Some(thread) = self.thread.take() {
            // A panic in it has been told, and what it would have acknowledged is not.
            let _ = thread.join();
        }
    }
}

/// Until nobody can begin anything any more.
fn poll(producer: &BaseProducer<Context>, begun: &Receiver<()>) {
    loop {
        match begun.recv_timeout(LISTEN_EVERY) {
            Ok(()) => {}
            Err(RecvTimeoutError::Timeout) => producer.poll(LISTEN),
            Err(RecvTimeoutError::Disconnected) => return,
        }
        while producer.in_flight_count() > 0 {
            producer.poll(POLL);
            if begun.try_recv() == Err(TryRecvError::Disconnected) {
                return;
            }
        }
    }
}

/// Passes acknowledgements on to whoever waits for them.
struct Context(KafkaLog);

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.0.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.0.error(error, reason);
    }
}

impl ProducerContext<NoCustomPartitioner> for Context {
    type DeliveryOpaque = Awaiting;

    fn delivery(&self, result: &DeliveryResult<'_>, awaiting: Awaiting) {
        let result = result.as_ref().map(|_| ()).map_err(|(error, _)| error.clone());
        // Whoever waited may have been revoked.
        let _ = awaiting.send(result);
    }
}

#[cfg(test)]
mod tests {
    use rdkafka::mocking::MockCluster;
    use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

    use super::{Acknowledged, ClientConfig, FutureRecord, KafkaLog};

    #[test]
    fn who_writes_is_told_what_the_broker_says_also_after_a_rest() {
        let cluster = MockCluster::new(1).expect("a cluster in this process");
        cluster.create_topic("t", 1, 1).expect("a topic");
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", cluster.bootstrap_servers());
        let producer = Acknowledged::new(&config, KafkaLog::new("test")).expect("a producer");
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let record = || FutureRecord::<(), str>::to("t").payload("x");
        let write = || runtime.block_on(producer.write(record()));
        for _ in 0..3 {
            write().expect("it is written");
        }
        let refused = RDKafkaRespErr::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
        cluster.request_errors(RDKafkaApiKey::Produce, &[refused]);
        let error = write().expect_err("it is refused").to_string();
        assert!(error.contains("MessageSizeTooLarge"), "{error}");
        write().expect("it is written");
    }
}

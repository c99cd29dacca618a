//! What librdkafka calls back: assignments that come and go, results of commits, errors.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Offset, TopicPartitionList};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tracing::{debug, error, info, warn};

use super::commits::{self, Commits};
use super::faults::{self, Fault};
use super::gauges::{Gauges, count};
use super::held::{Held, topic_partition};
use super::{BEAT, Error, Start, start};
use crate::health::Health;
use crate::kafka_log;
use crate::published::Published;
use crate::record::TopicPartition;
use crate::source_topics::Assigned;
use crate::worker::{Outside, Worker};

/// How long the poll loop may stand still beyond a drain: the commit that follows it.
const AFTER_DRAIN: Duration = Duration::from_mins(1);

/// The context of the consumer. All callbacks but `log` run on the thread that polls.
pub(super) struct Group {
    outside: Arc<Outside>,
    runtime: Handle,
    start: Start,
    drain_timeout: Duration,
    stop: Arc<AtomicBool>,
    assigned: Assigned,
    /// When a stop has to be over; none before it begins.
    leave_by: OnceLock<Instant>,
    consumer: OnceLock<Weak<BaseConsumer<Self>>>,
    held: Mutex<HashMap<TopicPartition, Held>>,
    commits: Mutex<Commits>,
    fatal: Mutex<Option<String>>,
    has_met_broker: AtomicBool,
    gauges: Mutex<Gauges>,
}

impl Group {
    pub(super) fn new(
        outside: Arc<Outside>,
        runtime: Handle,
        start: Start,
        drain_timeout: Duration,
        stop: Arc<AtomicBool>,
        assigned: Assigned,
    ) -> Self {
        Self {
            outside,
            runtime,
            start,
            drain_timeout,
            stop,
            assigned,
            leave_by: OnceLock::new(),
            consumer: OnceLock::new(),
            held: Mutex::default(),
            commits: Mutex::default(),
            fatal: Mutex::default(),
            has_met_broker: AtomicBool::new(false),
            gauges: Mutex::default(),
        }
    }

    /// Partition queues are split from the consumer, so its context has to know it.
    pub(super) fn is_context_of(&self, consumer: &Arc<BaseConsumer<Self>>) {
        self.consumer.get_or_init(|| Arc::downgrade(consumer));
    }

    pub(super) fn health(&self) -> &Health {
        &self.outside.health
    }

    /// Serves callbacks for a while.
    ///
    /// # Errors
    /// When something was reported that waiting does not mend.
    pub(super) fn poll(
        &self,
        consumer: &BaseConsumer<Self>,
        timeout: Duration,
    ) -> Result<(), Error> {
        let astray = consumer.poll(timeout);
        self.check()?;
        if let Some(Ok(message)) = astray
            && !self.is_stopping()
        {
            // Every partition has a queue of its own before it is fetched from. A record that
            // arrives here would be skipped: better to start over from the last commit.
            use rdkafka::Message;
            let (topic, partition) = (message.topic(), message.partition());
            return Err(Error::Fatal(format!("a record of {topic} [{partition}] went astray")));
        }
        let held = lock(&self.held);
        let ended =
            held.iter().find(|(_, held)| held.worker.is_finished() && !*held.drain.borrow());
        ended.map_or(Ok(()), |(partition, _)| {
            Err(Error::Fatal(format!("the worker of {partition} has ended unexpectedly")))
        })
    }

    /// An error when something was reported that waiting does not mend.
    pub(super) fn check(&self) -> Result<(), Error> {
        lock(&self.fatal).take().map_or(Ok(()), |fatal| Err(Error::Fatal(fatal)))
    }

    pub(super) fn commit_if_due(&self, consumer: &BaseConsumer<Self>) {
        lock(&self.commits).begin_if_due(consumer, &lock(&self.held));
    }

    pub(super) fn commit_now(&self, consumer: &BaseConsumer<Self>) {
        lock(&self.commits).begin(consumer, &lock(&self.held));
    }

    /// Once a second: what is known of every partition without asking the broker.
    pub(super) fn measure(&self, consumer: &BaseConsumer<Self>) {
        lock(&self.gauges).set_if_due(consumer, &self.outside, &lock(&self.held));
    }

    /// All workers finish what they have begun, and have until `leave_by` for it.
    pub(super) fn drain_all(&self, leave_by: Instant) {
        self.leave_by.get_or_init(|| leave_by);
        for held in lock(&self.held).values() {
            held.drain.send_replace(true);
        }
    }

    /// Whether all workers have finished, and everything they settled is committed.
    pub(super) fn is_finished(&self) -> bool {
        let held = lock(&self.held);
        held.values().all(|held| held.worker.is_finished() && held.uncommitted().is_none())
    }

    /// Ends all workers as they are. How many were not done?
    pub(super) fn abandon_all(&self) -> usize {
        let held: Vec<_> = lock(&self.held).drain().collect();
        let is_undone = |held: &Held| !held.worker.is_finished() || held.uncommitted().is_some();
        let undone = held.iter().filter(|(_, held)| is_undone(held)).count();
        for (partition, held) in held {
            self.end(&partition, held);
        }
        undone
    }

    pub(super) fn broker_is_up(&self) {
        self.has_met_broker.store(true, Ordering::Relaxed);
        if self.health().set_broker_down(false) {
            info!("a broker can be reached again");
        }
    }

    fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// The longest that a drain may take that begins now. A revocation in the middle of a stop
    /// does not prolong it.
    fn patience(&self) -> Duration {
        let left = self.leave_by.get().map(|by| by.saturating_duration_since(Instant::now()));
        left.map_or(self.drain_timeout, |left| left.min(self.drain_timeout))
    }

    fn fail(&self, reason: String) {
        lock(&self.fatal).get_or_insert(reason);
    }

    fn assign(&self, consumer: &BaseConsumer<Self>, assigned: &mut TopicPartitionList) {
        self.outside.metrics.rebalances.inc();
        self.broker_is_up();
        // An empty list has no elements that rdkafka could give out without a panic (#681).
        if assigned.count() > 0 && !self.is_stopping() {
            self.start_workers(consumer, assigned);
        }
        let result = match consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => consumer.incremental_assign(assigned),
            _ => consumer.assign(assigned),
        };
        if let Err(error) = result {
            self.fail(format!("an assignment was not accepted: {error}"));
        }
        if self.health().set_joined_group(true) {
            info!("joined the consumer group");
        }
        info!(partitions = assigned.count(), held = lock(&self.held).len(), "partitions assigned");
    }

    /// Starts a worker for every partition of `assigned`, and writes into it where to read from.
    ///
    /// The order matters more than anything else here. As soon as the assignment takes effect,
    /// librdkafka fetches, and whatever it fetches for a partition without a queue of its own
    /// lands in the consumer's main queue, in front of nobody. So each queue is split off first,
    /// its worker is started on it, and only when this function has returned does the assignment
    /// take effect.
    fn start_workers(&self, consumer: &BaseConsumer<Self>, assigned: &mut TopicPartitionList) {
        let Some(consumer_of_queues) = self.consumer.get().and_then(Weak::upgrade) else { return };
        let goes_on = || {
            self.health().beat(BEAT);
            !self.is_stopping()
        };
        let redrive = &self.outside.plan.redrive_topic;
        // Whatever was redriven before the group first came to it is to be delivered, too.
        let start = |partition: &TopicPartition| {
            if *partition.topic == **redrive { Start::Earliest } else { self.start }
        };
        let starts = match start::resolve(consumer, assigned, start, goes_on) {
            Ok(Some(starts)) => starts,
            Ok(None) => return,
            Err(why) => return self.fail(why),
        };
        self.outside.memory.share_among(lock(&self.held).len() + starts.len());
        let topics: BTreeSet<_> = starts.iter().map(|start| &start.partition.topic).collect();
        for topic in topics {
            self.assigned.topic(topic);
        }
        for start in starts {
            let partition = start.partition;
            let topic = &partition.topic;
            // Before the queue is split again: the end of its earlier user would silence it.
            let stale = lock(&self.held).remove(&partition);
            if let Some(stale) = stale {
                warn!(%partition, "assigned twice; the earlier assignment is dropped");
                self.end(&partition, stale);
            }
            let Some(queue) = consumer_of_queues.split_partition_queue(topic, partition.partition)
            else {
                return self.fail(format!("{partition} has no queue"));
            };
            let reader = start.start.reader();
            let offset = reader.map_or(Offset::Beginning, |at| Offset::Offset(at.0));
            if let Err(error) = assigned.set_partition_offset(topic, partition.partition, offset) {
                return self.fail(format!("{partition} cannot start at {offset:?}: {error}"));
            }
            debug!(%partition, start = ?start.start, "partition assigned");
            let published = Arc::new(Published::new(reader));
            let (drain, drained) = watch::channel(false);
            let worker = Worker::new(
                Arc::clone(&self.outside),
                partition.clone(),
                start.start,
                (Arc::clone(&consumer_of_queues), queue),
                drained,
                Arc::clone(&published),
            );
            let worker = self.runtime.spawn(worker.run());
            let held = Held::new(worker, drain, published, start.committed);
            lock(&self.held).insert(partition, held);
        }
        self.tell_held();
    }

    /// Tells what it holds: whoever scales by the sources' partitions does not ask for redrive's.
    fn tell_held(&self) {
        let redrive = &self.outside.plan.redrive_topic;
        let held = lock(&self.held);
        self.outside.shares.hold(held.keys());
        let of_sources = held.keys().filter(|partition| *partition.topic != **redrive);
        self.outside.metrics.assigned_partitions.set(count(of_sources.count()));
    }

    fn revoke(&self, consumer: &BaseConsumer<Self>, revoked: &TopicPartitionList) {
        self.outside.metrics.rebalances.inc();
        let held = self.take_revoked(consumer, revoked);
        // Before the next owner takes its part of the rate limits.
        self.tell_held();
        let partitions = held.len();
        if consumer.assignment_lost() {
            // Somebody else may own them already: nothing is finished, nothing committed.
            warn!(partitions, "the assignment was lost; what was in flight may be sent again");
            self.health().set_joined_group(false);
        } else if !held.is_empty() {
            self.drain(&held);
            commits::commit_revoked(consumer, &self.outside.metrics, &held, self.patience());
            info!(partitions, "partitions revoked");
        }
        for (partition, held) in held {
            self.end(&partition, held);
        }
        self.outside.memory.share_among(lock(&self.held).len());
        let result = match consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => consumer.incremental_unassign(revoked),
            _ => consumer.unassign(),
        };
        if let Err(error) = result {
            self.fail(format!("a revocation was not accepted: {error}"));
        }
    }

    fn take_revoked(
        &self,
        consumer: &BaseConsumer<Self>,
        revoked: &TopicPartitionList,
    ) -> Vec<(TopicPartition, Held)> {
        let mut held = lock(&self.held);
        match consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative if revoked.count() == 0 => Vec::new(),
            RebalanceProtocol::Cooperative => {
                let revoked = revoked.elements();
                let revoked = revoked.iter().map(topic_partition);
                revoked.filter_map(|partition| held.remove_entry(&partition)).collect()
            }
            _ => held.drain().collect(),
        }
    }

    /// Waits until the workers have finished what they have begun, or the time is over. Heartbeats
    /// go on meanwhile: librdkafka sends them from a thread of its own.
    fn drain(&self, held: &[(TopicPartition, Held)]) {
        self.health().beat_within(BEAT, self.drain_timeout + AFTER_DRAIN);
        for (_, held) in held {
            held.drain.send_replace(true);
        }
        let all = async {
            for (_, held) in held {
                // The receiver goes when the worker does.
                held.drain.closed().await;
            }
        };
        let patience = self.patience();
        let drained = self.runtime.block_on(async { tokio::time::timeout(patience, all).await });
        if drained.is_err() {
            let what = "the drain did not end within shutdown_timeout; some events are sent again";
            error!("{what}");
            if self.is_stopping() {
                self.fail(what.to_owned());
            }
        }
    }

    /// Ends a worker, finished or not; its requests are aborted with it.
    fn end(&self, partition: &TopicPartition, held: Held) {
        held.worker.abort();
        let ended = self.runtime.block_on(held.worker);
        if ended.is_err_and(|error| error.is_panic()) {
            self.fail(format!("the worker of {partition} has panicked"));
        }
        self.outside.metrics.forget_partition(partition);
    }
}

impl ClientContext for Group {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        kafka_log::log_line("consumer", level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let Some(code) = error.rdkafka_error_code() else { return };
        match faults::judge(code, reason, self.has_met_broker.load(Ordering::Relaxed)) {
            Fault::NoBroker => {
                if self.health().set_broker_down(true) {
                    warn!(reason, "no broker can be reached; waiting");
                }
            }
            Fault::Odd(what) => warn!(reason, "{what}"),
            Fault::Passing => debug!(%code, reason, "librdkafka reports an error"),
            Fault::Fatal(why) => {
                // librdkafka wraps the cause of what it calls fatal itself.
                let consumer = self.consumer.get().and_then(Weak::upgrade);
                let cause = consumer.and_then(|consumer| consumer.client().fatal_error());
                self.fail(cause.map_or(why.clone(), |(_, cause)| format!("{why}: {cause}")));
            }
        }
    }
}

impl ConsumerContext for Group {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        change: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        match change {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => {
                self.assign(consumer, partitions);
            }
            _ => self.revoke(consumer, partitions),
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, offsets: &TopicPartitionList) {
        lock(&self.commits).ended(&self.outside.metrics, result, offsets, &mut lock(&self.held));
    }
}

/// A lock is only poisoned by a panic that ends the process anyway.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

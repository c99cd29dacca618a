//! Membership in the consumer group: one thread that polls, assigns, commits and leaves.
//!
//! Knows partitions and positions; what records mean is for the workers that it starts and
//! drains. librdkafka runs rebalance callbacks inside `poll`, on the thread that polls, and a
//! callback may have to wait for requests to end: so this thread is an operating-system thread
//! of its own, and does nothing else.

mod commits;
mod faults;
mod gauges;
mod group;
mod held;
mod start;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use tokio::runtime::Handle;
use tracing::{error, info, warn};

use crate::consumer::group::Group;
use crate::source_topics::Assigned;
use crate::topics::RedriveTopic;
use crate::worker::Outside;

/// The longest wait for something to happen, and so for a stop to be noticed.
const POLL: Duration = Duration::from_millis(100);
/// The same while draining, when every answer may be the last.
const POLL_WHILE_DRAINING: Duration = Duration::from_millis(5);
/// The longest wait for a look at the redrive topic before the sources are read without it.
const LONGEST_WAIT_FOR_REDRIVE: Duration = Duration::from_secs(3);
/// Between two looks for a broker while none can be reached.
const LOOK_FOR_BROKER_EVERY: Duration = Duration::from_secs(1);
/// The longest wait for the group to take note that this member leaves.
const LONGEST_CLOSE: Duration = Duration::from_secs(5);
/// The name of this thread's loop where loops beat.
const BEAT: &str = "the Kafka poll loop";

/// What membership needs to know.
pub struct Membership {
    /// The operator's keys, for a consumer.
    pub config: ClientConfig,
    /// Topic names, and expressions that begin with `^`.
    pub topics: Vec<String>,
    /// Where a partition starts that the group has no position for.
    pub start: Start,
    /// The longest that a drain may take.
    pub drain_timeout: Duration,
    /// What is known of the redrive topic.
    pub redrive: Arc<RedriveTopic>,
    /// Is told the topics that are read.
    pub assigned: Assigned,
    /// What the workers share.
    pub outside: Arc<Outside>,
    /// Where the workers run.
    pub runtime: Handle,
    /// Turns true when it is time to leave.
    pub stop: Arc<AtomicBool>,
}

/// Where a partition starts that the group has no position for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At the first record that there is.
    Earliest,
    /// At the end as it is when the partition is assigned for the first time.
    Latest,
}

/// Why the process cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// librdkafka refuses to begin.
    #[error("the Kafka consumer cannot be created: {0}")]
    Create(KafkaError),
    /// Waiting would not help: access is denied, or the configuration does not fit the cluster.
    #[error("{0}")]
    Fatal(String),
    /// Not everything that was begun could be finished and committed in time.
    #[error(
        "the drain did not end within shutdown_timeout: {0} partitions are left with events that \
         were sent but not committed, which will be sent again"
    )]
    Undrained(usize),
}

impl Membership {
    /// Joins the group, and stays until it is time to leave. Blocks its thread.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn run(self) -> Result<(), Error> {
        let config = consumer_config(self.config.clone(), &self.outside.plan.dead_letter_topic);
        let group = Group::new(
            Arc::clone(&self.outside),
            self.runtime.clone(),
            self.start,
            self.drain_timeout,
            Arc::clone(&self.stop),
            self.assigned.clone(),
        );
        let consumer = config.create_with_context::<_, BaseConsumer<Group>>(group);
        let consumer = Arc::new(consumer.map_err(Error::Create)?);
        let group = consumer.context();
        group.is_context_of(&consumer);
        let ended = self.stay(&consumer).and_then(|()| leave(&consumer, self.drain_timeout));
        // Workers hold queues of the consumer, and so the consumer. They end before it does, or
        // it would be closed on a thread of the runtime, where no callback may wait.
        group.abandon_all();
        close(consumer);
        ended
    }

    /// Polls and commits until it is time to leave.
    fn stay(&self, consumer: &Arc<BaseConsumer<Group>>) -> Result<(), Error> {
        let group = consumer.context();
        let begun = Instant::now();
        let mut subscribed = Subscribed::Nothing;
        let mut looked_for_broker = begun;
        while !self.stop.load(Ordering::Relaxed) {
            subscribed = self.subscribe(consumer, subscribed, begun.elapsed())?;
            group.poll(consumer, POLL)?;
            group.commit_if_due(consumer);
            group.measure(consumer);
            let health = &self.outside.health;
            health.beat(BEAT);
            if health.is_broker_down() && looked_for_broker.elapsed() > LOOK_FOR_BROKER_EVERY {
                look_for_broker(consumer);
                looked_for_broker = Instant::now();
            }
        }
        Ok(())
    }

    /// Subscribes to what there is to read. A look at the redrive topic is waited for a little, so
    /// that the group need not rebalance a second time.
    fn subscribe(
        &self,
        consumer: &BaseConsumer<Group>,
        subscribed: Subscribed,
        waited: Duration,
    ) -> Result<Subscribed, Error> {
        let next = match (subscribed, self.redrive.holds_letters()) {
            (Subscribed::Nothing | Subscribed::Sources, Some(true)) => Subscribed::All,
            (Subscribed::Nothing, Some(false)) => Subscribed::Sources,
            (Subscribed::Nothing, None) if waited > LONGEST_WAIT_FOR_REDRIVE => Subscribed::Sources,
            (unchanged, _) => return Ok(unchanged),
        };
        let mut topics: Vec<_> = self.topics.iter().map(String::as_str).collect();
        if next == Subscribed::All {
            topics.push(&self.outside.plan.redrive_topic);
        }
        consumer.subscribe(&topics).map_err(|error| Error::Fatal(error.to_string()))?;
        Ok(next)
    }
}

/// What this member is subscribed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subscribed {
    Nothing,
    /// The redrive topic holds nothing, as far as is known.
    Sources,
    /// The sources and the redrive topic.
    All,
}

/// Drains and commits while still polling, and only then leaves the group: a commit made while
/// the consumer closes can be refused because the group happens to rebalance, and then everything
/// since the last one would be sent again.
fn leave(consumer: &Arc<BaseConsumer<Group>>, drain_timeout: Duration) -> Result<(), Error> {
    let group = consumer.context();
    let deadline = Instant::now() + drain_timeout;
    info!("stopping: finishing what was begun");
    group.drain_all(deadline);
    while !group.is_finished() && Instant::now() < deadline {
        group.poll(consumer, POLL_WHILE_DRAINING)?;
        group.commit_now(consumer);
        group.health().beat(BEAT);
    }
    let left = group.abandon_all();
    group.check()?;
    if left > 0 {
        error!(partitions = left, "the drain did not end in time");
        return Err(Error::Undrained(left));
    }
    Ok(())
}

/// Leaves the group. librdkafka waits for the group's coordinator to take note, for as long as a
/// session lasts; when the broker is away, the process does not wait with it.
fn close(consumer: Arc<BaseConsumer<Group>>) {
    let (tell, closed) = mpsc::sync_channel(1);
    let thread = std::thread::Builder::new().name("kafka-close".into()).spawn(move || {
        drop(consumer);
        // Nobody listens any more when it took too long.
        let _ = tell.send(());
    });
    if thread.is_ok() && closed.recv_timeout(LONGEST_CLOSE).is_err() {
        warn!("the consumer group could not be left; it notices by itself within a session");
    }
}

/// Asks the cluster for anything at all; an answer is what tells that a broker is back.
fn look_for_broker(consumer: &BaseConsumer<Group>) {
    if consumer.fetch_metadata(None, Duration::from_secs(1)).is_ok() {
        consumer.context().broker_is_up();
    }
}

/// The operator's keys, with what this program's guarantees and speed need.
fn consumer_config(mut config: ClientConfig, dead_letter_topic: &str) -> ClientConfig {
    let fallbacks = [
        ("client.id", "hookcast"),
        // Partitions that stay keep flowing while others move.
        ("partition.assignment.strategy", "cooperative-sticky"),
        // Per partition, since every partition has a queue of its own: enough to keep it busy,
        // little enough for hundreds of them.
        ("queued.max.messages.kbytes", "1024"),
        // At the default of a second a full queue caps a partition at a few thousand records a
        // second.
        ("fetch.queue.backoff.ms", "10"),
        // There is one fetch at a time from a broker. One that asks for partitions at their end
        // alone, since the queues of the others happen to be full, keeps those waiting for so long.
        ("fetch.wait.max.ms", "50"),
        // New topics of an expression are found within this time.
        ("topic.metadata.refresh.interval.ms", "30000"),
    ];
    let speaks_kip_848 = config.get("group.protocol") == Some("consumer");
    for (key, value) in fallbacks {
        let is_foreign = speaks_kip_848 && key == "partition.assignment.strategy";
        if config.get(key).is_none() && !is_foreign {
            config.set(key, value);
        }
    }
    // No expression of a source matches the dead letters. The redrive topic is read in any case.
    let own = format!("^{}$", dead_letter_topic.replace('.', "\\."));
    let hidden = config.get("topic.blacklist").map(str::to_owned).into_iter().chain([own]);
    let hidden = hidden.collect::<Vec<_>>().join(",");
    config.set("topic.blacklist", hidden);
    // Positions are committed explicitly, and only those of settled prefixes.
    config.set("enable.auto.commit", "false");
    config.set("enable.auto.offset.store", "false");
    // Where a partition starts is decided when it is assigned. This is for a position that the
    // log does not reach any more: whatever is left of it is delivered.
    config.set("auto.offset.reset", "earliest");
    config
}

//! Drives one pipeline: reads its partition's queue, makes its requests, writes its letters.
//!
//! Everything that decides is in the pipeline; this loop gives it the time, chance, records and
//! answers, and does what it says. One worker belongs to one assignment of one partition.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rdkafka::Message;
use rdkafka::consumer::ConsumerContext;
use rdkafka::consumer::base_consumer::PartitionQueue;
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;
use tokio::sync::{Notify, watch};
use tokio::task::{JoinError, JoinSet};
use tracing::{debug, warn};

use crate::batch::Batch;
use crate::endpoint::Endpoints;
use crate::health::Health;
use crate::lane::{Answer, Ticket};
use crate::letters::{Debtor, Writing};
use crate::librdkafka;
use crate::memory::Memory;
use crate::metrics::{ActionMetrics, Metrics};
use crate::pipeline::{Completion, Pipeline, Pushed, Step};
use crate::plan::Plan;
use crate::producer::DeadLetterProducer;
use crate::record::{Now, Offset, Position, Record, TopicPartition};

/// How many records are read in one turn, before answers and timers get theirs.
const RECORDS_PER_TURN: usize = 500;
/// The longest sleep: whoever sleeps longer is wedged.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);

/// What all workers share.
pub struct Outside {
    /// What is delivered where.
    pub plan: Arc<Plan>,
    /// Where requests are made.
    pub endpoints: Endpoints,
    /// Where letters are written.
    pub dead_letters: DeadLetterProducer,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Where loops beat.
    pub health: Arc<Health>,
    /// What events may hold.
    pub memory: Memory,
}

/// How far a worker is, for whoever commits and measures.
#[derive(Debug)]
pub struct Progress {
    settled: AtomicI64,
    read: AtomicI64,
}

/// In place of a position that is not known yet.
const UNKNOWN: i64 = -1;

impl Progress {
    /// Progress from `start` on, where that is known.
    #[must_use]
    pub fn new(start: Option<Position>) -> Self {
        let start = start.map_or(UNKNOWN, |start| start.0);
        Self { settled: AtomicI64::new(start), read: AtomicI64::new(start) }
    }

    /// The position that may be committed.
    #[must_use]
    pub fn settled(&self) -> Option<Position> {
        known(self.settled.load(Ordering::Acquire))
    }

    /// The next record to read.
    #[must_use]
    pub fn read(&self) -> Option<Position> {
        known(self.read.load(Ordering::Acquire))
    }
}

fn known(position: i64) -> Option<Position> {
    (position != UNKNOWN).then_some(Position(position))
}

/// See the module's documentation.
pub struct Worker<C: ConsumerContext + 'static> {
    outside: Arc<Outside>,
    name: String,
    partition: TopicPartition,
    pipeline: Pipeline,
    queue: PartitionQueue<C>,
    readable: Arc<Notify>,
    drain: watch::Receiver<bool>,
    progress: Arc<Progress>,
    under_way: JoinSet<Done>,
    held_bytes: usize,
    last_beat: Instant,
    /// So that a dead-letter topic that is away is mentioned once.
    letters_fail: bool,
}

/// Something that a pipeline asked for has been done.
enum Done {
    Request(Ticket, Answer),
    Letter(Writing, Result<(), KafkaError>),
}

/// Whether the queue may hold more records.
#[derive(PartialEq, Eq)]
enum Queue {
    Empty,
    MaybeMore,
}

impl<C: ConsumerContext + 'static> Worker<C> {
    /// A worker for `partition`, which reads `queue` from `start` on (none: from wherever the
    /// first record is), until `drain` turns true and everything it began is settled.
    #[must_use]
    pub fn new(
        outside: Arc<Outside>,
        partition: TopicPartition,
        start: Option<Position>,
        mut queue: PartitionQueue<C>,
        drain: watch::Receiver<bool>,
        progress: Arc<Progress>,
    ) -> Self {
        let readable = Arc::new(Notify::new());
        let wake = Arc::clone(&readable);
        queue.set_nonempty_callback(move || wake.notify_one());
        Self {
            pipeline: Pipeline::new(Arc::clone(&outside.plan), partition.clone(), start),
            name: format!("the worker of {partition}"),
            outside,
            partition,
            queue,
            readable,
            drain,
            progress,
            under_way: JoinSet::new(),
            held_bytes: 0,
            last_beat: Instant::now(),
            letters_fail: false,
        }
    }

    /// Runs until the drain is complete.
    pub async fn run(mut self) {
        let mut steps = Vec::new();
        loop {
            let now = now();
            self.beat(now.instant);
            while let Some(done) = self.under_way.try_join_next() {
                self.done(finished(done), now);
            }
            // What is left to finish depends on what was done: so this is asked every time.
            if *self.drain.borrow_and_update() {
                self.pipeline.drain(now);
            }
            // What was free when this worker fell asleep may have been taken by others since.
            self.pipeline.allow(self.outside.memory.room(self.held_bytes));
            let queue = self.read(now);
            self.pipeline.poll(now, &mut steps);
            for step in steps.drain(..) {
                self.begin(step);
            }
            self.publish();
            if self.pipeline.is_drained() {
                return;
            }
            if queue == Queue::MaybeMore && self.pipeline.wants_record() {
                tokio::task::yield_now().await;
            } else if !self.sleep(now.instant).await {
                return;
            }
        }
    }

    /// Waits until there is something to do. False: there never will be, since whoever could
    /// drain this worker is gone, and with it the assignment.
    async fn sleep(&mut self, now: Instant) -> bool {
        let latest = now + LONGEST_SLEEP;
        let until = self.pipeline.wake_at().map_or(latest, |wake| wake.min(latest));
        let wants_record = self.pipeline.wants_record();
        tokio::select! {
            // What was done comes before what could be begun: it makes room.
            biased;
            Some(done) = self.under_way.join_next() => self.done(finished(done), self::now()),
            changed = self.drain.changed() => return changed.is_ok(),
            () = self.readable.notified(), if wants_record => {}
            () = tokio::time::sleep_until(until.into()) => {}
        }
        true
    }

    /// Reads what the queue holds, up to the end of the turn or until the pipeline is full.
    fn read(&mut self, now: Now) -> Queue {
        for _ in 0..RECORDS_PER_TURN {
            if !self.pipeline.wants_record() {
                break;
            }
            let message = match self.queue.poll(Duration::ZERO) {
                None => return Queue::Empty,
                Some(Ok(message)) => message,
                Some(Err(error)) => {
                    // The consumer's context is told the same, and judges it.
                    debug!(partition = %self.partition, %error, "not readable");
                    continue;
                }
            };
            let record = record(&message);
            let reads_at = self.pipeline.reads_at();
            if let Some(expected) = reads_at.filter(|next| next.is_past(record.offset)) {
                warn!(
                    partition = %self.partition,
                    %expected,
                    found = %record.offset,
                    "thrown back: the log is a new one; starting again at its beginning"
                );
                self.under_way = JoinSet::new();
                let plan = Arc::clone(&self.outside.plan);
                self.pipeline = Pipeline::new(plan, self.partition.clone(), None);
                self.pipeline.allow(self.outside.memory.room(self.held_bytes));
            }
            let metrics = &self.outside.metrics;
            metrics.records_consumed.inc();
            match self.pipeline.push(&record, now) {
                Pushed::Skipped(skip) => metrics.skipped(skip),
                Pushed::Invalid => {}
                Pushed::Owed(actions) => {
                    for &id in actions {
                        metrics.action(id).matched.inc();
                    }
                }
            }
        }
        Queue::MaybeMore
    }

    /// Begins what the pipeline asks for.
    fn begin(&mut self, step: Step) {
        let outside = Arc::clone(&self.outside);
        match step {
            Step::Send(attempt) => {
                self.under_way.spawn(async move {
                    let answer = outside.endpoints.attempt(&attempt).await;
                    Done::Request(attempt.ticket, answer)
                });
            }
            Step::DeadLetter(writing) => {
                self.under_way.spawn(async move {
                    let result = outside.dead_letters.write(&writing.letter).await;
                    Done::Letter(writing, result)
                });
            }
        }
    }

    /// Hands in what was done.
    fn done(&mut self, done: Done, now: Now) {
        let chance = fastrand::f64();
        match done {
            Done::Request(ticket, answer) => {
                let completion = self.pipeline.complete(ticket, &answer, now, chance);
                self.outside.endpoints.note(ticket.action, &answer, &completion);
                if let Completion::Delivered(batch) = completion {
                    count_delivered(self.outside.metrics.action(ticket.action), &batch, now);
                }
            }
            Done::Letter(writing, Ok(())) => {
                self.letters_fail = false;
                let reason = writing.letter.reason;
                match writing.debtor {
                    Debtor::Lane(id) => self.outside.metrics.action(id).dead_lettered(reason),
                    Debtor::InvalidEvents => self.outside.metrics.invalid_events.inc(),
                }
                self.pipeline.letter_written(writing.id);
            }
            Done::Letter(writing, Err(error)) => {
                if !std::mem::replace(&mut self.letters_fail, true) {
                    let partition = &self.partition;
                    warn!(%partition, %error, "a dead letter could not be written; trying again");
                }
                self.pipeline.letter_failed(writing.id, now, chance);
            }
        }
    }

    /// Tells how far the pipeline is, and what it holds.
    fn publish(&mut self) {
        let number = |position: Option<Position>| position.map_or(UNKNOWN, |position| position.0);
        self.progress.settled.store(number(self.pipeline.position()), Ordering::Release);
        self.progress.read.store(number(self.pipeline.reads_at()), Ordering::Release);
        let held_bytes = self.pipeline.held_bytes();
        self.outside.memory.account(self.held_bytes, held_bytes);
        self.held_bytes = held_bytes;
    }

    fn beat(&mut self, now: Instant) {
        if now.duration_since(self.last_beat) > Duration::from_secs(1) {
            self.last_beat = now;
            self.outside.health.beat(&self.name);
        }
    }
}

impl<C: ConsumerContext + 'static> Drop for Worker<C> {
    fn drop(&mut self) {
        self.outside.memory.account(self.held_bytes, 0);
        self.outside.health.forget(&self.name);
    }
}

/// The record of a message, borrowed.
fn record<'a>(message: &'a BorrowedMessage<'_>) -> Record<'a> {
    Record {
        offset: Offset(message.offset()),
        timestamp: message.timestamp().to_millis(),
        key: message.key(),
        value: message.payload(),
        headers: librdkafka::headers(message),
    }
}

fn count_delivered(metrics: &ActionMetrics, batch: &Batch, now: Now) {
    let events = batch.entries();
    metrics.delivered.inc_by(events.len() as u64);
    for timestamp in events.iter().filter_map(|entry| entry.timestamp) {
        #[expect(clippy::cast_precision_loss, reason = "a latency is no geological age")]
        let seconds = now.unix_ms.saturating_sub(timestamp).max(0) as f64 / 1000.0;
        metrics.delivery_latency.observe(seconds);
    }
}

/// What a task has done; a panic in it is one of the worker's.
fn finished(done: Result<Done, JoinError>) -> Done {
    match done {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

fn now() -> Now {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let unix_ms = i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX);
    Now { instant: Instant::now(), unix_ms }
}

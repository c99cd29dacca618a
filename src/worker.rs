//! Drives one pipeline: reads its partition's queue, makes its requests, writes its letters.
//!
//! Everything that decides is in the pipeline; this loop gives it the time, chance, records and
//! answers, and does what it says. One worker belongs to one assignment of one partition.

mod reading;
mod slices;
mod tasks;
mod telling;

use std::future::Future;
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

use futures_util::stream::{FuturesUnordered, StreamExt};
use rdkafka::consumer::base_consumer::PartitionQueue;
use rdkafka::consumer::{BaseConsumer, ConsumerContext};
use tokio::sync::{Notify, mpsc, watch};
use tracing::warn;

use crate::catch_up::{CatchUp, Piece};
use crate::clock;
use crate::endpoint::Endpoints;
use crate::gates::Gates;
use crate::health::Health;
use crate::letters::Debtor;
use crate::librdkafka::Reader;
use crate::memory::Memory;
use crate::metrics::Metrics;
use crate::pipeline::{Completion, Pipeline, Step};
use crate::plan::{ActionId, Plan};
use crate::producer::DeadLetterProducer;
use crate::progress::Progress;
use crate::published::Published;
use crate::record::{Now, Position, TopicPartition};
use crate::shares::Shares;
use crate::worker::reading::Queue;
use crate::worker::tasks::{Done, Task, perform, take_done};

/// The longest sleep: whoever sleeps longer is wedged.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);
/// Between two times that it is told how far the lanes are. Commits are rarer than that.
const PUBLISH_EVERY: Duration = Duration::from_millis(100);

/// What all workers share.
pub struct Outside {
    /// What is delivered where.
    pub plan: Arc<Plan>,
    /// How many requests each endpoint gets, and when.
    pub gates: Arc<Gates>,
    /// Which part of the rate limits is this member's.
    pub shares: Arc<Shares>,
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
    /// Where the log is read again.
    pub catch_up: CatchUp,
}

/// Where a worker begins.
#[derive(Debug)]
pub enum Start {
    /// At the first record that there is.
    Beginning,
    /// At this position.
    At(Position),
    /// Where another owner of the partition has left off.
    After(Progress),
}

impl Start {
    /// Where the partition's reader begins; none at the first record that there is.
    #[must_use]
    pub fn reader(&self) -> Option<Position> {
        match self {
            Self::Beginning => None,
            Self::At(position) => Some(*position),
            Self::After(progress) => Some(progress.start),
        }
    }
}

/// See the module's documentation.
pub struct Worker<C: ConsumerContext + 'static> {
    outside: Arc<Outside>,
    name: String,
    partition: TopicPartition,
    pipeline: Pipeline,
    reader: Reader<C>,
    readable: Arc<Notify>,
    /// Called when an endpoint that other partitions share has a place again.
    called: Arc<Call>,
    drain: watch::Receiver<bool>,
    published: Arc<Published>,
    /// When it was told last how far the lanes are, and whether it is not true any more.
    published_at: Instant,
    has_changed: bool,
    /// The stretch of the log that is being read again.
    slice: Option<mpsc::Receiver<Piece>>,
    no_slice_before: Instant,
    held_bytes: usize,
    /// The actions that had a lane behind when it was counted last.
    behind: Vec<ActionId>,
    /// How many events of which actions were last counted as set aside.
    aside: Vec<(ActionId, usize)>,
    last_beat: Instant,
    /// So that a dead-letter topic that is away is mentioned once.
    letters_fail: bool,
    /// So that progress that does not fit is mentioned once.
    is_truncated: bool,
}

/// Wakes a worker, from the thread of another one.
struct Call(Notify);

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        self.0.notify_one();
    }
}

impl<C: ConsumerContext + 'static> Worker<C> {
    /// A worker for `partition`, which reads a consumer's queue for it from `start` on, until `drain` turns true and
    /// everything it has in flight has come to its end.
    #[must_use]
    pub fn new(
        outside: Arc<Outside>,
        partition: TopicPartition,
        start: Start,
        (consumer, queue): (Arc<BaseConsumer<C>>, PartitionQueue<C>),
        drain: watch::Receiver<bool>,
        published: Arc<Published>,
    ) -> Self {
        let readable = Arc::new(Notify::new());
        let wake = Arc::clone(&readable);
        let mut reader = Reader::new(consumer, queue, &partition.topic, partition.partition);
        reader.wake_with(move || wake.notify_one());
        let called = Arc::new(Call(Notify::new()));
        let (plan, gates) = (Arc::clone(&outside.plan), Arc::clone(&outside.gates));
        let now = Instant::now();
        Self {
            pipeline: match start {
                Start::Beginning => Pipeline::new(plan, gates, partition.clone(), None),
                Start::At(position) => {
                    Pipeline::new(plan, gates, partition.clone(), Some(position))
                }
                Start::After(progress) => {
                    Pipeline::restored(plan, gates, partition.clone(), progress)
                }
            },
            name: format!("the worker of {partition}"),
            outside,
            partition,
            reader,
            readable,
            called,
            drain,
            published,
            published_at: now,
            has_changed: true,
            slice: None,
            no_slice_before: now,
            held_bytes: 0,
            behind: Vec::new(),
            aside: Vec::new(),
            last_beat: now,
            letters_fail: false,
            is_truncated: false,
        }
    }

    /// Runs until the drain is complete.
    ///
    /// Requests are not tasks of their own: what has come for any of them wakes this loop once,
    /// which then looks after all of them.
    pub async fn run(mut self) {
        self.pipeline.wake_with(Waker::from(Arc::clone(&self.called)));
        let mut under_way = FuturesUnordered::new();
        let (mut steps, mut done) = (Vec::new(), Vec::new());
        loop {
            let now = clock::now();
            for done in done.drain(..) {
                self.done(done, now);
            }
            if *self.drain.borrow_and_update() {
                self.pipeline.drain();
                self.slice = None;
            }
            self.account_memory();
            let queue = self.read(now);
            if queue == Queue::StartedAgain {
                under_way.clear();
            }
            self.read_again(now);
            self.pipeline.poll(now, &mut steps);
            for step in steps.drain(..) {
                if let Some(task) = self.begin(step) {
                    under_way.push(perform(Arc::clone(&self.outside), task));
                }
            }
            self.begin_slice(now);
            self.beat(now);
            let is_drained = self.pipeline.is_drained();
            self.publish(now.instant, is_drained);
            if is_drained {
                return;
            }
            if queue != Queue::Empty && self.pipeline.wants_record() {
                tokio::task::yield_now().await;
            } else if !self.sleep(now, &mut under_way, &mut done).await {
                return;
            }
            take_done(&mut under_way, &mut done).await;
        }
    }

    /// Waits until there is something to do after what was done at `now`: what falls due while it
    /// is done is not missed. False: there never will be, since whoever could drain this worker is
    /// gone, and with it the assignment.
    async fn sleep(
        &mut self,
        now: Now,
        under_way: &mut FuturesUnordered<impl Future<Output = Done>>,
        done: &mut Vec<Done>,
    ) -> bool {
        let latest = now.instant + LONGEST_SLEEP;
        let publish = self.has_changed.then(|| self.published_at + PUBLISH_EVERY);
        let slice = (self.no_slice_before > now.instant).then_some(self.no_slice_before);
        let wakes = [self.pipeline.wake_at(now), publish, slice];
        let until = wakes.into_iter().flatten().fold(latest, Instant::min);
        let wants_record = self.pipeline.wants_record();
        tokio::select! {
            // What was done comes before what could be begun: it makes room.
            biased;
            Some(first) = under_way.next() => done.push(first),
            changed = self.drain.changed() => return changed.is_ok(),
            // What an endpoint's other lanes have found out is told of this one too.
            () = self.called.0.notified() => self.has_changed = true,
            () = self.readable.notified(), if wants_record => {}
            piece = slices::next(&mut self.slice) => self.take_piece(piece, clock::now()),
            () = tokio::time::sleep_until(until.into()) => {}
        }
        true
    }

    /// Begins what the pipeline asks for; if it takes its time, it is given back.
    fn begin(&mut self, step: Step) -> Option<Task> {
        match step {
            Step::Send(attempt) => Some(Task::Request(attempt)),
            Step::DeadLetter(writing) => Some(Task::Letter(writing)),
            Step::Forgotten(lanes) => {
                self.say_forgotten(&lanes);
                None
            }
        }
    }

    /// Hands in what was done.
    fn done(&mut self, done: Done, now: Now) {
        let chance = fastrand::f64();
        self.has_changed = true;
        match done {
            Done::Request(ticket, target, answer) => {
                let action = ticket.lane.action;
                let (completion, news) = self.pipeline.complete(ticket, &answer, now, chance);
                if let Some(change) = news.endpoint {
                    self.outside.metrics.action(action).endpoint_changed(change);
                    self.outside.endpoints.note_change(action, &target, &answer, change);
                }
                if let Some(streak) = news.rejections {
                    self.outside.endpoints.note_rejections(action, streak);
                }
                self.outside.endpoints.note(action, &answer, &completion);
                if let Completion::Delivered(batch) = completion {
                    let timestamps = batch.entries().iter().map(|entry| entry.timestamp);
                    self.outside.metrics.action(action).events_delivered(timestamps, now.unix_ms);
                }
            }
            Done::Letter(writing, Ok(())) => {
                self.letters_fail = false;
                let reason = writing.letter.reason;
                match writing.debtor {
                    Debtor::Lane(lane) => {
                        self.outside.metrics.action(lane.action).dead_lettered(reason);
                    }
                    Debtor::InvalidEvents => self.outside.metrics.buried(reason),
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
}

impl<C: ConsumerContext + 'static> Drop for Worker<C> {
    fn drop(&mut self) {
        self.count_behind(Vec::new());
        self.count_aside(Vec::new());
        self.outside.memory.account(self.held_bytes, 0);
        self.outside.health.forget(&self.name);
    }
}

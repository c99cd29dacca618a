//! What a worker reads: the records of its partition, as the consumer's queue brings them.

use std::sync::Arc;
use std::task::Waker;

use rdkafka::consumer::ConsumerContext;
use tracing::debug;

use super::{Worker, telling};
use crate::metrics::Metrics;
use crate::pipeline::{Pipeline, Pushed};
use crate::plan::ActionId;
use crate::record::{Now, Position};

/// How many records are read in one turn, before answers and timers get theirs.
const RECORDS_PER_TURN: usize = 500;
/// After so many bytes of records a worker looks again at what it may hold: others read too.
const ACCOUNT_EVERY: usize = 64 * 1024;

/// What the queue had.
#[derive(PartialEq, Eq)]
pub(super) enum Queue {
    /// All that there is for now.
    Empty,
    /// Perhaps there is more.
    MaybeMore,
    /// The log is a new one, and so is the pipeline.
    StartedAgain,
}

impl<C: ConsumerContext + 'static> Worker<C> {
    /// Reads what the queue holds, up to the end of the turn or until the pipeline is full.
    pub(super) fn read(&mut self, now: Now) -> Queue {
        let mut counts = Counts::new(Arc::clone(&self.outside.metrics));
        let mut read_bytes = 0;
        for _ in 0..RECORDS_PER_TURN {
            if read_bytes > ACCOUNT_EVERY {
                self.account_memory();
                read_bytes = 0;
            }
            if !self.pipeline.wants_record() {
                break;
            }
            let fetched = match self.reader.next() {
                None => return Queue::Empty,
                Some(Ok(fetched)) => fetched,
                Some(Err(error)) => {
                    // The consumer's context is told the same, and judges it.
                    debug!(partition = %self.partition, %error, "not readable");
                    continue;
                }
            };
            let record = fetched.record();
            read_bytes += record.value.map_or(0, <[u8]>::len);
            let reads_at = self.pipeline.reads_at();
            if reads_at.is_some_and(|next| next < Position::at(record.offset)) {
                let (place, consumer) = (&self.partition, fetched.consumer());
                telling::say_gap(&self.outside, consumer, place, &mut self.pipeline, record.offset);
            }
            let is_thrown_back = reads_at.is_some_and(|next| next.is_past(record.offset));
            if is_thrown_back {
                telling::say_thrown_back(
                    &self.outside,
                    &self.partition,
                    &self.pipeline,
                    record.offset,
                );
                let outside = &self.outside;
                let (plan, gates) = (Arc::clone(&outside.plan), Arc::clone(&outside.gates));
                self.slice = None;
                self.pipeline = Pipeline::new(plan, gates, self.partition.clone(), None);
                self.pipeline.wake_with(Waker::from(Arc::clone(&self.called)));
                self.pipeline.allow(self.outside.memory.room(self.held_bytes));
            }
            self.has_changed = true;
            counts.count(&self.pipeline.push(&record, now));
            if is_thrown_back {
                return Queue::StartedAgain;
            }
        }
        Queue::MaybeMore
    }
}

/// What is counted of the records of a turn. All workers share the counters, so they are written to
/// once for many records, as long as those are owed to the same action.
struct Counts {
    metrics: Arc<Metrics>,
    records: u64,
    matched: Option<(ActionId, u64)>,
}

impl Counts {
    fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics, records: 0, matched: None }
    }

    fn count(&mut self, pushed: &Pushed<'_>) {
        self.records += 1;
        match *pushed {
            Pushed::Skipped(skip) => self.metrics.skipped(skip),
            Pushed::Invalid => {}
            Pushed::Owed(actions) => actions.iter().for_each(|id| self.count_matched(*id)),
        }
    }

    fn count_matched(&mut self, id: ActionId) {
        match &mut self.matched {
            Some((same, events)) if *same == id => *events += 1,
            other => {
                let before = other.replace((id, 1));
                self.tell_matched(before);
            }
        }
    }

    fn tell_matched(&self, matched: Option<(ActionId, u64)>) {
        if let Some((id, events)) = matched {
            self.metrics.action(id).matched.inc_by(events);
        }
    }
}

impl Drop for Counts {
    fn drop(&mut self) {
        self.metrics.records_consumed.inc_by(self.records);
        self.tell_matched(self.matched);
    }
}

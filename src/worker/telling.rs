//! What a worker tells others: how far it is, how far its lanes are, and what it holds.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, ConsumerContext};
use tracing::warn;

use super::{Outside, PUBLISH_EVERY, Worker};
use crate::librdkafka;
use crate::pipeline::Pipeline;
use crate::plan::ActionId;
use crate::progress::{LaneOrigin, LaneProgress};
use crate::published::Committable;
use crate::record::{Now, Offset, Position, TopicPartition};

/// The most metadata that Kafka takes with a commit by default, with a little to spare, in bytes.
const MOST_METADATA: usize = 4_000;

impl<C: ConsumerContext + 'static> Worker<C> {
    /// Tells how far the pipeline is, and what it holds. How far its lanes are is told now and then
    /// only, unless it is told for the last time.
    pub(super) fn publish(&mut self, now: Instant, is_last: bool) {
        self.published.reads_at(self.pipeline.reads_at());
        self.account_memory();
        let is_due = now.saturating_duration_since(self.published_at) >= PUBLISH_EVERY;
        if is_last || self.has_changed && is_due {
            self.published_at = now;
            self.has_changed = false;
            self.tell_progress();
            self.published.owes(self.pipeline.debts().collect());
            self.count_behind(self.pipeline.actions_behind().collect());
            self.count_aside(self.pipeline.set_aside().filter(|(_, events)| *events > 0).collect());
        }
    }

    /// Tells what the events hold, and asks what they may: what was free before may have been taken
    /// by others since.
    pub(super) fn account_memory(&mut self) {
        let held_bytes = self.pipeline.held_bytes();
        self.outside.memory.account(self.held_bytes, held_bytes);
        self.held_bytes = held_bytes;
        self.pipeline.allow(self.outside.memory.room(held_bytes));
    }

    pub(super) fn tell_progress(&mut self) {
        let Some(progress) = self.pipeline.progress() else { return };
        let position = progress.position;
        // Nobody is told which origins share a lane.
        let is_shared = |lane: &&LaneProgress| matches!(lane.origin, LaneOrigin::Shared { .. });
        let shared = progress.lanes.iter().filter(is_shared).count();
        let encoded = progress.encode(MOST_METADATA);
        if encoded.folded + shared > 0 {
            self.outside.metrics.progress_truncated.inc();
            if !std::mem::replace(&mut self.is_truncated, true) {
                warn!(
                    partition = %self.partition,
                    lanes = encoded.folded + shared,
                    "the progress does not fit into the commit's metadata: whoever takes over \
                     repeats what it does not tell"
                );
            }
        } else {
            self.is_truncated = false;
        }
        self.published.may_commit(Committable { position, metadata: encoded.metadata });
    }

    /// What actions owed that the configuration does not know is skipped from now on.
    pub(super) fn say_forgotten(&mut self, lanes: &[LaneProgress]) {
        self.has_changed = true;
        self.outside.metrics.progress_forgotten.inc_by(lanes.len() as u64);
        for lane in lanes {
            warn!(
                partition = %self.partition,
                destination = %lane.destination,
                action = %lane.action,
                from = %lane.lowest_unsettled(),
                "an action that the configuration does not know is forgotten: what it had not \
                 delivered from here on is skipped"
            );
        }
    }

    pub(super) fn count_behind(&mut self, behind: Vec<ActionId>) {
        let metrics = &self.outside.metrics;
        for &id in &self.behind {
            metrics.action(id).lanes_behind.dec();
        }
        for &id in &behind {
            metrics.action(id).lanes_behind.inc();
        }
        self.behind = behind;
    }

    /// Tells that it is alive, and what is wrong if something is.
    pub(super) fn beat(&mut self, now: Now) {
        if now.instant.duration_since(self.last_beat) > Duration::from_secs(1) {
            self.last_beat = now.instant;
            self.outside.health.beat(&self.name);
            self.outside.health.idles(&self.name, self.pipeline.idles(now));
            for action in self.outside.gates.forget_idle(now.instant) {
                self.outside.metrics.action(action).endpoint_forgotten();
            }
        }
    }

    pub(super) fn count_aside(&mut self, aside: Vec<(ActionId, usize)>) {
        let metrics = &self.outside.metrics;
        let number = |events: usize| i64::try_from(events).unwrap_or(i64::MAX);
        for &(id, events) in &self.aside {
            metrics.action(id).set_aside.sub(number(events));
        }
        for &(id, events) in &aside {
            metrics.action(id).set_aside.add(number(events));
        }
        self.aside = aside;
    }
}

/// The reader's next record, at `found`, is not the one that it expected. librdkafka goes on at the
/// log's beginning, without a word, where the broker has deleted what it was to read next.
pub(super) fn say_gap<C: ConsumerContext>(
    outside: &Outside,
    consumer: &BaseConsumer<C>,
    partition: &TopicPartition,
    pipeline: &mut Pipeline,
    found: Offset,
) {
    let begin = librdkafka::known_begin(consumer, &partition.topic, partition.partition);
    let (Some(begin), Some(expected)) = (begin, pipeline.reads_at()) else { return };
    let lost = pipeline.reader_skips(found, Position(begin));
    if lost > 0 {
        outside.metrics.offsets_lost(partition, lost);
        warn!(
            %partition,
            %expected,
            begin,
            %found,
            lost,
            "the broker has deleted records before they were read"
        );
    }
}

/// The reader's next record, at `found`, was read before: the topic was made anew, or whoever keeps
/// the log has lost the end of it.
pub(super) fn say_thrown_back(
    outside: &Outside,
    partition: &TopicPartition,
    pipeline: &Pipeline,
    found: Offset,
) {
    let Some(expected) = pipeline.reads_at() else { return };
    let position = pipeline.position().unwrap_or(expected);
    let lost = u64::try_from(expected.0 - position.0).unwrap_or(0);
    outside.metrics.offsets_lost(partition, lost);
    warn!(
        %partition,
        %expected,
        %found,
        lost,
        "thrown back: the log is a new one; starting again at its beginning"
    );
}

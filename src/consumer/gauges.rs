//! What is shown of the partitions that are held: lags and ages, once a second.
//!
//! Knows what can be known without asking the broker: the ends of the log as the last fetches told
//! them, and what the workers publish.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, ConsumerContext};

use super::held::Held;
use crate::clock;
use crate::debt::{Owing, arrears};
use crate::librdkafka;
use crate::plan::{ActionId, Plan};
use crate::record::{Position, TopicPartition};
use crate::routing::Routes;
use crate::worker::Outside;

/// Between two measurements.
const EVERY: Duration = Duration::from_secs(1);

/// See the module's documentation.
#[derive(Debug, Default)]
pub(super) struct Gauges {
    set_at: Option<Instant>,
    /// By topic, the actions that are connected to it.
    actions: HashMap<Arc<str>, Arc<[ActionId]>>,
}

impl Gauges {
    /// Sets all of them, if that was not done a moment ago.
    pub(super) fn set_if_due<C: ConsumerContext>(
        &mut self,
        consumer: &BaseConsumer<C>,
        outside: &Outside,
        held: &HashMap<TopicPartition, Held>,
    ) {
        if self.set_at.is_some_and(|at| at.elapsed() < EVERY) {
            return;
        }
        self.set_at = Some(Instant::now());
        let (metrics, plan) = (&outside.metrics, &outside.plan);
        metrics.buffered_bytes.set(count(outside.memory.held()));
        let mut seen = Vec::with_capacity(held.len());
        for (partition, held) in held {
            let Some(reader) = held.published.read() else { continue };
            let end = librdkafka::known_end(consumer, &partition.topic, partition.partition);
            if let Some(end) = end {
                metrics.set_consumer_lag(partition, (end - reader.0).max(0));
            }
            let actions = self.actions_of(plan, &partition.topic);
            let end = end.map(Position);
            seen.push((actions, reader, end, held.published.debts(), held.taken_over_at));
        }
        let owing = seen.iter().map(|(actions, reader, end, debts, taken_over_at)| Owing {
            actions,
            reader: *reader,
            end: *end,
            debts,
            taken_over_at: *taken_over_at,
        });
        let unix_ms = clock::now().unix_ms;
        let arrears = arrears(plan.actions.len(), owing);
        for (index, arrears) in arrears.into_iter().enumerate() {
            metrics.action(ActionId(index)).set_arrears(arrears, unix_ms);
        }
    }

    fn actions_of(&mut self, plan: &Plan, topic: &Arc<str>) -> Arc<[ActionId]> {
        let actions = self
            .actions
            .entry(Arc::clone(topic))
            .or_insert_with(|| Routes::new(plan, topic).actions(plan).into());
        Arc::clone(actions)
    }
}

/// A number of things, as metrics count.
pub(super) fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

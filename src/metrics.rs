//! What an operator can watch: the metrics of one process, in the Prometheus text format.
//!
//! Knows names, labels and buckets. Only the I/O half records anything here. Cardinality depends
//! on the configuration and the assignment, never on data.

mod registered;
#[cfg(test)]
mod tests;

use std::time::Duration;

use prometheus::{
    Encoder, Gauge, GaugeVec, Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry, TextEncoder,
};

use crate::dead_letter::Reason;
use crate::debt::Arrears;
use crate::gate::Change;
use crate::plan::{Action, ActionId, Plan};
use crate::record::TopicPartition;
use crate::routing::Skip;

use registered::Registered;

/// Seconds: from an endpoint next door to one that is about to time out.
const REQUEST_BUCKETS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// Seconds: from an event that goes through to one that waited for an outage to end.
const LATENCY_BUCKETS: &[f64] =
    &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0, 600.0, 3600.0];
/// Events of a request.
const BATCH_BUCKETS: &[f64] = &[1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0];

/// Every metric of the process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Records read from the sources.
    pub records_consumed: IntCounter,
    /// Records read again, for lanes that were behind.
    pub catch_up_records: IntCounter,
    /// Progress that did not fit into the metadata of a commit.
    pub progress_truncated: IntCounter,
    /// Lanes of unknown actions that were forgotten.
    pub progress_forgotten: IntCounter,
    /// The bytes that events hold in memory.
    pub buffered_bytes: IntGauge,
    /// Partitions assigned to this process.
    pub assigned_partitions: IntGauge,
    /// Changes of the assignment.
    pub rebalances: IntCounter,
    /// Commits that the broker has accepted.
    pub commits_accepted: IntCounter,
    /// Commits that failed.
    pub commits_failed: IntCounter,
    /// Records that were dead-lettered because they are no events.
    invalid_events: IntCounter,
    /// Redriven events whose action is gone.
    action_removed: IntCounter,
    skipped: Vec<IntCounter>,
    consumer_lag: IntGaugeVec,
    offsets_lost: IntCounterVec,
    actions: Vec<ActionMetrics>,
}

/// The metrics of one action.
#[derive(Debug)]
pub struct ActionMetrics {
    /// Events owed to the action.
    pub matched: IntCounter,
    /// Events that its endpoint has accepted.
    pub delivered: IntCounter,
    /// Requests that are being made.
    pub in_flight: IntGauge,
    endpoint_open: IntGauge,
    /// Partitions on which the action is behind the others.
    pub lanes_behind: IntGauge,
    /// Events that are set aside.
    pub set_aside: IntGauge,
    lag: IntGauge,
    oldest_unsettled: Gauge,
    /// From a record's timestamp to its acceptance, in seconds.
    pub delivery_latency: Histogram,
    /// From the beginning of a request to its end, in seconds.
    pub request_duration: Histogram,
    batch_events: Histogram,
    requests: IntCounterVec,
    dead_lettered: IntCounterVec,
    labels: [String; 2],
}

impl ActionMetrics {
    /// A request with so many events begins.
    pub fn request_begins(&self, events: usize) {
        #[expect(clippy::cast_precision_loss, reason = "a batch is small")]
        self.batch_events.observe(events as f64);
    }

    /// A request ended with this status: a code, or what took its place.
    pub fn request_ended(&self, status: &str, duration: Duration) {
        let [destination, action] = &self.labels;
        self.requests.with_label_values(&[destination.as_str(), action, status]).inc();
        self.request_duration.observe(duration.as_secs_f64());
    }

    /// An endpoint has accepted events at `unix_ms`, of records with these timestamps.
    pub fn events_delivered(
        &self,
        timestamps: impl ExactSizeIterator<Item = Option<i64>>,
        unix_ms: i64,
    ) {
        let events = timestamps.len();
        self.delivered.inc_by(events as u64);
        #[expect(clippy::cast_precision_loss, reason = "a latency is no geological age")]
        let seconds = |timestamp| unix_ms.saturating_sub(timestamp).max(0) as f64 / 1000.0;
        let latencies = timestamps.flatten().map(seconds);
        if events == 1 {
            latencies.for_each(|latency| self.delivery_latency.observe(latency));
            return;
        }
        // What all threads share is written to once, and not for every event.
        let aside = self.delivery_latency.local();
        latencies.for_each(|latency| aside.observe(latency));
        aside.flush();
    }

    /// An endpoint of it is down from now on, or well again.
    pub fn endpoint_changed(&self, change: Change) {
        match change {
            Change::Opened => self.endpoint_open.inc(),
            Change::Closed => self.endpoint_open.dec(),
        }
    }

    /// An endpoint of it that was down is forgotten.
    pub fn endpoint_forgotten(&self) {
        self.endpoint_open.dec();
    }

    /// How far the action is behind at `unix_ms`.
    pub fn set_arrears(&self, arrears: Arrears, unix_ms: i64) {
        self.lag.set(arrears.records);
        let age = arrears.oldest.map_or(0, |oldest| unix_ms.saturating_sub(oldest).max(0));
        #[expect(clippy::cast_precision_loss, reason = "an age of events is no geological one")]
        self.oldest_unsettled.set(age as f64 / 1000.0);
    }

    /// Letters about events of the action were written.
    pub fn dead_lettered(&self, reason: Reason) {
        let [destination, action] = &self.labels;
        let labels = [destination.as_str(), action, reason.as_str()];
        self.dead_lettered.with_label_values(&labels).inc();
    }
}

impl Metrics {
    /// The metrics of a process that runs `plan`; everything that can be known in advance is
    /// there from the start, at zero.
    ///
    /// # Panics
    /// Never: names and labels are constants, and registered once.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let registry = Registry::new_custom(Some("hookcast".into()), None)
            .expect("the prefix is a legal name");
        let new = Registered(&registry);
        let skipped =
            new.counters("events_skipped_total", "Records that are owed to no action", &["reason"]);
        let commits = new.counters("commits_total", "Commits of positions", &["result"]);
        let build_info = new.register(
            Gauge::with_opts(
                Opts::new("build_info", "Always 1; the version is in the label")
                    .const_label("version", env!("CARGO_PKG_VERSION")),
            )
            .expect("the metric is well-formed"),
        );
        build_info.set(1.0);
        let of_action = OfActions::new(&new);
        let of_nobody =
            |reason: Reason| of_action.dead_lettered.with_label_values(&["", "", reason.as_str()]);
        Self {
            records_consumed: new.counter(
                "records_consumed_total",
                "Records read from the sources, for the first time or again",
            ),
            catch_up_records: new.counter(
                "catch_up_records_total",
                "Records read once more, for actions that were behind",
            ),
            progress_forgotten: new.counter(
                "progress_forgotten_total",
                "Actions, by partition, that no configuration knew any more and that were forgotten",
            ),
            progress_truncated: new.counter(
                "progress_truncated_total",
                "Progress that did not fit into the metadata of a commit",
            ),
            invalid_events: of_nobody(Reason::InvalidEvent),
            action_removed: of_nobody(Reason::ActionRemoved),
            buffered_bytes: new.gauge("buffered_bytes", "Bytes that events hold in memory"),
            assigned_partitions: new
                .gauge("assigned_partitions", "Partitions of the sources that are assigned to this process"),
            rebalances: new.counter("rebalances_total", "Changes of the assignment"),
            commits_accepted: commits.with_label_values(&["ok"]),
            commits_failed: commits.with_label_values(&["error"]),
            skipped: Skip::ALL
                .iter()
                .map(|skip| skipped.with_label_values(&[skip.as_str()]))
                .collect(),
            consumer_lag: new.gauges(
                "consumer_lag_records",
                "How far the reader of a partition is behind its end",
                &["topic", "partition"],
            ),
            offsets_lost: new.counters(
                "offsets_lost_total",
                "Offsets deleted by the broker before every action had read them",
                &["topic", "partition"],
            ),
            actions: plan.actions.iter().map(|action| of_action.one(action)).collect(),
            registry,
        }
    }

    /// The metrics of one action.
    ///
    /// # Panics
    /// When the action is of another plan.
    #[must_use]
    pub fn action(&self, id: ActionId) -> &ActionMetrics {
        &self.actions[id.0]
    }

    /// Requests that are being made, for all actions together.
    #[must_use]
    pub fn requests_in_flight(&self) -> i64 {
        self.actions.iter().map(|action| action.in_flight.get()).sum()
    }

    /// A record was dead-lettered for this reason that no action of the plan has a part in. What
    /// name it bears is data.
    pub fn buried(&self, reason: Reason) {
        match reason {
            Reason::ActionRemoved => self.action_removed.inc(),
            _ => self.invalid_events.inc(),
        }
    }

    /// A record was owed to nobody.
    ///
    /// # Panics
    /// Never: the list of reasons is complete.
    pub fn skipped(&self, skip: Skip) {
        let index = Skip::ALL.iter().position(|known| *known == skip);
        self.skipped[index.expect("the list of reasons is complete")].inc();
    }

    /// How far the reader of a partition is behind the end of its log, in records.
    pub fn set_consumer_lag(&self, partition: &TopicPartition, records: i64) {
        let number = partition.partition.to_string();
        self.consumer_lag.with_label_values(&[&*partition.topic, &number]).set(records);
    }

    /// So many offsets of a partition were deleted by the broker before every action had read them.
    pub fn offsets_lost(&self, partition: &TopicPartition, offsets: u64) {
        let number = partition.partition.to_string();
        self.offsets_lost.with_label_values(&[&*partition.topic, &number]).inc_by(offsets);
    }

    /// The partition is not read here any more.
    pub fn forget_partition(&self, partition: &TopicPartition) {
        let number = partition.partition.to_string();
        // It is absent when the partition was never fetched from, and that is just as good.
        let _ = self.consumer_lag.remove_label_values(&[&*partition.topic, &number]);
    }

    /// Everything, in the Prometheus text format.
    ///
    /// # Panics
    /// Never: encoding into memory does not fail.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut text = Vec::new();
        let families = self.registry.gather();
        TextEncoder::new().encode(&families, &mut text).expect("writing to memory does not fail");
        text
    }
}

/// The families that carry `destination` and `action`.
struct OfActions {
    matched: IntCounterVec,
    delivered: IntCounterVec,
    dead_lettered: IntCounterVec,
    requests: IntCounterVec,
    in_flight: IntGaugeVec,
    endpoint_open: IntGaugeVec,
    lanes_behind: IntGaugeVec,
    set_aside: IntGaugeVec,
    lag: IntGaugeVec,
    oldest_unsettled: GaugeVec,
    request_duration: HistogramVec,
    batch_events: HistogramVec,
    delivery_latency: HistogramVec,
}

impl OfActions {
    fn new(new: &Registered<'_>) -> Self {
        let action = &["destination", "action"];
        Self {
            matched: new.counters("events_matched_total", "Events owed to an action", action),
            delivered: new.counters(
                "events_delivered_total",
                "Events that an endpoint has accepted",
                action,
            ),
            dead_lettered: new.counters(
                "events_dead_lettered_total",
                "Events written to the dead-letter topic",
                &["destination", "action", "reason"],
            ),
            requests: new.counters(
                "requests_total",
                "Requests by how they ended: a status code, timeout, connect, tls or dns",
                &["destination", "action", "status"],
            ),
            in_flight: new.gauges("requests_in_flight", "Requests that are being made", action),
            endpoint_open: new.gauges(
                "endpoint_open",
                "1 while an action's endpoint is down and gets nothing but probes",
                action,
            ),
            set_aside: new.gauges(
                "events_set_aside",
                "Events that keep failing where others are accepted, and are tried on their own",
                action,
            ),
            lanes_behind: new.gauges(
                "lanes_behind",
                "Partitions on which an action is behind the others and reads the log again",
                action,
            ),
            lag: new.gauges(
                "action_lag_records",
                "How far an action is behind the end of its topics",
                action,
            ),
            oldest_unsettled: new.register(
                GaugeVec::new(
                    Opts::new(
                        "oldest_unsettled_seconds",
                        "The age of the oldest event that was read and is owed to an action",
                    ),
                    action,
                )
                .expect("the metric is well-formed"),
            ),
            request_duration: new.histograms(
                "request_duration_seconds",
                "From the beginning of a request to its end",
                REQUEST_BUCKETS,
            ),
            batch_events: new.histograms("batch_events", "Events of a request", BATCH_BUCKETS),
            delivery_latency: new.histograms(
                "delivery_latency_seconds",
                "From a record's timestamp to its acceptance",
                LATENCY_BUCKETS,
            ),
        }
    }

    fn one(&self, action: &Action) -> ActionMetrics {
        let labels = [action.destination_name.to_string(), action.name.to_string()];
        ActionMetrics {
            matched: self.matched.with_label_values(&labels),
            delivered: self.delivered.with_label_values(&labels),
            in_flight: self.in_flight.with_label_values(&labels),
            endpoint_open: self.endpoint_open.with_label_values(&labels),
            lanes_behind: self.lanes_behind.with_label_values(&labels),
            set_aside: self.set_aside.with_label_values(&labels),
            lag: self.lag.with_label_values(&labels),
            oldest_unsettled: self.oldest_unsettled.with_label_values(&labels),
            batch_events: self.batch_events.with_label_values(&labels),
            delivery_latency: self.delivery_latency.with_label_values(&labels),
            request_duration: self.request_duration.with_label_values(&labels),
            requests: self.requests.clone(),
            dead_lettered: self.dead_lettered.clone(),
            labels,
        }
    }
}

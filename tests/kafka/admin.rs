//! What operators and their monitoring see.

use crate::harness::{
    Answer, Broker, Config, Receiver, Record, SECRET, Stream, one_action, track, until,
};

/// The metrics of the contract that the main job has. Histograms are named by their count.
const NAMES: [&str; 18] = [
    "hookcast_records_consumed_total",
    "hookcast_events_skipped_total",
    "hookcast_events_matched_total",
    "hookcast_events_delivered_total",
    "hookcast_events_dead_lettered_total",
    "hookcast_requests_total",
    "hookcast_request_duration_seconds_count",
    "hookcast_batch_events_count",
    "hookcast_delivery_latency_seconds_count",
    "hookcast_requests_in_flight",
    "hookcast_buffered_bytes",
    "hookcast_consumer_lag_records",
    "hookcast_action_lag_records",
    "hookcast_oldest_unsettled_seconds",
    "hookcast_assigned_partitions",
    "hookcast_rebalances_total",
    "hookcast_commits_total",
    "hookcast_build_info",
];

#[test]
fn metrics_tell_what_happened() {
    let topic = "admin.metrics";
    let broker = Broker::shared();
    broker.create_topic(topic, 2, &[]);
    let receiver = Receiver::start(Some(SECRET));
    receiver.answer(|request| {
        if request.text().contains("bad/") { Answer::status(404) } else { Answer::ok() }
    });
    let config = Config::new(
        broker,
        topic,
        &one_action(topic, &receiver.url("/"), &["batch: { max_events: 10, max_delay: 20ms }"]),
    );
    let hookcast = config.start_ready();
    broker.produce(topic, Stream::new(10).next(100));
    receiver.wait_accepted("/", 100);
    broker.produce(
        topic,
        [Record::tombstone(), Record::new(track("bad", 0)), Record::new("no event")],
    );
    broker.wait_committed_to_end(topic, topic);

    until("the metrics to tell everything", || {
        let metrics = hookcast.metrics();
        let action = [("destination", "crm"), ("action", "all")];
        let seen = [
            ("hookcast_records_consumed_total", &[][..], 103),
            ("hookcast_events_matched_total", &action, 101),
            ("hookcast_events_delivered_total", &action, 100),
            ("hookcast_delivery_latency_seconds_count", &action, 100),
            ("hookcast_batch_events_sum", &action, 101),
            ("hookcast_events_dead_lettered_total", &[("reason", "rejected")], 1),
            ("hookcast_events_dead_lettered_total", &[("reason", "invalid_event")], 1),
            ("hookcast_events_skipped_total", &[("reason", "tombstone")], 1),
            ("hookcast_requests_total", &[("status", "404")], 1),
            ("hookcast_requests_in_flight", &[], 0),
            ("hookcast_buffered_bytes", &[], 0),
            ("hookcast_consumer_lag_records", &[("topic", topic)], 0),
            ("hookcast_assigned_partitions", &[], 2),
            ("hookcast_build_info", &[], 1),
        ];
        let wrong: Vec<_> = seen
            .iter()
            .map(|(name, labels, expected)| {
                (name, labels, expected.to_string(), metrics.value(name, labels).to_string())
            })
            .filter(|(.., expected, value)| expected != value)
            .collect();
        if wrong.is_empty() {
            Ok(())
        } else {
            Err(format!("(name, labels, expected, seen): {wrong:?}"))
        }
    });
    until("all metrics", || {
        let metrics = hookcast.metrics();
        let missing: Vec<_> =
            NAMES.iter().filter(|name| !metrics.names().contains(*name)).collect();
        if missing.is_empty() { Ok(()) } else { Err(format!("missing: {missing:?}")) }
    });
    let metrics = hookcast.metrics();
    let foreign: Vec<_> =
        metrics.names().into_iter().filter(|name| !name.starts_with("hookcast_")).collect();
    assert!(foreign.is_empty(), "without the prefix: {foreign:?}");
    assert!(
        metrics.value("hookcast_commits_total", &[("result", "ok")]) >= 1.0,
        "no commit was counted as ok"
    );
    hookcast.stop();
}

#[test]
fn a_member_is_healthy_and_ready_and_other_paths_are_unknown() {
    let topic = "admin.health";
    let broker = Broker::shared();
    broker.create_topic(topic, 1, &[]);
    let config = Config::new(broker, topic, &one_action(topic, "http://127.0.0.1:1/", &[]));
    let hookcast = config.start_ready();
    assert_eq!(hookcast.ask("/healthz").expect("/healthz answers").0, 200);
    assert_eq!(hookcast.ask("/").expect("the port answers").0, 404);
    // Ready means that dead letters have a place, too.
    for topic in [format!("{topic}.dead-letter"), format!("{topic}.redrive")] {
        assert!(broker.partitions(&topic).is_some(), "{topic} is missing");
    }
    hookcast.stop();
}

#[test]
fn a_member_without_partitions_is_ready_too() {
    let topic = "admin.idle";
    let broker = Broker::shared();
    broker.create_topic(topic, 1, &[]);
    let config = Config::new(broker, topic, &one_action(topic, "http://127.0.0.1:1/", &[]));
    let members = [(); 3].map(|()| config.start_ready());
    // One has the partition of the source, another one that of the redrive topic.
    until("one of three to have the partition", || {
        let assigned = members
            .each_ref()
            .map(|member| member.metrics().value("hookcast_assigned_partitions", &[]));
        if assigned.iter().sum::<f64>().to_string() == "1" {
            Ok(())
        } else {
            Err(format!("{assigned:?}"))
        }
    });
    for member in members {
        member.stop();
    }
}

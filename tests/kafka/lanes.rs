//! Actions that share a partition with one whose endpoint is down.

use std::time::Duration;

use crate::harness::{Answer, Broker, Config, Gate, Hookcast, Receiver, SECRET, Stream, until};

/// Two actions that want every event: `fine`, and `ill`, whose endpoint is about to fail.
fn both(topic: &str, receiver: &Receiver, ill: &str) -> String {
    format!(
        "sources:
  web: {{ topics: ['{topic}'] }}
destinations:
  crm:
    shared_secret: '{SECRET}'
    actions:
      fine: {{ trigger: type = \"track\", url: '{}' }}
      ill: {{ trigger: type = \"track\", url: '{}', {ill} }}
delivery:
  retry: {{ initial: 10ms, max: 100ms }}
limits: {{ buffered_bytes: 4MiB }}
",
        receiver.url("/fine"),
        receiver.url("/ill")
    )
}

fn is_behind(hookcast: &Hookcast, action: &str) -> bool {
    hookcast.metrics().value("hookcast_lanes_behind", &[("action", action)]) > 0.0
}

/// Waits until the action is behind the end of its topic by so many records.
fn until_owed(hookcast: &Hookcast, action: &str, records: f64) {
    until(&format!("{action} to be {records} records behind the end"), || {
        let lag = hookcast.metrics().value("hookcast_action_lag_records", &[("action", action)]);
        if (lag - records).abs() < 0.5 { Ok(()) } else { Err(format!("it is {lag} behind")) }
    });
}

fn until_behind(hookcast: &Hookcast) {
    until("the action to be behind", || {
        if is_behind(hookcast, "ill") { Ok(()) } else { Err("it is level".to_owned()) }
    });
}

fn until_level(hookcast: &Hookcast) {
    until("the action to be level again", || {
        if is_behind(hookcast, "ill") { Err("it is behind".to_owned()) } else { Ok(()) }
    });
}

#[test]
fn an_endpoint_that_is_down_holds_up_nobody_else_and_catches_up_in_order() {
    let topic = "lanes.down";
    let broker = Broker::shared();
    broker.create_topic(topic, 2, &[]);
    let receiver = Receiver::start(Some(SECRET));
    receiver.answer(|request| match &*request.path {
        "/ill" => Answer::status(503),
        _ => Answer::ok(),
    });
    let config = Config::new(broker, topic, &both(topic, &receiver, "batch: false"));
    let hookcast = config.start_ready();
    let mut stream = Stream::new(100);
    broker.produce(topic, stream.next(10_000));
    receiver.wait_accepted("/fine", 10_000);
    assert!(is_behind(&hookcast, "ill"), "it waits alone");
    assert_eq!(receiver.accepted("/ill"), 0);
    let committed = broker.positions(topic, topic).committed();
    assert!(committed.iter().all(|position| position.unwrap_or(0) == 0), "{committed:?}");
    until_owed(&hookcast, "fine", 0.0);
    until_owed(&hookcast, "ill", 10_000.0);
    let age = |action| {
        hookcast.metrics().value("hookcast_oldest_unsettled_seconds", &[("action", action)])
    };
    assert!(
        age("ill") > 0.0 && age("fine").abs() < f64::EPSILON,
        "{}, {}",
        age("ill"),
        age("fine")
    );

    receiver.answer(|_| Answer::ok());
    receiver.wait_accepted("/ill", 10_000);
    broker.wait_committed_to_end(topic, topic);
    until_level(&hookcast);
    until_owed(&hookcast, "ill", 0.0);
    assert!(age("ill").abs() < f64::EPSILON, "{}", age("ill"));
    assert!(hookcast.metrics().value("hookcast_catch_up_records_total", &[]) > 1000.0);
    broker.produce(topic, stream.next(100));
    receiver.wait_accepted("/ill", stream.made());
    receiver.wait_accepted("/fine", stream.made());
    hookcast.stop();
    receiver.assert_exactly_once("/fine", stream.made());
    receiver.assert_nothing_lost("/ill", stream.made());
}

#[test]
fn a_stop_beside_an_endpoint_that_is_down_is_clean_and_repeats_nothing() {
    for (topic, batch) in [("lanes.stop", "batch: false"), ("lanes.stop-batched", "batch: true")] {
        let broker = Broker::shared();
        broker.create_topic(topic, 2, &[]);
        let receiver = Receiver::start(Some(SECRET));
        let dead = |request: &crate::harness::Request| match &*request.path {
            "/ill" => Answer::status(503),
            _ => Answer::ok(),
        };
        receiver.answer(dead);
        let config = Config::new(broker, topic, &both(topic, &receiver, batch));
        let mut stream = Stream::new(50);
        let hookcast = config.start_ready();
        broker.produce(topic, stream.next(10_000));
        until_behind(&hookcast);
        // In mid-stream: `fine` has settled some of what `ill` has not.
        hookcast.stop();
        let hookcast = config.start_ready();
        broker.produce(topic, stream.next(2000));
        receiver.wait_accepted("/fine", stream.made());
        hookcast.stop();
        receiver.answer(|_| Answer::ok());
        let hookcast = config.start_ready();
        receiver.wait_accepted("/ill", stream.made());
        broker.wait_committed_to_end(topic, topic);
        hookcast.stop();
        receiver.assert_exactly_once("/fine", stream.made());
        receiver.assert_nothing_lost("/ill", stream.made());
    }
}

#[test]
fn a_crash_repeats_what_was_settled_since_the_last_commit_and_no_more() {
    let topic = "lanes.crash";
    let broker = Broker::shared();
    broker.create_topic(topic, 1, &[]);
    let receiver = Receiver::start(Some(SECRET));
    let gate = Gate::closed();
    let closed = gate.clone();
    receiver.answer(move |request| match &*request.path {
        "/ill" => Answer::ok().behind(&closed),
        _ => Answer::ok(),
    });
    let settings = "delivery: { timeout: 1m }";
    let config = Config::new(broker, topic, &both(topic, &receiver, settings))
        .session_timeout(Duration::from_secs(1));
    let hookcast = config.start_ready();
    let mut stream = Stream::new(50);
    broker.produce(topic, stream.next(5000));
    receiver.wait_accepted("/fine", 5000);
    let positions = broker.positions(topic, topic);
    until("a commit to tell how far the lanes are", || {
        let told = positions.metadata(0);
        // Of `fine` nothing is listed any more: it stands where the reader does, at the end.
        let is_told = told.starts_with("hookcast/1 0 +5000 ") && !told.contains("fine");
        if is_told { Ok(()) } else { Err(told) }
    });
    hookcast.sigkill();
    gate.open();
    let hookcast = config.start_ready();
    receiver.wait_accepted("/ill", 5000);
    broker.wait_committed_to_end(topic, topic);
    hookcast.stop();
    assert_eq!(receiver.arrived().at("/fine").repeated(), 0, "all of it was committed");
    receiver.assert_nothing_lost("/fine", 5000);
    receiver.assert_nothing_lost("/ill", 5000);
}

#[test]
fn a_slice_does_not_wait_for_more_to_be_written_behind_the_last_one() {
    let topic = "lanes.slices";
    let broker = Broker::shared();
    broker.create_topic(topic, 2, &[]);
    let receiver = Receiver::start(Some(SECRET));
    receiver.answer(|request| match &*request.path {
        "/ill" => Answer::status(503),
        _ => Answer::ok(),
    });
    // So little concurrency that there is room for few events, and slices are many; a broker that
    // is asked for more than there is may take its time.
    let settings = "delivery: { concurrency: 1 }";
    let config = Config::new(broker, topic, &both(topic, &receiver, settings))
        .kafka("fetch.wait.max.ms", "20000");
    let hookcast = config.start_ready();
    broker.produce(topic, Stream::new(50).next(500));
    receiver.wait_accepted("/fine", 500);
    until_behind(&hookcast);
    receiver.answer(|_| Answer::ok());
    receiver.wait_accepted("/ill", 500);
    broker.wait_committed_to_end(topic, topic);
    hookcast.stop();
    receiver.assert_exactly_once("/fine", 500);
    receiver.assert_exactly_once("/ill", 500);
}

#[test]
fn a_paused_action_waits_alone_and_delivers_everything_once_it_may() {
    let topic = "lanes.paused";
    let broker = Broker::shared();
    broker.create_topic(topic, 2, &[]);
    let receiver = Receiver::start(Some(SECRET));
    let mut stream = Stream::new(50);
    broker.produce(topic, stream.next(3000));
    let paused = Config::new(broker, topic, &both(topic, &receiver, "paused: true"));
    let hookcast = paused.start_ready();
    receiver.wait_accepted("/fine", 3000);
    let committed = broker.positions(topic, topic).committed();
    assert!(committed.iter().all(|position| position.unwrap_or(0) == 0), "{committed:?}");
    hookcast.stop();
    let config = Config::new(broker, topic, &both(topic, &receiver, "paused: false"));
    let hookcast = config.start_ready();
    receiver.wait_accepted("/ill", 3000);
    broker.wait_committed_to_end(topic, topic);
    hookcast.stop();
    receiver.assert_exactly_once("/fine", 3000);
    receiver.assert_exactly_once("/ill", 3000);
}

fn a_lane_goes_from_member_to_member(topic: &str, kafka: Option<(&str, &str)>) {
    let broker = Broker::shared();
    broker.create_topic(topic, 4, &[]);
    let receiver = Receiver::start(Some(SECRET));
    receiver.answer(|request| match &*request.path {
        "/ill" => Answer::status(503),
        _ => Answer::ok(),
    });
    let mut config = Config::new(broker, topic, &both(topic, &receiver, "batch: false"));
    if let Some((key, value)) = kafka {
        config = config.kafka(key, value);
    }
    let mut stream = Stream::new(80);
    let first = config.start_ready();
    broker.produce(topic, stream.next(8000));
    until_behind(&first);
    let second = config.start_ready();
    broker.produce(topic, stream.next(2000));
    until_behind(&second);
    first.stop();
    receiver.answer(|_| Answer::ok());
    receiver.wait_accepted("/ill", stream.made());
    receiver.wait_accepted("/fine", stream.made());
    broker.wait_committed_to_end(topic, topic);
    second.stop();
    receiver.assert_exactly_once("/fine", stream.made());
    receiver.assert_nothing_lost("/ill", stream.made());
}

#[test]
fn a_lane_that_is_behind_goes_from_member_to_member() {
    a_lane_goes_from_member_to_member("lanes.members", None);
}

#[test]
fn a_lane_that_is_behind_goes_from_member_to_member_by_the_new_protocol() {
    a_lane_goes_from_member_to_member("lanes.kip-848", Some(("group.protocol", "consumer")));
}

#[test]
fn what_the_broker_deletes_before_a_lane_has_read_it_is_counted() {
    let topic = "lanes.deleted";
    let broker = Broker::shared();
    broker.create_topic(topic, 1, &[]);
    let receiver = Receiver::start(Some(SECRET));
    let mut stream = Stream::new(50);
    broker.produce(topic, stream.next(3000));
    let paused = Config::new(broker, topic, &both(topic, &receiver, "paused: true"));
    let hookcast = paused.start_ready();
    receiver.wait_accepted("/fine", 3000);
    hookcast.stop();
    broker.delete_records(topic, 0, 2000);
    let config = Config::new(broker, topic, &both(topic, &receiver, "paused: false"));
    let hookcast = config.start_ready();
    receiver.wait_accepted("/ill", 1000);
    broker.wait_committed_to_end(topic, topic);
    let lost = hookcast.metrics().value("hookcast_offsets_lost_total", &[("topic", topic)]);
    assert_eq!(lost.to_string(), "2000");
    assert!(hookcast.log().contains("has deleted records"), "{}", hookcast.log());
    hookcast.stop();
    receiver.assert_exactly_once("/fine", 3000);
    assert_eq!(receiver.accepted("/ill"), 1000);
}

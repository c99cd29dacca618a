//! A broker that is not there.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::harness::{Answer, Broker, Config, Mode, Receiver, SECRET, Stream, one_action, until};

#[test]
fn a_broker_killed_and_restarted_loses_nothing() {
    let topic = "outages.killed";
    let mut broker = Broker::start();
    broker.create_topic(topic, 3, &[]);
    let receiver = Receiver::start(Some(SECRET));
    receiver.answer(|_| Answer::ok().after(Duration::from_millis(5)));
    let config = Config::new(
        &broker,
        topic,
        &one_action(topic, &receiver.url("/"), Mode::Single.settings()),
    );
    let mut stream = Stream::new(200);
    broker.produce(topic, stream.next(5000));
    let mut hookcast = config.start();
    receiver.wait_accepted("/", 1000);
    broker.kill();
    until("/readyz to say that the broker is gone", || {
        if hookcast.is_ready() { Err("ready".to_owned()) } else { Ok(()) }
    });
    broker.restart();
    broker.produce(topic, stream.next(5000));
    receiver.wait_accepted("/", stream.made());
    hookcast.wait_ready();
    broker.wait_committed_to_end(topic, topic);
    hookcast.stop();
    receiver.assert_nothing_lost("/", stream.made());
}

/// The process lives on, and so does what it knows: what was settled while no commit could be made
/// is committed when the broker is back, and is not sent again. Only a letter may stand there twice:
/// that the broker has written it does not mean that it came to say so.
#[test]
fn a_broker_killed_beside_a_lane_that_is_behind_and_letters_costs_nothing() {
    const EVENTS: usize = 3000;
    let topic = "outages.lanes";
    let mut broker = Broker::start();
    broker.create_topic(topic, 3, &[]);
    let receiver = Receiver::start(Some(SECRET));
    receiver.answer(|request| match &*request.path {
        // So slow that it falls behind, and so well that it catches up all the time.
        "/ill" if request.number % 2 == 0 => Answer::status(503),
        "/strict" if is_strange(request.text()) => Answer::status(404),
        _ => Answer::ok().after(Duration::from_millis(5)),
    });
    // As many failures to connect in a few seconds as there are in an hour by default.
    let config = Config::new(&broker, topic, &fine_ill_and_strict(topic, &receiver))
        .kafka("reconnect.backoff.ms", "5")
        .kafka("reconnect.backoff.max.ms", "10");
    let mut stream = Stream::new(300);
    let mut hookcast = config.start_ready();
    broker.produce(topic, stream.next(EVENTS));
    until("a lane to be behind and to catch up, and letters", || {
        let metrics = hookcast.metrics();
        let behind = metrics.value("hookcast_lanes_behind", &[("action", "ill")]);
        let caught_up = metrics.value("hookcast_catch_up_records_total", &[]);
        let letters = metrics.value("hookcast_events_dead_lettered_total", &[]);
        let all = [behind, caught_up, letters];
        if all.iter().all(|number| *number > 0.0) { Ok(()) } else { Err(format!("{all:?}")) }
    });
    broker.kill();
    until("/readyz to say that the broker is gone", || {
        if hookcast.is_ready() { Err("ready".to_owned()) } else { Ok(()) }
    });
    broker.restart();
    broker.produce(topic, stream.next(EVENTS));
    receiver.wait_accepted("/fine", stream.made());
    receiver.answer(|request| match &*request.path {
        "/strict" if is_strange(request.text()) => Answer::status(404),
        _ => Answer::ok(),
    });
    receiver.wait_accepted("/ill", stream.made());
    hookcast.wait_ready();
    broker.wait_committed_to_end(topic, topic);
    // What was missed while nothing was read again ends no slice afterwards.
    assert!(!hookcast.log().contains("could not be read again"), "{}", hookcast.log());
    hookcast.stop();
    receiver.assert_exactly_once("/fine", stream.made());
    receiver.assert_exactly_once("/ill", stream.made());
    let letters = broker.read(&format!("{topic}.dead-letter"));
    let mut strange: BTreeMap<_, usize> = BTreeMap::new();
    for letter in &letters {
        let place = (letter.header("hookcast-partition"), letter.header("hookcast-offset"));
        *strange.entry(place).or_default() += 1;
    }
    // One in ten of each of the 300 keys' events.
    assert_eq!(strange.len(), stream.made() / 10, "events with a letter");
    assert!(strange.values().all(|times| *times <= 2), "{strange:?}");
    receiver.assert_exactly_once("/strict", stream.made() - strange.len());
}

fn is_strange(event: &str) -> bool {
    event.contains(r#"3","userId""#)
}

fn fine_ill_and_strict(topic: &str, receiver: &Receiver) -> String {
    let action = |name: &str| {
        let url = receiver.url(&format!("/{name}"));
        format!("      {name}: {{ trigger: type = \"track\", url: '{url}' }}\n")
    };
    let actions = ["fine", "ill", "strict"].map(action).concat();
    format!(
        "sources:
  web: {{ topics: ['{topic}'] }}
destinations:
  crm:
    shared_secret: '{SECRET}'
    actions:
{actions}delivery:
  retry: {{ initial: 10ms, max: 100ms }}
"
    )
}

#[test]
fn a_broker_that_is_down_at_the_start_is_waited_for() {
    let topic = "outages.down";
    let mut broker = Broker::start();
    broker.create_topic(topic, 3, &[]);
    broker.kill();
    let receiver = Receiver::start(Some(SECRET));
    let config = Config::new(
        &broker,
        topic,
        &one_action(topic, &receiver.url("/"), Mode::Batched.settings()),
    );
    let mut hookcast = config.start();
    until("/readyz to say that it is not ready", || match hookcast.ask("/readyz") {
        Ok((503, _)) => Ok(()),
        answer => Err(format!("{answer:?}")),
    });
    assert_eq!(
        hookcast.ask("/healthz").expect("/healthz answers").0,
        200,
        "waiting is no fault of the process"
    );
    assert_eq!(hookcast.exit_within(Duration::ZERO), None, "it did not wait");
    broker.restart();
    hookcast.wait_ready();
    broker.produce(topic, Stream::new(20).next(500));
    receiver.wait_accepted("/", 500);
    hookcast.stop();
    receiver.assert_exactly_once("/", 500);
}

#[test]
fn sigterm_ends_a_process_whose_broker_is_down() {
    let broker = Broker::reserve();
    let receiver = Receiver::start(Some(SECRET));
    let mut yaml = one_action("outages.none", &receiver.url("/"), &[]);
    yaml.push_str("shutdown_timeout: 5s\n");
    let config = Config::new(&broker, "outages.none", &yaml);
    let mut hookcast = config.start();
    until("/healthz to answer", || hookcast.ask("/healthz").map_err(|error| error.to_string()));
    hookcast.sigterm();
    assert_eq!(hookcast.exit_within(Duration::from_secs(20)), Some(0));
}

#[test]
fn a_broker_killed_before_the_stop_loses_nothing() {
    let topic = "outages.stopped";
    let mut broker = Broker::start();
    broker.create_topic(topic, 3, &[]);
    let receiver = Receiver::start(Some(SECRET));
    receiver.answer(|_| Answer::ok().after(Duration::from_millis(5)));
    let mut yaml = one_action(topic, &receiver.url("/"), Mode::Single.settings());
    yaml.push_str("shutdown_timeout: 3s\n");
    // Whoever stops without its broker cannot say goodbye.
    let config = Config::new(&broker, topic, &yaml).session_timeout(Duration::from_secs(2));
    let mut stream = Stream::new(200);
    broker.produce(topic, stream.next(5000));
    let mut hookcast = config.start();
    receiver.wait_accepted("/", 1000);
    broker.kill();
    hookcast.sigterm();
    let status = hookcast.exit_within(Duration::from_secs(30));
    assert!(status.is_some(), "it waits for its broker longer than its shutdown timeout");
    broker.restart();
    let hookcast = config.start();
    receiver.wait_accepted("/", stream.made());
    broker.wait_committed_to_end(topic, topic);
    hookcast.stop();
    receiver.assert_nothing_lost("/", stream.made());
}

#[test]
fn sigterm_ends_a_process_whose_broker_has_gone() {
    let topic = "outages.gone";
    let mut broker = Broker::start();
    broker.create_topic(topic, 3, &[]);
    let receiver = Receiver::start(Some(SECRET));
    receiver.answer(|_| Answer::ok().after(Duration::from_millis(5)));
    let mut yaml = one_action(topic, &receiver.url("/"), Mode::Single.settings());
    yaml.push_str("shutdown_timeout: 3s\n");
    // With the default session timeout of 45 s, which librdkafka would wait for as it closes.
    let config = Config::new(&broker, topic, &yaml);
    broker.produce(topic, Stream::new(200).next(5000));
    let mut hookcast = config.start();
    receiver.wait_accepted("/", 1000);
    broker.kill();
    hookcast.sigterm();
    let status = hookcast.exit_within(Duration::from_secs(20));
    assert!(status.is_some(), "it waits for its broker longer than its shutdown timeout");
}

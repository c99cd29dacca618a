//! A broker that is not there.

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

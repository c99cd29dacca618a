//! Endpoints that fail for a while.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::harness::{
    Answer, Broker, Config, Gate, Metrics, Mode, Receiver, Record, SECRET, Stream, one_action,
    track, until,
};

fn an_outage_of_the_endpoint(name: &str, mode: Mode) {
    let topic = format!("retries.outage.{name}");
    let broker = Broker::shared();
    broker.create_topic(&topic, 3, &[]);
    let receiver = Receiver::start(Some(SECRET));
    let config =
        Config::new(broker, &topic, &one_action(&topic, &receiver.url("/"), mode.settings()));
    let mut stream = Stream::new(50);
    broker.produce(&topic, stream.next(1000));
    let hookcast = config.start();
    receiver.wait_accepted("/", 300);

    let failures = std::sync::Arc::new(AtomicUsize::new(0));
    let counted = std::sync::Arc::clone(&failures);
    receiver.answer(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        Answer::status(503)
    });
    broker.produce(&topic, stream.next(1000));
    receiver.wait_until("thirty failures", |_| failures.load(Ordering::Relaxed) >= 30);
    receiver.answer(|_| Answer::ok());

    receiver.wait_accepted("/", stream.made());
    broker.wait_committed_to_end(&topic, &topic);
    let retried = hookcast.metrics().value("hookcast_requests_total", &[("status", "503")]);
    assert!(retried >= 30.0, "{retried} requests answered with 503 were counted");
    hookcast.stop();
    receiver.assert_exactly_once("/", stream.made());
    assert!(broker.read(&format!("{topic}.dead-letter")).is_empty());
}

#[test]
fn single_events_outlast_an_outage_of_their_endpoint() {
    an_outage_of_the_endpoint("single", Mode::Single);
}

#[test]
fn batches_outlast_an_outage_of_their_endpoint() {
    an_outage_of_the_endpoint("batched", Mode::Batched);
}

#[test]
fn keys_keep_their_order_while_the_endpoint_fails_now_and_then() {
    let topic = "retries.order";
    let broker = Broker::shared();
    broker.create_topic(topic, 3, &[]);
    let mut stream = Stream::new(50);
    broker.produce(topic, stream.next(3000));
    let receiver = Receiver::start(Some(SECRET));
    receiver.answer(|request| {
        let answer = if request.number % 7 == 3 { Answer::status(503) } else { Answer::ok() };
        answer.after(Duration::from_millis(2))
    });
    let config = Config::new(broker, topic, &one_action(topic, &receiver.url("/"), &[]));
    let hookcast = config.start();
    receiver.wait_accepted("/", 3000);
    hookcast.stop();
    receiver.assert_exactly_once("/", 3000);
}

#[test]
fn one_endpoint_that_hangs_is_given_up_in_time_and_tried_again() {
    let topic = "retries.timeout";
    let broker = Broker::shared();
    broker.create_topic(topic, 1, &[]);
    let mut stream = Stream::new(5);
    broker.produce(topic, stream.next(10));
    let receiver = Receiver::start(Some(SECRET));
    let never = Gate::closed();
    receiver.answer(
        move |request| {
            if request.number < 5 { Answer::ok().behind(&never) } else { Answer::ok() }
        },
    );
    let settings = ["delivery: { timeout: 300ms }"];
    let config = Config::new(broker, topic, &one_action(topic, &receiver.url("/"), &settings));
    let hookcast = config.start();
    receiver.wait_accepted("/", 10);
    broker.wait_committed_to_end(topic, topic);
    assert_eq!(
        hookcast.metrics().value("hookcast_requests_total", &[("status", "timeout")]).to_string(),
        "5"
    );
    hookcast.stop();
    // What was given up may have been accepted, as far as Hookcast knows: it is sent again. Nor
    // does the receiver notice at once that a request was given up, so two may seem to overlap.
    receiver.assert_nothing_lost("/", 10);
    assert_eq!(receiver.arrived().at("/").repeated(), 0);
}

#[test]
fn redirects_are_not_followed() {
    let topic = "retries.redirect";
    let broker = Broker::shared();
    broker.create_topic(topic, 1, &[]);
    broker.produce(topic, Stream::new(1).next(1));
    let receiver = Receiver::start(Some(SECRET));
    let elsewhere = receiver.url("/elsewhere");
    receiver.answer(move |_| Answer::status(307).header("location", &elsewhere));
    let config = Config::new(broker, topic, &one_action(topic, &receiver.url("/"), &[]));
    let hookcast = config.start();
    let letters = broker.read_when(&format!("{topic}.dead-letter"), 1);
    hookcast.stop();
    assert_eq!(letters[0].header("hookcast-status").as_deref(), Some("307"));
    assert!(receiver.requests("/elsewhere").is_empty());
}

#[test]
fn what_waits_for_an_endpoint_does_not_fill_the_memory() {
    const LIMIT: u32 = 4 << 20;
    let topic = "retries.memory";
    let broker = Broker::shared();
    broker.create_topic(topic, 3, &[]);
    // Five times the limit.
    let padding = "x".repeat(10_000);
    let events = (0..2000).map(|number| {
        let key = format!("key-{}", number % 100);
        let event = track(&key, number / 100).replace("tests", &padding);
        Record::new(event).key(key)
    });
    broker.produce(topic, events);
    let receiver = Receiver::start(Some(SECRET));
    let gate = Gate::closed();
    let closed = gate.clone();
    receiver.answer(move |_| Answer::ok().behind(&closed));
    let settings = ["delivery: { timeout: 5m }"];
    let mut yaml = one_action(topic, &receiver.url("/"), &settings);
    yaml.push_str("limits: { buffered_bytes: 4MiB }\n");
    let config = Config::new(broker, topic, &yaml);
    let hookcast = config.start();

    // As full as it gets: nothing moves while the gate is closed.
    let (mut last, mut same) = (String::new(), 0);
    until("the memory to be filled as far as it may be", || {
        let (_, text) = hookcast.ask("/metrics").map_err(|error| error.to_string())?;
        let metrics = Metrics::parse(&text);
        let buffered = metrics.value("hookcast_buffered_bytes", &[]);
        let limit = f64::from(LIMIT) * 1.1;
        assert!(buffered <= limit, "{buffered} bytes are buffered");
        let consumed = metrics.value("hookcast_records_consumed_total", &[]).to_string();
        same = if consumed == last && consumed != "0" { same + 1 } else { 0 };
        last = consumed;
        if same >= 10 { Ok(()) } else { Err(format!("{last} records read, {buffered} bytes")) }
    });
    assert!(last.parse::<f64>().is_ok_and(|read| read < 1000.0), "{last} records were read");
    gate.open();
    receiver.wait_accepted("/", 2000);
    hookcast.stop();
    receiver.assert_exactly_once("/", 2000);
}

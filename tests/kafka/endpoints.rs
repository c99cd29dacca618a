//! Endpoints that are down, ask for rest, or refuse everything.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::harness::{
    Answer, Broker, Config, Hookcast, Receiver, SECRET, Stream, message_ids, one_action, until,
};

fn until_open(hookcast: &Hookcast, is_open: bool) {
    until("the endpoint's state", || {
        let open = hookcast.metrics().value("hookcast_endpoint_open", &[("action", "all")]);
        if (open > 0.5) == is_open { Ok(()) } else { Err(format!("endpoint_open is {open}")) }
    });
}

#[test]
fn retry_after_is_obeyed_by_the_whole_endpoint() {
    let topic = "endpoints.retry-after";
    let broker = Broker::shared();
    broker.create_topic(topic, 3, &[]);
    let receiver = Receiver::start(Some(SECRET));
    // When the first request was refused, and when the next one came after all that were on
    // their way.
    let refused_at = Arc::new(Mutex::new(None::<Instant>));
    let seen = Arc::clone(&refused_at);
    let gap = Arc::new(Mutex::new(Duration::ZERO));
    let longest = Arc::clone(&gap);
    receiver.answer(move |_| {
        let mut refused_at = seen.lock().expect("nothing panics while it holds the time");
        let first = *refused_at.get_or_insert_with(Instant::now);
        let since = first.elapsed();
        if since < Duration::from_secs(1) {
            return Answer::status(429).header("retry-after", "3");
        }
        let mut gap = longest.lock().expect("nothing panics while it holds the gap");
        if gap.is_zero() {
            *gap = since;
        }
        Answer::ok()
    });
    let config = Config::new(broker, topic, &one_action(topic, &receiver.url("/"), &[]));
    let mut stream = Stream::new(30);
    broker.produce(topic, stream.next(300));
    let hookcast = config.start_ready();
    receiver.wait_accepted("/", 300);
    let gap = *gap.lock().expect("nothing panics while it holds the gap");
    assert!(gap >= Duration::from_secs(2), "it was left alone for {gap:?}");
    hookcast.stop();
    receiver.assert_nothing_lost("/", 300);
}

#[test]
fn an_endpoint_that_is_down_gets_single_events_until_it_is_well() {
    let topic = "endpoints.probes";
    let broker = Broker::shared();
    broker.create_topic(topic, 2, &[]);
    let receiver = Receiver::start(Some(SECRET));
    receiver.answer(|_| Answer::status(503));
    let settings = ["batch: { max_events: 50, max_delay: 20ms }"];
    let config = Config::new(broker, topic, &one_action(topic, &receiver.url("/"), &settings));
    let hookcast = config.start_ready();
    let mut stream = Stream::new(30);
    broker.produce(topic, stream.next(1000));
    until_open(&hookcast, true);
    let before = receiver.requests("/").len();
    until("three more probes", || match receiver.requests("/").len() {
        number if number >= before + 4 => Ok(()),
        number => Err(format!("{number} requests, {before} of them before it opened")),
    });
    // One request of before may still have been on its way.
    for probe in &receiver.requests("/")[before + 1..] {
        assert_eq!(message_ids(&probe.body).len(), 1, "{}", probe.text());
    }
    receiver.answer(|_| Answer::ok());
    receiver.wait_accepted("/", 1000);
    until_open(&hookcast, false);
    hookcast.stop();
    receiver.assert_nothing_lost("/", 1000);
    let largest = receiver.requests("/").iter().map(|it| message_ids(&it.body).len()).max();
    assert!(largest > Some(1), "its batches grow again");
}

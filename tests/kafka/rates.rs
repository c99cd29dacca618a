//! `delivery.rate_limit`, which holds for the group and is shared out by partitions.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::harness::{Answer, Broker, Config, Receiver, SECRET, Stream, one_action};

/// Requests per second, and the most that may come at once.
const RATE: f64 = 40.0;

#[test]
fn all_members_together_keep_to_the_limit_of_an_action() {
    let topic = "rates.shared";
    let broker = Broker::shared();
    broker.create_topic(topic, 4, &[]);
    let mut stream = Stream::new(50);
    broker.produce(topic, stream.next(100));
    let receiver = Receiver::start(Some(SECRET));
    let arrived = Arc::new(Mutex::new(Vec::new()));
    let times = Arc::clone(&arrived);
    // Every seventh is refused for a while: what is tried again counts, too.
    receiver.answer(move |request| {
        times.lock().unwrap_or_else(PoisonError::into_inner).push(Instant::now());
        if request.number % 7 == 3 { Answer::status(503) } else { Answer::ok() }
    });
    let settings = ["delivery: { rate_limit: 40/s, retry: { initial: 10ms, max: 20ms } }"];
    let config = Config::new(broker, topic, &one_action(topic, &receiver.url("/"), &settings));
    let first = config.start_ready();
    receiver.wait_accepted("/", 50);
    // The one that joins takes half of it from the other, in the midst of a backlog.
    let second = config.start_ready();
    broker.produce(topic, stream.next(300));
    receiver.wait_accepted("/", stream.made());
    second.stop();
    broker.produce(topic, stream.next(50));
    receiver.wait_accepted("/", stream.made());
    first.stop();
    receiver.assert_nothing_lost("/", stream.made());
    broker.wait_committed_to_end(topic, topic);

    let arrived = arrived.lock().unwrap_or_else(PoisonError::into_inner);
    let began = *arrived.first().expect("there were requests");
    let mut count = 0.0;
    for at in &*arrived {
        count += 1.0;
        let allowed = RATE * at.duration_since(began).as_secs_f64() + RATE;
        assert!(count <= allowed, "{count} requests where {allowed} are allowed");
    }
}

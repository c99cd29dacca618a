//! One process that ends, asked or not, and another that takes its place.

use std::time::Duration;

use crate::harness::{Answer, Broker, Config, Gate, Mode, Receiver, SECRET, Stream, one_action};

const CYCLES: usize = 10;
const EVENTS_PER_CYCLE: usize = 2000;

/// Ends a process ten times while it is busy. Each cycle brings its own events, so that there is
/// something under way however much of what it has read a process delivers before it ends.
fn ended_in_mid_stream(
    topic: &str,
    mode: Mode,
    configure: impl Fn(Config) -> Config,
    end: impl Fn(crate::harness::Hookcast),
) -> (Receiver, usize) {
    let broker = Broker::shared();
    broker.create_topic(topic, 4, &[]);
    let receiver = Receiver::start(Some(SECRET));
    receiver.answer(|_| Answer::ok().after(Duration::from_millis(10)));
    let yaml = one_action(topic, &receiver.url("/"), mode.settings());
    let config = configure(Config::new(broker, topic, &yaml));
    let mut stream = Stream::new(400);
    let mut in_mid_stream = 0;
    for _ in 0..CYCLES {
        let before = receiver.accepted("/");
        broker.produce(topic, stream.next(EVENTS_PER_CYCLE / 2));
        let hookcast = config.start();
        broker.produce(topic, stream.next(EVENTS_PER_CYCLE / 2));
        receiver.wait_accepted("/", before + EVENTS_PER_CYCLE / 4);
        in_mid_stream += usize::from(receiver.accepted("/") < stream.made());
        end(hookcast);
    }
    assert!(in_mid_stream > CYCLES / 2, "only {in_mid_stream} of {CYCLES} ends came in mid-stream");
    let hookcast = config.start();
    receiver.wait_accepted("/", stream.made());
    hookcast.stop();
    broker.wait_committed_to_end(topic, topic);
    (receiver, stream.made())
}

fn sigterm_loses_nothing_and_repeats_nothing(topic: &str, mode: Mode) {
    let (receiver, sent) =
        ended_in_mid_stream(topic, mode, |config| config, |hookcast| hookcast.stop());
    receiver.assert_exactly_once("/", sent);
}

#[test]
fn sigterm_in_mid_stream_loses_nothing_and_repeats_nothing_in_batches() {
    sigterm_loses_nothing_and_repeats_nothing("restarts.sigterm.batched", Mode::Batched);
}

#[test]
fn sigterm_in_mid_stream_loses_nothing_and_repeats_nothing_with_single_events() {
    sigterm_loses_nothing_and_repeats_nothing("restarts.sigterm.single", Mode::Single);
}

fn sigkill_loses_nothing(topic: &str, mode: Mode) {
    let missed_soon = |config: Config| config.session_timeout(Duration::from_secs(1));
    let (receiver, sent) =
        ended_in_mid_stream(topic, mode, missed_soon, |hookcast| hookcast.sigkill());
    receiver.assert_nothing_lost("/", sent);
}

#[test]
fn sigkill_in_mid_stream_loses_nothing_in_batches() {
    sigkill_loses_nothing("restarts.sigkill.batched", Mode::Batched);
}

#[test]
fn sigkill_in_mid_stream_loses_nothing_with_single_events() {
    sigkill_loses_nothing("restarts.sigkill.single", Mode::Single);
}

#[test]
fn sigterm_waits_for_requests_in_flight_and_commits_them() {
    let topic = "restarts.drain";
    let broker = Broker::shared();
    broker.create_topic(topic, 2, &[]);
    broker.produce(topic, Stream::new(20).next(20));
    let receiver = Receiver::start(Some(SECRET));
    let gate = Gate::closed();
    let held = gate.clone();
    receiver.answer(move |_| Answer::ok().behind(&held));
    let config = Config::new(broker, topic, &one_action(topic, &receiver.url("/"), &[]));
    let mut hookcast = config.start();
    receiver.wait_until("twenty requests", |arrived| arrived.at("/").requests == 20);
    hookcast.sigterm();
    assert_eq!(
        hookcast.exit_within(Duration::from_secs(1)),
        None,
        "it did not wait for its requests"
    );
    gate.open();
    assert_eq!(hookcast.wait_exit(), 0);
    broker.wait_committed_to_end(topic, topic);
    receiver.assert_exactly_once("/", 20);
}

#[test]
fn a_second_signal_ends_at_once() {
    let topic = "restarts.second-signal";
    let broker = Broker::shared();
    broker.create_topic(topic, 1, &[]);
    broker.produce(topic, Stream::new(1).next(1));
    let receiver = Receiver::start(Some(SECRET));
    let never = Gate::closed();
    receiver.answer(move |_| Answer::ok().behind(&never));
    let mut yaml = one_action(topic, &receiver.url("/"), &["delivery: { timeout: 10m }"]);
    yaml.push_str("shutdown_timeout: 10m\n");
    let config = Config::new(broker, topic, &yaml);
    let mut hookcast = config.start();
    receiver.wait_until("the request", |arrived| arrived.at("/").requests == 1);
    hookcast.sigterm();
    assert_eq!(
        hookcast.exit_within(Duration::from_secs(1)),
        None,
        "it did not wait for its request"
    );
    hookcast.sigterm();
    let status = hookcast.exit_within(Duration::from_secs(5));
    assert!(status.is_some(), "it waits for its request in spite of a second signal");
}

#[test]
fn the_shutdown_timeout_bounds_the_wait_for_a_request_that_hangs() {
    let topic = "restarts.timeout";
    let broker = Broker::shared();
    broker.create_topic(topic, 1, &[]);
    broker.produce(topic, Stream::new(1).next(1));
    let receiver = Receiver::start(Some(SECRET));
    let never = Gate::closed();
    receiver.answer(move |_| Answer::ok().behind(&never));
    let mut yaml = one_action(topic, &receiver.url("/"), &["delivery: { timeout: 10m }"]);
    yaml.push_str("shutdown_timeout: 1s\n");
    let config = Config::new(broker, topic, &yaml);
    let mut hookcast = config.start();
    receiver.wait_until("the request", |arrived| arrived.at("/").requests == 1);
    hookcast.sigterm();
    let status = hookcast.exit_within(Duration::from_secs(15));
    assert!(status.is_some(), "it waits for its request longer than its shutdown timeout");
    // Not settled: delivered by the next process.
    receiver.answer(|_| Answer::ok());
    let hookcast = config.start();
    receiver.wait_accepted("/", 1);
    hookcast.stop();
}

/// Stops a process whose endpoint refuses everything from some request on.
fn stopped_while_the_endpoint_fails(topic: &str, mode: Mode) -> (Option<i32>, Receiver, usize) {
    let broker = Broker::shared();
    broker.create_topic(topic, 2, &[]);
    let mut stream = Stream::new(50);
    broker.produce(topic, stream.next(1000));
    let receiver = Receiver::start(Some(SECRET));
    receiver.answer(|request| if request.number < 20 { Answer::ok() } else { Answer::status(503) });
    let mut yaml = one_action(topic, &receiver.url("/"), mode.settings());
    yaml.push_str("shutdown_timeout: 3s\n");
    let config = Config::new(broker, topic, &yaml);
    let mut hookcast = config.start();
    receiver.wait_until("ten failures", |arrived| arrived.requests.len() >= 30);
    hookcast.sigterm();
    let status = hookcast.exit_within(Duration::from_secs(20));
    assert!(receiver.accepted("/") < 1000);
    receiver.answer(|_| Answer::ok());
    let hookcast = config.start();
    receiver.wait_accepted("/", stream.made());
    hookcast.stop();
    (status, receiver, stream.made())
}

#[test]
fn sigterm_while_a_batch_is_refused_repeats_nothing_that_was_accepted() {
    let (status, receiver, sent) =
        stopped_while_the_endpoint_fails("restarts.failing.batched", Mode::Batched);
    assert!(status.is_some(), "it waits for its endpoint longer than its shutdown timeout");
    receiver.assert_exactly_once("/", sent);
}

#[test]
fn the_shutdown_timeout_bounds_the_wait_for_an_endpoint_that_fails() {
    // Events that are accepted behind one that is not may be worth the wait, but not for ever.
    let (status, receiver, sent) =
        stopped_while_the_endpoint_fails("restarts.failing.single", Mode::Single);
    assert!(status.is_some(), "it waits for its endpoint longer than its shutdown timeout");
    receiver.assert_nothing_lost("/", sent);
}

#[test]
fn a_stop_that_a_rebalance_meets_still_tells_that_it_did_not_finish() {
    let topic = "restarts.rebalance";
    let broker = Broker::shared();
    broker.create_topic(topic, 4, &[]);
    broker.produce(topic, Stream::new(8).next(8));
    let receiver = Receiver::start(Some(SECRET));
    let never = Gate::closed();
    receiver.answer(move |_| Answer::ok().behind(&never));
    let mut yaml = one_action(topic, &receiver.url("/"), &["delivery: { timeout: 10m }"]);
    yaml.push_str("shutdown_timeout: 6s\n");
    let config = Config::new(broker, topic, &yaml);
    let mut first = config.start();
    receiver.wait_until("the request", |arrived| arrived.at("/").requests >= 8);
    first.sigterm();
    assert_eq!(first.exit_within(Duration::from_secs(2)), None, "it did not wait");
    let second = config.start();
    assert_eq!(first.exit_within(Duration::from_mins(1)), Some(1), "it did not finish");
    second.sigkill();
}

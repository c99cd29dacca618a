//! Several processes of one group.

use std::collections::VecDeque;
use std::time::Duration;

use crate::harness::{
    Answer, Broker, Config, Hookcast, Metrics, Mode, Receiver, SECRET, Stream, one_action, until,
};

/// How members come and go.
struct Churn {
    topic: &'static str,
    mode: Mode,
    events: usize,
    /// How many leave, and how many come in their place, at a time.
    together: u32,
    /// A key of librdkafka and its value.
    kafka: Option<(&'static str, &'static str)>,
}

/// Members come, and those that were there before them leave, as long as events flow. All events
/// are there from the start, and the receiver is slow: no rebalance comes at a quiet moment.
fn members_come_and_go(churn: &Churn) {
    let Churn { topic, mode, events, together, kafka } = *churn;
    let broker = Broker::shared();
    broker.create_topic(topic, 6, &[]);
    let mut stream = Stream::new(600);
    broker.produce(topic, stream.next(events));
    let receiver = Receiver::start(Some(SECRET));
    let (settings, latency) = match mode {
        Mode::Single => ("delivery: { concurrency: 16 }", Duration::from_millis(10)),
        Mode::Batched => ("batch: { max_events: 20, max_delay: 20ms }", Duration::from_millis(50)),
    };
    let latency = latency * together;
    receiver.answer(move |_| Answer::ok().after(latency));
    let mut config =
        Config::new(broker, topic, &one_action(topic, &receiver.url("/"), &[settings]));
    if let Some((key, value)) = kafka {
        config = config.kafka(key, value);
    }
    let start = || (0..together).map(|_| config.start()).collect::<Vec<_>>();

    let mut members = VecDeque::from(start());
    let mut rounds = 0;
    while receiver.accepted("/") < events * 4 / 5 {
        let accepted = receiver.accepted("/");
        members.extend(start());
        until("every member to have partitions", || {
            let assigned: Vec<_> = members.iter().map(assigned_partitions).collect();
            let all = assigned.iter().all(|count| count.as_deref().is_ok_and(|count| count != "0"));
            if all { Ok(()) } else { Err(format!("{assigned:?}")) }
        });
        receiver.wait_accepted("/", (accepted + 250).min(events));
        let mut leaving: Vec<_> = members.drain(..members.len() / 2).collect();
        leaving.iter_mut().for_each(Hookcast::sigterm);
        assert!(
            leaving.iter_mut().all(|member| member.wait_exit() == 0),
            "a member did not end well"
        );
        rounds += 1;
    }
    assert!(rounds >= 3, "only {rounds} rounds: the events were delivered too soon");
    receiver.wait_accepted("/", events);
    members.into_iter().for_each(Hookcast::stop);
    receiver.assert_exactly_once("/", events);
    broker.wait_committed_to_end(topic, topic);
}

fn assigned_partitions(member: &Hookcast) -> std::io::Result<String> {
    let (_, metrics) = member.ask("/metrics")?;
    Ok(Metrics::parse(&metrics).value("hookcast_assigned_partitions", &[]).to_string())
}

#[test]
fn members_that_join_and_leave_lose_nothing_and_repeat_nothing_in_batches() {
    members_come_and_go(&Churn {
        topic: "members.batched",
        mode: Mode::Batched,
        events: 20_000,
        together: 1,
        kafka: None,
    });
}

#[test]
fn members_that_join_and_leave_lose_nothing_and_repeat_nothing_with_single_events() {
    members_come_and_go(&Churn {
        topic: "members.single",
        mode: Mode::Single,
        events: 20_000,
        together: 1,
        kafka: None,
    });
}

#[test]
fn members_that_leave_together_lose_nothing_and_repeat_nothing() {
    members_come_and_go(&Churn {
        topic: "members.together",
        mode: Mode::Single,
        events: 20_000,
        together: 2,
        kafka: None,
    });
}

#[test]
fn members_of_the_new_protocol_lose_nothing_and_repeat_nothing() {
    members_come_and_go(&Churn {
        topic: "members.kip-848",
        mode: Mode::Single,
        events: 20_000,
        together: 1,
        kafka: Some(("group.protocol", "consumer")),
    });
}

#[test]
fn members_of_an_eager_protocol_lose_nothing_and_repeat_nothing() {
    members_come_and_go(&Churn {
        topic: "members.eager",
        mode: Mode::Batched,
        events: 20_000,
        together: 1,
        kafka: Some(("partition.assignment.strategy", "range")),
    });
}

#[test]
fn a_member_that_is_killed_is_replaced_by_the_others() {
    let topic = "members.killed";
    let broker = Broker::shared();
    broker.create_topic(topic, 4, &[]);
    let receiver = Receiver::start(Some(SECRET));
    receiver.answer(|_| Answer::ok().after(Duration::from_millis(3)));
    let yaml = one_action(topic, &receiver.url("/"), Mode::Single.settings());
    let config = Config::new(broker, topic, &yaml).session_timeout(Duration::from_secs(2));
    let mut stream = Stream::new(300);
    let (first, second) = (config.start_ready(), config.start_ready());
    broker.produce(topic, stream.next(3000));
    receiver.wait_accepted("/", 1000);
    first.sigkill();
    receiver.wait_accepted("/", stream.made());
    second.stop();
    receiver.assert_nothing_lost("/", stream.made());
    broker.wait_committed_to_end(topic, topic);
}

//! Members that come and go all the time, asked and clean, while some lanes are behind: nothing is
//! lost, nothing comes twice, nothing out of order.
//!
//! A few rounds of it here; `make churn` takes a minute.

use std::collections::VecDeque;
use std::fmt::Write as _;

use crate::harness::{
    Answer, Broker, Config, Hookcast, Receiver, Request, SECRET, Stream, from_environment, until,
};

/// Two actions whose endpoint is fine, and two whose endpoint refuses everything now and then.
const ACTIONS: [(&str, &str); 4] = [
    ("fine", "batch: false"),
    ("fine-batched", "batch: { max_events: 20, max_delay: 20ms }"),
    ("ill", "batch: false"),
    ("ill-batched", "batch: { max_events: 20, max_delay: 20ms }"),
];

fn paths() -> impl Iterator<Item = String> {
    ACTIONS.into_iter().map(|(name, _)| format!("/{name}"))
}

fn configuration(topic: &str, receiver: &Receiver) -> String {
    let mut yaml = format!(
        "sources:
  web: {{ topics: ['{topic}'] }}
destinations:
  crm:
    shared_secret: '{SECRET}'
    actions:
"
    );
    for (name, batch) in ACTIONS {
        let url = receiver.url(&format!("/{name}"));
        let _ =
            writeln!(yaml, "      {name}: {{ trigger: type = \"track\", url: '{url}', {batch} }}");
    }
    yaml + "delivery:\n  concurrency: 16\n  retry: { initial: 10ms, max: 100ms }\n"
}

fn refuse_the_ill(request: &Request) -> Answer {
    if request.path.starts_with("/ill") { Answer::status(503) } else { Answer::ok() }
}

fn assert_everything_once(broker: &Broker, topic: &str, receiver: &Receiver, sent: usize) {
    broker.wait_committed_to_end(topic, topic);
    for path in paths() {
        receiver.assert_exactly_once(&path, sent);
    }
    assert!(broker.read(&format!("{topic}.dead-letter")).is_empty());
}

fn lanes_behind(members: &VecDeque<Hookcast>) -> f64 {
    members.iter().map(|member| member.metrics().value("hookcast_lanes_behind", &[])).sum()
}

fn until_all_have_partitions(members: &VecDeque<Hookcast>) {
    until("every member to have partitions", || {
        let count = |member: &Hookcast| {
            member.is_ready() && member.metrics().value("hookcast_assigned_partitions", &[]) > 0.0
        };
        let with = members.iter().filter(|member| count(member)).count();
        if with == members.len() { Ok(()) } else { Err(format!("{with} of {}", members.len())) }
    });
}

#[test]
fn four_members_that_join_and_leave_beside_lanes_that_are_behind_repeat_nothing() {
    const EVENTS: usize = 1000;
    let rounds: usize = from_environment("HOOKCAST_ROUNDS", 4);
    let topic = "churn.members";
    let broker = Broker::shared();
    broker.create_topic(topic, 8, &[]);
    let receiver = Receiver::start(Some(SECRET));
    let config = Config::new(broker, topic, &configuration(topic, &receiver));
    let mut stream = Stream::new(200);
    let mut members: VecDeque<_> = (0..4).map(|_| config.start()).collect();
    let mut behind = 0.0;
    for round in 0..rounds {
        // In turns: lanes fall behind, and catch up while partitions change hands.
        if round % 2 == 0 {
            receiver.answer(refuse_the_ill);
        } else {
            receiver.answer(|_| Answer::ok());
        }
        broker.produce(topic, stream.next(EVENTS));
        members.push_back(config.start());
        until_all_have_partitions(&members);
        receiver.wait_accepted("/fine", stream.made() - EVENTS / 2);
        behind += lanes_behind(&members);
        let mut leaving = members.pop_front().expect("there are five");
        leaving.sigterm();
        // In mid-stream for whoever leaves and for whoever takes over.
        broker.produce(topic, stream.next(EVENTS));
        assert_eq!(leaving.wait_exit(), 0, "{}", leaving.log());
    }
    assert!(behind > 0.0, "no lane was ever behind");
    receiver.answer(|_| Answer::ok());
    for path in paths() {
        receiver.wait_accepted(&path, stream.made());
    }
    members.into_iter().for_each(Hookcast::stop);
    assert_everything_once(broker, topic, &receiver, stream.made());
}

#[test]
fn one_member_that_is_stopped_again_and_again_repeats_nothing() {
    const EVENTS: usize = 500;
    let stops: usize = from_environment("HOOKCAST_STOPS", 4);
    let topic = "churn.stops";
    let broker = Broker::shared();
    broker.create_topic(topic, 4, &[]);
    let receiver = Receiver::start(Some(SECRET));
    let config = Config::new(broker, topic, &configuration(topic, &receiver));
    let mut stream = Stream::new(100);
    for stop in 0..stops {
        if stop % 4 < 2 {
            receiver.answer(refuse_the_ill);
        } else {
            receiver.answer(|_| Answer::ok());
        }
        let before = receiver.accepted("/fine");
        broker.produce(topic, stream.next(EVENTS));
        let mut hookcast = config.start();
        receiver.wait_until("some of the events", |arrived| {
            arrived.at("/fine").accepted() >= before + EVENTS / 4
        });
        hookcast.sigterm();
        broker.produce(topic, stream.next(EVENTS));
        assert_eq!(hookcast.wait_exit(), 0, "{}", hookcast.log());
    }
    receiver.answer(|_| Answer::ok());
    let hookcast = config.start();
    for path in paths() {
        receiver.wait_accepted(&path, stream.made());
    }
    hookcast.stop();
    assert_everything_once(broker, topic, &receiver, stream.made());
}

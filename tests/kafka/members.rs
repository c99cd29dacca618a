//! Several processes of one group.

use std::collections::VecDeque;
use std::time::Duration;

use crate::harness::{
    Answer, Broker, Config, Hookcast, Mode, Receiver, SECRET, Stream, one_action, until,
};

const ROUNDS: usize = 6;

/// One member after the other joins, and the one that was there before leaves, while events flow.
fn members_come_and_go(topic: &str, mode: Mode, configure: impl Fn(Config) -> Config) {
    let broker = Broker::shared();
    broker.create_topic(topic, 6, &[]);
    let receiver = Receiver::start(Some(SECRET));
    receiver.answer(|_| Answer::ok().after(Duration::from_millis(3)));
    let yaml = one_action(topic, &receiver.url("/"), mode.settings());
    let config = configure(Config::new(broker, topic, &yaml));
    let mut stream = Stream::new(300);
    let mut members = VecDeque::from([config.start_ready()]);
    for _ in 0..ROUNDS {
        broker.produce(topic, stream.next(1500));
        let joining = config.start_ready();
        broker.produce(topic, stream.next(1500));
        until("the partitions to be shared", || {
            let assigned = [&members[0], &joining].map(assigned_partitions);
            if assigned == ["3", "3"] { Ok(()) } else { Err(format!("{assigned:?} are assigned")) }
        });
        members.push_back(joining);
        let accepted = receiver.accepted("/");
        broker.produce(topic, stream.next(500));
        receiver.wait_accepted("/", accepted + 250);
        members.pop_front().expect("the member of the round before").stop();
    }
    receiver.wait_accepted("/", stream.made());
    members.pop_front().expect("the last member").stop();
    receiver.assert_exactly_once("/", stream.made());
    broker.wait_committed_to_end(topic, topic);
}

fn assigned_partitions(member: &Hookcast) -> String {
    member.metrics().value("hookcast_assigned_partitions", &[]).to_string()
}

#[test]
fn members_that_join_and_leave_lose_nothing_and_repeat_nothing_in_batches() {
    members_come_and_go("members.batched", Mode::Batched, |config| config);
}

#[test]
fn members_that_join_and_leave_lose_nothing_and_repeat_nothing_with_single_events() {
    members_come_and_go("members.single", Mode::Single, |config| config);
}

#[test]
fn members_that_join_and_leave_under_the_new_protocol_lose_nothing_and_repeat_nothing() {
    members_come_and_go("members.kip-848", Mode::Single, |config| {
        config.kafka("group.protocol", "consumer")
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

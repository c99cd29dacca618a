//! Members that the group takes for dead and that are not, and those that it must not take for dead.

use std::time::Duration;

use crate::harness::{
    Answer, Broker, Config, Hookcast, Mode, Receiver, SECRET, Stream, message_ids, one_action,
    until,
};

/// Waits until a member has so many partitions.
fn until_assigned(member: &Hookcast, wanted: usize) {
    let wanted = wanted.to_string();
    until(&format!("the member to have {wanted} partitions"), || {
        let assigned = member.metrics().value("hookcast_assigned_partitions", &[]).to_string();
        if assigned == wanted { Ok(()) } else { Err(format!("it has {assigned}")) }
    });
}

#[test]
fn a_member_that_comes_back_from_the_dead_commits_nothing_and_repeats_nothing_that_was_settled() {
    let topic = "zombies.frozen";
    let broker = Broker::shared();
    broker.create_topic(topic, 4, &[]);
    let receiver = Receiver::start(Some(SECRET));
    receiver.answer(|_| Answer::ok().after(Duration::from_millis(3)));
    let yaml = one_action(topic, &receiver.url("/"), Mode::Single.settings());
    let config = Config::new(broker, topic, &yaml).session_timeout(Duration::from_secs(2));
    let (mut zombie, other) = (config.start_ready(), config.start_ready());
    until_assigned(&zombie, 2);
    let mut stream = Stream::new(300);
    let places = broker.produce(topic, stream.next(6000));
    receiver.wait_accepted("/", 1500);
    zombie.freeze();
    let positions = broker.positions(topic, topic);
    let settled: Vec<_> =
        positions.committed().into_iter().map(|position| position.unwrap_or(0)).collect();
    // The others take over, and deliver all that there is.
    until_assigned(&other, 4);
    receiver.wait_accepted("/", 6000);
    broker.wait_committed_to_end(topic, topic);
    let ends = positions.committed();

    zombie.thaw();
    until("the zombie to be a member again", || {
        assert_eq!(positions.committed(), ends, "a zombie has committed");
        let assigned = zombie.metrics().value("hookcast_assigned_partitions", &[]).to_string();
        let log = zombie.log();
        if log.contains("the assignment was lost") && assigned == "2" {
            Ok(())
        } else {
            Err(format!("{assigned} partitions"))
        }
    });
    broker.produce(topic, stream.next(1000));
    receiver.wait_accepted("/", 7000);
    broker.wait_committed_to_end(topic, topic);
    zombie.stop();
    other.stop();

    receiver.assert_nothing_lost("/", 7000);
    let requests = receiver.requests("/");
    let sent: Vec<_> = requests.iter().flat_map(|request| message_ids(&request.body)).collect();
    let mut times = std::collections::HashMap::new();
    for id in &sent {
        *times.entry(id.as_str()).or_insert(0) += 1;
    }
    for (index, (partition, offset)) in places.into_iter().enumerate() {
        let id = format!("key-{}/{}", index % 300, index / 300);
        let partition = usize::try_from(partition).expect("a partition has a number");
        let was_settled = offset < settled[partition];
        assert!(!was_settled || times[id.as_str()] == 1, "{id} was settled, and sent again");
    }
}

#[test]
fn a_static_member_that_restarts_disturbs_nobody_and_repeats_nothing() {
    let topic = "zombies.static";
    let broker = Broker::shared();
    broker.create_topic(topic, 4, &[]);
    let receiver = Receiver::start(Some(SECRET));
    receiver.answer(|_| Answer::ok().after(Duration::from_millis(3)));
    let yaml = one_action(topic, &receiver.url("/"), Mode::Single.settings());
    let named = |name| {
        Config::new(broker, topic, &yaml)
            .kafka("group.instance.id", name)
            .session_timeout(Duration::from_secs(30))
    };
    let (first_config, second_config) = (named("first"), named("second"));
    let (first, second) = (first_config.start_ready(), second_config.start_ready());
    until_assigned(&first, 2);
    until_assigned(&second, 2);
    let rebalances =
        |member: &Hookcast| member.metrics().value("hookcast_rebalances_total", &[]).to_string();
    let before = rebalances(&second);
    let mut stream = Stream::new(300);
    broker.produce(topic, stream.next(6000));
    receiver.wait_accepted("/", 1500);
    first.stop();
    let first = first_config.start_ready();
    until_assigned(&first, 2);
    broker.produce(topic, stream.next(1000));
    receiver.wait_accepted("/", stream.made());
    broker.wait_committed_to_end(topic, topic);
    assert_eq!(rebalances(&second), before, "the other one was disturbed");
    first.stop();
    second.stop();
    receiver.assert_exactly_once("/", stream.made());
}

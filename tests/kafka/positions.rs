//! What a group has committed, against what its receiver has.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::harness::{
    Answer, Broker, Config, DEADLINE, Gate, Mode, Place, Receiver, Record, SECRET, Stream,
    message_ids, one_action, track, until,
};

/// Where the events of a topic are, to compare positions with what was accepted.
struct Ledger<'a> {
    receiver: &'a Receiver,
    partitions: BTreeMap<i32, Vec<(i64, String)>>,
}

impl Ledger<'_> {
    fn new<'a>(receiver: &'a Receiver, events: &[String], places: &[Place]) -> Ledger<'a> {
        let mut partitions: BTreeMap<i32, Vec<_>> = BTreeMap::new();
        for (event, (partition, offset)) in events.iter().zip(places) {
            partitions.entry(*partition).or_default().push((*offset, event.clone()));
        }
        Ledger { receiver, partitions }
    }

    /// Asks for the positions first and looks at what is accepted after that, so that what is
    /// accepted in between is no false alarm.
    fn assert_not_ahead(&self, committed: &[Option<i64>]) {
        let arrived = self.receiver.arrived();
        for (partition, position) in (0..).zip(committed) {
            let position = position.unwrap_or(0);
            let events = self.partitions.get(&partition).map_or(&[][..], Vec::as_slice);
            let passed = events.iter().take_while(|(offset, _)| *offset < position);
            for (offset, event) in passed {
                assert!(
                    arrived.at("/").has(event),
                    "partition {partition} is committed at {position}, and {event} at offset {offset} is not accepted"
                );
            }
        }
    }
}

fn never_ahead_of_the_receiver(topic: &str, mode: Mode) {
    let broker = Broker::shared();
    broker.create_topic(topic, 4, &[]);
    let receiver = Receiver::start(Some(SECRET));
    receiver.answer(|_| Answer::ok().after(Duration::from_millis(10)));
    let mut stream = Stream::new(300);
    let events: Vec<String> =
        (0..6000).map(|index| format!("key-{}/{}", index % 300, index / 300)).collect();
    let places = broker.produce(topic, stream.next(6000));
    let ledger = Ledger::new(&receiver, &events, &places);
    let positions = broker.positions(topic, topic);
    let config =
        Config::new(broker, topic, &one_action(topic, &receiver.url("/"), mode.settings()));
    let hookcast = config.start();

    let begun = Instant::now();
    let gate = Gate::closed();
    let mut held = false;
    let mut samples = 0;
    while receiver.accepted("/") < 6000 {
        assert!(
            begun.elapsed() < DEADLINE,
            "waited {DEADLINE:?} for 6000 events; {} were accepted",
            receiver.accepted("/")
        );
        ledger.assert_not_ahead(&positions.committed());
        samples += 1;
        if !held && receiver.accepted("/") > 3000 {
            // Nothing is accepted any more: the positions come to rest at or below it.
            held = true;
            let closed = gate.clone();
            receiver.answer(move |_| Answer::ok().behind(&closed));
            let (mut last, mut same) = (Vec::new(), 0);
            until("the positions to come to rest", || {
                let committed = positions.committed();
                ledger.assert_not_ahead(&committed);
                same = if committed == last { same + 1 } else { 0 };
                last = committed;
                if same >= 10 { Ok(()) } else { Err(format!("{last:?}")) }
            });
            receiver.answer(|_| Answer::ok().after(Duration::from_millis(10)));
            gate.open();
        }
    }
    assert!(held && samples > 10, "only {samples} samples were taken");
    broker.wait_committed_to_end(topic, topic);
    hookcast.stop();
    receiver.assert_exactly_once("/", 6000);
}

#[test]
fn a_committed_position_is_never_ahead_of_the_receiver_with_single_events() {
    never_ahead_of_the_receiver("positions.single", Mode::Single);
}

#[test]
fn a_committed_position_is_never_ahead_of_the_receiver_in_batches() {
    never_ahead_of_the_receiver("positions.batched", Mode::Batched);
}

#[test]
fn records_that_match_nothing_still_move_the_position() {
    let topic = "positions.unmatched";
    let broker = Broker::shared();
    broker.create_topic(topic, 4, &[]);
    let pages = (0..1000).map(|number| {
        Record::new(format!(r#"{{"type":"page","messageId":"page/{number}"}}"#))
            .key(number.to_string())
    });
    broker.produce(topic, pages);
    let receiver = Receiver::start(Some(SECRET));
    let config = Config::new(broker, topic, &one_action(topic, &receiver.url("/"), &[]));
    let hookcast = config.start();
    broker.wait_committed_to_end(topic, topic);
    assert_eq!(
        hookcast.metrics().value("hookcast_records_consumed_total", &[]).to_string(),
        "1000"
    );
    hookcast.stop();
    assert!(receiver.arrived().requests.is_empty());
}

#[test]
fn disabled_actions_are_owed_nothing() {
    let topic = "positions.disabled";
    let broker = Broker::shared();
    broker.create_topic(topic, 1, &[]);
    broker.produce(topic, Stream::new(10).next(100));
    let receiver = Receiver::start(Some(SECRET));
    let config =
        Config::new(broker, topic, &one_action(topic, &receiver.url("/"), &["enabled: false"]));
    let hookcast = config.start();
    broker.wait_committed_to_end(topic, topic);
    hookcast.stop();
    assert!(receiver.arrived().requests.is_empty());
}

#[test]
fn latest_begins_at_the_end_once_and_loses_nothing_after_that() {
    let topic = "positions.latest";
    let broker = Broker::shared();
    broker.create_topic(topic, 3, &[]);
    // Partition 2 has no records: a position must be committed for it too.
    let records = |key: &str, partitions: i32| {
        let records = (0..30).map(|number| {
            Record::new(track(key, number))
                .partition(i32::try_from(number).expect("small") % partitions)
        });
        records.collect::<Vec<_>>()
    };
    broker.produce(topic, records("before", 2));
    let receiver = Receiver::start(Some(SECRET));
    let config = Config::new(broker, topic, &one_action(topic, &receiver.url("/"), &[]))
        .kafka("auto.offset.reset", "latest")
        .session_timeout(Duration::from_secs(1));
    let positions = broker.positions(topic, topic);
    let first = config.start_ready();
    until("the first positions", || {
        let committed = positions.committed();
        if committed == [Some(15), Some(15), Some(0)] {
            Ok(())
        } else {
            Err(format!("{committed:?}"))
        }
    });
    first.sigkill();

    // Nobody is there while these are produced, and the next process dies before it can deliver.
    broker.produce(topic, records("between", 3));
    let never = Gate::closed();
    receiver.answer(move |_| Answer::ok().behind(&never));
    let second = config.start();
    receiver.wait_until("a request", |arrived| !arrived.requests.is_empty());
    second.sigkill();
    receiver.answer(|_| Answer::ok());
    broker.produce(topic, records("after", 3));
    let third = config.start();
    receiver.wait_accepted("/", 60);
    broker.wait_committed_to_end(topic, topic);
    third.stop();
    let requests = receiver.requests("/");
    assert!(requests.iter().all(|request| !message_ids(&request.body)[0].starts_with("before/")));
    assert_eq!(receiver.accepted("/"), 60);
}

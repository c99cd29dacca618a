//! What goes into one request, and what happens when one event spoils it.

use std::collections::BTreeSet;

use crate::harness::{
    Answer, Broker, Config, Receiver, Record, SECRET, Stream, message_ids, one_action, track, until,
};

#[test]
fn a_batch_takes_a_thousand_events_and_a_smaller_one_leaves_by_its_delay() {
    let topic = "batches.thousand";
    let broker = Broker::shared();
    broker.create_topic(topic, 1, &[]);
    let values: Vec<_> = (0..2500).map(|number| track("k", number)).collect();
    broker.produce(topic, values.iter().map(|value| Record::new(value.as_str())));
    let receiver = Receiver::start(Some(SECRET));
    let config =
        Config::new(broker, topic, &one_action(topic, &receiver.url("/"), &["batch: true"]));
    let hookcast = config.start();

    receiver.wait_accepted("/", 2500);
    hookcast.stop();
    receiver.assert_exactly_once("/", 2500);
    let requests = receiver.requests("/");
    let sizes: Vec<_> = requests.iter().map(|request| message_ids(&request.body).len()).collect();
    assert_eq!(sizes, [1000, 1000, 500]);
    for (request, events) in requests.iter().zip(values.chunks(1000)) {
        assert!(
            request.text() == format!("[{}]", events.join(",")),
            "the body is not the events, one after the other"
        );
    }
}

#[test]
fn a_batch_keeps_to_its_bytes_and_is_an_array_for_one_event_too() {
    let topic = "batches.bytes";
    let broker = Broker::shared();
    broker.create_topic(topic, 1, &[]);
    let (small, large) = (track("small", 0), track("large", 0).replace("12.50", &"1".repeat(3000)));
    broker.produce(topic, [&small, &large, &small].map(|value| Record::new(value.as_str())));
    let receiver = Receiver::start(Some(SECRET));
    let settings = ["batch: { max_bytes: 2KiB, max_delay: 200ms }"];
    let config = Config::new(broker, topic, &one_action(topic, &receiver.url("/"), &settings));
    let hookcast = config.start();

    receiver.wait_until("three requests", |arrived| arrived.at("/").requests == 3);
    hookcast.stop();
    let bodies: Vec<_> =
        receiver.requests("/").iter().map(|request| request.text().to_owned()).collect();
    assert_eq!(bodies, [&small, &large, &small].map(|value| format!("[{value}]")));
}

#[test]
fn only_the_events_that_spoil_a_batch_are_dead_lettered() {
    let topic = "batches.poison";
    let dead_letters = format!("{topic}.dead-letter");
    let broker = Broker::shared();
    broker.create_topic(topic, 2, &[]);
    let poison = |number: usize| [17, 18, 399, 700].contains(&number);
    let events = (0..1000).map(|number| {
        let key = if poison(number) { "poison" } else { "good" };
        Record::new(track(key, number)).key(key).partition(i32::from(number % 2 == 1))
    });
    broker.produce(topic, events);
    let receiver = Receiver::start(Some(SECRET));
    receiver.answer(|request| {
        let spoilt = message_ids(&request.body).iter().any(|id| id.starts_with("poison/"));
        if spoilt { Answer::status(400).body("poison") } else { Answer::ok() }
    });
    let settings = ["batch: { max_events: 100, max_delay: 50ms }"];
    let config = Config::new(broker, topic, &one_action(topic, &receiver.url("/"), &settings));
    let hookcast = config.start();

    receiver.wait_accepted("/", 996);
    let letters = broker.read_when(&dead_letters, 4);
    broker.wait_committed_to_end(topic, topic);
    hookcast.stop();
    let arrived = receiver.arrived();
    assert_eq!((arrived.at("/").accepted(), arrived.at("/").repeated()), (996, 0));
    drop(arrived);
    let culprits: BTreeSet<_> = letters
        .iter()
        .flat_map(|letter| message_ids(letter.value.as_deref().expect("a value")))
        .collect();
    assert_eq!(culprits, [17, 18, 399, 700].map(|number| format!("poison/{number}")).into());
    assert_eq!(broker.read(&dead_letters).len(), 4);
    for letter in &letters {
        assert_eq!(letter.header("hookcast-reason").as_deref(), Some("rejected"));
        assert_eq!(letter.header("hookcast-status").as_deref(), Some("400"));
    }
}

#[test]
fn batches_of_one_partition_go_one_after_the_other() {
    let topic = "batches.order";
    let broker = Broker::shared();
    broker.create_topic(topic, 1, &[]);
    let mut stream = Stream::new(7);
    broker.produce(topic, stream.next(3000));
    let receiver = Receiver::start(Some(SECRET));
    let settings = ["batch: { max_events: 100, max_delay: 50ms }"];
    let config = Config::new(broker, topic, &one_action(topic, &receiver.url("/"), &settings));
    let hookcast = config.start();

    receiver.wait_accepted("/", 3000);
    until("the batches to be counted", || {
        let metrics = hookcast.metrics();
        let counted = metrics.value("hookcast_batch_events_sum", &[]);
        if counted >= 3000.0 { Ok(()) } else { Err(counted.to_string()) }
    });
    hookcast.stop();
    receiver.assert_exactly_once("/", 3000);
}

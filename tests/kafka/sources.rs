//! What brokers do to the topics that events come from.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::producer::{BaseRecord, Producer, ThreadedProducer};

use crate::harness::{
    Answer, Broker, Config, Gate, Hookcast, Receiver, SECRET, Stream, one_action, track, until,
};

fn lost(hookcast: &Hookcast, topic: &str) -> f64 {
    hookcast.metrics().value("hookcast_offsets_lost_total", &[("topic", topic)])
}

fn until_logged(hookcast: &Hookcast, what: &str) {
    until(&format!("the log to say {what:?}"), || {
        if hookcast.log().contains(what) { Ok(()) } else { Err("it does not".to_owned()) }
    });
}

#[test]
fn a_topic_that_may_delete_events_before_they_are_delivered_is_warned_of_once() {
    let topic = "sources.short";
    let broker = Broker::shared();
    broker.create_topic(topic, 3, &[("retention.ms", "3600000"), ("retention.bytes", "1000000")]);
    broker.create_topic("sources.long", 1, &[("retention.ms", "-1")]);
    let receiver = Receiver::start(Some(SECRET));
    let settings = ["delivery: { on_give_up: hold }"];
    let yaml = one_action("^sources\\.(short|long)$", &receiver.url("/"), &settings);
    let config = Config::new(broker, topic, &yaml);
    let hookcast = config.start_ready();
    until_logged(&hookcast, "retention.ms is 1h, less than twice the longest give_up_after, 4h");
    until_logged(&hookcast, "retention.bytes is 1000000");
    until_logged(&hookcast, "crm/all never gives up");
    let log = hookcast.log();
    assert_eq!(log.matches("retention.ms is").count(), 1, "three partitions, one topic: {log}");
    hookcast.stop();
}

#[test]
fn what_was_deleted_while_nobody_was_there_is_counted_and_said() {
    let topic = "sources.deleted";
    let broker = Broker::shared();
    broker.create_topic(topic, 1, &[]);
    let receiver = Receiver::start(Some(SECRET));
    let config = Config::new(broker, topic, &one_action(topic, &receiver.url("/"), &[]));
    let mut stream = Stream::new(10);
    broker.produce(topic, stream.next(100));
    let hookcast = config.start();
    broker.wait_committed_to_end(topic, topic);
    hookcast.stop();

    broker.produce(topic, stream.next(100));
    broker.delete_records(topic, 0, 150);
    let hookcast = config.start();
    receiver.wait_accepted("/", 150);
    broker.wait_committed_to_end(topic, topic);
    assert_eq!(lost(&hookcast, topic).to_string(), "50");
    until_logged(&hookcast, "the broker has deleted records before they were read");
    hookcast.stop();
}

#[test]
fn what_is_deleted_ahead_of_a_slow_reader_is_counted() {
    let topic = "sources.slow";
    let broker = Broker::shared();
    broker.create_topic(topic, 1, &[]);
    let receiver = Receiver::start(Some(SECRET));
    let gate = Gate::closed();
    let closed = gate.clone();
    receiver.answer(move |_| Answer::ok().behind(&closed));
    let yaml = format!(
        "{}limits: {{ buffered_bytes: 64KiB }}\n",
        one_action(topic, &receiver.url("/"), &[])
    );
    // Little is fetched in advance, so that there is something ahead of what was fetched.
    let config = Config::new(broker, topic, &yaml)
        .kafka("queued.max.messages.kbytes", "16")
        .kafka("max.partition.fetch.bytes", "16384");
    let mut stream = Stream::new(3000);
    // A batch is fetched as a whole, so there are many.
    for _ in 0..30 {
        broker.produce(topic, stream.next(100));
    }
    let hookcast = config.start();
    receiver.wait_until("requests", |arrived| arrived.at("/").requests > 0);
    broker.delete_records(topic, 0, 2900);
    gate.open();
    broker.wait_committed_to_end(topic, topic);
    let deleted = lost(&hookcast, topic);
    hookcast.stop();
    assert!(deleted > 100.0, "{deleted}");
    assert_eq!(receiver.accepted("/").to_string(), (3000.0 - deleted).to_string());
}

#[test]
fn a_topic_that_was_made_anew_is_read_from_its_beginning_and_said_to_be_new() {
    let topic = "sources.anew";
    let broker = Broker::shared();
    broker.create_topic(topic, 1, &[]);
    let receiver = Receiver::start(Some(SECRET));
    let config = Config::new(broker, topic, &one_action(topic, &receiver.url("/"), &[]));
    let mut stream = Stream::new(10);
    broker.produce(topic, stream.next(100));
    let hookcast = config.start();
    broker.wait_committed_to_end(topic, topic);
    hookcast.stop();

    broker.delete_topic(topic);
    broker.create_topic(topic, 1, &[]);
    // The group's position outlives the topic on some brokers, and not on others.
    broker.commit(topic, topic, &[(0, 100, "")]);
    broker.produce(topic, stream.next(30));
    let hookcast = config.start();
    receiver.wait_accepted("/", 130);
    broker.wait_committed_to_end(topic, topic);
    until_logged(&hookcast, "thrown back: the log is a new one");
    hookcast.stop();
}

#[test]
fn markers_of_transactions_are_no_losses() {
    let topic = "sources.transactions";
    let broker = Broker::shared();
    broker.create_topic(topic, 1, &[]);
    let mut client: ClientConfig = broker.client();
    client.set("transactional.id", topic);
    let producer: ThreadedProducer<_> = client.create().expect("a producer");
    let patience = Duration::from_secs(30);
    producer.init_transactions(patience).expect("the broker knows transactions");
    for number in 0..20 {
        producer.begin_transaction().expect("a transaction begins");
        let value = track("key", number);
        let sent = producer.send(BaseRecord::to(topic).key("key").payload(&value));
        sent.map_err(|(error, _)| error).expect("the queue has room");
        // Every other one leaves a gap of two.
        if number % 2 == 0 {
            producer.commit_transaction(patience).expect("it is committed");
        } else {
            producer.abort_transaction(patience).expect("it is aborted");
        }
    }
    let receiver = Receiver::start(Some(SECRET));
    let config = Config::new(broker, topic, &one_action(topic, &receiver.url("/"), &[]));
    let hookcast = config.start();
    receiver.wait_accepted("/", 10);
    assert_eq!(lost(&hookcast, topic).to_string(), "0");
    hookcast.stop();
}

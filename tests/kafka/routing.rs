//! Which records become requests, and to where.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::harness::{Broker, Config, Receiver, Record, SECRET, Stream, one_action, track, until};

const TYPES: [&str; 6] = ["identify", "track", "page", "screen", "group", "alias"];

#[test]
fn each_of_the_six_calls_goes_to_the_action_that_wants_it() {
    let topic = "routing.types";
    let broker = Broker::shared();
    broker.create_topic(topic, 3, &[]);
    let receiver = Receiver::start(Some(SECRET));
    let mut yaml = format!(
        "sources:\n  web: {{ topics: [{topic}] }}\ndestinations:\n  crm:\n    shared_secret: '{SECRET}'\n    actions:\n"
    );
    for call in TYPES {
        writeln!(
            yaml,
            "      {call}s:\n        trigger: type = \"{call}\"\n        url: {}",
            receiver.url(&format!("/{call}"))
        )
        .expect("writing to a string");
    }
    writeln!(yaml, "      vips:\n        trigger: (type = \"track\" or type = \"page\") and userId = \"user-3\"\n        url: {}", receiver.url("/vips"))
        .expect("writing to a string");
    let config = Config::new(broker, topic, &yaml);
    let hookcast = config.start();

    let event = |call: &str, number: usize| {
        Record::new(format!(
            r#"{{"messageId":"{call}/{number}","type":"{call}","userId":"user-{number}"}}"#
        ))
        .key(call)
    };
    broker.produce(topic, (0..20).flat_map(|number| TYPES.map(|call| event(call, number))));

    receiver.wait_until("all events", |arrived| {
        TYPES.iter().all(|call| arrived.at(&format!("/{call}")).accepted() == 20)
            && arrived.at("/vips").accepted() == 2
    });
    hookcast.stop();
    for call in TYPES {
        receiver.assert_exactly_once(&format!("/{call}"), 20);
        assert!((0..20).all(|number| {
            receiver.arrived().at(&format!("/{call}")).has(&format!("{call}/{number}"))
        }));
    }
    receiver.assert_exactly_once("/vips", 2);
}

#[test]
fn tombstones_other_types_and_refused_integrations_are_skipped_and_counted() {
    let topic = "routing.skipped";
    let broker = Broker::shared();
    broker.create_topic(topic, 1, &[]);
    let receiver = Receiver::start(Some(SECRET));
    let config = Config::new(broker, topic, &one_action(topic, &receiver.url("/"), &[]));
    let hookcast = config.start();

    let integrations = |number: usize, integrations: &str| {
        Record::new(format!(
            r#"{{"type":"track","messageId":"i/{number}","integrations":{integrations}}}"#
        ))
        .key("i")
    };
    broker.produce(
        topic,
        [
            Record::tombstone().key("a"),
            Record::tombstone(),
            Record::new(r#"{"type":"delete","messageId":"x/0"}"#),
            Record::new(r#"{"type":"Track","messageId":"x/1"}"#),
            Record::new(r#"{"messageId":"x/2"}"#),
            integrations(0, r#"{"All":false}"#),
            integrations(1, r#"{"Webhook":false}"#),
            integrations(2, r#"{"All":false,"Webhook":true}"#),
            integrations(3, r#"{"All":false,"Webhook":{"since":1}}"#),
            integrations(4, r#"{"All":true,"webhook":false}"#),
            Record::new(track("last", 0)),
        ],
    );

    receiver.wait_until("the last event", |arrived| arrived.at("/").has("last/0"));
    broker.wait_committed_to_end(topic, topic);
    let metrics = hookcast.metrics();
    let skipped =
        |reason| metrics.value("hookcast_events_skipped_total", &[("reason", reason)]).to_string();
    let reasons = ["tombstone", "unsupported_type", "integrations"];
    let skipped: BTreeMap<_, _> =
        reasons.map(|reason| (reason, skipped(reason))).into_iter().collect();
    let expected = [("tombstone", "2"), ("unsupported_type", "3"), ("integrations", "2")];
    assert_eq!(
        skipped,
        expected.map(|(reason, count)| (reason, count.to_owned())).into_iter().collect()
    );
    hookcast.stop();
    receiver.assert_exactly_once("/", 4);
    assert!(broker.read(&format!("{topic}.dead-letter")).is_empty());
}

#[test]
fn an_expression_finds_topics_that_come_later_and_never_the_dead_letters() {
    // The group's own topics match the expression.
    let (expression, group) = (r"^routing\.expression\..+", "routing.expression.group");
    let dead_letters = format!("{group}.dead-letter");
    let broker = Broker::shared();
    for topic in ["routing.expression.a", "routing.expression.b", "routing.expressions"] {
        broker.create_topic(topic, 2, &[]);
    }
    let receiver = Receiver::start(Some(SECRET));
    let config = Config::new(broker, group, &one_action(expression, &receiver.url("/"), &[]))
        .kafka("topic.metadata.refresh.interval.ms", "300");
    let hookcast = config.start_ready();

    until("the dead-letter topic", || {
        broker.partitions(&dead_letters).ok_or_else(|| "no such topic".to_owned())
    });
    broker.produce(&dead_letters, [Record::new(track("letter", 0))]);
    broker.produce("routing.expressions", [Record::new(track("other", 0))]);
    let mut stream = Stream::new(10);
    broker.produce("routing.expression.a", stream.next(100));
    broker.produce("routing.expression.b", stream.next(100));
    broker.create_topic("routing.expression.c", 1, &[]);
    broker.produce("routing.expression.c", stream.next(100));

    receiver.wait_accepted("/", 300);
    hookcast.stop();
    assert_eq!(receiver.accepted("/"), 300);
    let arrived = receiver.arrived();
    assert!(!arrived.at("/").has("letter/0") && !arrived.at("/").has("other/0"));
    drop(arrived);
    assert!(broker.positions(group, &dead_letters).committed().iter().all(Option::is_none));
}

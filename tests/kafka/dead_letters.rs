//! What is written for events that cannot be delivered.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::harness::{
    Answer, Broker, Config, RawHeader, Receiver, Record, SECRET, Stored, Stream, one_action,
    produce_raw, track, until,
};

fn header_names(letter: &Stored) -> Vec<&str> {
    letter.headers.iter().map(|(name, _)| name.as_str()).collect()
}

#[test]
fn a_rejected_event_is_kept_with_its_reason_and_its_origin() {
    let topic = "dead-letters.rejected";
    let broker = Broker::shared();
    broker.create_topic(topic, 3, &[]);
    let begun = now();
    let an_hour_ago = begun - 3_600_000;
    let poison = Record::new(track("poison", 0))
        .key("key-of-the-poison")
        .partition(2)
        .header("trace", Some(b"\x00\xffabc"))
        .header("trace", Some(b"again"))
        .header("nothing", None)
        .timestamp(an_hour_ago);
    broker.produce(
        topic,
        [
            Record::new(track("good", 0)).partition(2),
            poison,
            Record::new(track("good", 1)).partition(2),
        ],
    );
    let receiver = Receiver::start(Some(SECRET));
    let long = "no such field: ü".repeat(200);
    receiver.answer(move |request| {
        if request.text().contains("poison") {
            Answer::status(400).body(long.clone())
        } else {
            Answer::ok()
        }
    });
    let config = Config::new(broker, topic, &one_action(topic, &receiver.url("/"), &[]));
    let hookcast = config.start();

    let letters = broker.read_when(&format!("{topic}.dead-letter"), 1);
    receiver.wait_accepted("/", 2);
    broker.wait_committed_to_end(topic, topic);
    let counted = hookcast
        .metrics()
        .value("hookcast_events_dead_lettered_total", &[("reason", "rejected"), ("action", "all")]);
    assert_eq!(counted.to_string(), "1");
    hookcast.stop();

    let [letter] = &letters[..] else { panic!("{} letters", letters.len()) };
    assert_eq!(letter.key.as_deref(), Some(&b"key-of-the-poison"[..]));
    assert_eq!(letter.value, Some(track("poison", 0).into_bytes()));
    let own: Vec<_> =
        letter.headers.iter().filter(|(name, _)| !name.starts_with("hookcast-")).cloned().collect();
    let expected =
        [("trace", Some(&b"\x00\xffabc"[..])), ("trace", Some(b"again")), ("nothing", None)];
    assert_eq!(own, expected.map(|(name, value)| (name.to_owned(), value.map(<[u8]>::to_vec))));
    let expected = [
        ("hookcast-destination", "crm"),
        ("hookcast-action", "all"),
        ("hookcast-reason", "rejected"),
        ("hookcast-status", "400"),
        ("hookcast-attempts", "1"),
        ("hookcast-topic", topic),
        ("hookcast-partition", "2"),
        ("hookcast-offset", "1"),
        ("hookcast-timestamp", &an_hour_ago.to_string()),
    ];
    for (name, value) in expected {
        assert_eq!(letter.header(name).as_deref(), Some(value), "{name}");
    }
    let first_attempt: i64 =
        letter.header("hookcast-first-attempt-at").and_then(|at| at.parse().ok()).expect("a time");
    assert!((begun..=now()).contains(&first_attempt), "first attempt at {first_attempt}");
    let error = letter.header("hookcast-error").expect("the answer's body");
    assert!(
        error.contains("no such field: ü") && error.len() <= 1024,
        "{} bytes: {error}",
        error.len()
    );
    // Rejected once and for all: there was one request for it.
    assert_eq!(receiver.requests("/").len(), 3);
}

#[test]
fn what_is_no_json_object_is_kept_as_an_invalid_event() {
    let topic = "dead-letters.invalid";
    let broker = Broker::shared();
    broker.create_topic(topic, 1, &[]);
    // As large as a record of a topic with default settings can be, nearly.
    let large = format!("{{\"type\":\"track\",\"text\":\"{}", "x".repeat(1_048_000));
    let values: [&[u8]; 8] = [
        b"",
        b"not json",
        b"[]",
        b"\"track\"",
        b"{\"type\":\"track\"",
        b"{\"type\":\"track\"} {}",
        b"{\"a\":\"\xff\"}",
        large.as_bytes(),
    ];
    let records = values.iter().map(|value| Record::new(*value).key("k").header("own", Some(b"1")));
    broker.produce(topic, records.chain([Record::new(track("good", 0))]));
    let receiver = Receiver::start(Some(SECRET));
    let config = Config::new(broker, topic, &one_action(topic, &receiver.url("/"), &[]));
    let hookcast = config.start();

    receiver.wait_accepted("/", 1);
    let letters = broker.read_when(&format!("{topic}.dead-letter"), values.len());
    broker.wait_committed_to_end(topic, topic);
    hookcast.stop();
    assert_eq!(letters.len(), values.len());
    for (offset, value) in values.iter().enumerate() {
        let offset = offset.to_string();
        let letter =
            letters.iter().find(|letter| letter.header("hookcast-offset") == Some(offset.clone()));
        let letter = letter.unwrap_or_else(|| panic!("no letter for offset {offset}"));
        assert!(
            letter.value.as_deref() == Some(*value),
            "the value of offset {offset} was changed"
        );
        assert_eq!(letter.key.as_deref(), Some(&b"k"[..]));
        assert_eq!(letter.header("own").as_deref(), Some("1"));
        assert_eq!(letter.header("hookcast-reason").as_deref(), Some("invalid_event"));
        assert_eq!(letter.header("hookcast-topic").as_deref(), Some(topic));
        assert!(!header_names(letter).contains(&"hookcast-action"), "nobody was to receive it");
        assert!(letter.header("hookcast-error").is_some_and(|error| !error.is_empty()));
    }
    assert_eq!(receiver.requests("/").len(), 1);
}

#[test]
fn what_a_mapping_cannot_make_a_request_of_is_kept_with_the_reason() {
    let topic = "dead-letters.mapping";
    let broker = Broker::shared();
    broker.create_topic(topic, 1, &[]);
    let events = [
        format!(
            r#"{{"type":"track","messageId":"p/0","payload":[1],"url":"{}"}}"#,
            "http://127.0.0.1:1/"
        ),
        r#"{"type":"track","messageId":"p/1","payload":{},"url":"no url"}"#.to_owned(),
    ];
    broker.produce(topic, events.map(Record::new));
    let receiver = Receiver::start(Some(SECRET));
    let settings = ["data: { '@path': '$.payload' }"];
    let yaml = one_action(topic, "{ '@path': '$.url' }", &settings);
    let config = Config::new(broker, topic, &yaml);
    let hookcast = config.start();

    let letters = broker.read_when(&format!("{topic}.dead-letter"), 2);
    broker.wait_committed_to_end(topic, topic);
    hookcast.stop();
    let mut reasons: Vec<_> = letters
        .iter()
        .map(|letter| (letter.header("hookcast-offset"), letter.header("hookcast-reason")))
        .collect();
    reasons.sort();
    let expected = [("0", "invalid_payload"), ("1", "invalid_request")];
    assert_eq!(
        reasons,
        expected.map(|(offset, reason)| (Some(offset.to_owned()), Some(reason.to_owned())))
    );
    assert!(receiver.requests("/").is_empty());
}

#[test]
fn a_letter_that_cannot_be_written_holds_the_position_and_not_the_requests() {
    let topic = "dead-letters.refused";
    let dead_letters = format!("{topic}.dead-letter");
    let broker = Broker::shared();
    broker.create_topic(topic, 1, &[]);
    // Too small for the headers alone, so cutting the value does not help.
    broker.create_topic(&dead_letters, 1, &[("max.message.bytes", "100")]);
    broker.produce(topic, [Record::new(track("good", 0)), Record::new("not json")]);
    broker.produce(topic, Stream::new(10).next(500));
    let receiver = Receiver::start(Some(SECRET));
    let config = Config::new(broker, topic, &one_action(topic, &receiver.url("/"), &[]));
    let hookcast = config.start();

    receiver.wait_accepted("/", 501);
    let positions = broker.positions(topic, topic);
    until("the position at the record that is no event", || match positions.committed()[0] {
        Some(1) => Ok(()),
        position => Err(format!("{position:?}")),
    });
    assert!(broker.read(&dead_letters).is_empty());
    broker.set_max_message_bytes(&dead_letters, 100_000);
    assert_eq!(
        broker.read_when(&dead_letters, 1)[0].header("hookcast-offset").as_deref(),
        Some("1")
    );
    broker.wait_committed_to_end(topic, topic);
    hookcast.stop();
    receiver.assert_exactly_once("/", 501);
    assert_eq!(broker.read(&dead_letters).len(), 1);
}

#[test]
fn a_rejected_event_with_a_header_name_that_is_not_utf8_is_kept_too() {
    let topic = "dead-letters.odd-header";
    let broker = Broker::shared();
    broker.create_topic(topic, 1, &[]);
    let headers =
        [RawHeader { name: b"bad-\xff", value: b"1" }, RawHeader { name: b"good", value: b"2" }];
    produce_raw(broker, topic, b"k", track("odd", 0).as_bytes(), &headers);
    let receiver = Receiver::start(Some(SECRET));
    receiver.answer(|_| Answer::status(404));
    let config = Config::new(broker, topic, &one_action(topic, &receiver.url("/"), &[]));
    let hookcast = config.start();
    // The name is written with replacement characters, or the harness could not read it.
    let letters = broker.read_when(&format!("{topic}.dead-letter"), 1);
    broker.wait_committed_to_end(topic, topic);
    hookcast.stop();
    assert_eq!(letters[0].header("good").as_deref(), Some("2"));
    assert_eq!(letters[0].header("bad-\u{fffd}").as_deref(), Some("1"));
    assert_eq!(letters[0].header("hookcast-status").as_deref(), Some("404"));
    assert_eq!(letters[0].value, Some(track("odd", 0).into_bytes()));
}

fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
    i64::try_from(now.as_millis()).expect("it is before the year 292278994")
}

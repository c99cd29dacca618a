//! What stands in a request: bytes, headers, signatures, keys.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::harness::{
    Answer, Broker, Config, Gate, RawHeader, Receiver, Record, Request, SECRET, Stream,
    message_ids, one_action, produce_raw, track,
};

#[test]
fn every_request_says_what_it_is_and_who_sent_it() {
    let topic = "requests.headers";
    let broker = Broker::shared();
    broker.create_topic(topic, 1, &[]);
    broker.produce(topic, Stream::new(5).next(20));
    // Every request is checked for its signature; here the other headers are.
    let receiver = Receiver::start(Some(SECRET));
    let settings = ["method: PUT", "headers: { X-Team: growth }"];
    let config =
        Config::new(broker, topic, &one_action(topic, &receiver.url("/in?a=b"), &settings));
    let hookcast = config.start();

    receiver.wait_accepted("/in", 20);
    hookcast.stop();
    for request in receiver.requests("/in") {
        assert_eq!(request.method, "PUT");
        assert_eq!(request.header("content-type"), Some("application/json"));
        assert_eq!(
            request.header("user-agent"),
            Some(concat!("hookcast/", env!("CARGO_PKG_VERSION")))
        );
        assert_eq!(request.header("x-team"), Some("growth"));
        assert!(request.header("idempotency-key").is_some_and(|key| !key.is_empty()));
        let signature = request.header("x-signature").expect("it is signed");
        assert!(signature.len() == 40 && !signature.contains(char::is_uppercase), "{signature}");
    }
}

/// The requests by their idempotency key. Panics if one key was used for two bodies.
fn by_key(requests: &[std::sync::Arc<Request>]) -> BTreeMap<String, String> {
    let mut bodies = BTreeMap::new();
    for request in requests {
        let key = request.header("idempotency-key").expect("every request has a key");
        let body = bodies.entry(key.to_owned()).or_insert_with(|| request.text().to_owned());
        assert_eq!(body, request.text(), "one key for two sets of events");
    }
    bodies
}

#[test]
fn the_idempotency_key_is_the_same_for_every_attempt_and_for_no_other_request() {
    let topic = "requests.keys";
    let broker = Broker::shared();
    broker.create_topic(topic, 2, &[]);
    // Equal values at different places are different events.
    let mut records = Stream::new(20).next(100);
    records.extend([0, 1].map(|partition| Record::new(track("twin", 0)).partition(partition)));
    broker.produce(topic, records);
    let receiver = Receiver::start(Some(SECRET));
    receiver.answer(
        |request| {
            if request.number % 2 == 0 { Answer::status(503) } else { Answer::ok() }
        },
    );
    let yaml = format!(
        "sources:\n  web: {{ topics: [{topic}] }}
destinations:
  crm:
    shared_secret: '{SECRET}'
    actions:
      one: {{ trigger: 'type = \"track\"', url: '{}' }}
      two: {{ trigger: 'type = \"track\"', url: '{}' }}
delivery: {{ retry: {{ initial: 5ms, max: 20ms }} }}\n",
        receiver.url("/one"),
        receiver.url("/two"),
    );
    let config = Config::new(broker, topic, &yaml);
    let hookcast = config.start();

    receiver.wait_until("all events at both", |arrived| {
        ["/one", "/two"].iter().all(|path| arrived.at(path).accepted() == 101)
    });
    broker.wait_committed_to_end(topic, topic);
    hookcast.stop();
    let (one, two) = (by_key(&receiver.requests("/one")), by_key(&receiver.requests("/two")));
    assert_eq!((one.len(), two.len()), (102, 102));
    assert!(receiver.requests("/one").len() > 102, "nothing was tried twice");
    assert!(one.keys().all(|key| !two.contains_key(key)), "two actions share a key");
}

#[test]
fn every_attempt_is_signed_anew_under_the_same_webhook_id() {
    const KEY: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let topic = "requests.standard-webhooks";
    let broker = Broker::shared();
    broker.create_topic(topic, 1, &[]);
    broker.produce(topic, Stream::new(1).next(1));
    let receiver = Receiver::start(Some(SECRET));
    // Until a second has passed: the time in a header is one in seconds.
    let first = OnceLock::new();
    receiver.answer(move |request| {
        let first = first.get_or_init(|| request.header("webhook-timestamp").map(str::to_owned));
        let is_later = request.header("webhook-timestamp") != first.as_deref();
        Answer::status(if is_later { 200 } else { 503 })
    });
    let yaml = one_action(topic, &receiver.url("/in"), &[]).replace(
        "    actions:",
        &format!("    standard_webhooks: {{ secret: 'whsec_{KEY}' }}\n    actions:"),
    );
    let config = Config::new(broker, topic, &yaml);
    let hookcast = config.start();
    receiver.wait_accepted("/in", 1);
    hookcast.stop();

    let key = BASE64_STANDARD.decode(KEY).expect("it is base64");
    let requests = receiver.requests("/in");
    assert!(requests.len() >= 2, "{}", requests.len());
    for request in &requests {
        let header = |name| request.header(name).expect("Standard Webhooks wants it");
        assert_eq!(header("webhook-id"), header("idempotency-key"));
        assert_eq!(header("webhook-id"), requests[0].header("webhook-id").expect("it has one"));
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("every length is good");
        let (id, timestamp) = (header("webhook-id"), header("webhook-timestamp"));
        mac.update(format!("{id}.{timestamp}.{}", request.text()).as_bytes());
        let signature = BASE64_STANDARD.encode(mac.finalize().into_bytes());
        assert_eq!(header("webhook-signature"), format!("v1,{signature}"));
    }
}

#[test]
fn the_idempotency_key_is_the_same_after_a_crash() {
    let topic = "requests.keys-after-a-crash";
    let broker = Broker::shared();
    broker.create_topic(topic, 1, &[]);
    broker.produce(topic, Stream::new(20).next(20));
    let receiver = Receiver::start(Some(SECRET));
    let gate = Gate::closed();
    receiver.answer(move |_| Answer::ok().behind(&gate));
    let config = Config::new(broker, topic, &one_action(topic, &receiver.url("/"), &[]))
        .session_timeout(std::time::Duration::from_secs(2));
    let hookcast = config.start();
    receiver.wait_until("twenty requests", |arrived| arrived.at("/").requests == 20);
    hookcast.sigkill();
    receiver.answer(|_| Answer::ok());
    let hookcast = config.start();
    receiver.wait_accepted("/", 20);
    hookcast.stop();

    let requests = receiver.requests("/");
    assert_eq!(requests.len(), 40);
    assert_eq!(by_key(&requests).len(), 20);
}

/// Delivers values one by one and in a batch, and expects them as they were produced.
fn arrives_byte_for_byte(topic: &str, values: &[String], produce: impl FnOnce(&Broker)) {
    let broker = Broker::shared();
    broker.create_topic(topic, 1, &[("max.message.bytes", "5000000")]);
    produce(broker);
    let receiver = Receiver::start(Some(SECRET));
    let yaml = format!(
        "sources:\n  web: {{ topics: [{topic}] }}
destinations:
  crm:
    shared_secret: '{SECRET}'
    actions:
      single: {{ trigger: 'type = \"track\"', url: '{}' }}
      batched: {{ trigger: 'type = \"track\"', url: '{}', batch: {{ max_delay: 100ms }} }}\n",
        receiver.url("/single"),
        receiver.url("/batched"),
    );
    let config = Config::new(broker, topic, &yaml);
    let hookcast = config.start();
    receiver.wait_until("all events at both", |arrived| {
        ["/single", "/batched"].iter().all(|path| arrived.at(path).accepted() == values.len())
    });
    hookcast.stop();

    let single: BTreeSet<_> =
        receiver.requests("/single").iter().map(|request| request.text().to_owned()).collect();
    assert!(single == values.iter().cloned().collect(), "single events were changed");
    let batched: Vec<_> =
        receiver.requests("/batched").iter().map(|request| request.text().to_owned()).collect();
    let batched =
        batched.iter().map(|body| body.trim_matches(['[', ']'])).collect::<Vec<_>>().join(",");
    let expected =
        values.iter().map(|value| value.trim_matches(['[', ']'])).collect::<Vec<_>>().join(",");
    assert!(batched == expected, "batched events were changed");
}

#[test]
fn ten_thousand_levels_of_nesting_arrive_byte_for_byte() {
    let arrays = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let objects = format!("{}1{}", r#"{"a":"#.repeat(10_000), "}".repeat(10_000));
    let values = [("arrays", arrays), ("objects", objects)].map(|(id, deep)| {
        format!(r#"{{"type":"track","messageId":"{id}/0","properties":{deep}}}"#)
    });
    arrives_byte_for_byte("requests.nested", &values, |broker| {
        broker.produce("requests.nested", values.iter().map(|value| Record::new(value.as_str())));
    });
}

#[test]
fn what_json_allows_arrives_byte_for_byte() {
    let values = [
        " {\"type\" :\t\"track\",\n\"messageId\":\"space/0\" } ".trim().to_owned(),
        r#"{"type":"track","messageId":"numbers/0","n":[1.0,1e400,-0,123456789012345678901234567890,1E+2]}"#.to_owned(),
        r#"{"z":1,"type":"track","a":2,"messageId":"keys/0","a":3,"":{}}"#.to_owned(),
        r#"{"t\u0079pe":"tr\u0061ck","messageId":"escapes/0","s":"\/\u00e9é\ud83d\ude00😀\u0000"}"#.to_owned(),
    ];
    arrives_byte_for_byte("requests.json", &values, |broker| {
        broker.produce("requests.json", values.iter().map(|value| Record::new(value.as_str())));
    });
}

#[test]
fn an_event_of_more_than_a_megabyte_arrives() {
    let text = "x".repeat(1_500_000);
    let values = [0, 1].map(|number| {
        format!(r#"{{"type":"track","messageId":"large/{number}","text":"{text}"}}"#)
    });
    arrives_byte_for_byte("requests.large", &values, |broker| {
        broker.produce("requests.large", values.iter().map(|value| Record::new(value.as_str())));
    });
}

#[test]
fn the_prefix_of_the_confluent_wire_format_is_read_past() {
    let values = [track("confluent", 0), track("plain", 0), track("confluent", 1)];
    let prefixed = |value: &str| [&[0, 0, 0, 1, 0x7b], value.as_bytes()].concat();
    arrives_byte_for_byte("requests.confluent", &values, |broker| {
        let records = [prefixed(&values[0]), values[1].clone().into_bytes(), prefixed(&values[2])];
        broker.produce("requests.confluent", records.map(Record::new));
    });
}

#[test]
fn a_header_name_that_is_not_utf8_does_not_stop_the_partition() {
    let values = [track("odd", 0), track("odd", 1)];
    arrives_byte_for_byte("requests.odd-header", &values, |broker| {
        let headers = [
            RawHeader { name: b"bad-\xff\xfe", value: b"1" },
            RawHeader { name: b"good", value: b"2" },
        ];
        produce_raw(broker, "requests.odd-header", b"odd", values[0].as_bytes(), &headers);
        broker.produce("requests.odd-header", [Record::new(values[1].as_str()).key("odd")]);
    });
}

#[test]
fn a_mapping_decides_what_is_sent() {
    let topic = "requests.mapping";
    let broker = Broker::shared();
    broker.create_topic(topic, 1, &[]);
    broker.produce(topic, [Record::new(track("mapped", 3))]);
    let receiver = Receiver::start(Some(SECRET));
    let settings = [
        "data:",
        "  messageId: { '@path': '$.messageId' }",
        "  who: { '@template': 'user {{userId}}' }",
        "  revenue: { '@path': '$.properties.revenue' }",
        "  fixed: [1, true, null]",
    ];
    let config = Config::new(broker, topic, &one_action(topic, &receiver.url("/"), &settings));
    let hookcast = config.start();
    receiver.wait_accepted("/", 1);
    hookcast.stop();
    let requests = receiver.requests("/");
    let sent: serde_json::Value = serde_json::from_slice(&requests[0].body).expect("JSON");
    let expected =
        r#"{"messageId":"mapped/3","who":"user mapped","revenue":12.50,"fixed":[1,true,null]}"#;
    assert_eq!(sent, serde_json::from_str::<serde_json::Value>(expected).expect("JSON"));
    assert_eq!(message_ids(&requests[0].body), ["mapped/3"]);
}

//! What `hookcast dead-letters list` shows.

use std::io::Read;
use std::process::Stdio;

use serde_json::json;

use super::{letter, listed, offsets, out, said};
use crate::harness::{
    Answer, Broker, Config, RawHeader, Receiver, Record, SECRET, one_action, produce_raw, track,
};

/// Two actions, one of which is refused with 404 and the other with 410.
fn two_actions(broker: &Broker, topic: &str, receiver: &Receiver) -> Config {
    let (signups, orders) = (receiver.url("/signups"), receiver.url("/orders"));
    let yaml = format!(
        "sources:
  web: {{ topics: ['{topic}'] }}
destinations:
  crm:
    shared_secret: '{SECRET}'
    actions:
      signups: {{ trigger: userId = \"s\", url: '{signups}' }}
      orders: {{ trigger: userId != null, url: '{orders}' }}
"
    );
    Config::new(broker, topic, &yaml)
}

#[test]
fn letters_are_listed_by_what_they_say() {
    let topic = "redrive.list";
    let dead_letters = format!("{topic}.dead-letter");
    let broker = Broker::shared();
    broker.create_topic(topic, 2, &[]);
    broker.create_topic(&dead_letters, 3, &[]);
    broker.produce(
        topic,
        [
            Record::new(track("s", 0)).key("s").partition(1).header("trace", Some(b"\xff")),
            Record::new(track("o", 0)).key(*b"\xfe").partition(1).timestamp(1_764_000_000_000),
            Record::new("no event").partition(1),
        ],
    );
    // What others write into the topic.
    let others = [
        Record::new("hello"),
        Record::tombstone(),
        Record::new("{}").header("hookcast-reason", Some(b"rejected")),
        Record::new("{}").header("hookcast-status", None),
    ];
    broker.produce(&dead_letters, others);
    produce_raw(broker, &dead_letters, b"k", b"{}", &[RawHeader { name: b"\xff", value: b"1" }]);
    let receiver = Receiver::start(Some(SECRET));
    receiver.answer(|request| match &*request.path {
        "/signups" => Answer::status(404).body(format!("gone,\n it was {SECRET}")),
        _ => Answer::status(410),
    });
    let config = two_actions(broker, topic, &receiver);
    let hookcast = config.start();
    broker.wait_committed_to_end(topic, topic);
    hookcast.stop();

    let all = listed(&config, &[]);
    assert_eq!(all.len(), 4, "{all:?}");
    let signups = listed(&config, &["--action", "signups"]);
    let [signup] = &signups[..] else { panic!("{signups:?}") };
    let known = [
        ("destination", json!("crm")),
        ("action", json!("signups")),
        ("reason", json!("rejected")),
        ("status", json!(404)),
        ("attempts", json!(1)),
        ("error", json!("gone,\n it was ***")),
        ("truncated", json!(null)),
        ("redriven", json!(false)),
        ("key", json!("s")),
        ("value", json!(track("s", 0))),
        ("headers", json!([{ "name": "trace", "value_base64": "/w==" }])),
    ];
    for (name, value) in known {
        assert_eq!(signup[name], value, "{name}");
    }
    assert_eq!(signup["origin"]["topic"], topic);
    assert_eq!(
        (&signup["origin"]["partition"], &signup["origin"]["offset"]),
        (&json!(1), &json!(0))
    );
    for (filters, expected) in [
        (&["--destination", "crm"][..], &[0, 0, 1][..]),
        (&["--destination", "crn"], &[]),
        (&["--status", "410"], &[0, 1]),
        (&["--status", "410", "--action", "signups"], &[]),
        (&["--reason", "invalid_event"], &[2]),
        (&["--reason", "expired"], &[]),
        (&["--since", "1h"], &[0, 0, 1, 2]),
        (&["--since", "2100-01-01T00:00:00Z"], &[]),
    ] {
        assert_eq!(offsets(&listed(&config, filters)), expected, "{filters:?}");
    }
    assert_eq!(listed(&config, &["--limit", "3"]).len(), 3);
    let order = listed(&config, &["--action", "orders", "--limit", "2"]);
    let order = order.iter().find(|letter| letter["origin"]["offset"] == 1).expect("a letter");
    assert_eq!(order["key_base64"], "/g==");
    assert_eq!(order["origin"]["timestamp"], 1_764_000_000_000_i64);
    assert!(order["timestamp"].as_i64() > Some(1_764_000_000_000));

    let table = out(&config.output_of(&["dead-letters", "list", "--status", "404"]));
    let lines: Vec<_> =
        table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).collect();
    assert_eq!(lines[0].join(" "), "TIME DESTINATION ACTION REASON STATUS ATTEMPTS ORIGIN ERROR");
    assert_eq!(
        lines[1][1..].join(" "),
        format!("crm signups rejected 404 1 {topic}/1/0 gone, it was ***")
    );
    assert_eq!(
        table.lines().last(),
        Some(&*format!(
            "{dead_letters}: 5 records of other programs skipped, 1 letter shown, 0 hidden"
        ))
    );
    let limited = out(&config.output_of(&["dead-letters", "list", "--limit", "1"]));
    assert!(limited.contains("more beyond --limit, 1 letter shown"), "{limited}");
}

#[test]
fn without_a_topic_it_says_so() {
    let broker = Broker::shared();
    let group = "redrive.missing";
    let config = Config::new(broker, group, &one_action(group, "http://127.0.0.1:1/", &[]));
    let expected = |topic: &str| {
        format!(
            "hookcast: there is no topic {group}.{topic}; `hookcast run` creates it, unless \
             `topics.create` is false\n"
        )
    };
    for command in [&["list"][..], &["list", "--json"], &["redrive"], &["redrive", "--dry-run"]] {
        let output = config.output_of(&[&["dead-letters"][..], command].concat());
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(said(&output), expected("dead-letter"));
        assert!(output.stdout.is_empty());
    }
    broker.create_topic(&format!("{group}.dead-letter"), 1, &[]);
    assert_eq!(
        out(&config.output_of(&["dead-letters", "list"])),
        format!("{group}.dead-letter: 0 letters shown, 0 hidden\n")
    );
    let output = config.output_of(&["dead-letters", "redrive"]);
    assert_eq!((output.status.code(), said(&output)), (Some(1), expected("redrive")));
}

#[test]
fn a_reader_of_the_list_may_go_away() {
    let topic = "redrive.pipe";
    let dead_letters = format!("{topic}.dead-letter");
    let broker = Broker::shared();
    broker.create_topic(&dead_letters, 1, &[]);
    broker.produce(&dead_letters, (0..5000).map(|number| letter(topic, number, "all")));
    let config = Config::new(broker, topic, &one_action(topic, "http://127.0.0.1:1/", &[]));
    for arguments in [&["dead-letters", "list"][..], &["dead-letters", "list", "--json"]] {
        let mut command = config.command(arguments);
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("hookcast starts");
        let mut first = [0; 10];
        child.stdout.take().expect("stdout is piped").read_exact(&mut first).expect("a line");
        let mut said = String::new();
        child.stderr.take().expect("stderr is piped").read_to_string(&mut said).expect("text");
        assert_eq!((child.wait().expect("it ends").code(), &*said), (Some(0), ""));
    }
    assert_eq!(listed(&config, &[]).len(), 5000);
}

//! What `hookcast dead-letters` shows of what could not be delivered, and how it is delivered after
//! all.

mod list;

use std::process::Output;

use serde_json::Value;

use crate::harness::{
    Answer, Broker, Config, Receiver, Record, SECRET, Stored, one_action, track, until,
};

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
fn out(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", said(output));
    String::from_utf8(output.stdout.clone()).expect("stdout is UTF-8")
}

/// The letters that `list --json` shows with these filters.
#[track_caller]
fn listed(config: &Config, filters: &[&str]) -> Vec<Value> {
    let arguments = ["dead-letters", "list", "--json"];
    let text = out(&config.output_of(&[&arguments[..], filters].concat()));
    let line = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    text.lines().map(line).collect()
}

/// What `redrive` says with these arguments.
#[track_caller]
fn redriven(config: &Config, arguments: &[&str]) -> String {
    out(&config.output_of(&[&["dead-letters", "redrive"][..], arguments].concat()))
}

/// The offsets in their source that these letters are about.
fn offsets(letters: &[Value]) -> Vec<i64> {
    let mut offsets: Vec<_> = letters
        .iter()
        .map(|letter| letter["origin"]["offset"].as_i64().expect("a number"))
        .collect();
    offsets.sort_unstable();
    offsets
}

/// A letter as another version of Hookcast may have written it.
fn letter(topic: &str, offset: usize, action: &str) -> Record {
    let headers = [
        ("hookcast-destination", "crm"),
        ("hookcast-action", action),
        ("hookcast-reason", "rejected"),
        ("hookcast-status", "404"),
        ("hookcast-topic", topic),
        ("hookcast-partition", "0"),
        ("hookcast-offset", &offset.to_string()),
    ];
    headers.iter().fold(Record::new(track("letter", offset)), |record, (name, value)| {
        record.header(name, Some(value.as_bytes()))
    })
}

/// Letters that a topic holds, without the markers.
fn letters(broker: &Broker, topic: &str) -> Vec<Stored> {
    let mut letters = broker.read(topic);
    letters.retain(|letter| letter.value.is_some());
    letters
}

#[test]
fn what_is_redriven_is_delivered_under_its_key_and_hidden() {
    let topic = "redrive.delivered";
    let (dead_letters, redrive) = (format!("{topic}.dead-letter"), format!("{topic}.redrive"));
    let broker = Broker::shared();
    broker.create_topic(topic, 1, &[]);
    broker.create_topic(&dead_letters, 3, &[]);
    let events = |number| Record::new(track("k", number)).header("trace", Some(b"\x001"));
    broker.produce(topic, (0..20).map(events));
    let receiver = Receiver::start(Some(SECRET));
    receiver.answer(|_| Answer::status(404));
    let config = Config::new(broker, topic, &one_action(topic, &receiver.url("/"), &[]));
    let hookcast = config.start_ready();
    broker.wait_committed_to_end(topic, topic);
    assert_eq!(listed(&config, &[]).len(), 20);
    let keys = |receiver: &Receiver| {
        let keys = receiver.requests("/");
        let keys = keys.iter().map(|request| {
            let key = request.header("idempotency-key").expect("a key").to_owned();
            (request.text().to_owned(), key)
        });
        let mut keys: Vec<_> = keys.collect();
        keys.sort();
        keys
    };
    let before = keys(&receiver);
    receiver.answer(|_| Answer::ok());

    let said = redriven(&config, &["--dry-run"]);
    assert_eq!(said, format!("20 letters would be redriven to {redrive}\n  20 to crm/all\n"));
    assert!(broker.read(&redrive).is_empty());
    assert_eq!(broker.read(&dead_letters).len(), 20);

    let said = redriven(&config, &["--limit", "2"]);
    assert!(said.starts_with(&format!("2 letters redriven to {redrive}, and more")), "{said}");
    assert_eq!(listed(&config, &[]).len(), 18);
    let said = redriven(&config, &[]);
    assert!(said.starts_with(&format!("18 letters redriven to {redrive}\n")), "{said}");
    assert!(said.ends_with("2 letters hidden: redriven already, and not again without --all\n"));
    receiver.wait_accepted("/", 20);
    let after = keys(&receiver);
    assert_eq!(after.len(), 40);
    let mut twice = [&before[..], &before].concat();
    twice.sort();
    assert_eq!(after, twice, "each event came twice, under one key");

    assert!(listed(&config, &[]).is_empty());
    let all = listed(&config, &["--all"]);
    assert!(all.len() == 20 && all.iter().all(|letter| letter["redriven"] == true));
    let said = redriven(&config, &[]);
    assert!(said.starts_with(&format!("0 letters redriven to {redrive}\n")), "{said}");
    assert_eq!(broker.read(&redrive).len(), 20);
    broker.wait_committed_to_end(topic, &redrive);
    let metrics = hookcast.metrics();
    let delivered = metrics.value("hookcast_events_delivered_total", &[("action", "all")]);
    assert_eq!(delivered.to_string(), "20");
    let progress = out(&config.output_of(&["progress"]));
    assert!(progress.lines().any(|line| line.contains(&redrive)), "{progress}");

    // The letter as it was, and a marker in the same partition.
    let stored = broker.read(&dead_letters);
    let markers: Vec<_> = stored.iter().filter(|record| record.value.is_none()).collect();
    assert_eq!(markers.len(), 20);
    for letter in letters(broker, &dead_letters) {
        let offset = letter.header("hookcast-offset").expect("an offset");
        let name = format!("{topic}/0/{offset}/crm/all");
        let marker = markers
            .iter()
            .find(|marker| marker.header("hookcast-redriven").as_deref() == Some(&*name));
        let marker = marker.unwrap_or_else(|| panic!("no marker {name}"));
        assert_eq!(marker.place.0, letter.place.0);
    }
    let again = broker.read(&redrive);
    let original = letters(broker, &dead_letters);
    for letter in &original {
        let is_same = |other: &&Stored| {
            (&other.key, &other.value, &other.headers)
                == (&letter.key, &letter.value, &letter.headers)
        };
        assert_eq!(again.iter().filter(is_same).count(), 1);
    }

    let said = redriven(&config, &["--all", "--limit", "1"]);
    assert!(said.starts_with("1 letter redriven"), "{said}");
    receiver.wait_until("one more request", |arrived| arrived.requests.len() == 41);
    hookcast.stop();
}

#[test]
fn a_redriven_event_that_is_refused_again_is_a_new_letter() {
    let topic = "redrive.again";
    let dead_letters = format!("{topic}.dead-letter");
    let broker = Broker::shared();
    broker.create_topic(topic, 1, &[]);
    // Letters without a key go anywhere.
    broker.create_topic(&dead_letters, 4, &[]);
    broker.produce(topic, (0..30).map(|number| Record::new(track("k", number))));
    let receiver = Receiver::start(Some(SECRET));
    receiver.answer(|_| Answer::status(404));
    let config = Config::new(broker, topic, &one_action(topic, &receiver.url("/"), &[]));
    let hookcast = config.start_ready();
    broker.wait_committed_to_end(topic, topic);
    for (round, status) in [(1, 410), (2, 451)] {
        receiver.answer(move |_| Answer::status(status));
        let said = redriven(&config, &[]);
        assert!(said.starts_with("30 letters redriven"), "{said}");
        until("the new letters", || match letters(broker, &dead_letters).len() {
            count if count == 30 * (round + 1) => Ok(()),
            count => Err(format!("{count} letters")),
        });
        let listed = listed(&config, &[]);
        assert_eq!(offsets(&listed), (0..30).collect::<Vec<_>>());
        assert!(listed.iter().all(|letter| letter["status"] == status), "{listed:?}");
    }
    receiver.answer(|_| Answer::ok());
    let said = redriven(&config, &[]);
    assert!(said.starts_with("30 letters redriven"), "{said}");
    receiver.wait_accepted("/", 30);
    assert!(listed(&config, &[]).is_empty());
    hookcast.stop();
    assert_eq!(receiver.accepted("/"), 30);
}

#[test]
fn what_cannot_be_redriven_is_named_and_left() {
    let topic = "redrive.left";
    let (dead_letters, redrive) = (format!("{topic}.dead-letter"), format!("{topic}.redrive"));
    let broker = Broker::shared();
    for topic in [topic, &dead_letters] {
        broker.create_topic(topic, 1, &[]);
    }
    broker.create_topic(&redrive, 1, &[("max.message.bytes", "2000")]);
    let invalid = [
        ("hookcast-reason", "invalid_event"),
        ("hookcast-topic", topic),
        ("hookcast-partition", "0"),
        ("hookcast-offset", "7"),
    ];
    let invalid = invalid.iter().fold(Record::new("no event"), |record, (name, value)| {
        record.header(name, Some(value.as_bytes()))
    });
    let large = letter(topic, 5, "all").header("own", Some("x".repeat(3000).as_bytes()));
    let letters = [
        letter(topic, 0, "all"),
        // As it is after a crash.
        letter(topic, 0, "all"),
        letter(topic, 1, "gone"),
        letter(topic, 2, "off"),
        letter(topic, 3, "gone"),
        letter(topic, 4, "all").header("hookcast-truncated", Some(b"9999")),
        large,
        invalid,
        Record::new("somebody else's"),
    ];
    broker.produce(&dead_letters, letters);
    let receiver = Receiver::start(Some(SECRET));
    let yaml = one_action(topic, &receiver.url("/"), &[]).replace(
        "      all:\n",
        "      off: { enabled: false, trigger: 'true', url: 'http://127.0.0.1:1/' }\n      all:\n",
    );
    let config = Config::new(broker, topic, &yaml);
    assert_eq!(
        redriven(&config, &[]),
        format!(
            "1 letter redriven to {redrive}
  1 to crm/all
6 letters left where they are
  1 no event: there is no action to deliver it to
  2 to crm/gone: not in the configuration
  1 to crm/off: disabled in the configuration
  1 cut to fit into the topic: produce it again where it came from
  1 larger than the max.message.bytes of the redrive topic
1 record of other programs skipped
"
        )
    );
    assert_eq!(offsets(&listed(&config, &[])), [1, 2, 3, 4, 5, 7]);
    assert_eq!(broker.read(&redrive).len(), 1);
    // Whatever stands in the redrive topic before the group has ever read it is delivered, too.
    let config = config.kafka("auto.offset.reset", "latest");
    let hookcast = config.start();
    receiver.wait_accepted("/", 1);
    broker.wait_committed_to_end(topic, &redrive);
    hookcast.stop();
}

#[test]
fn what_is_addressed_to_nobody_comes_back() {
    let topic = "redrive.nobody";
    let (dead_letters, redrive) = (format!("{topic}.dead-letter"), format!("{topic}.redrive"));
    let broker = Broker::shared();
    for topic in [topic, &redrive] {
        broker.create_topic(topic, 1, &[]);
    }
    let records =
        [letter("events", 3, "gone"), Record::new(track("plain", 0)), Record::tombstone()];
    broker.produce(&redrive, records);
    let receiver = Receiver::start(Some(SECRET));
    let config = Config::new(broker, topic, &one_action(topic, &receiver.url("/"), &[]));
    let hookcast = config.start();
    let letters = broker.read_when(&dead_letters, 2);
    broker.wait_committed_to_end(topic, &redrive);
    let mut found: Vec<_> = letters
        .iter()
        .map(|letter| {
            let header = |name| letter.header(name).unwrap_or_default();
            [header("hookcast-reason"), header("hookcast-topic"), header("hookcast-offset")]
        })
        .collect();
    found.sort();
    assert_eq!(found, [["action_removed", "events", "3"], ["invalid_event", &redrive, "1"]]);
    let metrics = hookcast.metrics();
    for reason in ["action_removed", "invalid_event"] {
        let labels = [("reason", reason), ("action", "")];
        let count = metrics.value("hookcast_events_dead_lettered_total", &labels);
        assert_eq!(count.to_string(), "1", "{reason}");
    }
    hookcast.stop();
    assert!(receiver.requests("/").is_empty());
}

#[test]
fn an_expression_beside_the_redrive_topic_matches_neither_of_our_own() {
    let group = "redrive.kip-848";
    let (dead_letters, redrive) = (format!("{group}.dead-letter"), format!("{group}.redrive"));
    let broker = Broker::shared();
    for topic in ["redrive.kip-848.events", &dead_letters, &redrive] {
        broker.create_topic(topic, 1, &[]);
    }
    broker.produce("redrive.kip-848.events", [Record::new(track("event", 0))]);
    broker.produce(&dead_letters, [Record::new(track("dead", 0))]);
    broker.produce(&redrive, [letter("elsewhere", 0, "all")]);
    let receiver = Receiver::start(Some(SECRET));
    let yaml = one_action(r"^redrive\.kip-848\..+", &receiver.url("/"), &[]);
    for protocol in ["consumer", "classic"] {
        // Another group for each, with the same topics.
        let yaml = format!("{yaml}topics: {{ dead_letter: {dead_letters}, redrive: {redrive} }}\n");
        let name = format!("{group}.{protocol}");
        let config = Config::new(broker, &name, &yaml).kafka("group.protocol", protocol);
        let hookcast = config.start();
        for topic in ["redrive.kip-848.events", &redrive] {
            broker.wait_committed_to_end(&name, topic);
        }
        hookcast.stop();
        receiver.wait_accepted("/", 2);
    }
    let arrived = receiver.arrived();
    assert_eq!(arrived.requests.len(), 4);
    assert!(!arrived.at("/").has("dead/0"));
}

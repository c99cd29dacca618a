//! What `hookcast progress` says of a group, against what was committed by hand.

use std::process::Output;

use serde_json::{Value, json};

use crate::harness::{
    Broker, Config, Receiver, Record, SECRET, Stream, free_port, one_action, track,
};

/// Two actions, one of them for a part of the topics. A topic is missing, and an expression matches
/// the dead-letter topic.
fn config(broker: &Broker, name: &str) -> Config {
    let sources_and_destinations = format!(
        "sources:
  web: {{ topics: [{name}.web, {name}.absent] }}
  mobile: {{ topics: ['^{name}[.](mobile|dead)'] }}
destinations:
  crm:
    actions:
      signups: {{ trigger: type = \"track\", url: 'http://127.0.0.1:1/' }}
  app:
    sources: [mobile]
    actions:
      all: {{ trigger: type = \"track\", url: 'http://127.0.0.1:1/' }}
topics: {{ dead_letter: {name}.dead-letter }}
"
    );
    Config::new(broker, name, &sources_and_destinations)
}

/// So many records in a partition of a topic.
fn fill(broker: &Broker, topic: &str, partition: i32, count: usize) {
    let record = |number| Record::new(track("key", number)).partition(partition);
    broker.produce(topic, (0..count).map(record));
}

fn out(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    String::from_utf8(output.stdout.clone()).expect("stdout is UTF-8")
}

fn objects(output: &Output) -> Vec<Value> {
    let text = out(output);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// A group with something of everything: a lane behind, one that nobody knows, an operator's reset,
/// a partition without a position, topics that no source reads.
fn a_group_of_all_sorts(broker: &Broker, name: &str) -> Config {
    let (web, mobile) = (format!("{name}.web"), format!("{name}.mobile"));
    broker.create_topic(&web, 3, &[]);
    broker.create_topic(&mobile, 1, &[]);
    broker.create_topic(&format!("{name}.dead-letter"), 1, &[]);
    fill(broker, &web, 0, 100);
    fill(broker, &web, 1, 20);
    fill(broker, &mobile, 0, 10);
    let behind = "hookcast/1 10 +80 crm/signups+5!1+14,f1764000000 old/one+3;";
    broker.commit(name, &web, &[(0, 10, behind), (1, 15, "hookcast/1 10 +10;")]);
    broker.commit(name, &mobile, &[(0, 10, "")]);
    config(broker, name)
}

#[test]
fn progress_says_where_each_action_stands() {
    let broker = Broker::shared();
    let name = "progress.json";
    let config = a_group_of_all_sorts(broker, name);
    let output = config.output_of(&["progress", "--json"]);
    let (web, mobile) = (format!("{name}.web"), format!("{name}.mobile"));
    let mut found = objects(&output);
    let why = found[4].as_object_mut().and_then(|object| object.remove("metadata_error"));
    assert!(why.is_some_and(|why| why.to_string().contains("position 10, but 15")));
    assert_eq!(
        found,
        [
            json!({
                "topic": mobile, "partition": 0, "position": 10, "start": 10, "end": 10, "lag": 0,
                "destination": "crm", "action": "signups", "settled_below": 10, "unsettled": [],
            }),
            json!({
                "topic": mobile, "partition": 0, "position": 10, "start": 10, "end": 10, "lag": 0,
                "destination": "app", "action": "all", "settled_below": 10, "unsettled": [],
            }),
            json!({
                "topic": web, "partition": 0, "position": 10, "start": 90, "end": 100, "lag": 85,
                "destination": "crm", "action": "signups", "settled_below": 30,
                "unsettled": [[15, 16]], "failing_since": 1_764_000_000_000_i64,
            }),
            json!({
                "topic": web, "partition": 0, "position": 10, "start": 90, "end": 100, "lag": 87,
                "destination": "old", "action": "one", "settled_below": 13, "unsettled": [],
                "unknown": true,
            }),
            json!({
                "topic": web, "partition": 1, "position": 15, "start": 15, "end": 20, "lag": 5,
                "destination": "crm", "action": "signups", "settled_below": 15, "unsettled": [],
            }),
            json!({
                "topic": web, "partition": 2, "position": null, "start": null, "end": 0,
                "lag": null, "destination": "crm", "action": "signups", "settled_below": null,
                "unsettled": [],
            }),
        ]
    );
}

#[test]
fn the_table_shows_who_is_behind() {
    let broker = Broker::shared();
    let name = "progress.table";
    let output = a_group_of_all_sorts(broker, name).output_of(&["progress"]);
    let table = out(&output).replace(name, "x");
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let found: Vec<_> = table.lines().map(words).collect();
    assert_eq!(
        found,
        [
            "TOPIC PARTITION POSITION END ACTION UNSETTLED FROM LAG RUNS",
            "x.mobile 0 10 10 crm/signups 10 0 0",
            "x.mobile 0 10 10 app/all 10 0 0",
            "behind x.web 0 10 100 crm/signups 15 85 1 failing since 2025-11-24T16:00:00Z",
            "behind x.web 0 10 100 old/one 13 87 0 the configuration has no such action here",
            "x.web 1 15 20 crm/signups 15 5 0",
            "new x.web 2 - 0 - - - - no position is committed",
            "",
            "x.web [1]: the progress belongs to position 10, but 15 is committed: the position was \
             set by another program; every action starts at the position",
            "group x: 4 partitions, 3 actions; 2 behind: old/one (87 offsets in 1 partition), \
             crm/signups (85 offsets in 1 partition)",
        ]
    );
    let said = String::from_utf8_lossy(&output.stderr).replace(name, "x");
    assert_eq!(said, "warning: there is no topic x.absent\n");
}

fn members_are_not_disturbed(topic: &str, protocol: &str) {
    let broker = Broker::shared();
    broker.create_topic(topic, 2, &[]);
    broker.produce(topic, Stream::new(10).next(100));
    let receiver = Receiver::start(Some(SECRET));
    let config = Config::new(broker, topic, &one_action(topic, &receiver.url("/"), &[]))
        .kafka("group.protocol", protocol);
    let hookcast = config.start_ready();
    broker.wait_committed_to_end(topic, topic);
    let rebalances = || hookcast.metrics().value("hookcast_rebalances_total", &[]).to_string();
    let before = rebalances();
    let found = objects(&config.output_of(&["progress", "--json"]));
    assert_eq!(found.len(), 2);
    assert!(
        found.iter().all(|lane| lane["lag"] == 0 && lane["end"] == lane["position"]),
        "{found:?}"
    );
    assert_eq!(rebalances(), before);
    hookcast.stop();
}

#[test]
fn members_are_not_disturbed_by_who_looks_on() {
    members_are_not_disturbed("progress.classic", "classic");
}

#[test]
fn members_of_the_new_protocol_are_not_disturbed_by_who_looks_on() {
    members_are_not_disturbed("progress.kip-848", "consumer");
}

#[test]
fn without_a_broker_it_says_so() {
    let broker = Broker::shared();
    let address = format!("127.0.0.1:{}", free_port());
    let yaml = one_action("progress.away", "http://127.0.0.1:1/", &[]);
    let config = Config::new(broker, "progress.away", &yaml).kafka("bootstrap.servers", &address);
    for arguments in [&["progress"][..], &["progress", "--json"]] {
        let output = config.output_of(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(output.stdout.is_empty());
        assert!(said.starts_with(&format!("hookcast: no broker at {address} answers")), "{said}");
        assert!(said.contains("refused"), "{said}");
    }
}

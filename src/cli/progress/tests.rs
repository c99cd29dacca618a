use std::path::Path;

use super::broker::{Answer, Committed};
use super::standing::{self, Standing};
use super::{json, table};
use crate::config::Config;
use crate::record::{Position, TopicPartition};

const CONFIG: &str = r#"
kafka: { bootstrap.servers: localhost:9092, group.id: shop }
sources:
  web: { topics: [events.web] }
  mobile: { topics: ['^events\.mobile'] }
destinations:
  crm:
    sources: [web]
    actions:
      signups: { trigger: type = "track", url: 'https://crm.example.com' }
      pages: { trigger: type = "page", url: 'https://crm.example.com' }
      off: { enabled: false, trigger: type = "page", url: 'https://crm.example.com' }
  partners:
    actions:
      all: { trigger: type = "track", url: { "@path": $.context.hook } }
"#;

/// What the broker said of a partition: topic, number, position and metadata, end.
type Said<'a> = (&'a str, i32, Option<(i64, &'a str)>, Option<i64>);

/// Where everybody stands, from what the broker said.
fn standings(answers: &[Said<'_>]) -> Vec<Standing> {
    let no_variable = |_: &str| Err(std::env::VarError::NotPresent);
    let config = Config::parse("hookcast.yaml", CONFIG, Path::new(""), &no_variable)
        .unwrap_or_else(|errors| panic!("{errors}"));
    let answers = answers.iter().map(|&(topic, partition, committed, end)| Answer {
        partition: TopicPartition { topic: topic.into(), partition },
        committed: committed.map(|(position, metadata)| Committed {
            position: Position(position),
            metadata: metadata.to_owned(),
        }),
        end: end.map(Position),
    });
    answers.map(|answer| standing::of_partition(answer, &config.plan)).collect()
}

/// One of everything that there is to see.
fn everything() -> Vec<Standing> {
    let progress = "hookcast/1 88120 +3410 crm/signups+17!1+186!1+3205,f1764000000,a1763990000 \
                    partners/all@https://a.example.com:443#1f3a9c04+500 @*+3410 \
                    crm/renamed+1 crm/off+2 %1B[2J/%0A;";
    standings(&[
        ("events.mobile.ios", 0, Some((7, "")), Some(7)),
        ("events.web", 0, Some((88_120, &progress.replace('[', "%5B"))), Some(91_600)),
        ("events.web", 1, Some((50, "hookcast/1 40 +10;")), Some(45)),
        ("events.web", 2, None, Some(0)),
        ("events.web", 10, Some((5, "somebody else's")), None),
        ("unread", 0, Some((5, "")), Some(9)),
    ])
}

#[test]
fn the_table_shows_who_is_behind() {
    let mut out = Vec::new();
    table::write(&mut out, "shop", &everything()).expect("a vector takes everything");
    insta::assert_snapshot!(String::from_utf8(out).expect("text"));
}

#[test]
fn json_has_an_object_for_each_partition_and_lane() {
    let mut out = Vec::new();
    json::write(&mut out, &everything()).expect("a vector takes everything");
    serde_json::from_slice::<Vec<serde_json::Value>>(&out).expect("an array");
    insta::assert_snapshot!(String::from_utf8(out).expect("text"));
}

#[test]
fn without_partitions_there_is_a_summary_and_an_empty_array() {
    let (mut shown, mut array) = (Vec::new(), Vec::new());
    table::write(&mut shown, "shop", &[]).expect("a vector takes everything");
    json::write(&mut array, &[]).expect("a vector takes everything");
    assert_eq!(shown, b"group shop: 0 partitions, 0 actions; none is behind\n");
    assert_eq!(array, b"[]\n");
}

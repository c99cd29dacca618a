use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::path::Path;

use super::filter::Filter;
use super::judgement::{Obstacle, judge};
use super::list::{self, Shown};
use super::outcome::{Tally, write_summary};
use super::table::Table;
use super::{Mode, json};
use crate::cli::options::{Filters, Since};
use crate::config::Config;
use crate::dead_letter::{Address, Letter, Place};
use crate::plan::ActionId;
use crate::record::{Header, Offset, Origin, TopicPartition};

const CONFIG: &str = r#"
kafka: { bootstrap.servers: localhost:9092, group.id: shop }
sources: { web: { topics: [events.web] } }
destinations:
  crm:
    actions:
      signups: { trigger: type = "track", url: 'https://crm.example.com' }
      off: { enabled: false, trigger: type = "page", url: 'https://crm.example.com' }
  paused:
    paused: true
    actions:
      all: { trigger: type = "track", url: 'https://crm.example.com' }
  off:
    enabled: false
    actions:
      all: { trigger: type = "track", url: 'https://crm.example.com' }
"#;

fn config() -> Config {
    let no_variable = |_: &str| Err(std::env::VarError::NotPresent);
    Config::parse("hookcast.yaml", CONFIG, Path::new(""), &no_variable)
        .unwrap_or_else(|errors| panic!("{errors}"))
}

fn letter() -> Letter<'static> {
    let partition = TopicPartition { topic: "events.web".into(), partition: 3 };
    Letter {
        address: Some(Address { destination: "crm", action: "signups" }),
        reason: "rejected",
        status: Some(404),
        attempts: Some(2),
        first_attempt_at: Some(1_764_000_000_000),
        error: "{\"error\":\n  \"no such user\"}\u{1b}[2J".into(),
        origin: Origin { partition, offset: Offset(17), timestamp: Some(1_763_999_999_000) },
        truncated: None,
        key: Some(b"user-1"),
        value: br#"{"type":"track"}"#,
        own_headers: vec![
            Header { name: b"trace", value: Some(b"1") },
            Header { name: b"bad\xff", value: Some(b"\xff") },
            Header { name: b"nothing", value: None },
        ],
    }
}

fn invalid() -> Letter<'static> {
    Letter {
        address: None,
        reason: "invalid_event",
        status: None,
        attempts: None,
        first_attempt_at: None,
        error: "no JSON object".into(),
        key: None,
        value: b"\xff",
        truncated: Some(2_000_000),
        own_headers: Vec::new(),
        ..letter()
    }
}

fn place(offset: i64) -> Place {
    Place { partition: 1, offset: Offset(offset), timestamp: Some(1_764_000_060_000 + offset) }
}

fn table(width: Option<usize>, has_redriven: bool) -> String {
    let mut table = Table::of_width(has_redriven, width);
    let mut out = Vec::new();
    for (index, letter) in [letter(), invalid()].iter().enumerate() {
        let offset = i64::try_from(index).expect("a small number");
        let (place, error) = (place(offset), letter.error.clone().into_owned());
        let shown = Shown { letter, place, error, is_redriven: has_redriven && index == 0 };
        table.add(&mut out, &shown).expect("a vector takes everything");
    }
    table.finish(&mut out).expect("a vector takes everything");
    String::from_utf8(out).expect("text")
}

#[test]
fn the_table_has_a_line_for_each_letter() {
    insta::assert_snapshot!(table(None, false));
    insta::assert_snapshot!(table(None, true));
}

#[test]
fn errors_are_shortened_to_the_width_of_the_terminal() {
    let table = table(Some(120), false);
    assert!(table.lines().all(|line| unicode_width::UnicodeWidthStr::width(line) <= 120));
    insta::assert_snapshot!(table);
}

#[test]
fn a_table_without_lines_is_not_there() {
    let mut out = Vec::new();
    Table::of_width(true, None).finish(&mut out).expect("a vector takes everything");
    assert!(out.is_empty());
}

#[test]
fn lines_that_come_late_are_printed_at_once() {
    let mut table = Table::of_width(false, None);
    let mut out = Vec::new();
    let letter = letter();
    for offset in 0..300 {
        let shown = Shown {
            letter: &letter,
            place: place(offset),
            error: String::new(),
            is_redriven: false,
        };
        table.add(&mut out, &shown).expect("a vector takes everything");
        let lines = out.split(|byte| *byte == b'\n').count() - 1;
        let added = usize::try_from(offset + 1).expect("a small number");
        assert_eq!(lines, if added < 100 { 0 } else { added + 1 });
    }
}

#[test]
fn json_is_an_object_on_a_line() {
    let mut out = Vec::new();
    for letter in [letter(), invalid()] {
        let error = letter.error.clone().into_owned();
        let shown = Shown { letter: &letter, place: place(0), error, is_redriven: false };
        json::write(&mut out, &shown).expect("a vector takes everything");
    }
    let text = String::from_utf8(out).expect("text");
    for line in text.lines() {
        serde_json::from_str::<serde_json::Value>(line).expect("JSON");
    }
    insta::assert_snapshot!(text);
}

#[test]
fn the_summary_counts_what_is_shown_and_hidden() {
    let tally = |shown, hidden, foreign, is_cut_short| {
        let tally = list::Tally { shown, hidden, foreign, is_cut_short };
        list::summary("letters", &tally)
    };
    assert_eq!(tally(0, 0, 0, false), "letters: 0 letters shown, 0 hidden");
    assert_eq!(
        tally(1, 2, 0, false),
        "letters: 1 letter shown, 2 hidden (redriven already; --all shows them)"
    );
    assert_eq!(
        tally(5, 0, 1, true),
        "letters: 1 record of other programs skipped, more beyond --limit, 5 letters shown, 0 hidden"
    );
}

#[test]
fn a_letter_is_meant_when_it_passes_every_filter() {
    let text = |text: &str| Some(text.to_owned());
    let none = Filters::default;
    let since = |since| Filters { since: Some(since), ..none() };
    let written_at = place(0).timestamp.expect("a time");
    for (filters, is_meant, is_invalid_meant) in [
        (none(), true, true),
        (Filters { destination: text("crm"), ..none() }, true, false),
        (Filters { destination: text("CRM"), ..none() }, false, false),
        (Filters { action: text("signups"), ..none() }, true, false),
        (Filters { destination: text("crm"), action: text("off"), ..none() }, false, false),
        (Filters { reason: text("invalid_event"), ..none() }, false, true),
        (Filters { status: Some(404), ..none() }, true, false),
        (Filters { status: Some(400), ..none() }, false, false),
        (Filters { limit: NonZeroU64::new(1), all: true, ..none() }, true, true),
        (since(Since::At(written_at)), true, true),
        (since(Since::At(written_at + 1)), false, false),
        (since(Since::Ago(std::time::Duration::from_hours(10_000_000))), true, true),
    ] {
        let filter = Filter::new(&filters);
        assert_eq!(filter.matches(&letter(), place(0)), is_meant, "{filters:?}");
        assert_eq!(filter.matches(&invalid(), place(0)), is_invalid_meant, "{filters:?}");
    }
    let filters = since(Since::At(0));
    let timeless = Place { timestamp: None, ..place(0) };
    assert!(!Filter::new(&filters).matches(&letter(), timeless));
}

#[test]
fn a_letter_is_redriven_where_its_action_can_deliver_it() {
    let plan = config().plan;
    let to =
        |destination, action| Letter { address: Some(Address { destination, action }), ..letter() };
    let gone = |destination: &str, action: &str| Obstacle::Unknown {
        destination: destination.to_owned(),
        action: action.to_owned(),
    };
    let disabled = |destination: &str, action: &str| Obstacle::Disabled {
        destination: destination.to_owned(),
        action: action.to_owned(),
    };
    assert_eq!(judge(&letter(), &plan), Ok(ActionId(0)));
    assert_eq!(judge(&to("paused", "all"), &plan), Ok(ActionId(2)));
    assert_eq!(judge(&invalid(), &plan), Err(Obstacle::NoAction));
    assert_eq!(judge(&to("crm", "gone"), &plan), Err(gone("crm", "gone")));
    assert_eq!(judge(&to("gone", "all"), &plan), Err(gone("gone", "all")));
    assert_eq!(judge(&to("crm", "off"), &plan), Err(disabled("crm", "off")));
    assert_eq!(judge(&to("off", "all"), &plan), Err(disabled("off", "all")));
    let cut = Letter { truncated: Some(9), ..letter() };
    assert_eq!(judge(&cut, &plan), Err(Obstacle::Cut));
}

#[test]
fn the_summary_of_a_redrive_tells_what_became_of_every_letter() {
    let unknown = Obstacle::Unknown { destination: "c\u{1b}".to_owned(), action: "x".to_owned() };
    let tally = Tally {
        redriven: BTreeMap::from([(ActionId(0), 10), (ActionId(2), 1)]),
        left: BTreeMap::from([(Obstacle::NoAction, 2), (Obstacle::Cut, 1), (unknown, 1)]),
        left_for_more: 7,
        hidden: 1,
        foreign: 2,
        is_cut_short: true,
    };
    let mut out = Vec::new();
    for (mode, tally) in [(Mode::Redrive, &tally), (Mode::DryRun, &Tally::default())] {
        write_summary(&mut out, &config(), mode, tally).expect("a vector takes everything");
    }
    insta::assert_snapshot!(String::from_utf8(out).expect("text"));
}

//! Every character of a scalar's value is found again where it is written.

use crate::config::tree::{Node, Value};
use crate::config::yaml;

/// Checks every character of every scalar below `node` that is no white space and no escape, and
/// counts them.
fn check(text: &str, node: &Node, seen: &mut usize) {
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| check(text, item, seen)),
        Value::Map(entries) => entries.iter().for_each(|entry| check(text, &entry.node, seen)),
        Value::Scalar(scalar) => {
            for (at, character) in scalar.raw.char_indices().filter(|(_, c)| !c.is_whitespace()) {
                let place = scalar.written.locate(text, &scalar.raw, at);
                let found = text[place..].chars().next();
                let is_escape = found == Some('\\');
                assert!(
                    found == Some(character) || is_escape,
                    "{character:?} at {at} of {:?} was found at {place} of {text:?}: {found:?}",
                    scalar.raw,
                );
                *seen += 1;
            }
        }
    }
}

fn every_character_is_found(text: &str) {
    let (node, _) = yaml::parse(text).unwrap_or_else(|refused| panic!("{refused:?} in {text}"));
    let mut seen = 0;
    check(text, &node, &mut seen);
    assert!(seen > 0, "{text}");
}

#[test]
fn every_character_is_found_where_it_is_written() {
    let bodies = [
        "a: plain",
        "a: plain on\n  several   lines\n\n  with empty\n\n\n  ones",
        "a: 'it''s quoted'",
        "a: 'it''s\n  quoted   \n\n  over lines'",
        "a: \"q\\\"u\\x41\\u00e9\\U0001F600 o\\tted\"",
        "a: \"two\\\n   lines \\\n\n  joined\n  and\n\n  more\"",
        "a: \" \n  leading\"",
        "a: |\n  literal\n    indented\n\n  after empty",
        "a: |\n\n\n  leading empty\n  lines",
        "a: |2\n    kept indentation\n  x",
        "a: |-\n  stripped\n\n",
        "a: |+\n  kept\n\n",
        "a: >\n  folded\n  text\n\n  paragraph\n\n\n  third\n    more\n    indented\n\n    still\n  back",
        "a: >-\n  one\n  two",
        "a: &anchor bc",
        "a: &anchor\n  >\n\n   bc\n   de",
        "a: !!str 'it''s'",
        "- [é, \"ü\", 'ö']\n- ﬁ and 日本 語\n- |\n  日本\n   語",
        "{a: b, c: [d, e f], \"g\": 'h'}",
    ];
    for body in bodies {
        for text in [
            body.to_owned(),
            format!("x: y\n{body}\n").replace("x: y\n-", "-"),
            body.replace('\n', "\r\n"),
        ] {
            let is_mixed = text.starts_with("x: y\n{");
            if !is_mixed {
                every_character_is_found(&text);
            }
        }
    }
}

#[test]
fn every_character_is_found_in_any_text_and_none_makes_the_reader_panic() {
    const PIECES: [&str; 30] = [
        "a", "é", "日", " ", "  ", "\n", "\r\n", "\t", ": ", "- ", "[", "]", "{", "}", ", ", "'",
        "''", "\"", "\\", "\\x41", "|", ">", "|-\n", ">+2\n", "&x ", "*x", "#", "? ", "---\n",
        "${A}",
    ];
    let mut chance = fastrand::Rng::with_seed(33);
    for _ in 0..20_000 {
        let text: String = (0..chance.usize(1..24))
            .map(|_| chance.choice(PIECES).expect("there are some"))
            .collect();
        let _ = super::parse(&text).map_err(|errors| errors.to_string());
        if let Ok((node, _)) = yaml::parse(&text) {
            check(&text, &node, &mut 0);
        }
    }
}

#[test]
fn the_end_of_a_value_is_behind_its_last_character() {
    for (text, end) in
        [("a: bc", 5), ("a: 'bc' # x", 6), ("a: |\n  bc\n  d\n\n", 13), ("a: >\n  b\n  c\n", 12)]
    {
        let (node, _) = yaml::parse(text).unwrap();
        let Value::Map(entries) = &node.value else { panic!("no mapping") };
        let Value::Scalar(scalar) = &entries[0].node.value else { panic!("no scalar") };
        assert_eq!(scalar.written.locate(text, &scalar.raw, scalar.raw.len()), end, "{text:?}");
    }
}

//! The forms in which events come, and what cannot be read.

use crate::program::{Called, Explain};

const CONFIG: &str = "
destinations:
  d: { actions: { a: { trigger: 'true', url: 'https://example.com/' } } }
";

fn explain() -> Explain {
    Explain::new(CONFIG).with(&["--json"])
}

/// The bodies of the requests, by the number of their event; nothing where there is none.
fn bodies(called: &Called) -> Vec<(u64, Option<String>)> {
    assert_eq!(called.status, 0, "{}", called.err);
    let elements = called.json();
    let body = |element: &serde_json::Value| {
        let number = element["event"].as_u64().unwrap_or(0);
        (number, element["request"]["body"].as_str().map(str::to_owned))
    };
    elements.iter().map(body).collect()
}

#[test]
fn a_single_event_keeps_its_bytes_and_has_no_number() {
    let event = "{\r\n  \"type\" : \"tra\\u0063k\",\r\n  \"n\": 1.50e+01, \"n\": \"🎉\"\r\n}";
    for around in [("", ""), ("\u{feff}", "\r\n"), (" ", "\n\n"), ("[", "]")] {
        let called = explain().of(&format!("{}{event}{}", around.0, around.1));
        assert_eq!(bodies(&called), [(0, Some(event.to_owned()))]);
    }
    let called = explain().of_named("-", &format!("{event}\n"));
    assert_eq!(bodies(&called), [(0, Some(event.to_owned()))]);
    let called = explain().of_named("/dev/stdin", event);
    assert_eq!(bodies(&called), [(0, Some(event.to_owned()))]);
}

#[test]
fn several_events_are_numbered_in_one_flat_array() {
    let (one, two) = (r#"{"type":"page"}"#, r#"{"type": "group"}"#);
    let expected = [(1, Some(one.to_owned())), (2, None), (3, Some(two.to_owned()))];
    for events in [
        format!("{one}\nnot json\n{two}\n"),
        format!("\u{feff}{one}\r\n\r\n7\r\n{two}"),
        format!("[{one},[],\n{two}]"),
    ] {
        assert_eq!(bodies(&explain().of(&events)), expected, "{events}");
    }
    let pretty = "{\n \"type\":\n  \"page\"\n}";
    assert_eq!(
        bodies(&explain().of(&format!("{pretty}\n{two}"))),
        [(1, Some(pretty.to_owned())), (2, Some(two.to_owned()))]
    );
}

#[test]
fn what_is_no_event_is_explained() {
    for (record, expected) in [
        (&b"not json"[..], "expected \"{\" at byte 0"),
        (b"[1]", "expected \"{\" at byte 0"),
        (b"{\"type\":\"page\"} x", "expected nothing behind the object at byte 16"),
        (b"{\"a\":\"\xff\"}", "expected UTF-8 at byte 6"),
    ] {
        let called = explain().of_bytes(record);
        assert_eq!(called.status, 0, "{}", called.err);
        let because = called.json()[0]["because"].to_string();
        let because = because.replace("\\\"", "\"");
        assert!(because.contains("invalid_event") && because.contains(expected), "{because}");
    }
}

#[test]
fn a_schema_id_before_the_event_is_read_past() {
    let called = explain().of_bytes(b"\0\0\0\0\n{\"type\":\"page\"}");
    assert_eq!(bodies(&called), [(0, Some("{\"type\":\"page\"}".to_owned()))]);
}

#[test]
fn any_depth_is_explained() {
    let deep =
        format!("{{\"type\":\"page\",\"a\":{}{}}}", "[".repeat(300_000), "]".repeat(300_000));
    assert_eq!(bodies(&explain().of(&deep)), [(0, Some(deep))]);
}

#[test]
fn a_file_that_cannot_be_read_is_told() {
    let not_there = explain().of_named("nowhere.json", "");
    assert_eq!(
        not_there.err,
        "hookcast: nowhere.json: cannot be read: no such file or directory\n"
    );
    let folder = explain().of_named(".", "");
    assert_eq!(folder.err, "hookcast: .: cannot be read: it is a directory\n");
    let empty = explain().of_named("-", " \n");
    assert_eq!(empty.err, "hookcast: standard input: holds no event\n");
    let no_element = explain().of(" []\n");
    assert_eq!(no_element.err, "hookcast: event.json: holds no event\n");
    let broken = explain().of("[\n  {},\n  {\"ä\":} ]");
    assert_eq!(
        broken.err,
        "hookcast: event.json:3:3: not a JSON array of events from here on (byte 10)\n"
    );
    let utf_16 = explain().of_bytes(b"\xff\xfe{\0}\0");
    assert_eq!(utf_16.err, "hookcast: event.json: UTF-16, and JSON is UTF-8: save it as UTF-8\n");
    for called in [not_there, folder, empty, no_element, broken, utf_16] {
        assert_eq!((called.status, &*called.out), (2, ""));
    }
}

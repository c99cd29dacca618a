//! `hookcast explain` as it is called: what it says for people and for programs, and what it sends.

mod agreement;
mod conformance;
mod input;
mod program;
mod receiver;
mod secrets;
mod send;
mod standard_webhooks;

use program::{Called, Explain};
use serde_json::{Value, json};

/// Something of everything that an explanation can be about.
const EVERYTHING: &str = r#"
sources:
  web: { topics: [events.web] }
  mobile: { topics: ['^events\.mobile\..+'] }
destinations:
  crm:
    sources: [web]
    shared_secret: ${SECRET}
    actions:
      signups:
        trigger: type = "track" and event = "Signed Up"
        url: https://crm.example.com/hooks/signup?source=hookcast
        headers: { Authorization: "Bearer ${SECRET}", X-Empty: "" }
      orders:
        trigger: |
          type = "track"
            and (event = "Order Completed"
              or properties.total >= 100 and !contains(userId, "u"))
        url: https://crm.example.com/orders
      gathered:
        trigger: type != "alias"
        paused: true
        method: PUT
        url: { "@template": "https://crm.example.com/users/{{userId}}" }
        headers: { content-type: application/cloudevents+json }
        data: { who: { "@path": "$.userId" }, note: "it's", n: { "@path": "$.properties.n" } }
        batch: true
      off: { enabled: false, trigger: 'true', url: "https://crm.example.com/" }
      no_object: { trigger: 'true', url: "https://crm.example.com/", data: { "@path": "$.userId" } }
      no_url: { trigger: 'true', url: { "@path": "$.nowhere" } }
  warehouse:
    integration: Warehouse
    actions:
      all: { trigger: 'true', url: "https://warehouse.example.com/" }
  gone:
    enabled: false
    actions:
      all: { trigger: 'true', url: "https://gone.example.com/" }
"#;

const SIGNUP: &str = r#"{"type":"track", "event":"Signed Up", "userId":"u1","properties":{"total":5,"n":1.50,"n":9007199254740993}, "integrations":{"Warehouse":false}}"#;

fn explained(event: &str, arguments: &[&str]) -> Called {
    Explain::new(EVERYTHING).with(arguments).of(event)
}

/// The reason that the action at `index` is given for an event.
fn because(event: &str, arguments: &[&str], index: usize) -> String {
    let called = explained(event, &[&["--json"], arguments].concat());
    let element = &called.json()[index];
    assert_eq!(element["matches"], false, "{element}");
    element["because"].as_str().expect("there is a reason").to_owned()
}

#[test]
fn people_are_told_what_would_become_of_an_event() {
    let called = explained(SIGNUP, &[]);
    assert_eq!(called.status, 0, "{}", called.err);
    assert_eq!(called.err, "");
    insta::assert_snapshot!(called.out_without_version());
}

#[test]
fn people_are_told_of_every_event() {
    let events = "{\"type\":\"page\"}\n\nnot json\n{\"type\":\"alias\",\"userId\":\"u\"}\n";
    let config = "
destinations:
  crm: { actions: { pages: { trigger: type = \"page\", url: 'https://crm.example.com/' } } }
";
    let called = Explain::new(config).of(events);
    assert_eq!(called.status, 0);
    insta::assert_snapshot!(called.out_without_version());
}

#[test]
fn programs_are_given_an_element_for_each_action() {
    let called = explained(SIGNUP, &["--json"]);
    assert_eq!(called.status, 0, "{}", called.err);
    let elements = called.json();
    let names: Vec<String> = elements
        .iter()
        .map(|element| {
            let text = |key: &str| element[key].as_str().expect("it is named").to_owned();
            format!("{}/{}", text("destination"), text("action"))
        })
        .collect();
    let expected = [
        "crm/signups",
        "crm/orders",
        "crm/gathered",
        "crm/off",
        "crm/no_object",
        "crm/no_url",
        "warehouse/all",
        "gone/all",
    ];
    assert_eq!(names, expected);

    let request = &elements[0]["request"];
    assert_eq!(request["method"], "POST");
    assert_eq!(request["url"], "https://crm.example.com/hooks/signup?source=hookcast");
    assert_eq!(request["body"], SIGNUP, "the event's own bytes");
    let headers = request["headers"].as_object().expect("headers are an object");
    let names: Vec<&str> = headers.keys().map(String::as_str).collect();
    let expected = [
        "Content-Type",
        "User-Agent",
        "Authorization",
        "X-Empty",
        "X-Signature",
        "Idempotency-Key",
    ];
    assert_eq!(names, expected);
    assert_eq!(headers["Content-Type"], "application/json");
    assert_eq!(headers["User-Agent"], format!("hookcast/{}", env!("CARGO_PKG_VERSION")));
    assert_eq!(headers["Authorization"], "Bearer ***");
    assert_eq!(headers["X-Signature"], program::signature(SIGNUP));

    let gathered = &elements[2]["request"];
    let body = r#"[{"who":"u1","note":"it's","n":9007199254740993}]"#;
    assert_eq!(gathered["body"], body);
    assert_eq!(gathered["method"], "PUT");
    assert_eq!(gathered["url"], "https://crm.example.com/users/u1");
    assert_eq!(gathered["headers"]["content-type"], "application/cloudevents+json");
    assert_eq!(gathered["headers"]["Content-Type"], Value::Null);
    assert_eq!(gathered["headers"]["X-Signature"], program::signature(body));

    assert_eq!(
        elements[4]["error"],
        json!({
            "reason": "invalid_payload",
            "message": "data: the result is no object; a payload is one",
        })
    );
    assert_eq!(
        elements[5]["error"],
        json!({ "reason": "invalid_request", "message": "url: the result is missing" })
    );
    assert_eq!((&elements[4]["matches"], &elements[5]["matches"]), (&json!(true), &json!(true)));
    assert!(elements.iter().all(|element| element.get("event").is_none()));
}

#[test]
fn every_reason_is_told() {
    assert_eq!(
        because(SIGNUP, &[], 1),
        r#"event = "Order Completed" is false: event is "Signed Up"; properties.total >= 100 is false: properties.total is 5; contains(userId, "u") is true: userId is "u1""#
    );
    assert_eq!(because(SIGNUP, &[], 3), "the action is disabled");
    assert_eq!(because(SIGNUP, &[], 7), "the destination gone is disabled");
    let forbidden = |integrations: &str, index| {
        let event = format!(r#"{{"type":"track","integrations":{integrations}}}"#);
        because(&event, &[], index)
    };
    assert_eq!(
        forbidden(r#"{"Warehouse":false}"#, 6),
        "the event forbids it: integrations.Warehouse is false"
    );
    assert_eq!(
        forbidden(r#"{"All":false,"Webhook":null}"#, 0),
        "the event forbids it: integrations.All is false"
    );
    assert_eq!(
        because(r#"{"type":"trick"}"#, &[], 0),
        "unsupported_type: its `type` is \"trick\", and not one of identify, track, page, screen, group, alias"
    );
    assert_eq!(
        because("{}", &[], 0),
        "unsupported_type: its `type` is missing; it is one of identify, track, page, screen, group, alias"
    );
    assert_eq!(
        because(r#"{"type":"track",}"#, &[], 0),
        "invalid_event: not a JSON object: expected a key in quotes at byte 16; it would be dead-lettered"
    );
}

#[test]
fn a_topic_decides_which_destinations_are_connected() {
    let topic = |topic| ["--topic", topic];
    assert_eq!(
        because(SIGNUP, &topic("events.mobile.ios"), 0),
        "the topic events.mobile.ios belongs to mobile, and crm reads web"
    );
    assert_eq!(because(SIGNUP, &topic("other"), 0), "the topic other belongs to no source");
    let elements = explained(SIGNUP, &["--json", "--topic", "events.web"]).json();
    assert_eq!(elements[0]["matches"], true);
    let all = "sources: { all: { topics: ['^.*'] } }
destinations: { d: { actions: { a: { trigger: 'true', url: 'https://example.com/' } } } }
";
    for (topic, matches) in
        [("x", true), ("hookcast.dead-letter", false), ("hookcast.redrive", false)]
    {
        let called = Explain::new(all).with(&["--json", "--topic", topic]).of(SIGNUP);
        assert_eq!(called.json()[0]["matches"], matches, "{topic}");
    }
}

#[test]
fn events_that_differ_have_different_idempotency_keys() {
    let keys = |event: &str| {
        let elements = explained(event, &["--json"]).json();
        [0, 2].map(|index| elements[index]["request"]["headers"]["Idempotency-Key"].to_string())
    };
    let first = keys(SIGNUP);
    assert_eq!(first, keys(SIGNUP));
    assert!(first.iter().all(|key| key.starts_with("\"explain-")), "{first:?}");
    let mut all = [first, keys(&SIGNUP.replace("\"total\":5", "\"total\":6"))].concat();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 4, "{all:?}");
}

#[test]
fn a_value_that_is_long_is_not_repeated_whole() {
    let event = format!(r#"{{"type":"track","event":"{}"}}"#, "ä".repeat(100_000));
    let said = because(&event, &[], 0);
    assert!(said.len() < 1000 && said.ends_with('…'), "{said}");
}

#[test]
fn what_is_not_meant_for_a_terminal_does_not_reach_it() {
    let event = "{\"type\":\"track\",\"event\":\"\u{9b}2J\u{7f}\"}";
    let called = explained(event, &[]);
    let curl = called.out.find("\ncurl").unwrap_or(called.out.len());
    assert!(!called.out[..curl].contains(['\u{9b}', '\u{7f}']), "{}", called.out);
    assert!(called.out.contains(r"\u{9b}2J\u{7f}"), "{}", called.out);
}

#[test]
fn bad_usage_and_a_bad_configuration_end_with_2() {
    for arguments in [
        &["explain"][..],
        &["explain", "a", "b"],
        &["explain", "--jso", "a"],
        &["explain", "--topic", "", "a"],
    ] {
        let called = program::call(program::hookcast().args(arguments), "");
        assert_eq!((called.status, &*called.out), (2, ""), "{arguments:?}");
    }
    let called = Explain::new("destinations: {}\n").of(SIGNUP);
    assert_eq!((called.status, &*called.out), (2, ""));
    assert!(called.err.contains("there is no destination"), "{}", called.err);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    for arguments in [&[][..], &["--json"]] {
        let explain = Explain::new(EVERYTHING).with(arguments);
        let (status, err) = explain.with_nobody_reading(&format!("{SIGNUP}\n").repeat(200));
        assert_eq!((status, &*err), (0, ""), "{arguments:?}");
    }
}

#[test]
fn the_readme_shows_what_is_said() {
    let readme = include_str!("../../README.md");
    let block = |text: &str, kind: &str| {
        let (_, block) = text.split_once(&format!("```{kind}\n")).expect("there is a block");
        let lines = block.lines().take_while(|line| line.trim() != "```");
        lines.flat_map(|line| [line, "\n"]).collect::<String>()
    };
    let (_, first) = readme.split_once("\n## Your first webhook").expect("there is a section");
    let config = block(first, "yaml");
    let (_, section) = readme.split_once("\n## What would it do").expect("there is a section");
    let folder = tempfile::TempDir::new().expect("a folder can be made");
    std::fs::write(folder.path().join("hookcast.yaml"), config).expect("a file can be written");
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_hookcast"));
    let folders =
        [program.parent().expect("it is in a folder"), "/usr/bin".as_ref(), "/bin".as_ref()];
    let mut shell = std::process::Command::new("sh");
    shell.arg("-s").current_dir(&folder).env("CRM_SECRET", "s3cret");
    shell.env("CRM_URL", "https://crm.example.com/hooks/signup").env_remove("HOOKCAST_CONFIG");
    shell.env("PATH", std::env::join_paths(folders).expect("paths without colons"));
    let called = program::call(&mut shell, &block(section, "sh"));
    assert_eq!((called.status, &*called.err), (0, ""));
    assert_eq!(called.out, block(section, "text"));
}

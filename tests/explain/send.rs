//! `--send`, and the curl line that does the same.

use std::process::Command;

use serde_json::{Value, json};

use crate::program::{self, Called, Explain, signature};
use crate::receiver::Receiver;

const EVENT: &str = "{\"type\":\"track\",\n \"name\":\"it's 'quoted' $HOME `x` \\\"🎉\\\"\"}";

/// A configuration with an action for each of these paths at the receiver.
fn config(receiver: &Receiver, paths: &[&str]) -> String {
    let action = |(index, path): (usize, &&str)| {
        format!(
            "      a{index}: {{ trigger: 'true', url: 'http://{}{path}', headers: {{ X-Empty: '', \
             Authorization: 'Bearer ${{SECRET}}' }}, delivery: {{ timeout: 5s }} }}\n",
            receiver.address
        )
    };
    let actions: String = paths.iter().enumerate().map(action).collect();
    format!(
        "egress: {{ allow_private: true }}\ndestinations:\n  d:\n    shared_secret: ${{SECRET}}\n    \
         actions:\n{actions}"
    )
}

fn sent(receiver: &Receiver, paths: &[&str], arguments: &[&str]) -> Called {
    let arguments = [&["--send"], arguments].concat();
    Explain::new(&config(receiver, paths)).with(&arguments).of(EVENT)
}

#[test]
fn what_was_explained_is_what_arrives() {
    let receiver = Receiver::start();
    let called = sent(&receiver, &["/in?a=1&b=%20"], &["--json", "--show-secrets"]);
    assert_eq!(called.status, 0, "{} {}", called.out, called.err);
    let element = &called.json()[0];
    let arrived = &receiver.received()[0];
    let request = &element["request"];
    assert_eq!(request["body"], EVENT);
    assert_eq!(arrived["body"], request["body"]);
    assert_eq!(arrived["method"], request["method"]);
    let url = request["url"].as_str().expect("a URL");
    assert_eq!(
        url,
        format!("http://{}{}", receiver.address, arrived["uri"].as_str().expect("a path"))
    );
    let arrived = arrived["headers"].as_object().expect("headers");
    let explained = request["headers"].as_object().expect("headers");
    for (name, value) in explained {
        assert_eq!(&arrived[&name.to_lowercase()], value, "{name}");
    }
    let ours: Vec<_> = arrived
        .keys()
        .filter(|name| !["host", "accept", "content-length"].contains(&name.as_str()))
        .collect();
    let names: Vec<_> = explained.keys().map(|name| name.to_lowercase()).collect();
    assert_eq!(ours, names.iter().collect::<Vec<_>>(), "the same ones, in the same order");

    let response = &element["response"];
    assert_eq!((&response["status"], &response["verdict"]), (&json!(200), &json!("accept")));
    assert_eq!(response["headers"]["x-twice"], "a, b");
    let body: Value =
        serde_json::from_str(response["body"].as_str().expect("a body")).expect("JSON");
    assert_eq!(body["body"], EVENT);
}

#[test]
fn the_answer_has_a_verdict_and_the_status_tells_whether_all_were_accepted() {
    let receiver = Receiver::start();
    let paths = ["/", "/status/204", "/status/503", "/status/422", "/status/307", "/close"];
    let called = sent(&receiver, &paths, &["--json"]);
    assert_eq!(called.status, 1, "{}", called.err);
    assert_eq!(called.err, "");
    let elements = called.json();
    let verdicts: Vec<_> = elements
        .iter()
        .map(|element| element["response"]["verdict"].as_str().unwrap_or("?"))
        .collect();
    assert_eq!(verdicts, ["accept", "accept", "retry", "reject", "reject", "retry"]);
    let closed = elements[5]["response"].as_object().expect("there is a response");
    assert_eq!(closed.keys().collect::<Vec<_>>(), ["error", "verdict"]);
    assert!(
        closed["error"].as_str().is_some_and(|error| error.starts_with("connect: ")),
        "{closed:?}"
    );
    assert_eq!(receiver.received().len(), 6, "one attempt each");
    assert_eq!(sent(&receiver, &["/", "/status/201"], &[]).status, 0);
}

#[test]
fn people_see_the_answers_too() {
    let receiver = Receiver::start();
    let called = sent(&receiver, &["/status/404", "/close"], &[]);
    assert_eq!(called.status, 1);
    for said in [
        "    answered 404, reject: it would be dead-lettered\n",
        "    x-twice: a, b\n",
        "    no answer, retry: the same request would be made again later\n",
        "2 of 2 actions match; 0 of 2 requests accepted\n",
    ] {
        assert!(called.out.contains(said), "{said}\n{}", called.out);
    }
}

#[test]
fn a_long_answer_is_shown_in_part() {
    let receiver = Receiver::start();
    let called = sent(&receiver, &["/long"], &["--json"]);
    let response = &called.json()[0]["response"];
    assert_eq!(response["body_is_cut"], true);
    assert!(response["body"].as_str().is_some_and(|body| body.len() > 40_000));
    assert!(!called.out.contains("hunter2"), "{}", called.out);
}

#[test]
fn what_cannot_be_sent_is_not_and_nothing_is_sent_unasked() {
    let receiver = Receiver::start();
    let config = config(&receiver, &["/"]).replace("trigger: 'true'", "trigger: type = \"page\"");
    let called = Explain::new(&config).with(&["--send", "--json"]).of(EVENT);
    assert_eq!(called.status, 0);
    assert_eq!(called.json()[0].get("response"), None);
    Explain::new(&self::config(&receiver, &["/"])).of(EVENT);
    assert!(receiver.received().is_empty());
}

#[test]
fn the_egress_guard_stands_before_what_is_sent() {
    let config = "egress: { deny: [0.0.0.0/0, '::/0'] }
destinations: { d: { actions: { a: { trigger: 'true', url: 'http://hookcast-test.localdomain/' } } } }
";
    let called = Explain::new(config).with(&["--send", "--json"]).of(EVENT);
    assert_eq!(called.status, 1);
    let response = &called.json()[0]["response"];
    assert!(
        response["error"].as_str().is_some_and(|error| error.starts_with("dns: ")),
        "{response}"
    );
}

#[test]
fn the_curl_line_repeats_the_request() {
    if Command::new("curl").arg("--version").output().is_err() {
        eprintln!("curl is missing: the line was NOT tried");
        return;
    }
    let receiver = Receiver::start();
    let long = format!("{{\"type\":\"track\",\"long\":\"{}\"}}", "x'\\\\".repeat(60_000));
    for (path, event) in [("/curl?a[]={b}&c='", EVENT), ("/curl", &*long)] {
        let config = config(&receiver, &[&path.replace('\'', "''")]);
        let config = config.replace("'http://", "'http://us%20er:${SECRET}@");
        let config = config.replace("Authorization: 'Bearer ${SECRET}'", "X-A: \"it's\"");
        let config = format!(
            "{config}      put: {{ trigger: 'true', method: PUT, url: 'http://{}/', \
            batch: true }}\n",
            receiver.address
        );
        let explain = || Explain::new(&config).with(&["--show-secrets"]);
        explain().with(&["--send"]).of(event);
        let called = explain().of(event);
        let expected = receiver.received();
        let lines: Vec<&str> = called
            .out
            .split("\n\n")
            .filter(|block| block.starts_with("curl ") || block.starts_with("printf "))
            .collect();
        assert_eq!(lines.len(), 2, "{}", called.out);
        for line in lines {
            let script = program::call(Command::new("sh").arg("-s"), line);
            assert_eq!(script.status, 0, "{}", script.err);
        }
        let repeated = &receiver.received()[expected.len()..];
        let expected = &expected[expected.len() - 2..];
        for (repeated, expected) in repeated.iter().zip(expected) {
            assert_eq!(repeated, expected);
            let body = repeated["body"].as_str().expect("a body");
            assert_eq!(repeated["headers"]["x-signature"], signature(body));
        }
        assert_eq!(repeated.len(), 2);
    }
}

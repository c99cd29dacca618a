//! What was put in by `${…}` is shown only to whoever asks for it.

use std::fs;

use crate::program::{Called, Explain, SECRET};
use crate::receiver::Receiver;

/// A secret that looks otherwise in JSON, in a URL, in HTML and in base64.
const ODD: &str = "hunter2 \"&<very>=%41+\\secret~";

const EVENT: &str = r#"{"type":"track","userId":"u1","event":"hi"}"#;

/// Texts of which none may be shown.
fn forms() -> Vec<String> {
    let mut forms = vec!["very".to_owned(), "VERY".into(), "hunter2".into(), "HUNTER2".into()];
    // `u:hunter2-very-secret` in base64, from its second group on.
    forms.push("aHVudGVyMi12ZXJ5".into());
    forms.push("OmXVudGVy".into());
    forms.push("dTpodW50ZXIyLXZlcnktc2VjcmV0".into());
    forms
}

fn assert_tells_nothing(called: &Called) {
    for form in forms() {
        for text in [&called.out, &called.err] {
            assert!(!text.contains(&form), "{form}:\n{text}");
        }
    }
}

/// A configuration with secrets wherever they are secret.
fn config(origin: &str) -> String {
    format!(
        r#"
egress: {{ allow_private: true }}
destinations:
  d:
    shared_secret: ${{SECRET}}
    actions:
      constant:
        trigger: 'true'
        url: http://u:${{SECRET}}@{origin}/a?x=1&key=${{SECRET}}&odd=${{ODD}}&end=2
        headers: {{ Authorization: "Bearer ${{SECRET}}", X-Odd: "${{ODD}}", X-Default: "${{UNSET:-hunter2}}" }}
      mapped:
        trigger: name != "${{SECRET}}"
        url: {{ "@template": "http://${{SECRET}}@{origin}/{{{{userId}}}}?key=${{SECRET}}&u={{{{userId}}}}" }}
        headers:
          X-Upper: {{ "@case": {{ operator: upper, value: {{ "@template": "{{{{event}}}} ${{SECRET}}" }} }} }}
          X-Json: {{ "@json": {{ mode: encode, value: {{ a: ["${{ODD}}"] }} }} }}
          X-Cut: {{ "@replace": {{ pattern: "u", replacement: "_", value: "${{SECRET}}" }} }}
          X-Path: {{ "@if": {{ exists: {{ "@path": "${{USER}}" }}, then: "${{SECRET}}" }} }}
      whole:
        trigger: 'true'
        url: ${{URL}}
      shouting:
        trigger: 'true'
        url: {{ "@case": {{ operator: lower, value: "HTTP://{origin}/?${{SECRET}}" }} }}
      file:
        trigger: 'true'
        url: http://{origin}/
        headers: {{ X-File: "${{file:secret}}" }}
      no_url: {{ trigger: 'true', url: {{ "@template": "${{SECRET}}:{{{{userId}}}}" }} }}
      no_header:
        trigger: 'true'
        url: http://{origin}/
        headers: {{ X-Bad: {{ "@template": "${{SECRET}}\n{{{{userId}}}}" }} }}
"#
    )
}

fn explain(origin: &str, arguments: &[&str]) -> Called {
    let explain = Explain::new(&config(origin)).env("ODD", ODD).env("USER", "userId");
    let explain = explain.env("URL", &format!("http://u:{SECRET}@{origin}/p?hunter2={SECRET}"));
    fs::write(explain.path().join("secret"), ODD).expect("a file can be written");
    explain.with(arguments).of(EVENT)
}

#[test]
fn what_was_put_in_is_masked_and_all_else_is_shown() {
    let called = explain("crm.example.com", &["--json"]);
    assert_eq!(called.status, 0, "{}", called.err);
    assert_tells_nothing(&called);
    let elements = called.json();
    let constant = &elements[0]["request"];
    assert_eq!(constant["url"], "http://u:***@crm.example.com/a?x=1&key=***&odd=***&end=2");
    assert_eq!(constant["headers"]["Authorization"], "Bearer ***");
    assert_eq!(constant["headers"]["X-Odd"], "***");
    assert_eq!(constant["headers"]["X-Default"], "***");
    let mapped = &elements[1]["request"];
    assert_eq!(mapped["url"], "http://***@crm.example.com/u1?key=***&u=u1");
    assert_eq!(mapped["headers"]["X-Upper"], "HI ***");
    assert_eq!(mapped["headers"]["X-Json"], r#"{"a":["***"]}"#);
    assert_eq!(mapped["headers"]["X-Cut"], "***");
    assert_eq!(mapped["headers"]["X-Path"], "***");
    assert_eq!(elements[2]["request"]["url"], "http://***@crm.example.com/p?***");
    assert_eq!(elements[3]["request"]["url"], "http://crm.example.com/?***");
    assert_eq!(elements[4]["request"]["headers"]["X-File"], "***");
    assert_eq!(elements[5]["error"]["reason"], "invalid_request");
    assert_eq!(elements[6]["error"]["reason"], "invalid_request");
    let human = explain("crm.example.com", &[]);
    assert_tells_nothing(&human);
    assert!(human.out.contains("name != \"${SECRET}\""), "as it is written: {}", human.out);
}

#[test]
fn a_trigger_is_shown_as_the_file_writes_it() {
    let config = "
destinations:
  d:
    actions:
      a:
        trigger: 'name = \"${SECRET}\" and ${SECRET} = \"it''s\" and !(${NESTED})'
        url: https://example.com/
";
    let called = Explain::new(config)
        .env("NESTED", "type = \"track\" or event = \"very\"")
        .with(&["--json"])
        .of(EVENT);
    assert_eq!(
        called.json()[0]["because"],
        "name = \"${SECRET}\" is false: name is missing; \
         ${SECRET} = \"it's\" is false: *** is missing; ${NESTED} is true: *** is \"track\""
    );
    assert_tells_nothing(&called);
}

#[test]
fn what_is_put_into_a_host_a_path_or_a_payload_is_shown() {
    let config = "
destinations:
  d:
    actions:
      a:
        trigger: 'true'
        url: https://${HOST}/${PLACE}?a=1
        data: { from: '${PLACE}' }
";
    let called = Explain::new(config)
        .env("HOST", "crm.example.com")
        .env("PLACE", "eu")
        .with(&["--json"])
        .of(EVENT);
    let request = &called.json()[0]["request"];
    assert_eq!(request["url"], "https://crm.example.com/eu?a=1");
    assert_eq!(request["body"], r#"{"from":"eu"}"#);
}

#[test]
fn whoever_asks_is_shown_what_is_sent_but_not_what_signs() {
    let config = "
destinations:
  d:
    shared_secret: signing-secret
    actions:
      a:
        trigger: 'true'
        url: https://u:${SECRET}@crm.example.com/?key=${SECRET}
        headers: { Authorization: 'Bearer ${SECRET}' }
";
    let called = Explain::new(config).with(&["--show-secrets"]).of(EVENT);
    for shown in [
        format!("https://u:{SECRET}@crm.example.com/?key={SECRET}\n"),
        format!("    Authorization: Bearer {SECRET}\n"),
        format!(" -H 'Authorization: Bearer {SECRET}' "),
    ] {
        assert!(called.out.contains(&shown), "{shown}\n{}", called.out);
    }
    assert!(!called.out.contains("signing-secret"), "{}", called.out);
}

#[test]
fn an_endpoint_that_repeats_secrets_is_not_repeated() {
    let receiver = Receiver::start();
    for arguments in [&["--send", "--json"][..], &["--send"]] {
        let called = explain(&receiver.address, arguments);
        assert_eq!(called.status, 0, "{}", called.err);
        assert_tells_nothing(&called);
        assert!(called.out.contains("x-seen"), "{}", called.out);
    }
    let arrived = serde_json::Value::from(receiver.received()).to_string();
    assert!(arrived.contains(SECRET), "they were sent: {arrived}");
}

#[test]
fn a_connection_that_fails_tells_nothing() {
    let called = explain("127.0.0.1:1", &["--send", "--json"]);
    assert_eq!(called.status, 1);
    assert_tells_nothing(&called);
}

#[test]
fn the_proxy_keeps_its_password() {
    let config = "
egress: { proxy: 'http://u:${SECRET}@127.0.0.1:1' }
destinations: { d: { actions: { a: { trigger: 'true', url: 'http://example.com/' } } } }
";
    let called = Explain::new(config).with(&["--send"]).of(EVENT);
    assert_tells_nothing(&called);
    assert!(called.out.contains(" --proxy 'http://127.0.0.1:1'"), "{}", called.out);
}

#[test]
fn the_curl_line_names_the_certificates() {
    let config = "
destinations:
  d:
    tls: { ca_file: ca.pem, cert_file: '${FOLDER}/me.pem', key_file: '${FOLDER}/me.key' }
    actions: { a: { trigger: 'true', url: 'https://example.com/' } }
";
    let key = rcgen::KeyPair::generate().expect("keys can be made");
    let names = ["example.com".to_owned()];
    let params = rcgen::CertificateParams::new(names).expect("a legal name");
    let certificate = params.self_signed(&key).expect("it signs itself").pem();
    let explain = |arguments: &[&str]| {
        let explain = Explain::new(config).env("FOLDER", ".").with(arguments);
        let files =
            [("ca.pem", &certificate), ("me.pem", &certificate), ("me.key", &key.serialize_pem())];
        for (name, text) in files {
            fs::write(explain.path().join(name), text).expect("a file can be written");
        }
        explain.of(EVENT).out
    };
    let masked = explain(&[]);
    let expected = " --cacert 'ca.pem' --cert '***/me.pem' --key '***/me.key' ";
    assert!(masked.contains(expected), "{masked}");
    let shown = explain(&["--show-secrets"]);
    let expected = " --cacert 'ca.pem' --cert './me.pem' --key './me.key' ";
    assert!(shown.contains(expected), "{shown}");
}

//! What is refused of an action's request, in the words that users read.

use insta::assert_snapshot;

use super::{URL, parse, refuse, with};

#[test]
fn urls_that_lead_nowhere() {
    for (url, name) in [
        ("/hooks/signup", "url_relative"),
        ("ftp://crm.example.com", "url_scheme"),
        ("https://", "url_without_host"),
        ("[https://crm.example.com]", "url_list"),
        ("http://127.0.0.1:8080/hook", "url_loopback"),
        ("http://[::ffff:10.0.0.1]/hook", "url_private"),
        ("http://localhost:8080/hook", "url_localhost"),
        ("http://0x7f.1/hook", "url_loopback_in_disguise"),
    ] {
        assert_snapshot!(name, refuse(URL, &format!("url: {url}")));
    }
}

#[test]
fn a_secret_host_is_not_repeated() {
    let said = refuse(URL, "url: http://127.0.0.1:${SECRET}/x");
    assert!(!said.contains("hunter2"), "{said}");
    assert_snapshot!(said);
}

#[test]
fn a_mapping_error_around_a_secret_does_not_repeat_it() {
    for data in [
        "{ \"@case\": { operator: \"${SECRET}\", value: x } }",
        "{ \"@path\": [\"${SECRET}\"] }",
        "{ \"@path\": \"a[${SECRET}\", other: 1 }",
        "{ \"@merge\": { objects: [\"${SECRET}\"], direction: \"${SECRET}\" } }",
    ] {
        let said = refuse(URL, &with(&format!("data: {data}")));
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[test]
fn a_method_in_lower_case() {
    assert_snapshot!(refuse(URL, &with("method: post")));
}

#[test]
fn headers_that_are_not_the_users() {
    let lines = "headers:
          Host: example.com
          x-signature: abc
          Idempotency-Key: abc
          Transfer-Encoding: chunked
          webhook-id: allowed without Standard Webhooks
          \"b a d\": x
          Authorization: Bearer
          authorization: Bearer
          X-Break: \"a\\nb\"
          X-Name: Zoë
          X-Blank: \" x\"
          X-Null: null
          Content-Type: text/plain";
    assert_snapshot!(refuse(URL, &with(lines)));
}

#[test]
fn a_content_type_made_for_each_event() {
    assert_snapshot!(refuse(URL, &with("headers: { content-type: { \"@path\": \"$.type\" } }")));
}

#[test]
fn keys_of_standard_webhooks() {
    for (name, secret) in [
        ("keys", "{ secret: [MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw, whsec_n-o, whsec_, ''] }"),
        ("no_section", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        ("no_key", "{ secret: [] }"),
    ] {
        let destination = format!("standard_webhooks: {secret}\n    actions:");
        let refused = parse(&super::edited("actions:", &destination)).unwrap_err();
        assert_snapshot!(format!("standard_webhooks_{name}"), refused);
    }
}

#[test]
fn standard_webhooks_own_their_headers() {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let destination = format!("standard_webhooks: {{ secret: {secret} }}\n    actions:");
    let text =
        super::edited("actions:", &destination).replace(URL, &with("headers: { webhook-id: x }"));
    assert_snapshot!(parse(&text).unwrap_err());
}

#[test]
fn a_batch_that_is_too_much() {
    assert_snapshot!(refuse(
        URL,
        &with("batch: { max_events: 1001, max_bytes: 4M, max_delay: 1d }")
    ));
}

#[test]
fn a_batch_that_is_no_boolean() {
    assert_snapshot!(refuse(URL, &with("batch: yes")));
}

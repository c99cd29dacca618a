//! What is accepted, and what it comes to.

use std::time::Duration;

use super::{TRIGGER, URL, accept, accept_more, parse, with};
use crate::config::OffsetReset;
use crate::plan::{Action, BatchLimits, Delivery, Method, SourceId, TargetTemplate, TopicPattern};
use crate::verdict::{Outcome, Verdict};

/// The URL and the headers of an action that are the same for every event.
fn constant(action: &Action) -> (&str, Vec<(&str, &str)>) {
    match &action.request.target {
        TargetTemplate::Constant(target) => {
            (&target.url, target.headers.iter().map(|(name, value)| (&**name, &**value)).collect())
        }
        TargetTemplate::Mapped { .. } => panic!("the target is mapped"),
    }
}

#[test]
fn the_smallest_configuration_has_the_documented_defaults() {
    let config = accept("", "");
    assert_eq!(config.admin_listen.to_string(), "0.0.0.0:9464");
    assert_eq!(config.kafka.group_id, "hookcast");
    assert_eq!(config.kafka.offset_reset, OffsetReset::Earliest);
    assert_eq!(config.topics.dead_letter, "hookcast.dead-letter");
    assert_eq!(config.topics.redrive, "hookcast.redrive");
    assert!(config.topics.create);
    assert_eq!(config.buffered_bytes, 64 << 20);
    assert_eq!(config.shutdown_timeout, Duration::from_secs(30));
    assert!(!config.plan.egress.allow_private && config.plan.egress.proxy.is_none());
    assert!(config.warnings.is_empty());
    let action = &config.plan.actions[0];
    assert!(
        action.enabled
            && !action.paused
            && action.batch.is_none()
            && action.shared_secret.is_none()
    );
    assert_eq!(action.delivery, Delivery::default());
    assert_eq!(action.request.method, Method::Post);
    assert!(action.request.data.is_whole_event());
    assert_eq!(constant(action), ("https://crm.example.com/hooks/signup", vec![]));
    assert_eq!(config.plan.destinations[0].sources, [SourceId(0)]);
}

#[test]
fn the_documented_configuration_is_accepted() {
    let config = parse(include_str!("documented.yaml")).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(config.plan.actions.len(), 1);
    assert!(matches!(&config.plan.sources[1].topics[0], TopicPattern::Expression(_)));
    assert!(config.plan.sources[1].topics[0].matches("events.mobile.ios"));
    assert_eq!(config.plan.actions[0].delivery.timeout, Duration::from_secs(3));
    assert_eq!(config.plan.actions[0].batch, Some(BatchLimits::default()));
    assert_eq!(config.plan.actions[0].delivery.rate_limit, Some(500.0));
}

#[test]
fn the_innermost_override_wins_key_by_key() {
    let text = format!(
        "{}delivery: {{ timeout: 5s, concurrency: 8, retry: {{ initial: 1s, max: 9s }}, verdicts: {{ 404: retry, 409: accept }} }}\n",
        super::SMALLEST
            .replace("actions:", "delivery: { timeout: 6s, retry: { max: 8s }, verdicts: { 404: reject } }\n    actions:")
            .replace(URL, &with("delivery: { retry: { initial: 2s }, verdicts: { 410: accept }, order: none }"))
    );
    let config = parse(&text).unwrap_or_else(|errors| panic!("{errors}"));
    let delivery = &config.plan.actions[0].delivery;
    assert_eq!(delivery.timeout, Duration::from_secs(6));
    assert_eq!(delivery.concurrency.get(), 8);
    assert_eq!(
        (delivery.retry.initial, delivery.retry.max),
        (Duration::from_secs(2), Duration::from_secs(8))
    );
    let judge = |status| delivery.verdicts.judge(Outcome::Status(status), 1);
    assert_eq!(
        [judge(404), judge(409), judge(410)],
        [Verdict::Reject, Verdict::Accept, Verdict::Accept]
    );
}

#[test]
fn a_batch_is_told_by_a_boolean_or_by_its_limits() {
    let batch = |text: &str| accept(URL, &with(&format!("batch: {text}"))).plan.actions[0].batch;
    assert_eq!(batch("true"), Some(BatchLimits::default()));
    assert_eq!(batch("false"), None);
    let limits = batch("{ max_events: 10, max_delay: 0s }").unwrap();
    assert_eq!(
        (limits.max_events.get(), limits.max_bytes, limits.max_delay),
        (10, 4 << 20, Duration::ZERO)
    );
}

#[test]
fn references_are_replaced_in_values() {
    let config = accept(
        URL,
        "url: https://${HOST}/${PATH_OF_NOBODY:-hook}\n        headers: { Authorization: 'Bearer ${SECRET}', X-Literal: 'a$${SECRET}b', X-Default: '${EMPTY:-x}' }",
    );
    let (url, headers) = constant(&config.plan.actions[0]);
    assert_eq!(url, "https://crm.example.com/hook");
    assert_eq!(
        headers,
        [("Authorization", "Bearer hunter2"), ("X-Literal", "a${SECRET}b"), ("X-Default", "x")]
    );
    assert_eq!(
        config.as_written[0].url.as_deref(),
        Some("https://${HOST}/${PATH_OF_NOBODY:-hook}")
    );
    assert_eq!(
        accept_more("delivery: { concurrency: \"${NUMBER}\" }").plan.actions[0]
            .delivery
            .concurrency
            .get(),
        7
    );
}

#[test]
fn a_file_is_read_without_its_last_line_break() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "se cret\n\r\n").unwrap();
    let secret =
        format!("shared_secret: [\"${{file:{}}}\", second]\n    actions:", file.path().display());
    let config = accept("actions:", &secret);
    assert_eq!(config.plan.actions[0].shared_secret.as_ref().unwrap().expose(), "se cret\n");
}

#[test]
fn a_url_is_kept_as_it_goes_on_the_wire() {
    for (url, wire) in [
        ("https://CRM.example.com", "https://crm.example.com/"),
        ("https://crm.example.com:443/a b?c=é#fragment", "https://crm.example.com/a%20b?c=%C3%A9"),
        ("http://8.8.8.8/", "http://8.8.8.8/"),
    ] {
        let config = accept(URL, &format!("url: '{url}'"));
        assert_eq!(constant(&config.plan.actions[0]).0, wire);
    }
}

#[test]
fn one_mapped_part_makes_the_target_mapped() {
    let config = accept(URL, &with("headers: { X-Fix: 5, X-Type: { \"@path\": \"$.type\" } }"));
    let TargetTemplate::Mapped { headers, .. } = &config.plan.actions[0].request.target else {
        panic!("the target is constant");
    };
    assert_eq!(headers.iter().map(|(name, _)| &**name).collect::<Vec<_>>(), ["X-Fix", "X-Type"]);
    assert_eq!(
        constant(&accept(URL, &with("headers: { X-Fix: 5, X-Flag: true }")).plan.actions[0]).1,
        [("X-Fix", "5"), ("X-Flag", "true")]
    );
}

#[test]
fn json_content_types_are_accepted() {
    for kind in [
        "application/json",
        "application/json; charset=utf-8",
        "application/cloudevents+json",
        "Application/JSON",
    ] {
        accept(URL, &with(&format!("headers: {{ Content-Type: '{kind}' }}")));
    }
}

#[test]
fn data_keeps_the_text_of_numbers_and_the_order_of_keys() {
    let config = accept(
        URL,
        &with(
            "data: { z: 1.10, a: 9007199254740993, m: [~, true, '5', \"${NUMBER}\", 0x10], y: \"2020-01-01\" }",
        ),
    );
    let data = config.plan.actions[0].request.data.constant().unwrap().to_string();
    assert_eq!(
        data,
        r#"{"z":1.10,"a":9007199254740993,"m":[null,true,"5","7",16],"y":"2020-01-01"}"#
    );
}

#[test]
fn anchors_and_aliases_repeat_values() {
    let config = accept(
        URL,
        &with(
            "headers: &h { X-A: b }\n      other:\n        trigger: type = \"page\"\n        url: https://example.com\n        headers: *h",
        ),
    );
    assert_eq!(constant(&config.plan.actions[1]).1, [("X-A", "b")]);
}

#[test]
fn expressions_that_both_read_alike_are_accepted() {
    let topics = r"['^events\.(web|app)[0-9]{1,3}$', '^[[:alpha:]_]+\.x', '^a[^.]b?$', '^[]a-]c']";
    let config = accept("[events.web]", topics);
    let matches = |index: usize, topic: &str| config.plan.sources[0].topics[index].matches(topic);
    assert!(matches(0, "events.web12") && !matches(0, "events.web"));
    assert!(matches(1, "ab_.x") && matches(2, "a1b") && !matches(2, "a.b"));
    assert!(matches(3, "-c") && matches(3, "ac"));
}

#[test]
fn an_exception_from_egress_permits_a_private_host() {
    let text = format!("{}egress: {{ allow: [10.20.0.0/16] }}\n", super::SMALLEST)
        .replace(URL, "url: http://10.20.1.1/hook");
    assert!(parse(&text).is_ok());
    let text = format!("{}egress: {{ allow_private: true }}\n", super::SMALLEST)
        .replace(URL, "url: http://localhost:80/hook");
    assert!(parse(&text).is_ok());
}

#[test]
fn every_client_gets_the_kafka_keys_that_it_reads() {
    let keys = "group.id: g\n  auto.offset.reset: largest\n  linger.ms: 5\n  sasl.password: ${SECRET}\n  debug: fetch";
    let config = accept("group.id: hookcast", keys);
    assert_eq!(config.kafka.offset_reset, OffsetReset::Latest);
    let (consumer, producer) = (config.kafka.consumer(), config.kafka.producer());
    assert_eq!((consumer.get("group.id"), producer.get("group.id")), (Some("g"), None));
    assert_eq!((consumer.get("linger.ms"), producer.get("linger.ms")), (None, Some("5")));
    assert_eq!(
        (consumer.get("sasl.password"), producer.get("sasl.password")),
        (Some("hunter2"), Some("hunter2"))
    );
    assert!(!format!("{:?}", config.kafka).contains("hunter2"));
}

#[test]
fn nothing_secret_is_in_the_debug_form() {
    let text = super::edited("actions:", "shared_secret: ${SECRET}\n    actions:")
        .replace("group.id: hookcast", "group.id: hookcast\n  sasl.password: ${SECRET}")
        .replace(URL, &with("headers: { Authorization: 'Bearer ${SECRET}' }"))
        .replace("signup\n", "signup?key=${SECRET}\n")
        + "egress: { proxy: 'http://u:${SECRET}@proxy:1' }\n";
    let config = parse(&text).unwrap_or_else(|errors| panic!("{errors}"));
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_do_not_matter() {
    let text = format!("\u{feff}{}", super::SMALLEST.replace('\n', "\r\n"));
    assert!(parse(&text).is_ok());
    let said = parse(&text.replace(TRIGGER, "trigger: type == 1")).unwrap_err().to_string();
    assert!(said.starts_with("hookcast.yaml:10:23: "), "{said}");
}

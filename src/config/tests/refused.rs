//! What is refused, in the words that users read.

use insta::assert_snapshot;

use super::{TRIGGER, URL, parse, refuse, refuse_more, with};

#[test]
fn every_error_at_once() {
    assert_snapshot!(
        parse(
            r"kafka:
  group.id: hookcast
  acks: 1
sources:
  web: { topics: [] }
destinations:
  crm:
    sources: [webb]
    actions:
      signups:
        heders: { Authorization: Bearer }
        url: ftp://crm.example.com
        method: post
        batch: { max_events: 5000 }
delivery:
  timeout: 10
extra: 1
"
        )
        .unwrap_err()
    );
}

#[test]
fn an_empty_file() {
    assert_snapshot!(parse("").unwrap_err());
}

#[test]
fn a_file_that_is_a_list() {
    assert_snapshot!(parse("- kafka\n").unwrap_err());
}

#[test]
fn a_misspelled_key() {
    assert_snapshot!(refuse(URL, &with("heders: {}")));
}

#[test]
fn a_key_that_resembles_none() {
    assert_snapshot!(refuse(URL, &with("body: {}")));
}

#[test]
fn a_merge_key() {
    assert_snapshot!(refuse(URL, &with("<<: { method: PUT }")));
}

#[test]
fn a_repeated_key() {
    assert_snapshot!(refuse(URL, &with(URL)));
}

#[test]
fn broken_syntax() {
    assert_snapshot!(refuse(URL, &with("headers: { a: b")));
}

#[test]
fn a_tab_as_indentation() {
    assert_snapshot!(refuse(URL, &format!("{URL}\n\tmethod: PUT")));
}

#[test]
fn a_reference_without_quotes_between_braces() {
    assert_snapshot!(refuse("[events.web] }", "[events.web], x: ${TOPIC} }"));
}

#[test]
fn a_second_document() {
    assert_snapshot!(refuse_more("---\nkafka: {}"));
}

#[test]
fn a_tag() {
    assert_snapshot!(refuse(URL, &with("batch: !!bool true")));
}

#[test]
fn nesting_without_end() {
    assert_snapshot!(refuse(URL, &with(&format!("data: {}", "[".repeat(70)))));
}

#[test]
fn aliases_that_multiply() {
    let mut bomb = vec!["a0: &a0 [x, x, x, x, x, x, x, x, x, x]".to_owned()];
    for level in 1..9 {
        let below = format!("*a{}, ", level - 1).repeat(10);
        bomb.push(format!("a{level}: &a{level} [{below}]"));
    }
    let bomb = bomb.join("\n");
    assert_snapshot!(parse(&bomb).unwrap_err());
}

#[test]
fn a_variable_that_is_not_set() {
    assert_snapshot!(refuse(URL, "url: https://crm.example.com/${NOWHERE}?${SECRET}"));
}

#[test]
fn a_reference_that_is_none() {
    assert_snapshot!(refuse(URL, "url: \"https://crm.example.com/${a b}/${open\""));
}

#[test]
fn a_file_that_is_not_there() {
    assert_snapshot!(refuse(
        URL,
        &with("headers: { Authorization: 'Bearer ${file:/run/secrets/none}' }")
    ));
}

#[test]
fn a_trigger_that_is_missing() {
    assert_snapshot!(refuse(TRIGGER, "enabled: true"));
}

#[test]
fn a_trigger_without_value() {
    assert_snapshot!(refuse(TRIGGER, "trigger:"));
}

#[test]
fn a_trigger_in_a_plain_scalar() {
    assert_snapshot!(refuse(TRIGGER, r#"trigger: type = "track" and event == "Signed Up""#));
}

#[test]
fn a_trigger_in_a_literal_block() {
    assert_snapshot!(refuse(
        TRIGGER,
        "trigger: |\n          type = \"track\"\n            and event == \"Signed Up\""
    ));
}

#[test]
fn templates_that_are_none() {
    let data = "data:
          a: { '@liquid': 'Hello {{ userId | upcas }}' }
          b:
            '@liquid': |
              {% for item in properties.items %}
                {{ item.name }}
              {% end for %}
          c: { '@liquid': \"{% include 'x' %}\" }
          d: { '@liquid': \"é {{ 'now' | date: '%Y' }}\" }
          e: { '@liquid': '{{ unclosed' }
          f: { '@liquid': '{% if a = 1 %}{% endif %}' }
          g: { '@liquid': 5 }";
    assert_snapshot!(refuse(URL, &with(data)));
}

#[test]
fn a_trigger_in_a_folded_block() {
    assert_snapshot!(refuse(
        TRIGGER,
        "trigger: >-\n          type = \"track\"\n\n          and event\n          == \"Signed Up\""
    ));
}

#[test]
fn a_trigger_in_quotes_with_escapes() {
    assert_snapshot!(refuse(
        TRIGGER,
        r#"trigger: "type = \"track\"\x20and event == \"Signed Up\"""#
    ));
}

#[test]
fn a_trigger_with_something_secret_inside() {
    let said = refuse(TRIGGER, "trigger: type = \"track\" and event == \"${SECRET}\"");
    assert!(!said.contains("hunter2"), "{said}");
    assert_snapshot!(said);
}

#[test]
fn a_directive_that_is_unknown() {
    assert_snapshot!(refuse(URL, &with("data:\n          user: { \"@pth\": \"$.userId\" }")));
}

#[test]
fn a_payload_that_is_no_object() {
    assert_snapshot!(refuse(URL, &with("data: [1, 2]")));
}

#[test]
fn numbers_that_json_does_not_have() {
    assert_snapshot!(refuse(URL, &with("data: { zip: 01234, most: .inf }")));
}

#[test]
fn an_empty_secret() {
    assert_snapshot!(refuse("actions:", "shared_secret: ${EMPTY}\n    actions:"));
}

#[test]
fn an_empty_secret_in_a_list() {
    assert_snapshot!(refuse("actions:", "shared_secret: [one, '']\n    actions:"));
}

#[test]
fn a_source_that_does_not_exist() {
    assert_snapshot!(refuse("actions:", "sources: [web, wep, mobile]\n    actions:"));
}

#[test]
fn topics_that_kafka_refuses() {
    assert_snapshot!(refuse("[events.web]", "['events.*', 'events/web', '']"));
}

#[test]
fn expressions_that_librdkafka_reads_otherwise() {
    let topics = r"
    - '^events\.\d+'
    - '^events\.\w'
    - '^events\.(?:web|app)'
    - '^events.*?'
    - '^events[\d]'
    - '^events[a[b]]'
    - '^events\bweb'
    - '^eventsé'
    - '^events(web'
    - '^*events'";
    let source = format!("topics: {topics}");
    assert_snapshot!(refuse("{ topics: [events.web] }", &format!("\n    {source}")));
}

#[test]
fn a_source_that_reads_dead_letters() {
    assert_snapshot!(refuse("[events.web]", "[events.web, hookcast.dead-letter]"));
}

#[test]
fn dead_letters_and_redriven_letters_in_one_topic() {
    assert_snapshot!(refuse_more("topics: { dead_letter: letters, redrive: letters }"));
}

#[test]
fn a_group_that_no_topic_can_be_named_after() {
    assert_snapshot!(refuse("group.id: hookcast", "group.id: hook cast"));
}

#[test]
fn kafka_without_what_is_required() {
    assert_snapshot!(refuse(
        "  bootstrap.servers: localhost:9092\n  group.id: hookcast\n",
        "  group.id: ''\n"
    ));
}

#[test]
fn kafka_keys_that_are_wrong() {
    let keys = "group.id: hookcast
  enable.auto.commit: true
  acks: 1
  enable.auto.offset.store: false
  metadata.broker.list: localhost
  session.timout.ms: 6000
  frobnicate: 1
  fetch.min.bytes: 0
  security.protocol: tls
  auto.offset.reset: error
  rebalance_cb: x
  client.id:
  client.rack: [a]";
    assert_snapshot!(refuse("group.id: hookcast", keys));
}

#[test]
fn a_kafka_value_that_came_from_outside_is_not_shown() {
    let said = refuse(
        "group.id: hookcast",
        "group.id: hookcast\n  security.protocol: ${SECRET}\n  ssl.key.password: {a: hunter2}",
    );
    assert!(!said.contains("hunter2"), "{said}");
    assert_snapshot!(said);
}

#[test]
fn delivery_out_of_range() {
    assert_snapshot!(refuse_more(
        "delivery:
  timeout: 2h
  concurrency: 0
  order: keys
  rate_limit: 500
  retry: { initial: 1m, max: 10s, giveup_after: 4h }
  on_give_up: drop
  reject_limit: -1
  verdicts: { 404: ignore, 4xx: retry }
  signature: first"
    ));
}

#[test]
fn a_backoff_that_an_override_turns_around() {
    assert_snapshot!(refuse(URL, &with("delivery: { retry: { initial: 1m } }")));
}

#[test]
fn the_network_sections() {
    assert_snapshot!(refuse_more(
        "admin: { listen: localhost }
egress: { allow_private: no, allow: [10.20.0.1/16, ten], proxy: 'socks5://user:hunter2@proxy:1080' }
limits: { buffered_bytes: 1KiB }
shutdown_timeout: soon"
    ));
}

#[test]
fn certificates_that_are_none() {
    let said =
        refuse("actions:", "tls: { ca_file: none.pem, cert_file: command_line.rs }\n    actions:");
    assert_snapshot!(said);
}

#[test]
fn names_that_cannot_be_used() {
    assert_snapshot!(refuse("signups:", "\"sign/ups\":"));
}

#[test]
fn a_secret_beside_an_error_is_not_shown() {
    let said = refuse(
        "crm:\n",
        "crm:\n    { shared_secret: hunter2, heders: 1, actions: {} }\n  other:\n",
    );
    assert!(!said.contains("hunter2"), "{said}");
    let said = refuse("actions:", "shared_secret: \"hunter2\n    actions:");
    assert!(!said.contains("hunter2"), "{said}");
    let said = refuse("actions:", "shared_secrt: hunter2\n    actions:");
    assert!(!said.contains("hunter2"), "{said}");
    let said = refuse("actions:", "{ shared_secret: hunter2, : ] }\n    actions:");
    assert!(!said.contains("hunter2"), "{said}");
    let said = refuse("actions:", "shared_secret hunter2\n    actions:");
    assert!(!said.contains("hunter2"), "{said}");
    let said = refuse("actions:", "- shared_secret hunter2\n    actions:");
    assert!(!said.contains("hunter2"), "{said}");
}

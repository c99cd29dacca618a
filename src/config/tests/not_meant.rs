//! Warnings about what is legal and surely not meant, and silence about what may be.

use insta::assert_snapshot;

use super::{SMALLEST, TRIGGER, URL, accept, accept_more, edited, parse, with};
use crate::config::Config;

fn warnings(config: &Config) -> String {
    config.warnings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n\n")
}

fn warned(from: &str, to: &str) -> String {
    let said = warnings(&accept(from, to));
    assert!(!said.contains("hunter2"), "{said}");
    said
}

/// The smallest configuration with these actions instead of its own.
fn with_actions(actions: &str) -> String {
    let (before, _) = SMALLEST.split_once("      signups:").expect("it has an action");
    format!("{before}{actions}")
}

/// A configuration with one action for each trigger.
fn with_triggers(triggers: &[&str]) -> String {
    let actions = triggers.iter().enumerate().flat_map(|(index, trigger)| {
        [
            format!("      a{index}:\n        trigger: {trigger}\n"),
            format!("        url: https://example.com/{index}\n"),
        ]
    });
    with_actions(&actions.collect::<String>())
}

fn warned_of(text: &str) -> String {
    warnings(&parse(text).unwrap_or_else(|errors| panic!("{errors}")))
}

#[test]
fn nothing_is_said_about_what_is_right() {
    assert_eq!(warned_of(SMALLEST), "");
    let fine = "shared_secret: [\"${SECRET}\", \"${file:command_line.rs}\"]\n    actions:";
    assert_eq!(warned("actions:", fine), "");
    let headers = "headers: { Authorization: 'Bearer ${SECRET}', X-Token-Type: bearer, \
                   X-Api-Key: { '@path': $.context.key } }";
    assert_eq!(warned(URL, &with(headers)), "");
    for url in [
        "url: https://user:${SECRET}@crm.example.com/hooks?token=${SECRET}&page=2",
        "url: { '@template': 'https://crm.example.com/{{userId}}?key={{context.key}}' }",
        "url: http://receiver:8000/hook",
        "url: https://crm.example.com/a@b:c?keys=a",
    ] {
        assert_eq!(warned(URL, url), "", "{url}");
    }
}

#[test]
fn a_trigger_that_never_matches_in_every_way_of_writing_it() {
    for (name, trigger) in [
        ("plain", r#"trigger: type = "track" and type = "page""#),
        ("single_quotes", r#"trigger: 'event = ''its'' and type = "track" and type = "page"'"#),
        ("double_quotes", r#"trigger: "type\x20= \"track\" and\ttype = \"p\u0061ge\"""#),
        ("literal", "trigger: |\n          type = \"track\"\n\n            and type = \"page\""),
        (
            "folded",
            "trigger: >-\n          type = \"track\"\n          and\n\n          type\n          = \"page\"",
        ),
        ("plain_over_lines", "trigger: type = \"track\"\n          and\n          type = \"page\""),
    ] {
        assert_snapshot!(format!("never_in_{name}"), warned(TRIGGER, trigger));
    }
    let flow = "signups: { trigger: 'type = \"track\" and type = \"page\"', url: 'https://example.com' }\n";
    assert_snapshot!("never_in_a_flow_mapping", warned_of(&with_actions(&format!("      {flow}"))));
    let windows =
        edited(TRIGGER, "trigger: |\n          type = \"track\"\n          and type = \"page\"");
    assert_snapshot!("never_in_a_file_from_windows", warned_of(&windows.replace('\n', "\r\n")));
}

#[test]
fn paths_outside_the_spec_in_a_mapping() {
    let mapping = "data:
          user: { \"@path\": \"$.user_id\" }
          text: { \"@template\": \"{{userId}} has {{plan}} and {{page.url}}\" }
          long:
            \"@template\": >-
              {{userId}}
              has {{event}}
              and {{propertys.plan}}
        headers: { X-Tenant: { \"@path\": tenant } }";
    assert_snapshot!(warned(URL, &with(mapping)));
}

#[test]
fn an_event_that_is_written_otherwise_than_the_others() {
    assert_snapshot!(warned_of(&with_triggers(&[
        r#"event in ["Signed Up", "Order Completed"]"#,
        r#"event = "Product Viewed""#,
        r#"event = "email_opened""#,
        r#"event = "Subscribed" and name = "cart_viewed""#,
        r#"event = "Cart Viewed""#,
    ])));
    assert_eq!(
        warned_of(&with_triggers(&[
            r#"event in ["Signed Up", "Order Completed"]"#,
            r#"event = "email_opened""#,
            r#"event = "cart-viewed""#,
        ])),
        ""
    );
    let three = [
        r#"event = "email_opened""#,
        r#"event in ["Signed Up", "Order Completed", "Cart Viewed"]"#,
    ];
    assert!(warned_of(&with_triggers(&three)).contains("written otherwise than the others"));
}

#[test]
fn an_event_that_is_written_in_two_ways() {
    assert_snapshot!(warned_of(&with_triggers(&[
        r#"event = "Signed Up""#,
        r#"event = "Signed up" and type = "track""#,
        r#"event = "Signed Up" and type = "track""#,
    ])));
    assert_eq!(warned_of(&with_triggers(&[r#"event in ["Signed Up", "signed_up"]"#])), "");
}

#[test]
fn actions_that_send_the_same() {
    let twins = "      one:
        trigger: type = \"track\" and event = \"x\"
        url: https://example.com/hook
      two:
        trigger: (type='track' and event='x')
        url: https://example.com/hook
        method: POST
        data: { \"@path\": \"$.\" }
        batch: true
      other:
        trigger: type = \"track\" and event = \"x\"
        url: https://example.com/hook
        method: PUT
      off:
        enabled: false
        trigger: type = \"track\" and event = \"x\"
        url: https://example.com/hook
  copy:
    actions:
      one: { trigger: type = \"track\" and event = \"x\", url: 'https://example.com/hook' }
  elsewhere:
    integration: Other
    actions:
      one: { trigger: type = \"track\" and event = \"x\", url: 'https://example.com/hook' }
";
    assert_snapshot!(warned_of(&with_actions(twins)));
}

#[test]
fn secrets_that_stand_in_the_file() {
    let text = edited(
        "group.id: hookcast",
        "group.id: hookcast\n  sasl.password: hunter2\n  ssl.key.password: ''",
    )
    .replace(
        "    actions:",
        "    shared_secret: [\"${SECRET}\", 'hunter2', \"${UNSET:-hunter2}\"]\n    actions:",
    )
    .replace(
        URL,
        "url: https://crm:hunter2@crm.example.com/hooks?token=hunter2&page=2
        headers:
          Authorization: Bearer hunter2
          X-Api-Key: |-
            hunter2
          Cookie: session=hunter2
          X-Tenant: hunters",
    );
    let said = warned_of(&format!(
        "{text}egress: {{ proxy: 'http://user:hunter2@proxy.internal:3128' }}\n"
    ));
    assert!(!said.contains("hunter2"), "{said}");
    assert_snapshot!(said);
}

#[test]
fn a_secret_in_a_url_is_not_shown_beside_something_else() {
    let said = warned(URL, "url: http://u:hunter2@crm.example.com/?api_key=hunter2&x={y}");
    assert_snapshot!(said);
    let refused = super::refuse(URL, "url: ftp://u:hunter2@crm.example.com/?api_key=hunter2");
    assert!(!refused.contains("hunter2"), "{refused}");
    let refused = super::refuse(URL, "url: https://u:hunter2@crm.example.com/ : x");
    assert!(!refused.contains("hunter2"), "{refused}");
}

#[test]
fn plain_http_to_a_public_host() {
    assert_snapshot!(warned(URL, "url: http://crm.example.com/hook"));
    let said = warned(URL, "url: http://${HOST}/hook");
    assert!(!said.contains("crm.example.com"), "{said}");
    assert_snapshot!("plain_http_to_a_host_from_outside", said);
}

#[test]
fn what_is_connected_to_nothing() {
    let text = edited("  web: { topics: [events.web] }", "  web: { topics: [events.web] }\n  mobile: { topics: [events.mobile] }")
        .replace("  crm:\n", "  idle:\n    sources: [web]\n    actions:\n      off: { enabled: false, trigger: \"true\", url: 'https://example.com' }\n  crm:\n    sources: [web]\n");
    assert_snapshot!(warned_of(&text));
}

#[test]
fn a_trigger_with_something_from_outside_is_not_looked_at() {
    let said =
        warned(TRIGGER, "trigger: type = \"track\" and ${SECRET} = \"x\" and type = \"page\"");
    assert_eq!(said, "");
    assert_eq!(warnings(&accept_more("shutdown_timeout: 10s")), "");
}

//! The conformance cases, as explanations: what a case says is what would be sent.

use std::path::Path;

use hookcast::clock;
use hookcast::config::Config;
use hookcast::dead_letter::Reason;
use hookcast::event::Fields;
use hookcast::explanation::{Because, Explainer, Explanation, Origin};
use serde_json::{Value, json};

/// How mappings write the path to the whole event.
const WHOLE_EVENT: [&str; 4] = ["\"$.\"", "\"$\"", "\".\"", "\"\""];

fn cases(text: &str) -> Vec<Value> {
    serde_json::from_str(text).expect("conformance cases are an array")
}

/// The configuration with one action. JSON is YAML.
fn config(trigger: &Value, data: &Value) -> Result<Config, String> {
    let yaml = format!(
        "kafka: {{ bootstrap.servers: 'unused:1', group.id: g }}\n\
         sources: {{ all: {{ topics: [t] }} }}\n\
         destinations:\n  d:\n    actions:\n      a:\n        trigger: {trigger}\n        \
         url: https://example.com/\n        data: {data}\n"
    );
    let config = Config::parse("case.yaml", &yaml, Path::new(""), &|name| std::env::var(name));
    config.map_err(|errors| errors.to_string())
}

fn explained(config: &Config, record: &str) -> Explanation {
    let mut fields = Fields::new();
    let event = fields.read(record.as_bytes(), &config.plan.paths);
    let mut explainer = Explainer::new(&config.plan, Origin::EverySource);
    let mut explanations =
        explainer.explain(record.as_bytes(), event.as_ref().copied(), clock::now());
    explanations.pop().expect("there is one action")
}

#[test]
fn mappings_give_what_the_cases_say() {
    let mut checked = 0;
    for case in cases(include_str!("../conformance/mappings.json")) {
        let mut event = case["event"].clone();
        let mapping = case["mapping"].to_string();
        if event["type"].is_null() {
            // An event has a type; whoever looks at the whole of it would see that.
            if WHOLE_EVENT.iter().any(|path| mapping.contains(path)) {
                continue;
            }
            event["type"] = "track".into();
        }
        let config = match config(&json!("true"), &json!({ "r": case["mapping"] })) {
            Ok(config) => config,
            Err(refused) => {
                assert_eq!(case["expect"]["invalid"], true, "{case}: {refused}");
                continue;
            }
        };
        match explained(&config, &event.to_string()) {
            Explanation::Owed(request) => {
                let body: Value = serde_json::from_slice(&request.body).expect("a body is JSON");
                let expected = match case["expect"].get("value") {
                    Some(value) => json!({ "r": value }),
                    None => json!({}),
                };
                assert_eq!(body, expected, "{case}");
            }
            Explanation::Unsendable { reason, message } => {
                assert_eq!(case["expect"], json!({ "error": true }), "{case}: {message}");
                assert_eq!(reason, Reason::InvalidPayload);
            }
            Explanation::Unowed(because) => panic!("{case}: {because}"),
        }
        checked += 1;
    }
    assert!(checked > 60, "{checked}");
}

#[test]
fn a_trigger_that_does_not_match_has_parts_that_decided() {
    let mut checked = 0;
    for case in cases(include_str!("../conformance/triggers.json")) {
        let text = case["trigger"].as_str().expect("a trigger is text");
        let Ok(config) = config(&case["trigger"], &json!({ "@path": "$." })) else {
            assert_eq!(case["expect"], "invalid", "{case}");
            continue;
        };
        let mut event = case["event"].clone();
        if !text.contains("type") {
            event["type"] = "track".into();
        }
        match explained(&config, &event.to_string()) {
            Explanation::Owed(_) => assert_eq!(case["expect"], true, "{case}"),
            Explanation::Unowed(Because::Trigger(reasons)) => {
                assert_eq!(case["expect"], false, "{case}");
                assert!(!reasons.is_empty(), "{case}");
                for reason in reasons {
                    let place = config.as_written[0].trigger_place(reason.at);
                    assert!(!text[place].trim().is_empty(), "{case}");
                }
            }
            // Triggers are asked only about events of the six calls.
            Explanation::Unowed(Because::UnsupportedType(_)) => continue,
            other => panic!("{case}: {other:?}"),
        }
        checked += 1;
    }
    assert!(checked > 50, "{checked}");
}

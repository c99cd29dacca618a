//! The cases that are the law: `tests/conformance/*.json`.

use std::path::Path;

use hookcast::config::Config;
use hookcast::event::{Fields, Paths};
use hookcast::mapping::Mapping;
use hookcast::routing::{Routes, Skip};
use hookcast::trigger::Trigger;
use serde_json::{Value, json};

fn cases(text: &str) -> Vec<Value> {
    let Ok(Value::Array(cases)) = serde_json::from_str(text) else {
        panic!("conformance cases are an array");
    };
    cases
}

#[test]
fn triggers_mean_what_the_cases_say() {
    let cases = cases(include_str!("conformance/triggers.json"));
    let mut fields = Fields::new();
    for case in &cases {
        let trigger = case["trigger"].as_str().expect("a trigger is text");
        let mut paths = Paths::new();
        let result = match Trigger::parse(trigger, &mut paths) {
            Err(_) => Value::from("invalid"),
            Ok(trigger) => {
                let record = case["event"].to_string();
                let event = fields.read(record.as_bytes(), &paths).expect("a valid event");
                Value::from(trigger.matches(event))
            }
        };
        assert_eq!(result, case["expect"], "{case}");
    }
    assert!(cases.len() > 80, "{}", cases.len());
}

/// What the mapping gives, in the words of the cases. A missing root has no word there.
fn mapped(case: &Value, fields: &mut Fields) -> Value {
    let mut paths = Paths::new();
    let Ok(mapping) = Mapping::parse(&case["mapping"], &mut paths) else {
        return json!({"invalid": true});
    };
    let record = case["event"].to_string();
    let event = fields.read(record.as_bytes(), &paths).expect("a valid event");
    let mut out = b"before".to_vec();
    match mapping.append_to(event, &mut out) {
        Err(_) => {
            assert_eq!(out, b"before", "{case}");
            json!({"error": true})
        }
        Ok(false) => {
            assert_eq!(out, b"before", "{case}");
            json!({"missing": true})
        }
        Ok(true) => {
            let value: Value = serde_json::from_slice(&out[6..]).expect("a result is JSON");
            json!({ "value": value })
        }
    }
}

#[test]
fn mappings_give_what_the_cases_say() {
    let cases = cases(include_str!("conformance/mappings.json"));
    let mut fields = Fields::new();
    for case in &cases {
        assert_eq!(mapped(case, &mut fields), case["expect"], "{case}");
    }
    assert!(cases.len() > 130, "{}", cases.len());
}

#[test]
fn integrations_mean_what_the_cases_say() {
    let cases = cases(include_str!("conformance/integrations.json"));
    assert!(!cases.is_empty());
    let mut fields = Fields::new();
    for case in &cases {
        let name = case["name"].as_str().expect("a case has a name");
        let yaml = format!(
            "kafka: {{ bootstrap.servers: 'unused:1', group.id: g }}\n\
             sources: {{ all: {{ topics: [t] }} }}\n\
             destinations: {{ d: {{ integration: {name}, actions: {{ a: {{ \
             trigger: 'true', url: 'https://example.com/' }} }} }} }}\n"
        );
        let config = Config::parse("case.yaml", &yaml, Path::new(""), &|name| std::env::var(name));
        let plan = config.unwrap_or_else(|errors| panic!("{errors}")).plan;
        let mut event = json!({ "type": "track" });
        if case["absent"] != true {
            event["integrations"] = case["integrations"].clone();
        }
        let record = event.to_string();
        let event = fields.read(record.as_bytes(), &plan.paths).expect("a case is an event");
        let mut owed = Vec::new();
        let routed = Routes::new(&plan, "t").route(&plan, event, &mut owed);
        let expected = if case["enabled"] == true { Ok(()) } else { Err(Skip::Integrations) };
        assert_eq!(routed, expected, "{case}");
    }
}

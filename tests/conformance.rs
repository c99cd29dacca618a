//! The cases that are the law: `tests/conformance/*.json`.

use hookcast::event::{Fields, Paths};
use hookcast::mapping::Mapping;
use hookcast::trigger::Trigger;
use serde_json::{Value, json};

/// The directives that are not in force yet.
const NOT_IN_FORCE: [&str; 1] = ["@liquid"];

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

fn uses(mapping: &Value, directive: &str) -> bool {
    match mapping {
        Value::Object(object) => {
            object.iter().any(|(key, value)| key == directive || uses(value, directive))
        }
        Value::Array(items) => items.iter().any(|item| uses(item, directive)),
        _ => false,
    }
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
    let mut checked = 0;
    for case in &cases {
        if NOT_IN_FORCE.iter().any(|directive| uses(&case["mapping"], directive)) {
            continue;
        }
        assert_eq!(mapped(case, &mut fields), case["expect"], "{case}");
        checked += 1;
    }
    assert!(checked > 100, "{checked} of {}", cases.len());
}

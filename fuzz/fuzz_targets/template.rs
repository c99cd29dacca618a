//! The text of a Liquid template: what is read is rendered, and gives text or a reason.

#![no_main]

use hookcast::event::{Fields, Paths};
use hookcast::mapping::Mapping;
use libfuzzer_sys::fuzz_target;
use serde_json::json;

const EVENT: &[u8] = br#"{
    "type": "track", "userId": "u7", "timestamp": "2026-03-01T12:00:00.123Z", "x": "2", "d": 1709164800,
    "a": [1, ["x", {"b": null}], 1.50], "big": 9007199254740993, "text": "{{a}} {% if %} \u00e9\n",
    "properties": {
        "plan": "Pro", "price": 59.90, "no": false, "empty": "", "none": null, "huge": 1e400,
        "tags": ["new", "eu"], "a b.c": "\ud800", "html": "<p>Tom &amp; \"Ann\"</p>",
        "items": [{"sku": "A1", "qty": 2}, {"sku": "B2", "qty": 1, "sku": "C3"}, 5]
    }
}"#;

fuzz_target!(|template: &str| {
    let mut paths = Paths::new();
    let Ok(mapping) = Mapping::parse(&json!({"@liquid": template}), &mut paths) else { return };
    let mut fields = Fields::new();
    let event = fields.read(EVENT, &paths).expect("a valid event");
    match mapping.text(event) {
        Ok(text) => assert!(text.is_some_and(|text| text.len() <= 1 << 20)),
        Err(error) => assert!(error.to_string().starts_with("@liquid: ")),
    }
});

//! A mapping as it stands in a configuration file: what is read is resolved with an event, and
//! gives JSON or a reason.

#![no_main]

use std::path::Path;

use hookcast::config::Config;
use hookcast::event::Fields;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

const BEFORE: &str = "\
kafka: { bootstrap.servers: 'unused:1', group.id: g }
sources: { all: { topics: [t] } }
destinations:
  d:
    actions:
      a:
        trigger: 'true'
        url: https://example.com/
        data:
";

const EVENT: &str = r#"{
    "type": "track", "event": "Signed Up", "userId": "u7", "timestamp": "2026-03-01T12:00:00.123Z",
    "a": [1, ["x", {"b": null}], 1.50], "big": 9007199254740993, "text": "{{a}} {% if %} \u00e9\n",
    "properties": {
        "plan": "Pro", "price": 59.90, "no": false, "empty": "", "none": null,
        "tags": ["new", "eu"], "a b.c": "\ud800", "html": "<p>Tom &amp; \"Ann\"</p>",
        "items": [{"sku": "A1", "qty": 2}, {"sku": "B2", "qty": 1, "sku": "C3"}, 5]
    }
}"#;

fuzz_target!(|data: &str| {
    // The mapping stands below its key, at whatever depth it is written.
    let lines = data.lines().map(|line| format!("          {line}\n"));
    let text = BEFORE.to_owned() + &lines.collect::<String>();
    let variable = |_: &str| Ok("any value".to_owned());
    let Ok(config) = Config::parse("hookcast.yaml", &text, Path::new("/nowhere"), &variable) else {
        return;
    };
    let mut fields = Fields::new();
    for action in &config.plan.actions {
        let event = fields.read(EVENT.as_bytes(), &config.plan.paths).expect("a valid event");
        let mut out = b"before".to_vec();
        match action.request.data.append_to(event, &mut out) {
            Ok(true) => {
                let payload = serde_json::from_slice::<Value>(&out[6..]);
                // What the event says of half a surrogate pair is passed on, and read by few.
                if let Err(error) = payload {
                    let shown = String::from_utf8_lossy(&out);
                    assert!(shown.contains("\\ud800"), "{error}: {shown}");
                }
            }
            Ok(false) | Err(_) => assert_eq!(out, b"before"),
        }
        let _ = action.request.data.text(event);
    }
});

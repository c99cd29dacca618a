//! The text of a trigger: what parses is printed, parsed again and evaluated.

#![no_main]

use hookcast::event::{Fields, Paths};
use hookcast::trigger::Trigger;
use libfuzzer_sys::fuzz_target;

const EVENT: &[u8] = br#"{
    "type": "track", "event": "Signed Up", "userId": "u7", "a": [1, ["x", {"b": null}], 1.50],
    "properties": {
        "plan": "Pro", "price": 100, "big": 9007199254740993, "tiny": -1e-400, "no": false,
        "empty": "", "none": null, "tags": ["new", "eu"], "a b.c": "\u00e9\ud83d\ude00",
        "items": [{"sku": "A1", "qty": 2}], "version": "2.10.1-rc1"
    },
    "context": {"page": {"url": "https://shop.example.com/cart"}}
}"#;

fuzz_target!(|text: &str| {
    let mut paths = Paths::new();
    let trigger = match Trigger::parse(text, &mut paths) {
        Ok(trigger) => trigger,
        Err(error) => {
            assert!(text.get(error.at.clone()).is_some(), "{error} at {:?}", error.at);
            return;
        }
    };
    let printed = trigger.to_string();
    // What is printed may be longer than a trigger may be.
    let again = Trigger::parse(&printed, &mut paths);
    if printed.len() <= 5_120 {
        assert_eq!(Ok(&trigger), again.as_ref(), "{printed}");
    }
    let mut fields = Fields::new();
    let event = fields.read(EVENT, &paths).expect("a valid event");
    let matches = trigger.matches(event);
    if let Ok(again) = again {
        assert_eq!(again.matches(event), matches, "{printed}");
    }
    assert!(!trigger.explain(event).is_empty(), "{printed}");
});

//! The bytes of a record: the scan agrees with `serde_json`, about what is an object and about what
//! stands in it.

#![no_main]

use hookcast::event::{Fields, Path, Paths};
use hookcast::mapping::Mapping;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

const PATHS: [&[&str]; 9] = [
    &[],
    &["type"],
    &["a"],
    &["a", "b"],
    &["a", "b", "0"],
    &["a", "0", "b"],
    &["properties", "items", "1", "sku"],
    &["", ""],
    &["0"],
];

fuzz_target!(|record: &[u8]| {
    let mut paths = Paths::new();
    let asked = PATHS.map(|keys| Path::new(keys.iter().copied()));
    let ids = asked.clone().map(|path| paths.intern(path));
    let mut fields = Fields::new();
    let read = fields.read(record, &paths);
    let behind_prefix = match record.first() {
        Some(0) => record.get(5..).unwrap_or_default(),
        _ => record,
    };
    let document = serde_json::from_slice::<Value>(behind_prefix);
    let event = match (read, &document) {
        (Ok(event), _) => event,
        (Err(error), Ok(value)) => {
            assert!(!value.is_object(), "{error}: an object to serde_json");
            return;
        }
        (Err(_), Err(_)) => return,
    };
    for (path, id) in asked.iter().zip(ids) {
        let found = event.find(id).map(hookcast::event::Value::text);
        assert_eq!(found, event.value().walk(path).map(hookcast::event::Value::text), "{path:?}");
        if let Ok(document) = &document {
            let found = found.map(|text| serde_json::from_str::<Value>(text).expect("valid"));
            assert_eq!(found.as_ref(), walk(document, path), "{path:?}");
        }
    }
    if let Err(error) = document {
        // serde_json knows no half of a surrogate pair and no more than 128 levels; the grammar
        // has both.
        let error = error.to_string();
        let known = ["surrogate", "hex escape", "recursion limit"];
        assert!(known.iter().any(|known| error.contains(known)), "{error}: valid to the scan");
    }
    let mut out = Vec::new();
    assert_eq!(Mapping::whole_event().append_to(event, &mut out), Ok(true));
    assert_eq!(out, behind_prefix);
});

fn walk<'v>(value: &'v Value, path: &Path) -> Option<&'v Value> {
    path.keys().try_fold(value, |value, key| match value {
        Value::Object(object) => object.get(key),
        Value::Array(array) if key == "0" || !key.starts_with(['0', '+']) => {
            array.get(key.parse::<usize>().ok()?)
        }
        _ => None,
    })
}

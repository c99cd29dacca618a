//! The scan against `serde_json`, on seeded noise: the same verdict on validity (within
//! `serde_json`'s limits) and the same values at every path.

mod noise;

use hookcast::event::{Event, Fields, Path, PathId, Paths};
use noise::Noise;
use serde_json::Value;

/// What the generator draws keys from, so that paths meet them often.
const KEYS: [&str; 8] = ["a", "b", "type", "0", "1", "2", "", "ключ"];

fn some_paths(noise: &mut Noise) -> (Paths, Vec<(Path, PathId)>) {
    let mut paths = Paths::new();
    let mut asked = Vec::new();
    for _ in 0..noise.below(12) {
        let keys: Vec<&str> = (0..noise.below(4)).map(|_| *noise.pick(&KEYS)).collect();
        let path = Path::new(keys);
        asked.push((path.clone(), paths.intern(path)));
    }
    (paths, asked)
}

fn walk<'v>(value: &'v Value, path: &Path) -> Option<&'v Value> {
    path.keys().try_fold(value, |value, key| match value {
        Value::Object(object) => object.get(key),
        Value::Array(array) if key == "0" || !key.starts_with('0') => {
            array.get(key.parse::<usize>().ok()?)
        }
        _ => None,
    })
}

fn agrees(event: Event<'_>, asked: &[(Path, PathId)], value: &Value) {
    for (path, id) in asked {
        let found = event.find(*id).map(hookcast::event::Value::text);
        let walked = event.value().walk(path).map(hookcast::event::Value::text);
        assert_eq!(found, walked, "{path:?} in {}", event.text());
        let found: Option<Value> = found.map(|text| serde_json::from_str(text).expect("valid"));
        assert_eq!(found.as_ref(), walk(value, path), "{path:?} in {}", event.text());
    }
}

#[test]
fn found_values_are_those_of_a_walk_also_where_keys_repeat() {
    let mut fields = Fields::new();
    for seed in 0..20_000 {
        let mut noise = Noise::seeded(seed);
        let (paths, asked) = some_paths(&mut noise);
        let mut text = String::new();
        noise.object(&KEYS, 5, &mut text);
        let value: Value = serde_json::from_str(&text).expect("generated JSON is valid");
        let event = fields.read(text.as_bytes(), &paths);
        agrees(event.expect(&text), &asked, &value);
    }
}

#[test]
fn mutated_json_is_valid_exactly_where_serde_json_says_so() {
    let mut fields = Fields::new();
    let (mut valid, mut invalid) = (0, 0);
    for seed in 0..60_000 {
        let mut noise = Noise::seeded(seed);
        let (paths, asked) = some_paths(&mut noise);
        let mut text = String::new();
        noise.object(&KEYS, 4, &mut text);
        let mut bytes = text.into_bytes();
        noise.mutate(&mut bytes);
        if bytes.first() == Some(&0) {
            continue;
        }
        let expected = serde_json::from_slice::<Value>(&bytes);
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        match (fields.read(&bytes, &paths), expected) {
            (Ok(event), Ok(value)) => {
                assert!(value.is_object(), "{shown}");
                agrees(event, &asked, &value);
                valid += 1;
            }
            (Err(_), Err(_)) => invalid += 1,
            (Err(error), Ok(value)) => assert!(!value.is_object(), "{error}: {shown}"),
            // serde_json refuses half a surrogate pair, which the grammar allows.
            (Ok(_), Err(error)) => {
                let known = error.to_string();
                assert!(
                    known.contains("surrogate") || known.contains("hex escape"),
                    "{known}: {shown}"
                );
            }
        }
    }
    assert!(valid > 5_000 && invalid > 5_000, "{valid} valid, {invalid} invalid");
}

#[test]
fn bytes_at_random_never_panic() {
    let mut fields = Fields::new();
    let mut paths = Paths::new();
    paths.intern(Path::new(["a", "0"]));
    for seed in 0..50_000 {
        let mut noise = Noise::seeded(seed);
        let bytes: Vec<u8> = (0..noise.below(40))
            .map(|_| *noise.pick(b"{}[]\",:\\u0123abcdeEft.+- \n\x00\x7f\xc3\xa9\xff"))
            .collect();
        let _ = fields.read(&bytes, &paths);
    }
}

#[test]
fn a_million_levels_cost_no_stack() {
    let mut fields = Fields::new();
    let mut paths = Paths::new();
    let deep = paths.intern(Path::new(["x", "a", "a"]));
    let behind = paths.intern(Path::new(["y"]));
    for levels in [63, 64, 65, 127, 128, 129, 10_000, 1_000_000] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]")] {
            let nest = format!("{}1{}", open.repeat(levels), close.repeat(levels));
            let record = format!("{{\"x\":{nest},\"y\":2}}");
            let event = fields.read(record.as_bytes(), &paths).expect("depth is no error");
            assert_eq!(event.find(behind).expect("found").text(), "2");
            let _ = event.find(deep);
            let short = format!("{{\"x\":{},\"y\":2}}", &nest[..nest.len() - 1]);
            assert!(fields.read(short.as_bytes(), &paths).is_err());
        }
        let crossed = format!("{{\"x\":{}{}]}}", "[".repeat(levels), "}".repeat(levels));
        assert!(fields.read(crossed.as_bytes(), &paths).is_err());
    }
}

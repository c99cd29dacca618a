//! Mappings at random, of events at random: no panic, and every result is JSON.

mod noise;

use hookcast::event::{Fields, Paths};
use hookcast::mapping::Mapping;
use noise::Noise;
use serde_json::{Value, json};

const PATHS: [&str; 10] =
    ["$.", "a", "a.b", "a[0]", "b['0'].a", "type", "a..", "[x", "ключ", "0.1"];

fn mapping(noise: &mut Noise, depth: usize) -> Value {
    if depth == 0 {
        return match noise.below(4) {
            0 => json!(null),
            1 => json!("{{a}} {{{b.0}}} {{"),
            2 => json!(noise.below(3)),
            _ => json!({"@path": noise.pick(&PATHS)}),
        };
    }
    let next = |noise: &mut Noise| mapping(noise, depth - 1);
    match noise.below(16) {
        0 => json!({"x": next(noise), "a": next(noise)}),
        1 => json!([next(noise), next(noise)]),
        2 => json!({"@template": "{{a}} {{{b.0}}} {{ $. }} {{"}),
        3 => json!({"@template": next(noise)}),
        4 => json!({"@path": next(noise)}),
        5 => json!({"@if": {"exists": next(noise), "then": next(noise), "else": next(noise)}}),
        6 => json!({"@if": {"blank": next(noise), "then": next(noise)}}),
        7 => json!({"@case": {"operator": "upper", "value": next(noise)}}),
        8 => json!({"@replace": {"pattern": "e", "ignorecase": true, "value": next(noise)}}),
        9 => json!({"@arrayPath": [next(noise), next(noise)]}),
        10 => json!({"@json": {"mode": noise.pick(&["encode", "decode"]), "value": next(noise)}}),
        11 => json!({"@flatten": {"separator": "/", "value": next(noise)}}),
        12 => json!({"@merge": {"direction": "right", "objects": [next(noise), next(noise)]}}),
        13 => json!({"@transform": {"apply": next(noise), "mapping": next(noise)}}),
        14 => json!({"@excludeWhenNull": next(noise)}),
        _ => json!({"@literal": next(noise)}),
    }
}

#[test]
fn every_result_is_json_and_every_failure_leaves_nothing_behind() {
    let mut fields = Fields::new();
    let (mut resolved, mut refused) = (0, 0);
    for seed in 0..40_000 {
        let mut noise = Noise::seeded(seed);
        let mut paths = Paths::new();
        let value = mapping(&mut noise, 3);
        let Ok(mapping) = Mapping::parse(&value, &mut paths) else {
            refused += 1;
            continue;
        };
        let mut record = String::new();
        noise.object(&["a", "b", "type", "ключ", "0"], 4, &mut record);
        let event = fields.read(record.as_bytes(), &paths).expect("a valid event");
        let mut out = b"before".to_vec();
        match mapping.append_to(event, &mut out) {
            Ok(true) => {
                let result = serde_json::from_slice::<Value>(&out[6..]);
                assert!(result.is_ok(), "{value} of {record}: {}", String::from_utf8_lossy(&out));
                resolved += 1;
            }
            Ok(false) | Err(_) => assert_eq!(out, b"before", "{value} of {record}"),
        }
        let _ = mapping.text(event);
    }
    assert!(resolved > 10_000 && refused > 1_000, "{resolved} resolved, {refused} refused");
}

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
    match noise.below(20) {
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
        15 => json!({"@liquid": template(noise, 2)}),
        16 => {
            json!({"@merge": {"direction": "left", "objects": [next(noise), {"a": next(noise)}]}})
        }
        17 => json!({"@arrayPath": [noise.pick(&PATHS), {"x": {"@liquid": template(noise, 1)}}]}),
        18 => json!({"@replace": {
            "pattern": "1", "replacement": "\"", "global": false,
            "pattern2": "\"", "replacement2": "\\", "value": next(noise),
        }}),
        _ => json!({"@literal": next(noise)}),
    }
}

const VALUES: [&str; 16] = [
    "a",
    "b.a",
    "a[0]",
    "b[-1].a",
    "a.size",
    "['0'].b.first",
    "x",
    "forloop.index",
    "a[b]",
    "'1,a'",
    "1.50",
    "-7",
    "nil",
    "empty",
    "(1..a)",
    "\"é{{\"",
];

const FILTERS: [&str; 56] = [
    "abs",
    "append: 'x'",
    "at_least: 2",
    "at_most: a",
    "base64_decode",
    "base64_encode",
    "capitalize",
    "ceil",
    "compact: 'a'",
    "concat: b",
    "date: '%Y-%j %s'",
    "date: '%99999Y%N%'",
    "default: a",
    "divided_by: 3",
    "divided_by: a",
    "downcase",
    "escape",
    "escape_once",
    "first",
    "floor",
    "join: a",
    "json",
    "last",
    "lstrip",
    "map: 'a'",
    "minus: a",
    "modulo: -3",
    "newline_to_br",
    "plus: '1e400'",
    "prepend: a",
    "remove: 'e'",
    "remove_first: ''",
    "remove_last: ''",
    "replace: '', a",
    "replace_first: a, 'é'",
    "replace_last: 'e', ''",
    "reverse",
    "round: 2",
    "rstrip",
    "size",
    "slice: -2, 9",
    "slice: a",
    "sort: 'a'",
    "sort_natural",
    "split: ''",
    "split: a",
    "strip_html",
    "sum: 'a'",
    "times: a",
    "to_integer",
    "truncate: 2, 'é'",
    "truncatewords: a",
    "uniq",
    "upcase",
    "url_decode",
    "where: 'a', 1",
];

fn template(noise: &mut Noise, depth: usize) -> String {
    let chain = |noise: &mut Noise| {
        let filters = (0..noise.below(4)).map(|_| format!(" | {}", noise.pick(&FILTERS)));
        let filters: String = filters.collect();
        format!("{}{filters}", noise.pick(&VALUES))
    };
    let next = |noise: &mut Noise| match depth {
        0 => "é\n".to_owned(),
        _ => template(noise, depth - 1),
    };
    let (one, two) = (*noise.pick(&VALUES), *noise.pick(&VALUES));
    match noise.below(9) {
        0 => format!(" {{{{- {} -}}}} {}", chain(noise), next(noise)),
        1 => format!("{{% assign a = {} %}}{}", chain(noise), next(noise)),
        2 => format!("{{% capture b %}}{}{{% endcapture %}}{{{{ b }}}}", next(noise)),
        3 => {
            let by = *noise.pick(&["==", "<", ">=", "!=", "contains", "and", "or"]);
            format!("{{% if {one} {by} {two} %}}{}{{% else %}}-{{% endif %}}", next(noise))
        }
        4 => {
            let order = *noise.pick(&["", "reversed", "limit: 2", "offset: a"]);
            format!("{{% for x in {one} {order} %}}{}{{% endfor %}}", next(noise))
        }
        5 => format!("{{% case {one} %}}{{% when {two}, 1 %}}{}{{% endcase %}}", next(noise)),
        6 => format!("{{% cycle {one}, {two} %}}{{% increment a %}}{}", next(noise)),
        7 => format!("{{% raw %}}{{{{ x }}{{% endraw %}}{}", next(noise)),
        _ => format!("{{{{ {} }}}}{}", chain(noise), next(noise)),
    }
}

#[test]
fn every_template_gives_text_or_a_reason() {
    let mut fields = Fields::new();
    let (mut rendered, mut failed) = (0, 0);
    for seed in 0..20_000 {
        let mut noise = Noise::seeded(seed);
        let mut template = template(&mut noise, 3).into_bytes();
        if noise.below(4) == 0 {
            noise.mutate(&mut template);
        }
        let Ok(template) = String::from_utf8(template) else { continue };
        let mut paths = Paths::new();
        let Ok(mapping) = Mapping::parse(&json!({"@liquid": template}), &mut paths) else {
            continue;
        };
        let mut record = String::new();
        noise.object(&["a", "b", "type", "ключ", "0"], 4, &mut record);
        let event = fields.read(record.as_bytes(), &paths).expect("a valid event");
        match mapping.text(event) {
            Ok(text) => rendered += usize::from(text.is_some()),
            Err(error) => {
                assert!(error.to_string().starts_with("@liquid: "), "{error}");
                failed += 1;
            }
        }
    }
    assert!(rendered > 10_000 && failed > 100, "{rendered} rendered, {failed} failed");
}

#[test]
fn the_whole_event_is_passed_through_byte_for_byte() {
    let mut fields = Fields::new();
    for seed in 0..20_000 {
        let mut noise = Noise::seeded(seed);
        let mut object = String::new();
        noise.object(&["a", "b", "type", "ключ", "0", ""], 5, &mut object);
        let white = |noise: &mut Noise| *noise.pick(&["", " ", "\r\n", "\t \n"]);
        let text = format!("{}{object}{}", white(&mut noise), white(&mut noise));
        let prefix: &[u8] = noise.pick::<&[u8]>(&[b"", b"\x00\x00\x00\x01\xff"]);
        let record = [prefix, text.as_bytes()].concat();
        for mapping in
            [json!({"@path": "$."}), json!({"e": {"@path": ""}, "t": {"@liquid": "{{ a }}"}})]
        {
            let mut paths = Paths::new();
            let mapping = Mapping::parse(&mapping, &mut paths).expect("a mapping");
            let event = fields.read(&record, &paths).expect("a valid event");
            let mut out = Vec::new();
            let is_there = mapping.append_to(event, &mut out);
            if mapping.is_whole_event() {
                assert_eq!((is_there, &*out), (Ok(true), text.as_bytes()), "seed {seed}");
            } else if is_there.is_ok() {
                let begin = format!("{{\"e\":{object},\"t\":\"");
                assert!(out.starts_with(begin.as_bytes()), "seed {seed}: {text}");
            }
        }
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

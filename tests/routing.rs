//! Routing against doing it the slow way: every trigger is evaluated alone, on an event that was
//! read for it alone. Seeded plans and events, in which both are made of few words, so that they
//! meet.

mod noise;

use std::collections::HashMap;
use std::env::VarError;
use std::fmt::Write as _;
use std::path::Path;

use hookcast::config::Config;
use hookcast::event::{Fields, Paths};
use hookcast::plan::{ActionId, Plan};
use hookcast::routing::{Routes, Skip};
use hookcast::trigger::Trigger;
use noise::Noise;
use serde_json::Value;

/// Texts as a trigger writes them. Half a surrogate pair is read as U+FFFD.
const TEXTS: [&str; 8] =
    ["'track'", "'page'", "'A'", "'B'", "''", "'é'", r#"'q"\\'"#, "'\u{fffd}'"];

/// The same texts, and others, as JSON writes them.
const VALUES: [&str; 23] = [
    r#""track""#,
    r#""tra\u0063k""#,
    r#""page""#,
    r#""A""#,
    r#""\u0041""#,
    r#""B""#,
    r#""""#,
    r#""é""#,
    r#""\u00e9""#,
    r#""q\"\\""#,
    r#""\ud800""#,
    "\"\u{fffd}\"",
    r#""a""#,
    r#""5""#,
    "5",
    "5.0",
    "true",
    "false",
    "null",
    "[]",
    r#"["A", "track", 5, null]"#,
    r#"{"a": "A"}"#,
    "{}",
];

const FIELDS: [&str; 7] =
    ["type", "event", "name", "properties.a", "properties.b", "properties.b.0", "properties.b.a"];

fn literal(noise: &mut Noise) -> &'static str {
    const OTHERS: [&str; 5] = ["5", "true", "false", "null", "['A']"];
    if noise.below(3) > 0 { noise.pick::<&str>(&TEXTS) } else { noise.pick::<&str>(&OTHERS) }
}

fn operand(noise: &mut Noise) -> String {
    const CONVERSIONS: [&str; 9] = [
        "lowercase",
        "uppercase",
        "snakecase",
        "titlecase",
        "length",
        "typeof",
        "string",
        "number",
        "bool",
    ];
    match noise.below(8) {
        0 => literal(noise).to_owned(),
        1 => format!("{}({})", noise.pick(&CONVERSIONS), operand(noise)),
        2 => format!("contains({}, {})", noise.pick(&FIELDS), literal(noise)),
        _ => (*noise.pick(&FIELDS)).to_owned(),
    }
}

fn comparison(noise: &mut Noise) -> String {
    let list = |noise: &mut Noise| {
        let items: Vec<&str> = (0..noise.below(4)).map(|_| literal(noise)).collect();
        format!("[{}]", items.join(", "))
    };
    match noise.below(12) {
        0..4 => format!("{} = {}", noise.pick(&FIELDS), noise.pick(&TEXTS)),
        4 => format!("{} = {}", literal(noise), operand(noise)),
        5 => format!("{} != {}", operand(noise), literal(noise)),
        6 => format!("{} in {}", operand(noise), list(noise)),
        7 => format!("{} in {}", operand(noise), noise.pick(&FIELDS)),
        8 => format!("{} {} {}", operand(noise), noise.pick(&["<", ">="]), operand(noise)),
        9 => format!("match({}, '[A-z]*')", operand(noise)),
        10 => format!("semver({}, '!=', {})", operand(noise), operand(noise)),
        _ => operand(noise),
    }
}

fn trigger(noise: &mut Noise, depth: usize) -> String {
    match noise.below(if depth == 0 { 1 } else { 7 }) {
        0 => comparison(noise),
        1 => format!("!({})", trigger(noise, depth - 1)),
        2..5 => format!("({}) and ({})", trigger(noise, depth - 1), trigger(noise, depth - 1)),
        _ => format!("({}) or ({})", trigger(noise, depth - 1), trigger(noise, depth - 1)),
    }
}

/// The member of an object with this key, or nothing, or two of them.
fn member(noise: &mut Noise, key: &str, value: &dyn Fn(&mut Noise) -> String) -> Vec<String> {
    let times = *noise.pick(&[0, 1, 1, 1, 1, 1, 1, 2]);
    let escaped = format!("\\u{:04x}{}", u32::from(key.as_bytes()[0]), &key[1..]);
    let written = |noise: &mut Noise| if noise.below(5) == 0 { escaped.as_str() } else { key };
    (0..times).map(|_| format!(r#""{}":{}"#, written(noise), value(noise))).collect()
}

fn object(members: impl IntoIterator<Item = Vec<String>>) -> String {
    format!("{{{}}}", members.into_iter().flatten().collect::<Vec<_>>().join(","))
}

fn record(noise: &mut Noise) -> String {
    let any = |noise: &mut Noise| (*noise.pick(&VALUES)).to_owned();
    let call = |noise: &mut Noise| (*noise.pick(&VALUES[..3])).to_owned();
    let flag = |noise: &mut Noise| (*noise.pick(&["true", "false", "null", "{}"])).to_owned();
    let properties = |noise: &mut Noise| object(["a", "b"].map(|key| member(noise, key, &any)));
    let permits = |noise: &mut Noise| match noise.below(3) {
        0 => object(["All", "Crm"].map(|key| member(noise, key, &flag))),
        _ => any(noise),
    };
    object([
        member(noise, "type", &call),
        member(noise, "event", &any),
        member(noise, "name", &any),
        member(noise, "properties", &properties),
        member(noise, "integrations", &permits),
    ])
}

/// What the test knows of a destination, and of each of its actions.
struct Destination {
    sources: &'static str,
    integration: &'static str,
    enabled: bool,
    actions: Vec<Action>,
}

struct Action {
    enabled: bool,
    trigger: String,
}

/// Half of the triggers are used over and over.
fn destinations(noise: &mut Noise) -> Vec<Destination> {
    let favourites: Vec<String> = (0..3).map(|_| trigger(noise, 2)).collect();
    let action = |noise: &mut Noise| Action {
        enabled: noise.below(6) > 0,
        trigger: if noise.below(2) == 0 {
            noise.pick(&favourites).clone()
        } else {
            trigger(noise, 3)
        },
    };
    let destination = |noise: &mut Noise| Destination {
        sources: noise.pick::<&str>(&[
            "[one]",
            "[two]",
            "[two, one]",
            "[one, two, three]",
            "[three]",
        ]),
        integration: noise.pick::<&str>(&["Crm", "Webhook"]),
        enabled: noise.below(6) > 0,
        actions: (0..=noise.below(8)).map(|_| action(noise)).collect(),
    };
    (0..=noise.below(4)).map(|_| destination(noise)).collect()
}

/// The first and the second source share the topic `both`.
fn plan(destinations: &[Destination]) -> Plan {
    let mut yaml = "kafka: { bootstrap.servers: 'unused:1', group.id: g }
sources: { one: { topics: [one, both] }, two: { topics: [two, '^bo'] }, three: { topics: [x] } }
destinations:
"
    .to_owned();
    for (number, destination) in destinations.iter().enumerate() {
        let Destination { sources, integration, enabled, actions } = destination;
        write!(
            yaml,
            "  d{number}:
    enabled: {enabled}
    sources: {sources}
    integration: {integration}
    actions:
"
        )
        .expect("writing to memory");
        for (number, Action { enabled, trigger }) in actions.iter().enumerate() {
            write!(
                yaml,
                "      a{number}:
        enabled: {enabled}
        url: https://example.com
        trigger: |-
          {trigger}
"
            )
            .expect("writing to memory");
        }
    }
    let variable = |_: &str| Err(VarError::NotPresent);
    let config = Config::parse("plan.yaml", &yaml, Path::new(""), &variable);
    config.unwrap_or_else(|errors| panic!("{errors}\n{yaml}")).plan
}

/// Whether the trigger matches, all by itself.
fn matches(trigger: &str, record: &str) -> bool {
    let (mut paths, mut fields) = (Paths::new(), Fields::new());
    let trigger = Trigger::parse(trigger, &mut paths).expect(trigger);
    trigger.matches(fields.read(record.as_bytes(), &paths).expect(record))
}

/// What a record of the topic `both` is owed to, by asking one action after the other.
fn slowly(destinations: &[Destination], record: &str) -> Result<Vec<ActionId>, Skip> {
    // serde_json refuses half a surrogate pair.
    let document: Value =
        serde_json::from_str(&record.replace(r"\ud800", "\u{fffd}")).expect("valid JSON");
    if !["track", "page"].iter().any(|call| document["type"] == **call) {
        return Err(Skip::UnsupportedType);
    }
    let says = |name: &str| document["integrations"].get(name).filter(|says| !says.is_null());
    let (mut triggered, mut owed, mut next) = (false, Vec::new(), 0);
    for destination in destinations {
        let hears = destination.enabled
            && ["one", "two"].iter().any(|source| destination.sources.contains(source));
        let forbids = says(destination.integration).or(says("All")) == Some(&Value::Bool(false));
        for action in &destination.actions {
            if hears && action.enabled && matches(&action.trigger, record) {
                triggered = true;
                owed.extend((!forbids).then_some(ActionId(next)));
            }
            next += 1;
        }
    }
    match (owed.is_empty(), triggered) {
        (false, _) => Ok(owed),
        (true, true) => Err(Skip::Integrations),
        (true, false) => Err(Skip::Unmatched),
    }
}

#[test]
fn an_event_is_owed_to_the_actions_whose_triggers_match_it_when_asked_one_by_one() {
    let mut fields = Fields::new();
    let mut seen: HashMap<Result<(), Skip>, usize> = HashMap::new();
    for seed in 0..1_000 {
        let mut noise = Noise::seeded(seed);
        let destinations = destinations(&mut noise);
        let plan = plan(&destinations);
        let mut routes = Routes::new(&plan, "both");
        let mut owed = Vec::new();
        for _ in 0..30 {
            let record = record(&mut noise);
            let event = fields.read(record.as_bytes(), &plan.paths).expect(&record);
            let outcome = routes.route(&plan, event, &mut owed);
            *seen.entry(outcome).or_default() += 1;
            let outcome = outcome.map(|()| owed.clone());
            assert_eq!(outcome, slowly(&destinations, &record), "seed {seed}: {record}");
        }
    }
    assert!(seen.len() == 4 && seen.values().all(|times| *times > 500), "{seen:?}");
}

#[test]
fn triggers_of_the_same_text_are_one() {
    let triggers = ["type='a' and b=1", "type='a' and b=1", "b=1 and type='a'"];
    let action = |trigger: &&str| Action { enabled: true, trigger: (*trigger).to_owned() };
    let actions = triggers.iter().map(action).collect();
    let plan =
        plan(&[Destination { sources: "[one]", integration: "Crm", enabled: true, actions }]);
    let [first, second, third] = [0, 1, 2].map(|action| plan.actions[action].trigger);
    assert_eq!(first, second);
    assert_ne!(second, third);
    assert_eq!(plan.triggers.len(), 2);
}

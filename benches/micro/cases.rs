//! What is measured, each on the event of the other benchmark.

use std::env::VarError;
use std::fmt::Write;
use std::hint::black_box;
use std::path::Path;

use hookcast::config::Config;
use hookcast::event::{Fields, Paths};
use hookcast::mapping::Mapping;
use hookcast::plan::Plan;
use hookcast::routing::Routes;
use hookcast::trigger::Trigger;
use serde_json::{Value, json};

use crate::events;
use crate::measure::{Aim, Case};

/// What three actions might want, one of which the event is owed to.
const TYPICAL: [&str; 3] = [
    r#"type = "track" and event = "Order Completed" and properties.total >= 20"#,
    r#"type = "track" and event in ["Signed Up", "Signed In"] and context.locale = "en-GB""#,
    r#"type = "identify" or (type = "page" and contains(context.page.path, "checkout"))"#,
];

const MANY: usize = 10_000;
const MATCHING: usize = 5;

/// Everything, in the order in which it is shown.
pub fn all() -> Vec<Case> {
    let mut cases = reading();
    cases.extend(routing());
    cases.extend(mapping());
    cases.extend(parsing());
    cases
}

/// Events that differ as those of a topic do, so that no two in a row are the same.
fn events() -> Vec<Vec<u8>> {
    let mut writer = events::Writer::new();
    (0..64).map(|number| writer.write(number * 1_618_033).to_vec()).collect()
}

/// The event for the turn with this number.
fn pick(events: &[Vec<u8>], turn: usize) -> &[u8] {
    black_box(&events[turn % events.len()])
}

fn reading() -> Vec<Case> {
    const GROUP: &str = "reading";
    const DOCUMENT: &str = "a `serde_json::Value` of it";
    let read = |name, triggers: &[&str]| {
        let mut paths = Paths::new();
        for trigger in triggers {
            Trigger::parse(trigger, &mut paths).expect("a trigger");
        }
        let (events, mut fields) = (events(), Fields::new());
        Case::new(GROUP, name, move |turn| {
            black_box(fields.read(pick(&events, turn), &paths)).expect("an event");
        })
    };
    let events = events();
    let document = Case::new(GROUP, DOCUMENT, move |turn| {
        black_box(serde_json::from_slice::<Value>(pick(&events, turn))).expect("an event");
    });
    vec![
        document,
        read("checked, nothing asked for", &[]).beside(DOCUMENT, None),
        read("what three triggers read", &TYPICAL).beside(DOCUMENT, Some(Aim(0.35))),
    ]
}

/// Reading an event and routing it: all that is done for one that is owed to nobody.
fn routing() -> Vec<Case> {
    const GROUP: &str = "reading and routing";
    const ALONE: &str = "5 actions, all match";
    let route = |name: &str, triggers: Vec<String>, owed_to: usize| {
        let plan = plan(&triggers);
        let mut routes = Routes::new(&plan, "events");
        let (events, mut fields, mut owed) = (events(), Fields::new(), Vec::new());
        Case::new(GROUP, name, move |turn| {
            let event = fields.read(pick(&events, turn), &plan.paths).expect("an event");
            let _ = black_box(routes.route(&plan, event, &mut owed));
            assert_eq!(owed.len(), owed_to, "the event is owed to others");
        })
    };
    let among = |count: usize, other: &dyn Fn(usize) -> String| {
        let mut triggers: Vec<String> = (MATCHING..count).map(other).collect();
        let every = triggers.len() / MATCHING;
        for (at, matching) in matching().into_iter().enumerate() {
            triggers.insert(at * (every + 1), matching);
        }
        triggers
    };
    let event = |n| format!(r#"type = "track" and event = "Event {n}" and properties.total > {n}"#);
    // As long as two of the event's own, so that it is not the length that tells them apart.
    let property = |n| format!(r#"type = "track" and properties.of_{n:05} > 100"#);
    let shared = |_| r#"type = "track" and properties.total > 1000"#.to_owned();
    let hopeless = |n| format!(r#"type = "track" and properties.total > {}"#, 1000 + n);
    vec![
        route(ALONE, matching(), MATCHING),
        route("1 action, it matches", matching()[..1].to_vec(), 1).beside(ALONE, None),
        route("100 actions, 5 match", among(100, &event), MATCHING).beside(ALONE, Some(Aim(2.0))),
        route("10,000 actions, 5 match", among(MANY, &event), MATCHING)
            .beside(ALONE, Some(Aim(2.0))),
        route("… each with a property of its own", among(MANY, &property), MATCHING)
            .beside(ALONE, Some(Aim(2.0))),
        route("… the others share one trigger", among(MANY, &shared), MATCHING)
            .beside(ALONE, Some(Aim(2.0))),
        route("… the others differ in a number only", among(MANY, &hopeless), MATCHING)
            .beside(ALONE, None),
    ]
}

/// Triggers that the event matches, no two of them the same.
fn matching() -> Vec<String> {
    let total =
        |n| format!(r#"type = "track" and event = "Order Completed" and properties.total > {n}"#);
    (0..MATCHING).map(total).collect()
}

fn plan(triggers: &[String]) -> Plan {
    let mut yaml = String::from(
        "kafka: { bootstrap.servers: 'unused:1', group.id: g }\n\
         sources: { all: { topics: [events] } }\n\
         destinations:\n  crm:\n    actions:\n",
    );
    for (number, trigger) in triggers.iter().enumerate() {
        let action = format!("{{ trigger: '{trigger}', url: 'https://example.com/{number}' }}");
        writeln!(yaml, "      a{number}: {action}").expect("a text takes everything");
    }
    let no_variable = |_: &str| Err(VarError::NotPresent);
    let config = Config::parse("bench.yaml", &yaml, Path::new(""), &no_variable);
    config.unwrap_or_else(|errors| panic!("{errors}")).plan
}

/// Writing a payload into a body, of an event that was read.
fn mapping() -> Vec<Case> {
    const GROUP: &str = "mapping";
    let map = |name, mapping: &Value| {
        let mut paths = Paths::new();
        let mapping = Mapping::parse(mapping, &mut paths).expect("a mapping");
        let mut body = Vec::new();
        let (events, mut fields) = (events(), Fields::new());
        Case::new(GROUP, name, move |turn| {
            let event = fields.read(pick(&events, turn), &paths).expect("an event");
            body.clear();
            assert_eq!(mapping.append_to(event, &mut body), Ok(true));
            black_box(&body);
        })
    };
    let ten = json!({
        "id": { "@path": "$.messageId" },
        "user": { "@path": "$.userId" },
        "name": { "@path": "$.event" },
        "at": { "@path": "$.timestamp" },
        "page": { "@path": "$.context.page.url" },
        "locale": { "@case": { "operator": "lower", "value": { "@path": "$.context.locale" } } },
        "order": { "@path": "$.properties.order_id" },
        "total": { "@template": "{{properties.total}} {{properties.currency}}" },
        "coupon": { "@if": { "exists": { "@path": "$.properties.coupon" }, "then": true, "else": false } },
        "kind": "order",
    });
    vec![
        map("reading and the event as it is", &json!({ "@path": "$." })),
        map("reading and ten fields", &ten).beside("reading and the event as it is", None),
    ]
}

fn parsing() -> Vec<Case> {
    let parse = |trigger: &'static str| {
        Case::new("parsing", format!("`{trigger}`"), move |_| {
            let mut paths = Paths::new();
            black_box(Trigger::parse(black_box(trigger), &mut paths)).expect("a trigger");
        })
    };
    vec![parse(TYPICAL[0]), parse(TYPICAL[2])]
}

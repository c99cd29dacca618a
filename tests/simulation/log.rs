//! What a world reads: one partition's log, and a configuration that wants some of it.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use fastrand::Rng;
use hookcast::config::Config;
use hookcast::plan::{ActionId, Plan};
use hookcast::record::{Offset, Record};

/// A partition's log, with gaps as compaction and transactions leave them.
pub struct Log {
    pub records: Vec<Logged>,
}

/// One record.
pub struct Logged {
    pub offset: i64,
    pub key: Option<String>,
    /// Where a mapped URL leads; none: nowhere.
    pub host: Option<usize>,
    pub value: Option<String>,
    /// The actions that it is owed to.
    pub owed: Vec<ActionId>,
    /// No endpoint accepts it: it is refused.
    pub is_poison: bool,
    /// No endpoint can bear it: each fails.
    pub is_stubborn: bool,
    /// It is no event.
    pub is_invalid: bool,
}

impl Logged {
    pub fn record(&self) -> Record<'_> {
        Record {
            offset: Offset(self.offset),
            timestamp: Some(1_699_999_999_000 + self.offset),
            key: self.key.as_deref().map(str::as_bytes),
            value: self.value.as_deref().map(str::as_bytes),
            headers: Vec::new(),
        }
    }
}

impl Log {
    /// Mapped URLs lead to one of `hosts` hosts.
    pub fn new(random: &mut Rng, actions: usize, hosts: usize) -> Self {
        let keys = random.usize(1..8);
        let length = random.usize(1..120.max(5 * hosts));
        let mut offset = random.i64(0..5);
        let mut records = Vec::with_capacity(length);
        for _ in 0..length {
            records.push(logged(random, offset, (keys, hosts), actions));
            offset += if random.u8(0..10) == 0 { random.i64(2..20) } else { 1 };
        }
        Self { records }
    }

    /// The position behind the last record.
    pub fn end(&self) -> i64 {
        self.records.last().map_or(0, |record| record.offset + 1)
    }

    /// The index of the first record at `position` or above.
    pub fn index_at(&self, position: i64) -> usize {
        self.records.partition_point(|record| record.offset < position)
    }

    pub fn by_offset(&self) -> HashMap<i64, &Logged> {
        self.records.iter().map(|record| (record.offset, record)).collect()
    }
}

fn logged(random: &mut Rng, offset: i64, (keys, hosts): (usize, usize), actions: usize) -> Logged {
    let key = (random.u8(0..8) > 0).then(|| format!("key-{}", random.usize(0..keys)));
    let nothing = |value: Option<&str>, is_invalid| Logged {
        offset,
        key: key.clone(),
        host: None,
        value: value.map(str::to_owned),
        owed: Vec::new(),
        is_poison: false,
        is_stubborn: false,
        is_invalid,
    };
    match random.u8(0..20) {
        0 => return nothing(None, false),
        1 => return nothing(Some("no json"), true),
        2 => return nothing(Some(r#"{"type":"unknown"}"#), false),
        3 => return nothing(Some(r#"{"type":"track","integrations":{"All":false}}"#), false),
        _ => {}
    }
    // Which actions want the event stands in it: `a0`, `a1`, …
    let wanted = random.usize(0..1 << actions);
    let wants: Vec<_> = (0..actions).filter(|action| wanted & (1 << action) != 0).collect();
    let mut flags = String::new();
    for action in &wants {
        write!(flags, r#","a{action}":true"#).expect("writing to memory");
    }
    // Now and then there is no payload to be made of it.
    let data =
        if random.u8(0..25) == 0 { "17".to_owned() } else { format!(r#"{{"offset":{offset}}}"#) };
    let padding = "x".repeat(random.usize(0..300));
    let host = (random.u8(0..30) > 0).then(|| random.usize(0..hosts));
    let named = host.map_or_else(|| " ".to_owned(), |host| format!("h{host}"));
    Logged {
        offset,
        key,
        host,
        value: Some(format!(
            r#"{{"type":"track","offset":{offset},"host":"{named}","data":{data},"padding":"{padding}"{flags}}}"#
        )),
        owed: wants.into_iter().map(ActionId).collect(),
        is_poison: random.u8(0..20) == 0,
        is_stubborn: random.u8(0..40) == 0,
        is_invalid: false,
    }
}

/// Two configurations with so many actions, each different. The second one is the first one with
/// other URLs.
pub fn plans(random: &mut Rng, actions: usize) -> [Arc<Plan>; 2] {
    let mut yaml = String::from(
        "kafka: { bootstrap.servers: 'unused:1', group.id: simulation }\n\
         sources: { all: { topics: [log] } }\n\
         egress: { allow_private: true }\n\
         destinations:\n  d:\n    shared_secret: secret\n    actions:\n",
    );
    let mut changed = yaml.clone();
    for action in 0..actions {
        let batch = match random.u8(0..3) {
            0 => "false".to_owned(),
            1 => "true".to_owned(),
            _ => format!(
                "{{ max_events: {}, max_bytes: {}B, max_delay: {}ms }}",
                random.usize(1..10),
                random.usize(1..2000),
                random.usize(0..500)
            ),
        };
        let data = match random.u8(0..3) {
            0 => "{ '@path': data }",
            1 => "{ offset: { '@path': offset }, text: constant }",
            _ => "{ '@path': '$.' }",
        };
        let order = if random.u8(0..4) == 0 { "none" } else { "key" };
        let concurrency = random.usize(1..6);
        let minutes = random.usize(1..10);
        let rejections = random.choice([0, 1, 3, 1000]).expect("there is a choice");
        let first = url(random, 1);
        let second = if random.bool() { first.clone() } else { url(random, 2) };
        for (yaml, url) in [(&mut yaml, first), (&mut changed, second)] {
            write!(
                yaml,
                "      action{action}:\n        trigger: a{action} = true\n        url: {url}\n  \
                 \x20     data: {data}\n        batch: {batch}\n        delivery: {{ order: \
                 {order}, concurrency: {concurrency}, \
                  retry: {{ give_up_after: {minutes}m }}, reject_limit: {rejections} }}\n"
            )
            .expect("writing to memory");
        }
    }
    [yaml, changed].map(|yaml| {
        let variable = |name: &str| std::env::var(name);
        let config = Config::parse("simulation.yaml", &yaml, Path::new(""), &variable);
        Arc::new(config.unwrap_or_else(|errors| panic!("{errors}\n{yaml}")).plan)
    })
}

/// A constant URL, or a mapped one; each number makes others.
fn url(random: &mut Rng, number: usize) -> String {
    if random.bool() {
        format!("http://127.0.0.1:{number}/")
    } else {
        format!("{{ '@template': 'http://{{{{host}}}}.localhost:{number}/' }}")
    }
}

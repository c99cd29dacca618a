//! What a world reads: one partition's log.

use std::fmt::Write as _;

use fastrand::Rng;
use hookcast::plan::ActionId;
use hookcast::record::{Offset, Record};

use crate::bounds::Bounds;

/// A partition's log, with gaps as compaction and transactions leave them.
pub struct Log {
    /// All that were ever written.
    pub records: Vec<Logged>,
    /// The broker has deleted what lies below.
    pub begin: i64,
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
    pub fn new(mut random: Rng, actions: usize, hosts: usize, bounds: Bounds) -> Self {
        let keys = random.usize(1..8);
        let length = random.usize(1..120.max(5 * hosts)).min(bounds.records);
        let mut offset = random.i64(0..5);
        let mut records = Vec::with_capacity(length);
        for _ in 0..length {
            records.push(logged(&mut random, offset, (keys, hosts), actions));
            offset += if random.u8(0..10) == 0 { random.i64(2..20) } else { 1 };
        }
        Self { records, begin: 0 }
    }

    /// The position behind the last record.
    pub fn end(&self) -> i64 {
        self.records.last().map_or(0, |record| record.offset + 1)
    }

    /// The index of the first record at `position` or above.
    pub fn index_at(&self, position: i64) -> usize {
        self.records.partition_point(|record| record.offset < position)
    }

    /// The record at an offset that has one.
    pub fn at(&self, offset: i64) -> &Logged {
        let index = self.records.binary_search_by_key(&offset, |record| record.offset);
        &self.records[index.expect("nobody knows of other offsets")]
    }

    /// The largest value, in bytes.
    pub fn largest(&self) -> usize {
        let lengths =
            self.records.iter().map(|record| record.value.as_ref().map_or(0, String::len));
        lengths.max().unwrap_or(0)
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

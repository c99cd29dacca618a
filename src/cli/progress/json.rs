//! How far a group is, for programs: one array, an object for each partition and lane.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::standing::{Lane, Standing, Which};
use crate::record::Position;

pub(super) fn write(out: &mut impl Write, standings: &[Standing]) -> io::Result<()> {
    let mut between = "[";
    for standing in standings {
        for lane in &standing.lanes {
            write!(out, "{between}\n{}", object(standing, lane))?;
            between = ",";
        }
    }
    writeln!(out, "{}", if between == "[" { "[]" } else { "\n]" })
}

fn object(standing: &Standing, lane: &Lane) -> Value {
    let number = |position: Option<Position>| position.map(|position| position.0);
    let at = lane.at.as_ref();
    let runs = at.iter().flat_map(|at| &at.unsettled).map(|(from, to)| [from.0, to.0]);
    let mut object = Map::new();
    let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
    put("topic", json!(*standing.partition.topic));
    put("partition", json!(standing.partition.partition));
    put("position", json!(number(standing.position)));
    put("start", json!(number(standing.start)));
    put("end", json!(number(standing.end)));
    put("lag", json!(standing.lag(lane)));
    put("destination", json!(lane.destination));
    put("action", json!(lane.action));
    match &lane.which {
        Which::Whole | Which::Others => {}
        Which::Origin(origin) => drop(put("origin", json!(origin))),
        Which::Shared => drop(put("origin", json!("*"))),
    }
    put("settled_below", json!(number(at.map(|at| at.settled_below))));
    put("unsettled", json!(runs.collect::<Vec<_>>()));
    if let Some(since) = lane.failing_since {
        put("failing_since", json!(since));
    }
    if let Some(since) = lane.alone_since {
        put("alone_since", json!(since));
    }
    if !lane.is_known {
        put("unknown", json!(true));
    }
    if let Some(why) = &standing.metadata_error {
        put("metadata_error", json!(why.to_string()));
    }
    Value::Object(object)
}

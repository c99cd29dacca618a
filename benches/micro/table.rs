//! What is printed for people, and written for machines.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::figures::Summary;
use crate::measure::{Aim, Case};

/// One case in all rounds.
pub struct Row<'m> {
    case: &'m Case,
    nanoseconds: Summary,
    /// To what it is compared with: the ratio of each round, and then of these.
    ratio: Option<(Summary, Option<Aim>)>,
}

/// What the numbers of the table mean.
pub const LEGEND: &str = "\
Nanoseconds of one core for an event of 714 bytes, or for a trigger: medians of all rounds. A ratio
is to the first row of its table in the same round, then the median. `serde_json` builds its
document as it is configured here: numbers keep their text, keys their order.";

/// A row for every case; `measured` is by case and round.
pub fn rows<'m>(cases: &'m [Case], measured: &[Vec<f64>]) -> Vec<Row<'m>> {
    let summary = |numbers: &mut dyn Iterator<Item = f64>| {
        Summary::of(numbers).expect("there is a round at least")
    };
    let row = |(case, own): (&'m Case, &Vec<f64>)| {
        let ratio = case.beside.as_ref().and_then(|(name, aim)| {
            let is_it = |other: &Case| other.group == case.group && other.name == *name;
            let other = cases.iter().position(is_it)?;
            let mut ratios = own.iter().zip(&measured[other]).map(|(own, other)| own / other);
            Some((summary(&mut ratios), *aim))
        });
        Row { case, nanoseconds: summary(&mut own.iter().copied()), ratio }
    };
    cases.iter().zip(measured).map(row).collect()
}

/// As a table in markdown.
pub fn table(rows: &[Row<'_>]) -> String {
    let mut text = String::new();
    let mut group = "";
    for Row { case, nanoseconds, ratio } in rows {
        if case.group != group {
            group = case.group;
            let _ = write!(
                text,
                "\n| {group} | ns | min to max | ratio | aim |\n|---|--:|--:|--:|--:|\n"
            );
        }
        let Summary { median, min, max } = nanoseconds;
        let (ratio, aim) = match ratio {
            Some((ratio, aim)) => (
                format!("{:.2}", ratio.median),
                aim.map_or(String::new(), |Aim(most)| format!("≤ {most}")),
            ),
            None => (String::new(), String::new()),
        };
        let name = &case.name;
        let _ = writeln!(text, "| {name} | {median:.0} | {min:.0} to {max:.0} | {ratio} | {aim} |");
    }
    text
}

/// For machines.
pub fn json(rows: &[Row<'_>], rounds: usize, machine: &Value) -> Value {
    let summary = |Summary { median, min, max }: &Summary| json!({ "median": median, "min": min, "max": max });
    let cases = rows.iter().map(|Row { case, nanoseconds, ratio }| {
        json!({
            "group": case.group,
            "name": case.name,
            "nanoseconds": summary(nanoseconds),
            "beside": case.beside.as_ref().map(|(name, _)| name),
            "ratio": ratio.as_ref().map(|(ratio, _)| summary(ratio)),
            "aim": ratio.as_ref().and_then(|(_, aim)| aim.map(|Aim(most)| most)),
        })
    });
    json!({ "machine": machine, "rounds": rounds, "cases": cases.collect::<Vec<_>>() })
}

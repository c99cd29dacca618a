//! How far a group is, for people: a line for each partition and lane, and what it comes to.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use super::standing::{Lane, Standing, Which};
use crate::cli::columns::{Columns, printable};
use crate::cli::moment;
use crate::record::Position;

/// So many actions that are behind are named at the end; their lines name all of them.
const MOST_NAMED: usize = 5;

const HEADINGS: [&str; 9] =
    ["", "TOPIC", "PARTITION", "POSITION", "END", "ACTION", "UNSETTLED FROM", "LAG", "RUNS"];
/// Which of the columns hold numbers, that stand at the right.
const NUMBERS: [bool; 9] = [false, false, true, true, true, false, true, true, true];

/// One line: the columns, and what there is to say beside them.
struct Line {
    cells: [String; 9],
    note: String,
}

pub(super) fn write(out: &mut impl Write, group: &str, standings: &[Standing]) -> io::Result<()> {
    let lines: Vec<_> = standings.iter().flat_map(lines).collect();
    if !lines.is_empty() {
        let mut columns = Columns::new(HEADINGS, NUMBERS);
        for line in &lines {
            columns.fit(&line.cells);
        }
        writeln!(out, "{}", columns.line(HEADINGS, ""))?;
        for Line { cells, note } in &lines {
            writeln!(out, "{}", columns.line(cells.each_ref().map(String::as_str), note))?;
        }
        writeln!(out)?;
    }
    for standing in standings {
        if let Some(why) = &standing.metadata_error {
            let partition = &standing.partition;
            writeln!(out, "{partition}: {why}; every action starts at the position")?;
        }
    }
    writeln!(out, "{}", summary(group, standings))
}

fn lines(standing: &Standing) -> Vec<Line> {
    let cells = |state: &str, rest: [String; 4]| {
        let [action, lowest, lag, runs] = rest;
        let topic = standing.partition.topic.to_string();
        let partition = standing.partition.partition.to_string();
        let [position, end] = [standing.position, standing.end].map(shown);
        [state.to_owned(), topic, partition, position, end, action, lowest, lag, runs]
    };
    let nobody = || ["-"; 4].map(str::to_owned);
    if standing.position.is_none() {
        let note = "no position is committed".to_owned();
        return vec![Line { cells: cells("new", nobody()), note }];
    }
    if standing.lanes.is_empty() {
        let note = "no action reads it".to_owned();
        return vec![Line { cells: cells("", nobody()), note }];
    }
    let line = |lane| {
        let state = if standing.is_behind(lane) { "behind" } else { "" };
        let lowest = shown(lane.at.as_ref().map(|at| at.lowest));
        let lag = standing.lag(lane).map_or("?".to_owned(), |lag| lag.to_string());
        let runs = lane.at.as_ref().map_or(0, |at| at.unsettled.len());
        Line {
            cells: cells(state, [name(lane), lowest, lag, runs.to_string()]),
            note: note(standing, lane),
        }
    };
    standing.lanes.iter().map(line).collect()
}

fn shown(position: Option<Position>) -> String {
    position.map_or("-".to_owned(), |position| position.to_string())
}

fn action(lane: &Lane) -> String {
    format!("{}/{}", printable(&lane.destination), printable(&lane.action))
}

fn name(lane: &Lane) -> String {
    let which = match &lane.which {
        Which::Whole => "",
        Which::Origin(origin) => &format!(" at {}", printable(origin)),
        Which::Shared => " at more origins",
        Which::Others => " at other origins",
    };
    format!("{}{which}", action(lane))
}

fn note(standing: &Standing, lane: &Lane) -> String {
    let mut notes = Vec::new();
    if let Some(since) = lane.failing_since {
        notes.push(format!("failing since {}", moment::shown(since)));
    }
    if let Some(since) = lane.alone_since {
        notes.push(format!("an event failing alone since {}", moment::shown(since)));
    }
    if !lane.is_known {
        notes.push("the configuration has no such action here".to_owned());
    }
    let at = lane.at.as_ref().map(|at| at.settled_below);
    if at.zip(standing.end).is_some_and(|(at, end)| at > end) {
        notes.push("beyond the end of the log".to_owned());
    }
    if standing.end.is_none() {
        notes.push("the partition has no leader".to_owned());
    }
    notes.join(", ")
}

/// What it comes to: how much there is, and who is behind by how much in all partitions.
fn summary(group: &str, standings: &[Standing]) -> String {
    let mut behind: BTreeMap<String, (i64, BTreeSet<_>)> = BTreeMap::new();
    let mut actions = BTreeSet::new();
    for standing in standings {
        for lane in &standing.lanes {
            actions.insert(action(lane));
            if standing.is_behind(lane) {
                let (records, partitions) = behind.entry(action(lane)).or_default();
                *records += standing.lag(lane).unwrap_or(0);
                partitions.insert(&standing.partition);
            }
        }
    }
    let count = |number: usize, noun: &str| {
        format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
    };
    let how_much = format!(
        "group {group}: {}, {}",
        count(standings.len(), "partition"),
        count(actions.len(), "action")
    );
    if behind.is_empty() {
        return format!("{how_much}; none is behind");
    }
    let number = behind.len();
    let mut furthest: Vec<_> = behind.into_iter().collect();
    furthest.sort_by_key(|(_, (records, _))| std::cmp::Reverse(*records));
    let named = furthest.iter().take(MOST_NAMED).map(|(action, (records, partitions))| {
        format!("{action} ({records} offsets in {})", count(partitions.len(), "partition"))
    });
    let named = named.collect::<Vec<_>>().join(", ");
    let more = if number > MOST_NAMED { ", …" } else { "" };
    format!("{how_much}; {number} behind: {named}{more}")
}

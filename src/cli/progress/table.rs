//! How far a group is, for people: a line for each partition and lane, and what it comes to.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use super::standing::{Lane, Standing, Which};
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
        let mut widths = HEADINGS.map(str::len);
        for line in &lines {
            for (width, cell) in widths.iter_mut().zip(&line.cells) {
                *width = cell.chars().count().max(*width);
            }
        }
        let headings = Line { cells: HEADINGS.map(str::to_owned), note: String::new() };
        for line in [&headings].into_iter().chain(&lines) {
            write_line(out, line, &widths)?;
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

fn write_line(out: &mut impl Write, line: &Line, widths: &[usize]) -> io::Result<()> {
    let mut text = String::new();
    for ((cell, &width), is_number) in line.cells.iter().zip(widths).zip(NUMBERS) {
        let cell = if is_number { format!("{cell:>width$}") } else { format!("{cell:width$}") };
        text.push_str(&cell);
        text.push_str("  ");
    }
    text.push_str(&line.note);
    writeln!(out, "{}", text.trim_end())
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

/// A name that moves no cursor: what the metadata names may have been written by anybody.
fn printable(name: &str) -> String {
    name.replace(char::is_control, "\u{fffd}")
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
        notes.push(format!("failing since {}", moment(since)));
    }
    if let Some(since) = lane.alone_since {
        notes.push(format!("an event failing alone since {}", moment(since)));
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

/// A moment in UTC, to the second.
fn moment(milliseconds: i64) -> String {
    let seconds = milliseconds.div_euclid(1000);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Days since 1970 as a date, after <https://howardhinnant.github.io/date_algorithms.html>:
    // years begin in March, so that a leap day is the last of its year.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::moment;

    #[test]
    fn a_moment_is_shown_as_date_and_time() {
        for (milliseconds, shown) in [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (1_764_000_000_999, "2025-11-24T16:00:00Z"),
            (4_107_542_399_000, "2100-02-28T23:59:59Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(moment(milliseconds), shown);
        }
    }
}

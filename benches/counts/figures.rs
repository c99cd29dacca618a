//! The figures, and the file that they are kept in: a line for each case, so that a change of the
//! code shows as a change of its lines.

use std::fmt::Write as _;

/// What differs by less than this part of it does not differ. The seeds of hash maps are drawn anew
/// each time, and decide when one is tidied up: that makes up to one instruction in a thousand.
const TOLERANCE: f64 = 0.002;
const COLUMNS: [Column; 4] = [
    Column { name: "allocations", decimals: 3, least: 0.0005 },
    Column { name: "bytes", decimals: 0, least: 0.5 },
    Column { name: "instructions", decimals: 0, least: 2.0 },
    Column { name: "SHA-1", decimals: 0, least: 2.0 },
];
/// As wide as the longest name of a case and of a column.
const NAME: usize = 32;
const FIGURE: usize = 14;

const HEAD: &str = "\
# What one event takes on its way through the pure half. `make counts` writes this file, and
# `make counts ARGS=--check` fails where something takes more than is said here. Allocations count
# each time that a buffer grows. SHA-1 is told apart from the other instructions: callgrind
# simulates a processor that has to compute it in software.
";

struct Column {
    name: &'static str,
    decimals: usize,
    /// What is no more than this is no difference either.
    least: f64,
}

/// One case, for one event.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub name: String,
    pub figures: [f64; 4],
}

/// A figure that is not what the file says.
pub struct Change {
    name: String,
    column: &'static Column,
    from: f64,
    to: f64,
}

impl Change {
    /// Whether it is more than before.
    pub fn is_worse(&self) -> bool {
        self.to > self.from
    }
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, column: Column { name: column, decimals, .. }, from, to } = self;
        write!(f, "{name}: {column} {from:.decimals$} → {to:.decimals$}")?;
        if *from == 0.0 { Ok(()) } else { write!(f, " ({:+.1} %)", (to / from - 1.0) * 100.0) }
    }
}

/// What the file says when these are the figures. `counted_by` is what has counted them.
pub fn text(rows: &[Row], counted_by: &str) -> String {
    let mut text = format!("{HEAD}# Counted by {counted_by}.\n{:NAME$}", "");
    for Column { name, .. } in &COLUMNS {
        let _ = write!(text, "{name:>FIGURE$}");
    }
    for Row { name, figures } in rows {
        let _ = write!(text, "\n{name:NAME$}");
        for (Column { decimals, .. }, figure) in COLUMNS.iter().zip(figures) {
            let _ = write!(text, "{figure:>FIGURE$.decimals$}");
        }
    }
    text + "\n"
}

/// Reads the file back.
pub fn rows(text: &str) -> Vec<Row> {
    let lines = text.lines().filter(|line| !line.starts_with(['#', ' ']));
    lines.map(|line| row(line).unwrap_or_else(|| panic!("no line of figures: {line:?}"))).collect()
}

fn row(line: &str) -> Option<Row> {
    let (name, figures) = line.split_at_checked(NAME)?;
    let figures: Vec<f64> = figures
        .split_ascii_whitespace()
        .map(|figure| figure.parse().ok())
        .collect::<Option<_>>()?;
    Some(Row { name: name.trim_end().to_owned(), figures: figures.try_into().ok()? })
}

/// How `new` differs from `old`, in the cases that both have. What does not differ becomes what it
/// was, so that whoever counts the same once more writes the same.
pub fn settle(old: &[Row], new: &mut [Row]) -> Vec<Change> {
    let mut changes = Vec::new();
    for Row { name, figures } in new {
        let Some(before) = old.iter().find(|row| row.name == *name) else { continue };
        for ((column, from), to) in COLUMNS.iter().zip(before.figures).zip(figures) {
            if (*to - from).abs() <= (from * TOLERANCE).max(column.least) {
                *to = from;
            } else {
                changes.push(Change { name: name.clone(), column, from, to: *to });
            }
        }
    }
    changes
}

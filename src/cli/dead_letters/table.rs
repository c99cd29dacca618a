//! Letters for people: a line for each.
//!
//! The columns are as wide as the first lines need; they cannot know what comes after a million.

use std::io::{self, IsTerminal, Write};

use terminal_size::{Width, terminal_size};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::list::Shown;
use crate::cli::columns::{Columns, printable};
use crate::cli::moment;

/// So many lines decide how wide the columns are.
const FIRST: usize = 100;
/// What is left of an error on a narrow terminal.
const NARROWEST_ERROR: usize = 20;

const COLUMNS: usize = 8;
const NUMBERS: [bool; COLUMNS] = [false, false, false, false, false, true, true, false];

/// See the module's documentation.
pub(super) struct Table {
    headings: [&'static str; COLUMNS],
    columns: Columns<COLUMNS>,
    /// The first lines, until there are enough.
    first: Vec<([String; COLUMNS], String)>,
    is_begun: bool,
    /// How wide the terminal is; none: there is none, and nothing is shortened.
    width: Option<usize>,
}

impl Table {
    /// A table on standard output. `has_redriven`: whether it has to be said of each letter if it
    /// was redriven.
    pub(super) fn new(has_redriven: bool) -> Self {
        let is_terminal = io::stdout().is_terminal();
        let width = terminal_size().filter(|_| is_terminal).map(|(Width(width), _)| width.into());
        Self::of_width(has_redriven, width)
    }

    pub(super) fn of_width(has_redriven: bool, width: Option<usize>) -> Self {
        let state = if has_redriven { "STATE" } else { "" };
        let headings =
            ["TIME", state, "DESTINATION", "ACTION", "REASON", "STATUS", "ATTEMPTS", "ORIGIN"];
        let columns = Columns::new(headings, NUMBERS);
        Self { headings, columns, first: Vec::new(), is_begun: false, width }
    }

    /// Adds a letter, which is printed now or later.
    pub(super) fn add(&mut self, out: &mut impl Write, shown: &Shown<'_>) -> io::Result<()> {
        let cells = cells(shown);
        let error = shown.error.split_whitespace().collect::<Vec<_>>().join(" ");
        let error = printable(&error);
        if self.is_begun {
            return self.write(out, &cells, &error);
        }
        self.columns.fit(&cells);
        self.first.push((cells, error));
        if self.first.len() == FIRST { self.begin(out) } else { Ok(()) }
    }

    /// Prints what is left.
    pub(super) fn finish(&mut self, out: &mut impl Write) -> io::Result<()> {
        if self.first.is_empty() && !self.is_begun {
            return Ok(());
        }
        if !self.is_begun {
            self.begin(out)?;
        }
        writeln!(out)
    }

    fn begin(&mut self, out: &mut impl Write) -> io::Result<()> {
        self.is_begun = true;
        writeln!(out, "{}", self.columns.line(self.headings, "ERROR"))?;
        for (cells, error) in std::mem::take(&mut self.first) {
            self.write(out, &cells, &error)?;
        }
        // Whoever waits for more reads this meanwhile.
        out.flush()
    }

    fn write(&self, out: &mut impl Write, cells: &[String; 8], error: &str) -> io::Result<()> {
        let cells = cells.each_ref().map(String::as_str);
        let left = self.width.map(|width| {
            let taken = self.columns.line(cells, "x").width() - 1;
            width.saturating_sub(taken).max(NARROWEST_ERROR)
        });
        let error = left.map_or_else(|| error.to_owned(), |left| shortened(error, left));
        writeln!(out, "{}", self.columns.line(cells, &error))
    }
}

fn cells(shown: &Shown<'_>) -> [String; COLUMNS] {
    let letter = shown.letter;
    let nothing = || "-".to_owned();
    let (destination, action) = letter.address.map_or_else(
        || (nothing(), nothing()),
        |to| (printable(to.destination), printable(to.action)),
    );
    let number = |number: Option<u32>| number.map_or_else(nothing, |number| number.to_string());
    let origin = &letter.origin;
    let (topic, partition) = (printable(&origin.partition.topic), origin.partition.partition);
    [
        shown.place.timestamp.map_or_else(nothing, moment::shown),
        if shown.is_redriven { "redriven".to_owned() } else { String::new() },
        destination,
        action,
        printable(letter.reason),
        number(letter.status.map(u32::from)),
        number(letter.attempts),
        format!("{topic}/{partition}/{}", origin.offset),
    ]
}

/// The beginning of a text that is at most so wide, and a sign that there was more.
fn shortened(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut taken = 1;
    let beginning = text.chars().take_while(|character| {
        taken += character.width().unwrap_or(0);
        taken <= width
    });
    beginning.collect::<String>() + "…"
}

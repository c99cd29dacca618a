//! A trigger with carets under the parts that decided.

use std::ops::Range;

/// The widest line that is shown whole, in characters.
const WIDEST: usize = 120;
/// So much of a line that is cut is shown before the first mark.
const BEFORE: usize = 40;
/// The most lines that are shown whole; of a longer text those that are marked.
const MOST_LINES: usize = 6;

/// One line of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) text: String,
    /// The carets under it; empty where nothing is marked.
    pub(super) marks: String,
}

/// The lines of `text`, with a caret under every character of `places`.
pub(super) fn lines(text: &str, places: &[Range<usize>]) -> Vec<Line> {
    let mut start = 0;
    let mut lines: Vec<Line> = Vec::new();
    for line in text.split('\n') {
        let here = start..start + line.len();
        start += line.len() + 1;
        lines.push(marked(line, here.start, places));
    }
    if lines.len() <= MOST_LINES {
        return lines;
    }
    let mut few: Vec<Line> = Vec::new();
    let is_shown = |line: &Line| !line.marks.is_empty() || places.is_empty();
    for line in lines {
        let is_gap = few.last().is_some_and(|line| line.text == "…");
        if is_shown(&line) && few.len() < 2 * MOST_LINES {
            few.push(line);
        } else if !is_gap {
            few.push(Line { text: "…".into(), marks: String::new() });
        }
    }
    few
}

/// A line that begins at `start` in the text.
fn marked(line: &str, start: usize, places: &[Range<usize>]) -> Line {
    let mut text = String::new();
    let mut marks = String::new();
    let indented = line.len() - line.trim_start().len();
    let end = line.trim_end().len();
    for (at, character) in line[..end].char_indices() {
        let is_marked = at >= indented && places.iter().any(|place| place.contains(&(start + at)));
        text.push(if character.is_control() { ' ' } else { character });
        marks.push(if is_marked { '^' } else { ' ' });
    }
    shortened(&text, marks.trim_end())
}

/// Cuts a long line to a window around its first mark.
fn shortened(text: &str, marks: &str) -> Line {
    if text.chars().count() <= WIDEST {
        return Line { text: text.to_owned(), marks: marks.to_owned() };
    }
    let first = marks.find('^').unwrap_or(0);
    let from = if first < WIDEST - BEFORE { 0 } else { first - BEFORE };
    let window = |text: &str| text.chars().skip(from).take(WIDEST).collect::<String>();
    let before = if from > 0 { "…" } else { "" };
    let behind = if text.chars().count() > from + WIDEST { "…" } else { "" };
    let margin = if from > 0 { " " } else { "" };
    Line {
        text: format!("{before}{}{behind}", window(text)),
        marks: format!("{margin}{}", window(marks)).trim_end().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::lines;

    /// The text with its carets, as they would be printed.
    fn printed(text: &str, parts: &[&str]) -> String {
        let places: Vec<_> = parts
            .iter()
            .map(|part| {
                let at = text.find(part).expect("the part is in the text");
                at..at + part.len()
            })
            .collect();
        let lines = lines(text, &places);
        let printed = lines.iter().flat_map(|line| [&*line.text, &*line.marks]);
        printed.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn carets_stand_under_what_decided_on_every_line() {
        insta::assert_snapshot!(printed(
            "type = \"track\"\n  and (event = \"Größe\"\n    or contains(name,\n      \"x\"))",
            &["event = \"Größe\"", "contains(name,\n      \"x\")"]
        ));
    }

    #[test]
    fn a_long_line_is_cut_around_the_first_mark() {
        let text =
            format!("type = \"{}\" and event = \"b\" and {}", "x".repeat(200), "c ".repeat(99));
        let printed = printed(&text, &["event = \"b\""]);
        let [line, marks] = printed.lines().collect::<Vec<_>>()[..] else { panic!("{printed}") };
        assert!(line.starts_with("…xxx") && line.ends_with("c …"), "{line}");
        let from = marks.find('^').expect("it is marked");
        let under: String = line.chars().skip(from).take(marks.len() - from).collect();
        assert_eq!(under, "event = \"b\"");
    }

    #[test]
    fn of_many_lines_those_are_shown_that_are_marked() {
        let text = (0..40).map(|n| format!("a{n} = 1")).collect::<Vec<_>>().join("\n");
        assert_eq!(printed(&text, &["a7 = 1", "a8 = 1"]), "…\na7 = 1\n^^^^^^\na8 = 1\n^^^^^^\n…");
    }
}

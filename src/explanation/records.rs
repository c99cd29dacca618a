//! Which bytes of a file are records.
//!
//! Knows the forms in which events are kept in files: one event, an array of them, a line for
//! each, or one behind the other. The bytes of a record are left as they are, whether they make an
//! event or not: that is for whoever reads it.

use std::ops::Range;

use crate::event::{past_white_space, value_at};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The input begins like an array of events, and is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrokenArray {
    /// Where it ceases to be one.
    pub at: usize,
}

/// The places of the records in `input`; none when it holds nothing.
///
/// # Errors
/// [`BrokenArray`]: what is an element then cannot be told.
pub fn records(input: &[u8]) -> Result<Vec<Range<usize>>, BrokenArray> {
    let mark = if input.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    let from = past_white_space(input, mark);
    let to = input.trim_ascii_end().len();
    if from >= to {
        return Ok(Vec::new());
    }
    // Confluent's wire-format prefix: what follows is binary, so it is one record.
    if input[from] == 0 {
        return Ok(std::iter::once(from..to).collect());
    }
    let (values, end) = values(input, from);
    let is_valid = end == to;
    match &values[..] {
        [only] if is_valid && input[from] == b'[' => Ok(elements(input, only.clone()).0),
        _ if is_valid => Ok(values),
        _ if is_by_lines(input) => Ok(lines(&input[..to], from)),
        [first, ..] if input[from] == b'[' => {
            Err(BrokenArray { at: past_white_space(input, first.end) })
        }
        _ if input[from] == b'[' => Err(BrokenArray { at: elements(input, from..to).1 }),
        _ => Ok(with_rest(input, values, end, to)),
    }
}

/// The valid values from `at` on, and where the last of them ends.
fn values(input: &[u8], mut at: usize) -> (Vec<Range<usize>>, usize) {
    let mut values = Vec::new();
    let mut end = at;
    while let Some(value) = value_at(input, at) {
        end = value.end;
        at = past_white_space(input, end);
        values.push(value);
    }
    (values, end)
}

/// The elements of the array at `array`, and where the last of them ends, or where there should
/// be one.
fn elements(input: &[u8], array: Range<usize>) -> (Vec<Range<usize>>, usize) {
    let mut elements = Vec::new();
    let mut at = past_white_space(input, array.start + 1);
    while let Some(element) = value_at(input, at) {
        at = past_white_space(input, element.end);
        elements.push(element);
        if input.get(at) != Some(&b',') {
            break;
        }
        at = past_white_space(input, at + 1);
    }
    (elements, at)
}

/// Whether some line is an object of its own, so that every line should be one. A line that is
/// indented belongs to what surrounds it.
fn is_by_lines(input: &[u8]) -> bool {
    lines(input, 0).into_iter().any(|line| {
        let is_indented = line.start > 0 && input[line.start - 1] != b'\n';
        !is_indented && input[line.start] == b'{' && value_at(input, line.start) == Some(line)
    })
}

/// The lines from `from` on that are not empty, without the white space around them.
fn lines(input: &[u8], from: usize) -> Vec<Range<usize>> {
    let mut at = from;
    let lines = input[from..].split_inclusive(|byte| *byte == b'\n').filter_map(|line| {
        let start = at + (line.len() - line.trim_ascii_start().len());
        let end = at + line.trim_ascii_end().len();
        at += line.len();
        (start < end).then_some(start..end)
    });
    lines.collect()
}

/// The values, and what is left behind them as a last one. Values on the line on which the rest
/// begins are part of it: together they were meant to be something.
fn with_rest(
    input: &[u8],
    mut values: Vec<Range<usize>>,
    end: usize,
    to: usize,
) -> Vec<Range<usize>> {
    let mut rest = past_white_space(input, end);
    let line = input[..rest].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    while let Some(value) = values.pop_if(|value| value.end > line) {
        rest = value.start;
    }
    values.push(rest..to);
    values
}

#[cfg(test)]
mod tests {
    use super::{BrokenArray, records};

    fn found(input: &str) -> Vec<&str> {
        let records = records(input.as_bytes()).expect("no broken array");
        records.into_iter().map(|record| &input[record]).collect()
    }

    #[test]
    fn one_event_is_one_record_however_it_is_written() {
        for event in ["{}", "{\"a\":1}", "{\n  \"a\": [\n    {}\n  ]\n}", "7", "not json", "\"{}\""]
        {
            for (before, behind) in [("", ""), ("", "\n"), ("\u{feff}", "\r\n"), (" \n", "\n\n ")] {
                assert_eq!(found(&format!("{before}{event}{behind}")), [event]);
            }
        }
    }

    #[test]
    fn every_line_is_a_record_also_a_wrong_one() {
        let two = ["{\"a\":1}", "{\"b\":{}}"];
        assert_eq!(found("{\"a\":1}\n{\"b\":{}}\n"), two);
        assert_eq!(found("{\"a\":1}\r\n\r\n{\"b\":{}}\r\n"), two);
        assert_eq!(
            found("\u{feff}oops\n{\"a\":1}\n7\n  {\"b\":\n[1]\n"),
            ["oops", "{\"a\":1}", "7", "{\"b\":", "[1]"]
        );
        assert_eq!(found("[1\n{\"a\":1}"), ["[1", "{\"a\":1}"]);
    }

    #[test]
    fn objects_may_follow_one_another_over_lines() {
        assert_eq!(found("{\n \"a\": 1\n}\n{\n}\n"), ["{\n \"a\": 1\n}", "{\n}"]);
        assert_eq!(found("{}{\"a\":1} {}"), ["{}", "{\"a\":1}", "{}"]);
        assert_eq!(found("{\n}\n{\n \"a\": oops\n}\n"), ["{\n}", "{\n \"a\": oops\n}"]);
        assert_eq!(found("{\"a\":1} x"), ["{\"a\":1} x"]);
        assert_eq!(found("{\n \"a\": [\n  {}\n ] 1\n}"), ["{\n \"a\": [\n  {}\n ] 1\n}"]);
    }

    #[test]
    fn an_array_holds_records() {
        assert_eq!(found(" [ {\"a\":[1]} ,7,\n\"x\" ] \n"), ["{\"a\":[1]}", "7", "\"x\""]);
        assert!(found("[]").is_empty());
        for (broken, at) in
            [("[{}", 3), ("[{},", 4), ("[{} {}]", 4), ("[{},{\"a\":}]", 4), ("[", 1), ("[1] x", 4)]
        {
            assert_eq!(records(broken.as_bytes()), Err(BrokenArray { at }), "{broken}");
        }
    }

    #[test]
    fn nothing_is_no_record() {
        for nothing in ["", " ", "\n\r\n", "\u{feff}", "\u{feff}\n"] {
            assert!(found(nothing).is_empty());
        }
    }

    #[test]
    fn a_record_with_a_schema_id_is_one() {
        assert_eq!(found("\0\0\0\0\n{\"a\":1}\n"), ["\0\0\0\0\n{\"a\":1}"]);
    }

    #[test]
    fn any_depth_and_any_bytes_are_looked_through() {
        let deep = format!("[{}{}]", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(found(&deep).len(), 1);
        assert_eq!(records(b"{\"a\":\"\xff\"}").expect("no array").len(), 1);
    }
}

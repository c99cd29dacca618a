//! Reading a record: the room that it takes, what is noted in it, and why a record is no event.

use std::ops::Range;
use std::str;

use super::Event;
use super::path::{PathId, Paths};
use super::scan::{Open, Scan};
use super::syntax::Broken;

/// Confluent's wire format: a zero byte and four bytes of schema id before the object.
const PREFIX: usize = 5;

/// Why a record is no event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEvent {
    /// The record is not text.
    #[error("not a JSON object: expected UTF-8 at byte {at}")]
    NotUtf8 {
        /// The first byte that is not UTF-8, counted from the beginning of the record.
        at: usize,
    },
    /// The record is text, and no JSON object (RFC 8259).
    #[error("not a JSON object: expected {expected} at byte {at}")]
    NotAnObject {
        /// Where it ceases to be one, counted in bytes from the beginning of the record.
        at: usize,
        /// What could have stood there.
        expected: &'static str,
    },
}

/// Reusable room for what one scan finds. One per reader; no allocation per record once warm, and
/// nothing is cleared between two records: what a record costs depends on what is in it, not on
/// how much is asked for.
#[derive(Debug, Default)]
pub struct Fields {
    /// What was found, by [`PathId`]: in this record or in an earlier one.
    pub(super) spots: Vec<Spot>,
    /// The places that were visited, in that order; again where a key was repeated.
    pub(super) visited: Vec<PathId>,
    /// How many visits there have been, in all records.
    pub(super) visits: u64,
    /// How many of them were made in earlier records.
    pub(super) before: u64,
    /// The objects and arrays around the place where the scan stands, as far as something is
    /// asked for in them.
    pub(super) open: Vec<Open>,
    /// The brackets around it elsewhere: one bit each.
    pub(super) brackets: Vec<u64>,
    /// A key that was written with escapes, decoded.
    pub(super) key: String,
}

/// Where the last visit to a place of the trie found its value.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spot {
    /// The number of that visit among all visits of all records, which 64 bits hold for longer
    /// than a machine lasts; 0: none.
    pub(super) visit: u64,
    /// The visit, to the place around this one, during which it happened.
    pub(super) during: u64,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Fields {
    /// Room that is still empty.
    #[must_use]
    pub fn new() -> Self {
        Fields::default()
    }

    /// Checks `record` as one JSON object (RFC 8259, UTF-8) in one pass, and finds `paths` in it.
    /// Of equal keys the last counts. Reads past Confluent's wire-format prefix.
    ///
    /// # Errors
    ///
    /// [`InvalidEvent`] where the record is anything but one object.
    pub fn read<'a>(
        &'a mut self,
        record: &'a [u8],
        paths: &Paths,
    ) -> Result<Event<'a>, InvalidEvent> {
        let skipped = match record.first() {
            Some(0) => PREFIX.min(record.len()),
            _ => 0,
        };
        let text = simdutf8::compat::from_utf8(&record[skipped..])
            .map_err(|error| InvalidEvent::NotUtf8 { at: skipped + error.valid_up_to() })?;
        self.scan(text, paths).map_err(|broken| InvalidEvent::NotAnObject {
            at: skipped + broken.at,
            expected: broken.expected,
        })?;
        Ok(Event { text, fields: self })
    }

    /// Where the value of `path` stands in this record.
    pub(super) fn span(&self, path: PathId) -> Option<Range<usize>> {
        let spot = self.spots.get(path.index())?;
        self.is_of_this_record(*spot).then_some(spot.start..spot.end)
    }

    pub(super) fn is_of_this_record(&self, spot: Spot) -> bool {
        spot.visit > self.before
    }

    fn scan(&mut self, text: &str, paths: &Paths) -> Result<(), Broken> {
        if self.spots.len() < paths.len() {
            self.spots.resize(paths.len(), Spot::default());
        }
        self.before = self.visits;
        self.visited.clear();
        self.open.clear();
        let repeated = Scan::new(text, paths, self).document()?;
        if repeated {
            self.forget_what_was_overwritten(paths);
        }
        Ok(())
    }

    /// A key that was repeated left behind what was found under its earlier values: whatever was
    /// not found during the last visit to the place around it. Places are visited after the
    /// places they are in, so that one pass reaches everything.
    fn forget_what_was_overwritten(&mut self, paths: &Paths) {
        for &path in self.visited.iter().filter(|path| **path != PathId::WHOLE) {
            let around = self.spots[paths.place(path).within.index()];
            let spot = &mut self.spots[path.index()];
            if spot.during != around.visit {
                *spot = Spot::default();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Path;
    use super::*;

    fn error(record: &[u8]) -> String {
        let mut fields = Fields::new();
        let read = fields.read(record, &Paths::new());
        read.expect_err("no event").to_string()
    }

    #[test]
    fn errors_say_where_a_record_ceases_to_be_an_object() {
        for (record, expected) in [
            (&b""[..], r#""{" at byte 0"#),
            (b"null", r#""{" at byte 0"#),
            (b" [1]", r#""{" at byte 1"#),
            (b"\x00\x00\x00\x00\x07[]", r#""{" at byte 5"#),
            (b"\x00\x00", r#""{" at byte 2"#),
            (br#"{"a":1 "b"}"#, r#""," or "}" at byte 7"#),
            (br#"{"a":[1}"#, r#""," or "]" at byte 7"#),
            (br#"{"a":01}"#, r#""," or "}" at byte 6"#),
            (br#"{"a":1.}"#, "a digit at byte 7"),
            (br#"{"a":}"#, "a value at byte 5"),
            (br#"{"a" 1}"#, r#"":" at byte 5"#),
            (br#"{"a":1,}"#, "a key in quotes at byte 7"),
            (br#"{"a":"x"#, "a closing quote at byte 7"),
            (br#"{"a":"\x"}"#, "an escape that JSON knows at byte 7"),
            (br#"{"a":"\u12g4"}"#, "four hexadecimal digits at byte 8"),
            (b"{\"a\":\"\n\"}", "no control character inside a string at byte 6"),
            (b"{} {}", "nothing behind the object at byte 3"),
            (b"{\"a\":\"\xff\"}", "UTF-8 at byte 6"),
        ] {
            let message = format!("not a JSON object: expected {expected}");
            assert_eq!(error(record), message, "{}", String::from_utf8_lossy(record));
        }
    }

    #[test]
    fn a_wire_format_prefix_is_read_past() {
        let mut paths = Paths::new();
        let a = paths.intern(Path::new(["a"]));
        let mut fields = Fields::new();
        let record = b"\x00\x00\x00\xff\x07 {\"a\" : 1 } ";
        let event = fields.read(record, &paths).expect("an object behind the prefix");
        assert_eq!(event.text(), " {\"a\" : 1 } ");
        assert_eq!(event.value().text(), "{\"a\" : 1 }");
        assert_eq!(event.find(a).expect("found").text(), "1");
    }

    #[test]
    fn a_later_value_of_a_key_leaves_nothing_of_an_earlier_one() {
        let mut paths = Paths::new();
        let [a, b, c] = [&["a"][..], &["a", "b"], &["a", "b", "c"]]
            .map(|keys| paths.intern(Path::new(keys.iter().copied())));
        let mut fields = Fields::new();
        let mut found = |record: &str| {
            let event = fields.read(record.as_bytes(), &paths).expect(record);
            [a, b, c].map(|id| event.find(id).map(|value| value.text().to_owned()))
        };
        let texts = |texts: [Option<&str>; 3]| texts.map(|text| text.map(str::to_owned));
        assert_eq!(found(r#"{"a":{"b":{"c":1}},"a":2}"#), texts([Some("2"), None, None]));
        assert_eq!(
            found(r#"{"a":{"b":{"c":1}},"\u0061":{"b":[]}}"#),
            texts([Some(r#"{"b":[]}"#), Some("[]"), None])
        );
        assert_eq!(
            found(r#"{"a":0,"a":{"b":{"c":1,"c":2}}}"#),
            texts([Some(r#"{"b":{"c":1,"c":2}}"#), Some(r#"{"c":1,"c":2}"#), Some("2")])
        );
        assert_eq!(found("{}"), [None, None, None]);
    }
}

//! The one pass over a record: is it a JSON object, and where are the things asked for?
//!
//! Nothing here recurses, so that depth costs bits and no stack. Where the trie asks for
//! something, open objects and arrays stand in `open`, which is never deeper than the longest
//! path; everything else is read past with one bit per open bracket.

use std::ops::Range;
use std::str;

use super::Event;
use super::path::{PathId, Paths};
use super::syntax::{self, Broken, exactly, white};
use super::text::Text;

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

/// Reusable room for what one scan finds. One per reader; no allocation per record once warm.
#[derive(Debug, Default)]
pub struct Fields {
    /// What was found, by [`PathId`].
    spots: Vec<Spot>,
    open: Vec<Open>,
    brackets: Vec<u64>,
    /// A key that was written with escapes, decoded.
    key: String,
}

/// Where the last visit to a place of the trie found its value.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spot {
    /// The number of that visit among all visits of this record; 0: none.
    visit: usize,
    /// The visit, to the place around this one, during which it happened.
    during: usize,
    start: usize,
    end: usize,
}

impl Spot {
    pub(super) fn span(self) -> Option<Range<usize>> {
        (self.visit > 0).then_some(self.start..self.end)
    }
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
        let text = str::from_utf8(&record[skipped..])
            .map_err(|error| InvalidEvent::NotUtf8 { at: skipped + error.valid_up_to() })?;
        self.scan(text, paths).map_err(|broken| InvalidEvent::NotAnObject {
            at: skipped + broken.at,
            expected: broken.expected,
        })?;
        Ok(Event { text, spots: &self.spots })
    }

    fn scan(&mut self, text: &str, paths: &Paths) -> Result<(), Broken> {
        self.spots.clear();
        self.spots.resize(paths.len(), Spot::default());
        self.open.clear();
        let mut scan =
            Scan { text, bytes: text.as_bytes(), paths, fields: self, visits: 0, repeated: false };
        scan.document()?;
        if scan.repeated {
            self.forget_what_was_overwritten(paths);
        }
        Ok(())
    }

    /// A key that was repeated left behind what was found under its earlier values: whatever was
    /// not found during the last visit to the place around it. Places stand behind the places
    /// they are in, so that one pass reaches everything.
    fn forget_what_was_overwritten(&mut self, paths: &Paths) {
        for (at, place) in paths.places().iter().enumerate().skip(1) {
            let around = self.spots[place.within.index()].visit;
            let spot = &mut self.spots[at];
            if around == 0 || spot.during != around {
                *spot = Spot::default();
            }
        }
    }
}

/// An object or an array in which something is asked for.
#[derive(Clone, Copy, Debug)]
struct Open {
    place: PathId,
    visit: usize,
    shape: Shape,
}

#[derive(Clone, Copy, Debug)]
enum Shape {
    Object,
    /// The index of the current element, and how many of the items asked for were met.
    List {
        index: usize,
        met: usize,
    },
}

/// What follows inside the innermost open object or array.
enum Next {
    /// A value, and the place in the trie that it has, if it has one.
    Value(usize, Option<PathId>),
    /// Nothing: it was closed, and this is the byte behind it.
    Closed(usize),
}

struct Scan<'s> {
    text: &'s str,
    bytes: &'s [u8],
    paths: &'s Paths,
    fields: &'s mut Fields,
    visits: usize,
    repeated: bool,
}

impl Scan<'_> {
    fn document(&mut self) -> Result<(), Broken> {
        let mut at = white(self.bytes, 0);
        exactly(self.bytes, at, b'{', r#""{""#)?;
        let mut place = Some(PathId::WHOLE);
        let mut end;
        'values: loop {
            let opened = match place {
                Some(place) => self.opens(place, at),
                None => false,
            };
            let mut first = opened;
            end = if opened {
                at + 1
            } else {
                let end = skip(self.bytes, at, &mut self.fields.brackets)?;
                if let Some(place) = place {
                    self.fields.spots[place.index()].end = end;
                }
                end
            };
            while let Some(&innermost) = self.fields.open.last() {
                match self.next(innermost, end, first)? {
                    Next::Value(from, at_place) => {
                        (at, place) = (from, at_place);
                        continue 'values;
                    }
                    Next::Closed(behind) => {
                        self.fields.spots[innermost.place.index()].end = behind;
                        self.fields.open.pop();
                        (end, first) = (behind, false);
                    }
                }
            }
            break;
        }
        let end = white(self.bytes, end);
        if end < self.bytes.len() {
            return Err(Broken { at: end, expected: "nothing behind the object" });
        }
        Ok(())
    }

    /// Notes that the value of `place` begins at `at`; true: it is an object or an array in which
    /// something is asked for, and is open now.
    fn opens(&mut self, place: PathId, at: usize) -> bool {
        self.visits += 1;
        let during = self.fields.open.last().map_or(0, |open| open.visit);
        let spot = &mut self.fields.spots[place.index()];
        self.repeated |= spot.visit > 0;
        *spot = Spot { visit: self.visits, during, start: at, end: at };
        let asked = self.paths.place(place);
        let shape = match self.bytes.get(at) {
            Some(b'{') if asked.asks_for_keys() || place == PathId::WHOLE => Shape::Object,
            Some(b'[') if !asked.items().is_empty() => Shape::List { index: 0, met: 0 },
            _ => return false,
        };
        self.fields.open.push(Open { place, visit: self.visits, shape });
        true
    }

    /// What stands in `open` at `at`: behind its bracket (`first`) or behind one of its values.
    #[inline]
    fn next(&mut self, open: Open, at: usize, first: bool) -> Result<Next, Broken> {
        let at = white(self.bytes, at);
        let (close, expected) = match open.shape {
            Shape::Object => (b'}', r#""," or "}""#),
            Shape::List { .. } => (b']', r#""," or "]""#),
        };
        if self.bytes.get(at) == Some(&close) {
            return Ok(Next::Closed(at + 1));
        }
        let at =
            if first { at } else { white(self.bytes, exactly(self.bytes, at, b',', expected)?) };
        match open.shape {
            Shape::Object => self.member(open.place, at),
            Shape::List { index, met } => Ok(self.element(open.place, at, index, met)),
        }
    }

    /// The value of the key at `at` in an object at `place`.
    #[inline]
    fn member(&mut self, place: PathId, at: usize) -> Result<Next, Broken> {
        let (behind, escapes, value) = key(self.bytes, at)?;
        let asked = self.paths.place(place);
        let found = if escapes {
            let raw = self.text.get(at + 1..behind - 1).unwrap_or_default();
            self.fields.key.clear();
            self.fields.key.extend(Text::of_valid(raw).chars());
            asked.at_key(self.fields.key.as_bytes())
        } else {
            asked.at_key(&self.bytes[at + 1..behind - 1])
        };
        Ok(Next::Value(value, found))
    }

    /// The element at `at`, number `index` of a list at `place` of which `met` items were met.
    fn element(&mut self, place: PathId, at: usize, index: usize, mut met: usize) -> Next {
        let mut found = None;
        if let Some(&(asked, item)) = self.paths.place(place).items().get(met)
            && asked == index
        {
            found = Some(item);
            met += 1;
        }
        if let Some(open) = self.fields.open.last_mut() {
            open.shape = Shape::List { index: index + 1, met };
        }
        Next::Value(at, found)
    }
}

/// Reads past the key at `at` and its colon: where the key ends, whether there are escapes in it,
/// and where the value begins.
#[inline]
fn key(bytes: &[u8], at: usize) -> Result<(usize, bool, usize), Broken> {
    exactly(bytes, at, b'"', "a key in quotes")?;
    let (behind, escapes) = syntax::string(bytes, at)?;
    let colon = exactly(bytes, white(bytes, behind), b':', r#"":""#)?;
    Ok((behind, escapes, white(bytes, colon)))
}

/// Reads past the value at `at`. `brackets` is room for all brackets but the innermost 64: one
/// bit each, set for an object.
#[inline]
pub(super) fn skip(bytes: &[u8], mut at: usize, brackets: &mut Vec<u64>) -> Result<usize, Broken> {
    if !matches!(bytes.get(at), Some(b'{' | b'[')) {
        return syntax::scalar(bytes, at);
    }
    brackets.clear();
    let mut innermost = 0_u64;
    let mut depth = 0_usize;
    'values: loop {
        match bytes.get(at) {
            Some(&open @ (b'{' | b'[')) => {
                if depth > 0 && depth.is_multiple_of(64) {
                    brackets.push(innermost);
                }
                let object = open == b'{';
                innermost = innermost << 1 | u64::from(object);
                depth += 1;
                at = white(bytes, at + 1);
                let close = if object { b'}' } else { b']' };
                if bytes.get(at) != Some(&close) {
                    if object {
                        at = key(bytes, at)?.2;
                    }
                    continue 'values;
                }
            }
            _ => at = white(bytes, syntax::scalar(bytes, at)?),
        }
        loop {
            let object = innermost & 1 == 1;
            match bytes.get(at) {
                Some(b',') => {
                    at = white(bytes, at + 1);
                    if object {
                        at = key(bytes, at)?.2;
                    }
                    continue 'values;
                }
                Some(b'}') if object => at += 1,
                Some(b']') if !object => at += 1,
                _ if object => {
                    return Err(Broken { at, expected: r#""," or "}""# });
                }
                _ => {
                    return Err(Broken { at, expected: r#""," or "]""# });
                }
            }
            depth -= 1;
            if depth == 0 {
                return Ok(at);
            }
            innermost >>= 1;
            if depth.is_multiple_of(64) {
                innermost = brackets.pop().unwrap_or_default();
            }
            at = white(bytes, at);
        }
    }
}

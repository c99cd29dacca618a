//! The one pass over a record: is it a JSON object, and where are the things asked for?
//!
//! Nothing here recurses, so that depth costs bits and no stack. Where the trie asks for
//! something, open objects and arrays stand in `open`, which is never deeper than the longest
//! path; everything else is read past with one bit per open bracket.

use super::fields::{Fields, Spot};
use super::path::{PathId, Paths};
use super::syntax::{self, Broken, exactly, white};
use super::text::Text;

/// An object or an array in which something is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    place: PathId,
    visit: u64,
    shape: Shape,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
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

/// One pass.
pub(super) struct Scan<'s> {
    text: &'s str,
    bytes: &'s [u8],
    paths: &'s Paths,
    fields: &'s mut Fields,
    /// Whether a place was visited more than once, since a key was repeated.
    repeated: bool,
}

impl<'s> Scan<'s> {
    pub(super) fn new(text: &'s str, paths: &'s Paths, fields: &'s mut Fields) -> Scan<'s> {
        Scan { text, bytes: text.as_bytes(), paths, fields, repeated: false }
    }

    /// Reads the whole text as one object; true: a key was repeated, and places may hold what was
    /// found under an earlier value of it.
    pub(super) fn document(&mut self) -> Result<bool, Broken> {
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
        Ok(self.repeated)
    }

    /// Notes that the value of `place` begins at `at`; true: it is an object or an array in which
    /// something is asked for, and is open now.
    fn opens(&mut self, place: PathId, at: usize) -> bool {
        let fields = &mut *self.fields;
        fields.visits += 1;
        let visit = fields.visits;
        let during = fields.open.last().map_or(0, |open| open.visit);
        self.repeated |= fields.is_of_this_record(fields.spots[place.index()]);
        fields.spots[place.index()] = Spot { visit, during, start: at, end: at };
        fields.visited.push(place);
        let asked = self.paths.place(place);
        let shape = match self.bytes.get(at) {
            Some(b'{') if asked.asks_for_keys() || place == PathId::WHOLE => Shape::Object,
            Some(b'[') if !asked.items().is_empty() => Shape::List { index: 0, met: 0 },
            _ => return false,
        };
        fields.open.push(Open { place, visit, shape });
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
pub(super) fn skip(bytes: &[u8], at: usize, brackets: &mut Vec<u64>) -> Result<usize, Broken> {
    match bytes.get(at) {
        Some(b'{' | b'[') => skip_nest(bytes, at, brackets),
        _ => syntax::scalar(bytes, at),
    }
}

fn skip_nest(bytes: &[u8], mut at: usize, brackets: &mut Vec<u64>) -> Result<usize, Broken> {
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

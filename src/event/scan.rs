//! The one pass over a record: is it a JSON object, and where are the things asked for?
//!
//! Nothing here recurses, so that depth costs bits and no stack. Where the trie asks for
//! something, open objects and arrays stand in `open`, which is never deeper than the longest
//! path; everything else is read past with one bit per open bracket.

use super::fields::{Fields, Spot};
use super::path::{PathId, Paths};
use super::syntax::{self, Broken, exactly, mark, white};
use super::text::Text;

/// An object or an array in which something is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    place: PathId,
    visit: u64,
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
        let from = white(self.bytes, 0);
        let behind = exactly(self.bytes, from, b'{', r#""{""#)?;
        let visit = self.visit(PathId::WHOLE, 0, from);
        let mut innermost = Open { place: PathId::WHOLE, visit, shape: Shape::Object };
        let mut at = white(self.bytes, behind);
        let mut is_first = true;
        loop {
            let (close, expected) = match innermost.shape {
                Shape::Object => (b'}', r#""," or "}""#),
                Shape::List { .. } => (b']', r#""," or "]""#),
            };
            if self.bytes.get(at) == Some(&close) {
                self.fields.spots[innermost.place.index()].end = at + 1;
                at = white(self.bytes, at + 1);
                match self.fields.open.pop() {
                    Some(around) => innermost = around,
                    None => break,
                }
                is_first = false;
                continue;
            }
            if !is_first {
                at = mark(self.bytes, at, b',', expected)?;
            }
            let place = match &mut innermost.shape {
                Shape::Object => {
                    let key = key(self.bytes, at)?;
                    let place = self.at_key(innermost.place, at, &key);
                    at = key.value;
                    place
                }
                Shape::List { index, met } => self.at_next_index(innermost.place, index, met),
            };
            if let Some(place) = place {
                let visit = self.visit(place, innermost.visit, at);
                if let Some(shape) = self.shape_to_look_into(place, at) {
                    self.fields.open.push(innermost);
                    innermost = Open { place, visit, shape };
                    at = white(self.bytes, at + 1);
                    is_first = true;
                    continue;
                }
            }
            at = skip(self.bytes, at, &mut self.fields.brackets)?;
            if let Some(place) = place {
                self.fields.spots[place.index()].end = at;
            }
            at = white(self.bytes, at);
            is_first = false;
        }
        if at < self.bytes.len() {
            return Err(Broken { at, expected: "nothing behind the object" });
        }
        Ok(self.repeated)
    }

    /// Notes that the value of `place` begins at `at`, during a visit to the place around it.
    /// Gives the visit its number.
    fn visit(&mut self, place: PathId, during: u64, at: usize) -> u64 {
        let fields = &mut *self.fields;
        fields.visits += 1;
        let visit = fields.visits;
        let spot = &mut fields.spots[place.index()];
        self.repeated |= spot.visit > fields.before;
        *spot = Spot { visit, during, start: at, end: at };
        fields.visited.push(place);
        visit
    }

    /// What the value at `at` is, if it is an object or an array, and something is asked for in it
    /// at `place`.
    fn shape_to_look_into(&self, place: PathId, at: usize) -> Option<Shape> {
        let asked = self.paths.place(place);
        match self.bytes.get(at) {
            Some(b'{') if asked.asks_for_keys() => Some(Shape::Object),
            Some(b'[') if !asked.items().is_empty() => Some(Shape::List { index: 0, met: 0 }),
            _ => None,
        }
    }

    /// Where the `key` at `at` leads in an object at `place`.
    #[inline]
    fn at_key(&mut self, place: PathId, at: usize, key: &Key) -> Option<PathId> {
        let asked = self.paths.place(place);
        if !key.has_escapes {
            return asked.at_key(&self.bytes[at + 1..key.end - 1]);
        }
        let raw = self.text.get(at + 1..key.end - 1).unwrap_or_default();
        self.fields.key.clear();
        self.fields.key.extend(Text::of_valid(raw).chars());
        asked.at_key(self.fields.key.as_bytes())
    }

    /// Where the next element of a list at `place` leads: it has this `index`, and so many of the
    /// items asked for were `met` before it.
    fn at_next_index(&self, place: PathId, index: &mut usize, met: &mut usize) -> Option<PathId> {
        let next = self.paths.place(place).items().get(*met);
        let found = next.filter(|(asked, _)| asked == index).map(|(_, item)| *item);
        *index += 1;
        *met += usize::from(found.is_some());
        found
    }
}

/// A key and its colon.
struct Key {
    /// Behind its closing quote.
    end: usize,
    has_escapes: bool,
    /// Where its value begins.
    value: usize,
}

/// Reads past the key at `at` and its colon.
#[inline]
fn key(bytes: &[u8], at: usize) -> Result<Key, Broken> {
    exactly(bytes, at, b'"', "a key in quotes")?;
    let (end, has_escapes) = syntax::string(bytes, at)?;
    let value = mark(bytes, end, b':', r#"":""#)?;
    Ok(Key { end, has_escapes, value })
}

/// Reads past the value at `at`. `brackets` is room for all brackets but the innermost 64: one
/// bit each, set for an object.
#[inline]
pub(super) fn skip(bytes: &[u8], at: usize, brackets: &mut Vec<u64>) -> Result<usize, Broken> {
    match bytes.get(at) {
        Some(b'"') => Ok(syntax::string(bytes, at)?.0),
        Some(b'{' | b'[') => skip_nest(bytes, at, brackets),
        _ => syntax::scalar(bytes, at),
    }
}

fn skip_nest(bytes: &[u8], mut at: usize, brackets: &mut Vec<u64>) -> Result<usize, Broken> {
    brackets.clear();
    let mut innermost = 0_u64;
    let mut depth = 0_usize;
    'values: loop {
        if innermost & 1 == 1 {
            at = key(bytes, at)?.value;
        }
        match bytes.get(at) {
            Some(b'"') => at = syntax::string(bytes, at)?.0,
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
                    continue 'values;
                }
            }
            _ => at = syntax::scalar(bytes, at)?,
        }
        loop {
            at = white(bytes, at);
            let object = innermost & 1 == 1;
            match bytes.get(at) {
                Some(b',') => {
                    at = white(bytes, at + 1);
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
        }
    }
}

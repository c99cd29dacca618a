//! JSON values by their text.

use super::path::{Path, Segment};
use super::scan;
use super::syntax;
use super::text::Text;

/// A JSON value inside a valid document, by its text, without white space around it.
#[derive(Clone, Copy, Debug)]
pub struct Value<'a> {
    text: &'a str,
}

/// What a [`Value`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A number.
    Number,
    /// A string.
    String,
    /// An array.
    List,
    /// An object.
    Object,
}

impl<'a> Value<'a> {
    /// The value whose text is `text`, which the caller knows to be one valid JSON value without
    /// white space around it.
    #[inline]
    pub(crate) fn of_valid(text: &'a str) -> Value<'a> {
        Value { text }
    }

    /// The value that `text` is, white space around it aside, if it is valid JSON of any depth.
    pub(crate) fn parse(text: &'a str) -> Option<Value<'a>> {
        let bytes = text.as_bytes();
        let from = syntax::white(bytes, 0);
        let to = scan::skip(bytes, from, &mut Vec::new()).ok()?;
        let alone = syntax::white(bytes, to) == bytes.len();
        alone.then(|| text.get(from..to).map(Value::of_valid))?
    }

    /// Its JSON text, as it was written.
    #[must_use]
    pub fn text(self) -> &'a str {
        self.text
    }

    /// What it is, as its first byte tells.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self.text.as_bytes().first() {
            Some(b'"') => Kind::String,
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::List,
            Some(b't' | b'f') => Kind::Bool,
            Some(b'n') | None => Kind::Null,
            Some(_) => Kind::Number,
        }
    }

    /// Whether it is `null`.
    #[must_use]
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// The boolean, where it is one.
    #[must_use]
    pub fn as_bool(self) -> Option<bool> {
        match self.text {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// The string's inside, where it is one.
    #[must_use]
    pub fn as_string(self) -> Option<Text<'a>> {
        let inside = self.text.strip_prefix('"')?.strip_suffix('"')?;
        Some(Text::of_valid(inside))
    }

    /// What stands at `path` below this value. Of equal keys the last counts. Takes time in the
    /// length of the text for every key; what is asked of every event belongs into
    /// [`Paths`](super::Paths).
    #[must_use]
    pub fn walk(self, path: &Path) -> Option<Value<'a>> {
        let mut segments = path.segments().iter();
        segments.try_fold(self, Value::step)
    }

    fn step(self, segment: &Segment) -> Option<Value<'a>> {
        match self.kind() {
            Kind::Object => {
                let named = |(key, _): &(Text<'a>, Value<'a>)| key.eq_str(&segment.key);
                self.entries().filter(named).last().map(|(_, value)| value)
            }
            Kind::List => self.items().nth(segment.index?),
            _ => None,
        }
    }

    /// The elements of an array; none of anything else.
    #[must_use]
    pub fn items(self) -> Items<'a> {
        Items { rest: Rest::of(self, Kind::List) }
    }

    /// The keys and values of an object in the order they were written, repeated keys too; none
    /// of anything else.
    #[must_use]
    pub fn entries(self) -> Entries<'a> {
        Entries { rest: Rest::of(self, Kind::Object) }
    }
}

/// A token of a valid document; white space is none.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Token<'a> {
    /// One of `{ } [ ] , :`.
    Mark(u8),
    /// A value that is no object and no array, or a key.
    Scalar(Value<'a>),
}

impl<'a> Value<'a> {
    /// The value's tokens, which is the way to see all of it however deep it is nested.
    pub(crate) fn tokens(self) -> impl Iterator<Item = Token<'a>> {
        let bytes = self.text.as_bytes();
        let mut at = 0;
        std::iter::from_fn(move || {
            at = syntax::white(bytes, at);
            let from = at;
            if let Some(&mark @ (b'{' | b'}' | b'[' | b']' | b',' | b':')) = bytes.get(from) {
                at += 1;
                return Some(Token::Mark(mark));
            }
            bytes.get(from)?;
            at = syntax::valid_value(bytes, from);
            self.text.get(from..at).map(|text| Token::Scalar(Value { text }))
        })
    }
}

/// What is left of an array's or an object's inside.
#[derive(Clone, Debug)]
struct Rest<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Rest<'a> {
    fn of(value: Value<'a>, kind: Kind) -> Rest<'a> {
        let text = if value.kind() == kind { value.text } else { "" };
        Rest { text, at: 1 }
    }

    /// The next value, wherever white space and separators have left off.
    fn value(&mut self) -> Option<Value<'a>> {
        let bytes = self.text.as_bytes();
        while let Some(b' ' | b'\n' | b'\r' | b'\t' | b',' | b':') = bytes.get(self.at) {
            self.at += 1;
        }
        if let None | Some(b']' | b'}') = bytes.get(self.at) {
            return None;
        }
        let from = self.at;
        self.at = syntax::valid_value(bytes, from);
        let text = self.text.get(from..self.at)?;
        Some(Value { text })
    }
}

/// The elements of an array.
#[derive(Clone, Debug)]
pub struct Items<'a> {
    rest: Rest<'a>,
}

impl<'a> Iterator for Items<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        self.rest.value()
    }
}

/// The keys and values of an object.
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    rest: Rest<'a>,
}

impl<'a> Iterator for Entries<'a> {
    type Item = (Text<'a>, Value<'a>);

    fn next(&mut self) -> Option<(Text<'a>, Value<'a>)> {
        let key = self.rest.value()?.as_string()?;
        Some((key, self.rest.value()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walked<'a>(text: &'a str, keys: &[&str]) -> Option<&'a str> {
        let path = Path::new(keys.iter().copied());
        Value::of_valid(text).walk(&path).map(Value::text)
    }

    #[test]
    fn a_walk_ends_where_the_path_does() {
        let text = r#"{"a" : [ {"b":"]}\"" } , 2 ,{} ], "c":null, "0": 7}"#;
        assert_eq!(walked(text, &[]), Some(text));
        assert_eq!(walked(text, &["a", "0", "b"]), Some(r#""]}\"""#));
        assert_eq!(walked(text, &["a", "1"]), Some("2"));
        assert_eq!(walked(text, &["a", "2"]), Some("{}"));
        assert_eq!(walked(text, &["a", "3"]), None);
        assert_eq!(walked(text, &["a", "length"]), None);
        assert_eq!(walked(text, &["c"]), Some("null"));
        assert_eq!(walked(text, &["c", "d"]), None);
        assert_eq!(walked(text, &["0"]), Some("7"));
        assert_eq!(walked(r#""abc""#, &["0"]), None);
    }

    #[test]
    fn of_equal_keys_the_last_counts() {
        assert_eq!(walked(r#"{"a":1,"\u0061":2}"#, &["a"]), Some("2"));
        assert_eq!(walked(r#"{"a":{"b":1},"a":2}"#, &["a", "b"]), None);
    }
}

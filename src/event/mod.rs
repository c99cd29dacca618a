//! What a record says, read sparingly.
//!
//! Knows JSON and nothing else: one pass over a record's bytes checks all of RFC 8259 and notes
//! where the asked-for [`Paths`] lead; values stay slices of the record, numbers and escapes as
//! they were written. It does not know what a trigger or a mapping is, builds no document, and
//! never follows the host language into a value: a string has no index and `length` is a key.

mod fields;
mod number;
mod path;
mod scan;
mod syntax;
mod text;
mod value;
mod values;

pub use fields::{Fields, InvalidEvent};
pub(crate) use number::Decimal;
pub use path::{Path, PathId, Paths};
pub use text::{Chars, Text};
pub(crate) use value::Token;
pub use value::{Entries, Items, Kind, Value};
pub use values::{past_white_space, value_at};

/// One valid event: its text and what was found in it.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    text: &'a str,
    fields: &'a Fields,
}

impl<'a> Event<'a> {
    /// The object's own text, after any wire-format prefix, with the white space around it.
    #[must_use]
    pub fn text(self) -> &'a str {
        self.text
    }

    /// The whole event as a value.
    #[must_use]
    pub fn value(self) -> Value<'a> {
        Value::of_valid(self.text.trim_matches([' ', '\n', '\r', '\t']))
    }

    /// What stands at `path`, or nothing where the path leads nowhere. The empty path finds the
    /// whole. A path that was interned after this event was read is not found.
    #[must_use]
    pub fn find(self, path: PathId) -> Option<Value<'a>> {
        self.text.get(self.fields.span(path)?).map(Value::of_valid)
    }

    /// Every path that leads somewhere, of those that are asked for. As many as the event holds of
    /// them, however many there are; twice where a key is repeated, and where it is, perhaps one
    /// that leads nowhere any more.
    pub fn found(self) -> impl Iterator<Item = PathId> {
        self.fields.visited.iter().copied()
    }
}

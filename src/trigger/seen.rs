//! What an operand is worth for one event: values that borrow from the event or the trigger.
//!
//! Nothing is allocated but for the text that a converted text is converted from again
//! (`uppercase(snakecase(x))`), for a number out of a string that was written with escapes, and
//! where a converted text has to be looked through as a whole.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::str;

use crate::event::{Chars, Decimal, Kind, Text, Token, Value};

use super::case::{Case, Cased};
use super::tree::Literal;

/// The value of an operand.
#[derive(Clone, Debug)]
pub(super) enum Seen<'a> {
    Null,
    Bool(bool),
    Number(Number<'a>),
    Text(Words<'a>),
    List(List<'a>),
    Object,
}

#[derive(Clone, Debug)]
pub(super) enum Number<'a> {
    Written(Decimal<'a>),
    /// A JSON number out of a string that was not written plainly.
    Held(String),
    /// A length.
    Count(usize),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum List<'a> {
    Written(&'a [Literal]),
    Found(Value<'a>),
}

/// A text, and the case in which it is to be seen.
#[derive(Clone, Debug)]
pub(super) struct Words<'a> {
    base: Base<'a>,
    case: Option<Case>,
}

#[derive(Clone, Debug)]
enum Base<'a> {
    Plain(Cow<'a, str>),
    Json(Text<'a>),
}

impl<'a> Seen<'a> {
    pub(super) fn of_value(value: Value<'a>) -> Seen<'a> {
        match value.kind() {
            Kind::Null => Seen::Null,
            Kind::Bool => Seen::Bool(value.as_bool() == Some(true)),
            Kind::Number => Seen::Number(Number::Written(Decimal::of_valid(value.text()))),
            Kind::String => value.as_string().map_or(Seen::Null, Seen::of_json),
            Kind::List => Seen::List(List::Found(value)),
            Kind::Object => Seen::Object,
        }
    }

    pub(super) fn of_literal(literal: &'a Literal) -> Seen<'a> {
        match literal {
            Literal::Null => Seen::Null,
            Literal::Bool(value) => Seen::Bool(*value),
            Literal::Number(text) => Seen::Number(Number::Written(Decimal::of_valid(text))),
            Literal::Text(text) => Seen::of_text(&**text),
            Literal::List(items) => Seen::List(List::Written(items)),
        }
    }

    pub(super) fn of_text(text: impl Into<Cow<'a, str>>) -> Seen<'a> {
        let base = Base::Plain(text.into());
        Seen::Text(Words { base, case: None })
    }

    fn of_json(text: Text<'a>) -> Seen<'a> {
        let base = text.plain().map_or(Base::Json(text), |plain| Base::Plain(plain.into()));
        Seen::Text(Words { base, case: None })
    }

    /// Same type and same value. Objects are never equal to anything.
    pub(super) fn equals(&self, other: &Seen<'_>) -> bool {
        match (self, other) {
            (Seen::Null, Seen::Null) => true,
            (Seen::Bool(left), Seen::Bool(right)) => left == right,
            (Seen::Number(left), Seen::Number(right)) => left.compare(right).is_eq(),
            (Seen::Text(left), Seen::Text(right)) => left.equals(right),
            (Seen::List(left), Seen::List(right)) => left.equals(*right),
            _ => false,
        }
    }

    /// Whether it equals an element of `list`.
    pub(super) fn is_in(&self, list: List<'_>) -> bool {
        match list {
            List::Written(items) => items.iter().any(|item| self.equals(&Seen::of_literal(item))),
            List::Found(value) => {
                let held = self.held();
                let sought = held.as_ref().map_or_else(|| self.clone(), Held::seen);
                value.items().any(|item| sought.equals(&Seen::of_value(item)))
            }
        }
    }

    /// What would have to be worked out again for every element of a list, worked out once.
    fn held(&self) -> Option<Held> {
        match self {
            Seen::Text(words) if words.case.is_some() => {
                Some(Held::Text(words.to_text().into_owned()))
            }
            Seen::Number(Number::Held(text)) => Some(Held::Number(text.clone())),
            _ => None,
        }
    }
}

/// See [`Seen::held`].
enum Held {
    Text(String),
    Number(String),
}

impl Held {
    fn seen(&self) -> Seen<'_> {
        match self {
            Held::Text(text) => Seen::of_text(text.as_str()),
            Held::Number(text) => Seen::Number(Number::Written(Decimal::of_valid(text))),
        }
    }
}

impl<'a> Number<'a> {
    pub(super) fn compare(&self, other: &Number<'_>) -> Ordering {
        let (mut left, mut right) = (Digits::default(), Digits::default());
        self.decimal(&mut left).compare(other.decimal(&mut right))
    }

    fn decimal<'d>(&'d self, digits: &'d mut Digits) -> Decimal<'d> {
        match self {
            Number::Written(decimal) => *decimal,
            Number::Held(text) => Decimal::of_valid(text),
            Number::Count(count) => Decimal::of_valid(digits.of(*count)),
        }
    }

    /// Its JSON text.
    pub(super) fn text(self) -> Cow<'a, str> {
        match self {
            Number::Written(decimal) => decimal.text().into(),
            Number::Held(text) => text.into(),
            Number::Count(count) => count.to_string().into(),
        }
    }
}

/// Room for the digits of a count.
#[derive(Default)]
struct Digits([u8; 20]);

impl Digits {
    fn of(&mut self, mut count: usize) -> &str {
        let mut from = self.0.len();
        loop {
            from -= 1;
            self.0[from] = b"0123456789"[count % 10];
            count /= 10;
            if count == 0 {
                break;
            }
        }
        str::from_utf8(&self.0[from..]).unwrap_or("0")
    }
}

impl List<'_> {
    pub(super) fn len(self) -> usize {
        match self {
            List::Written(items) => items.len(),
            List::Found(value) => value.items().count(),
        }
    }

    fn equals(self, other: List<'_>) -> bool {
        match (self, other) {
            (List::Found(left), List::Found(right)) => found_lists_are_equal(left, right),
            (List::Written(left), List::Written(right)) => {
                let each = |(left, right)| Seen::of_literal(left).equals(&Seen::of_literal(right));
                left.len() == right.len() && left.iter().zip(right).all(each)
            }
            (List::Written(written), List::Found(found))
            | (List::Found(found), List::Written(written)) => {
                let mut items = found.items();
                let each = |literal| {
                    let item = items.next();
                    item.is_some_and(|item| Seen::of_literal(literal).equals(&Seen::of_value(item)))
                };
                written.iter().all(each) && items.next().is_none()
            }
        }
    }
}

/// Compares two lists of an event token by token, since they may be nested deeper than any stack.
/// Brackets and commas are the structure, so equal tokens are equal lists.
fn found_lists_are_equal(left: Value<'_>, right: Value<'_>) -> bool {
    let mut right = right.tokens();
    for left in left.tokens() {
        let equal = match (left, right.next()) {
            (Token::Mark(b'{'), _) | (_, None) => false,
            (Token::Mark(left), Some(Token::Mark(right))) => left == right,
            (Token::Scalar(left), Some(Token::Scalar(right))) => {
                Seen::of_value(left).equals(&Seen::of_value(right))
            }
            _ => false,
        };
        if !equal {
            return false;
        }
    }
    right.next().is_none()
}

impl<'a> Words<'a> {
    /// The same text in another case. A text that is to be converted twice is held in between.
    pub(super) fn in_case(self, case: Case) -> Words<'a> {
        let base = match self.case {
            None => self.base,
            Some(_) => Base::Plain(self.to_text().into_owned().into()),
        };
        Words { base, case: Some(case) }
    }

    pub(super) fn letters(&self) -> Letters<'_> {
        let letters = match &self.base {
            Base::Plain(plain) => Spelled::Plain(plain.chars()),
            Base::Json(text) => Spelled::Json(text.chars()),
        };
        match self.case {
            None => Letters::As(letters),
            Some(case) => Letters::In(Cased::new(letters, case)),
        }
    }

    /// The text where it stands somewhere as it is.
    pub(super) fn plain(&self) -> Option<&str> {
        match (&self.base, self.case) {
            (Base::Plain(plain), None) => Some(plain),
            _ => None,
        }
    }

    /// The whole text; allocates where it does not stand anywhere as it is.
    pub(super) fn to_text(&self) -> Cow<'_, str> {
        let plain = self.plain().map(Cow::Borrowed);
        plain.unwrap_or_else(|| self.letters().collect())
    }

    fn equals(&self, other: &Words<'_>) -> bool {
        match (self.plain(), other.plain()) {
            (Some(left), Some(right)) => left == right,
            _ => self.letters().eq(other.letters()),
        }
    }

    /// Its length in bytes.
    pub(super) fn len(&self) -> usize {
        let plain = self.plain().map(str::len);
        plain.unwrap_or_else(|| self.letters().map(char::len_utf8).sum())
    }

    /// Whether `part` occurs in it.
    pub(super) fn contains(&self, part: &Words<'_>) -> bool {
        match (self.plain(), part.plain()) {
            (Some(whole), Some(part)) => {
                memchr::memmem::find(whole.as_bytes(), part.as_bytes()).is_some()
            }
            (None, Some(part)) if part.len() <= SHORT => self.contains_short(part),
            _ => {
                let (whole, part) = (self.to_text(), part.to_text());
                memchr::memmem::find(whole.as_bytes(), part.as_bytes()).is_some()
            }
        }
    }

    /// Looks for `part` at every letter, which takes no room.
    fn contains_short(&self, part: &str) -> bool {
        let mut wanted = part.chars();
        let Some(first) = wanted.next() else { return true };
        let mut letters = self.letters();
        while let Some(letter) = letters.next() {
            if letter == first {
                let mut behind = letters.clone();
                if wanted.clone().all(|wanted| behind.next() == Some(wanted)) {
                    return true;
                }
            }
        }
        false
    }

    /// The boolean that it says.
    pub(super) fn to_bool(&self) -> Option<bool> {
        let says = |text: &str| self.letters().eq(text.chars());
        match (says("true"), says("false")) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        }
    }

    /// The JSON number that it says.
    pub(super) fn into_number(self) -> Option<Number<'a>> {
        if let (Base::Plain(Cow::Borrowed(plain)), None) = (&self.base, self.case) {
            return Decimal::parse(plain).map(Number::Written);
        }
        let text = self.to_text().into_owned();
        Decimal::parse(&text)?;
        Some(Number::Held(text))
    }
}

/// Up to this many bytes are looked for letter by letter in a text that stands nowhere as it is.
const SHORT: usize = 64;

/// The characters of [`Words`].
#[derive(Clone, Debug)]
pub(super) enum Letters<'w> {
    As(Spelled<'w>),
    In(Cased<Spelled<'w>>),
}

/// The characters of a text as it is.
#[derive(Clone, Debug)]
pub(super) enum Spelled<'w> {
    Plain(str::Chars<'w>),
    Json(Chars<'w>),
}

impl Iterator for Letters<'_> {
    type Item = char;

    #[inline]
    fn next(&mut self) -> Option<char> {
        match self {
            Letters::As(letters) => letters.next(),
            Letters::In(letters) => letters.next(),
        }
    }
}

impl Iterator for Spelled<'_> {
    type Item = char;

    #[inline]
    fn next(&mut self) -> Option<char> {
        match self {
            Spelled::Plain(chars) => chars.next(),
            Spelled::Json(chars) => chars.next(),
        }
    }
}

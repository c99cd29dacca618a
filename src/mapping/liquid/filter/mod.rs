//! The filters by name: one line each in the table here.
//!
//! Filters are total: nil is an empty text, no items and 0, a text is the number that it says or
//! 0, and what is no list is a list of itself alone.

pub(super) mod date;
mod encode;
mod list;
mod math;
mod text;

use std::borrow::Cow;
use std::ops::RangeInclusive;

use super::Unrendered;
use super::evaluate;
use super::number::Number;
use super::value::Value;
use super::work::Work;

/// A filter, and how many arguments it takes.
#[derive(Debug)]
pub(super) struct Filter {
    pub(super) name: &'static str,
    pub(super) arguments: RangeInclusive<usize>,
    pub(super) apply: Apply,
}

type Apply = for<'a> fn(&Value<'a>, &Arguments<'a, '_>) -> Result<Value<'a>, Unrendered>;

const fn filter(name: &'static str, arguments: RangeInclusive<usize>, apply: Apply) -> Filter {
    Filter { name, arguments, apply }
}

static FILTERS: [Filter; 57] = [
    filter("abs", 0..=0, math::abs),
    filter("append", 1..=1, text::append),
    filter("at_least", 1..=1, math::at_least),
    filter("at_most", 1..=1, math::at_most),
    filter("base64_decode", 0..=0, encode::base64_decode),
    filter("base64_encode", 0..=0, encode::base64_encode),
    filter("capitalize", 0..=0, text::capitalize),
    filter("ceil", 0..=0, math::ceil),
    filter("compact", 0..=1, list::compact),
    filter("concat", 1..=1, list::concat),
    filter("date", 0..=1, date::date),
    filter("default", 1..=2, default),
    filter("divided_by", 1..=1, math::divided_by),
    filter("downcase", 0..=0, text::downcase),
    filter("escape", 0..=0, encode::escape),
    filter("escape_once", 0..=0, encode::escape_once),
    filter("first", 0..=0, list::first),
    filter("floor", 0..=0, math::floor),
    filter("join", 0..=1, list::join),
    filter("json", 0..=0, json),
    filter("jsonify", 0..=0, json),
    filter("last", 0..=0, list::last),
    filter("lstrip", 0..=0, text::lstrip),
    filter("map", 1..=1, list::map),
    filter("minus", 1..=1, math::minus),
    filter("modulo", 1..=1, math::modulo),
    filter("newline_to_br", 0..=0, encode::newline_to_br),
    filter("plus", 1..=1, math::plus),
    filter("prepend", 1..=1, text::prepend),
    filter("remove", 1..=1, text::remove),
    filter("remove_first", 1..=1, text::remove_first),
    filter("remove_last", 1..=1, text::remove_last),
    filter("replace", 1..=2, text::replace),
    filter("replace_first", 1..=2, text::replace_first),
    filter("replace_last", 1..=2, text::replace_last),
    filter("reverse", 0..=0, list::reverse),
    filter("round", 0..=1, math::round),
    filter("rstrip", 0..=0, text::rstrip),
    filter("size", 0..=0, size),
    filter("slice", 1..=2, list::slice),
    filter("sort", 0..=1, list::sort),
    filter("sort_natural", 0..=1, list::sort_natural),
    filter("split", 1..=1, text::split),
    filter("strip", 0..=0, text::strip),
    filter("strip_html", 0..=0, encode::strip_html),
    filter("strip_newlines", 0..=0, text::strip_newlines),
    filter("sum", 0..=1, list::sum),
    filter("times", 1..=1, math::times),
    filter("to_integer", 0..=0, math::to_integer),
    filter("truncate", 0..=2, text::truncate),
    filter("truncatewords", 0..=2, text::truncatewords),
    filter("uniq", 0..=0, list::uniq),
    filter("upcase", 0..=0, text::upcase),
    filter("url_decode", 0..=0, encode::url_decode),
    filter("url_encode", 0..=0, encode::url_encode),
    filter("where", 1..=2, list::r#where),
    filter("xml_escape", 0..=0, encode::escape),
];

pub(super) fn named(name: &str) -> Option<&'static Filter> {
    FILTERS.iter().find(|filter| filter.name == name)
}

pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FILTERS.iter().map(|filter| filter.name)
}

/// What a filter is given besides its value.
pub(super) struct Arguments<'a, 'w> {
    pub(super) given: Vec<Value<'a>>,
    pub(super) work: &'w Work,
}

impl<'a> Arguments<'a, '_> {
    fn get(&self, at: usize) -> &Value<'a> {
        self.given.get(at).unwrap_or(&Value::Nil)
    }

    /// An argument as text, or what it is where it is not given.
    fn text<'s>(&'s self, at: usize, otherwise: &'s str) -> Result<Cow<'s, str>, Unrendered> {
        match self.given.get(at) {
            Some(value) => value.printed(self.work),
            None => Ok(Cow::Borrowed(otherwise)),
        }
    }

    fn number(&self, at: usize) -> Number<'a> {
        number(self.get(at))
    }

    /// A count, which is no less than 0.
    fn count(&self, at: usize, otherwise: usize) -> usize {
        match self.given.get(at) {
            Some(value) => usize::try_from(number(value).whole().max(0)).unwrap_or(usize::MAX),
            None => otherwise,
        }
    }

    /// A text that a filter made.
    fn made(&self, text: String) -> Result<Value<'a>, Unrendered> {
        self.work.spend(text.len())?;
        Ok(Value::text(text))
    }
}

/// The number that a value is or says, or 0.
fn number<'a>(value: &Value<'a>) -> Number<'a> {
    value.as_number().unwrap_or_else(|| 0_usize.into())
}

/// Instead of nil, false, `""`, `[]` and `{}`; of false only where it is not allowed.
fn default<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<Value<'a>, Unrendered> {
    let is_allowed = arguments.get(1).is_truthy() && matches!(value, Value::Bool(_));
    let says_nothing = !value.is_truthy() || value.is_empty();
    let chosen = if says_nothing && !is_allowed { arguments.get(0) } else { value };
    arguments.work.spend(chosen.weight())?;
    Ok(chosen.clone())
}

fn json<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<Value<'a>, Unrendered> {
    let json = value.json(arguments.work)?;
    arguments.made(json)
}

fn size<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<Value<'a>, Unrendered> {
    match evaluate::size(value, arguments.work)? {
        Value::Nil => Ok(Value::Number(0_usize.into())),
        size => Ok(size),
    }
}

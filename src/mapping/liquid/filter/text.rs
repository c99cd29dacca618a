//! Filters of texts.

use super::super::Unrendered;
use super::super::value::Value;
use super::super::work::ITEM;
use super::Arguments;

type Result<'a> = std::result::Result<Value<'a>, Unrendered>;

/// The value as text, changed.
fn changed<'a>(
    value: &Value<'a>,
    arguments: &Arguments<'a, '_>,
    change: impl FnOnce(&str) -> String,
) -> Result<'a> {
    let text = value.printed(arguments.work)?;
    arguments.made(change(&text))
}

pub(super) fn upcase<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    changed(value, arguments, str::to_uppercase)
}

pub(super) fn downcase<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    changed(value, arguments, str::to_lowercase)
}

/// The first letter large, the others small.
pub(super) fn capitalize<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    changed(value, arguments, |text| {
        let mut chars = text.chars();
        let first = chars.next().into_iter().flat_map(char::to_uppercase);
        first.chain(chars.as_str().to_lowercase().chars()).collect()
    })
}

pub(super) fn strip<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    changed(value, arguments, |text| text.trim().to_owned())
}

pub(super) fn lstrip<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    changed(value, arguments, |text| text.trim_start().to_owned())
}

pub(super) fn rstrip<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    changed(value, arguments, |text| text.trim_end().to_owned())
}

pub(super) fn strip_newlines<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    changed(value, arguments, |text| text.replace("\r\n", "").replace('\n', ""))
}

pub(super) fn append<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    let end = arguments.text(0, "")?;
    changed(value, arguments, |text| format!("{text}{end}"))
}

pub(super) fn prepend<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    let beginning = arguments.text(0, "")?;
    changed(value, arguments, |text| format!("{beginning}{text}"))
}

/// Which of the places that hold the pattern are replaced.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Places {
    All,
    First,
    Last,
}

fn replaced<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>, places: Places) -> Result<'a> {
    let text = value.printed(arguments.work)?;
    let (pattern, replacement) = (arguments.text(0, "")?, arguments.text(1, "")?);
    // What it comes to is paid for before it is made.
    let count = if places == Places::All { text.matches(&*pattern).count() } else { 1 };
    arguments.work.spend(count.saturating_mul(replacement.len()))?;
    let made = match places {
        Places::All => text.replace(&*pattern, &replacement),
        Places::First => text.replacen(&*pattern, &replacement, 1),
        Places::Last => match text.rfind(&*pattern) {
            Some(at) => format!("{}{replacement}{}", &text[..at], &text[at + pattern.len()..]),
            None => text.into_owned(),
        },
    };
    arguments.made(made)
}

pub(super) fn replace<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    replaced(value, arguments, Places::All)
}

pub(super) fn replace_first<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    replaced(value, arguments, Places::First)
}

pub(super) fn replace_last<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    replaced(value, arguments, Places::Last)
}

pub(super) fn remove<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    replaced(value, arguments, Places::All)
}

pub(super) fn remove_first<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    replaced(value, arguments, Places::First)
}

pub(super) fn remove_last<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    replaced(value, arguments, Places::Last)
}

/// At a text, or between all characters where that is empty; empty items at the end are left out.
pub(super) fn split<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    let text = value.printed(arguments.work)?;
    let separator = arguments.text(0, "")?;
    let count = match &*separator {
        "" => text.len(),
        separator => text.matches(separator).count() + 1,
    };
    arguments.work.spend(text.len() + count * 2 * ITEM)?;
    let mut parts: Vec<&str> = match &*separator {
        "" => text.split("").filter(|part| !part.is_empty()).collect(),
        separator => text.split(separator).collect(),
    };
    while parts.last().is_some_and(|last| last.is_empty()) {
        parts.pop();
    }
    let parts = parts.into_iter().map(|part| Value::text(part.to_owned()));
    Ok(Value::List(parts.collect()))
}

/// To so many characters, those of the ellipsis among them.
pub(super) fn truncate<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    let (length, ellipsis) = (arguments.count(0, 50), arguments.text(1, "...")?);
    changed(value, arguments, |text| {
        if text.chars().nth(length).is_none() {
            return text.to_owned();
        }
        let kept = length.saturating_sub(ellipsis.chars().count());
        text.chars().take(kept).chain(ellipsis.chars()).collect()
    })
}

/// To so many words.
pub(super) fn truncatewords<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    let (most, ellipsis) = (arguments.count(0, 15).max(1), arguments.text(1, "...")?);
    changed(value, arguments, |text| {
        let words: Vec<&str> = text.split_whitespace().take(most).collect();
        match text.split_whitespace().nth(most) {
            Some(_) => words.join(" ") + &*ellipsis,
            None => text.to_owned(),
        }
    })
}

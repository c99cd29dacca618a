//! Filters of lists.

use std::cmp::Ordering;
use std::collections::HashSet;

use super::super::Unrendered;
use super::super::value::Value;
use super::super::work::{ITEM, Work};
use super::{Arguments, number};

type Result<'a> = std::result::Result<Value<'a>, Unrendered>;

pub(super) fn first<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    end(value, arguments, |text| text.chars().next(), |items| items.into_iter().next())
}

pub(super) fn last<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    end(value, arguments, |text| text.chars().next_back(), |mut items| items.pop())
}

/// A character of a text, an item of a list.
fn end<'a>(
    value: &Value<'a>,
    arguments: &Arguments<'a, '_>,
    of_text: impl FnOnce(&str) -> Option<char>,
    of_list: impl FnOnce(Vec<Value<'a>>) -> Option<Value<'a>>,
) -> Result<'a> {
    if let Value::Text(text) = value {
        return Ok(of_text(text).map_or(Value::Nil, |c| Value::text(c.to_string())));
    }
    Ok(of_list(value.items(arguments.work)?).unwrap_or(Value::Nil))
}

pub(super) fn join<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    let separator = arguments.text(0, " ")?;
    let items = value.items(arguments.work)?;
    arguments.work.spend(items.len().saturating_mul(separator.len()))?;
    let texts = items.iter().map(|item| item.printed(arguments.work));
    let texts = texts.collect::<std::result::Result<Vec<_>, _>>()?;
    arguments.made(texts.join(&separator))
}

pub(super) fn reverse<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    let mut items = value.items(arguments.work)?;
    items.reverse();
    Ok(Value::List(items.into()))
}

pub(super) fn concat<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    let mut items = value.items(arguments.work)?;
    items.extend(arguments.get(0).items(arguments.work)?);
    Ok(Value::List(items.into()))
}

/// What objects have at a key; nil of what is none.
pub(super) fn map<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    let items = properties(value, arguments)?;
    Ok(Value::List(items.into_iter().map(|(_, property)| property).collect()))
}

/// The items that have a value at a key, or anything but nil and false.
pub(super) fn r#where<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    let mut kept = Vec::new();
    for (item, property) in properties(value, arguments)? {
        let is_wanted = match arguments.given.get(1) {
            Some(wanted) => property.equals(wanted, arguments.work)?,
            None => property.is_truthy(),
        };
        if is_wanted {
            kept.push(item);
        }
    }
    Ok(Value::List(kept.into()))
}

pub(super) fn compact<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    let items = properties(value, arguments)?;
    let kept = items.into_iter().filter(|(_, property)| !matches!(property, Value::Nil));
    Ok(Value::List(kept.map(|(item, _)| item).collect()))
}

pub(super) fn sum<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    let mut sum = number(&Value::Nil);
    for (_, property) in properties(value, arguments)? {
        sum = sum.plus(&number(&property))?;
    }
    Ok(Value::Number(sum))
}

pub(super) fn uniq<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    let mut seen = HashSet::new();
    let mut kept = Vec::new();
    for item in value.items(arguments.work)? {
        if seen.insert(item.json(arguments.work)?) {
            kept.push(item);
        }
    }
    Ok(Value::List(kept.into()))
}

pub(super) fn sort<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    sorted(value, arguments, order)
}

/// Without regard to case.
pub(super) fn sort_natural<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    sorted(value, arguments, |one, two| match (one, two) {
        (Value::Text(one), Value::Text(two)) => one.to_lowercase().cmp(&two.to_lowercase()),
        _ => order(one, two),
    })
}

/// From a place, which is counted from the end where it is negative, one item or so many; of a
/// text its characters.
pub(super) fn slice<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    let (from, count) = (arguments.number(0).whole(), arguments.count(1, 1));
    let place = |length: usize| match usize::try_from(from) {
        Ok(from) => Some(from),
        Err(_) => length.checked_sub(usize::try_from(from.unsigned_abs()).ok()?),
    };
    if let Value::Json(_) | Value::List(_) = value {
        let items = value.items(arguments.work)?;
        let from = place(items.len()).unwrap_or(items.len());
        return Ok(Value::List(items.into_iter().skip(from).take(count).collect()));
    }
    let text = value.printed(arguments.work)?;
    let length = text.chars().count();
    let part = text.chars().skip(place(length).unwrap_or(length)).take(count);
    arguments.made(part.collect())
}

/// The items, each with what it has at the key that is asked for; the item itself where none is.
fn properties<'a>(
    value: &Value<'a>,
    arguments: &Arguments<'a, '_>,
) -> std::result::Result<Vec<(Value<'a>, Value<'a>)>, Unrendered> {
    let items = value.items(arguments.work)?;
    let key = arguments.text(0, "")?;
    let asks = !arguments.given.is_empty();
    let with_property = |item: Value<'a>| {
        let property = if asks { property(&item, &key, arguments.work)? } else { item.clone() };
        Ok((item, property))
    };
    items.into_iter().map(with_property).collect()
}

/// What stands at a key, or below it at others behind dots.
fn property<'a>(item: &Value<'a>, key: &str, work: &Work) -> Result<'a> {
    if let Some(found) = item.member(key, work)? {
        return Ok(found);
    }
    let mut value = item.clone();
    for key in key.split('.') {
        value = value.member(key, work)?.unwrap_or(Value::Nil);
    }
    Ok(value)
}

fn sorted<'a>(
    value: &Value<'a>,
    arguments: &Arguments<'a, '_>,
    order: impl Fn(&Value<'_>, &Value<'_>) -> Ordering,
) -> Result<'a> {
    let mut items = properties(value, arguments)?;
    // Every item is compared about as often as its number has digits.
    let weight: usize = items.iter().map(|(_, property)| ITEM + property.weight()).sum();
    let rounds = usize::BITS - items.len().leading_zeros();
    arguments.work.spend(weight.saturating_mul(rounds as usize))?;
    items.sort_by(|(_, one), (_, two)| order(one, two));
    Ok(Value::List(items.into_iter().map(|(item, _)| item).collect()))
}

/// An order of everything: numbers, texts, booleans, others as they stand, and nil at the end.
fn order(one: &Value<'_>, two: &Value<'_>) -> Ordering {
    let rank = |value: &Value<'_>| match value {
        Value::Number(_) => 0,
        Value::Text(_) => 1,
        Value::Bool(_) => 2,
        Value::Json(_) | Value::List(_) | Value::Empty | Value::Blank => 3,
        Value::Nil => 4,
    };
    match (one, two) {
        (Value::Number(one), Value::Number(two)) => one.compare(two),
        (Value::Text(one), Value::Text(two)) => one.cmp(two),
        (Value::Bool(one), Value::Bool(two)) => one.cmp(two),
        _ => rank(one).cmp(&rank(two)),
    }
}

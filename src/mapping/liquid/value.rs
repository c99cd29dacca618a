//! What a template calculates with.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use crate::event::{self, Kind, Token};

use super::super::write;
use super::Unrendered;
use super::number::Number;
use super::work::{ITEM, Work};

/// A value. What comes from the event stays as it is written there.
#[derive(Clone, Debug)]
pub(super) enum Value<'a> {
    Nil,
    Bool(bool),
    Number(Number<'a>),
    Text(Cow<'a, str>),
    /// An array or an object of the event.
    Json(event::Value<'a>),
    /// A list that a filter made, or the key and the value of an object's entry.
    List(Arc<[Value<'a>]>),
    /// The word `empty`.
    Empty,
    /// The word `blank`.
    Blank,
}

impl<'a> From<event::Value<'a>> for Value<'a> {
    fn from(value: event::Value<'a>) -> Value<'a> {
        match (value.kind(), value.as_string()) {
            (_, Some(text)) => Value::Text(text.decode()),
            (Kind::Bool, _) => Value::Bool(value.as_bool() == Some(true)),
            (Kind::Number, _) => Value::Number(Number::of_valid(value.text())),
            (Kind::List | Kind::Object, _) => Value::Json(value),
            (Kind::Null | Kind::String, _) => Value::Nil,
        }
    }
}

impl<'a> Value<'a> {
    pub(super) fn text(text: impl Into<Cow<'a, str>>) -> Value<'a> {
        Value::Text(text.into())
    }

    pub(super) fn is_truthy(&self) -> bool {
        !matches!(self, Value::Nil | Value::Bool(false))
    }

    /// Whether it is `""`, `[]` or `{}`.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Value::Text(text) => text.is_empty(),
            Value::Json(value) => {
                value.items().next().is_none() && value.entries().next().is_none()
            }
            Value::List(items) => items.is_empty(),
            _ => false,
        }
    }

    /// Whether it says nothing: also nil, false, and white space.
    pub(super) fn is_blank(&self) -> bool {
        match self {
            Value::Text(text) => text.trim().is_empty(),
            _ => !self.is_truthy() || self.is_empty(),
        }
    }

    /// What it costs to look through it.
    pub(super) fn weight(&self) -> usize {
        match self {
            Value::Text(text) => text.len(),
            Value::Number(number) => number.text().len(),
            Value::Json(value) => value.text().len(),
            Value::List(items) => items.iter().map(|item| ITEM + item.weight()).sum(),
            Value::Nil | Value::Bool(_) | Value::Empty | Value::Blank => 0,
        }
    }

    /// The number that it is, or that it says as a text.
    pub(super) fn as_number(&self) -> Option<Number<'a>> {
        match self {
            Value::Number(number) => Some(number.clone()),
            Value::Text(text) => Number::parse(text),
            _ => None,
        }
    }

    /// As it is printed: lists run together, objects as JSON.
    pub(super) fn printed(&self, work: &Work) -> Result<Cow<'_, str>, Unrendered> {
        work.spend(self.weight())?;
        Ok(match self {
            Value::Nil | Value::Empty | Value::Blank => Cow::Borrowed(""),
            Value::Bool(true) => Cow::Borrowed("true"),
            Value::Bool(false) => Cow::Borrowed("false"),
            Value::Number(number) => Cow::Borrowed(number.text()),
            Value::Text(text) => Cow::Borrowed(text),
            Value::Json(value) => Cow::Owned(run_together(*value)),
            Value::List(items) => {
                let mut all = String::new();
                for item in items.iter() {
                    all.push_str(&item.printed(work)?);
                }
                Cow::Owned(all)
            }
        })
    }

    /// As compact JSON.
    pub(super) fn json(&self, work: &Work) -> Result<String, Unrendered> {
        work.spend(self.weight())?;
        let mut out = Vec::new();
        self.append_json(&mut out);
        Ok(String::from_utf8(out).expect("JSON is written as text"))
    }

    fn append_json(&self, out: &mut Vec<u8>) {
        match self {
            Value::Nil | Value::Empty | Value::Blank => out.extend_from_slice(b"null"),
            Value::Bool(value) => out.extend_from_slice(value.to_string().as_bytes()),
            Value::Number(number) => out.extend_from_slice(number.text().as_bytes()),
            Value::Text(text) => write::string(text, out),
            Value::Json(value) => write::compact(*value, out),
            // Two levels at the most: no filter makes a list of what a variable holds.
            Value::List(items) => {
                out.push(b'[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    item.append_json(out);
                }
                out.push(b']');
            }
        }
    }

    /// The items of a list; none of nil; anything else is an item alone.
    pub(super) fn items(&self, work: &Work) -> Result<Vec<Value<'a>>, Unrendered> {
        work.spend(self.weight())?;
        let items: Vec<Value<'a>> = match self {
            Value::Nil | Value::Empty | Value::Blank => Vec::new(),
            Value::Json(value) if value.kind() == Kind::List => {
                value.items().map(Value::from).collect()
            }
            Value::List(items) => items.to_vec(),
            _ => vec![self.clone()],
        };
        work.spend(items.len() * ITEM)?;
        Ok(items)
    }

    /// What an object has at `key`; of equal keys the last counts.
    pub(super) fn member(&self, key: &str, work: &Work) -> Result<Option<Value<'a>>, Unrendered> {
        let Value::Json(value) = self else { return Ok(None) };
        work.spend(value.text().len())?;
        let named = value.entries().filter(|(name, _)| name.eq_str(key));
        Ok(named.last().map(|(_, value)| Value::from(value)))
    }

    pub(super) fn equals(&self, other: &Value<'_>, work: &Work) -> Result<bool, Unrendered> {
        work.spend(self.weight().min(other.weight()))?;
        Ok(match (self, other) {
            (Value::Empty, Value::Empty)
            | (Value::Blank, Value::Blank)
            | (Value::Nil, Value::Nil) => true,
            (Value::Empty, value) | (value, Value::Empty) => value.is_empty(),
            (Value::Blank, value) | (value, Value::Blank) => value.is_blank(),
            (Value::Bool(one), Value::Bool(two)) => one == two,
            (Value::Number(one), Value::Number(two)) => one.compare(two).is_eq(),
            (Value::Text(one), Value::Text(two)) => one == two,
            (Value::Json(_) | Value::List(_), Value::Json(_) | Value::List(_)) => {
                self.json(work)? == other.json(work)?
            }
            _ => false,
        })
    }

    /// How it compares, where one of them is a number and the other one says one, or both are
    /// texts.
    pub(super) fn compare(
        &self,
        other: &Value<'_>,
        work: &Work,
    ) -> Result<Option<Ordering>, Unrendered> {
        work.spend(self.weight() + other.weight())?;
        Ok(match (self, other) {
            (Value::Text(one), Value::Text(two)) => Some(one.cmp(two)),
            (Value::Number(_), _) | (_, Value::Number(_)) => {
                let numbers = self.as_number().zip(other.as_number());
                numbers.map(|(one, two)| one.compare(&two))
            }
            _ => None,
        })
    }
}

/// The items of a list without anything in between, its lists likewise; objects are JSON. However
/// deep it is nested.
fn run_together(value: event::Value<'_>) -> String {
    let mut printed = String::new();
    let mut objects = 0_usize;
    for token in value.tokens() {
        match token {
            Token::Mark(mark) => {
                objects += usize::from(mark == b'{');
                if objects > 0 {
                    printed.push(char::from(mark));
                }
                objects -= usize::from(mark == b'}');
            }
            Token::Scalar(scalar) if objects > 0 || scalar.kind() == Kind::Number => {
                printed.push_str(scalar.text());
            }
            Token::Scalar(scalar) => match scalar.as_string() {
                Some(text) => printed.push_str(&text.decode()),
                None if scalar.is_null() => {}
                None => printed.push_str(scalar.text()),
            },
        }
    }
    printed
}

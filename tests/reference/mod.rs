//! What a trigger means, written down once more from its description and as plainly as possible:
//! over a document of the event, with copies of everything. Only for comparing.
#![allow(dead_code, reason = "every test takes what it needs")]

mod draw;
mod number;
mod text;

use std::collections::BTreeMap;

use serde_json::Value;

pub use draw::{condition, event};

/// A trigger as a tree that nobody parsed.
#[derive(Clone, Debug)]
pub enum Condition {
    Or(Vec<Condition>),
    And(Vec<Condition>),
    Not(Box<Condition>),
    Compare(Operand, &'static str, Operand),
    Holds(Operand),
}

#[derive(Clone, Debug)]
pub enum Operand {
    Field(Vec<String>),
    Literal(Value),
    Call(&'static str, Vec<Operand>),
}

/// How often each comparison and each function was true and false.
pub type Outcomes = BTreeMap<&'static str, [usize; 2]>;

impl Condition {
    pub fn holds(&self, event: &Value, outcomes: &mut Outcomes) -> bool {
        let (name, holds) = match self {
            Condition::Or(any) => {
                // All of them are looked at, so that all are counted.
                let all: Vec<_> = any.iter().map(|part| part.holds(event, outcomes)).collect();
                ("or", all.contains(&true))
            }
            Condition::And(all) => {
                let all: Vec<_> = all.iter().map(|part| part.holds(event, outcomes)).collect();
                ("and", !all.contains(&false))
            }
            Condition::Not(negated) => ("not", !negated.holds(event, outcomes)),
            Condition::Compare(left, by, right) => {
                let (left, right) = (left.value(event, outcomes), right.value(event, outcomes));
                (*by, compares(&left, by, &right))
            }
            Condition::Holds(operand) => {
                ("holds", operand.value(event, outcomes) == Value::Bool(true))
            }
        };
        outcomes.entry(name).or_default()[usize::from(holds)] += 1;
        holds
    }
}

impl Operand {
    /// Missing is null.
    fn value(&self, event: &Value, outcomes: &mut Outcomes) -> Value {
        match self {
            Operand::Field(keys) => field(event, keys).cloned().unwrap_or(Value::Null),
            Operand::Literal(literal) => literal.clone(),
            Operand::Call(function, arguments) => {
                let given: Vec<_> =
                    arguments.iter().map(|argument| argument.value(event, outcomes)).collect();
                let result = call(function, &given);
                // What a function gives counts as false where it is nothing.
                let says = !matches!(result, Value::Null | Value::Bool(false));
                outcomes.entry(function).or_default()[usize::from(says)] += 1;
                result
            }
        }
    }
}

fn field<'v>(event: &'v Value, keys: &[String]) -> Option<&'v Value> {
    let mut value = event;
    for key in keys {
        value = match value {
            Value::Object(object) => object.get(key)?,
            Value::Array(items) => {
                let index: usize = key.parse().ok()?;
                // 007 and +7 are keys like others.
                if index.to_string() != *key {
                    return None;
                }
                items.get(index)?
            }
            _ => return None,
        };
    }
    Some(value)
}

fn compares(left: &Value, by: &str, right: &Value) -> bool {
    match by {
        "=" => equal(left, right),
        "!=" => !equal(left, right),
        "in" => right.as_array().is_some_and(|list| list.iter().any(|item| equal(left, item))),
        _ => match (left, right) {
            (Value::Number(left), Value::Number(right)) => {
                let order = number::compare(&left.to_string(), &right.to_string());
                match by {
                    "<" => order.is_lt(),
                    "<=" => order.is_le(),
                    ">" => order.is_gt(),
                    ">=" => order.is_ge(),
                    other => panic!("{other} compares nothing"),
                }
            }
            _ => false,
        },
    }
}

fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::String(left), Value::String(right)) => left == right,
        (Value::Number(left), Value::Number(right)) => {
            number::compare(&left.to_string(), &right.to_string()).is_eq()
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len()
                && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        // Objects are never equal to anything, nor are values of different types.
        _ => false,
    }
}

fn call(function: &str, given: &[Value]) -> Value {
    let texts: Option<Vec<&str>> = given.iter().map(Value::as_str).collect();
    let of_text = |make: fn(&str) -> String| match &given[0] {
        Value::String(text) => Value::String(make(text)),
        _ => Value::Null,
    };
    match function {
        "contains" => Value::Bool(texts.is_some_and(|texts| texts[0].contains(texts[1]))),
        "match" => Value::Bool(texts.is_some_and(|texts| text::matches(texts[0], texts[1]))),
        "semver" => Value::Bool(
            texts.and_then(|texts| text::versions(texts[0], texts[1], texts[2])).unwrap_or(false),
        ),
        "length" => match &given[0] {
            Value::Null => Value::from(0),
            Value::String(text) => Value::from(text.len()),
            Value::Array(items) => Value::from(items.len()),
            _ => Value::Null,
        },
        "lowercase" => of_text(|text| text.chars().flat_map(char::to_lowercase).collect()),
        "uppercase" => of_text(|text| text.chars().flat_map(char::to_uppercase).collect()),
        "snakecase" => of_text(|text| text::words(text).join("_")),
        "kebabcase" => of_text(|text| text::words(text).join("-")),
        "titlecase" => of_text(text::title),
        "typeof" => Value::from(match &given[0] {
            Value::String(_) => "string",
            Value::Number(_) => "number",
            Value::Bool(_) => "bool",
            Value::Array(_) => "list",
            Value::Object(_) => "object",
            Value::Null => "null",
        }),
        "string" => match &given[0] {
            Value::String(text) => Value::from(text.as_str()),
            scalar @ (Value::Number(_) | Value::Bool(_)) => Value::from(scalar.to_string()),
            _ => Value::Null,
        },
        "number" => match &given[0] {
            Value::Number(number) => Value::Number(number.clone()),
            Value::String(text) if number::is_json(text) => {
                serde_json::from_str(text).expect("a number is JSON")
            }
            _ => Value::Null,
        },
        "bool" => match &given[0] {
            Value::Bool(value) => Value::Bool(*value),
            Value::String(text) if text == "true" => Value::Bool(true),
            Value::String(text) if text == "false" => Value::Bool(false),
            _ => Value::Null,
        },
        other => panic!("there is no function {other}"),
    }
}

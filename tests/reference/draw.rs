//! Triggers and events at random, out of so few values that they meet.

use serde_json::{Value, json};

use super::{Condition, Operand};
use crate::noise::Noise;

const KEYS: [&str; 8] = ["a", "b", "type", "0", "1", "ключ", "a b", "and"];

const TEXTS: [&str; 22] = [
    "",
    "a",
    "b",
    "ab",
    "Signed Up",
    "signedUp",
    "signed_up",
    "signed-up",
    "it's ON",
    "ÄB ß",
    "äb ß",
    "true",
    "false",
    "1",
    "1.50",
    " 1",
    "1.2",
    "1.2.3-rc1",
    "v1",
    "a/b*",
    "\\\"'",
    "é😀",
];

const PATTERNS: [&str; 13] = [
    "*",
    "?",
    "a*",
    "*b",
    "[a-c]*",
    "[^a]*",
    "*[b/]*\\*",
    "??",
    "",
    "signed?[Uu]p",
    "*\\?*",
    "1.*",
    "[",
];

const NUMBERS: [&str; 14] = [
    "0",
    "-0.0",
    "1",
    "1.0",
    "10e-1",
    "1.50",
    "2",
    "-1",
    "1e3",
    "1000",
    "9007199254740992",
    "9007199254740993",
    "12345678901234567890",
    "-1e-30",
];

const OF_ONE: [&str; 10] = [
    "length",
    "lowercase",
    "uppercase",
    "snakecase",
    "kebabcase",
    "titlecase",
    "typeof",
    "string",
    "number",
    "bool",
];

/// A trigger, and its text.
pub fn condition(noise: &mut Noise, depth: usize) -> (Condition, String) {
    match noise.below(if depth == 0 { 5 } else { 9 }) {
        0 => {
            let (operand, text) = operand(noise, 2);
            (Condition::Holds(operand), text)
        }
        1..=4 => comparison(noise),
        5 => {
            let (negated, text) = condition(noise, depth - 1);
            let text = match negated {
                Condition::Or(_) | Condition::And(_) => format!("!({text})"),
                _ => format!("!{text}"),
            };
            (Condition::Not(negated.into()), text)
        }
        kind => {
            let parts: Vec<_> =
                (0..2 + noise.below(2)).map(|_| condition(noise, depth - 1)).collect();
            let is_or = kind < 7;
            let texts: Vec<_> = parts
                .iter()
                .map(|(part, text)| {
                    let needs = matches!(part, Condition::Or(_)) && !is_or;
                    if needs || noise.below(4) == 0 { format!("( {text})") } else { text.clone() }
                })
                .collect();
            let parts = parts.into_iter().map(|(part, _)| part).collect();
            let white = *noise.pick(&[" ", "\n", "\r\n\t"]);
            if is_or {
                (Condition::Or(parts), texts.join(&format!("{white}or{white}")))
            } else {
                (Condition::And(parts), texts.join(&format!("{white}and{white}")))
            }
        }
    }
}

fn comparison(noise: &mut Noise) -> (Condition, String) {
    let by = *noise.pick(&["=", "=", "!=", "<", "<=", ">", ">=", "in", "in"]);
    let (left, left_text) = match by {
        "<" | "<=" | ">" | ">=" if noise.below(3) > 0 => number(noise),
        _ => operand(noise, 2),
    };
    let (right, right_text) = match by {
        "in" if noise.below(3) > 0 => {
            let list = Value::Array((0..noise.below(4)).map(|_| scalar(noise)).collect());
            let text = list_text(noise, &list);
            (Operand::Literal(list), text)
        }
        "<" | "<=" | ">" | ">=" if noise.below(3) > 0 => number(noise),
        _ => operand(noise, 2),
    };
    let blank = if by == "in" || noise.below(2) == 0 { " " } else { "" };
    let text = format!("{left_text}{blank}{by}{blank}{right_text}");
    (Condition::Compare(left, by, right), text)
}

/// A number, or what is one now and then.
fn number(noise: &mut Noise) -> (Operand, String) {
    let written = *noise.pick(&NUMBERS);
    let literal = serde_json::from_str(written).expect("a number");
    let literal = (Operand::Literal(literal), written.to_owned());
    match noise.below(4) {
        0 => call("number", vec![operand(noise, 0)]),
        1 => call("length", vec![operand(noise, 0)]),
        _ => literal,
    }
}

fn operand(noise: &mut Noise, depth: usize) -> (Operand, String) {
    match noise.below(if depth == 0 { 4 } else { 8 }) {
        0 | 1 => {
            let keys: Vec<&str> = (0..=noise.below(3)).map(|_| *noise.pick(&KEYS)).collect();
            let text = keys.iter().enumerate().map(|(at, key)| segment(key, at));
            let text = text.collect::<Vec<_>>().join(".");
            (Operand::Field(keys.into_iter().map(str::to_owned).collect()), text)
        }
        2 | 3 => {
            let literal = match noise.below(5) {
                0 => Value::Array((0..noise.below(3)).map(|_| scalar(noise)).collect()),
                _ => scalar(noise),
            };
            let text = list_text(noise, &literal);
            (Operand::Literal(literal), text)
        }
        4 | 5 => {
            let function = noise.pick::<&str>(&OF_ONE);
            call(function, vec![operand(noise, depth - 1)])
        }
        6 if noise.below(3) == 0 => {
            let by = *noise.pick(&["=", "!=", "<", "<=", ">", ">="]);
            let [left, right] = [0, 1].map(|_| {
                let version = *noise.pick(&["1.2", "1.2.0", "1.10", "1.2.3-rc1", "0.9+x", "v1"]);
                let text = format!("{version:?}");
                let drawn = (Operand::Literal(json!(version)), text);
                if noise.below(3) == 0 { operand(noise, 0) } else { drawn }
            });
            call("semver", vec![left, (Operand::Literal(json!(by)), format!("{by:?}")), right])
        }
        6 => call("contains", vec![operand(noise, depth - 1), operand(noise, depth - 1)]),
        _ => {
            let pattern = *noise.pick(&PATTERNS);
            // A malformed pattern may come from the event alone.
            let pattern = if pattern == "[" || noise.below(3) == 0 {
                (Operand::Field(vec!["a".to_owned()]), "a".to_owned())
            } else {
                let literal = Value::from(pattern);
                let text = list_text(noise, &literal);
                (Operand::Literal(literal), text)
            };
            call("match", vec![operand(noise, depth - 1), pattern])
        }
    }
}

fn call(function: &'static str, arguments: Vec<(Operand, String)>) -> (Operand, String) {
    let texts: Vec<_> = arguments.iter().map(|(_, text)| text.as_str()).collect();
    let text = format!("{function}({})", texts.join(" , "));
    (Operand::Call(function, arguments.into_iter().map(|(operand, _)| operand).collect()), text)
}

/// A key as a path writes it.
fn segment(key: &str, at: usize) -> String {
    let is_number = at == 0 && key.starts_with(|c: char| c.is_ascii_digit());
    match key {
        "and" if at == 0 => r"\and".to_owned(),
        key if is_number => format!("\\{key}"),
        key => key.replace(' ', r"\ "),
    }
}

fn scalar(noise: &mut Noise) -> Value {
    match noise.below(8) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(false),
        3 | 4 => serde_json::from_str(noise.pick::<&str>(&NUMBERS)).expect("a number"),
        _ => json!(noise.pick(&TEXTS)),
    }
}

/// A literal in one of the ways in which it may be written.
fn list_text(noise: &mut Noise, literal: &Value) -> String {
    match literal {
        Value::String(text) => {
            let quote = *noise.pick(&['"', '\'']);
            let escaped = text.replace('\\', r"\\").replace(quote, &format!("\\{quote}"));
            format!("{quote}{escaped}{quote}")
        }
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| list_text(noise, item)).collect();
            format!("[{}]", items.join(","))
        }
        other => other.to_string(),
    }
}

/// An event, with every value that a trigger can name.
pub fn event(noise: &mut Noise) -> Value {
    let mut object = serde_json::Map::new();
    for key in KEYS {
        if noise.below(4) > 0 {
            object.insert(key.to_owned(), value(noise, 2));
        }
    }
    Value::Object(object)
}

fn value(noise: &mut Noise, depth: usize) -> Value {
    match noise.below(if depth == 0 { 5 } else { 8 }) {
        5 => Value::Array((0..noise.below(4)).map(|_| value(noise, depth - 1)).collect()),
        6 => Value::Object(
            (0..noise.below(4))
                .map(|_| ((*noise.pick(&KEYS)).to_owned(), value(noise, depth - 1)))
                .collect(),
        ),
        0 if noise.below(3) == 0 => json!(noise.pick(&PATTERNS)),
        _ => scalar(noise),
    }
}

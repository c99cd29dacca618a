//! Is it true of this event? Total: whatever an event holds, a condition is true or false of it.
//!
//! Recursion is bounded by the tree, whose depth the parser bounds; events may be nested as deep
//! as they like.

use std::cmp::Ordering;

use crate::event::{Event, Value};

use super::case::Case;
use super::function::Function;
use super::seen::{Number, Seen};
use super::tree::{Comparison, Condition, Literal, Operand};
use super::{glob, semver};

impl Condition {
    pub(super) fn holds(&self, event: Event<'_>) -> bool {
        match self {
            Condition::Or(any) => any.iter().any(|part| part.holds(event)),
            Condition::And(all) => all.iter().all(|part| part.holds(event)),
            Condition::Not(negated) => !negated.holds(event),
            // What most conditions are made of is worth a way of its own.
            Condition::Compare {
                left: Operand::Field { id, .. },
                by: Comparison::Equal,
                right: Operand::Literal(Literal::Text(text)),
            } => {
                let found = event.find(*id).and_then(Value::as_string);
                found.is_some_and(|found| found.eq_str(text))
            }
            Condition::Compare { left, by, right } => by.holds(&left.see(event), &right.see(event)),
            Condition::Holds(operand) => matches!(operand.see(event), Seen::Bool(true)),
        }
    }
}

impl Comparison {
    fn holds(self, left: &Seen<'_>, right: &Seen<'_>) -> bool {
        match (self, left, right) {
            (Comparison::Equal, ..) => left.equals(right),
            (Comparison::NotEqual, ..) => !left.equals(right),
            (Comparison::In, _, Seen::List(list)) => left.is_in(*list),
            (_, Seen::Number(left), Seen::Number(right)) => self.allows(left.compare(right)),
            _ => false,
        }
    }

    /// Whether it holds between two things that compare so.
    fn allows(self, order: Ordering) -> bool {
        match self {
            Comparison::Equal => order.is_eq(),
            Comparison::NotEqual => order.is_ne(),
            Comparison::Less => order.is_lt(),
            Comparison::LessOrEqual => order.is_le(),
            Comparison::Greater => order.is_gt(),
            Comparison::GreaterOrEqual => order.is_ge(),
            Comparison::In => false,
        }
    }
}

impl Operand {
    fn see<'a>(&'a self, event: Event<'a>) -> Seen<'a> {
        match self {
            Operand::Field { id, .. } => event.find(*id).map_or(Seen::Null, Seen::of_value),
            Operand::Literal(literal) => Seen::of_literal(literal),
            Operand::Call(function, arguments) => match &**arguments {
                [only] => function.of(only.see(event)),
                [text, part] if *function == Function::Contains => {
                    Seen::Bool(contains(&text.see(event), &part.see(event)))
                }
                [text, pattern] => Seen::Bool(matches(&text.see(event), &pattern.see(event))),
                [left, by, right] => {
                    let (left, by, right) = (left.see(event), by.see(event), right.see(event));
                    Seen::Bool(versions(&left, &by, &right).unwrap_or(false))
                }
                _ => Seen::Null,
            },
        }
    }
}

impl Function {
    /// What a function of one argument makes of it.
    fn of(self, seen: Seen<'_>) -> Seen<'_> {
        let case = match self {
            Function::Length => return length(&seen),
            Function::TypeOf => return Seen::of_text(type_of(&seen)),
            Function::String => return to_string(seen),
            Function::Number => return to_number(seen),
            Function::Bool => return to_bool(&seen),
            Function::Lowercase => Case::Lower,
            Function::Uppercase => Case::Upper,
            Function::Snakecase => Case::Words('_'),
            Function::Kebabcase => Case::Words('-'),
            Function::Titlecase => Case::Title,
            Function::Contains | Function::Match | Function::Semver => return Seen::Null,
        };
        match seen {
            Seen::Text(words) => Seen::Text(words.in_case(case)),
            _ => Seen::Null,
        }
    }
}

fn length(seen: &Seen<'_>) -> Seen<'static> {
    match seen {
        Seen::Null => Seen::Number(Number::Count(0)),
        Seen::Text(words) => Seen::Number(Number::Count(words.len())),
        Seen::List(list) => Seen::Number(Number::Count(list.len())),
        Seen::Bool(_) | Seen::Number(_) | Seen::Object => Seen::Null,
    }
}

fn type_of(seen: &Seen<'_>) -> &'static str {
    match seen {
        Seen::Null => "null",
        Seen::Bool(_) => "bool",
        Seen::Number(_) => "number",
        Seen::Text(_) => "string",
        Seen::List(_) => "list",
        Seen::Object => "object",
    }
}

fn to_string(seen: Seen<'_>) -> Seen<'_> {
    match seen {
        Seen::Text(_) => seen,
        Seen::Bool(value) => Seen::of_text(if value { "true" } else { "false" }),
        Seen::Number(number) => Seen::of_text(number.text()),
        Seen::Null | Seen::List(_) | Seen::Object => Seen::Null,
    }
}

fn to_number(seen: Seen<'_>) -> Seen<'_> {
    match seen {
        Seen::Number(_) => seen,
        Seen::Text(words) => words.into_number().map_or(Seen::Null, Seen::Number),
        _ => Seen::Null,
    }
}

fn to_bool(seen: &Seen<'_>) -> Seen<'static> {
    match seen {
        Seen::Bool(value) => Seen::Bool(*value),
        Seen::Text(words) => words.to_bool().map_or(Seen::Null, Seen::Bool),
        _ => Seen::Null,
    }
}

fn contains(text: &Seen<'_>, part: &Seen<'_>) -> bool {
    match (text, part) {
        (Seen::Text(text), Seen::Text(part)) => text.contains(part),
        _ => false,
    }
}

fn matches(text: &Seen<'_>, pattern: &Seen<'_>) -> bool {
    let (Seen::Text(text), Seen::Text(pattern)) = (text, pattern) else {
        return false;
    };
    if glob::check(pattern.letters()).is_err() {
        return false;
    }
    // Most texts stand somewhere as they are, and are gone through several times as fast there.
    match (pattern.plain(), text.plain()) {
        (Some(pattern), Some(text)) => glob::matches(pattern.chars(), text.chars()),
        _ => glob::matches(pattern.letters(), text.letters()),
    }
}

fn versions(left: &Seen<'_>, by: &Seen<'_>, right: &Seen<'_>) -> Option<bool> {
    let (Seen::Text(left), Seen::Text(by), Seen::Text(right)) = (left, by, right) else {
        return None;
    };
    let by = Comparison::of_symbol(&by.to_text())?;
    let order = semver::compare(&left.to_text(), &right.to_text())?;
    Some(by.allows(order))
}

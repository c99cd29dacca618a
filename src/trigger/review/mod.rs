//! What is legal in a trigger and probably not meant.
//!
//! Knows the fields of the spec and what can hold at once. Everything that it says is true of
//! every event that follows the spec, or true of every event there is: it is silent where it
//! cannot be sure. `paths` looks at the fields that are read, `satisfy` at whether the trigger, or
//! a part of it, can hold at all.

mod demand;
mod kinds;
mod known;
mod paths;
mod satisfy;
#[cfg(test)]
mod tests;

use std::ops::Range;

use crate::event::Paths;

use super::parse::{self, Parsed};
use super::tree::{Condition, Literal, Operand};

/// What there is to say about a trigger's text, beside what it means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Review {
    /// What is probably not meant, in the text's order.
    pub warnings: Vec<Warning>,
    /// The names that `event` is compared with, in the text's order.
    pub events: Vec<EventName>,
    /// The same for all texts of equal triggers.
    pub normal_form: String,
}

/// What is legal in a trigger and probably not meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The bytes of the text that it is about.
    pub at: Range<usize>,
    /// What is strange there.
    pub message: String,
    /// What was probably meant.
    pub hint: Option<String>,
}

/// The name of an event in a trigger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventName {
    /// The bytes of the text that it stands in, with its quotes.
    pub at: Range<usize>,
    /// The name.
    pub name: String,
}

impl Review {
    /// Looks at `text`; at what is no trigger there is nothing to see.
    #[must_use]
    pub fn of(text: &str) -> Review {
        let Ok(parsed) = parse::parse(text, &mut Paths::new()) else {
            return Review::default();
        };
        let mut warnings = paths::review(text, &parsed);
        warnings.extend(satisfy::review(&parsed));
        warnings.sort_by_key(|warning| warning.at.start);
        Review { warnings, events: events(&parsed), normal_form: parsed.condition.to_string() }
    }
}

fn events(parsed: &Parsed) -> Vec<EventName> {
    let mut names = Vec::new();
    let mut places = parsed.texts.iter();
    for_each_comparison(&parsed.condition, &mut |comparison| {
        let (left, right) = operands(comparison);
        let names_events = [left, right].into_iter().flatten().any(is_event);
        let mut texts = Vec::new();
        for operand in [left, right].into_iter().flatten() {
            collect_texts(operand, false, &mut texts);
        }
        for (text, is_argument) in texts {
            let at = places.next().cloned().unwrap_or_default();
            if names_events && !is_argument {
                names.push(EventName { at, name: text.to_owned() });
            }
        }
    });
    names
}

fn is_event(operand: &Operand) -> bool {
    matches!(operand, Operand::Field { path, .. } if path.keys().eq(["event"]))
}

/// Shows `see` every comparison, and every operand that stands for itself, in the text's order.
fn for_each_comparison<'c>(condition: &'c Condition, see: &mut impl FnMut(&'c Condition)) {
    match condition {
        Condition::Or(parts) | Condition::And(parts) => {
            parts.iter().for_each(|part| for_each_comparison(part, see));
        }
        Condition::Not(negated) => for_each_comparison(negated, see),
        Condition::Compare { .. } | Condition::Holds(_) => see(condition),
    }
}

/// The sides of a comparison, or the operand that stands for itself.
fn operands(comparison: &Condition) -> (Option<&Operand>, Option<&Operand>) {
    match comparison {
        Condition::Compare { left, right, .. } => (Some(left), Some(right)),
        Condition::Holds(operand) => (Some(operand), None),
        Condition::Or(_) | Condition::And(_) | Condition::Not(_) => (None, None),
    }
}

/// Collects every text in `operand`, and whether it is an argument of a function.
fn collect_texts<'c>(operand: &'c Operand, is_argument: bool, texts: &mut Vec<(&'c str, bool)>) {
    fn of_literal<'c>(literal: &'c Literal, is_argument: bool, texts: &mut Vec<(&'c str, bool)>) {
        match literal {
            Literal::Text(text) => texts.push((text, is_argument)),
            Literal::List(items) => {
                items.iter().for_each(|item| of_literal(item, is_argument, texts));
            }
            Literal::Null | Literal::Bool(_) | Literal::Number(_) => {}
        }
    }
    match operand {
        Operand::Field { .. } => {}
        Operand::Literal(literal) => of_literal(literal, is_argument, texts),
        Operand::Call(_, arguments) => {
            arguments.iter().for_each(|argument| collect_texts(argument, true, texts));
        }
    }
}

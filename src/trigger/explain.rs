//! Why a trigger matched or did not: the smallest sub-expressions that decided it.

use std::fmt::{self, Display, Formatter};

use crate::event::Event;

use super::tree::{Condition, Operand};

/// A part of a trigger that decided the result, and what it saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The part, as text.
    pub part: String,
    /// Whether the part holds.
    pub holds: bool,
    /// Each field that the part reads, and the JSON text of its value; nothing: it is missing.
    pub saw: Vec<(String, Option<String>)>,
}

/// `event = "Signed Up" is false: event is "Signed In"`.
impl Display for Reason {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}", self.part, self.holds)?;
        for (at, (field, value)) in self.saw.iter().enumerate() {
            let joint = if at == 0 { ": " } else { ", " };
            let value = value.as_deref().unwrap_or("missing");
            write!(f, "{joint}{field} is {value}")?;
        }
        Ok(())
    }
}

pub(super) fn explain(condition: &Condition, event: Event<'_>) -> Vec<Reason> {
    let mut reasons = Vec::new();
    collect(condition, event, &mut reasons);
    reasons
}

/// All parts of a conjunction decide that it holds, and those that do not hold that it does not;
/// of a disjunction the other way round.
fn collect(condition: &Condition, event: Event<'_>, reasons: &mut Vec<Reason>) {
    let holds = condition.holds(event);
    match condition {
        Condition::Or(parts) | Condition::And(parts) => {
            for part in parts.iter().filter(|part| part.holds(event) == holds) {
                collect(part, event, reasons);
            }
        }
        Condition::Not(negated) => collect(negated, event, reasons),
        Condition::Compare { left, right, .. } => {
            let mut saw = Vec::new();
            look(left, event, &mut saw);
            look(right, event, &mut saw);
            reasons.push(reason(condition, holds, saw));
        }
        Condition::Holds(operand) => {
            let mut saw = Vec::new();
            look(operand, event, &mut saw);
            reasons.push(reason(condition, holds, saw));
        }
    }
}

fn reason(condition: &Condition, holds: bool, saw: Vec<(String, Option<String>)>) -> Reason {
    Reason { part: condition.to_string(), holds, saw }
}

/// Notes every field that `operand` reads, once.
fn look(operand: &Operand, event: Event<'_>, saw: &mut Vec<(String, Option<String>)>) {
    match operand {
        Operand::Field { id, .. } => {
            let field = operand.to_string();
            if saw.iter().all(|(known, _)| *known != field) {
                saw.push((field, event.find(*id).map(|value| value.text().to_owned())));
            }
        }
        Operand::Literal(_) => {}
        Operand::Call(_, arguments) => {
            for argument in arguments {
                look(argument, event, saw);
            }
        }
    }
}

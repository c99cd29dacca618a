//! Why a trigger matched or did not: the smallest sub-expressions that decided it.

use std::fmt::{self, Display, Formatter};
use std::ops::Range;
use std::slice;

use crate::event::Event;

use super::tree::{Condition, Operand};

/// A part of a trigger that decided the result, and what it saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Where the part stands in the text that the trigger was parsed from.
    pub at: Range<usize>,
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

/// `places` are those of the comparisons of `condition`, in their order.
pub(super) fn explain(
    condition: &Condition,
    places: &[Range<usize>],
    event: Event<'_>,
) -> Vec<Reason> {
    let mut search = Search { places: places.iter(), event };
    let (_, deciding) = search.decide(condition);
    deciding.into_iter().map(|part| part.reason(event)).collect()
}

struct Search<'s> {
    /// Where the comparisons stand that were not passed yet.
    places: slice::Iter<'s, Range<usize>>,
    event: Event<'s>,
}

/// A comparison that decides.
struct Deciding<'c> {
    at: Range<usize>,
    condition: &'c Condition,
    holds: bool,
}

impl Search<'_> {
    /// Whether `condition` holds, and the comparisons that decide it. Each is evaluated once.
    fn decide<'c>(&mut self, condition: &'c Condition) -> (bool, Vec<Deciding<'c>>) {
        match condition {
            Condition::Or(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.decide(part)).collect();
                let holds = parts.iter().any(|(holds, _)| *holds);
                (holds, deciding(parts, holds))
            }
            Condition::And(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.decide(part)).collect();
                let holds = parts.iter().all(|(holds, _)| *holds);
                (holds, deciding(parts, holds))
            }
            Condition::Not(negated) => {
                let (holds, parts) = self.decide(negated);
                (!holds, parts)
            }
            Condition::Compare { .. } | Condition::Holds(_) => {
                let at = self.places.next().cloned().unwrap_or_default();
                let holds = condition.holds(self.event);
                (holds, vec![Deciding { at, condition, holds }])
            }
        }
    }
}

/// All parts of a conjunction decide that it holds, and those that do not hold that it does not;
/// of a disjunction the other way round: those that come to what the whole comes to.
fn deciding(parts: Vec<(bool, Vec<Deciding<'_>>)>, whole: bool) -> Vec<Deciding<'_>> {
    parts.into_iter().filter(|(holds, _)| *holds == whole).flat_map(|(_, parts)| parts).collect()
}

impl Deciding<'_> {
    fn reason(self, event: Event<'_>) -> Reason {
        let mut saw = Vec::new();
        match self.condition {
            Condition::Compare { left, right, .. } => {
                look(left, event, &mut saw);
                look(right, event, &mut saw);
            }
            Condition::Holds(operand) => look(operand, event, &mut saw),
            Condition::Or(_) | Condition::And(_) | Condition::Not(_) => {}
        }
        Reason { at: self.at, part: self.condition.to_string(), holds: self.holds, saw }
    }
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

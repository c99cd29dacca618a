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
    let mut search = Search { places: places.iter(), event, reasons: Vec::new() };
    search.collect(condition, true);
    search.reasons
}

struct Search<'s> {
    /// Where the comparisons stand that were not passed yet.
    places: slice::Iter<'s, Range<usize>>,
    event: Event<'s>,
    reasons: Vec<Reason>,
}

impl Search<'_> {
    /// All parts of a conjunction decide that it holds, and those that do not hold that it does
    /// not; of a disjunction the other way round. Parts that do not decide are only passed.
    fn collect(&mut self, condition: &Condition, decides: bool) {
        let holds = decides && condition.holds(self.event);
        match condition {
            Condition::Or(parts) | Condition::And(parts) => {
                for part in parts {
                    let decides = decides && part.holds(self.event) == holds;
                    self.collect(part, decides);
                }
            }
            Condition::Not(negated) => self.collect(negated, decides),
            Condition::Compare { left, right, .. } => {
                self.note(condition, [left, right], decides.then_some(holds));
            }
            Condition::Holds(operand) => self.note(condition, [operand], decides.then_some(holds)),
        }
    }

    /// Passes a comparison, and notes it if it decides.
    fn note<'c>(
        &mut self,
        condition: &Condition,
        operands: impl IntoIterator<Item = &'c Operand>,
        holds: Option<bool>,
    ) {
        let at = self.places.next().cloned().unwrap_or_default();
        let Some(holds) = holds else { return };
        let mut saw = Vec::new();
        for operand in operands {
            look(operand, self.event, &mut saw);
        }
        self.reasons.push(Reason { at, part: condition.to_string(), holds, saw });
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

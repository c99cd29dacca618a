//! What must hold of an event for a trigger to match it, taken apart.

use crate::event::{Fields, Path, PathId, Paths};

use super::super::tree::{Comparison, Condition, Literal, Operand};

/// A part of a trigger that must hold, or must not.
#[derive(Clone, Copy)]
pub(super) struct Demand<'c> {
    pub(super) part: &'c Condition,
    pub(super) holds: bool,
    /// How many comparisons stand before it in the text.
    pub(super) first: usize,
}

impl<'c> Demand<'c> {
    /// Whether it is met, where it reads no field.
    pub(super) fn is_met(&self) -> bool {
        let mut fields = Fields::new();
        let event = fields.read(b"{}", &Paths::new()).expect("an empty object is JSON");
        self.part.holds(event) == self.holds
    }

    /// Whether it is met where the only field that it reads, at `id`, is `value`.
    pub(super) fn is_met_by(&self, id: PathId, value: &Literal) -> bool {
        let part = self.part.with(id, value);
        Demand { part: &part, ..*self }.is_met()
    }

    /// What must be met for it to be met: all of these, as deep as there is nothing to choose.
    pub(super) fn all(self) -> Vec<Demand<'c>> {
        let mut all = Vec::new();
        self.collect_all(&mut all);
        all
    }

    fn collect_all(self, all: &mut Vec<Demand<'c>>) {
        match (self.part, self.holds) {
            (Condition::Not(negated), holds) => {
                Demand { part: negated, holds: !holds, ..self }.collect_all(all);
            }
            (Condition::And(parts), true) | (Condition::Or(parts), false) => {
                self.inside(parts).for_each(|demand| demand.collect_all(all));
            }
            _ => all.push(self),
        }
    }

    /// What it is enough to meet one of; nothing where there is nothing to choose.
    pub(super) fn any(self) -> Vec<Demand<'c>> {
        match (self.part, self.holds) {
            (Condition::Or(parts), true) | (Condition::And(parts), false) => {
                self.inside(parts).collect()
            }
            _ => Vec::new(),
        }
    }

    fn inside(self, parts: &'c [Condition]) -> impl Iterator<Item = Demand<'c>> {
        parts.iter().scan(self.first, move |first, part| {
            let demand = Demand { part, holds: self.holds, first: *first };
            *first += part.comparisons();
            Some(demand)
        })
    }

    /// Whether it wants one value of a field by name.
    pub(super) fn is_equality(&self) -> bool {
        let by = if self.holds { Comparison::Equal } else { Comparison::NotEqual };
        matches!(self.part, Condition::Compare { by: written, .. } if *written == by)
    }
}

impl Condition {
    /// How many comparisons it holds, with the operands that stand for themselves.
    pub(super) fn comparisons(&self) -> usize {
        match self {
            Condition::Or(parts) | Condition::And(parts) => {
                parts.iter().map(Condition::comparisons).sum()
            }
            Condition::Not(negated) => negated.comparisons(),
            Condition::Compare { .. } | Condition::Holds(_) => 1,
        }
    }

    /// The same with `value` in the place of the field at `id`.
    fn with(&self, id: PathId, value: &Literal) -> Condition {
        let all = |parts: &[Condition]| parts.iter().map(|part| part.with(id, value)).collect();
        match self {
            Condition::Or(parts) => Condition::Or(all(parts)),
            Condition::And(parts) => Condition::And(all(parts)),
            Condition::Not(negated) => Condition::Not(negated.with(id, value).into()),
            Condition::Compare { left, by, right } => Condition::Compare {
                left: left.with(id, value),
                by: *by,
                right: right.with(id, value),
            },
            Condition::Holds(operand) => Condition::Holds(operand.with(id, value)),
        }
    }
}

impl Operand {
    fn with(&self, id: PathId, value: &Literal) -> Operand {
        match self {
            Operand::Field { id: own, .. } if *own == id => Operand::Literal(value.clone()),
            Operand::Field { .. } | Operand::Literal(_) => self.clone(),
            Operand::Call(function, arguments) => {
                let arguments = arguments.iter().map(|argument| argument.with(id, value));
                Operand::Call(*function, arguments.collect())
            }
        }
    }
}

/// Every field that `part` reads, in the text's order.
pub(super) fn fields_of(part: &Condition) -> Vec<(PathId, &Path)> {
    let mut fields = Vec::new();
    collect_fields(part, &mut fields);
    fields
}

fn collect_fields<'c>(part: &'c Condition, fields: &mut Vec<(PathId, &'c Path)>) {
    fn of_operand<'c>(operand: &'c Operand, fields: &mut Vec<(PathId, &'c Path)>) {
        match operand {
            Operand::Field { path, id } => fields.push((*id, path)),
            Operand::Literal(_) => {}
            Operand::Call(_, arguments) => {
                arguments.iter().for_each(|argument| of_operand(argument, fields));
            }
        }
    }
    match part {
        Condition::Or(parts) | Condition::And(parts) => {
            parts.iter().for_each(|part| collect_fields(part, fields));
        }
        Condition::Not(negated) => collect_fields(negated, fields),
        Condition::Compare { left, right, .. } => {
            of_operand(left, fields);
            of_operand(right, fields);
        }
        Condition::Holds(operand) => of_operand(operand, fields),
    }
}

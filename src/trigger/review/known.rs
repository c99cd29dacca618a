//! What must hold at once, and what follows from it.
//!
//! Knows, for each field that may only have certain values, which ones are left. A demand that
//! reads nothing but this field is tried on each of them with the evaluator itself, so that every
//! function, list and negation means here what it means for an event.

use crate::event::PathId;
use crate::spec;

use super::super::seen::Seen;
use super::super::tree::{Comparison, Condition, Literal, Operand};
use super::demand::{Demand, fields_of};
use super::kinds::{Never, never_holds};

/// Why demands cannot be met at once.
pub(super) struct Contradiction<'c> {
    /// The demand that cannot be met.
    pub(super) blamed: Demand<'c>,
    pub(super) reason: Reason<'c>,
}

pub(super) enum Reason<'c> {
    /// It reads no field, so that it is the same for every event.
    Constant,
    /// Of no value at all.
    Never(Never),
    /// Not of any of the six calls.
    NoCall,
    /// Not beside these.
    Beside(Vec<Demand<'c>>),
}

/// Demands that can be met at once, as far as anyone can tell.
#[derive(Clone, Default)]
pub(super) struct Known<'c> {
    demands: Vec<(Demand<'c>, Option<PathId>)>,
    values: Vec<Values<'c>>,
}

/// The values that are left for a field.
#[derive(Clone)]
struct Values<'c> {
    id: PathId,
    left: Vec<&'c Literal>,
    /// What has left them.
    because: Vec<Demand<'c>>,
}

/// A call that has a field, or one that has not: what is said of the calls that are left.
pub(super) struct Absent<'c> {
    pub(super) demand: Demand<'c>,
    pub(super) field: &'static spec::Field,
    /// The calls that are left, none of which has the field.
    pub(super) calls: Vec<&'c str>,
}

impl<'c> Known<'c> {
    /// Before any demand: the field at `id` has one of `values`.
    pub(super) fn of(id: PathId, values: impl Iterator<Item = &'c Literal>) -> Known<'c> {
        let values = Values { id, left: values.collect(), because: Vec::new() };
        Known { demands: Vec::new(), values: vec![values] }
    }

    /// Adds demands, or says why one of them cannot be met as well.
    pub(super) fn add_each(&mut self, demands: &[Demand<'c>]) -> Result<(), Contradiction<'c>> {
        demands.iter().try_for_each(|demand| self.add(*demand))
    }

    /// Adds a demand, or says why it cannot be met as well.
    fn add(&mut self, demand: Demand<'c>) -> Result<(), Contradiction<'c>> {
        let refuse = |reason| Err(Contradiction { blamed: demand, reason });
        let fields = fields_of(demand.part);
        let Some((id, _)) = fields.first().copied() else {
            return if demand.is_met() { Ok(()) } else { refuse(Reason::Constant) };
        };
        if demand.holds
            && let Some(never) = never_holds(demand.part)
        {
            return refuse(Reason::Never(never));
        }
        let is_opposite = |(other, _): &&(Demand<'c>, _)| {
            other.holds != demand.holds && other.part == demand.part
        };
        if let Some((other, _)) = self.demands.iter().find(is_opposite) {
            return refuse(Reason::Beside(vec![*other]));
        }
        let only = fields.iter().all(|(other, _)| *other == id).then_some(id);
        if let Some(id) = only {
            if let Some(reason) = self.narrow(id, demand) {
                return refuse(reason);
            }
            let of_same = self.demands.iter().filter(|(_, other)| *other == only);
            if let Some((other, _)) = of_same.into_iter().find(|(other, _)| apart(other, &demand)) {
                return refuse(Reason::Beside(vec![*other]));
            }
        }
        self.demands.push((demand, only));
        Ok(())
    }

    /// Keeps the values that meet `demand`, which reads nothing but the field at `id`; none are
    /// left, and why, or some are, or it is not known which there are.
    fn narrow(&mut self, id: PathId, demand: Demand<'c>) -> Option<Reason<'c>> {
        let known = self.values.iter_mut().find(|values| values.id == id);
        let Some(values) = known else {
            let mut left = Vec::new();
            if !pinned(demand, &mut left) {
                return None;
            }
            for (other, _) in self.demands.iter().filter(|(_, other)| *other == Some(id)) {
                left.retain(|value| other.is_met_by(id, value));
                if left.is_empty() {
                    return Some(Reason::Beside(vec![*other]));
                }
            }
            self.values.push(Values { id, left, because: vec![demand] });
            return None;
        };
        let before = values.left.len();
        values.left.retain(|value| demand.is_met_by(id, value));
        if values.left.is_empty() {
            let because = std::mem::take(&mut values.because);
            return Some(if because.is_empty() { Reason::NoCall } else { Reason::Beside(because) });
        }
        if values.left.len() < before {
            values.because.push(demand);
        }
        None
    }

    /// The demands from the `from`th on that ask for a field which the calls that are left, the
    /// values of the field `call`, do not have.
    pub(super) fn absent(&self, from: usize, call: PathId) -> Vec<Absent<'c>> {
        let Some(left) = self.values.iter().find(|values| values.id == call) else {
            return Vec::new();
        };
        let calls: Vec<&str> = left.left.iter().filter_map(|value| value.as_text()).collect();
        let demands = self.demands[from..].iter();
        let absent = demands.filter_map(|(demand, only)| {
            let id = (*only)?;
            let field = spec::field(fields_of(demand.part).first()?.1.keys().next()?)?;
            let is_absent = !calls.iter().any(|call| field.calls.contains(call));
            let asks = !demand.is_met_by(id, &Literal::Null);
            (is_absent && asks).then(|| Absent { demand: *demand, field, calls: calls.clone() })
        });
        absent.collect()
    }

    /// How many demands there are.
    pub(super) fn len(&self) -> usize {
        self.demands.len()
    }
}

/// Collects the only values with which `demand`, which reads a single field, can be met; false:
/// there may be others.
fn pinned<'c>(demand: Demand<'c>, values: &mut Vec<&'c Literal>) -> bool {
    static TRUE: Literal = Literal::Bool(true);
    let any = demand.any();
    if !any.is_empty() {
        return any.into_iter().all(|demand| pinned(demand, values));
    }
    match (demand.part, demand.holds) {
        (Condition::Not(negated), holds) => {
            pinned(Demand { part: negated, holds: !holds, ..demand }, values)
        }
        (Condition::Holds(Operand::Field { .. }), true) => {
            values.push(&TRUE);
            true
        }
        (Condition::Compare { left, by, right }, holds) => match (left, by, right, holds) {
            (Operand::Field { .. }, Comparison::Equal, Operand::Literal(value), true)
            | (Operand::Literal(value), Comparison::Equal, Operand::Field { .. }, true)
            | (Operand::Field { .. }, Comparison::NotEqual, Operand::Literal(value), false)
            | (Operand::Literal(value), Comparison::NotEqual, Operand::Field { .. }, false) => {
                values.push(value);
                true
            }
            (
                Operand::Field { .. },
                Comparison::In,
                Operand::Literal(Literal::List(items)),
                true,
            ) => {
                values.extend(items);
                true
            }
            _ => false,
        },
        _ => false,
    }
}

/// Whether two demands leave no number between them: `x > 5` and `x < 3`.
fn apart(one: &Demand<'_>, other: &Demand<'_>) -> bool {
    let (Some((one, by_one, at_one)), Some((other, by_other, at_other))) =
        (bound(one), bound(other))
    else {
        return false;
    };
    let (Seen::Number(low), Seen::Number(high)) =
        (Seen::of_literal(at_one), Seen::of_literal(at_other))
    else {
        return false;
    };
    let order = low.compare(&high);
    let is_strict = [by_one, by_other]
        .into_iter()
        .any(|by| matches!(by, Comparison::Less | Comparison::Greater));
    one == other
        && match (is_lower(by_one), is_lower(by_other)) {
            (true, false) => order.is_gt() || (order.is_eq() && is_strict),
            (false, true) => order.is_lt() || (order.is_eq() && is_strict),
            _ => false,
        }
}

fn is_lower(by: Comparison) -> bool {
    matches!(by, Comparison::Greater | Comparison::GreaterOrEqual)
}

/// A bound that an operand must keep, read with the operand on the left.
fn bound<'d>(demand: &'d Demand<'_>) -> Option<(&'d Operand, Comparison, &'d Literal)> {
    let Condition::Compare { left, by, right } = demand.part else { return None };
    let is_order = matches!(
        by,
        Comparison::Less
            | Comparison::LessOrEqual
            | Comparison::Greater
            | Comparison::GreaterOrEqual
    );
    // What is not less may be no number at all, so a bound that must not hold says nothing.
    if !is_order || !demand.holds {
        return None;
    }
    match (left, right) {
        (operand, Operand::Literal(number)) => Some((operand, *by, number)),
        (Operand::Literal(number), operand) => Some((operand, turned(*by), number)),
        _ => None,
    }
}

fn turned(by: Comparison) -> Comparison {
    match by {
        Comparison::Less => Comparison::Greater,
        Comparison::LessOrEqual => Comparison::GreaterOrEqual,
        Comparison::Greater => Comparison::Less,
        Comparison::GreaterOrEqual => Comparison::LessOrEqual,
        Comparison::Equal | Comparison::NotEqual | Comparison::In => by,
    }
}

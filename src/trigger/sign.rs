//! What an event must show at first glance, or else a trigger certainly does not match.
//!
//! A sign is necessary and never sufficient: where it is there, the trigger is evaluated. So it
//! may say too little, and must never say too much. Missing equals null and a negation may hold of
//! anything, which is why most forms of a condition have none.

use crate::event::PathId;

use super::function::Function;
use super::tree::{Comparison, Condition, Literal, Operand};

/// Something that an event shows or does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Sign<'t> {
    /// The path leads to this text.
    Says(PathId, &'t str),
    /// The path leads somewhere.
    Has(PathId),
}

impl Condition {
    /// Signs of which every event shows at least one that the condition holds of, those with the
    /// least sum of `cost` where there is a choice. None: it may hold of an event without signs.
    pub(super) fn signs<'t>(&'t self, cost: &impl Fn(Sign<'t>) -> usize) -> Option<Vec<Sign<'t>>> {
        match self {
            Condition::Or(any) => {
                let every: Option<Vec<_>> = any.iter().map(|part| part.signs(cost)).collect();
                every.map(|signs| signs.concat())
            }
            Condition::And(all) => {
                let some = all.iter().filter_map(|part| part.signs(cost));
                some.min_by_key(|signs| signs.iter().map(|sign| cost(*sign)).sum::<usize>())
            }
            Condition::Not(_) => None,
            Condition::Compare { left, by, right } => by.signs(left, right),
            Condition::Holds(operand) => operand.sign_of_true().map(|sign| vec![sign]),
        }
    }

    /// Calls `see` with every sign among which [`signs`](Self::signs) chooses.
    pub(super) fn each_sign<'t>(&'t self, see: &mut impl FnMut(Sign<'t>)) {
        match self {
            Condition::Or(parts) | Condition::And(parts) => {
                parts.iter().for_each(|part| part.each_sign(see));
            }
            leaf => leaf.signs(&|_| 0).into_iter().flatten().for_each(see),
        }
    }
}

impl Comparison {
    fn signs<'t>(self, left: &'t Operand, right: &'t Operand) -> Option<Vec<Sign<'t>>> {
        let one = |sign: Option<Sign<'t>>| sign.map(|sign| vec![sign]);
        match (self, left, right) {
            (Comparison::In, sought, Operand::Literal(Literal::List(items))) => {
                items.iter().map(|item| sought.sign_of_equal(item)).collect()
            }
            (Comparison::In, _, list) => one(list.sign_of_value()),
            (Comparison::Equal, Operand::Literal(literal), other)
            | (Comparison::Equal, other, Operand::Literal(literal)) => {
                one(other.sign_of_equal(literal))
            }
            (Comparison::NotEqual, Operand::Literal(Literal::Null), other)
            | (Comparison::NotEqual, other, Operand::Literal(Literal::Null)) => {
                one(other.sign_of_value())
            }
            (Comparison::Equal | Comparison::NotEqual, ..) => None,
            // An order holds between two numbers only.
            _ => one(left.sign_of_value().or_else(|| right.sign_of_value())),
        }
    }
}

impl Operand {
    /// What an event shows where this equals `literal`.
    fn sign_of_equal<'t>(&self, literal: &'t Literal) -> Option<Sign<'t>> {
        match (self, literal) {
            (_, Literal::Null) => None,
            (Operand::Field { id, .. }, Literal::Text(text)) => Some(Sign::Says(*id, text)),
            _ => self.sign_of_value(),
        }
    }

    /// What an event shows where this is not null.
    fn sign_of_value<'t>(&self) -> Option<Sign<'t>> {
        match self {
            Operand::Field { id, .. } => Some(Sign::Has(*id)),
            Operand::Literal(_) => None,
            Operand::Call(function, arguments) => match function {
                Function::Lowercase
                | Function::Uppercase
                | Function::Snakecase
                | Function::Kebabcase
                | Function::Titlecase
                | Function::String
                | Function::Number
                | Function::Bool => arguments.first()?.sign_of_value(),
                // These have a value, whatever they are asked of.
                Function::Contains
                | Function::Match
                | Function::Semver
                | Function::Length
                | Function::TypeOf => None,
            },
        }
    }

    /// What an event shows where this is true.
    fn sign_of_true<'t>(&self) -> Option<Sign<'t>> {
        match self {
            // None of these is true of a null.
            Operand::Call(Function::Contains | Function::Match | Function::Semver, arguments) => {
                arguments.iter().find_map(Operand::sign_of_value)
            }
            _ => self.sign_of_value(),
        }
    }
}

//! What expressions, filters and conditions come to.

use std::cmp::Ordering;
use std::collections::HashMap;

use crate::event::{self, Kind};

use super::super::object::Object;
use super::Unrendered;
use super::filter::Arguments;
use super::number::Number;
use super::tree::{Chain, Comparison, Condition, Expression, Step, Variable};
use super::value::Value;
use super::work::{ITEM, Work};

/// Everything that a rendering knows.
pub(super) struct Scope<'a, 'f> {
    pub(super) find: &'f dyn Fn(usize) -> Option<event::Value<'a>>,
    pub(super) assigned: HashMap<&'a str, Value<'a>>,
    /// The loops around, from the outside in.
    pub(super) rounds: Vec<Round<'a>>,
    pub(super) work: Work,
}

/// A round of a loop.
pub(super) struct Round<'a> {
    pub(super) name: &'a str,
    pub(super) item: Value<'a>,
    pub(super) index: usize,
    pub(super) length: usize,
}

impl<'a> Scope<'a, '_> {
    pub(super) fn chain(&self, chain: &'a Chain) -> Result<Value<'a>, Unrendered> {
        let mut value = self.expression(&chain.subject)?;
        for call in &chain.calls {
            self.work.spend(ITEM)?;
            let given = call.arguments.iter().map(|argument| self.expression(argument));
            let given = given.collect::<Result<Vec<_>, _>>()?;
            let arguments = Arguments { given, work: &self.work };
            let failed = |Unrendered(why)| Unrendered(format!("{}: {why}", call.filter.name));
            value = (call.filter.apply)(&value, &arguments).map_err(failed)?;
        }
        Ok(value)
    }

    pub(super) fn expression(&self, expression: &'a Expression) -> Result<Value<'a>, Unrendered> {
        self.work.spend(ITEM)?;
        match expression {
            Expression::Literal(literal) => {
                self.work.spend(literal.weight())?;
                Ok(literal.clone())
            }
            Expression::Variable(variable) => self.variable(variable),
            Expression::Range(range) => {
                let (first, last) = self.range(range)?;
                let count = usize::try_from(last.saturating_sub(first).saturating_add(1));
                self.work.spend(count.unwrap_or(0).saturating_mul(ITEM * 2))?;
                Ok(Value::List((first..=last).map(|whole| Value::Number(whole.into())).collect()))
            }
        }
    }

    /// The ends of a range.
    pub(super) fn range(
        &self,
        range: &'a (Expression, Expression),
    ) -> Result<(i64, i64), Unrendered> {
        Ok((self.whole(&range.0)?, self.whole(&range.1)?))
    }

    /// A whole number; 0 of what is none.
    pub(super) fn whole(&self, expression: &'a Expression) -> Result<i64, Unrendered> {
        let value = self.expression(expression)?;
        Ok(value.as_number().map_or(0, |number| number.whole()))
    }

    fn variable(&self, variable: &'a Variable) -> Result<Value<'a>, Unrendered> {
        let mut steps = &*variable.steps;
        let mut value = if let Some(depth) = self.depth_of(&variable.name) {
            self.rounds[depth].item.clone()
        } else if &*variable.name == "forloop" && !self.rounds.is_empty() {
            return self.forloop(steps);
        } else if let Some(assigned) = self.assigned.get(&*variable.name) {
            assigned.clone()
        } else if let Some(lead) = variable.event {
            steps = &steps[lead.steps..];
            (self.find)(lead.read).map_or(Value::Nil, Value::from)
        } else {
            return Ok(Value::Nil);
        };
        for step in steps {
            value = match step {
                Step::Key(key) => self.at_key(&value, key)?,
                Step::Index(index) => self.at_index(&value, *index)?,
                Step::At(expression) => match self.expression(expression)? {
                    Value::Text(key) => self.at_key(&value, &key)?,
                    Value::Number(index) if matches!(&value, Value::Json(json) if json.kind() == Kind::Object) => {
                        self.at_key(&value, index.text())?
                    }
                    Value::Number(index) => self.at_index(&value, index.whole())?,
                    _ => Value::Nil,
                },
            };
        }
        // Lists are shared and looked through only where somebody asks, texts and numbers are not.
        if let Value::Text(_) | Value::Number(_) = value {
            self.work.spend(value.weight())?;
        }
        Ok(value)
    }

    /// The innermost loop of that name.
    fn depth_of(&self, name: &str) -> Option<usize> {
        self.rounds.iter().rposition(|round| round.name == name)
    }

    fn at_key(&self, value: &Value<'a>, key: &str) -> Result<Value<'a>, Unrendered> {
        if let Some(member) = value.member(key, &self.work)? {
            return Ok(member);
        }
        match key {
            "size" => size(value, &self.work),
            "first" => self.at_index(value, 0),
            "last" => self.at_index(value, -1),
            _ => Ok(Value::Nil),
        }
    }

    /// An item of a list, counted from the end where `index` is negative.
    fn at_index(&self, value: &Value<'a>, index: i64) -> Result<Value<'a>, Unrendered> {
        let from_end = || usize::try_from(index.checked_neg()?.checked_sub(1)?).ok();
        let from_start = usize::try_from(index).ok();
        self.work.spend(value.weight())?;
        let item = match value {
            Value::List(items) => match from_start {
                Some(at) => items.get(at).cloned(),
                None => from_end().and_then(|at| items.iter().nth_back(at)).cloned(),
            },
            Value::Json(json) => {
                let at = match from_start {
                    Some(at) => Some(at),
                    None => from_end().and_then(|at| json.items().count().checked_sub(at + 1)),
                };
                at.and_then(|at| json.items().nth(at)).map(Value::from)
            }
            _ => None,
        };
        Ok(item.unwrap_or(Value::Nil))
    }

    /// What is known of the loop around, or of the loops around that one.
    fn forloop(&self, steps: &'a [Step]) -> Result<Value<'a>, Unrendered> {
        let mut outward = self.rounds.iter().rev();
        let mut round = outward.next();
        let mut steps = steps.iter();
        loop {
            let (Some(round_here), Some(Step::Key(key))) = (round, steps.next()) else {
                return Ok(Value::Nil);
            };
            let Round { index, length, .. } = *round_here;
            let count = match &**key {
                "parentloop" => {
                    round = outward.next();
                    continue;
                }
                "first" => return Ok(Value::Bool(index == 0)),
                "last" => return Ok(Value::Bool(index + 1 == length)),
                "index" => index + 1,
                "index0" => index,
                "rindex" => length - index,
                "rindex0" => length - index - 1,
                "length" => length,
                _ => return Ok(Value::Nil),
            };
            return Ok(Value::Number(Number::from(count)));
        }
    }

    pub(super) fn holds(&self, condition: &'a Condition) -> Result<bool, Unrendered> {
        match condition {
            Condition::Truth(expression) => Ok(self.expression(expression)?.is_truthy()),
            Condition::And(both) => Ok(self.holds(&both.0)? && self.holds(&both.1)?),
            Condition::Or(either) => Ok(self.holds(&either.0)? || self.holds(&either.1)?),
            Condition::Not(condition) => Ok(!self.holds(condition)?),
            Condition::Comparison { left, by, right } => {
                let (left, right) = (self.expression(left)?, self.expression(right)?);
                let order = || left.compare(&right, &self.work);
                Ok(match by {
                    Comparison::Equal => left.equals(&right, &self.work)?,
                    Comparison::NotEqual => !left.equals(&right, &self.work)?,
                    Comparison::Less => order()?.is_some_and(Ordering::is_lt),
                    Comparison::LessOrEqual => order()?.is_some_and(Ordering::is_le),
                    Comparison::Greater => order()?.is_some_and(Ordering::is_gt),
                    Comparison::GreaterOrEqual => order()?.is_some_and(Ordering::is_ge),
                    Comparison::Contains => self.contains(&left, &right)?,
                })
            }
        }
    }

    /// Whether a text has a part, a list an item, an object a key.
    fn contains(&self, whole: &Value<'a>, part: &Value<'a>) -> Result<bool, Unrendered> {
        if let Value::Nil = part {
            return Ok(false);
        }
        match whole {
            Value::Text(text) => {
                self.work.spend(text.len())?;
                Ok(text.contains(&*part.printed(&self.work)?))
            }
            Value::Json(json) if json.kind() == Kind::Object => {
                let key = part.printed(&self.work)?;
                Ok(whole.member(&key, &self.work)?.is_some())
            }
            Value::Json(_) | Value::List(_) => {
                for item in whole.items(&self.work)? {
                    if item.equals(part, &self.work)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            _ => Ok(false),
        }
    }
}

/// How many characters, items or entries there are; nothing of what has none.
pub(super) fn size<'a>(value: &Value<'_>, work: &Work) -> Result<Value<'a>, Unrendered> {
    work.spend(value.weight())?;
    let count = match value {
        Value::Text(text) => text.chars().count(),
        Value::Json(json) if json.kind() == Kind::List => json.items().count(),
        Value::Json(json) => Object::of(*json).into_entries().count(),
        Value::List(items) => items.len(),
        _ => return Ok(Value::Nil),
    };
    Ok(Value::Number(count.into()))
}

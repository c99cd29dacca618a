//! From the tree to text.

use std::collections::HashMap;

use crate::event::{self, Kind};

use super::super::object::Object;
use super::Unrendered;
use super::evaluate::{Round, Scope};
use super::tree::{Body, Direction, Expression, For, Node, Order};
use super::value::Value;
use super::work::{ITEM, Output, Work};

/// What a template says, where `find` finds what it reads.
pub(super) fn template<'a>(
    body: &'a [Node],
    find: &dyn Fn(usize) -> Option<event::Value<'a>>,
) -> Result<String, Unrendered> {
    let scope = Scope { find, assigned: HashMap::new(), rounds: Vec::new(), work: Work::new() };
    let mut renderer = Renderer { scope, cycles: HashMap::new(), counts: HashMap::new() };
    let mut output = Output::default();
    renderer.body(body, &mut output)?;
    Ok(output.into_text())
}

struct Renderer<'a, 'f> {
    scope: Scope<'a, 'f>,
    /// How often each group of values was asked for one.
    cycles: HashMap<&'a str, usize>,
    counts: HashMap<&'a str, i64>,
}

/// How rendering goes on behind a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    GoesOn,
    /// The round is over.
    Continues,
    /// The loop is over.
    Breaks,
}

impl<'a> Renderer<'a, '_> {
    fn body(&mut self, nodes: &'a [Node], output: &mut Output) -> Result<Then, Unrendered> {
        for node in nodes {
            let then = self.node(node, output)?;
            if then != Then::GoesOn {
                return Ok(then);
            }
        }
        Ok(Then::GoesOn)
    }

    fn node(&mut self, node: &'a Node, output: &mut Output) -> Result<Then, Unrendered> {
        self.scope.work.spend(ITEM)?;
        match node {
            Node::Text(text) => output.push(text)?,
            Node::Output(chain) => {
                let value = self.scope.chain(chain)?;
                output.push(&value.printed(&self.scope.work)?)?;
            }
            Node::Assign { name, chain } => {
                let value = self.scope.chain(chain)?;
                self.scope.assigned.insert(name, value);
            }
            Node::Capture { name, body } => {
                let mut captured = Output::default();
                let then = self.body(body, &mut captured)?;
                let text = captured.into_text();
                self.scope.work.spend(text.len())?;
                self.scope.assigned.insert(name, Value::text(text));
                return Ok(then);
            }
            Node::If { branches, otherwise } => {
                for (condition, body) in branches {
                    if self.scope.holds(condition)? {
                        return self.body(body, output);
                    }
                }
                return self.body(otherwise, output);
            }
            Node::Case { subject, branches, otherwise } => {
                return self.case(subject, branches, otherwise, output);
            }
            Node::For(rounds) => return self.rounds(rounds, output),
            Node::Cycle { group, values } => {
                let turn = self.cycles.entry(group).or_insert(0);
                let value = &values[*turn % values.len()];
                *turn += 1;
                let value = self.scope.expression(value)?;
                output.push(&value.printed(&self.scope.work)?)?;
            }
            Node::Count { name, direction } => {
                let count = self.counts.entry(name).or_insert(0);
                let shown = match direction {
                    Direction::Up => *count,
                    Direction::Down => *count - 1,
                };
                *count = if *direction == Direction::Up { *count + 1 } else { shown };
                output.push(&shown.to_string())?;
            }
            Node::Break => return Ok(Then::Breaks),
            Node::Continue => return Ok(Then::Continues),
        }
        Ok(Then::GoesOn)
    }

    /// Every branch whose values hold the subject's, in Liquid as in no other language.
    fn case(
        &mut self,
        subject: &'a Expression,
        branches: &'a [(Box<[Expression]>, Body)],
        otherwise: &'a [Node],
        output: &mut Output,
    ) -> Result<Then, Unrendered> {
        let subject = self.scope.expression(subject)?;
        let mut any = false;
        for (values, body) in branches {
            let mut holds = false;
            for value in values {
                let value = self.scope.expression(value)?;
                holds = holds || subject.equals(&value, &self.scope.work)?;
            }
            if holds {
                any = true;
                let then = self.body(body, output)?;
                if then != Then::GoesOn {
                    return Ok(then);
                }
            }
        }
        if any { Ok(Then::GoesOn) } else { self.body(otherwise, output) }
    }

    fn rounds(&mut self, rounds: &'a For, output: &mut Output) -> Result<Then, Unrendered> {
        let whole = |expression: &'a Option<Expression>, otherwise| match expression {
            Some(expression) => {
                let whole = self.scope.whole(expression)?.max(0);
                Ok(usize::try_from(whole).unwrap_or(usize::MAX))
            }
            None => Ok(otherwise),
        };
        let (offset, limit) = (whole(&rounds.offset, 0)?, whole(&rounds.limit, usize::MAX)?);
        let list = self.scope.expression(&rounds.list)?;
        let items = self.entries_or_items(list)?;
        let mut items: Vec<Value<'a>> = items.into_iter().skip(offset).take(limit).collect();
        if items.is_empty() {
            return self.body(&rounds.otherwise, output);
        }
        if rounds.order == Order::Reversed {
            items.reverse();
        }
        let length = items.len();
        for (index, item) in items.into_iter().enumerate() {
            self.scope.work.spend(2 * ITEM)?;
            self.scope.rounds.push(Round { name: &rounds.name, item, index, length });
            let then = self.body(&rounds.body, output);
            self.scope.rounds.pop();
            if then? == Then::Breaks {
                break;
            }
        }
        Ok(Then::GoesOn)
    }

    /// What a loop goes through: items, or of an object its entries, each a list of a key and a
    /// value. An empty text is nothing.
    fn entries_or_items(&self, list: Value<'a>) -> Result<Vec<Value<'a>>, Unrendered> {
        match list {
            Value::Json(json) if json.kind() == Kind::Object => {
                self.scope.work.spend(json.text().len())?;
                let entries = Object::of(json)
                    .into_entries()
                    .map(|(key, value)| Value::List([Value::text(key), Value::from(value)].into()));
                let entries: Vec<_> = entries.collect();
                self.scope.work.spend(entries.len() * 3 * ITEM)?;
                Ok(entries)
            }
            Value::Text(text) if text.is_empty() => Ok(Vec::new()),
            Value::Bool(_) => Ok(Vec::new()),
            list => list.items(&self.scope.work),
        }
    }
}

//! What a template is once it is read.

use super::filter::Filter;
use super::value::Value;

/// A part of a template. Its depth is bounded by the length of the text it was read from.
#[derive(Debug)]
pub(super) enum Node {
    Text(Box<str>),
    Output(Chain),
    Assign {
        name: Box<str>,
        chain: Chain,
    },
    Capture {
        name: Box<str>,
        body: Body,
    },
    /// The first branch whose condition holds.
    If {
        branches: Box<[(Condition, Body)]>,
        otherwise: Body,
    },
    /// Every branch with a value that equals the subject's.
    Case {
        subject: Expression,
        branches: Box<[(Box<[Expression]>, Body)]>,
        otherwise: Body,
    },
    For(Box<For>),
    /// The values of one group in turn.
    Cycle {
        group: Box<str>,
        values: Box<[Expression]>,
    },
    /// Counts up after it writes, or down before.
    Count {
        name: Box<str>,
        direction: Direction,
    },
    Break,
    Continue,
}

pub(super) type Body = Box<[Node]>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Up,
    Down,
}

#[derive(Debug)]
pub(super) struct For {
    pub(super) name: Box<str>,
    pub(super) list: Expression,
    pub(super) limit: Option<Expression>,
    pub(super) offset: Option<Expression>,
    pub(super) order: Order,
    pub(super) body: Body,
    /// Instead of rounds, where there are none.
    pub(super) otherwise: Body,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    AsWritten,
    Reversed,
}

/// A value and the filters it goes through.
#[derive(Debug)]
pub(super) struct Chain {
    pub(super) subject: Expression,
    pub(super) calls: Box<[Call]>,
}

#[derive(Debug)]
pub(super) struct Call {
    pub(super) filter: &'static Filter,
    pub(super) arguments: Box<[Expression]>,
}

#[derive(Debug)]
pub(super) enum Expression {
    Literal(Value<'static>),
    Variable(Variable),
    /// Whole numbers from the one to the other.
    Range(Box<(Expression, Expression)>),
}

/// A name and the way onward from there.
#[derive(Debug)]
pub(super) struct Variable {
    pub(super) name: Box<str>,
    pub(super) steps: Box<[Step]>,
    /// Where it leads in the event, unless the name is that of a loop around it.
    pub(super) event: Option<Lead>,
}

/// A lead into the event: what is found there for a read, and how many steps that has taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lead {
    pub(super) read: usize,
    pub(super) steps: usize,
}

#[derive(Debug)]
pub(super) enum Step {
    Key(Box<str>),
    Index(i64),
    /// One that is known only when the template is rendered.
    At(Expression),
}

#[derive(Debug)]
pub(super) enum Condition {
    Truth(Expression),
    Comparison { left: Expression, by: Comparison, right: Expression },
    And(Box<(Condition, Condition)>),
    Or(Box<(Condition, Condition)>),
    Not(Box<Condition>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Contains,
}

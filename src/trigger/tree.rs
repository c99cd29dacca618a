//! What a trigger means: the typed tree, and the text that it prints as.
//!
//! What is printed parses to the same tree.

use std::fmt::{self, Display, Formatter};

use crate::event::{Path, PathId};

use super::function::Function;
use super::token::{KEYWORDS, is_plain};

/// What is true or false of an event.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Condition {
    /// One of two or more.
    Or(Box<[Condition]>),
    /// All of two or more.
    And(Box<[Condition]>),
    Not(Box<Condition>),
    Compare {
        left: Operand,
        by: Comparison,
        right: Operand,
    },
    /// The operand is the boolean true.
    Holds(Operand),
}

/// How two operands are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
}

impl Comparison {
    /// The comparisons of numbers and versions, as they are written.
    pub(super) const SYMBOLS: [(&str, Comparison); 6] = [
        ("=", Comparison::Equal),
        ("!=", Comparison::NotEqual),
        ("<=", Comparison::LessOrEqual),
        (">=", Comparison::GreaterOrEqual),
        ("<", Comparison::Less),
        (">", Comparison::Greater),
    ];

    /// The comparison that is written as `symbol`.
    pub(super) fn of_symbol(symbol: &str) -> Option<Comparison> {
        let found = Comparison::SYMBOLS.iter().find(|(text, _)| *text == symbol);
        found.map(|(_, comparison)| *comparison)
    }
}

/// What has a value in an event.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operand {
    Field { path: Path, id: PathId },
    Literal(Literal),
    Call(Function, Box<[Operand]>),
}

/// A value that stands in the trigger.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Literal {
    Null,
    Bool(bool),
    /// A JSON number.
    Number(Box<str>),
    Text(Box<str>),
    List(Box<[Literal]>),
}

impl Literal {
    /// The text that it is, if it is one.
    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Literal::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl Display for Condition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Condition::Or(any) => separated(f, any, " or ", |f, part| match part {
                Condition::Or(_) => write!(f, "({part})"),
                _ => part.fmt(f),
            }),
            Condition::And(all) => separated(f, all, " and ", Condition::grouped),
            Condition::Not(negated) => {
                f.write_str("!")?;
                negated.grouped_in(f)
            }
            Condition::Compare { left, by, right } => write!(f, "{left} {by} {right}"),
            Condition::Holds(operand) => operand.fmt(f),
        }
    }
}

impl Condition {
    fn grouped(f: &mut Formatter<'_>, part: &Condition) -> fmt::Result {
        part.grouped_in(f)
    }

    fn grouped_in(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Condition::Or(_) | Condition::And(_) => write!(f, "({self})"),
            _ => self.fmt(f),
        }
    }
}

impl Display for Comparison {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let found = Comparison::SYMBOLS.iter().find(|(_, of)| of == self);
        f.write_str(found.map_or("in", |(symbol, _)| *symbol))
    }
}

impl Display for Operand {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Operand::Field { path, .. } => write_path(path, f),
            Operand::Literal(literal) => literal.fmt(f),
            Operand::Call(function, arguments) => {
                write!(f, "{}(", function.name())?;
                separated(f, arguments, ", ", |f, argument| argument.fmt(f))?;
                f.write_str(")")
            }
        }
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Literal::Null => f.write_str("null"),
            Literal::Bool(value) => value.fmt(f),
            Literal::Number(text) => f.write_str(text),
            Literal::Text(text) => {
                let escaped = text.replace('\\', r"\\").replace('"', r#"\""#);
                write!(f, "\"{escaped}\"")
            }
            Literal::List(items) => {
                f.write_str("[")?;
                separated(f, items, ", ", |f, item| item.fmt(f))?;
                f.write_str("]")
            }
        }
    }
}

/// Writes the path so that it is read as a path: its first character escaped where it could begin
/// a number or where the whole could be a keyword.
fn write_path(path: &Path, f: &mut Formatter<'_>) -> fmt::Result {
    for (depth, key) in path.keys().enumerate() {
        if depth > 0 {
            f.write_str(".")?;
        }
        let mistakable = depth == 0
            && (KEYWORDS.contains(&key)
                || key.starts_with(|c: char| c == '-' || c.is_ascii_digit()));
        for (at, c) in key.chars().enumerate() {
            if !is_plain(c) || (mistakable && at == 0) {
                f.write_str("\\")?;
            }
            write!(f, "{c}")?;
        }
    }
    Ok(())
}

fn separated<T>(
    f: &mut Formatter<'_>,
    parts: &[T],
    separator: &str,
    write: impl Fn(&mut Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            f.write_str(separator)?;
        }
        write(f, part)?;
    }
    Ok(())
}

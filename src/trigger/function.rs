//! The functions by name.

use super::glob;
use super::tree::{Comparison, Literal, Operand};

/// A function that a trigger can call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Contains,
    Match,
    Length,
    Lowercase,
    Uppercase,
    Snakecase,
    Kebabcase,
    Titlecase,
    TypeOf,
    String,
    Number,
    Bool,
    Semver,
}

impl Function {
    /// Each with its name and the number of its arguments.
    const ALL: [(Function, &str, usize); 13] = [
        (Function::Contains, "contains", 2),
        (Function::Match, "match", 2),
        (Function::Length, "length", 1),
        (Function::Lowercase, "lowercase", 1),
        (Function::Uppercase, "uppercase", 1),
        (Function::Snakecase, "snakecase", 1),
        (Function::Kebabcase, "kebabcase", 1),
        (Function::Titlecase, "titlecase", 1),
        (Function::TypeOf, "typeof", 1),
        (Function::String, "string", 1),
        (Function::Number, "number", 1),
        (Function::Bool, "bool", 1),
        (Function::Semver, "semver", 3),
    ];

    pub(super) fn named(name: &str) -> Option<Function> {
        let found = Function::ALL.iter().find(|(_, known, _)| *known == name);
        found.map(|(function, ..)| *function)
    }

    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        Function::ALL.iter().map(|(_, name, _)| *name)
    }

    pub(super) fn name(self) -> &'static str {
        self.row().1
    }

    /// How many arguments it takes.
    pub(super) fn arity(self) -> usize {
        self.row().2
    }

    /// A call of it, to show what its arguments are.
    pub(super) fn example(self) -> &'static str {
        match self {
            Function::Contains => r#"contains(field, "part")"#,
            Function::Match => r#"match(field, "pattern*"), with \[ for a bracket itself"#,
            Function::Semver => r#"semver(field, ">=", "1.2")"#,
            Function::Length => "length(field)",
            Function::Lowercase => "lowercase(field)",
            Function::Uppercase => "uppercase(field)",
            Function::Snakecase => "snakecase(field)",
            Function::Kebabcase => "kebabcase(field)",
            Function::Titlecase => "titlecase(field)",
            Function::TypeOf => "typeof(field)",
            Function::String => "string(field)",
            Function::Number => "number(field)",
            Function::Bool => "bool(field)",
        }
    }

    fn row(self) -> (Function, &'static str, usize) {
        // The table lists the functions in the order of their declaration.
        Function::ALL[self as usize]
    }

    /// What is wrong with `arguments`, which are as many as it takes: the one to blame, and why
    /// it can mean nothing.
    pub(super) fn refuses(self, arguments: &[Operand]) -> Option<(usize, String)> {
        match (self, arguments) {
            (Function::Match, [_, Operand::Literal(Literal::Text(pattern))]) => {
                let malformed = glob::check(pattern.chars()).err()?;
                Some((1, format!("malformed pattern: {malformed}")))
            }
            (Function::Semver, [_, Operand::Literal(comparison), _]) => match comparison {
                Literal::Text(symbol) if Comparison::of_symbol(symbol).is_some() => None,
                _ => Some((1, r#"expected a comparison in quotes, such as ">=""#.to_owned())),
            },
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_declaration() {
        for (function, name, _) in Function::ALL {
            assert_eq!(function.name(), name);
            assert_eq!(Function::named(name), Some(function));
        }
    }
}

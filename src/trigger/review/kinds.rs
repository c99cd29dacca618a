//! Which kinds of values an operand can have, and the comparisons that no value of them meets.

use crate::spelling::did_you_mean;

use super::super::function::Function;
use super::super::tree::{Comparison, Condition, Literal, Operand};

/// A set of kinds of values.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Kinds(u8);

impl Kinds {
    const NULL: Kinds = Kinds(1);
    const BOOL: Kinds = Kinds(2);
    const NUMBER: Kinds = Kinds(4);
    const TEXT: Kinds = Kinds(8);
    const LIST: Kinds = Kinds(16);
    const ALL: Kinds = Kinds(31);

    const fn or(self, other: Kinds) -> Kinds {
        Kinds(self.0 | other.0)
    }

    const fn meets(self, other: Kinds) -> bool {
        self.0 & other.0 != 0
    }

    fn of(operand: &Operand) -> Kinds {
        match operand {
            Operand::Field { .. } => Kinds::ALL,
            Operand::Literal(literal) => match literal {
                Literal::Null => Kinds::NULL,
                Literal::Bool(_) => Kinds::BOOL,
                Literal::Number(_) => Kinds::NUMBER,
                Literal::Text(_) => Kinds::TEXT,
                Literal::List(_) => Kinds::LIST,
            },
            Operand::Call(function, _) => match function {
                Function::Contains | Function::Match | Function::Semver => Kinds::BOOL,
                Function::Bool => Kinds::BOOL.or(Kinds::NULL),
                Function::Length | Function::Number => Kinds::NUMBER.or(Kinds::NULL),
                Function::TypeOf => Kinds::TEXT,
                Function::Lowercase
                | Function::Uppercase
                | Function::Snakecase
                | Function::Kebabcase
                | Function::Titlecase
                | Function::String => Kinds::TEXT.or(Kinds::NULL),
            },
        }
    }
}

/// Why a comparison holds of no event at all, and what would help.
pub(super) struct Never {
    pub(super) because: String,
    pub(super) hint: Option<String>,
}

impl Never {
    fn new(because: String, hint: Option<String>) -> Never {
        Never { because, hint }
    }
}

/// Why `comparison` never holds, as far as the kinds of its operands tell.
pub(super) fn never_holds(comparison: &Condition) -> Option<Never> {
    match comparison {
        Condition::Holds(operand) => holds(operand),
        Condition::Compare { left, by: Comparison::Equal, right } => {
            equal(left, right).or_else(|| equal(right, left))
        }
        Condition::Compare { by: Comparison::NotEqual, .. }
        | Condition::Or(_)
        | Condition::And(_)
        | Condition::Not(_) => None,
        Condition::Compare { left, by: Comparison::In, right } => is_in(left, right),
        Condition::Compare { left, by, right } => ordered(left, *by, right),
    }
}

fn holds(operand: &Operand) -> Option<Never> {
    if let Operand::Call(Function::Contains | Function::Match | Function::Semver, arguments) =
        operand
        && let Some(stranger) =
            arguments.iter().find(|argument| !Kinds::of(argument).meets(Kinds::TEXT))
    {
        return Some(Never::new(
            format!("`{operand}` looks at texts only, and `{stranger}` is none"),
            None,
        ));
    }
    if Kinds::of(operand).meets(Kinds::BOOL) {
        return None;
    }
    Some(Never::new(
        format!("`{operand}` is no condition: only the boolean true holds on its own"),
        Some("compare it with something".to_owned()),
    ))
}

fn ordered(left: &Operand, by: Comparison, right: &Operand) -> Option<Never> {
    let stranger = [left, right].into_iter().find(|side| !Kinds::of(side).meets(Kinds::NUMBER))?;
    let hint = match stranger {
        Operand::Literal(Literal::Text(text)) if text.parse::<f64>().is_ok() => {
            Some(format!("without quotes it is a number: {text}"))
        }
        Operand::Literal(Literal::Text(text))
            if text.starts_with(|c: char| c.is_ascii_digit()) && text.matches('.').count() > 1 =>
        {
            Some(format!("versions are compared by `semver({left}, \"{by}\", {right})`"))
        }
        _ => None,
    };
    Some(Never::new(format!("`{by}` compares numbers only, and `{stranger}` is none"), hint))
}

fn is_in(left: &Operand, right: &Operand) -> Option<Never> {
    if !Kinds::of(right).meets(Kinds::LIST) {
        return Some(Never::new(
            format!("`in` looks into a list, and `{right}` is none"),
            Some(match right {
                Operand::Literal(literal) => format!("write `{left} in [{literal}]`"),
                _ => format!("write `{left} = {right}`"),
            }),
        ));
    }
    let Operand::Literal(Literal::List(items)) = right else { return None };
    if items.is_empty() {
        return Some(Never::new("nothing is in an empty list".to_owned(), None));
    }
    let mut reasons = items.iter().map(|item| equal_literal(left, item));
    let first = reasons.next()??;
    reasons.all(|reason| reason.is_some()).then_some(first)
}

fn equal(one: &Operand, other: &Operand) -> Option<Never> {
    if let Operand::Literal(literal) = other {
        return equal_literal(one, literal);
    }
    let is_disjoint = !Kinds::of(one).meets(Kinds::of(other));
    is_disjoint
        .then(|| Never::new(format!("`{one}` and `{other}` are never of the same type"), None))
}

fn equal_literal(operand: &Operand, literal: &Literal) -> Option<Never> {
    let Operand::Call(function, _) = operand else { return None };
    if !Kinds::of(operand).meets(Kinds::of(&Operand::Literal(literal.clone()))) {
        let hint = match literal {
            Literal::Text(text) if Kinds::of(operand) == Kinds::BOOL => {
                bool_meant(text, &operand.to_string())
            }
            Literal::Text(text) if text.parse::<f64>().is_ok() => {
                Some(format!("without quotes it is a number: {text}"))
            }
            Literal::Number(number) => Some(format!("in quotes it is a text: \"{number}\"")),
            _ => None,
        };
        let gives = gives(*function);
        return Some(Never::new(
            format!("`{}` gives {gives}, never {literal}", function.name()),
            hint,
        ));
    }
    let Literal::Text(text) = literal else { return None };
    let cased = match function {
        Function::Lowercase => text.to_lowercase(),
        Function::Uppercase => text.to_uppercase(),
        Function::TypeOf => {
            let names = ["string", "number", "bool", "list", "object", "null"];
            if names.contains(&&**text) {
                return None;
            }
            let meant = match &**text {
                "boolean" => Some("bool"),
                "array" => Some("list"),
                "text" => Some("string"),
                "int" | "integer" | "float" | "double" => Some("number"),
                "undefined" | "missing" | "nil" => Some("null"),
                _ => did_you_mean(text, names),
            };
            let hint = meant.map_or_else(
                || format!("the types are {}", names.join(", ")),
                |meant| format!("did you mean \"{meant}\"?"),
            );
            return Some(Never::new(format!("`typeof` never gives {literal}"), Some(hint)));
        }
        _ => return None,
    };
    if cased == **text {
        return None;
    }
    Some(Never::new(
        format!("`{}` never gives {literal}", function.name()),
        Some(format!("write {}", Literal::Text(cased.into()))),
    ))
}

fn bool_meant(text: &str, call: &str) -> Option<String> {
    match text {
        "true" => Some(format!("write `{call}`")),
        "false" => Some(format!("write `!{call}`")),
        _ => None,
    }
}

fn gives(function: Function) -> &'static str {
    match function {
        Function::Contains | Function::Match | Function::Semver => "true or false",
        Function::Bool => "true, false or null",
        Function::Length | Function::Number => "a number or null",
        Function::TypeOf => "the name of a type",
        Function::Lowercase
        | Function::Uppercase
        | Function::Snakecase
        | Function::Kebabcase
        | Function::Titlecase
        | Function::String => "a text or null",
    }
}

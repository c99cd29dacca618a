//! Values, variables and filters, as they are written.

use super::ParseError;
use super::filter::{self, Filter};
use super::number::Number;
use super::parse::Reads;
use super::token::{Token, Tokens};
use super::tree::{Call, Chain, Expression, Lead, Step, Variable};
use super::value::Value;

/// `value | filter: argument, argument | …`, to the end of the mark.
pub(super) fn chain(tokens: &mut Tokens<'_>, reads: &mut Reads) -> Result<Chain, ParseError> {
    let at = tokens.at();
    let subject = expression(tokens, reads)?;
    let mut calls = Vec::new();
    while tokens.peek().is_some() {
        tokens.expect("|")?;
        calls.push(call(tokens, reads)?);
    }
    let chain = Chain { subject, calls: calls.into() };
    if let (Expression::Literal(Value::Text(text)), [first, ..]) = (&chain.subject, &*chain.calls)
        && first.filter.name == "date"
        && filter::date::is_clock(text)
    {
        let message =
            format!("{text} is the time at which an event is delivered, and that may be twice");
        let hint = "an event has times of its own: timestamp, sentAt, receivedAt";
        return Err(ParseError::new(at, message).with_hint(hint));
    }
    Ok(chain)
}

fn call(tokens: &mut Tokens<'_>, reads: &mut Reads) -> Result<Call, ParseError> {
    let at = tokens.at();
    let name = tokens.name("the name of a filter")?;
    let Some(filter) = filter::named(name) else {
        let error = ParseError::new(at, format!("there is no filter {name}"));
        return Err(match super::parse::meant(name, filter::names()) {
            Some(meant) => error.with_hint(format!("is {meant} meant?")),
            None => error.with_hint(format!(
                "the filters are {}",
                filter::names().collect::<Vec<_>>().join(", ")
            )),
        });
    };
    let mut arguments = Vec::new();
    if tokens.takes(":") {
        loop {
            arguments.push(argument(filter, tokens, reads)?);
            if !tokens.takes(",") {
                break;
            }
        }
    }
    if !filter.arguments.contains(&arguments.len()) {
        let (least, most) = (filter.arguments.start(), filter.arguments.end());
        let expected = match (least, most) {
            (0, 0) => "no arguments".to_owned(),
            (1, 1) => "one argument".to_owned(),
            _ if least == most => format!("{least} arguments"),
            _ => format!("{least} to {most} arguments"),
        };
        let message = format!("{name} takes {expected}, found {}", arguments.len());
        return Err(ParseError::new(at, message));
    }
    Ok(Call { filter, arguments: arguments.into() })
}

/// An argument; one filter knows an argument by name.
fn argument(
    filter: &Filter,
    tokens: &mut Tokens<'_>,
    reads: &mut Reads,
) -> Result<Expression, ParseError> {
    if let (Some(Token::Name(name)), Some(Token::Symbol(":"))) =
        (tokens.peek(), tokens.peek_behind())
    {
        if filter.name != "default" || *name != "allow_false" {
            let message = format!("{} knows no argument {name}", filter.name);
            return Err(ParseError::new(tokens.at(), message));
        }
        tokens.takes_word("allow_false");
        tokens.expect(":")?;
    }
    expression(tokens, reads)
}

pub(super) fn expression(
    tokens: &mut Tokens<'_>,
    reads: &mut Reads,
) -> Result<Expression, ParseError> {
    match tokens.peek() {
        Some(Token::Text(text)) => {
            let text = Value::text((*text).to_owned());
            tokens.next();
            Ok(Expression::Literal(text))
        }
        Some(Token::Number(number)) => {
            let number = Number::of_valid(number.text().to_owned());
            tokens.next();
            Ok(Expression::Literal(Value::Number(number)))
        }
        Some(Token::Symbol("(")) => {
            tokens.next();
            let first = expression(tokens, reads)?;
            tokens.expect("..")?;
            let last = expression(tokens, reads)?;
            tokens.expect(")")?;
            Ok(Expression::Range(Box::new((first, last))))
        }
        Some(Token::Name(name)) => {
            let word = match *name {
                "nil" | "null" => Value::Nil,
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                "empty" => Value::Empty,
                "blank" => Value::Blank,
                name => {
                    let name = name.to_owned();
                    tokens.next();
                    return variable(name.into(), tokens, reads).map(Expression::Variable);
                }
            };
            tokens.next();
            Ok(Expression::Literal(word))
        }
        Some(Token::Symbol("[")) => {
            tokens.next();
            let Some(Token::Text(name)) = tokens.peek() else {
                return Err(tokens.expected("a key in quotes"));
            };
            let name = (*name).to_owned();
            tokens.next();
            tokens.expect("]")?;
            variable(name.into(), tokens, reads).map(Expression::Variable)
        }
        _ => Err(tokens.expected("a value")),
    }
}

fn variable(
    name: Box<str>,
    tokens: &mut Tokens<'_>,
    reads: &mut Reads,
) -> Result<Variable, ParseError> {
    let mut steps = Vec::new();
    loop {
        if tokens.takes(".") {
            steps.push(match tokens.peek() {
                Some(Token::Name(key)) => Step::Key((*key).into()),
                _ => return Err(tokens.expected("a key")),
            });
            tokens.next();
        } else if tokens.takes("[") {
            steps.push(match expression(tokens, reads)? {
                Expression::Literal(Value::Text(key)) => Step::Key(key.into()),
                Expression::Literal(Value::Number(index)) => Step::Index(index.whole()),
                computed => Step::At(computed),
            });
            tokens.expect("]")?;
        } else {
            break;
        }
    }
    let event = reads.lead(&name, &steps);
    Ok(Variable { name, steps: steps.into(), event })
}

impl Reads {
    /// Where a variable leads in the event, as far as that is known now: up to the first step
    /// that is not, and to words that ask a list for something that is no item.
    fn lead(&mut self, name: &str, steps: &[Step]) -> Option<Lead> {
        if self.is_local(name) {
            return None;
        }
        let known = steps.iter().map_while(|step| match step {
            Step::Key(key) if matches!(&**key, "size" | "first" | "last") => None,
            Step::Key(key) => Some(key.clone()),
            Step::Index(index) => {
                usize::try_from(*index).ok().map(|index| index.to_string().into())
            }
            Step::At(_) => None,
        });
        let keys: Box<[Box<str>]> = std::iter::once(name.into()).chain(known).collect();
        let steps = keys.len() - 1;
        Some(Lead { read: self.place(keys), steps })
    }
}

//! Conditions, as they are written.

use super::ParseError;
use super::expression::expression;
use super::parse::Reads;
use super::token::{Token, Tokens};
use super::tree::{Comparison, Condition};

/// `a == b and c or d`, to the end of the tag. What stands further to the right binds tighter, as
/// everywhere in Liquid: `a and b or c` is `a and (b or c)`.
pub(super) fn condition(
    tokens: &mut Tokens<'_>,
    reads: &mut Reads,
) -> Result<Condition, ParseError> {
    let mut parts = vec![comparison(tokens, reads)?];
    let mut joints = Vec::new();
    loop {
        if tokens.takes_word("and") {
            joints.push(Joint::And);
        } else if tokens.takes_word("or") {
            joints.push(Joint::Or);
        } else {
            break;
        }
        parts.push(comparison(tokens, reads)?);
    }
    if tokens.peek().is_some() {
        let error = tokens.expected("a comparison, and, or, or the end of the tag");
        return Err(match tokens.peek() {
            Some(Token::Symbol("=")) => error.with_hint("equality is asked for with =="),
            Some(Token::Symbol("|")) => {
                error.with_hint("filters go into an assign before the condition")
            }
            _ => error,
        });
    }
    let mut parts = parts.into_iter().rev();
    let last = parts.next().expect("a condition has a part at least");
    Ok(parts.zip(joints.into_iter().rev()).fold(last, |right, (left, joint)| match joint {
        Joint::And => Condition::And(Box::new((left, right))),
        Joint::Or => Condition::Or(Box::new((left, right))),
    }))
}

enum Joint {
    And,
    Or,
}

fn comparison(tokens: &mut Tokens<'_>, reads: &mut Reads) -> Result<Condition, ParseError> {
    let left = expression(tokens, reads)?;
    let by = match tokens.peek() {
        Some(Token::Symbol("==")) => Comparison::Equal,
        Some(Token::Symbol("!=" | "<>")) => Comparison::NotEqual,
        Some(Token::Symbol("<")) => Comparison::Less,
        Some(Token::Symbol("<=")) => Comparison::LessOrEqual,
        Some(Token::Symbol(">")) => Comparison::Greater,
        Some(Token::Symbol(">=")) => Comparison::GreaterOrEqual,
        Some(Token::Name("contains")) => Comparison::Contains,
        _ => return Ok(Condition::Truth(left)),
    };
    tokens.next();
    let right = expression(tokens, reads)?;
    Ok(Condition::Comparison { left, by, right })
}

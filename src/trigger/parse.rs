//! From text to tree: one method for each rule of the grammar.

use std::ops::Range;

use crate::event::{Path, Paths};

use super::ParseError;
use super::function::Function;
use super::hint::{self, Behind, Inside, Unexpected};
use super::token::{KEYWORDS, Token, Tokens};
use super::tree::{Comparison, Condition, Literal, Operand};

/// The longest trigger, in bytes.
const LONGEST: usize = 5120;

/// How deep parentheses, negations, calls and lists may nest.
const DEEPEST: usize = 64;

/// A condition, and where its parts stand in the text, in the order in which they stand there.
pub(super) struct Parsed {
    pub(super) condition: Condition,
    /// Every comparison, and every operand that stands for itself.
    pub(super) comparisons: Vec<Range<usize>>,
    /// Every path.
    pub(super) paths: Vec<Range<usize>>,
    /// Every text, with its quotes.
    pub(super) texts: Vec<Range<usize>>,
}

/// Reads the whole of `text` as one condition.
pub(super) fn parse(text: &str, paths: &mut Paths) -> Result<Parsed, ParseError> {
    if text.len() > LONGEST {
        return Err(ParseError {
            at: LONGEST..text.len(),
            message: format!("a trigger has at most {LONGEST} bytes, this one has {}", text.len()),
            hint: Some(r#"several actions divide it; event in ["a", "b"] is short"#.to_owned()),
        });
    }
    let mut tokens = Tokens::new(text);
    let (token, at) = tokens.next()?;
    let mut parser = Parser {
        text,
        tokens,
        token,
        at,
        before: 0..0,
        open: Vec::new(),
        negations: 0,
        paths,
        comparisons_at: Vec::new(),
        paths_at: Vec::new(),
        texts_at: Vec::new(),
    };
    let condition = parser.or()?;
    if parser.token != Token::End {
        return Err(parser.unexpected_behind(&condition, "the end"));
    }
    Ok(Parsed {
        condition,
        comparisons: parser.comparisons_at,
        paths: parser.paths_at,
        texts: parser.texts_at,
    })
}

struct Parser<'t, 'p> {
    text: &'t str,
    tokens: Tokens<'t>,
    /// The token that is looked at, and where it stands.
    token: Token<'t>,
    at: Range<usize>,
    /// Where the token before stands; empty at the beginning.
    before: Range<usize>,
    /// What has been opened and not closed, from the outside in.
    open: Vec<(Range<usize>, Inside)>,
    /// How many negations are around.
    negations: usize,
    paths: &'p mut Paths,
    comparisons_at: Vec<Range<usize>>,
    paths_at: Vec<Range<usize>>,
    texts_at: Vec<Range<usize>>,
}

type Outcome<T> = Result<T, ParseError>;

impl Parser<'_, '_> {
    fn or(&mut self) -> Outcome<Condition> {
        let first = self.and()?;
        self.joined(first, "or", Condition::Or, Self::and)
    }

    fn and(&mut self) -> Outcome<Condition> {
        let first = self.not()?;
        self.joined(first, "and", Condition::And, Self::not)
    }

    fn joined(
        &mut self,
        first: Condition,
        keyword: &str,
        join: fn(Box<[Condition]>) -> Condition,
        part: fn(&mut Self) -> Outcome<Condition>,
    ) -> Outcome<Condition> {
        let mut parts = vec![first];
        while self.token == Token::Name(keyword) {
            self.advance()?;
            parts.push(part(self)?);
        }
        if parts.len() > 1 {
            return Ok(join(parts.into()));
        }
        Ok(parts.remove(0))
    }

    fn not(&mut self) -> Outcome<Condition> {
        match self.token {
            Token::Not => {
                self.negations += 1;
                self.bounded()?;
                self.advance()?;
                let negated = self.not()?;
                self.negations -= 1;
                Ok(Condition::Not(negated.into()))
            }
            Token::Open => {
                self.enter(Inside::Group)?;
                let grouped = self.or()?;
                if self.token != Token::Close {
                    return Err(self.unexpected_behind(&grouped, r#"")""#));
                }
                self.leave()?;
                Ok(grouped)
            }
            _ => self.comparison(),
        }
    }

    fn comparison(&mut self) -> Outcome<Condition> {
        let from = self.at.start;
        let left = self.operand("a comparison")?;
        let by = match self.token {
            Token::Comparison(by) => Some(by),
            Token::Name("in") => Some(Comparison::In),
            _ => None,
        };
        let condition = match by {
            None => Condition::Holds(left),
            Some(by) => {
                self.advance()?;
                let expected = if by == Comparison::In { "a list" } else { "a value" };
                Condition::Compare { left, by, right: self.operand(expected)? }
            }
        };
        self.comparisons_at.push(from..self.before.end);
        Ok(condition)
    }

    fn operand(&mut self, expected: &str) -> Outcome<Operand> {
        match &self.token {
            Token::Name(name) if !KEYWORDS.contains(name) => {
                let (name, at) = (*name, self.at.clone());
                self.advance()?;
                if self.token == Token::Open {
                    return self.call(name, at);
                }
                Ok(self.field(Path::new([name]), at))
            }
            Token::Path(keys) => {
                let (path, at) = (Path::new(keys.iter().map(String::as_str)), self.at.clone());
                self.advance()?;
                if self.token == Token::Open {
                    return Err(self.unknown_function(at));
                }
                Ok(self.field(path, at))
            }
            _ => self.literal(expected).map(Operand::Literal),
        }
    }

    fn field(&mut self, path: Path, at: Range<usize>) -> Operand {
        self.paths_at.push(at);
        let id = self.paths.intern(path.clone());
        Operand::Field { path, id }
    }

    /// The arguments of the function that is named at `at`, and the call of it.
    fn call(&mut self, name: &str, at: Range<usize>) -> Outcome<Operand> {
        let Some(function) = Function::named(name) else {
            return Err(self.unknown_function(at));
        };
        self.enter(Inside::Call)?;
        let mut arguments = Vec::new();
        let mut places = Vec::new();
        while self.token != Token::Close || !arguments.is_empty() {
            let from = self.at.start;
            arguments.push(self.operand("a value")?);
            places.push(from..self.before.end);
            match self.token {
                Token::Comma => self.advance()?,
                Token::Close => break,
                _ => return Err(self.unexpected(r#""," or ")""#)),
            }
        }
        let whole = at.start..self.at.end;
        self.leave()?;
        let (takes, given) = (function.arity(), arguments.len());
        if takes != given {
            let plural = if takes == 1 { "" } else { "s" };
            return Err(ParseError {
                at: whole,
                message: format!("{name} takes {takes} argument{plural}, found {given}"),
                hint: Some(format!("write {}", function.example())),
            });
        }
        if let Some((argument, message)) = function.refuses(&arguments) {
            let hint = Some(format!("write {}", function.example()));
            return Err(ParseError { at: places.swap_remove(argument), message, hint });
        }
        Ok(Operand::Call(function, arguments.into()))
    }

    fn literal(&mut self, expected: &str) -> Outcome<Literal> {
        if let Token::Text(_) = self.token {
            self.texts_at.push(self.at.clone());
        }
        let literal = match &mut self.token {
            Token::Name("true") => Literal::Bool(true),
            Token::Name("false") => Literal::Bool(false),
            Token::Name("null") => Literal::Null,
            Token::Number(number) => Literal::Number((*number).into()),
            Token::Text(text) => Literal::Text(std::mem::take(text).into()),
            Token::OpenList => return self.list(),
            _ => return Err(self.unexpected(expected)),
        };
        self.advance()?;
        Ok(literal)
    }

    fn list(&mut self) -> Outcome<Literal> {
        self.enter(Inside::List)?;
        let mut items = Vec::new();
        while self.token != Token::CloseList || !items.is_empty() {
            items.push(self.literal("a string, a number, true, false, null or a list")?);
            match self.token {
                Token::Comma => self.advance()?,
                Token::CloseList => break,
                _ => return Err(self.unexpected(r#""," or "]""#)),
            }
        }
        self.leave()?;
        Ok(Literal::List(items.into()))
    }

    fn advance(&mut self) -> Outcome<()> {
        let (token, at) = self.tokens.next()?;
        self.token = token;
        self.before = std::mem::replace(&mut self.at, at);
        Ok(())
    }

    /// Advances over what opens something.
    fn enter(&mut self, inside: Inside) -> Outcome<()> {
        self.open.push((self.at.clone(), inside));
        self.bounded()?;
        self.advance()
    }

    /// Advances over what closes what was opened last.
    fn leave(&mut self) -> Outcome<()> {
        self.open.pop();
        self.advance()
    }

    fn bounded(&self) -> Outcome<()> {
        if self.open.len() + self.negations <= DEEPEST {
            return Ok(());
        }
        Err(ParseError {
            at: self.at.clone(),
            message: format!("nested more than {DEEPEST} deep"),
            hint: None,
        })
    }

    /// Something stands behind a condition that cannot; `end` would have ended it.
    fn unexpected_behind(&self, condition: &Condition, end: &str) -> ParseError {
        let last = match condition {
            Condition::Or(parts) | Condition::And(parts) => parts.last().unwrap_or(condition),
            _ => condition,
        };
        let grouped = self.text[self.before.clone()].ends_with(')');
        let behind = match last {
            Condition::Holds(Operand::Field { .. }) if !grouped => Behind::Path,
            Condition::Compare { right: Operand::Field { .. }, .. } if !grouped => {
                Behind::ComparisonWithPath
            }
            _ => Behind::Condition,
        };
        let expected = match behind {
            Behind::Path => format!(r#"a comparison such as "=", "and", "or" or {end}"#),
            _ => format!(r#""and", "or" or {end}"#),
        };
        self.refuse(&expected, behind)
    }

    /// The token that is looked at is not what could stand here.
    fn unexpected(&self, expected: &str) -> ParseError {
        self.refuse(expected, Behind::Other)
    }

    fn refuse(&self, expected: &str, behind: Behind) -> ParseError {
        if self.token == Token::End
            && let Some((at, _)) = self.open.last()
        {
            return ParseError {
                at: at.clone(),
                message: format!("this {} is never closed", shown(&self.text[at.clone()])),
                hint: None,
            };
        }
        let unexpected = Unexpected {
            text: self.text,
            token: &self.token,
            at: self.at.clone(),
            before: self.before.clone(),
            inside: self.open.last().map_or(Inside::Nothing, |(_, inside)| *inside),
            behind,
        };
        if let Some((at, message, hint)) = unexpected.other_blame() {
            return ParseError { at, message, hint: Some(hint) };
        }
        let after = match &self.text[self.before.clone()] {
            "" => String::new(),
            before => format!(" after {}", shown(before)),
        };
        let found = match self.token {
            Token::End => "the end".to_owned(),
            _ => shown(&self.text[self.at.clone()]),
        };
        ParseError {
            at: self.at.clone(),
            message: format!("expected {expected}{after}, found {found}"),
            hint: unexpected.hint(),
        }
    }

    fn unknown_function(&self, at: Range<usize>) -> ParseError {
        let name = &self.text[at.clone()];
        let hint = Some(hint::for_function(name));
        ParseError { message: format!("there is no function {name}"), at, hint }
    }
}

/// A token as messages show it: strings have quotes of their own.
fn shown(token: &str) -> String {
    let long = token.chars().count() > 40;
    let cut: String = token.chars().take(40).chain(long.then_some('…')).collect();
    if token.starts_with(['"', '\'']) { cut } else { format!("\"{cut}\"") }
}

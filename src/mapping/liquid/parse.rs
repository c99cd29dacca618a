//! From pieces to the tree: the tags, and which one ends what.

use super::condition::condition;
use super::expression::{chain, expression};
use super::pieces::{Inside, Piece, cut};
use super::token::{Token, Tokens};
use super::tree::{Body, Condition, Direction, Expression, For, Node, Order};
use super::{ParseError, Read};

/// The tags that begin something.
const TAGS: [&str; 14] = [
    "assign",
    "break",
    "capture",
    "case",
    "comment",
    "continue",
    "cycle",
    "decrement",
    "echo",
    "for",
    "if",
    "increment",
    "raw",
    "unless",
];

/// The tags that go on with what another one began, or end it.
const INNER: [&str; 8] =
    ["else", "elsif", "when", "endcapture", "endcase", "endfor", "endif", "endunless"];

/// The tags that would read other templates.
const OTHERS: [&str; 5] = ["include", "render", "layout", "section", "block"];

/// Reads a whole template, and gathers what it reads.
pub(super) fn template(text: &str) -> Result<(Body, Box<[Read]>), ParseError> {
    let mut parser = Parser { pieces: cut(text)?.into_iter(), reads: Reads::default() };
    let (body, _) = parser.body(&[], None)?;
    Ok((body, parser.reads.places.into()))
}

/// What a template reads of the event, and the names that hide it.
#[derive(Debug, Default)]
pub(super) struct Reads {
    places: Vec<Read>,
    /// The names of the loops around.
    locals: Vec<Box<str>>,
}

impl Reads {
    /// The place of `keys` among the others.
    pub(super) fn place(&mut self, keys: Read) -> usize {
        let known = self.places.iter().position(|place| *place == keys);
        known.unwrap_or_else(|| {
            self.places.push(keys);
            self.places.len() - 1
        })
    }

    pub(super) fn is_local(&self, name: &str) -> bool {
        self.locals.iter().any(|local| **local == *name)
    }
}

struct Parser<'t> {
    pieces: std::vec::IntoIter<Piece<'t>>,
    reads: Reads,
}

/// A tag that was come upon.
#[derive(Clone, Copy)]
struct Tag<'t> {
    name: &'t str,
    at: usize,
    inside: Inside<'t>,
}

impl<'t> Parser<'t> {
    /// What stands before the next of the tags `ends`, and that tag. Without a block around it,
    /// everything.
    fn body(
        &mut self,
        ends: &[&str],
        opened: Option<Tag<'t>>,
    ) -> Result<(Body, Option<Tag<'t>>), ParseError> {
        let mut nodes = Vec::new();
        while let Some(piece) = self.pieces.next() {
            match piece {
                Piece::Text(text) => nodes.push(Node::Text(text.into())),
                Piece::Output(inside) => nodes.push(self.output(inside)?),
                Piece::Tag { name, at, inside } => {
                    let tag = Tag { name, at, inside };
                    if ends.contains(&name) {
                        return Ok((nodes.into(), Some(tag)));
                    }
                    nodes.push(self.tag(tag)?);
                }
            }
        }
        match opened {
            None => Ok((nodes.into(), None)),
            Some(tag) => {
                let message = format!("{} has no end{}", tag.name, tag.name);
                Err(ParseError::new(tag.at, message))
            }
        }
    }

    /// The same inside of a block, so that there is a tag that ended it.
    fn block(
        &mut self,
        ends: &[&str],
        opened: Tag<'t>,
    ) -> Result<(Body, Tag<'t>, Tokens<'t>), ParseError> {
        let (body, end) = self.body(ends, Some(opened))?;
        let end = end.expect("a block that is not ended is an error");
        let tokens = Tokens::of(end.inside)?;
        if end.name == "else" || end.name.starts_with("end") {
            tokens.expect_end()?;
        }
        Ok((body, end, tokens))
    }

    fn output(&mut self, inside: Inside<'t>) -> Result<Node, ParseError> {
        let mut tokens = Tokens::of(inside)?;
        chain(&mut tokens, &mut self.reads).map(Node::Output)
    }

    fn tag(&mut self, tag: Tag<'t>) -> Result<Node, ParseError> {
        let mut tokens = Tokens::of(tag.inside)?;
        match tag.name {
            "echo" => chain(&mut tokens, &mut self.reads).map(Node::Output),
            "assign" => {
                let name = tokens.name("a name")?.into();
                tokens.expect("=")?;
                let chain = chain(&mut tokens, &mut self.reads)?;
                Ok(Node::Assign { name, chain })
            }
            "capture" => {
                let name = tokens.name("a name")?.into();
                tokens.expect_end()?;
                let (body, ..) = self.block(&["endcapture"], tag)?;
                Ok(Node::Capture { name, body })
            }
            "if" | "unless" => self.branches(tag, tokens),
            "case" => self.case(tag, tokens),
            "for" => self.rounds(tag, tokens),
            "cycle" => self.cycle(tokens),
            "increment" | "decrement" => {
                let up = tag.name == "increment";
                let direction = if up { Direction::Up } else { Direction::Down };
                let name = tokens.name("a name")?.into();
                tokens.expect_end()?;
                Ok(Node::Count { name, direction })
            }
            "break" => tokens.expect_end().map(|()| Node::Break),
            "continue" => tokens.expect_end().map(|()| Node::Continue),
            name => Err(unknown(name, tag.at)),
        }
    }

    fn branches(&mut self, tag: Tag<'t>, mut tokens: Tokens<'t>) -> Result<Node, ParseError> {
        let end = if tag.name == "if" { "endif" } else { "endunless" };
        let mut branches = Vec::new();
        let mut test = condition(&mut tokens, &mut self.reads)?;
        if tag.name == "unless" {
            test = Condition::Not(Box::new(test));
        }
        loop {
            let (body, next, mut tokens) = self.block(&["elsif", "else", end], tag)?;
            branches.push((test, body));
            match next.name {
                "elsif" => test = condition(&mut tokens, &mut self.reads)?,
                "else" => {
                    let (otherwise, ..) = self.block(&[end], tag)?;
                    return Ok(Node::If { branches: branches.into(), otherwise });
                }
                _ => return Ok(Node::If { branches: branches.into(), otherwise: Body::default() }),
            }
        }
    }

    fn case(&mut self, tag: Tag<'t>, mut tokens: Tokens<'t>) -> Result<Node, ParseError> {
        let subject = expression(&mut tokens, &mut self.reads)?;
        tokens.expect_end()?;
        // What stands before the first when belongs to nothing.
        let (_, mut next, mut tokens) = self.block(&["when", "else", "endcase"], tag)?;
        let mut branches = Vec::new();
        while next.name == "when" {
            let mut values = vec![expression(&mut tokens, &mut self.reads)?];
            while tokens.takes(",") || tokens.takes_word("or") {
                values.push(expression(&mut tokens, &mut self.reads)?);
            }
            tokens.expect_end()?;
            let (body, behind, behind_tokens) = self.block(&["when", "else", "endcase"], tag)?;
            branches.push((values.into(), body));
            (next, tokens) = (behind, behind_tokens);
        }
        let mut otherwise = Body::default();
        if next.name == "else" {
            (otherwise, ..) = self.block(&["endcase"], tag)?;
        }
        Ok(Node::Case { subject, branches: branches.into(), otherwise })
    }

    fn rounds(&mut self, tag: Tag<'t>, mut tokens: Tokens<'t>) -> Result<Node, ParseError> {
        let name: Box<str> = tokens.name("a name")?.into();
        if !tokens.takes_word("in") {
            return Err(tokens.expected("in"));
        }
        let list = expression(&mut tokens, &mut self.reads)?;
        let (mut limit, mut offset, mut order) = (None, None, Order::AsWritten);
        while tokens.peek().is_some() {
            if tokens.takes_word("reversed") {
                order = Order::Reversed;
            } else if tokens.takes_word("limit") {
                tokens.expect(":")?;
                limit = Some(expression(&mut tokens, &mut self.reads)?);
            } else if tokens.takes_word("offset") {
                tokens.expect(":")?;
                offset = Some(expression(&mut tokens, &mut self.reads)?);
            } else if !tokens.takes(",") {
                return Err(tokens.expected("limit, offset, reversed or the end of the tag"));
            }
        }
        self.reads.locals.extend([name.clone(), "forloop".into()]);
        let (body, next, _) = self.block(&["else", "endfor"], tag)?;
        self.reads.locals.truncate(self.reads.locals.len() - 2);
        let mut otherwise = Body::default();
        if next.name == "else" {
            (otherwise, ..) = self.block(&["endfor"], tag)?;
        }
        Ok(Node::For(Box::new(For { name, list, limit, offset, order, body, otherwise })))
    }

    fn cycle(&mut self, mut tokens: Tokens<'t>) -> Result<Node, ParseError> {
        let mut group = None;
        if let (Some(Token::Name(name) | Token::Text(name)), Some(Token::Symbol(":"))) =
            (tokens.peek(), tokens.peek_behind())
        {
            group = Some(Box::from(*name));
            tokens.next();
            tokens.next();
        }
        let mut values: Vec<Expression> = Vec::new();
        loop {
            values.push(expression(&mut tokens, &mut self.reads)?);
            if !tokens.takes(",") {
                break;
            }
        }
        tokens.expect_end()?;
        // Groups without a name are told apart by what they cycle through.
        let group = group.unwrap_or_else(|| format!("{values:?}").into());
        Ok(Node::Cycle { group, values: values.into() })
    }
}

fn unknown(name: &str, at: usize) -> ParseError {
    if INNER.contains(&name) {
        return ParseError::new(at, format!("{name} ends nothing that stands here"));
    }
    let error = ParseError::new(at, format!("there is no tag {name}"));
    if OTHERS.contains(&name) {
        return error.with_hint("a template stands alone: there are no others to include");
    }
    match meant(name, TAGS.into_iter()) {
        Some(meant) => error.with_hint(format!("is {meant} meant?")),
        None => error.with_hint(format!("the tags are {}", TAGS.join(", "))),
    }
}

/// The name that a misspelled one resembles.
pub(super) fn meant<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let distances = known.map(|known| (strsim::osa_distance(name, known), known));
    let (distance, known) = distances.min_by_key(|(distance, _)| *distance)?;
    (distance <= 2 && distance < known.len().max(2) - 1).then_some(known)
}

//! Liquid: text that is made of an event, with filters, conditions and loops.
//!
//! Knows the language of templates and their values, and renders them within bounds: what a
//! template may cost does not depend on what an event says. It reads no clock, draws no lots, and
//! loads nothing. It does not know the directive that a template stands in, nor how the event's
//! values are found: what a template reads is told by [`Template::reads`], and asked for by its
//! place there.

mod condition;
mod evaluate;
mod expression;
mod filter;
mod number;
mod parse;
mod pieces;
mod render;
mod token;
mod tree;
mod value;
mod work;

use crate::event;

/// The most characters that a template may have.
pub(super) const LONGEST: usize = 1_000;

/// The most bytes that a rendered text may have.
const LARGEST: usize = 1 << 20;

/// A template that was read.
#[derive(Debug)]
pub(super) struct Template {
    body: Box<[tree::Node]>,
    reads: Box<[Read]>,
}

/// Keys from the outside in, which a template looks up in the event.
pub(super) type Read = Box<[Box<str>]>;

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ParseError {
    /// The byte of the text at which it ceases to be one.
    pub(super) at: usize,
    /// What is wrong there.
    pub(super) message: String,
    /// What was probably meant.
    pub(super) hint: Option<String>,
}

/// Why a template gives no text for one event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unrendered(String);

impl ParseError {
    fn new(at: usize, message: impl Into<String>) -> ParseError {
        ParseError { at, message: message.into(), hint: None }
    }

    fn with_hint(mut self, hint: impl Into<String>) -> ParseError {
        self.hint = Some(hint.into());
        self
    }
}

impl Template {
    /// Reads a template.
    pub(super) fn parse(text: &str) -> Result<Template, ParseError> {
        if let Some((at, _)) = text.char_indices().nth(LONGEST) {
            let message = format!("a template of more than {LONGEST} characters");
            return Err(ParseError::new(at, message));
        }
        let (body, reads) = parse::template(text)?;
        Ok(Template { body, reads })
    }

    /// What the template may look up in an event; each once.
    pub(super) fn reads(&self) -> &[Read] {
        &self.reads
    }

    /// The text for an event in which `find` finds what stands at each of [`Template::reads`].
    pub(super) fn render<'a>(
        &'a self,
        find: &dyn Fn(usize) -> Option<event::Value<'a>>,
    ) -> Result<String, Unrendered> {
        render::template(&self.body, find)
    }
}

#[cfg(test)]
mod tests;

//! `@liquid`: a text from a Liquid template.

use std::cell::OnceCell;
use std::ops::Range;

use serde_json::Value;

use crate::event::Path;

use super::super::liquid::{ParseError, Template};
use super::super::scope::Reference;
use super::super::write;
use super::{Compiler, Refused, Scope, Unresolved};

#[derive(Debug)]
pub(in super::super) struct Liquid {
    template: Template,
    /// What the template reads, in its order.
    reads: Box<[Reference]>,
}

impl Liquid {
    pub(super) fn compile(
        argument: &Value,
        compiler: &mut Compiler<'_>,
    ) -> Result<Liquid, Refused> {
        let Value::String(text) = argument else {
            return compiler.refuse("expected a template as a string");
        };
        let template = match Template::parse(text) {
            Ok(template) => template,
            Err(ParseError { at, message, hint }) => {
                return compiler.refuse_within(Some(word(text, at)), message, hint);
            }
        };
        let reads =
            template.reads().iter().map(|keys| compiler.lead(Path::new(keys.iter().cloned())));
        let reads = reads.collect();
        Ok(Liquid { template, reads })
    }

    pub(super) fn append(&self, scope: Scope<'_>, out: &mut Vec<u8>) -> Result<bool, Unresolved> {
        // Looked up once, however often a loop asks: outside of an event that takes time in the
        // length of what is looked through.
        let found: Vec<_> = self.reads.iter().map(|_| OnceCell::new()).collect();
        let find = |read: usize| *found[read].get_or_init(|| scope.find(&self.reads[read]));
        let text = self.template.render(&find);
        let text = text.map_err(|error| Unresolved::new(format!("@liquid: {error}")))?;
        write::string(&text, out);
        Ok(true)
    }
}

/// The word of the template that begins at a byte, or what stands there instead of one.
fn word(text: &str, at: usize) -> Range<usize> {
    let rest = text.get(at..).unwrap_or_default();
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let first = rest.chars().next().map_or(0, char::len_utf8);
    let length = rest.find(|c| !is_name(c)).unwrap_or(rest.len()).max(first);
    at..at + length
}

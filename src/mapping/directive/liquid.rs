//! `@liquid`: a text from a Liquid template.

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
                let place = place(text, at);
                return compiler.refuse_with(format!("{place}: {message}"), hint);
            }
        };
        let reads =
            template.reads().iter().map(|keys| compiler.lead(Path::new(keys.iter().cloned())));
        let reads = reads.collect();
        Ok(Liquid { template, reads })
    }

    pub(super) fn append(&self, scope: Scope<'_>, out: &mut Vec<u8>) -> Result<bool, Unresolved> {
        let find = |read: usize| scope.find(&self.reads[read]);
        let text = self.template.render(&find);
        let text = text.map_err(|error| Unresolved::new(format!("@liquid: {error}")))?;
        write::string(&text, out);
        Ok(true)
    }
}

/// A byte of the template as its author counts.
fn place(text: &str, at: usize) -> String {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    if text.contains('\n') {
        format!("line {line}, character {column} of the template")
    } else {
        format!("character {column} of the template")
    }
}

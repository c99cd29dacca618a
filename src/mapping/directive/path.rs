//! `@path`: the value at a path.

use serde_json::Value;

use crate::event::{self, Path};

use super::super::address;
use super::super::scope::Reference;
use super::{Compiler, LONGEST_GIVEN, Node, Refused, Scope, Unresolved};

/// Where the path comes from.
#[derive(Debug)]
pub(in super::super) enum FromPath {
    Known(Reference),
    /// A directive that gives it as a string.
    Given(Box<Node>),
}

impl FromPath {
    pub(super) fn whole() -> FromPath {
        let no_keys: [&str; 0] = [];
        FromPath::Known(Reference::new(Path::new(no_keys), None))
    }

    pub(super) fn is_whole(&self) -> bool {
        matches!(self, FromPath::Known(reference) if reference.is_whole())
    }

    pub(super) fn compile(
        argument: &Value,
        compiler: &mut Compiler<'_>,
    ) -> Result<FromPath, Refused> {
        if let Value::String(text) = argument {
            return Ok(FromPath::Known(compiler.reference(text)));
        }
        match compiler.node(argument)? {
            node @ Node::Directive(_) => Ok(FromPath::Given(node.into())),
            _ => compiler.refuse("expected a path as a string, or a directive that gives one"),
        }
    }

    pub(in super::super) fn find<'a>(
        &self,
        scope: Scope<'a>,
    ) -> Result<Option<event::Value<'a>>, Unresolved> {
        match self {
            FromPath::Known(reference) => Ok(scope.find(reference)),
            FromPath::Given(node) => {
                let text = node.string("@path", scope)?;
                if text.len() > LONGEST_GIVEN {
                    let message = format!("@path: a path of more than {LONGEST_GIVEN} bytes");
                    return Err(Unresolved::new(message));
                }
                Ok(scope.walk(&address::parse(&text)))
            }
        }
    }

    pub(super) fn append(&self, scope: Scope<'_>, out: &mut Vec<u8>) -> Result<bool, Unresolved> {
        let found = self.find(scope)?;
        if let Some(value) = found {
            out.extend_from_slice(value.text().as_bytes());
        }
        Ok(found.is_some())
    }
}

//! `@excludeWhenNull`: what is not null, and nothing in it that is.

use serde_json::Value;

use crate::event::{self, Kind};

use super::super::object::{Object, Writer};
use super::{Compiler, DEEPEST, Node, Refused, Scope, Unresolved};

#[derive(Debug)]
pub(in super::super) struct ExcludeWhenNull {
    value: Box<Node>,
}

impl ExcludeWhenNull {
    pub(super) fn compile(
        argument: &Value,
        compiler: &mut Compiler<'_>,
    ) -> Result<ExcludeWhenNull, Refused> {
        let value = compiler.node(argument)?.into();
        Ok(ExcludeWhenNull { value })
    }

    pub(super) fn append(&self, scope: Scope<'_>, out: &mut Vec<u8>) -> Result<bool, Unresolved> {
        match self.value.resolve(scope)? {
            Some(resolved) if !resolved.value().is_null() => {
                append_without_nulls(resolved.value(), 0, out)?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}

/// Arrays are kept as they are, objects inside them too.
fn append_without_nulls(
    value: event::Value<'_>,
    depth: usize,
    out: &mut Vec<u8>,
) -> Result<(), Unresolved> {
    if value.kind() != Kind::Object {
        out.extend_from_slice(value.text().as_bytes());
        return Ok(());
    }
    if depth > DEEPEST {
        let message = format!("@excludeWhenNull: nested more than {DEEPEST} deep");
        return Err(Unresolved::new(message));
    }
    let mut writer = Writer::begin(out);
    for (key, member) in Object::of(value).into_entries() {
        if !member.is_null() {
            append_without_nulls(member, depth + 1, writer.key(&key))?;
        }
    }
    writer.end();
    Ok(())
}

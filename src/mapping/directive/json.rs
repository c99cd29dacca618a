//! `@json`: a value as text, and back.

use serde_json::Value;

use crate::event;

use super::super::write;
use super::{Compiler, Node, Refused, Scope, Unresolved};

#[derive(Debug)]
pub(in super::super) struct Json {
    mode: Mode,
    value: Box<Node>,
}

#[derive(Clone, Copy, Debug)]
enum Mode {
    Encode,
    Decode,
}

impl Json {
    pub(super) fn compile(argument: &Value, compiler: &mut Compiler<'_>) -> Result<Json, Refused> {
        let arguments = compiler.arguments(argument, &["mode", "value"])?;
        let modes = [("encode", Mode::Encode), ("decode", Mode::Decode)];
        let mode = arguments.choice("mode", modes, compiler);
        let value = arguments.required_node("value", compiler)?.into();
        Ok(Json { mode: mode?, value })
    }

    pub(super) fn append(&self, scope: Scope<'_>, out: &mut Vec<u8>) -> Result<bool, Unresolved> {
        let Some(resolved) = self.value.resolve(scope)? else {
            return Ok(false);
        };
        let value = resolved.value();
        match (self.mode, value.as_string()) {
            (Mode::Encode, _) => {
                out.push(b'"');
                write::escaped_compact(value, out);
                out.push(b'"');
            }
            (Mode::Decode, Some(text)) => {
                let text = text.decode();
                let decoded = event::Value::parse(&text).unwrap_or(value);
                out.extend_from_slice(decoded.text().as_bytes());
            }
            (Mode::Decode, None) => out.extend_from_slice(value.text().as_bytes()),
        }
        Ok(true)
    }
}

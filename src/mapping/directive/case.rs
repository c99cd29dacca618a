//! `@case`: a text in lower or upper case.

use serde_json::Value;

use super::super::write;
use super::{Compiler, Node, Refused, Scope, Unresolved};

#[derive(Debug)]
pub(in super::super) struct Case {
    operator: Operator,
    value: Option<Box<Node>>,
}

#[derive(Clone, Copy, Debug)]
enum Operator {
    Lower,
    Upper,
}

impl Case {
    pub(super) fn compile(argument: &Value, compiler: &mut Compiler<'_>) -> Result<Case, Refused> {
        let arguments = compiler.arguments(argument, &["operator", "value"])?;
        let operators = [("lower", Operator::Lower), ("upper", Operator::Upper)];
        let operator = arguments.choice("operator", operators, compiler);
        let value = arguments.node("value", compiler)?.map(Box::new);
        Ok(Case { operator: operator?, value })
    }

    pub(super) fn append(&self, scope: Scope<'_>, out: &mut Vec<u8>) -> Result<bool, Unresolved> {
        let Some(node) = &self.value else {
            return Ok(false);
        };
        let Some(resolved) = node.resolve(scope)? else {
            return Ok(false);
        };
        let value = resolved.value();
        match (value.as_string(), self.operator) {
            (Some(text), Operator::Lower) => write::string(&text.decode().to_lowercase(), out),
            (Some(text), Operator::Upper) => write::string(&text.decode().to_uppercase(), out),
            (None, _) => out.extend_from_slice(value.text().as_bytes()),
        }
        Ok(true)
    }
}

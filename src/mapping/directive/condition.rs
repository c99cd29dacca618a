//! `@if`: one of two results, by what a third one is.

use serde_json::Value;

use crate::event::{self, Decimal, Kind, Text};

use super::super::Step;
use super::super::node::Resolved;
use super::{Compiler, Node, Refused, Scope, Unresolved};

#[derive(Debug)]
pub(in super::super) struct If {
    test: Test,
    subject: Node,
    then: Option<Node>,
    otherwise: Option<Node>,
}

/// What makes the first result count.
#[derive(Clone, Copy, Debug)]
enum Test {
    /// The subject is neither missing nor null.
    Exists,
    /// The subject is not blank either.
    NotBlank,
}

impl If {
    pub(super) fn compile(argument: &Value, compiler: &mut Compiler<'_>) -> Result<If, Refused> {
        let arguments = compiler.arguments(argument, &["exists", "blank", "then", "else"])?;
        for name in ["exists", "blank"] {
            if let Some(Value::Null | Value::Bool(false)) = arguments.get(name) {
                return compiler.within(Step::Key(name.to_owned()), |compiler| {
                    compiler.refuse_with(
                        "a condition that is the same for every event",
                        Some(format!(r#"for example `{name}: {{ "@path": "$.userId" }}`"#)),
                    )
                });
            }
        }
        let exists = arguments.node("exists", compiler)?;
        let blank = arguments.node("blank", compiler)?;
        let (then, otherwise) =
            (arguments.node("then", compiler), arguments.node("else", compiler));
        let (test, subject) = match (exists, blank) {
            (Some(subject), _) => (Test::Exists, subject),
            (None, Some(subject)) => (Test::NotBlank, subject),
            (None, None) => return compiler.refuse("expected a condition: exists or blank"),
        };
        Ok(If { test, subject, then: then?, otherwise: otherwise? })
    }

    pub(super) fn append(&self, scope: Scope<'_>, out: &mut Vec<u8>) -> Result<bool, Unresolved> {
        let subject = self.subject.resolve(scope)?;
        let subject = subject.as_ref().map(Resolved::value).filter(|value| !value.is_null());
        let holds = match (self.test, subject) {
            (_, None) => false,
            (Test::Exists, Some(_)) => true,
            (Test::NotBlank, Some(value)) => !is_blank(value),
        };
        match if holds { &self.then } else { &self.otherwise } {
            Some(result) => result.append(scope, out),
            None => Ok(false),
        }
    }
}

/// Whether it is `""`, `false`, 0, `[]` or `[""]`.
fn is_blank(value: event::Value<'_>) -> bool {
    let is_empty = |value: event::Value<'_>| value.as_string().map(Text::raw) == Some("");
    match value.kind() {
        Kind::Null => true,
        Kind::Bool => value.as_bool() == Some(false),
        Kind::Number => Decimal::of_valid(value.text()).is_zero(),
        Kind::String => is_empty(value),
        Kind::List => {
            let mut items = value.items();
            items.next().is_none_or(is_empty) && items.next().is_none()
        }
        Kind::Object => false,
    }
}

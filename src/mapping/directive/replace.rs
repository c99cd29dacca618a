//! `@replace`: a literal text for another, once or twice.

use serde_json::Value;

use crate::event::{Kind, Text};

use super::super::node::Resolved;
use super::super::{Step, write};
use super::{Compiler, Node, Refused, Scope, Unresolved};

/// The most characters of a pattern and of a replacement.
const LONGEST: usize = 10;

#[derive(Debug)]
pub(in super::super) struct Replace {
    first: Pair,
    second: Option<Pair>,
    every: Every,
    letters: Letters,
    value: Option<Node>,
}

#[derive(Debug)]
struct Pair {
    pattern: Box<str>,
    replacement: Box<str>,
}

/// Whether only the first occurrence is replaced.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Every {
    Occurrence,
    FirstOnly,
}

/// Whether letters of either case are the same.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Letters {
    Exact,
    OfEitherCase,
}

impl Replace {
    pub(super) fn compile(
        argument: &Value,
        compiler: &mut Compiler<'_>,
    ) -> Result<Replace, Refused> {
        let known =
            ["pattern", "replacement", "global", "ignorecase", "pattern2", "replacement2", "value"];
        let arguments = compiler.arguments(argument, &known)?;
        let bounded = |name: &str, shortest: usize, compiler: &mut Compiler<'_>| {
            let Some(text) = arguments.text(name, compiler)? else {
                return Ok(None);
            };
            if (shortest..=LONGEST).contains(&text.chars().count()) {
                return Ok(Some(Box::<str>::from(text)));
            }
            compiler.within(Step::Key(name.to_owned()), |compiler| {
                compiler.refuse(format!("expected {shortest} to {LONGEST} characters"))
            })
        };
        let pattern = bounded("pattern", 1, compiler)?;
        let replacement = bounded("replacement", 0, compiler)?;
        let pattern2 = bounded("pattern2", 1, compiler)?;
        let replacement2 = bounded("replacement2", 0, compiler)?;
        let every = arguments.switch("global", true, compiler)?;
        let either_case = arguments.switch("ignorecase", false, compiler)?;
        let value = arguments.node("value", compiler)?;
        let Some(pattern) = pattern else {
            return compiler.refuse("pattern is missing");
        };
        let second = match (pattern2, replacement2) {
            (Some(pattern), replacement) => {
                Some(Pair { pattern, replacement: replacement.unwrap_or_default() })
            }
            (None, Some(_)) => return compiler.refuse("replacement2 without pattern2"),
            (None, None) => None,
        };
        Ok(Replace {
            first: Pair { pattern, replacement: replacement.unwrap_or_default() },
            second,
            every: if every { Every::Occurrence } else { Every::FirstOnly },
            letters: if either_case { Letters::OfEitherCase } else { Letters::Exact },
            value,
        })
    }

    pub(super) fn append(&self, scope: Scope<'_>, out: &mut Vec<u8>) -> Result<bool, Unresolved> {
        let resolved = match &self.value {
            Some(node) => node.resolve(scope)?,
            None => None,
        };
        let value = resolved.as_ref().map(Resolved::value);
        let text = match value.map(|value| (value.kind(), value)) {
            Some((Kind::String, value)) => value.as_string().map(Text::decode),
            Some((Kind::Bool | Kind::Number, value)) => Some(value.text().into()),
            _ => None,
        };
        let mut text = self.replaced(&text.unwrap_or_default(), &self.first);
        if let Some(second) = &self.second {
            text = self.replaced(&text, second);
        }
        write::string(&text, out);
        Ok(true)
    }

    fn replaced(&self, text: &str, pair: &Pair) -> String {
        let mut result = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if let Some(behind) = self.strip(rest, &pair.pattern) {
                result.push_str(&pair.replacement);
                rest = behind;
                if self.every == Every::FirstOnly {
                    break;
                }
            } else {
                result.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
        result.push_str(rest);
        result
    }

    /// What follows `pattern` in `text`, which begins with it.
    fn strip<'t>(&self, text: &'t str, pattern: &str) -> Option<&'t str> {
        if self.letters == Letters::Exact {
            return text.strip_prefix(pattern);
        }
        let mut chars = text.chars();
        let same = |wanted: char| {
            let found = chars.next();
            found.is_some_and(|c| c == wanted || c.to_lowercase().eq(wanted.to_lowercase()))
        };
        if pattern.chars().all(same) { Some(chars.as_str()) } else { None }
    }
}

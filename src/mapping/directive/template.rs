//! `@template`: text with `{{path}}` in it.

use serde_json::Value;

use crate::event::{self, Kind};

use super::super::scope::Reference;
use super::super::{address, write};
use super::{Compiler, LARGEST, LONGEST_GIVEN, Node, Refused, Scope, Unresolved};

/// Where the text comes from.
#[derive(Debug)]
pub(in super::super) enum Template {
    Known(Box<[Part]>),
    /// A directive that gives it as a string.
    Given(Box<Node>),
}

/// A part of a text that is known when it is compiled.
#[derive(Debug)]
pub(in super::super) enum Part {
    /// The inside of a JSON string.
    Text(Box<[u8]>),
    Tag(Reference),
}

/// A part of a text as it stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece<'t> {
    Text(&'t str),
    /// The path between the braces.
    Tag(&'t str),
}

impl Template {
    pub(super) fn compile(
        argument: &Value,
        compiler: &mut Compiler<'_>,
    ) -> Result<Template, Refused> {
        if let Value::String(text) = argument {
            let parts = pieces(text).map(|piece| match piece {
                Piece::Tag(path) => Part::Tag(compiler.reference(path)),
                Piece::Text(text) => {
                    let mut escaped = Vec::new();
                    write::escaped(text, &mut escaped);
                    Part::Text(escaped.into())
                }
            });
            return Ok(Template::Known(parts.collect()));
        }
        match compiler.node(argument)? {
            node @ Node::Directive(_) => Ok(Template::Given(node.into())),
            _ => compiler.refuse("expected a template as a string, or a directive that gives one"),
        }
    }

    pub(super) fn append(&self, scope: Scope<'_>, out: &mut Vec<u8>) -> Result<bool, Unresolved> {
        out.push(b'"');
        match self {
            Template::Known(parts) => {
                for part in parts {
                    match part {
                        Part::Text(escaped) => out.extend_from_slice(escaped),
                        Part::Tag(reference) => append_value(scope.find(reference), out),
                    }
                }
            }
            Template::Given(node) => append_given(&node.string("@template", scope)?, scope, out)?,
        }
        out.push(b'"');
        Ok(true)
    }
}

fn append_given(text: &str, scope: Scope<'_>, out: &mut Vec<u8>) -> Result<(), Unresolved> {
    if text.len() > LONGEST_GIVEN {
        let message = format!("@template: a template of more than {LONGEST_GIVEN} bytes");
        return Err(Unresolved::new(message));
    }
    let before = out.len();
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => write::escaped(text, out),
            Piece::Tag(path) => append_value(scope.walk(&address::parse(path)), out),
        }
        if out.len() - before > LARGEST {
            let message = format!("@template: the result has more than {LARGEST} bytes");
            return Err(Unresolved::new(message));
        }
    }
    Ok(())
}

/// What stands in the place of a tag, as the inside of a JSON string.
fn append_value(value: Option<event::Value<'_>>, out: &mut Vec<u8>) {
    let Some(value) = value else { return };
    match value.kind() {
        Kind::Null => {}
        Kind::Bool | Kind::Number => out.extend_from_slice(value.text().as_bytes()),
        Kind::String => {
            let inside = value.as_string().map_or("", event::Text::raw);
            out.extend_from_slice(inside.as_bytes());
        }
        Kind::List | Kind::Object => write::escaped_compact(value, out),
    }
}

fn pieces(mut rest: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut tag = None;
    std::iter::from_fn(move || {
        if let Some(tag) = tag.take() {
            return Some(tag);
        }
        let mut from = 0;
        while let Some(at) = rest.get(from..).and_then(|rest| rest.find("{{")) {
            let at = from + at;
            if let Some((path, behind)) = tag_at(&rest[at..]) {
                let before = &rest[..at];
                rest = behind;
                if before.is_empty() {
                    return Some(Piece::Tag(path));
                }
                tag = Some(Piece::Tag(path));
                return Some(Piece::Text(before));
            }
            from = at + 1;
        }
        let last = std::mem::take(&mut rest);
        (!last.is_empty()).then_some(Piece::Text(last))
    })
}

/// The path of the tag that `text` begins with, and what follows the tag. Three braces come first;
/// a path holds no brace and is not blank.
fn tag_at(text: &str) -> Option<(&str, &str)> {
    [("{{{", "}}}"), ("{{", "}}")].into_iter().find_map(|(open, close)| {
        let inside = text.strip_prefix(open)?;
        let (path, _) = inside.split_at(inside.find(['{', '}'])?);
        let behind = inside[path.len()..].strip_prefix(close)?;
        let path = path.trim();
        (!path.is_empty()).then_some((path, behind))
    })
}

#[cfg(test)]
mod tests {
    use super::Piece::{Tag, Text};
    use super::*;

    #[test]
    fn text_that_is_no_well_formed_tag_stays_as_it_is() {
        let cases: [(&str, &[Piece<'_>]); 14] = [
            ("", &[]),
            ("a", &[Text("a")]),
            ("{{a}}", &[Tag("a")]),
            ("{{{ a.b\n}}}", &[Tag("a.b")]),
            ("x{{a}}{{b}}y", &[Text("x"), Tag("a"), Tag("b"), Text("y")]),
            ("{{a}}}", &[Tag("a"), Text("}")]),
            ("{{{a}}", &[Text("{"), Tag("a")]),
            ("{{{{a}}}}", &[Text("{"), Tag("a"), Text("}")]),
            ("{{}} {{ }}", &[Text("{{}} {{ }}")]),
            ("{{a}b}}", &[Text("{{a}b}}")]),
            ("{{a{b}}", &[Text("{{a{b}}")]),
            ("{{a", &[Text("{{a")]),
            ("{{a {{b}}", &[Text("{{a "), Tag("b")]),
            ("{ü{{ü}}", &[Text("{ü"), Tag("ü")]),
        ];
        for (text, expected) in cases {
            assert_eq!(pieces(text).collect::<Vec<_>>(), expected, "{text}");
        }
    }
}

//! The compiled tree, and how its plain parts are resolved.

use crate::event::{self, Value};

use super::directive::Directive;
use super::scope::Scope;
use super::{Step, Unresolved, write};

/// A part of a mapping. Its depth is bounded when it is compiled.
#[derive(Debug)]
pub(super) enum Node {
    Constant(Constant),
    Object(Box<[Entry]>),
    List(Box<[Node]>),
    Directive(Directive),
}

/// A value without a directive inside.
#[derive(Debug)]
pub(super) struct Constant {
    json: serde_json::Value,
    text: Box<str>,
}

/// A key of an object.
#[derive(Debug)]
pub(super) struct Entry {
    key: Box<str>,
    /// The key as JSON, with its colon.
    written: Box<[u8]>,
    node: Node,
}

/// What a node resolved to, without a copy where it stands somewhere.
#[derive(Debug)]
pub(super) enum Resolved<'a> {
    Found(Value<'a>),
    Made(String),
}

impl Resolved<'_> {
    pub(super) fn value(&self) -> Value<'_> {
        match self {
            Resolved::Found(value) => *value,
            Resolved::Made(text) => Value::of_valid(text),
        }
    }
}

impl Constant {
    pub(super) fn new(json: serde_json::Value) -> Constant {
        let text = json.to_string().into();
        Constant { json, text }
    }

    pub(super) fn json(&self) -> &serde_json::Value {
        &self.json
    }
}

impl Entry {
    pub(super) fn new(key: &str, node: Node) -> Entry {
        let mut written = Vec::new();
        write::string(key, &mut written);
        written.push(b':');
        Entry { key: key.into(), written: written.into(), node }
    }

    pub(super) fn is_constant(&self) -> bool {
        self.node.is_constant()
    }
}

impl Node {
    pub(super) fn is_constant(&self) -> bool {
        matches!(self, Node::Constant(_))
    }

    /// Appends the result as JSON text; false: it is missing, and nothing was appended. After an
    /// error `out` holds what was appended until then.
    pub(super) fn append(&self, scope: Scope<'_>, out: &mut Vec<u8>) -> Result<bool, Unresolved> {
        match self {
            Node::Constant(constant) => out.extend_from_slice(constant.text.as_bytes()),
            Node::Object(entries) => append_object(entries, scope, out)?,
            Node::List(items) => append_list(items, scope, out)?,
            Node::Directive(directive) => return directive.append(scope, out),
        }
        Ok(true)
    }

    /// The result as a value; nothing: it is missing.
    pub(super) fn resolve<'a>(
        &'a self,
        scope: Scope<'a>,
    ) -> Result<Option<Resolved<'a>>, Unresolved> {
        match self {
            Node::Constant(constant) => Ok(Some(Resolved::Found(Value::of_valid(&constant.text)))),
            Node::Directive(Directive::Path(path)) => Ok(path.find(scope)?.map(Resolved::Found)),
            _ => {
                let mut made = Vec::new();
                if !self.append(scope, &mut made)? {
                    return Ok(None);
                }
                let made = String::from_utf8(made).expect("mappings write nothing but text");
                Ok(Some(Resolved::Made(made)))
            }
        }
    }

    /// The result as a string, for a directive that needs one.
    pub(super) fn string(&self, directive: &str, scope: Scope<'_>) -> Result<String, Unresolved> {
        let resolved = self.resolve(scope)?;
        let value = resolved.as_ref().map(Resolved::value);
        if let Some(text) = value.and_then(Value::as_string) {
            return Ok(text.decode().into_owned());
        }
        let found = value.map_or("nothing", |value| name_of(value.kind()));
        let reason = format!("{directive}: expected a string, found {found}");
        Err(Unresolved::new(reason))
    }
}

fn append_object(entries: &[Entry], scope: Scope<'_>, out: &mut Vec<u8>) -> Result<(), Unresolved> {
    out.push(b'{');
    let mut any = false;
    for entry in entries {
        let before = out.len();
        if any {
            out.push(b',');
        }
        out.extend_from_slice(&entry.written);
        let present = entry.node.append(scope, out);
        if present.map_err(|error| error.inside(Step::Key(entry.key.to_string())))? {
            any = true;
        } else {
            out.truncate(before);
        }
    }
    out.push(b'}');
    Ok(())
}

fn append_list(items: &[Node], scope: Scope<'_>, out: &mut Vec<u8>) -> Result<(), Unresolved> {
    out.push(b'[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        let present = item.append(scope, out);
        if !present.map_err(|error| error.inside(Step::Index(index)))? {
            out.extend_from_slice(b"null");
        }
    }
    out.push(b']');
    Ok(())
}

/// A kind as messages name it.
fn name_of(kind: event::Kind) -> &'static str {
    match kind {
        event::Kind::Null => "null",
        event::Kind::Bool => "a boolean",
        event::Kind::Number => "a number",
        event::Kind::String => "a string",
        event::Kind::List => "an array",
        event::Kind::Object => "an object",
    }
}

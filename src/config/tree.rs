//! The file as a tree in which everything knows where it stands.

use std::ops::Range;

use saphyr_parser::ScalarStyle;

use super::expand::Expansion;
use super::scalar::Written;

/// A value, and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// Its bytes in the file; of a list or mapping where it begins.
    pub(super) bytes: Range<usize>,
    pub(super) value: Value,
}

/// What a node holds.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One key of a mapping, with its value.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    /// The key's bytes in the file.
    pub(super) key_bytes: Range<usize>,
    pub(super) node: Node,
}

/// A text, a number, a boolean or nothing: the schema decides.
#[derive(Debug, Clone)]
pub(super) struct Scalar {
    /// The value as it is written, without quotes and escapes.
    pub(super) raw: String,
    /// The value after `${…}` has been replaced.
    pub(super) text: String,
    /// What was replaced.
    pub(super) expansions: Vec<Expansion>,
    /// A `${…}` could not be replaced; that has been reported, and nothing more need be.
    pub(super) broken: bool,
    pub(super) written: Written,
    /// Marked as a string by `!!str`.
    pub(super) is_string: bool,
}

impl Scalar {
    /// What `${…}` put into it from outside the file.
    fn secrets(&self) -> impl Iterator<Item = &str> {
        let secrets = self.expansions.iter().filter(|expansion| expansion.is_secret);
        secrets
            .map(|expansion| &self.text[expansion.expanded.clone()])
            .filter(|secret| !secret.is_empty())
    }

    /// Every `${…}` in it that was replaced by something, from outside or a default.
    fn fillings(&self) -> impl Iterator<Item = &Expansion> {
        self.expansions
            .iter()
            .filter(|expansion| !self.raw[expansion.written.clone()].starts_with("$$"))
    }

    /// Not quoted, so that it may be a number, a boolean or null.
    pub(super) fn is_plain(&self) -> bool {
        self.written.style == ScalarStyle::Plain && !self.is_string
    }

    /// Nothing at all, or one of the core schema's spellings of null.
    pub(super) fn is_null(&self) -> bool {
        self.is_plain() && matches!(&*self.raw, "" | "~" | "null" | "Null" | "NULL")
    }
}

impl Node {
    /// What `${…}` put into it from outside the file, at every depth.
    pub(super) fn secrets(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        match &self.value {
            Value::Scalar(scalar) => Box::new(scalar.secrets()),
            Value::List(items) => Box::new(items.iter().flat_map(Node::secrets)),
            Value::Map(entries) => Box::new(entries.iter().flat_map(|entry| entry.node.secrets())),
        }
    }

    /// What `${…}` put into it, defaults too, at every depth.
    pub(super) fn fillings(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        match &self.value {
            Value::Scalar(scalar) => {
                Box::new(scalar.fillings().map(|filling| &scalar.text[filling.expanded.clone()]))
            }
            Value::List(items) => Box::new(items.iter().flat_map(Node::fillings)),
            Value::Map(entries) => Box::new(entries.iter().flat_map(|entry| entry.node.fillings())),
        }
    }

    /// The same with `mask` in place of whatever `${…}` put in, at every depth.
    pub(super) fn masked(&self, mask: &str) -> Node {
        let mut node = self.clone();
        node.mask(mask);
        node
    }

    fn mask(&mut self, mask: &str) {
        match &mut self.value {
            Value::Scalar(scalar) => {
                let places: Vec<_> =
                    scalar.fillings().map(|filling| filling.expanded.clone()).collect();
                for place in places.into_iter().rev() {
                    scalar.text.replace_range(place, mask);
                }
            }
            Value::List(items) => items.iter_mut().for_each(|item| item.mask(mask)),
            Value::Map(entries) => entries.iter_mut().for_each(|entry| entry.node.mask(mask)),
        }
    }

    /// How many values it holds, itself included.
    pub(super) fn size(&self) -> usize {
        1 + match &self.value {
            Value::Scalar(_) => 0,
            Value::List(items) => items.iter().map(Node::size).sum(),
            Value::Map(entries) => entries.iter().map(|entry| entry.node.size()).sum(),
        }
    }
}

/// The path of a key below a path.
pub(super) fn below(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

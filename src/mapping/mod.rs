//! Mappings: what is sent of an event.
//!
//! Knows the directives of `languages.md`, section 2: [`Mapping::parse`] compiles a JSON value or
//! refuses it with everything that is wrong in it; [`Mapping::append_to`] writes the result for
//! one event, straight as JSON text. No document is built: what a mapping reads stands in
//! [`Paths`] and is copied from the event as its own bytes. It does not know where a mapping
//! stands in a file, nor what its result is used for.

mod address;
mod compile;
mod directive;
mod node;
mod object;
mod scope;
mod write;

use std::fmt::{self, Display, Formatter};

use serde_json::Value;

use crate::event::{Event, Kind, Paths};

use compile::Compiler;
use directive::Directive;
use node::Node;
use scope::Scope;

/// A compiled mapping.
#[derive(Debug)]
pub struct Mapping {
    root: Node,
}

/// One step into a JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Into an object.
    Key(String),
    /// Into an array.
    Index(usize),
}

/// Why a value is no mapping.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    /// Where inside the value.
    pub at: Vec<Step>,
    /// What is wrong there.
    pub message: String,
    /// What was probably meant.
    pub hint: Option<String>,
}

/// Why a mapping has no result for one event: `user.name: @template: expected a string, found
/// nothing`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Unresolved {
    at: Vec<Step>,
    reason: String,
}

impl Unresolved {
    fn new(reason: impl Into<String>) -> Unresolved {
        Unresolved { at: Vec::new(), reason: reason.into() }
    }

    /// The same, seen from one level further out.
    fn inside(mut self, step: Step) -> Unresolved {
        self.at.insert(0, step);
        self
    }
}

impl Display for Unresolved {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (depth, step) in self.at.iter().enumerate() {
            match step {
                Step::Key(key) if depth == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        let joint = if self.at.is_empty() { "" } else { ": " };
        write!(f, "{joint}{}", self.reason)
    }
}

impl Mapping {
    /// The mapping `{"@path": "$."}`, which passes the record's own bytes through. It reads no
    /// path that would have to be interned.
    #[must_use]
    pub fn whole_event() -> Mapping {
        Mapping { root: Node::Directive(Directive::whole_event()) }
    }

    /// Compiles `value`; what it reads of an event is added to `paths`.
    ///
    /// # Errors
    ///
    /// Everything that is wrong in `value`, in its order. `paths` may have grown then.
    pub fn parse(value: &Value, paths: &mut Paths) -> Result<Mapping, Vec<ParseError>> {
        let root = Compiler::new(paths).compile(value)?;
        Ok(Mapping { root })
    }

    /// Whether the result is always the record's own bytes.
    #[must_use]
    pub fn is_whole_event(&self) -> bool {
        matches!(&self.root, Node::Directive(directive) if directive.is_whole_event())
    }

    /// The result where no directive is inside, so that it is the same for every event.
    #[must_use]
    pub fn constant(&self) -> Option<&Value> {
        match &self.root {
            Node::Constant(constant) => Some(constant.json()),
            _ => None,
        }
    }

    /// Appends the result as JSON text, compact but for what is copied from the event as it was
    /// written; false: the result is missing, and nothing was appended.
    ///
    /// # Errors
    ///
    /// [`Unresolved`] where this event gives no result; `out` is as it was.
    pub fn append_to(&self, event: Event<'_>, out: &mut Vec<u8>) -> Result<bool, Unresolved> {
        if self.is_whole_event() {
            out.extend_from_slice(event.text().as_bytes());
            return Ok(true);
        }
        let before = out.len();
        let result = self.root.append(Scope::Event(event), out);
        if result.is_err() {
            out.truncate(before);
        }
        result
    }

    /// The result as bare text, as URLs and headers take it: strings decoded, numbers and booleans
    /// as in JSON. Nothing: it is missing or null.
    ///
    /// # Errors
    ///
    /// [`Unresolved`] where this event gives no result, or an object or an array.
    pub fn text(&self, event: Event<'_>) -> Result<Option<String>, Unresolved> {
        let Some(resolved) = self.root.resolve(Scope::Event(event))? else {
            return Ok(None);
        };
        let value = resolved.value();
        match value.kind() {
            Kind::Null => Ok(None),
            Kind::Bool | Kind::Number => Ok(Some(value.text().to_owned())),
            Kind::String => Ok(value.as_string().map(|text| text.decode().into_owned())),
            Kind::List => Err(Unresolved::new("expected text, found an array")),
            Kind::Object => Err(Unresolved::new("expected text, found an object")),
        }
    }
}

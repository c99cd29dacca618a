//! Mappings: what is sent of an event.
//!
//! Knows the directives (`docs/triggers-and-mappings.md`): [`Mapping::parse`] compiles a JSON value or
//! refuses it with everything that is wrong in it; [`Mapping::append_to`] writes the result for
//! one event, straight as JSON text. No document is built: what a mapping reads stands in
//! [`Paths`] and is copied from the event as its own bytes. It does not know where a mapping
//! stands in a file, nor what its result is used for.

mod address;
mod compile;
mod directive;
mod liquid;
mod node;
mod object;
mod review;
mod scope;
mod write;

use std::fmt::{self, Display, Formatter};
use std::ops::Range;

use serde_json::Value;

use crate::event::{Event, Kind, Paths};

pub use review::{Warning, review};

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
    /// The bytes to blame of the text that stands there, where it is not all of it.
    pub within: Option<Range<usize>>,
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::event::Fields;

    pub(super) fn given(mapping: &Value, event: &str) -> Result<Option<String>, String> {
        let mut paths = Paths::new();
        let mapping = Mapping::parse(mapping, &mut paths).expect("a mapping");
        let mut fields = Fields::new();
        let event = fields.read(event.as_bytes(), &paths).expect(event);
        let mut out = Vec::new();
        match mapping.append_to(event, &mut out) {
            Ok(true) => Ok(Some(String::from_utf8(out).expect("text"))),
            Ok(false) => Ok(None),
            Err(unresolved) => Err(unresolved.to_string()),
        }
    }

    pub(super) fn gives(mapping: &Value, event: &str, result: &str) {
        let given = given(mapping, event);
        assert_eq!(given, Ok(Some(result.to_owned())), "{mapping} of {event}");
    }

    pub(super) fn refused(mapping: &Value) -> Vec<ParseError> {
        Mapping::parse(mapping, &mut Paths::new()).expect_err("no mapping")
    }

    #[test]
    fn what_is_read_from_the_event_is_copied_as_it_was_written() {
        let event = r#" {"n": 1.50e+01, "s":"\u00e9\/", "o":{ "b":1, "a":2 , "b":3}} "#;
        let mapping =
            json!({"z": {"@path": "n"}, "y": {"@path": "s"}, "a": {"@path": "o"}, "c": 1.0});
        let result = r#"{"z":1.50e+01,"y":"\u00e9\/","a":{ "b":1, "a":2 , "b":3},"c":1.0}"#;
        gives(&mapping, event, result);
        gives(&json!({"@path": "$."}), event, event);
        gives(&json!({"e": {"@path": ""}}), event, &format!("{{\"e\":{}}}", event.trim()));
    }

    #[test]
    fn the_whole_event_is_known_as_such_however_it_is_written() {
        for path in ["$.", "", ".", "$"] {
            let mapping = json!({"@path": path, "_metadata": {"x": 1}});
            let mapping = Mapping::parse(&mapping, &mut Paths::new()).expect("a mapping");
            assert!(mapping.is_whole_event() && mapping.constant().is_none());
        }
        assert!(Mapping::whole_event().is_whole_event());
        let inside = Mapping::parse(&json!([{"@path": ""}]), &mut Paths::new());
        assert!(!inside.expect("a mapping").is_whole_event());
    }

    #[test]
    fn paths_of_the_event_are_read_in_the_one_scan_and_others_are_not() {
        let mut paths = Paths::new();
        let shape = json!({"@arrayPath": ["a", {"x": {"@path": "b.c"}}]});
        Mapping::parse(&shape, &mut paths).expect("a mapping");
        assert_eq!(paths.len(), 2, "the whole, and a");
        Mapping::parse(&json!({"@template": "{{d}} {{e.f}}"}), &mut paths).expect("a mapping");
        assert_eq!(paths.len(), 5);
    }

    #[test]
    fn missing_keys_go_missing_slots_are_null_and_a_missing_root_is_missing() {
        let nowhere = json!({"@path": "x"});
        gives(
            &json!({"a": nowhere, "b": [nowhere, {"c": nowhere}], "d": null}),
            "{}",
            r#"{"b":[null,{}],"d":null}"#,
        );
        assert_eq!(given(&nowhere, "{}"), Ok(None));
        gives(&nowhere, r#"{"x":null}"#, "null");
    }

    #[test]
    fn a_mapping_without_directives_is_constant() {
        let parse = |value: Value| Mapping::parse(&value, &mut Paths::new()).expect("a mapping");
        let value = json!({"a": [1.0, {"_metadata": "x"}], "b": "{{a}}"});
        assert_eq!(parse(value.clone()).constant(), Some(&value));
        assert_eq!(parse(json!({"a": {"@literal": 1}})).constant(), None);
    }

    #[test]
    fn every_error_is_reported_with_its_place() {
        let errors = refused(&json!({
            "a": {"@nope": 1},
            "b": [{"@path": "x", "y": 1}],
            "c": {"@case": {"operator": "title"}},
            "d": {"@Path": "x"},
            "e": {"@replace": {"pattern": "a", "ignoreCase": true}},
            "f": {"@if": {"exists": null}},
        }));
        let errors: Vec<String> = errors
            .into_iter()
            .map(|error| {
                let place = Unresolved { at: error.at, reason: error.message };
                format!("{place} ({})", error.hint.unwrap_or_default())
            })
            .collect();
        assert_eq!(
            errors,
            [
                "a.@nope: there is no directive @nope (the directives are @path, @template, @literal, \
             @if, @case, @replace, @arrayPath, @json, @flatten, @merge, @transform, \
             @excludeWhenNull, @liquid)",
                "b[0].y: @path must be the only key of its object, found y beside it ()",
                "c.@case.operator: expected lower or upper, found title ()",
                "d.@Path: there is no directive @Path (did you mean @path?)",
                "e.@replace.ignoreCase: unknown argument ignoreCase (did you mean ignorecase?)",
                "f.@if.exists: a condition that is the same for every event (for example `exists: { \"@path\": \"$.userId\" }`)",
            ]
        );
    }

    #[test]
    fn an_unresolved_event_is_told_by_the_key_to_blame() {
        let mapping = json!({"user": {"names": [1, {"@template": {"@path": "t"}}]}});
        let error = given(&mapping, r#"{"t":5}"#).expect_err("no string");
        assert_eq!(error, "user.names[1]: @template: expected a string, found a number");
        let error = given(&json!({"@path": {"@path": "p"}}), "{}").expect_err("no string");
        assert_eq!(error, "@path: expected a string, found nothing");
    }

    #[test]
    fn text_is_bare_and_never_an_object() {
        let text = |path: &str| {
            let mut paths = Paths::new();
            let mapping = Mapping::parse(&json!({"@path": path}), &mut paths).expect("a mapping");
            let mut fields = Fields::new();
            let event = br#"{"s":"\u00e9\n","n":1.50,"b":false,"z":null,"o":{},"l":[]}"#;
            mapping
                .text(fields.read(event, &paths).expect("valid"))
                .map_err(|error| error.to_string())
        };
        assert_eq!(text("s"), Ok(Some("é\n".to_owned())));
        assert_eq!(text("n"), Ok(Some("1.50".to_owned())));
        assert_eq!(text("b"), Ok(Some("false".to_owned())));
        assert_eq!((text("z"), text("x")), (Ok(None), Ok(None)));
        assert_eq!(text("o"), Err("expected text, found an object".to_owned()));
        assert_eq!(text("$"), Err("expected text, found an object".to_owned()));
        assert_eq!(text("l"), Err("expected text, found an array".to_owned()));
    }
}

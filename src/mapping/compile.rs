//! From a JSON value to the tree, with every error on the way.

use std::ops::Range;

use serde_json::{Map, Value};

use crate::event::{Path, Paths};
use crate::spelling::did_you_mean;

use super::directive::Directive;
use super::node::{Constant, Entry, Node};
use super::scope::Reference;
use super::{ParseError, Step, address};

/// How deep a mapping may be nested, which bounds the recursion here and when it is resolved.
const DEEPEST: usize = 128;

/// What may stand beside a directive and means nothing.
const METADATA: &str = "_metadata";

/// What was compiled is wrong, and the compiler has noted why.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refused;

/// A path into the event as it is written, and where.
pub(super) struct Read {
    pub(super) at: Vec<Step>,
    pub(super) path: String,
}

/// Compiles one mapping. What is wrong is noted and [`Refused`] given up the tree, after what
/// stands beside it was compiled too, so that one pass finds everything.
pub(super) struct Compiler<'p> {
    /// Nothing: what is compiled never sees the event itself.
    paths: Option<&'p mut Paths>,
    at: Vec<Step>,
    errors: Vec<ParseError>,
    /// Every path into the event that is read by a text of its own, and where the text stands.
    read: Vec<Read>,
}

impl<'p> Compiler<'p> {
    pub(super) fn new(paths: &'p mut Paths) -> Compiler<'p> {
        Compiler { paths: Some(paths), at: Vec::new(), errors: Vec::new(), read: Vec::new() }
    }

    /// The tree of `value`, or everything that is wrong in it.
    pub(super) fn compile(self, value: &Value) -> Result<Node, Vec<ParseError>> {
        self.compile_noting(value).map(|(node, _)| node)
    }

    /// The tree of `value`, and every path that it reads of an event, as it is written, with its
    /// place; or everything that is wrong in it.
    pub(super) fn compile_noting(
        mut self,
        value: &Value,
    ) -> Result<(Node, Vec<Read>), Vec<ParseError>> {
        match self.node(value) {
            Ok(node) if self.errors.is_empty() => Ok((node, self.read)),
            _ => Err(self.errors),
        }
    }

    pub(super) fn node(&mut self, value: &Value) -> Result<Node, Refused> {
        if self.at.len() > DEEPEST {
            return self.refuse(format!("nested more than {DEEPEST} deep"));
        }
        match value {
            Value::Object(object) => self.object(value, object),
            Value::Array(items) => self.list(value, items),
            _ => Ok(Node::Constant(Constant::new(value.clone()))),
        }
    }

    fn object(&mut self, value: &Value, object: &Map<String, Value>) -> Result<Node, Refused> {
        let is_directive = |key: &&String| key.starts_with('@');
        if let Some(name) = object.keys().find(is_directive) {
            let beside = |key: &&String| *key != name && *key != METADATA;
            if let Some(other) = object.keys().find(beside) {
                let message =
                    format!("{name} must be the only key of its object, found {other} beside it");
                return self.within(Step::Key(other.clone()), |compiler| compiler.refuse(message));
            }
            let argument = &object[name];
            let directive = self.within(Step::Key(name.clone()), |compiler| {
                Directive::compile(name, argument, compiler)
            });
            return directive.map(Node::Directive);
        }
        let compile = |(key, value): (&String, &Value)| {
            let node = self.within(Step::Key(key.clone()), |compiler| compiler.node(value));
            node.map(|node| Entry::new(key, node))
        };
        // Everything is compiled before the first failure counts.
        let entries: Vec<Result<Entry, Refused>> = object.iter().map(compile).collect();
        let entries: Box<[Entry]> = entries.into_iter().collect::<Result<_, _>>()?;
        Ok(if entries.iter().all(Entry::is_constant) {
            Node::Constant(Constant::new(value.clone()))
        } else {
            Node::Object(entries)
        })
    }

    fn list(&mut self, value: &Value, items: &[Value]) -> Result<Node, Refused> {
        let compile =
            |(index, item)| self.within(Step::Index(index), |compiler| compiler.node(item));
        let nodes: Vec<Result<Node, Refused>> = items.iter().enumerate().map(compile).collect();
        let nodes: Box<[Node]> = nodes.into_iter().collect::<Result<_, _>>()?;
        Ok(if nodes.iter().all(Node::is_constant) {
            Node::Constant(Constant::new(value.clone()))
        } else {
            Node::List(nodes)
        })
    }

    /// Compiles what stands at `step`.
    pub(super) fn within<T>(&mut self, step: Step, compile: impl FnOnce(&mut Self) -> T) -> T {
        self.at.push(step);
        let result = compile(self);
        self.at.pop();
        result
    }

    /// Compiles what sees something else in the event's place.
    pub(super) fn apart<T>(&mut self, compile: impl FnOnce(&mut Self) -> T) -> T {
        let paths = self.paths.take();
        let result = compile(self);
        self.paths = paths;
        result
    }

    pub(super) fn reference(&mut self, text: &str) -> Reference {
        if self.paths.is_some() {
            self.read.push(Read { at: self.at.clone(), path: text.to_owned() });
        }
        self.lead(address::parse(text))
    }

    /// The same of a path that is known by its keys.
    pub(super) fn lead(&mut self, path: Path) -> Reference {
        let id = self.paths.as_mut().map(|paths| paths.intern(path.clone()));
        Reference::new(path, id)
    }

    /// Notes that what is compiled is wrong.
    pub(super) fn refuse<T>(&mut self, message: impl Into<String>) -> Result<T, Refused> {
        self.refuse_with(message, None)
    }

    pub(super) fn refuse_with<T>(
        &mut self,
        message: impl Into<String>,
        hint: Option<String>,
    ) -> Result<T, Refused> {
        self.refuse_within(None, message, hint)
    }

    /// The same of some bytes of the text that is compiled.
    pub(super) fn refuse_within<T>(
        &mut self,
        within: Option<Range<usize>>,
        message: impl Into<String>,
        hint: Option<String>,
    ) -> Result<T, Refused> {
        let (at, message) = (self.at.clone(), message.into());
        self.errors.push(ParseError { at, within, message, hint });
        Err(Refused)
    }

    /// The named arguments of a directive, none of them but `known` ones.
    pub(super) fn arguments<'v>(
        &mut self,
        value: &'v Value,
        known: &[&str],
    ) -> Result<Arguments<'v>, Refused> {
        let Value::Object(named) = value else {
            let known = known.join(", ");
            return self.refuse(format!("expected an object with {known}"));
        };
        let mut fine = Ok(());
        for key in named.keys().filter(|key| *key != METADATA) {
            if !known.contains(&key.as_str()) {
                let hint = match did_you_mean(key, known.iter().copied()) {
                    Some(meant) => format!("did you mean {meant}?"),
                    None => format!("its arguments are {}", known.join(", ")),
                };
                fine = self.within(Step::Key(key.clone()), |compiler| {
                    compiler.refuse_with(format!("unknown argument {key}"), Some(hint))
                });
            }
        }
        fine.map(|()| Arguments { named })
    }
}

/// The named arguments of a directive. Each reader refuses what is of the wrong form.
#[derive(Clone, Copy)]
pub(super) struct Arguments<'v> {
    named: &'v Map<String, Value>,
}

impl<'v> Arguments<'v> {
    pub(super) fn get(self, name: &str) -> Option<&'v Value> {
        self.named.get(name)
    }

    /// A mapping, where it is given.
    pub(super) fn node(
        self,
        name: &str,
        compiler: &mut Compiler<'_>,
    ) -> Result<Option<Node>, Refused> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => {
                let node =
                    compiler.within(Step::Key(name.to_owned()), |compiler| compiler.node(value));
                node.map(Some)
            }
        }
    }

    /// A mapping, which must be given.
    pub(super) fn required_node(
        self,
        name: &str,
        compiler: &mut Compiler<'_>,
    ) -> Result<Node, Refused> {
        match self.node(name, compiler)? {
            Some(node) => Ok(node),
            None => compiler.refuse(format!("{name} is missing")),
        }
    }

    /// A text, where it is given.
    pub(super) fn text(
        self,
        name: &str,
        compiler: &mut Compiler<'_>,
    ) -> Result<Option<&'v str>, Refused> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => compiler.within(Step::Key(name.to_owned()), |compiler| {
                compiler.refuse("expected a string")
            }),
        }
    }

    /// A text, which must be given.
    pub(super) fn required_text(
        self,
        name: &str,
        compiler: &mut Compiler<'_>,
    ) -> Result<&'v str, Refused> {
        match self.text(name, compiler)? {
            Some(text) => Ok(text),
            None => compiler.refuse(format!("{name} is missing")),
        }
    }

    /// One of `choices` by name, which must be given.
    pub(super) fn choice<T: Copy>(
        self,
        name: &str,
        choices: [(&str, T); 2],
        compiler: &mut Compiler<'_>,
    ) -> Result<T, Refused> {
        let text = self.required_text(name, compiler)?;
        if let Some((_, choice)) = choices.iter().find(|(name, _)| *name == text) {
            return Ok(*choice);
        }
        let [(first, _), (second, _)] = choices;
        compiler.within(Step::Key(name.to_owned()), |compiler| {
            compiler.refuse(format!("expected {first} or {second}, found {text}"))
        })
    }

    /// A boolean, or what it is where it is not given.
    pub(super) fn switch(
        self,
        name: &str,
        otherwise: bool,
        compiler: &mut Compiler<'_>,
    ) -> Result<bool, Refused> {
        match self.get(name) {
            None => Ok(otherwise),
            Some(Value::Bool(on)) => Ok(*on),
            Some(_) => compiler.within(Step::Key(name.to_owned()), |compiler| {
                compiler.refuse("expected true or false")
            }),
        }
    }
}

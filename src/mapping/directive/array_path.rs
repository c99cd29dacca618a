//! `@arrayPath`: each element of an array, mapped.

use serde_json::Value;

use crate::event::{self, Kind};

use super::super::Step;
use super::path::FromPath;
use super::{Compiler, Node, Refused, Scope, Unresolved};

#[derive(Debug)]
pub(in super::super) struct ArrayPath {
    array: Array,
    /// Nothing: elements are kept as they are.
    shape: Option<Node>,
}

/// Where the array comes from.
#[derive(Debug)]
enum Array {
    At(FromPath),
    Given(Node),
}

impl ArrayPath {
    pub(super) fn compile(
        argument: &Value,
        compiler: &mut Compiler<'_>,
    ) -> Result<ArrayPath, Refused> {
        let (array, shape) = match argument.as_array().map(Vec::as_slice) {
            Some([array]) => (array, None),
            Some([array, shape]) => (array, Some(shape)),
            _ => {
                let hint = r#"for example `["$.properties.items", { id: { "@path": "$.id" } }]`"#;
                return compiler
                    .refuse_with("expected an array of a path and a shape", Some(hint.to_owned()));
            }
        };
        let array = compiler.within(Step::Index(0), |compiler| match array {
            Value::String(_) => FromPath::compile(array, compiler).map(Array::At),
            _ => match compiler.node(array)? {
                node @ Node::Directive(_) => Ok(Array::Given(node)),
                _ => compiler
                    .refuse("expected a path as a string, or a directive that gives an array"),
            },
        });
        let keeps = |shape: &&Value| shape.as_object().is_some_and(serde_json::Map::is_empty);
        let shape = match shape.filter(|shape| !keeps(shape)) {
            None => None,
            Some(shape @ (Value::Object(_) | Value::Array(_))) => {
                let compile = |compiler: &mut Compiler<'_>| compiler.node(shape);
                Some(compiler.within(Step::Index(1), |compiler| compiler.apart(compile))?)
            }
            Some(_) => {
                return compiler.within(Step::Index(1), |compiler| {
                    compiler.refuse("expected an object, the shape of each element")
                });
            }
        };
        Ok(ArrayPath { array: array?, shape })
    }

    pub(super) fn append(&self, scope: Scope<'_>, out: &mut Vec<u8>) -> Result<bool, Unresolved> {
        match &self.array {
            Array::At(path) => match path.find(scope)? {
                Some(value) => self.append_mapped(value, out),
                None => Ok(false),
            },
            Array::Given(node) => match node.resolve(scope)? {
                Some(resolved) => self.append_mapped(resolved.value(), out),
                None => Ok(false),
            },
        }
    }

    fn append_mapped(
        &self,
        value: event::Value<'_>,
        out: &mut Vec<u8>,
    ) -> Result<bool, Unresolved> {
        match (value.kind(), &self.shape) {
            (Kind::List, Some(shape)) => append_each(shape, value.items(), out)?,
            (Kind::Object, Some(shape)) => append_each(shape, std::iter::once(value), out)?,
            (Kind::Object, None) => {
                out.push(b'[');
                out.extend_from_slice(value.text().as_bytes());
                out.push(b']');
            }
            _ => out.extend_from_slice(value.text().as_bytes()),
        }
        Ok(true)
    }
}

fn append_each<'a>(
    shape: &Node,
    elements: impl Iterator<Item = event::Value<'a>>,
    out: &mut Vec<u8>,
) -> Result<(), Unresolved> {
    out.push(b'[');
    for (index, element) in elements.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        let present = shape.append(Scope::Value(element), out);
        if !present.map_err(|error| error.inside(Step::Index(index)))? {
            out.extend_from_slice(b"null");
        }
    }
    out.push(b']');
    Ok(())
}

//! `@merge`: several objects as one.

use serde_json::Value;

use crate::event::Kind;

use super::super::Step;
use super::super::node::Resolved;
use super::super::object::{Collision, Object, Writer};
use super::{Compiler, Node, Refused, Scope, Unresolved};

#[derive(Debug)]
pub(in super::super) struct Merge {
    collision: Collision,
    objects: Box<[Node]>,
}

impl Merge {
    pub(super) fn compile(argument: &Value, compiler: &mut Compiler<'_>) -> Result<Merge, Refused> {
        let arguments = compiler.arguments(argument, &["objects", "direction"])?;
        let directions = [("right", Collision::LastWins), ("left", Collision::FirstWins)];
        let collision = arguments.choice("direction", directions, compiler);
        let Some(Value::Array(objects)) = arguments.get("objects") else {
            return compiler.refuse("expected objects as an array");
        };
        let objects = compiler.within(Step::Key("objects".to_owned()), |compiler| {
            let compile = |(index, object)| {
                compiler.within(Step::Index(index), |compiler| compile_object(object, compiler))
            };
            let objects: Vec<Result<Node, Refused>> =
                objects.iter().enumerate().map(compile).collect();
            objects.into_iter().collect::<Result<_, Refused>>()
        });
        Ok(Merge { collision: collision?, objects: objects? })
    }

    pub(super) fn append(&self, scope: Scope<'_>, out: &mut Vec<u8>) -> Result<bool, Unresolved> {
        let mut resolved = Vec::with_capacity(self.objects.len());
        for node in &self.objects {
            resolved.extend(node.resolve(scope)?);
        }
        let mut merged = Object::new();
        let objects = resolved.iter().map(Resolved::value);
        for object in objects.filter(|value| value.kind() == Kind::Object) {
            for (key, value) in Object::of(object).into_entries() {
                merged.insert(key, value, self.collision);
            }
        }
        let mut writer = Writer::begin(out);
        for (key, value) in merged.into_entries() {
            writer.key(&key).extend_from_slice(value.text().as_bytes());
        }
        writer.end();
        Ok(true)
    }
}

fn compile_object(object: &Value, compiler: &mut Compiler<'_>) -> Result<Node, Refused> {
    match compiler.node(object)? {
        Node::Constant(constant) if !constant.json().is_object() => {
            compiler.refuse("expected an object")
        }
        Node::List(_) => compiler.refuse("expected an object, found an array"),
        node => Ok(node),
    }
}

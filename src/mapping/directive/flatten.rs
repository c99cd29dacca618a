//! `@flatten`: nested keys joined into one level.

use serde_json::Value;

use crate::event::{self, Kind};

use super::super::Step;
use super::super::node::Resolved;
use super::super::object::{Collision, Object, Writer};
use super::{Compiler, DEEPEST, LARGEST, Node, Refused, Scope, Unresolved};

#[derive(Debug)]
pub(in super::super) struct Flatten {
    separator: Box<str>,
    arrays: Arrays,
    value: Option<Box<Node>>,
}

/// What becomes of arrays inside the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Arrays {
    /// Their indices are keys.
    Flattened,
    Kept,
}

impl Flatten {
    pub(super) fn compile(
        argument: &Value,
        compiler: &mut Compiler<'_>,
    ) -> Result<Flatten, Refused> {
        let arguments = compiler.arguments(argument, &["separator", "omitArrays", "value"])?;
        let separator = arguments.required_text("separator", compiler);
        let omit_arrays = arguments.switch("omitArrays", false, compiler);
        let value = arguments.node("value", compiler)?.map(Box::new);
        let separator = separator?;
        if separator.is_empty() {
            return compiler.within(Step::Key("separator".to_owned()), |compiler| {
                compiler.refuse("expected a separator that is not empty")
            });
        }
        Ok(Flatten {
            separator: separator.into(),
            arrays: if omit_arrays? { Arrays::Kept } else { Arrays::Flattened },
            value,
        })
    }

    pub(super) fn append(&self, scope: Scope<'_>, out: &mut Vec<u8>) -> Result<bool, Unresolved> {
        let resolved = match &self.value {
            Some(node) => node.resolve(scope)?,
            None => None,
        };
        let mut flat = Flat { flatten: self, key: String::new(), size: 0, leaves: Object::new() };
        if let Some(value) = resolved.as_ref().map(Resolved::value)
            && matches!(value.kind(), Kind::List | Kind::Object)
        {
            flat.descend(value, 0)?;
        }
        let mut writer = Writer::begin(out);
        for (key, value) in flat.leaves.into_entries() {
            writer.key(&key).extend_from_slice(value.text().as_bytes());
        }
        writer.end();
        Ok(true)
    }
}

/// One value on its way to a single level.
struct Flat<'f, 'a> {
    flatten: &'f Flatten,
    /// The keys down to where the way stands.
    key: String,
    /// What all keys so far come to, since a long one may be repeated for each of its leaves.
    size: usize,
    leaves: Object<event::Value<'a>>,
}

impl<'a> Flat<'_, 'a> {
    /// Takes in the members of an object or an array.
    fn descend(&mut self, value: event::Value<'a>, depth: usize) -> Result<(), Unresolved> {
        if depth > DEEPEST {
            return Err(Unresolved::new(format!("@flatten: nested more than {DEEPEST} deep")));
        }
        if value.kind() == Kind::List {
            for (index, item) in value.items().enumerate() {
                self.member(&index.to_string(), item, depth)?;
            }
        } else {
            for (key, member) in Object::of(value).into_entries() {
                self.member(&key, member, depth)?;
            }
        }
        Ok(())
    }

    fn member(
        &mut self,
        key: &str,
        value: event::Value<'a>,
        depth: usize,
    ) -> Result<(), Unresolved> {
        let before = self.key.len();
        if depth > 0 {
            self.key.push_str(&self.flatten.separator);
        }
        self.key.push_str(key);
        match value.kind() {
            Kind::List if self.flatten.arrays == Arrays::Kept => self.leaf(value)?,
            Kind::List | Kind::Object => self.descend(value, depth + 1)?,
            _ => self.leaf(value)?,
        }
        self.key.truncate(before);
        Ok(())
    }

    fn leaf(&mut self, value: event::Value<'a>) -> Result<(), Unresolved> {
        self.size += self.key.len();
        if self.size > LARGEST {
            let message = format!("@flatten: the result has more than {LARGEST} bytes");
            return Err(Unresolved::new(message));
        }
        self.leaves.insert(self.key.clone(), value, Collision::LastWins);
        Ok(())
    }
}

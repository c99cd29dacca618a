//! What a mapping is resolved with: the event, or what stands for one inside a directive.

use crate::event::{Event, Path, PathId, Value};

/// What paths lead through.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scope<'a> {
    Event(Event<'a>),
    /// An element of an array, or the result of another mapping.
    Value(Value<'a>),
    /// Such a result that is missing: every path leads nowhere.
    Nothing,
}

/// A path that is known when the mapping is compiled.
#[derive(Debug)]
pub(super) struct Reference {
    path: Path,
    /// Its place among the paths of every event, unless it never leads through one.
    id: Option<PathId>,
}

impl Reference {
    pub(super) fn new(path: Path, id: Option<PathId>) -> Reference {
        Reference { path, id }
    }

    pub(super) fn is_whole(&self) -> bool {
        self.path.is_empty()
    }
}

impl<'a> Scope<'a> {
    pub(super) fn find(self, reference: &Reference) -> Option<Value<'a>> {
        match (self, reference.id) {
            (Scope::Event(event), Some(id)) => event.find(id),
            _ => self.walk(&reference.path),
        }
    }

    /// What stands at a path that is known only now.
    pub(super) fn walk(self, path: &Path) -> Option<Value<'a>> {
        match self {
            Scope::Event(event) => event.value().walk(path),
            Scope::Value(value) => value.walk(path),
            Scope::Nothing => None,
        }
    }
}

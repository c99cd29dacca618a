//! Objects that are put together while a mapping is resolved.

use std::collections::HashMap;

use crate::event::{Text, Value};

use super::write;

/// Keys and values in first-seen order, each key once.
#[derive(Debug)]
pub(super) struct Object<V> {
    entries: Vec<(String, V)>,
    /// Where each key stands among `entries`.
    places: HashMap<String, usize>,
}

/// What happens to a key that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Collision {
    LastWins,
    FirstWins,
}

impl<V> Object<V> {
    pub(super) fn new() -> Object<V> {
        Object { entries: Vec::new(), places: HashMap::new() }
    }

    pub(super) fn insert(&mut self, key: String, value: V, collision: Collision) {
        match self.places.get(&key) {
            Some(_) if collision == Collision::FirstWins => {}
            Some(&place) => self.entries[place].1 = value,
            None => {
                self.places.insert(key.clone(), self.entries.len());
                self.entries.push((key, value));
            }
        }
    }

    pub(super) fn into_entries(self) -> impl Iterator<Item = (String, V)> {
        self.entries.into_iter()
    }
}

impl<'a> Object<Value<'a>> {
    /// The entries of an object of the event; of equal keys the last counts.
    pub(super) fn of(value: Value<'a>) -> Object<Value<'a>> {
        let mut object = Object::new();
        for (key, value) in value.entries() {
            object.insert(Text::decode(key).into_owned(), value, Collision::LastWins);
        }
        object
    }
}

/// Writes an object key by key.
#[derive(Debug)]
pub(super) struct Writer<'o> {
    out: &'o mut Vec<u8>,
    any: bool,
}

impl<'o> Writer<'o> {
    pub(super) fn begin(out: &'o mut Vec<u8>) -> Writer<'o> {
        out.push(b'{');
        Writer { out, any: false }
    }

    /// Appends the key; its value is to be appended to what is given back.
    pub(super) fn key(&mut self, key: &str) -> &mut Vec<u8> {
        if self.any {
            self.out.push(b',');
        }
        self.any = true;
        write::string(key, self.out);
        self.out.push(b':');
        self.out
    }

    pub(super) fn end(self) {
        self.out.push(b'}');
    }
}

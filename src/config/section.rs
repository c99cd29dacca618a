//! A mapping whose keys are known beforehand.
//!
//! Knows how to report the keys that are too many, and those that are missing.

use super::at::At;
use super::tree::{Entry, Value};
use crate::spelling::did_you_mean;

/// A mapping whose keys are known beforehand.
pub(super) struct Section<'a> {
    pub(super) at: At<'a>,
    entries: &'a [Entry],
}

impl<'a> Section<'a> {
    /// The value as a mapping of at most these keys; every other key is reported.
    pub(super) fn read(at: &At<'a>, keys: &[&str]) -> Option<Self> {
        if let Value::Scalar(scalar) = &at.node.value
            && !scalar.is_null()
            && !scalar.broken
        {
            at.error_with(
                format!("expected a mapping of keys to values, found {}", at.shown()),
                format!("known here: {}", keys.join(", ")),
            );
            return None;
        }
        let entries = at.entries()?;
        for entry in entries.iter().filter(|entry| !keys.contains(&&*entry.key)) {
            let key = &entry.key;
            let (message, hint) = match did_you_mean(key, keys.iter().copied()) {
                Some(meant) => (format!("unknown key `{key}`, did you mean `{meant}`?"), None),
                None if key == "<<" => (
                    format!("unknown key `{key}`"),
                    Some(
                        "YAML 1.2 has no merge keys; what is shared goes to the level above".into(),
                    ),
                ),
                None => (
                    format!("unknown key `{key}`"),
                    Some(format!("known here: {}", keys.join(", "))),
                ),
            };
            at.error_at(entry.key_bytes.clone(), message, hint);
        }
        Some(Self { at: at.clone(), entries })
    }

    pub(super) fn key(&self, key: &str) -> Option<At<'a>> {
        self.entries.iter().find(|entry| entry.key == key).map(|entry| self.at.entry(entry))
    }

    /// A key that must be there; its absence is reported, with an example of its value.
    pub(super) fn required(&self, key: &str, example: &str) -> Option<At<'a>> {
        let found = self.key(key);
        if found.is_none() {
            let at = &self.at;
            at.key_error(
                format!("the key `{key}` is missing"),
                Some(format!("for example `{key}: {example}`")),
            );
        }
        found
    }
}

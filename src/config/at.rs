//! One value of the file at a known path, and the reading of typed values from it.
//!
//! Knows how to ask a node for what the schema expects, and how to report, with place and path,
//! that it is something else. Everything is reported, nothing is returned twice: a `None` means
//! that the reason has been noted.

use std::fmt::Display;
use std::net::IpAddr;
use std::ops::{Range, RangeInclusive};

use super::expand::place_as_written;
use super::report::Report;
use super::tree::{Entry, Node, Scalar, Value, below};
use crate::mapping::Step;
use crate::spelling::did_you_mean;

/// A value of the file, and the way to it.
#[derive(Clone)]
pub(super) struct At<'a> {
    pub(super) report: &'a Report<'a>,
    pub(super) path: String,
    pub(super) node: &'a Node,
    /// The bytes of the key that leads here.
    key: Range<usize>,
}

impl<'a> At<'a> {
    pub(super) fn root(report: &'a Report<'a>, node: &'a Node) -> Self {
        Self { report, path: String::new(), node, key: node.bytes.clone() }
    }

    /// The value of an entry of this mapping.
    pub(super) fn entry(&self, entry: &'a Entry) -> Self {
        let path = below(&self.path, &entry.key);
        Self { report: self.report, path, node: &entry.node, key: entry.key_bytes.clone() }
    }

    /// An item of this list.
    pub(super) fn item(&self, index: usize, node: &'a Node) -> Self {
        let path = format!("{}[{index}]", self.path);
        Self { report: self.report, path, node, key: node.bytes.clone() }
    }

    /// The same place with another value.
    pub(super) fn with_node<'n>(&self, node: &'n Node) -> At<'n>
    where
        'a: 'n,
    {
        At { report: self.report, path: self.path.clone(), node, key: self.key.clone() }
    }

    /// The value of a key, if this is a mapping that has it.
    pub(super) fn key(&self, key: &str) -> Option<Self> {
        let Value::Map(entries) = &self.node.value else { return None };
        entries.iter().find(|entry| entry.key == key).map(|entry| self.entry(entry))
    }

    /// Reports that the value is wrong.
    pub(super) fn error(&self, message: impl Into<String>) {
        self.error_at(self.value_bytes(), message, None);
    }

    /// Reports that the value is wrong, and what would help.
    pub(super) fn error_with(&self, message: impl Into<String>, hint: impl Into<String>) {
        self.error_at(self.value_bytes(), message, Some(hint.into()));
    }

    /// Reports that the key is wrong.
    pub(super) fn key_error(&self, message: impl Into<String>, hint: Option<String>) {
        self.error_at(self.key.clone(), message, hint);
    }

    pub(super) fn error_at(
        &self,
        bytes: Range<usize>,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        self.report.error(bytes, &self.path, message, hint);
    }

    /// Warns about the key.
    pub(super) fn warn(&self, message: impl Into<String>, hint: Option<String>) {
        self.warn_at(self.key.clone(), message, hint);
    }

    /// Warns about some of the value.
    pub(super) fn warn_at(
        &self,
        bytes: Range<usize>,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        self.report.warning(bytes, &self.path, message, hint);
    }

    /// Where a message about the value points: an empty value has no place of its own.
    fn value_bytes(&self) -> Range<usize> {
        if self.node.bytes.is_empty() { self.key.clone() } else { self.node.bytes.clone() }
    }

    /// The value as a mapping; anything else is reported.
    pub(super) fn entries(&self) -> Option<&'a [Entry]> {
        match &self.node.value {
            Value::Map(entries) => Some(entries),
            Value::List(_) => {
                self.error_with(
                    "expected a mapping of keys to values, found a list",
                    "`name:` begins an entry, where a list has `-`",
                );
                None
            }
            Value::Scalar(_) => self.expected("a mapping of keys to values"),
        }
    }

    /// The value as a list; anything else is reported.
    pub(super) fn items(&self) -> Option<Vec<At<'a>>> {
        match &self.node.value {
            Value::List(items) => {
                Some(items.iter().enumerate().map(|(index, node)| self.item(index, node)).collect())
            }
            Value::Scalar(scalar) if !scalar.is_null() && !scalar.broken => {
                self.error_with("expected a list", "one entry is a list too: `[entry]`");
                None
            }
            _ => self.expected("a list"),
        }
    }

    /// The value as a scalar that holds something; anything else is reported.
    pub(super) fn scalar(&self, expected: &str) -> Option<&'a Scalar> {
        match &self.node.value {
            Value::Scalar(scalar) if scalar.broken => None,
            Value::Scalar(scalar) if !scalar.is_null() => Some(scalar),
            _ => self.expected(expected),
        }
    }

    /// The value as a text that is not empty.
    pub(super) fn text(&self) -> Option<&'a str> {
        let scalar = self.scalar("a text")?;
        if scalar.text.is_empty() {
            self.error("must not be empty");
            return None;
        }
        Some(&scalar.text)
    }

    /// The value as something with a spelling of its own.
    pub(super) fn parse<T, E: Display>(
        &self,
        expected: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let scalar = self.scalar(expected)?;
        match parse(&scalar.text) {
            Ok(value) => Some(value),
            Err(hint) => {
                let hint = hint.to_string();
                let hint = (!hint.is_empty() && !self.holds_secret()).then_some(hint);
                self.error_at(
                    self.value_bytes(),
                    format!("expected {expected}, found {}", self.shown()),
                    hint,
                );
                None
            }
        }
    }

    pub(super) fn boolean(&self) -> Option<bool> {
        self.parse("`true` or `false`", |text| match text {
            "true" | "True" | "TRUE" => Ok(true),
            "false" | "False" | "FALSE" => Ok(false),
            "yes" | "Yes" | "on" | "On" => Err("write `true`"),
            "no" | "No" | "off" | "Off" => Err("write `false`"),
            _ => Err(""),
        })
    }

    pub(super) fn whole_number(&self, range: RangeInclusive<usize>) -> Option<usize> {
        let expected = if *range.end() == usize::MAX {
            format!("a whole number from {}", range.start())
        } else {
            format!("a whole number from {} to {}", range.start(), range.end())
        };
        self.parse(&expected, |text| match text.parse::<usize>() {
            Ok(number) if range.contains(&number) && !text.starts_with('+') => Ok(number),
            _ => Err(""),
        })
    }

    /// One of a few words, spelled exactly.
    pub(super) fn word<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        self.parse(&one_of(&names), |text| {
            let exact = words.iter().find(|(word, _)| *word == text);
            let meant = || did_you_mean(text, names.iter().copied());
            exact.map(|(_, value)| *value).ok_or_else(|| {
                meant().map_or_else(String::new, |word| format!("did you mean `{word}`?"))
            })
        })
    }

    /// The value as it may be shown: as it is written in the file, without what `${…}` put in.
    pub(super) fn shown(&self) -> String {
        match &self.node.value {
            Value::Scalar(scalar) if scalar.is_null() => "nothing".into(),
            Value::Scalar(scalar) if scalar.raw.chars().count() > 80 => "a long text".into(),
            Value::Scalar(scalar) => format!("`{}`", scalar.raw.trim_end().escape_debug()),
            Value::List(_) => "a list".into(),
            Value::Map(_) => "a mapping".into(),
        }
    }

    /// Whether something from outside the file went into the value.
    pub(super) fn holds_secret(&self) -> bool {
        match &self.node.value {
            Value::Scalar(scalar) => scalar.expansions.iter().any(|expansion| expansion.is_secret),
            _ => false,
        }
    }

    /// The bytes of the file in which the bytes `inside` of the scalar's text stand.
    pub(super) fn locate(&self, inside: Range<usize>) -> Range<usize> {
        let Value::Scalar(scalar) = &self.node.value else {
            return self.node.bytes.clone();
        };
        let raw = |at| place_as_written(&scalar.expansions, at);
        self.locate_raw(raw(inside.start)..raw(inside.end))
    }

    /// The bytes of the file in which the bytes `inside` of the scalar stand, before `${…}` was
    /// replaced.
    pub(super) fn locate_raw(&self, inside: Range<usize>) -> Range<usize> {
        let Value::Scalar(scalar) = &self.node.value else {
            return self.node.bytes.clone();
        };
        let file = self.report.file.text();
        let start = scalar.written.locate(file, &scalar.raw, inside.start);
        let end = scalar.written.locate(file, &scalar.raw, inside.end);
        start..end.max(start)
    }

    /// The line of the file, from 1, that a byte is in.
    pub(super) fn line(&self, byte: usize) -> usize {
        self.report.file.line_of(byte).0 + 1
    }

    /// What stands at the end of `steps`, or as far as they lead.
    pub(super) fn inside(&self, steps: &[Step]) -> Self {
        let mut place = self.clone();
        for step in steps {
            let below = match (&place.node.value, step) {
                (Value::Map(entries), Step::Key(key)) => {
                    entries.iter().find(|entry| entry.key == *key).map(|entry| place.entry(entry))
                }
                (Value::List(items), Step::Index(index)) => {
                    items.get(*index).map(|item| place.item(*index, item))
                }
                _ => None,
            };
            let Some(below) = below else { break };
            place = below;
        }
        place
    }

    fn expected<T>(&self, what: &str) -> Option<T> {
        if let Value::Scalar(scalar) = &self.node.value {
            if scalar.broken {
                return None;
            }
            if scalar.is_null() {
                self.error(format!("has no value, expected {what}"));
                return None;
            }
        }
        self.error(format!("expected {what}, found {}", self.shown()));
        None
    }
}

/// "`a`, `b` or `c`".
pub(super) fn one_of(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        Some((only, _)) => only.clone(),
        None => String::new(),
    }
}

/// An address or network in CIDR notation; a bare address is a network of one.
pub(super) fn network(text: &str) -> Result<ipnet::IpNet, &'static str> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(address.into());
    }
    let net: ipnet::IpNet = text.parse().map_err(|_| "for example `10.20.0.0/16`")?;
    if net.trunc() == net { Ok(net) } else { Err("bits are set behind the prefix") }
}

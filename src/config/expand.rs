//! `${NAME}`, `${NAME:-default}` and `${file:/path}` inside values.
//!
//! Knows the three forms and `$${`, which stands for itself. What comes out of an environment
//! variable or a file is a secret: it is remembered where it went, so that no message shows it.

use std::env::VarError;
use std::ops::Range;
use std::path::Path;

use super::tree::{Node, Scalar, Value, below};

/// The largest file that a value may come from.
const LARGEST_FILE: u64 = 1 << 20;

/// Where values from outside come from.
pub(super) struct Outside<'a> {
    /// Looks up an environment variable.
    pub(super) variable: &'a dyn Fn(&str) -> Result<String, VarError>,
    /// What relative paths are relative to.
    pub(super) directory: &'a Path,
}

/// One `${…}` that was replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expansion {
    /// The bytes of the value as it is written.
    pub(super) written: Range<usize>,
    /// The bytes of the value that took their place.
    pub(super) expanded: Range<usize>,
    /// It came from outside, not from the file itself.
    pub(super) is_secret: bool,
}

/// Where in a value as it is written stands what is at `at` after `${…}` was replaced.
pub(super) fn place_as_written(expansions: &[Expansion], at: usize) -> usize {
    let mut shift = (0, 0);
    for expansion in expansions {
        if at < expansion.expanded.start {
            break;
        }
        if at < expansion.expanded.end {
            return expansion.written.start;
        }
        shift = (expansion.written.end, expansion.expanded.end);
    }
    shift.0 + (at - shift.1)
}

/// Why a `${…}` could not be replaced.
#[derive(Debug)]
pub(super) struct Unexpanded {
    /// The bytes of the value as it is written.
    pub(super) at: Range<usize>,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

/// Replaces `${…}` in every value below `node`, which is at `path`. `report` hears at which path
/// a scalar stands, and why it stays as it is.
pub(super) fn expand(
    node: &mut Node,
    path: &str,
    outside: &Outside<'_>,
    report: &mut impl FnMut(&str, &Scalar, Unexpanded),
) {
    match &mut node.value {
        Value::List(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                expand(item, &format!("{path}[{index}]"), outside, report);
            }
        }
        Value::Map(entries) => {
            for entry in entries {
                let below = below(path, &entry.key);
                expand(&mut entry.node, &below, outside, report);
            }
        }
        Value::Scalar(scalar) if scalar.raw.contains("${") => {
            let mut text = String::new();
            let mut at = 0;
            while let Some(found) = scalar.raw[at..].find("${") {
                let start = at + found;
                text.push_str(&scalar.raw[at..start]);
                if text.ends_with('$') && scalar.raw[..start].ends_with('$') {
                    text.push('{');
                    at = start + 2;
                    scalar.expansions.push(Expansion {
                        written: start - 1..at,
                        expanded: text.len() - 2..text.len(),
                        is_secret: false,
                    });
                    continue;
                }
                match reference(&scalar.raw, start, outside) {
                    Ok((end, value, is_secret)) => {
                        let expanded = text.len()..text.len() + value.len();
                        text.push_str(&value);
                        scalar.expansions.push(Expansion {
                            written: start..end,
                            expanded,
                            is_secret,
                        });
                        at = end;
                    }
                    Err(why) => {
                        at = why.at.end;
                        scalar.broken = true;
                        report(path, scalar, why);
                    }
                }
            }
            text.push_str(&scalar.raw[at..]);
            scalar.text = text;
        }
        Value::Scalar(_) => {}
    }
}

/// What the `${` at `start` stands for: where it ends, its value, and whether that is a secret.
fn reference(
    raw: &str,
    start: usize,
    outside: &Outside<'_>,
) -> Result<(usize, String, bool), Unexpanded> {
    let Some(length) = raw[start..].find('}') else {
        return Err(Unexpanded {
            at: start..raw.len(),
            message: "`${` without `}`".into(),
            hint: Some("`$${` stands for `${` itself".into()),
        });
    };
    let end = start + length + 1;
    let inside = &raw[start + 2..end - 1];
    let refuse =
        |message: String, hint: Option<String>| Unexpanded { at: start..end, message, hint };
    if let Some(path) = inside.strip_prefix("file:") {
        return match read_text(&outside.directory.join(path)) {
            Ok(text) => Ok((end, without_last_break(text), true)),
            Err(why) => Err(refuse(format!("`{path}` cannot be read: {why}"), None)),
        };
    }
    let (name, default) = match inside.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inside, None),
    };
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !starts_well || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(refuse(
            match inside {
                "" => "`${}` names nothing".to_owned(),
                _ => format!("`{inside}` is no name of an environment variable"),
            },
            Some(
                "`${NAME}`, `${NAME:-default}` or `${file:/path}`; `$${` stands for `${` itself"
                    .into(),
            ),
        ));
    }
    if default.is_some_and(|default| default.contains("${")) {
        return Err(refuse("a default cannot hold another `${`".into(), None));
    }
    match ((outside.variable)(name), default) {
        (Ok(value), Some(default)) if value.is_empty() => Ok((end, default.to_owned(), false)),
        (Ok(value), _) => Ok((end, value, true)),
        (Err(VarError::NotPresent), Some(default)) => Ok((end, default.to_owned(), false)),
        (Err(VarError::NotPresent), None) => Err(refuse(
            format!("the environment variable `{name}` is not set"),
            Some(format!("set it, or give a default: `${{{name}:-…}}`")),
        )),
        (Err(VarError::NotUnicode(_)), _) => {
            Err(refuse(format!("the environment variable `{name}` is not UTF-8"), None))
        }
    }
}

/// A file's text; the reason why there is none otherwise.
pub(super) fn read_text(path: &Path) -> Result<String, String> {
    let metadata = std::fs::metadata(path).map_err(|error| plain(&error))?;
    if metadata.is_dir() {
        return Err("it is a directory".into());
    }
    if metadata.len() > LARGEST_FILE {
        return Err(format!("it is larger than {} MiB", LARGEST_FILE >> 20));
    }
    let bytes = std::fs::read(path).map_err(|error| plain(&error))?;
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".into())
}

/// What went wrong, without the operating system's number.
pub(super) fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    let end = text.find(" (os error").unwrap_or(text.len());
    let mut characters = text[..end].chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_lowercase().collect::<String>() + characters.as_str()
    })
}

fn without_last_break(mut text: String) -> String {
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    text
}

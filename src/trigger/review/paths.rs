//! The fields that a trigger reads, beside those that the spec has.

use crate::event::Path;
use crate::spec;

use super::super::parse::Parsed;
use super::super::tree::Operand;
use super::{Warning, for_each_comparison, operands};

/// Warns of what begins with no field of the spec, and of what is looked for inside a text.
pub(super) fn review(text: &str, parsed: &Parsed) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut places = parsed.paths.iter().cloned();
    for_each_comparison(&parsed.condition, &mut |comparison| {
        let (left, right) = operands(comparison);
        let mut paths = Vec::new();
        for (operand, is_second) in [(left, false), (right, true)] {
            if let Some(operand) = operand {
                collect_paths(operand, is_second, &mut paths);
            }
        }
        for (path, is_second) in paths {
            let at = places.next().unwrap_or_default();
            let written = text.get(at.clone()).unwrap_or_default();
            if let Some((message, hint)) = remark(path, written, is_second) {
                warnings.push(Warning { at, message, hint: Some(hint) });
            }
        }
    });
    warnings
}

fn remark(path: &Path, written: &str, is_second: bool) -> Option<(String, String)> {
    let mut keys = path.keys();
    let (first, second) = (keys.next()?, keys.next());
    match (spec::field(first), second) {
        (Some(field), Some(second)) if !field.is_object => {
            let inside = written.split_once('.').map_or("", |(_, inside)| inside);
            let meant = match spec::field(second) {
                Some(_) => inside.to_owned(),
                None => format!("properties.{inside}"),
            };
            Some((
                format!("`{first}` is a text in the spec: nothing is inside it"),
                format!("did you mean `{meant}`?"),
            ))
        }
        (Some(_), _) => None,
        (None, second) => {
            let keyword = match &*first.to_lowercase() {
                "true" => Some("true"),
                "false" => Some("false"),
                "null" | "nil" | "none" | "undefined" | "missing" => Some("null"),
                _ => None,
            };
            let hint = if let Some(keyword) = keyword.filter(|_| second.is_none()) {
                format!("write `{keyword}`")
            } else if is_second && second.is_none() {
                format!("a text needs quotes: \"{first}\"")
            } else {
                format!("did you mean `{}`?", spec::path_meant(written, first))
            };
            Some((format!("`{first}` is no field of the spec"), hint))
        }
    }
}

/// Collects every path in `operand`, and whether something stands before it that it may be
/// compared with.
fn collect_paths<'c>(operand: &'c Operand, is_second: bool, paths: &mut Vec<(&'c Path, bool)>) {
    match operand {
        Operand::Field { path, .. } => paths.push((path, is_second)),
        Operand::Literal(_) => {}
        Operand::Call(_, arguments) => {
            for (index, argument) in arguments.iter().enumerate() {
                collect_paths(argument, index > 0, paths);
            }
        }
    }
}

//! How much of an action's requests may be shown.
//!
//! Knows where `${…}` put something into a URL or a header, and puts `***` there.

use super::at::At;
use super::json;
use super::section::Section;
use crate::disguise::{Disguise, MASK, Part};
use crate::event::Paths;
use crate::mapping::Mapping;
use crate::secret::Secret;

/// Reads `url` and `headers` of an action whose request was found to be right.
pub(super) fn read(action: &Section<'_>, signs: &[Secret], paths: &mut Paths) -> Disguise {
    let (url, headers) = (action.key("url"), action.key("headers"));
    let nodes = url.iter().chain(&headers);
    let secrets: Vec<_> = nodes.flat_map(|at| at.node.fillings()).map(Secret::new).collect();
    let entries = headers.as_ref().and_then(At::entries).unwrap_or_default();
    let header = |entry| headers.as_ref().map(|headers| headers.entry(entry));
    let headers = entries
        .iter()
        .filter_map(|entry| Some((entry.key.as_str().into(), part(&header(entry)?, paths))));
    let headers = headers.collect();
    let url = url.map_or(Part::Open, |at| part(&at, paths));
    Disguise::new(url, headers, &secrets, signs)
}

fn part(at: &At<'_>, paths: &mut Paths) -> Part {
    if at.node.fillings().next().is_none() {
        return Part::Open;
    }
    let masked = at.node.masked(MASK);
    let json = json::read(&at.with_node(&masked));
    // What was put in may be what makes a directive legal: a text of one letter, a path.
    let mapping = json.and_then(|json| Mapping::parse(&json, paths).ok());
    mapping.map_or(Part::Hidden, Part::Masked)
}

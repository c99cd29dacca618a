//! What triggers and mappings say about themselves, put at its place in the file.

use super::Written;
use crate::config::at::At;
use crate::config::json;
use crate::mapping;

pub(super) fn review(action: &Written<'_>) {
    if let Some((at, review)) = &action.trigger {
        for warning in &review.warnings {
            at.warn_at(at.locate(warning.at.clone()), &*warning.message, warning.hint.clone());
        }
    }
    let headers = super::entries(action.at.key("headers"));
    let headers = headers.into_iter().map(|(_, header)| header);
    let mappings = [action.at.key("url"), action.at.key("data")].into_iter().flatten();
    mappings.chain(headers).for_each(|at| review_mapping(&at));
}

fn review_mapping(at: &At<'_>) {
    let Some(value) = json::read(at) else { return };
    for warning in mapping::review(&value) {
        let place = at.inside(&warning.at);
        if place.holds_secret() {
            continue;
        }
        let text = super::scalar(&place).map_or("", |scalar| &scalar.text);
        let start = text.find(&warning.path).unwrap_or_default();
        let bytes = place.locate(start..start + warning.path.len());
        place.warn_at(bytes, warning.message, Some(warning.hint));
    }
}

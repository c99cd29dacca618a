//! Secrets that stand in the file itself.

use super::{Written, entries, scalar};
use crate::config::at::At;
use crate::config::secret_places::{in_url, is_secret_header, is_secret_setting};
use crate::config::tree::{Scalar, Value};

const HINT: &str =
    "`${NAME}` takes it from the environment, `${file:/run/secrets/name}` from a file";

pub(super) fn review(root: &At<'_>, actions: &[Written<'_>]) {
    for (key, at) in entries(root.key("kafka")) {
        if is_secret_setting(key) {
            review_secret(&at);
        }
    }
    for (_, destination) in entries(root.key("destinations")) {
        let webhooks = destination.key("standard_webhooks").and_then(|at| at.key("secret"));
        for at in [destination.key("shared_secret"), webhooks].into_iter().flatten() {
            review_secret(&at);
        }
    }
    for action in actions {
        for (name, at) in entries(action.at.key("headers")) {
            if is_secret_header(name) {
                review_secret(&at);
            }
        }
        if let Some(url) = action.at.key("url") {
            review_url(&url.key("@template").unwrap_or(url));
        }
    }
    if let Some(proxy) = root.key("egress").and_then(|at| at.key("proxy")) {
        review_url(&proxy);
    }
}

/// A secret, or a list of them. What a directive gives is none.
fn review_secret(at: &At<'_>) {
    match &at.node.value {
        Value::List(items) => {
            let items = items.iter().enumerate();
            items.for_each(|(index, item)| review_secret(&at.item(index, item)));
        }
        Value::Scalar(scalar) if is_in_clear(scalar) => {
            at.warn_at(
                at.node.bytes.clone(),
                "this secret stands in the file for all to read",
                Some(HINT.to_owned()),
            );
        }
        Value::Scalar(scalar) if has_default(scalar) => {
            at.warn_at(
                at.node.bytes.clone(),
                "the default of this secret stands in the file for all to read",
                Some("without a default, a variable that is not set is an error".to_owned()),
            );
        }
        Value::Scalar(_) | Value::Map(_) => {}
    }
}

fn review_url(at: &At<'_>) {
    let Some(scalar) = scalar(at) else { return };
    for place in in_url(&scalar.raw) {
        at.warn_at(
            at.locate_raw(place),
            "what looks like a secret stands in the file for all to read",
            Some(HINT.to_owned()),
        );
    }
}

/// Whether a value holds something, and nothing of it came through a `${…}`.
fn is_in_clear(scalar: &Scalar) -> bool {
    !scalar.is_null() && !scalar.text.trim().is_empty() && references(scalar).next().is_none()
}

fn has_default(scalar: &Scalar) -> bool {
    references(scalar).any(|written| {
        let default = written.split_once(":-").map_or("", |(_, default)| default);
        !default.trim_end_matches('}').is_empty()
    })
}

/// Every `${…}` in a value, as it is written.
fn references(scalar: &Scalar) -> impl Iterator<Item = &str> {
    let written = scalar.expansions.iter().map(|one| &scalar.raw[one.written.clone()]);
    written.filter(|written| *written != "$${")
}

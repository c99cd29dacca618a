//! What is legal in a configuration and surely not meant.
//!
//! Looks at a configuration that is right, beside the text that it came from, and warns. Whatever
//! is said here must nearly always be right: a warning that is wrong teaches to overlook the
//! others.

mod connections;
mod events;
mod languages;
mod plain_http;
mod repeated;
mod secrets;

use super::Config;
use super::at::At;
use super::tree::{Scalar, Value};
use crate::trigger;

/// One action, as it is written.
struct Written<'a> {
    /// `destination.action`.
    name: String,
    at: At<'a>,
    /// What there is to say about its trigger; nothing where the trigger is not for everyone,
    /// because something was put in from outside.
    trigger: Option<(At<'a>, trigger::Review)>,
}

/// Warns about everything in the file below `root` that is probably not meant.
pub(super) fn review(root: &At<'_>, config: &Config) {
    let actions = actions(root);
    for action in &actions {
        languages::review(action);
        plain_http::review(action);
    }
    events::review(&actions);
    repeated::review(&actions, &config.plan);
    connections::review(root, &config.plan);
    secrets::review(root, &actions);
}

/// Every action, in the file's order: the plan's.
fn actions<'a>(root: &At<'a>) -> Vec<Written<'a>> {
    let mut actions = Vec::new();
    for (destination_name, destination) in entries(root.key("destinations")) {
        for (name, at) in entries(destination.key("actions")) {
            let trigger = at.key("trigger").and_then(|at| {
                let text = &scalar(&at)?.text;
                (!at.holds_secret()).then(|| (at.clone(), trigger::Review::of(text)))
            });
            let name = format!("{destination_name}.{name}");
            actions.push(Written { name, at, trigger });
        }
    }
    actions
}

/// The keys and values of a mapping; of anything else there are none.
fn entries(at: Option<At<'_>>) -> Vec<(&str, At<'_>)> {
    let Some(at) = at else { return Vec::new() };
    let Value::Map(entries) = &at.node.value else { return Vec::new() };
    entries.iter().map(|entry| (entry.key.as_str(), at.entry(entry))).collect()
}

fn scalar<'a>(at: &At<'a>) -> Option<&'a Scalar> {
    match &at.node.value {
        Value::Scalar(scalar) => Some(scalar),
        Value::List(_) | Value::Map(_) => None,
    }
}

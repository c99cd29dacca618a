//! Actions that send the same twice.

use std::collections::HashMap;

use serde_json::{Value as Json, json};

use super::Written;
use crate::config::at::At;
use crate::config::json as yaml_json;
use crate::plan::{Destination, Plan};

/// What makes two actions send the same, beside their destinations.
#[derive(PartialEq, Eq, Hash)]
struct Sent {
    trigger: String,
    /// Method, URL, headers and data.
    request: String,
}

pub(super) fn review(actions: &[Written<'_>], plan: &Plan) {
    let mut known: HashMap<Sent, Vec<usize>> = HashMap::new();
    for (index, action) in actions.iter().enumerate() {
        let planned = &plan.actions[index];
        let destination = &plan.destinations[planned.destination.0];
        if !planned.enabled || !destination.enabled {
            continue;
        }
        let Some(sent) = sent(action) else { continue };
        let others = known.entry(sent).or_default();
        let same = others.iter().find(|other| {
            let other = &plan.actions[**other];
            have_common_events(destination, &plan.destinations[other.destination.0])
        });
        if let Some(same) = same {
            let other = &actions[*same].name;
            action.at.warn(
                format!("sends the same as `{other}`"),
                Some("each of its events is delivered twice".to_owned()),
            );
        }
        others.push(index);
    }
}

fn sent(action: &Written<'_>) -> Option<Sent> {
    let (_, review) = action.trigger.as_ref()?;
    let value = |key: &str, default: Json| {
        action.at.key(key).map_or(Some(default), |at: At<'_>| yaml_json::read(&at))
    };
    let request = json!([
        value("method", "POST".into())?,
        value("url", Json::Null)?,
        value("headers", json!({}))?,
        value("data", json!({ "@path": "$." }))?,
    ]);
    Some(Sent { trigger: review.normal_form.clone(), request: request.to_string() })
}

fn have_common_events(one: &Destination, other: &Destination) -> bool {
    one.integration == other.integration
        && one.sources.iter().any(|source| other.sources.contains(source))
}

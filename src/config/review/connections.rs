//! What is connected to nothing.

use super::entries;
use crate::config::at::At;
use crate::plan::Plan;

pub(super) fn review(root: &At<'_>, plan: &Plan) {
    for (index, (_, source)) in entries(root.key("sources")).into_iter().enumerate() {
        let is_connected = |source: usize| {
            plan.destinations.iter().any(|one| one.sources.iter().any(|id| id.0 == source))
        };
        if !is_connected(index) {
            source.warn(
                "no destination is connected to this source",
                Some("its events are read for nothing".to_owned()),
            );
        }
    }
    for (index, (_, at)) in entries(root.key("destinations")).into_iter().enumerate() {
        let mut actions = plan.actions.iter().filter(|one| one.destination.0 == index).peekable();
        let is_idle = actions.peek().is_some() && actions.all(|action| !action.enabled);
        if plan.destinations[index].enabled && is_idle {
            at.warn("all of its actions are disabled: nothing is delivered to it", None);
        }
    }
}

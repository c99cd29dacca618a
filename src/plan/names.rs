//! The actions of a plan by their names.

use super::{Action, ActionId};

/// The actions, in the order of their destinations' names and their own.
#[derive(Debug, Default)]
pub struct Names(Vec<ActionId>);

impl Names {
    /// The names of `actions`. No two of them are alike.
    #[must_use]
    pub fn new(actions: &[Action]) -> Self {
        let mut ids: Vec<_> = (0..actions.len()).map(ActionId).collect();
        ids.sort_unstable_by_key(|id| full_name(&actions[id.0]));
        Self(ids)
    }

    /// The action of this name among `actions`, which the names are of.
    pub(super) fn find(
        &self,
        actions: &[Action],
        destination: &str,
        action: &str,
    ) -> Option<ActionId> {
        let wanted = (destination, action);
        let found = self.0.binary_search_by_key(&wanted, |id| full_name(&actions[id.0]));
        found.ok().map(|index| self.0[index])
    }
}

fn full_name(action: &Action) -> (&str, &str) {
    (&action.destination_name, &action.name)
}

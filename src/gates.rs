//! The gates of a process: one for each endpoint, shared by its lanes in all partitions.
//!
//! Knows which action has which gate. An action with a constant URL has one endpoint; those of a
//! mapped URL are as many as its events name, and have no gates: their requests are limited where
//! they are made.

use std::sync::Arc;

use crate::gate::Gate;
use crate::plan::{Action, ActionId, Plan, TargetTemplate};
use crate::rejections::Rejections;

/// See the module's documentation.
#[derive(Debug)]
pub struct Gates {
    by_action: Vec<Option<Arc<Gate>>>,
    rejections: Vec<Rejections>,
}

impl Gates {
    /// The gates of endpoints of which nothing is known yet.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let gate = |action: &Action| {
            let is_constant = matches!(action.request.target, TargetTemplate::Constant(_));
            is_constant.then(|| Arc::new(Gate::new(&action.delivery)))
        };
        let rejections = |action: &Action| Rejections::new(action.delivery.reject_limit);
        Self {
            by_action: plan.actions.iter().map(gate).collect(),
            rejections: plan.actions.iter().map(rejections).collect(),
        }
    }

    /// The gate of an action's endpoint, where it has one endpoint.
    ///
    /// # Panics
    /// When the action is of another plan.
    #[must_use]
    pub fn gate(&self, id: ActionId) -> Option<&Arc<Gate>> {
        self.by_action[id.0].as_ref()
    }

    /// What an action has rejected in a row.
    ///
    /// # Panics
    /// When the action is of another plan.
    #[must_use]
    pub fn rejections(&self, id: ActionId) -> &Rejections {
        &self.rejections[id.0]
    }
}

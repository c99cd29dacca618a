//! What would become of an event: for every action the request that it would be sent, or why it
//! is sent none.
//!
//! Asks the very code that a pipeline asks, and adds only what a pipeline has no use for: the
//! reasons. It does not know how an explanation is shown, nor what of it may be.

mod because;
mod records;

use std::sync::Arc;
use std::time::Instant;

use crate::batch::{Batch, Framing, OpenBatch};
use crate::dead_letter::Reason;
use crate::event::{Event, InvalidEvent};
use crate::plan::{Action, ActionId, Plan, SourceId, Target};
use crate::record::{Now, Offset, Record};
use crate::request::{self, SignedRequest};
use crate::routing::{self, Routes};
use crate::signature::{Signer, idempotency_key_without_origin};

pub(crate) use because::shortened;
pub use because::{Because, Topic};
pub use records::{BrokenArray, records};

/// Where an event is said to come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin<'a> {
    /// A topic of every source.
    EverySource,
    /// This topic.
    Topic(&'a str),
    /// A topic that Hookcast writes, and that no expression of a source matches.
    OwnTopic(&'a str),
}

/// What would become of an event for one action.
#[derive(Debug)]
pub enum Explanation {
    /// It is not sent the event.
    Unowed(Because),
    /// It matches, and the event would be dead-lettered.
    Unsendable {
        /// The reason that the letter gives.
        reason: Reason,
        /// The letter's error.
        message: String,
    },
    /// It matches, and this would be sent.
    Owed(SignedRequest),
}

/// Explains events of one origin under one plan.
#[derive(Debug)]
pub struct Explainer<'p> {
    plan: &'p Plan,
    origin: Origin<'p>,
    routes: Routes,
    /// By action.
    signers: Vec<Option<Signer>>,
    owed: Vec<ActionId>,
}

impl Origin<'_> {
    fn is_connected(self, plan: &Plan, sources: &[SourceId]) -> bool {
        match self {
            Self::EverySource => true,
            Self::Topic(topic) => routing::is_connected(plan, sources, topic),
            Self::OwnTopic(_) => false,
        }
    }
}

impl<'p> Explainer<'p> {
    /// An explainer of events that come from `origin`.
    #[must_use]
    pub fn new(plan: &'p Plan, origin: Origin<'p>) -> Self {
        let routes = Routes::to(plan, |sources| origin.is_connected(plan, sources));
        let signer = |action: &Action| action.shared_secret.as_ref().map(Signer::new);
        let signers = plan.actions.iter().map(signer).collect();
        Self { plan, origin, routes, signers, owed: Vec::new() }
    }

    /// What would become of `record`, which was read as `event`: an explanation for each action,
    /// in the order of the plan. What is made is made at `now`.
    #[must_use]
    pub fn explain(
        &mut self,
        record: &[u8],
        event: Result<Event<'_>, &InvalidEvent>,
        now: Now,
    ) -> Vec<Explanation> {
        let actions = (0..self.plan.actions.len()).map(ActionId);
        let event = match event {
            Ok(event) => event,
            Err(invalid) => {
                let because = || Explanation::Unowed(Because::InvalidEvent(invalid.clone()));
                return actions.map(|_| because()).collect();
            }
        };
        if self.routes.route(self.plan, event, &mut self.owed).is_err() {
            self.owed.clear();
        }
        let explanation = |id: ActionId| {
            if self.owed.binary_search(&id).is_ok() {
                self.owed(id, record, event, now)
            } else {
                Explanation::Unowed(because::why_not(self.plan, self.origin, id, event))
            }
        };
        actions.map(explanation).collect()
    }

    fn owed(&self, id: ActionId, record: &[u8], event: Event<'_>, now: Now) -> Explanation {
        let template = &self.plan.actions[id.0].request;
        match request::resolve(template, &self.plan.egress, event, &mut Vec::new()) {
            Ok((target, payload)) => {
                Explanation::Owed(self.request(id, record, target, payload, now))
            }
            Err(unsendable) => Explanation::Unsendable {
                reason: unsendable.reason(),
                message: unsendable.to_string(),
            },
        }
    }

    fn request(
        &self,
        id: ActionId,
        record: &[u8],
        target: Arc<Target>,
        payload: &[u8],
        now: Now,
    ) -> SignedRequest {
        let action = &self.plan.actions[id.0];
        let batch = alone(action, record, payload, now.instant);
        let scope = action.delivery.signature;
        let signer = self.signers[id.0].as_ref();
        let (destination, name) = (&action.destination_name, &action.name);
        let key = idempotency_key_without_origin(destination, name, record);
        let standard = action.standard_signer.as_ref();
        SignedRequest {
            target,
            signature: signer.map(|signer| signer.sign_batch(&batch, scope)),
            standard: standard.map(|signer| signer.sign(&key, now.unix_ms, batch.body())),
            idempotency_key: key,
            body: batch.body().clone(),
        }
    }
}

/// The batch of one event that has no company.
fn alone(action: &Action, record: &[u8], payload: &[u8], now: Instant) -> Batch {
    let framing = if action.batch.is_some() { Framing::Array } else { Framing::Bare };
    let mut batch = OpenBatch::new(framing, payload.len() + 2, now);
    batch.add(
        payload,
        &Record {
            offset: Offset(0),
            timestamp: None,
            key: None,
            value: Some(record),
            headers: Vec::new(),
        },
    );
    batch.seal()
}

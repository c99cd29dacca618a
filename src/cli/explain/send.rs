//! `--send`: one attempt, made by the code that makes them all, and what came back.

use std::sync::Arc;

use tokio::runtime::Runtime;

use crate::disguise::Hidden;
use crate::endpoint::{self, Endpoints, Fault, Reply};
use crate::metrics::Metrics;
use crate::plan::{ActionId, Plan};
use crate::request::SignedRequest;
use crate::verdict::{Outcome, Verdict};

/// Why nothing can be sent.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum Error {
    #[error("starting a runtime")]
    Runtime(#[from] std::io::Error),
    #[error(transparent)]
    Endpoint(#[from] endpoint::Error),
}

/// Sends requests, one after the other.
pub(super) struct Sender<'p> {
    plan: &'p Plan,
    endpoints: Endpoints,
    runtime: Runtime,
}

/// What came of a request, as it may be shown.
pub(super) struct Answer {
    pub(super) answered: Answered,
    /// What would be done with the event.
    pub(super) verdict: Verdict,
}

pub(super) enum Answered {
    Reply {
        status: u16,
        headers: Vec<(String, String)>,
        body: String,
        /// The body is only the beginning.
        is_cut: bool,
    },
    Nothing {
        /// The kind of fault, and what is known of it.
        error: String,
    },
}

impl<'p> Sender<'p> {
    pub(super) fn new(plan: &'p Plan) -> Result<Self, Error> {
        let endpoints = Endpoints::new(plan, Arc::new(Metrics::new(plan)))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { plan, endpoints, runtime })
    }

    /// Sends `request` of the action `id`, and waits for the answer, of which what is `hidden` is
    /// not shown.
    pub(super) fn send(&self, id: ActionId, request: &SignedRequest, hidden: &Hidden) -> Answer {
        let delivery = &self.plan.actions[id.0].delivery;
        let reply = self.endpoints.try_once(id, request, delivery.timeout);
        let (answered, outcome) = match self.runtime.block_on(reply) {
            Ok(reply) => (shown(&reply, hidden), Outcome::Status(reply.status)),
            Err(Fault { outcome, detail }) => {
                let error = format!("{}: {}", outcome.as_word(), hidden.masked(&detail));
                (Answered::Nothing { error }, outcome)
            }
        };
        Answer { answered, verdict: delivery.verdicts.judge(outcome, 1) }
    }
}

fn shown(reply: &Reply, hidden: &Hidden) -> Answered {
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, value) in &reply.headers {
        let value = hidden.masked(&String::from_utf8_lossy(value.as_bytes()));
        // A field that is repeated means the same as one with the values listed (RFC 9110, 5.3).
        match headers.iter_mut().find(|(known, _)| known == name.as_str()) {
            Some((_, list)) => *list = format!("{list}, {value}"),
            None => headers.push((name.as_str().to_owned(), value)),
        }
    }
    let body = String::from_utf8_lossy(&reply.body);
    Answered::Reply {
        status: reply.status,
        headers,
        body: if reply.is_cut { hidden.masked_part(&body) } else { hidden.masked(&body) },
        is_cut: reply.is_cut,
    }
}

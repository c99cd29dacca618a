//! Which request goes next, and what it carries beside its events.

use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use super::attempt::{Attempt, Ticket};
use super::gather::Gathering;
use super::queue::Request;
use super::{Lane, MOST_RUNS};
use crate::gate::{Pass, Wait};
use crate::record::Now;
use crate::request::SignedRequest;
use crate::signature::HexDigest;

/// What proves a request's origin and tells it from others.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stamp {
    pub(super) signature: Option<HexDigest>,
    pub(super) idempotency_key: HexDigest,
}

impl Lane {
    /// Begins the next request that is ready, if the limit allows one and the gate lets it through.
    pub(super) fn attempt(&mut self, now: Now, waker: &Waker) -> Option<Attempt> {
        let lowest = self.cursor.lowest_held();
        // Whatever is begun now may be settled before what lies below it.
        let is_ragged = self.cursor.count_runs() > MOST_RUNS;
        let may_go = |request: &Request| {
            !is_ragged || request.attempts > 0 || request.first_offset() == lowest
        };
        if !self.queue.has_ready(may_go) {
            self.step_aside();
            return None;
        }
        let pass = match self.admission(now, waker) {
            Ok(pass) => pass,
            Err(ask_again_at) => {
                self.ask_again_at = ask_again_at;
                return None;
            }
        };
        self.ask_again_at = None;
        let probe = pass.as_ref().and_then(Pass::probe);
        let id = match probe {
            Some(nth) => {
                let may_overtake = self.gathering.is_some() && !is_ragged;
                if nth > 0 && may_overtake && !self.queue.anything_waits() {
                    // What could overtake may still wait for company.
                    let open = self.gathering.as_mut().map(Gathering::seal_all);
                    self.push_sealed(open.unwrap_or_default());
                }
                self.queue.next_probe(nth, may_go, may_overtake)?
            }
            None => self.queue.next(may_go)?,
        };
        let taught = pass.as_ref().map_or(usize::MAX, Pass::most_events);
        let request = self.queue.request(id);
        let usual = self.most_together.min(taught).min(request.most_together);
        let most_together = if probe.is_some() { 1 } else { usual };
        if request.batch.entries().len() > most_together {
            self.queue.cut(id, most_together);
        }
        let action = &self.plan.actions[self.id.action.0];
        let request = self.queue.request(id);
        request.pass = pass;
        let entries = request.batch.entries();
        let stamp = *request.stamp.get_or_insert_with(|| {
            let scope = action.delivery.signature;
            let signature =
                self.signer.as_ref().map(|signer| signer.sign_batch(&request.batch, scope));
            let (destination, name) = (&action.destination_name, &action.name);
            let key = self.provenance.idempotency_key(destination, name, &request.batch);
            Stamp { signature, idempotency_key: key }
        });
        let standard = action
            .standard_signer
            .as_ref()
            .map(|signer| signer.sign(&stamp.idempotency_key, now.unix_ms, request.batch.body()));
        request.attempts = request.attempts.saturating_add(1);
        request.first_attempt_at.get_or_insert(now.unix_ms);
        self.in_flight += 1;
        Some(Attempt {
            ticket: Ticket { lane: self.id, request: id },
            request: SignedRequest {
                target: Arc::clone(&request.target),
                body: request.batch.body().clone(),
                signature: stamp.signature,
                idempotency_key: stamp.idempotency_key,
                standard,
            },
            events: entries.len(),
            is_admitted: self.entrance.is_some(),
            timeout: action.delivery.timeout,
        })
    }

    /// The right to make one request now, with a pass where there is a gate. If there is none, says
    /// when it is worth asking again, unless that is when the waker is called.
    ///
    /// The limit is asked first, and a lane that has to wait for it stands in no other line: it
    /// would hold a place at the gate that it cannot use. Nor does one that waits for the gate stop
    /// those that wait for the limit, some of which may lead through other gates.
    fn admission(&mut self, now: Now, waker: &Waker) -> Result<Option<Pass>, Option<Instant>> {
        if let Some(turn) = &mut self.turn
            && let Err(at) = turn.take(now.instant)
        {
            if let Some(entrance) = &mut self.entrance {
                entrance.leave();
            }
            return Err(Some(at));
        }
        let pass = self.entrance.as_mut().map(|entrance| entrance.ask(now.instant, waker));
        if let Some(turn) = &mut self.turn {
            match pass {
                Some(Err(_)) => turn.give_back(),
                _ => turn.went(),
            }
        }
        pass.transpose().map_err(|wait| match wait {
            Wait::Until(at) => Some(at),
            Wait::ForAPlace => None,
        })
    }
}

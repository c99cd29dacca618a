//! A probe that is sent out of its turn.
//!
//! Where everything that a lane holds waits for one request, and that one keeps failing, nothing
//! tells whether the endpoint is down or the event is to blame. So one of those that wait goes in
//! its place now and then. If it is accepted, the event is to blame, and is set aside.

use super::{ChainId, Inherited, Queue, RequestId};
use crate::verdict::Verdict;

/// A request that was sent although others of its chain come first: they have failed, and it is to
/// show whether that is their fault.
#[derive(Debug)]
pub(super) struct OutOfTurn {
    request: RequestId,
    chain: ChainId,
    /// Whose turn it is.
    holder: RequestId,
    /// How many of those that wait behind that one it has overtaken.
    overtaken: usize,
}

/// How many requests a probe that is sent out of its turn overtakes at the most, beside the one
/// whose turn it is: if it is accepted, all of these are set aside.
const MOST_OVERTAKEN: usize = 2;

impl Queue {
    /// Whether a request is being overtaken: until that is decided it stays where it is.
    pub(super) fn is_overtaken(&self, id: RequestId) -> bool {
        let chain = self.requests[id.0].chain;
        self.out_of_turn.as_ref().is_some_and(|out| Some(out.chain) == chain)
    }

    /// The first of those that wait for `holder` that has not been tried alone yet, if that is
    /// soon. None where something else is being overtaken, or `holder` has not failed alone itself, as
    /// when the one before it has expired: it would be set aside for failures of others.
    pub(super) fn overtake(&mut self, holder: RequestId) -> Option<RequestId> {
        if self.out_of_turn.is_some() || !self.requests[holder.0].has_failed_alone {
            return None;
        }
        let chain = self.requests[holder.0].chain?;
        let untried =
            self.chains.waiting(chain).position(|id| !self.requests[id.0].has_failed_alone);
        let untried = untried.unwrap_or(0);
        let overtaken = if untried > MOST_OVERTAKEN { 0 } else { untried };
        let request = self.chains.withdraw(chain, overtaken)?;
        if self.requests[request.0].batch.entries().len() > 1 {
            let rest = self.part(request, 1);
            self.chains.enter_at(chain, overtaken, rest);
        }
        self.requests[request.0].chain = None;
        self.requests[request.0].is_in_flight = true;
        self.out_of_turn = Some(OutOfTurn { request, chain, holder, overtaken });
        Some(request)
    }

    /// The answer to a request has come. If it was sent out of its turn, and the endpoint has
    /// accepted it, what it has overtaken is set aside; if it has to be sent again, it goes back to
    /// its place. Says whether it has done so. `now` is in milliseconds since 1970-01-01 UTC;
    /// `inherited` is what is known of earlier failures.
    pub(in crate::lane) fn answered(
        &mut self,
        id: RequestId,
        verdict: Verdict,
        now: i64,
        inherited: Option<&Inherited>,
    ) -> bool {
        let request = &mut self.requests[id.0];
        request.is_in_flight = false;
        request.has_failed_alone = verdict == Verdict::Retry && request.batch.entries().len() == 1;
        let Some(out) = self.out_of_turn.take_if(|out| out.request == id) else { return false };
        match verdict {
            Verdict::Accept => {
                for _ in 0..out.overtaken {
                    let Some(overtaken) = self.chains.withdraw(out.chain, 0) else { break };
                    self.requests[overtaken.0].chain = None;
                    self.ready.push_back(overtaken);
                    self.set_aside(overtaken, now, inherited);
                }
                self.leave_chain(out.holder);
                self.set_aside(out.holder, now, inherited);
            }
            Verdict::Retry => {
                self.requests[id.0].chain = Some(out.chain);
                self.chains.enter_at(out.chain, out.overtaken, id);
            }
            Verdict::Split | Verdict::Reject => {}
        }
        verdict == Verdict::Retry
    }
}

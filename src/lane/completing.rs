//! What an answer means for the events of a request.

use std::sync::Arc;
use std::time::Duration;

use super::Lane;
use super::attempt::{Answer, Completed, News, RequestId, Streak, Ticket};
use super::queue::{Failure, Request};
use crate::dead_letter::{Account, DeadLetter, Reason};
use crate::gate::{Fault, Gate, Heard};
use crate::record::{Now, Offset};
use crate::retry;
use crate::verdict::{Outcome, Verdict};

/// The longest that an endpoint is left alone because it asks for it.
const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(1);

impl Lane {
    /// The answer to a request has come. `chance` as for [`retry::backoff`].
    ///
    /// # Panics
    /// When the ticket's request is not in flight.
    pub fn complete(
        &mut self,
        ticket: Ticket,
        answer: &Answer,
        now: Now,
        chance: f64,
    ) -> (Completed, News) {
        self.in_flight -= 1;
        let id = ticket.request;
        let request = self.queue.request(id);
        let events = request.batch.entries().len();
        let is_aside = request.alone.is_aside();
        let pass = request.pass.take();
        let verdict = self.judge(answer.outcome, events);
        let heard = Heard {
            outcome: answer.outcome,
            verdict,
            retry_after: answer.retry_after,
            fault: if is_aside { Fault::Event } else { Fault::Endpoint },
            events,
            has_others: self.has_others_than(id),
        };
        let endpoint = pass.and_then(|pass| pass.answered(&heard, now, chance));
        if self.entrance.is_none() {
            self.hear(&heard, now);
        }
        let rejections = self.count_rejections(verdict, events);
        let inherited = self.inherited;
        let is_in_line_again = self.queue.answered(id, verdict, now.unix_ms, inherited.as_ref());
        let completed = match verdict {
            Verdict::Accept => {
                if !is_aside {
                    self.most_together = self.most_together.max(events).saturating_mul(2);
                }
                let request = self.queue.remove(id);
                for entry in request.batch.entries() {
                    self.cursor.settle(entry.offset);
                }
                Completed::Delivered(request.batch)
            }
            Verdict::Retry => {
                if !is_aside {
                    self.most_together = (events / 2).max(1);
                }
                let request = self.queue.request(id);
                request.last_failure = Some(Arc::new(Failure::of(answer)));
                request.most_together = (events / 2).max(1);
                let wait = self.backoff(id, answer, chance);
                if !is_in_line_again {
                    self.note_failure_in_turn(id, now);
                    self.queue.back_off(id, now.instant + wait);
                }
                Completed::Retried
            }
            Verdict::Split => {
                self.queue.split(id);
                Completed::Split
            }
            Verdict::Reject => {
                let request = self.queue.remove(id);
                let letters = self.letters(&request, Reason::Rejected, &Failure::of(answer));
                for (offset, letter) in &letters {
                    self.bury(*offset, letter.held_bytes());
                }
                Completed::Rejected(letters)
            }
        };
        (completed, News { endpoint, rejections })
    }

    /// Whether an endpoint that is down could be probed with something else than this request: with
    /// what is ready, or, where batches follow one another, with what waits for it.
    fn has_others_than(&self, id: RequestId) -> bool {
        let is_gathering = self.gathering.as_ref().is_some_and(|open| open.held_bytes() > 0);
        is_gathering || self.queue.has_others_than(id, self.gathering.is_some())
    }

    /// What an outcome means here: an action that rejects everything fails.
    fn judge(&self, outcome: Outcome, events: usize) -> Verdict {
        let verdict = self.action().delivery.verdicts.judge(outcome, events);
        let is_refusal = matches!(verdict, Verdict::Reject | Verdict::Split);
        if is_refusal && self.rejections.count_as_failing() { Verdict::Retry } else { verdict }
    }

    fn count_rejections(&self, verdict: Verdict, events: usize) -> Option<Streak> {
        match verdict {
            Verdict::Accept => self.rejections.accepted().then_some(Streak::Over),
            Verdict::Reject => self.rejections.rejected(events).then_some(Streak::TooLong),
            Verdict::Retry | Verdict::Split => None,
        }
    }

    /// A lane without a gate keeps the endpoint's clock for itself.
    fn hear(&mut self, heard: &Heard, now: Now) {
        match heard.verdict {
            Verdict::Accept => self.failing.accepted(now.unix_ms),
            Verdict::Retry if heard.fault == Fault::Endpoint => self.failing.failed(now.unix_ms),
            _ => {}
        }
    }

    /// A request has failed whose turn it was. Where it holds a single event, and others are
    /// accepted, it is the event's fault.
    fn note_failure_in_turn(&mut self, id: RequestId, now: Now) {
        let is_endpoint_down = self.gate().is_some_and(Gate::is_open);
        let inherited = self.inherited;
        let request = self.queue.request(id);
        let [entry] = request.batch.entries() else { return };
        if request.alone.is_aside() {
            request.alone.failed_aside(now.unix_ms);
            return;
        }
        if is_endpoint_down {
            request.alone.forget();
            return;
        }
        let since = inherited.as_ref().and_then(|inherited| inherited.since(entry.offset));
        request.alone.failed(now.unix_ms, since);
        let suspect_since = request.alone.is_suspect_since();
        if suspect_since.is_some_and(|since| self.has_accepted_since(since)) {
            self.queue.set_aside(id, now.unix_ms, inherited.as_ref());
            // Batches go on without it. What has its key must not overtake it.
            if self.gathering.is_some() {
                self.queue.leave_chain(id);
            }
        }
    }

    /// How long a request waits that has failed. Where the endpoint is down, its gate says when
    /// the next one may go, and the oldest is to be ready then.
    fn backoff(&mut self, id: RequestId, answer: &Answer, chance: f64) -> Duration {
        let request = self.queue.request(id);
        request.failures = request.failures.saturating_add(1);
        let is_aside = request.alone.is_aside();
        let failures = request.failures;
        match self.gate() {
            Some(gate) if gate.is_open() && !is_aside => Duration::ZERO,
            _ => {
                let asked_for = answer.retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER);
                retry::backoff(&self.action().delivery.retry, failures, chance).max(asked_for)
            }
        }
    }

    /// The letters about all events of a request.
    pub(super) fn letters(
        &self,
        request: &Request,
        reason: Reason,
        failure: &Failure,
    ) -> Vec<(Offset, DeadLetter)> {
        let account = Account {
            addressee: Some(self.addressee()),
            reason,
            status: failure.status,
            attempts: request.attempts,
            first_attempt_at: request.first_attempt_at,
            error: failure.detail.clone(),
        };
        let entries = request.batch.entries().iter().enumerate();
        let letters = entries.map(|(index, entry)| {
            let origin = self.provenance.of_entry(&request.batch, index);
            let original = request.batch.original(index);
            (entry.offset, DeadLetter::new(&original, &origin, &account))
        });
        letters.collect()
    }
}

impl Failure {
    fn of(answer: &Answer) -> Self {
        let status = match answer.outcome {
            Outcome::Status(status) => Some(status),
            _ => None,
        };
        Self { status, detail: answer.detail.clone() }
    }
}

//! What an answer means for the events of a request.

use std::time::Duration;

use super::Lane;
use super::attempt::{Answer, Completed, RequestId, Ticket};
use super::queue::Request;
use crate::dead_letter::{Account, DeadLetter, Origin, Reason};
use crate::gate::{Change, Fault, Heard};
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
    ) -> (Completed, Option<Change>) {
        self.in_flight -= 1;
        let id = ticket.request;
        let events = self.queue.request(id).batch.entries().len();
        let verdict = self.action().delivery.verdicts.judge(answer.outcome, events);
        let pass = self.queue.request(id).pass.take();
        let heard = Heard {
            outcome: answer.outcome,
            verdict,
            retry_after: answer.retry_after,
            fault: Fault::Endpoint,
        };
        let news = pass.and_then(|pass| pass.answered(&heard, now, chance));
        let completed = match verdict {
            Verdict::Accept => {
                self.most_together = self.most_together.max(events).saturating_mul(2);
                let request = self.queue.remove(id);
                for entry in request.batch.entries() {
                    self.cursor.settle(entry.offset);
                }
                Completed::Delivered(request.batch)
            }
            Verdict::Retry => {
                self.most_together = (events / 2).max(1);
                let wait = self.backoff(id, answer, chance);
                self.queue.back_off(id, now.instant + wait);
                Completed::Retried
            }
            Verdict::Split => {
                self.queue.split(id);
                Completed::Split
            }
            Verdict::Reject => {
                let request = self.queue.remove(id);
                let letters = self.letters(&request, answer);
                for (offset, letter) in &letters {
                    self.bury(*offset, letter.held_bytes());
                }
                Completed::Rejected(letters)
            }
        };
        (completed, news)
    }

    /// How long a request waits that has failed. Where the endpoint is down, its gate says when
    /// the next one may go, and the oldest is to be ready then.
    fn backoff(&mut self, id: RequestId, answer: &Answer, chance: f64) -> Duration {
        let request = self.queue.request(id);
        request.failures = request.failures.saturating_add(1);
        let failures = request.failures;
        match self.gates.gate(self.id) {
            Some(gate) if gate.is_open() => Duration::ZERO,
            _ => {
                let asked_for = answer.retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER);
                retry::backoff(&self.action().delivery.retry, failures, chance).max(asked_for)
            }
        }
    }

    fn letters(&self, request: &Request, answer: &Answer) -> Vec<(Offset, DeadLetter)> {
        let status = match answer.outcome {
            Outcome::Status(status) => Some(status),
            _ => None,
        };
        let account = Account {
            addressee: Some(self.addressee()),
            reason: Reason::Rejected,
            status,
            attempts: request.attempts,
            first_attempt_at: request.first_attempt_at,
            error: answer.detail.clone(),
        };
        let entries = request.batch.entries().iter().enumerate();
        let letters = entries.map(|(index, entry)| {
            let origin = Origin {
                partition: &self.partition,
                offset: entry.offset,
                timestamp: entry.timestamp,
            };
            let original = request.batch.original(index);
            (entry.offset, DeadLetter::new(&original, &origin, &account))
        });
        letters.collect()
    }
}

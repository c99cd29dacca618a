//! The endpoints: what they get, and what they answer.

use std::sync::Arc;
use std::time::Duration;

use hookcast::gate::Change;
use hookcast::lane::{Answer, Attempt, Streak};
use hookcast::pipeline::{Completion, Step};
use hookcast::verdict::Outcome;
use serde_json::Value;

use super::World;
use crate::defects::Defect;
use crate::record_keeper::Seen;

impl World {
    pub(super) fn send(&mut self, attempt: Attempt) {
        let action = attempt.ticket.lane.action;
        let offsets = offsets(&attempt);
        assert_eq!(offsets.len(), attempt.events);
        assert!(attempt.request.signature.is_some());
        self.sights.batches += usize::from(offsets.len() > 1);
        let url = &attempt.request.target.url;
        if attempt.is_admitted {
            self.keeper.rest.check(action, url, self.now.instant);
        }
        let offsets = self.defects.sent(action, offsets);
        if !offsets.is_empty() {
            let key = self.defects.idempotency_key(&attempt, &offsets);
            let (plan, log) = (&*self.plan, &self.log);
            self.keeper.sent(Seen { plan, log, action, url, offsets: &offsets }, &key);
        }
        self.requests.push(attempt);
    }

    pub(super) fn answer(&mut self) {
        if self.requests.is_empty() {
            return;
        }
        let attempt = self.requests.swap_remove(self.random.usize(0..self.requests.len()));
        let action = attempt.ticket.lane.action;
        let in_body = offsets(&attempt);
        let offsets = self.defects.sent(action, in_body.clone());
        let outcome = self.outcome(&attempt, &in_body);
        let is_throttled = matches!(outcome, Outcome::Status(429 | 503));
        let asks_for_rest = is_throttled && self.random.u8(0..4) == 0;
        let longest = if self.is_stormy { 7200 } else { 120 };
        let mut retry_after =
            asks_for_rest.then(|| Duration::from_secs(self.random.u64(0..longest)));
        let (plan, log, url) = (&*self.plan, &self.log, &attempt.request.target.url);
        if let Some(wait) = retry_after {
            self.sights.rests += 1;
            if attempt.is_admitted {
                self.keeper.rest.asked(action, url, self.now.instant, wait);
            }
        }
        if !offsets.is_empty() {
            let seen = Seen { plan, log, action, url, offsets: &offsets };
            self.keeper.answered(seen, outcome == Outcome::Status(200), self.now.unix_ms);
        }
        if self.defects.has(Defect::IgnoresRetryAfter) {
            retry_after = None;
        }
        let answer = Answer { outcome, detail: String::new(), retry_after };
        let chance = self.random.f64();
        let (completion, news) = self.pipeline.complete(attempt.ticket, &answer, self.now, chance);
        self.sights.streaks += usize::from(news.rejections == Some(Streak::TooLong));
        self.sights.openings += usize::from(news.endpoint == Some(Change::Opened));
        match completion {
            Completion::Delivered(batch) => assert_eq!(batch.entries().len(), in_body.len()),
            Completion::Retried => self.sights.retries += 1,
            Completion::Split => {
                self.sights.splits += 1;
                if self.defects.has(Defect::DropsOneOfASplit) {
                    self.defects.dropped.insert((action, in_body[0]));
                }
            }
            Completion::Rejected(_) => {
                self.sights.rejections += 1;
                self.keeper.refuse(action, &offsets);
            }
        }
    }

    fn outcome(&mut self, attempt: &Attempt, offsets: &[i64]) -> Outcome {
        let is_poisoned = offsets.iter().any(|offset| self.log.at(*offset).is_poison);
        let is_stubborn = offsets.iter().any(|offset| self.log.at(*offset).is_stubborn);
        let host = self.log.at(offsets[0]).host;
        let is_dead = self.is_dead && self.is_dead_to(attempt.ticket.lane.action, host);
        let outcome = if self.is_stormy {
            self.random.choice([Outcome::Status(429), Outcome::Status(503)])
        } else if is_dead || is_stubborn || self.is_hostile() {
            self.random.choice([Outcome::Timeout, Outcome::Connect, Outcome::Status(503)])
        } else if is_poisoned {
            self.random.choice([Outcome::Status(400), Outcome::Status(413), Outcome::Status(404)])
        } else {
            Some(Outcome::Status(200))
        };
        outcome.expect("there is a choice")
    }

    /// What was in flight when its process ended may arrive all the same.
    pub(super) fn lose_answers(&mut self) {
        for attempt in std::mem::take(&mut self.requests) {
            if self.random.bool() {
                let offsets = offsets(&attempt);
                let records = offsets.iter().map(|offset| self.log.at(*offset));
                if records.into_iter().all(|record| !record.is_poison && !record.is_stubborn) {
                    self.keeper.accept(attempt.ticket.lane.action, &offsets);
                }
            }
        }
    }

    /// A pipeline that should be gone sends on, and is accepted.
    pub(super) fn obey_undead(&mut self) {
        let Some((pipeline, plan)) = &mut self.defects.undead else { return };
        let mut steps = Vec::new();
        pipeline.poll(self.now, &mut steps);
        for step in steps {
            let Step::Send(attempt) = step else { continue };
            let (plan, log, offsets) = (Arc::clone(plan), &self.log, offsets(&attempt));
            let (action, url) = (attempt.ticket.lane.action, &attempt.request.target.url);
            let seen = Seen { plan: &plan, log, action, url, offsets: &offsets };
            self.keeper.sent(seen, &attempt.request.idempotency_key);
            self.keeper.answered(seen, true, self.now.unix_ms);
            let (outcome, detail) = (Outcome::Status(200), String::new());
            let answer = Answer { outcome, detail, retry_after: None };
            pipeline.complete(attempt.ticket, &answer, self.now, 0.5);
        }
    }
}

/// The offsets of an attempt's events, as a receiver reads them in the body.
fn offsets(attempt: &Attempt) -> Vec<i64> {
    let body: Value = serde_json::from_slice(&attempt.request.body).expect("a body is JSON");
    let payloads = match body {
        Value::Array(payloads) => payloads,
        payload => vec![payload],
    };
    payloads.iter().map(|payload| payload["offset"].as_i64().expect("a number")).collect()
}

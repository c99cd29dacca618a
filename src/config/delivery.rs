//! The `delivery` section, and what destinations and actions say otherwise.
//!
//! Knows every key of it with its range. A section is read over the one below it, so that the
//! innermost wins key by key, also inside `retry` and `verdicts`.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use super::at::At;
use super::section::Section;
use crate::plan::{Delivery, GiveUp, Order, Retry, SignatureScope};
use crate::verdict::{Exception, Verdicts};

const MILLISECOND: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_hours(1);
const YEAR: Duration = Duration::from_hours(8760);

/// `delivery` as it holds at one level of the file.
#[derive(Debug, Clone, Default)]
pub(super) struct Level {
    delivery: Delivery,
    exceptions: BTreeMap<u16, Exception>,
}

impl Level {
    /// What holds for an action at this level.
    pub(super) fn into_delivery(self) -> Delivery {
        Delivery { verdicts: Verdicts::new(self.exceptions), ..self.delivery }
    }

    /// This level with what the key `delivery` of `section`, if it is there, says otherwise.
    pub(super) fn over(&self, section: &Section<'_>) -> Self {
        let mut level = self.clone();
        if let Some(at) = section.key("delivery") {
            level.read(&at);
        }
        level
    }

    fn read(&mut self, at: &At<'_>) {
        let keys = [
            "timeout",
            "concurrency",
            "order",
            "rate_limit",
            "retry",
            "on_give_up",
            "reject_limit",
            "verdicts",
            "signature",
        ];
        let Some(section) = Section::read(at, &keys) else {
            return;
        };
        let delivery = &mut self.delivery;
        let set = |key: &str| section.key(key);
        if let Some(value) = set("timeout").and_then(|at| at.duration(MILLISECOND, HOUR)) {
            delivery.timeout = value;
        }
        if let Some(value) = set("concurrency").and_then(|at| at.whole_number(1..=10_000)) {
            delivery.concurrency = NonZeroUsize::new(value).unwrap_or(delivery.concurrency);
        }
        if let Some(value) =
            set("order").and_then(|at| at.word(&[("key", Order::Key), ("none", Order::None)]))
        {
            delivery.order = value;
        }
        if let Some(value) = set("rate_limit").and_then(|at| at.rate()) {
            delivery.rate_limit = Some(value);
        }
        if let Some(at) = set("on_give_up") {
            let words = [("dead_letter", GiveUp::DeadLetter), ("hold", GiveUp::Hold)];
            delivery.on_give_up = at.word(&words).unwrap_or(delivery.on_give_up);
        }
        if let Some(value) = set("reject_limit").and_then(|at| at.whole_number(0..=usize::MAX)) {
            delivery.reject_limit = NonZeroUsize::new(value);
        }
        let scopes =
            [("body", SignatureScope::Body), ("first_element", SignatureScope::FirstElement)];
        if let Some(value) = set("signature").and_then(|at| at.word(&scopes)) {
            delivery.signature = value;
        }
        if let Some(at) = set("retry") {
            read_retry(&at, &mut delivery.retry);
        }
        if let Some(at) = set("verdicts") {
            read_verdicts(&at, &mut self.exceptions);
        }
    }
}

fn read_retry(at: &At<'_>, retry: &mut Retry) {
    let Some(section) = Section::read(at, &["initial", "max", "give_up_after"]) else {
        return;
    };
    let initial = section.key("initial");
    let max = section.key("max");
    if let Some(value) = initial.as_ref().and_then(|at| at.duration(MILLISECOND, HOUR)) {
        retry.initial = value;
    }
    if let Some(value) = max.as_ref().and_then(|at| at.duration(MILLISECOND, HOUR)) {
        retry.max = value;
    }
    if let Some(value) = section.key("give_up_after").and_then(|at| at.duration(MILLISECOND, YEAR))
    {
        retry.give_up_after = value;
    }
    if retry.initial > retry.max
        && let Some(blamed) = max.or(initial)
    {
        let show = super::units::show_duration;
        blamed.error(format!(
            "`initial` is {}, which is longer than `max`, {}",
            show(retry.initial),
            show(retry.max)
        ));
    }
}

fn read_verdicts(at: &At<'_>, exceptions: &mut BTreeMap<u16, Exception>) {
    for entry in at.entries().unwrap_or_default() {
        let at = at.entry(entry);
        let status = entry.key.parse::<u16>().ok().filter(|status| (200..=999).contains(status));
        let Some(status) = status else {
            let hint =
                "`404: retry`, for example; the status codes 200 to 999 can be listed".to_owned();
            at.key_error(format!("`{}` is no status code of an answer", entry.key), Some(hint));
            continue;
        };
        let words = [
            ("accept", Exception::Accept),
            ("retry", Exception::Retry),
            ("reject", Exception::Reject),
        ];
        if let Some(exception) = at.word(&words) {
            exceptions.insert(status, exception);
        }
    }
}

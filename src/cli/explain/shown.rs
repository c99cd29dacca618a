//! An explanation as it may be shown: the trigger as the file writes it, the request in disguise.

use std::ops::Range;

use crate::config::AsWritten;
use crate::dead_letter::Reason;
use crate::disguise::{Disguise, MASK, Secrets};
use crate::event::Event;
use crate::explanation::{Because, Explanation, shortened};
use crate::plan::Action;
use crate::request::SignedRequest;
use crate::trigger;

/// What would become of an event for one action.
pub(super) struct Shown<'a> {
    pub(super) action: &'a Action,
    /// The trigger as the file writes it.
    pub(super) trigger: &'a str,
    pub(super) verdict: Verdict,
}

pub(super) enum Verdict {
    Unowed {
        because: Because,
        /// Where in the trigger the parts stand that decided.
        places: Vec<Range<usize>>,
    },
    Unsendable {
        reason: Reason,
        message: String,
    },
    Owed(Request),
}

/// A request whose secrets are hidden, unless they are to be shown.
pub(super) struct Request {
    pub(super) method: &'static str,
    pub(super) url: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

/// What is needed to show what an explanation says of one action.
pub(super) struct Showing<'a> {
    pub(super) action: &'a Action,
    pub(super) written: &'a AsWritten,
    pub(super) disguise: &'a Disguise,
    pub(super) secrets: Secrets,
}

impl<'a> Showing<'a> {
    /// `explanation` as it may be shown; it is about `event`, unless the record is none.
    pub(super) fn show(&self, explanation: &Explanation, event: Option<Event<'_>>) -> Shown<'a> {
        let verdict = match (explanation, event) {
            (Explanation::Owed(request), Some(event)) => {
                Verdict::Owed(self.request(request, event))
            }
            (Explanation::Owed(_), None) => unreachable!("only events are owed"),
            (Explanation::Unsendable { reason, message }, _) => Verdict::Unsendable {
                reason: *reason,
                message: self.disguise.hidden(None, self.secrets).masked(message),
            },
            (Explanation::Unowed(because), _) => self.unowed(because),
        };
        Shown { action: self.action, trigger: self.written.trigger.trim_end(), verdict }
    }

    fn request(&self, request: &SignedRequest, event: Event<'_>) -> Request {
        let SignedRequest { target, body, .. } = request;
        let is_shown = self.secrets == Secrets::Shown;
        let header = |(name, value): (&str, &str)| {
            let value =
                if is_shown { value.to_owned() } else { self.disguise.header(name, value, event) };
            (name.to_owned(), value)
        };
        Request {
            method: target.method.as_str(),
            url: if is_shown {
                target.url.to_string()
            } else {
                self.disguise.url(&target.url, event)
            },
            headers: request.headers().into_iter().map(header).collect(),
            body: String::from_utf8_lossy(body).into_owned(),
        }
    }

    /// The parts of the trigger are those of the file's text, in which no `${…}` was replaced.
    fn unowed(&self, because: &Because) -> Verdict {
        let Because::Trigger(reasons) = because else {
            return Verdict::Unowed { because: because.clone(), places: Vec::new() };
        };
        let mut places = Vec::with_capacity(reasons.len());
        let reasons = reasons.iter().map(|reason| {
            let place = self.written.trigger_place(reason.at.clone());
            let part = self.written.trigger.get(place.clone()).unwrap_or_default();
            places.push(place);
            // A name of which the file says nothing was put in.
            let is_known = |field: &str| {
                self.secrets == Secrets::Shown || !part.contains("${") || part.contains(field)
            };
            let saw = reason.saw.iter().map(|(field, value)| {
                let field = if is_known(field) { field } else { MASK };
                (field.to_owned(), value.as_deref().map(shortened))
            });
            trigger::Reason {
                at: reason.at.clone(),
                part: part.split('\n').map(str::trim).collect::<Vec<_>>().join(" "),
                holds: reason.holds,
                saw: saw.collect(),
            }
        });
        let because = Because::Trigger(reasons.collect());
        Verdict::Unowed { because, places }
    }
}

//! The theorem of expiry: an event is given up only when its endpoint has failed for
//! `give_up_after`, or the event alone has. Both clocks go on from life to life.

use std::collections::HashMap;

use hookcast::plan::ActionId;

use super::Seen;

/// The clocks, in milliseconds since 1970-01-01 UTC.
#[derive(Default)]
pub struct Expiry {
    /// Since when an event fails alone: from then on it may be set aside, and go out of order.
    alone_since: HashMap<(ActionId, i64), i64>,
    /// Since when an action fails at some URL, as far as the present life may know.
    failing_since: HashMap<(ActionId, String), i64>,
    /// The same as it was at the last commit.
    failing_then: HashMap<(ActionId, String), i64>,
}

impl Expiry {
    pub fn has_failed_alone(&self, action: ActionId, offset: i64) -> bool {
        self.alone_since.contains_key(&(action, offset))
    }

    pub fn answered(&mut self, seen: Seen<'_>, is_accepted: bool, now: i64) {
        let endpoint = (seen.action, seen.url.to_owned());
        if is_accepted {
            self.failing_since.remove(&endpoint);
            return;
        }
        // Where the clock was set back meanwhile, a next owner may see it fail from now on only.
        let since = self.failing_since.entry(endpoint).or_insert(now);
        *since = now.min(*since);
        if let [offset] = seen.offsets {
            let since = self.alone_since.entry((seen.action, *offset)).or_insert(now);
            *since = now.min(*since);
        }
    }

    /// An event is given up that must have failed since `since` at the latest, by the clock of its
    /// action or by its own. Of those that fail alone a next owner is told the earliest only.
    pub fn check(&self, action: ActionId, offset: i64, since: i64) {
        let of_action = self.failing_since.iter().filter(|((of, _), _)| *of == action);
        let of_action = of_action.map(|(_, since)| since);
        let alone = self.alone_since.iter().filter(|((of, _), _)| *of == action);
        let mut clocks = of_action.chain(alone.map(|(_, since)| since));
        // Clocks are told in whole seconds.
        let has_failed = clocks.any(|began| began - 1000 < since);
        assert!(has_failed, "{offset} has not failed for long enough");
    }

    pub fn commit(&mut self) {
        self.failing_then.clone_from(&self.failing_since);
    }

    /// What was accepted since that was told is not known any more.
    pub fn begin_new_life(&mut self) {
        for (endpoint, then) in &self.failing_then {
            let since = self.failing_since.entry(endpoint.clone()).or_insert(*then);
            *since = (*since).min(*then);
        }
    }
}

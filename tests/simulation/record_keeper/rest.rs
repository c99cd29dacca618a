//! The theorem of rest: an endpoint that asks to be left alone is, for as long as it asks, up to one
//! hour, while the process lives that it has asked. Origins that share a lane are not tracked.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use hookcast::plan::ActionId;

const LONGEST: Duration = Duration::from_hours(1);

/// See the module's documentation.
#[derive(Default)]
pub struct Rest {
    until: HashMap<(ActionId, String), Instant>,
}

impl Rest {
    pub fn check(&self, action: ActionId, url: &str, now: Instant) {
        let until = self.until.get(&(action, url.to_owned()));
        assert!(until.is_none_or(|until| *until <= now), "{url} is to be left alone");
    }

    pub fn asked(&mut self, action: ActionId, url: &str, now: Instant, wait: Duration) {
        let until = self.until.entry((action, url.to_owned())).or_insert(now);
        *until = (*until).max(now + wait.min(LONGEST));
    }

    /// A process ends, and with it what it was asked.
    pub fn forget(&mut self) {
        self.until.clear();
    }

    pub fn begin_new_life(&mut self, now: Instant) {
        self.until.retain(|_, until| *until > now);
    }
}

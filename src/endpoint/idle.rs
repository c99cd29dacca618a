//! Connections that no request uses, and are kept for the next one.
//!
//! An action with a constant URL has one origin, one with a mapped URL may have any number. Each
//! origin may keep so many connections, and a mapped URL so many origins: a request to a further
//! one says that its connection is to be closed, and shares it with nobody. Origins that were not
//! used for a while have no connection any more, and make room.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::origin::Origin;
use super::pool::IDLE_TIMEOUT;
use crate::plan::{Plan, TargetTemplate};
use crate::request;

/// The fewest origins of a mapped URL that keep connections, where any are kept.
const FEWEST_ORIGINS: usize = 32;
/// Origins that have not been used for a while are looked for no more often.
const FORGET_EVERY: Duration = Duration::from_secs(1);

/// How the connections that may be kept are shared out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Allowance {
    /// For every origin, by the client of a destination.
    pub(super) per_origin: usize,
    /// Origins, for every action with a mapped URL.
    pub(super) origins: usize,
}

/// Which origins of an action with a mapped URL keep connections.
#[derive(Debug)]
pub(super) struct KeptOrigins {
    most: usize,
    recent: Mutex<Recent>,
}

#[derive(Debug, Default)]
struct Recent {
    used_at: HashMap<Origin, Instant>,
    forgot_at: Option<Instant>,
}

impl Allowance {
    /// Of `idle` connections, for the actions of `plan`.
    pub(super) fn new(plan: &Plan, idle: usize) -> Self {
        let mut mapped = 0;
        // More than all requests to an origin together are never idle: those of all actions that
        // share its connections.
        let mut most = 1;
        let mut constant: BTreeMap<_, usize> = BTreeMap::new();
        for (number, action) in plan.actions.iter().enumerate() {
            let concurrency = action.delivery.concurrency.get();
            let origin = match &action.request.target {
                TargetTemplate::Constant(target) => (request::origin(target), 0),
                // The URL is the same for every event, and is not known before the first.
                TargetTemplate::Mapped { fingerprint: None, .. } => (String::new(), number),
                TargetTemplate::Mapped { .. } => {
                    mapped += 1;
                    most = most.max(concurrency);
                    continue;
                }
            };
            let together = constant.entry((action.destination.0, origin)).or_default();
            *together += concurrency;
            most = most.max(*together);
        }
        Self::divide(idle, constant.len(), mapped, most)
    }

    fn divide(idle: usize, constant: usize, mapped: usize, most: usize) -> Self {
        let per_origin = (idle / (constant + FEWEST_ORIGINS * mapped).max(1)).min(most);
        let left = idle - per_origin * constant;
        Self { per_origin, origins: left.checked_div(per_origin * mapped).unwrap_or(0) }
    }
}

impl KeptOrigins {
    pub(super) fn new(most: usize) -> Self {
        Self { most, recent: Mutex::default() }
    }

    /// Whether the connection of a request to `origin`, which is made now, may be kept.
    pub(super) fn may_keep(&self, origin: &Origin, now: Instant) -> bool {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(used_at) = recent.used_at.get_mut(origin) {
            *used_at = now;
            return true;
        }
        if recent.used_at.len() >= self.most {
            let is_soon = |at| now < at + FORGET_EVERY;
            if recent.forgot_at.is_some_and(is_soon) {
                return false;
            }
            recent.forgot_at = Some(now);
            recent.used_at.retain(|_, used_at| now < *used_at + 2 * IDLE_TIMEOUT);
        }
        let has_room = recent.used_at.len() < self.most;
        if has_room {
            recent.used_at.insert(origin.clone(), now);
        }
        has_room
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use url::Url;

    use super::{Allowance, IDLE_TIMEOUT, KeptOrigins, Origin};

    #[test]
    fn all_connections_together_are_no_more_than_allowed() {
        for (idle, constant, mapped) in
            [(192, 1, 0), (192, 10, 0), (192, 0, 1), (192, 1000, 2), (200_000, 50, 3), (0, 1, 1)]
        {
            let it = Allowance::divide(idle, constant, mapped, 64);
            let all = it.per_origin * (constant + it.origins * mapped);
            assert!(all <= idle, "{all} of {idle}: {it:?}");
        }
        assert_eq!(Allowance::divide(192, 1, 0, 64).per_origin, 64);
        let mapped = Allowance::divide(192, 0, 1, 64);
        assert_eq!(mapped, Allowance { per_origin: 6, origins: 32 });
    }

    #[test]
    fn so_many_origins_keep_connections_until_they_are_not_used_any_more() {
        let (kept, begin) = (KeptOrigins::new(2), Instant::now());
        let [a, b, c] = ["http://a", "http://b", "http://c"]
            .map(|url| Origin::of(&Url::parse(url).expect(url)));
        assert!(kept.may_keep(&a, begin) && kept.may_keep(&b, begin));
        assert!(!kept.may_keep(&c, begin));
        let later = begin + IDLE_TIMEOUT;
        assert!(kept.may_keep(&a, later) && !kept.may_keep(&c, later));
        let later = begin + 2 * IDLE_TIMEOUT + Duration::from_secs(1);
        assert!(kept.may_keep(&c, later), "b is gone");
        assert!(kept.may_keep(&a, later) && !kept.may_keep(&b, later));
    }
}

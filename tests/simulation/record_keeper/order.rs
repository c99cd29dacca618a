//! The theorem of order: in a chain one thing is in flight at a time, and nothing follows what it
//! stands in front of. A chain is a key's single events for one URL, or a URL's batches. What is
//! repeated is excepted, and in batches what was set aside.

use std::collections::HashMap;

use hookcast::plan::{self, ActionId};

use super::Seen;

type Chain = (ActionId, String, Option<String>);

/// See the module's documentation.
#[derive(Default)]
pub struct Order {
    /// The last offset that was accepted.
    accepted: HashMap<Chain, i64>,
    /// The first offset of what is in flight.
    in_flight: HashMap<Chain, i64>,
}

impl Order {
    pub fn begins(&mut self, seen: Seen<'_>, is_repeated: bool, may_be_aside: bool) {
        let Some(chain) = chain(seen) else { return };
        let first = seen.offsets[0];
        if !(may_be_aside && seen.offsets.len() == 1) {
            let other = self.in_flight.insert(chain.clone(), first);
            assert_eq!(other, None, "two at a time in {chain:?}");
        }
        let last = self.accepted.get(&chain).copied().unwrap_or(-1);
        let may_follow = first > last || is_repeated || may_be_aside;
        assert!(may_follow, "{first} after {last} in {chain:?}");
        let is_sorted = seen.offsets.is_sorted_by(|one, next| one < next);
        assert!(is_sorted, "{:?} in one batch of {chain:?}", seen.offsets);
    }

    pub fn ends(&mut self, seen: Seen<'_>, is_accepted: bool) {
        let Some(chain) = chain(seen) else { return };
        if self.in_flight.get(&chain) == Some(&seen.offsets[0]) {
            self.in_flight.remove(&chain);
        }
        if is_accepted {
            let last = self.accepted.entry(chain).or_insert(-1);
            *last = seen.offsets.iter().copied().fold(*last, i64::max);
        }
    }

    pub fn begin_new_life(&mut self) {
        self.in_flight.clear();
    }
}

/// What a request must stay in order with, if with anything.
fn chain(seen: Seen<'_>) -> Option<Chain> {
    let action = &seen.plan.actions[seen.action.0];
    if action.delivery.order == plan::Order::None {
        return None;
    }
    let key = match action.batch {
        Some(_) => None,
        None => Some(seen.log.at(seen.offsets[0]).key.clone()?),
    };
    Some((seen.action, seen.url.to_owned(), key))
}

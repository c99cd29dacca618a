//! Who keeps the records of a world, and knows when a theorem is broken.

use std::collections::{HashMap, HashSet};

use hookcast::plan::{ActionId, Order, Plan};
use hookcast::progress::Encoded;

use crate::log::Log;

/// Who a debt is owed to; none: the dead-letter topic, for a record that is no event.
pub type Creditor = Option<ActionId>;

/// What has been settled in a world, over all lives of its pipelines.
#[derive(Default)]
pub struct RecordKeeper {
    settled: HashSet<(Creditor, i64)>,
    /// The same for the present life.
    settled_now: HashSet<(Creditor, i64)>,
    committed: i64,
    metadata: String,
    /// What was settled when that was committed, as far as it tells.
    settled_then: HashSet<(Creditor, i64)>,
    /// Sets of events by their idempotency key, and the other way round.
    sets: HashMap<String, (ActionId, Vec<i64>)>,
    keys: HashMap<(ActionId, Vec<i64>), String>,
    /// The last offset that was accepted, by action, target and key.
    accepted: HashMap<(ActionId, String, Option<String>), i64>,
    /// What is in flight: no two of them at a time.
    in_flight: HashMap<(ActionId, String, Option<String>), i64>,
    /// Since when an event fails alone, by action and offset: from then on it may be set aside, and
    /// go out of order.
    alone_since: HashMap<(ActionId, i64), i64>,
    /// Since when an action fails at some URL, as far as the present life may know.
    failing_since: HashMap<(ActionId, String), i64>,
    /// The same as it was when that was committed.
    failing_then: HashMap<(ActionId, String), i64>,
    /// What was refused for good: it may be refused once more, out of order, if a crash comes before
    /// its letter.
    refused: HashSet<(ActionId, i64)>,
    /// What may be settled once more: a crash came before its commit, or it was not told.
    may_repeat: HashSet<(Creditor, i64)>,
}

impl RecordKeeper {
    pub fn committed(&self) -> i64 {
        self.committed
    }

    pub fn is_settled(&self, creditor: Creditor, offset: i64) -> bool {
        self.settled.contains(&(creditor, offset))
    }

    /// Everything that must not move while it is ordered: single events by key, batches whole.
    fn chains(
        plan: &Plan,
        log: &Log,
        action: ActionId,
        url: &str,
        offsets: &[i64],
    ) -> Vec<(ActionId, String, Option<String>)> {
        let chosen = &plan.actions[action.0];
        if chosen.delivery.order == Order::None {
            return Vec::new();
        }
        if chosen.batch.is_some() {
            return vec![(action, url.to_owned(), None)];
        }
        let records = log.by_offset();
        let key = records[&offsets[0]].key.clone();
        key.map(|key| (action, url.to_owned(), Some(key))).into_iter().collect()
    }

    pub fn sent(
        &mut self,
        (plan, log): (&Plan, &Log),
        action: ActionId,
        (url, idempotency_key): (&str, &str),
        offsets: &[i64],
    ) {
        for offset in offsets {
            let debt = (Some(action), *offset);
            assert!(!self.settled_now.contains(&debt), "{offset} goes to {action:?} twice");
            assert!(
                !self.settled.contains(&debt) || self.may_repeat.contains(&debt),
                "{offset} is sent to {action:?} again although it is settled"
            );
            assert!(*offset >= self.committed || self.may_repeat.contains(&debt));
        }
        for chain in Self::chains(plan, log, action, url, offsets) {
            let is_batched = plan.actions[action.0].batch.is_some();
            let has_failed_alone = self.alone_since.contains_key(&(action, offsets[0]));
            let may_be_aside = is_batched && has_failed_alone;
            if !(may_be_aside && offsets.len() == 1) {
                let other = self.in_flight.insert(chain.clone(), offsets[0]);
                assert_eq!(other, None, "two at a time in {chain:?}");
            }
            let last = self.accepted.get(&chain).copied().unwrap_or(-1);
            let is_repeated = self.may_repeat.contains(&(Some(action), offsets[0]))
                || self.refused.contains(&(action, offsets[0]));
            let may_follow = offsets[0] > last || is_repeated || may_be_aside;
            assert!(may_follow, "{} after {last} in {chain:?}", offsets[0]);
        }
        let set = (action, offsets.to_vec());
        let known = self.sets.entry(idempotency_key.to_owned()).or_insert_with(|| set.clone());
        assert_eq!(*known, set, "one idempotency key for two sets");
        let known = self.keys.entry(set).or_insert_with(|| idempotency_key.to_owned());
        assert_eq!(known, idempotency_key, "two idempotency keys for one set");
    }

    pub fn answered(
        &mut self,
        (plan, log): (&Plan, &Log),
        action: ActionId,
        url: &str,
        offsets: &[i64],
        is_accepted: bool,
        now: i64,
    ) {
        for chain in Self::chains(plan, log, action, url, offsets) {
            if self.in_flight.get(&chain) == Some(&offsets[0]) {
                self.in_flight.remove(&chain);
            }
            if is_accepted {
                let last = self.accepted.entry(chain).or_insert(-1);
                *last = offsets.iter().copied().fold(*last, i64::max);
            }
        }
        let endpoint = (action, url.to_owned());
        match offsets {
            _ if is_accepted => drop(self.failing_since.remove(&endpoint)),
            [offset] => {
                self.alone_since.entry((action, *offset)).or_insert(now);
                self.failing_since.entry(endpoint).or_insert(now);
            }
            _ => drop(self.failing_since.entry(endpoint).or_insert(now)),
        }
        if is_accepted {
            for offset in offsets {
                self.settle(Some(action), *offset);
            }
        }
    }

    pub fn refuse(&mut self, action: ActionId, offsets: &[i64]) {
        self.refused.extend(offsets.iter().map(|offset| (action, *offset)));
    }

    /// An event is given up that must have failed since `since` at the latest, by the clock of its
    /// action or by its own. Of those that fail alone a next owner is told the earliest only.
    pub fn expired(&mut self, action: ActionId, offset: i64, since: i64) {
        if self.refused.contains(&(action, offset)) {
            // It is the same letter, which could not be written at first.
            return;
        }
        let of_action = self.failing_since.iter().filter(|((of, _), _)| *of == action);
        let of_action = of_action.map(|(_, since)| since);
        let alone = self.alone_since.iter().filter(|((of, _), _)| *of == action);
        let mut clocks = of_action.chain(alone.map(|(_, since)| since));
        // Clocks are told in whole seconds.
        assert!(
            clocks.any(|began| began - 1000 < since),
            "{offset} has not failed for long enough"
        );
        self.refuse(action, &[offset]);
    }

    pub fn settle(&mut self, creditor: Creditor, offset: i64) {
        self.settled.insert((creditor, offset));
        self.settled_now.insert((creditor, offset));
        self.may_repeat.remove(&(creditor, offset));
    }

    /// The broker has accepted a position and its metadata.
    pub fn commit(&mut self, log: &Log, position: i64, encoded: Encoded) {
        assert!(position >= self.committed, "{position} is behind {}", self.committed);
        for record in log.records.iter().filter(|record| record.offset < position) {
            self.assert_settled(record);
        }
        self.committed = position;
        self.metadata = encoded.metadata;
        self.failing_then = self.failing_since.clone();
        // What is folded tells less, and nobody is told which origins share a lane.
        let is_whole = encoded.folded == 0 && !self.metadata.contains("@*");
        let is_told = |(_, offset): &&(Creditor, i64)| is_whole || *offset < position;
        let known = self.settled.difference(&self.may_repeat);
        self.settled_then = known.filter(is_told).copied().collect();
    }

    /// The position is all that is left of the last commit, as after an operator's reset.
    pub fn lose_metadata(&mut self) {
        self.metadata.clear();
        self.settled_then.retain(|(_, offset)| *offset < self.committed);
    }

    /// The next owner of the partition resolves the URLs of these actions otherwise.
    pub fn change_urls(&mut self, is_changed: impl Fn(ActionId) -> bool) {
        let committed = self.committed;
        let is_told = |creditor: Creditor| !creditor.is_some_and(&is_changed);
        self.settled_then.retain(|(who, offset)| is_told(*who) || *offset < committed);
    }

    pub fn assert_settled(&self, record: &crate::log::Logged) {
        let creditors = record.owed.iter().map(|action| Some(*action));
        for creditor in creditors.chain(record.is_invalid.then_some(None)) {
            assert!(
                self.is_settled(creditor, record.offset),
                "{} is committed, but not settled for {creditor:?}",
                record.offset
            );
        }
    }

    /// A pipeline has gone, and another one begins with this metadata: it may repeat what was
    /// settled since, and nothing else.
    pub fn new_life(&mut self) -> &str {
        self.in_flight.clear();
        // What was accepted since that was told is not known any more.
        for (endpoint, then) in &self.failing_then {
            let since = self.failing_since.entry(endpoint.clone()).or_insert(*then);
            *since = (*since).min(*then);
        }
        self.settled_now.clear();
        self.may_repeat.extend(self.settled.difference(&self.settled_then));
        &self.metadata
    }
}

//! Who keeps the records of a world, and knows when a theorem is broken:
//!
//! - **Loss.** Nothing below a committed position is unsettled, but what its action was not to get:
//!   what the broker has deleted, and what a configuration without that action has read or forgotten.
//! - **Repeats.** Within one life nothing is sent again that is settled; nor is it by the next one,
//!   but for what was settled after the last commit, or not told with it.
//! - **Order**, **identity**, **expiry** and **rest** have files of their own.
//!
//! It sees what endpoints, the dead-letter topic and the broker see, and nothing of the pipeline.

mod expiry;
mod identity;
mod order;
mod rest;

use std::collections::HashSet;

use hookcast::plan::{ActionId, Plan};
use hookcast::progress::Encoded;
use hookcast::record::Now;

use crate::log::{Log, Logged};
use expiry::Expiry;
use identity::Identity;
use order::Order;
use rest::Rest;

/// Who a debt is owed to; none: the dead-letter topic, for a record that is no event.
pub type Creditor = Option<ActionId>;

/// A request, as its endpoint sees it.
#[derive(Clone, Copy)]
pub struct Seen<'a> {
    pub plan: &'a Plan,
    pub log: &'a Log,
    pub action: ActionId,
    pub url: &'a str,
    pub offsets: &'a [i64],
}

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
    /// What was refused for good: it may be refused once more, out of order, if a crash comes before
    /// its letter.
    refused: HashSet<(ActionId, i64)>,
    /// What this action has settled above the position is told no more in this life.
    forgotten: Option<ActionId>,
    /// What may be settled once more: a crash came before its commit, or it was not told.
    may_repeat: HashSet<(Creditor, i64)>,
    /// What an action need not get: those who have read it did not know the action.
    excused: HashSet<(ActionId, i64)>,
    order: Order,
    identity: Identity,
    expiry: Expiry,
    pub rest: Rest,
}

impl RecordKeeper {
    pub fn committed(&self) -> i64 {
        self.committed
    }

    pub fn has_committed(&self) -> bool {
        self.committed > 0
    }

    pub fn metadata(&self) -> &str {
        &self.metadata
    }

    pub fn sent(&mut self, seen: Seen<'_>, idempotency_key: &str) {
        let Seen { action, offsets, .. } = seen;
        for offset in offsets {
            let debt = (Some(action), *offset);
            let may_repeat = self.may_repeat.contains(&debt);
            assert!(!self.settled_now.contains(&debt), "{offset} goes to {action:?} twice");
            assert!(
                !self.settled.contains(&debt) || may_repeat,
                "{offset} is sent to {action:?} again although it is settled"
            );
            assert!(
                *offset >= self.committed || may_repeat,
                "{offset} is sent to {action:?} although its position is committed"
            );
        }
        let is_repeated = self.may_repeat.contains(&(Some(action), offsets[0]))
            || self.refused.contains(&(action, offsets[0]))
            || self.excused.contains(&(action, offsets[0]));
        let may_be_aside = seen.plan.actions[action.0].batch.is_some()
            && self.expiry.has_failed_alone(action, offsets[0]);
        self.order.begins(seen, is_repeated, may_be_aside);
        self.identity.check(action, offsets, idempotency_key);
    }

    pub fn answered(&mut self, seen: Seen<'_>, is_accepted: bool, unix_ms: i64) {
        self.order.ends(seen, is_accepted);
        self.expiry.answered(seen, is_accepted, unix_ms);
        if is_accepted {
            self.accept(seen.action, seen.offsets);
        }
    }

    /// An endpoint has accepted events; nobody may ever hear of it.
    pub fn accept(&mut self, action: ActionId, offsets: &[i64]) {
        for offset in offsets {
            self.settle(Some(action), *offset);
        }
    }

    pub fn refuse(&mut self, action: ActionId, offsets: &[i64]) {
        self.refused.extend(offsets.iter().map(|offset| (action, *offset)));
    }

    /// Whether a letter about the event was written before, or was to be.
    pub fn is_refused(&self, action: ActionId, offset: i64) -> bool {
        self.refused.contains(&(action, offset))
    }

    /// An event is given up that must have failed since `since` at the latest.
    pub fn expired(&mut self, action: ActionId, offset: i64, since: i64) {
        self.expiry.check(action, offset, since);
        self.refuse(action, &[offset]);
    }

    pub fn settle(&mut self, creditor: Creditor, offset: i64) {
        self.settled.insert((creditor, offset));
        self.settled_now.insert((creditor, offset));
        self.may_repeat.remove(&(creditor, offset));
    }

    /// Who has read the record does not know the action that it is owed to.
    pub fn excuse(&mut self, action: ActionId, offset: i64) {
        self.excused.insert((action, offset));
    }

    /// What was told of an action that nobody seems to know is told no more.
    pub fn forget(&mut self, action: ActionId) {
        self.forgotten = Some(action);
    }

    /// The broker has accepted a position and its metadata.
    pub fn commit(&mut self, log: &Log, position: i64, encoded: Encoded) {
        assert!(position >= self.committed, "{position} is behind {}", self.committed);
        let passed = log.index_at(self.committed)..log.index_at(position);
        log.records[passed].iter().for_each(|record| self.assert_settled(log, record));
        self.committed = position;
        self.metadata = encoded.metadata;
        self.expiry.commit();
        // What is folded tells less, and nobody is told which origins share a lane.
        let is_whole = encoded.folded == 0 && !self.metadata.contains("@*");
        let is_told = |(creditor, offset): &&(Creditor, i64)| {
            is_whole && (creditor.is_none() || *creditor != self.forgotten) || *offset < position
        };
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

    /// A pipeline has gone, and another one begins with what was committed: it may repeat what was
    /// settled since, and nothing else.
    pub fn begin_new_life(&mut self, now: Now) {
        self.order.begin_new_life();
        self.expiry.begin_new_life();
        self.rest.begin_new_life(now.instant);
        self.settled_now.clear();
        self.forgotten = None;
        self.may_repeat.extend(self.settled.difference(&self.settled_then));
    }

    /// Everybody a record is owed to who has still to get it.
    pub fn unsettled<'a>(
        &'a self,
        log: &Log,
        record: &'a Logged,
    ) -> impl Iterator<Item = Creditor> + use<'a> {
        let is_deleted = record.offset < log.begin;
        let owed = record.owed.iter();
        let owed = owed.filter(|action| !self.excused.contains(&(**action, record.offset)));
        let creditors = owed.map(|action| Some(*action));
        let creditors = creditors.chain(record.is_invalid.then_some(None));
        creditors.filter(move |creditor| !is_deleted && !self.is_settled(*creditor, record.offset))
    }

    /// Whether somebody will never get a record that was deleted.
    pub fn is_lost(&self, record: &Logged) -> bool {
        let is_excused = |action| self.excused.contains(&(action, record.offset));
        let is_owed = |action: &ActionId| {
            !is_excused(*action) && !self.is_settled(Some(*action), record.offset)
        };
        record.owed.iter().any(is_owed)
            || record.is_invalid && !self.is_settled(None, record.offset)
    }

    fn is_settled(&self, creditor: Creditor, offset: i64) -> bool {
        self.settled.contains(&(creditor, offset))
    }

    pub fn assert_settled(&self, log: &Log, record: &Logged) {
        let unsettled = self.unsettled(log, record).next();
        assert_eq!(unsettled, None, "{} is committed, but not settled", record.offset);
    }
}

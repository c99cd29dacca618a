//! The members of the group: what each is configured to do, while a deployment rolls.

use std::sync::Arc;

use hookcast::gates::Gates;
use hookcast::plan::ActionId;
use hookcast::progress::{LaneOrigin, LaneProgress, Progress};

use super::World;
use crate::plans::Plans;

/// The action that the present member does not know.
pub struct Unknown {
    action: ActionId,
    /// Its lanes that the member was told of, and keeps for those who know it.
    entries: Vec<LaneProgress>,
}

impl Unknown {
    /// Whether an event of the action, for this host, is kept for those who know it. A lane that is
    /// not told of stands at the reader, and misses what that reads.
    fn keeps(&self, host: Option<usize>) -> bool {
        self.entries.iter().any(|entry| match &entry.origin {
            LaneOrigin::Constant => true,
            LaneOrigin::Mapped { origin, .. } => {
                host.is_some_and(|host| origin.contains(&format!("//h{host}.localhost")))
            }
            LaneOrigin::Shared { .. } => false,
        })
    }
}

impl World {
    /// The next owner may have a configuration with other URLs, or without the last action.
    pub(super) fn change_configuration(&mut self) {
        if self.is_hostile() && self.random.u8(0..4) == 0 {
            self.sights.changed_urls += 1;
            self.urls = 1 - self.urls;
        } else if self.unknown.is_none() && !(self.is_hostile() && self.random.u8(0..4) == 0) {
            return;
        }
        self.unknown = None;
        self.plan = self.plans.full(self.urls);
        if self.is_hostile()
            && let Some(plan) = self.plans.without_last(self.urls)
        {
            self.sights.unknown_actions += 1;
            self.plan = plan;
            let action = ActionId(self.plan.actions.len());
            self.unknown = Some(Unknown { action, entries: Vec::new() });
        }
        self.gates = Arc::new(Gates::new(&self.plan));
        self.keeper.rest.forget();
        // A constant URL that changes keeps its place; where a mapping is involved its action starts
        // whole at its lowest one.
        let (plans, known, urls) = (&self.plans, &mut self.known_urls, self.urls);
        self.keeper.change_urls(|id| plans.differ(id, [known[id.0], urls]));
        known[..self.plan.actions.len()].fill(urls);
    }

    /// What the present member was told of the action that it does not know.
    pub(super) fn tell_unknown(&mut self, told: Option<&Progress>) {
        let Some(unknown) = &mut self.unknown else { return };
        let name = Plans::name(unknown.action);
        let entries = told.into_iter().flat_map(|progress| &progress.lanes);
        unknown.entries = entries.filter(|lane| *lane.action == *name).cloned().collect();
        self.sights.foreign_entries += unknown.entries.len();
    }

    /// The present member has read a record that may be owed to an action that it does not know.
    pub(super) fn excuse_unknown(&mut self, index: usize) {
        let Some(unknown) = &self.unknown else { return };
        let record = &self.log.records[index];
        if record.owed.contains(&unknown.action) && !unknown.keeps(record.host) {
            self.sights.excused += 1;
            self.keeper.excuse(unknown.action, record.offset);
        }
    }

    /// What was kept for an action that nobody seems to know is given up.
    pub(super) fn forget_unknown(&mut self, lanes: &[LaneProgress]) {
        self.sights.forgotten_entries += lanes.len();
        let unknown = self.unknown.as_mut().expect("all actions are known");
        assert_eq!(lanes.len(), unknown.entries.len(), "others are forgotten than were told of");
        unknown.entries.clear();
        self.keeper.forget(unknown.action);
        for index in 0..self.next {
            self.excuse_unknown(index);
        }
    }
}

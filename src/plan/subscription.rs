//! Who waits for which events, arranged so that an event finds them.

use std::collections::HashMap;

use super::{Action, ActionId, Destination, SourceId, TriggerId};
use crate::event::Event;
use crate::trigger::{Index, Trigger};

/// What those destinations want that are connected to the same sources. Every enabled action is
/// part of one subscription, so that all of them together are as large as the plan, whatever the
/// number of topics.
#[derive(Debug)]
pub struct Subscription {
    /// The sources, ascending.
    pub sources: Vec<SourceId>,
    /// The triggers, each once, and the actions that have it, ascending.
    wanted: Vec<(TriggerId, Vec<ActionId>)>,
    /// Of the triggers, by their places in `wanted`.
    index: Index,
}

impl Subscription {
    /// All subscriptions of a plan, of what is enabled.
    #[must_use]
    pub fn all(
        destinations: &[Destination],
        actions: &[Action],
        triggers: &[Trigger],
    ) -> Vec<Subscription> {
        let mut drafts: Vec<Draft<'_>> = Vec::new();
        let mut by_sources: HashMap<&[SourceId], usize> = HashMap::new();
        for (number, action) in actions.iter().enumerate() {
            let destination = &destinations[action.destination.0];
            if !action.enabled || !destination.enabled {
                continue;
            }
            let draft = *by_sources.entry(&destination.sources).or_insert_with(|| {
                drafts.push(Draft { sources: &destination.sources, ..Draft::default() });
                drafts.len() - 1
            });
            drafts[draft].add(action.trigger, ActionId(number));
        }
        drafts.into_iter().map(|draft| draft.finish(triggers)).collect()
    }

    /// Calls `see` with every trigger that `event` may match, and its place in this subscription;
    /// with some of them more than once. The others certainly do not match.
    pub(crate) fn candidates(&self, event: Event<'_>, mut see: impl FnMut(TriggerId, usize)) {
        self.index.candidates(event, |place| see(self.wanted[place].0, place));
    }

    /// Every action, in no order.
    pub(crate) fn all_actions(&self) -> impl Iterator<Item = ActionId> {
        self.wanted.iter().flat_map(|(_, actions)| actions.iter().copied())
    }

    /// The actions whose trigger stands at `place`, ascending.
    pub(crate) fn actions(&self, place: usize) -> &[ActionId] {
        &self.wanted[place].1
    }
}

/// A subscription that has no index yet.
#[derive(Default)]
struct Draft<'p> {
    sources: &'p [SourceId],
    wanted: Vec<(TriggerId, Vec<ActionId>)>,
    places: HashMap<TriggerId, usize>,
}

impl Draft<'_> {
    fn add(&mut self, trigger: TriggerId, action: ActionId) {
        let place = *self.places.entry(trigger).or_insert_with(|| {
            self.wanted.push((trigger, Vec::new()));
            self.wanted.len() - 1
        });
        self.wanted[place].1.push(action);
    }

    fn finish(self, triggers: &[Trigger]) -> Subscription {
        let own: Vec<&Trigger> = self.wanted.iter().map(|(id, _)| &triggers[id.0]).collect();
        let index = Index::new(&own);
        Subscription { sources: self.sources.to_vec(), wanted: self.wanted, index }
    }
}

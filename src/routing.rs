//! Which actions an event is owed to.
//!
//! Knows types, sources, `integrations` and triggers. It does not know what is done for an event
//! that is owed. What it costs to route an event depends on the triggers that the event may match
//! at first glance, and not on how many there are.

use crate::event::{Event, PathId, Value};
use crate::plan::{ActionId, Destination, Plan, SourceId, Subscription, TriggerId};
use crate::spec::CALLS;

/// Why a record is owed to nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Skip {
    /// Its value is null.
    Tombstone,
    /// Its `type` is none of the six calls.
    UnsupportedType,
    /// It triggers actions, and its `integrations` forbid the destinations of all of them.
    Integrations,
    /// No action that is connected to its topic is triggered by it.
    Unmatched,
}

impl Skip {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::Tombstone, Self::UnsupportedType, Self::Integrations, Self::Unmatched];

    /// The reason as metrics name it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tombstone => "tombstone",
            Self::UnsupportedType => "unsupported_type",
            Self::Integrations => "integrations",
            Self::Unmatched => "unmatched",
        }
    }
}

/// What records of one topic may be owed to.
#[derive(Debug, Clone)]
pub struct Routes {
    /// The plan's subscriptions to a source that the topic belongs to.
    subscriptions: Vec<usize>,
    /// Room for the triggers that an event may match.
    candidates: Vec<Candidate>,
}

/// A trigger that an event may match, and where the actions are that have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    trigger: TriggerId,
    subscription: usize,
    place: usize,
}

impl Routes {
    /// The routes of `topic`: the enabled actions of the enabled destinations that are connected
    /// to a source it belongs to. Records of the redrive topic may be owed to all of them, those of
    /// the dead-letter topic to none, whatever expressions of sources match.
    #[must_use]
    pub fn new(plan: &Plan, topic: &str) -> Self {
        if topic == &*plan.redrive_topic {
            return Self::to(plan, |_| true);
        }
        let is_source = topic != &*plan.dead_letter_topic;
        Self::to(plan, |sources| is_source && is_connected(plan, sources, topic))
    }

    /// The routes to the enabled actions of the enabled destinations that read `sources` for which
    /// `is_connected` says so.
    #[must_use]
    pub fn to(plan: &Plan, is_connected: impl Fn(&[SourceId]) -> bool) -> Self {
        let subscriptions = plan.subscriptions.iter().enumerate();
        let subscriptions = subscriptions
            .filter(|(_, subscription)| is_connected(&subscription.sources))
            .map(|(index, _)| index)
            .collect();
        Self { subscriptions, candidates: Vec::new() }
    }

    /// The actions that records of the topic may be owed to, in the order of the plan.
    #[must_use]
    pub fn actions(&self, plan: &Plan) -> Vec<ActionId> {
        let subscriptions = self.subscriptions.iter().map(|&index| &plan.subscriptions[index]);
        let mut actions: Vec<_> = subscriptions.flat_map(Subscription::all_actions).collect();
        actions.sort_unstable();
        actions
    }

    /// Puts into `owed` the actions that `event` is owed to, in the order of the plan.
    ///
    /// # Errors
    /// Why there are none.
    pub fn route(
        &mut self,
        plan: &Plan,
        event: Event<'_>,
        owed: &mut Vec<ActionId>,
    ) -> Result<(), Skip> {
        owed.clear();
        if !is_call(plan, event) {
            return Err(Skip::UnsupportedType);
        }
        self.find_candidates(plan, event);
        for same in self.candidates.chunk_by(|one, other| one.trigger == other.trigger) {
            if plan.triggers[same[0].trigger.0].matches(event) {
                for Candidate { subscription, place, .. } in same {
                    owed.extend(plan.subscriptions[*subscription].actions(*place));
                }
            }
        }
        if owed.is_empty() {
            return Err(Skip::Unmatched);
        }
        let destination = |id: &ActionId| &plan.destinations[plan.actions[id.0].destination.0];
        owed.retain(|id| forbidding_entry(destination(id), event).is_none());
        owed.sort_unstable();
        if owed.is_empty() { Err(Skip::Integrations) } else { Ok(()) }
    }

    /// Each candidate once, and those with the same trigger side by side.
    fn find_candidates(&mut self, plan: &Plan, event: Event<'_>) {
        self.candidates.clear();
        for &subscription in &self.subscriptions {
            plan.subscriptions[subscription].candidates(event, |trigger, place| {
                self.candidates.push(Candidate { trigger, subscription, place });
            });
        }
        self.candidates.sort_unstable();
        self.candidates.dedup();
    }
}

/// Whether `topic` belongs to one of `sources`.
pub(crate) fn is_connected(plan: &Plan, sources: &[SourceId], topic: &str) -> bool {
    sources.iter().any(|source| plan.sources[source.0].holds(topic))
}

/// Whether the event's `type` is one of the six calls.
pub(crate) fn is_call(plan: &Plan, event: Event<'_>) -> bool {
    let call = event.find(plan.event_type).and_then(Value::as_string);
    call.is_some_and(|call| CALLS.contains(&&*call.decode()))
}

/// The entry of the event's `integrations` that forbids a destination: its own entry counts,
/// `All` where it has none or null; only `false` forbids.
pub(crate) fn forbidding_entry(destination: &Destination, event: Event<'_>) -> Option<PathId> {
    let entries = [destination.integration, destination.all_integrations].into_iter();
    let mut said = entries.filter_map(|path| Some((path, event.find(path)?)));
    let (path, value) = said.find(|(_, value)| !value.is_null())?;
    (value.as_bool() == Some(false)).then_some(path)
}

#[cfg(test)]
mod tests {
    use std::env::VarError;

    use super::*;
    use crate::config::Config;
    use crate::event::Fields;

    #[test]
    fn a_trigger_is_a_candidate_once_and_for_one_event_only() {
        let text = r#"
kafka: { bootstrap.servers: "unused:1", group.id: g }
sources: { one: { topics: [t] }, two: { topics: [t] } }
destinations:
  first: { sources: [one], actions: { a: { trigger: x or event = "A", url: https://example.com } } }
  second: { actions: { a: { trigger: x or event = "A", url: https://example.com } } }
"#;
        let variable = |_: &str| Err(VarError::NotPresent);
        let config = Config::parse("plan.yaml", text, "".as_ref(), &variable);
        let plan = config.unwrap_or_else(|errors| panic!("{errors}")).plan;
        assert_eq!((plan.triggers.len(), plan.subscriptions.len()), (1, 2));
        let mut routes = Routes::new(&plan, "t");
        let (mut fields, mut owed) = (Fields::new(), Vec::new());
        for (record, candidates) in [
            (r#"{"type":"track","event":"A","x":true}"#, 2),
            (r#"{"type":"track","event":"B"}"#, 0),
            (r#"{"type":"track","x":1}"#, 2),
        ] {
            let event = fields.read(record.as_bytes(), &plan.paths).expect(record);
            let _ = routes.route(&plan, event, &mut owed);
            assert_eq!(routes.candidates.len(), candidates, "{record}");
        }
    }
}

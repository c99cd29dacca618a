//! Which actions an event is owed to.
//!
//! Knows types, sources, `integrations` and triggers. It does not know what is done for an event
//! that is owed.

use crate::event::{Event, PathId, Value};
use crate::plan::{ActionId, Destination, DestinationId, Plan};
use crate::spec::CALLS;

/// Why a record is owed to nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Skip {
    /// Its value is null.
    Tombstone,
    /// Its `type` is none of the six calls.
    UnsupportedType,
    /// Its `integrations` forbid every destination that might have wanted it.
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
    destinations: Vec<(DestinationId, Vec<ActionId>)>,
}

impl Routes {
    /// The routes of `topic`: the enabled actions of the enabled destinations that are connected
    /// to a source it belongs to.
    #[must_use]
    pub fn new(plan: &Plan, topic: &str) -> Self {
        Self::to(plan, |destination| is_connected(plan, destination, topic))
    }

    /// The routes to the enabled actions of those enabled destinations that `is_connected`.
    #[must_use]
    pub fn to(plan: &Plan, is_connected: impl Fn(&Destination) -> bool) -> Self {
        let mut destinations = Vec::new();
        for (index, destination) in plan.destinations.iter().enumerate() {
            if !destination.enabled || !is_connected(destination) {
                continue;
            }
            let actions = plan.actions.iter().enumerate();
            let actions: Vec<_> = actions
                .filter(|(_, action)| action.destination.0 == index && action.enabled)
                .map(|(index, _)| ActionId(index))
                .collect();
            if !actions.is_empty() {
                destinations.push((DestinationId(index), actions));
            }
        }
        Self { destinations }
    }

    /// Puts into `owed` the actions that `event` is owed to, in the order of the plan.
    ///
    /// # Errors
    /// Why there are none.
    pub fn route(
        &self,
        plan: &Plan,
        event: Event<'_>,
        owed: &mut Vec<ActionId>,
    ) -> Result<(), Skip> {
        owed.clear();
        if !is_call(plan, event) {
            return Err(Skip::UnsupportedType);
        }
        let mut why_not = Skip::Unmatched;
        for (destination, actions) in &self.destinations {
            if forbidding_entry(&plan.destinations[destination.0], event).is_some() {
                why_not = Skip::Integrations;
                continue;
            }
            let matching = actions.iter().filter(|id| plan.actions[id.0].trigger.matches(event));
            owed.extend(matching);
        }
        if owed.is_empty() { Err(why_not) } else { Ok(()) }
    }
}

/// Whether a destination reads one of the sources that `topic` belongs to.
pub(crate) fn is_connected(plan: &Plan, destination: &Destination, topic: &str) -> bool {
    destination.sources.iter().any(|source| plan.sources[source.0].holds(topic))
}

/// Whether the event's `type` is one of the six calls.
pub(crate) fn is_call(plan: &Plan, event: Event<'_>) -> bool {
    let call = event.find(plan.event_type).and_then(Value::as_string);
    call.is_some_and(|call| CALLS.iter().any(|known| call.eq_str(known)))
}

/// The entry of the event's `integrations` that forbids a destination: its own entry counts,
/// `All` where it has none or null; only `false` forbids.
pub(crate) fn forbidding_entry(destination: &Destination, event: Event<'_>) -> Option<PathId> {
    let entries = [destination.integration, destination.all_integrations].into_iter();
    let mut said = entries.filter_map(|path| Some((path, event.find(path)?)));
    let (path, value) = said.find(|(_, value)| !value.is_null())?;
    (value.as_bool() == Some(false)).then_some(path)
}

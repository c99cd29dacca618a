//! Which actions an event is owed to.
//!
//! Knows types, sources, `integrations` and triggers. It does not know what is done for an event
//! that is owed.

use crate::event::{Event, Value};
use crate::plan::{ActionId, Destination, DestinationId, Plan};

/// The six calls of the Segment spec.
const CALLS: [&str; 6] = ["identify", "track", "page", "screen", "group", "alias"];

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
        let is_connected = |destination: &Destination| {
            destination.sources.iter().any(|source| {
                plan.sources[source.0].topics.iter().any(|pattern| pattern.matches(topic))
            })
        };
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
        let call = event.find(plan.event_type).and_then(Value::as_string);
        if !call.is_some_and(|call| CALLS.iter().any(|known| call.eq_str(known))) {
            return Err(Skip::UnsupportedType);
        }
        let mut why_not = Skip::Unmatched;
        for (destination, actions) in &self.destinations {
            if !is_allowed(&plan.destinations[destination.0], event) {
                why_not = Skip::Integrations;
                continue;
            }
            let matching = actions.iter().filter(|id| plan.actions[id.0].trigger.matches(event));
            owed.extend(matching);
        }
        if owed.is_empty() { Err(why_not) } else { Ok(()) }
    }
}

/// What the event's `integrations` say of a destination: its own entry counts, `All` where it
/// has none or null; only `false` forbids.
fn is_allowed(destination: &Destination, event: Event<'_>) -> bool {
    let entry = |path| event.find(path).filter(|value: &Value<'_>| !value.is_null());
    let entry = entry(destination.integration).or_else(|| entry(destination.all_integrations));
    entry.and_then(Value::as_bool) != Some(false)
}

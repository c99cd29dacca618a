//! Why an action is not sent an event.

use std::fmt::{self, Display, Formatter};

use super::Origin;
use crate::event::{Event, InvalidEvent, Value};
use crate::plan::{ActionId, Destination, Plan};
use crate::routing;
use crate::spec::CALLS;
use crate::trigger;

/// Why an action is not sent an event: the first of the reasons there are, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Because {
    /// The record is no event.
    InvalidEvent(InvalidEvent),
    /// The destination is disabled.
    DestinationDisabled(Box<str>),
    /// The action is disabled.
    ActionDisabled,
    /// The topic belongs to no source that the destination is connected to.
    NotConnected(Topic),
    /// The `type` is none of the six calls; its JSON text, or nothing where it is missing.
    UnsupportedType(Option<String>),
    /// This entry of the event's `integrations` forbids the destination.
    Integrations(String),
    /// The trigger does not match; the parts of it that decided.
    Trigger(Vec<trigger::Reason>),
}

/// A topic, and how it is not connected to a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    name: String,
    /// Whether Hookcast writes it.
    is_own: bool,
    /// The sources that it belongs to.
    sources: Vec<Box<str>>,
    destination: Box<str>,
    /// The sources that the destination is connected to.
    connected: Vec<Box<str>>,
}

/// Why the action `id` is not sent `event`, which it is not owed.
pub(super) fn why_not(plan: &Plan, origin: Origin<'_>, id: ActionId, event: Event<'_>) -> Because {
    let action = &plan.actions[id.0];
    let destination = &plan.destinations[action.destination.0];
    if !destination.enabled {
        return Because::DestinationDisabled(destination.name.clone());
    }
    if !action.enabled {
        return Because::ActionDisabled;
    }
    if !origin.is_connected(plan, &destination.sources)
        && let Origin::Topic(name) | Origin::OwnTopic(name) = origin
    {
        let is_own = matches!(origin, Origin::OwnTopic(_));
        return Because::NotConnected(Topic::new(plan, destination, name, is_own));
    }
    if !routing::is_call(plan, event) {
        let found = event.find(plan.event_type).map(Value::text);
        return Because::UnsupportedType(found.map(str::to_owned));
    }
    if let Some(entry) = routing::forbidding_entry(destination, event) {
        let is_own = entry == destination.integration;
        let name = if is_own { &*destination.integration_name } else { "All" };
        return Because::Integrations(format!("integrations.{name}"));
    }
    Because::Trigger(plan.trigger(id).explain(event))
}

impl Topic {
    fn new(plan: &Plan, destination: &Destination, name: &str, is_own: bool) -> Self {
        let sources = plan.sources.iter().filter(|source| !is_own && source.holds(name));
        let connected = destination.sources.iter().map(|source| &plan.sources[source.0].name);
        Self {
            name: name.to_owned(),
            is_own,
            sources: sources.map(|source| source.name.clone()).collect(),
            destination: destination.name.clone(),
            connected: connected.cloned().collect(),
        }
    }
}

impl Display for Because {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidEvent(invalid) => {
                write!(f, "invalid_event: {invalid}; it would be dead-lettered")
            }
            Self::DestinationDisabled(name) => write!(f, "the destination {name} is disabled"),
            Self::ActionDisabled => f.write_str("the action is disabled"),
            Self::NotConnected(topic) => topic.fmt(f),
            Self::UnsupportedType(None) => {
                write!(f, "unsupported_type: its `type` is missing; it is one of {}", calls())
            }
            Self::UnsupportedType(Some(found)) => {
                let found = shortened(found);
                write!(f, "unsupported_type: its `type` is {found}, and not one of {}", calls())
            }
            Self::Integrations(entry) => write!(f, "the event forbids it: {entry} is false"),
            Self::Trigger(reasons) => {
                for (at, reason) in reasons.iter().enumerate() {
                    let joint = if at == 0 { "" } else { "; " };
                    write!(f, "{joint}{reason}")?;
                }
                Ok(())
            }
        }
    }
}

impl Display for Topic {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { name, destination, .. } = self;
        if self.is_own {
            return write!(f, "hookcast writes the topic {name}, and no source reads it");
        }
        if self.sources.is_empty() {
            return write!(f, "the topic {name} belongs to no source");
        }
        let belongs_to = listed(&self.sources);
        let connected = listed(&self.connected);
        write!(f, "the topic {name} belongs to {belongs_to}, and {destination} reads {connected}")
    }
}

fn listed(names: &[Box<str>]) -> String {
    names.join(", ")
}

fn calls() -> String {
    CALLS.join(", ")
}

/// The longest text of the event that is repeated whole, in characters.
const LONGEST: usize = 200;

/// A text of the event as an explanation repeats it.
pub(crate) fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

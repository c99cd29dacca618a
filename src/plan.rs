//! A valid configuration of what is delivered where, ready to run.
//!
//! Knows sources, destinations and actions in their final form: triggers and mappings compiled,
//! defaults filled in, references resolved to indices. It does not know the file it came from,
//! and nothing in it can be invalid: what builds a plan has checked everything.

mod delivery;
mod names;
mod subscription;

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use regex::Regex;

use crate::egress::Egress;
use crate::event::{PathId, Paths};
use crate::mapping::Mapping;
use crate::secret::Secret;
use crate::standard_webhooks::StandardSigner;
use crate::trigger::Trigger;

pub use delivery::{Delivery, GiveUp, Order, Retry, SignatureScope};
pub use names::Names;
pub use subscription::Subscription;

/// The most events that one request carries.
pub const MOST_EVENTS_PER_REQUEST: usize = 1000;

/// Everything that is decided before the first record is read.
#[derive(Debug)]
pub struct Plan {
    /// Where events come from, in the file's order.
    pub sources: Vec<Source>,
    /// Who receives them, in the file's order.
    pub destinations: Vec<Destination>,
    /// Every action of every destination, in the file's order; an [`ActionId`] is its index.
    pub actions: Vec<Action>,
    /// The actions by their names.
    pub names: Names,
    /// What the actions are triggered by, each condition once; a [`TriggerId`] is its index.
    pub triggers: Vec<Trigger>,
    /// Who waits for which events.
    pub subscriptions: Vec<Subscription>,
    /// Everything that routing, triggers and mappings read of an event.
    pub paths: Paths,
    /// Where `type` stands among `paths`.
    pub event_type: PathId,
    /// Which addresses requests may go to.
    pub egress: Egress,
    /// Where dead letters go. It is no source, whatever expression matches its name.
    pub dead_letter_topic: Box<str>,
    /// Where dead letters are written to be delivered after all, to the action that each of them
    /// names. It is no source either.
    pub redrive_topic: Box<str>,
}

impl Plan {
    /// How long what is told of an action that the plan does not know is kept: as long as any of
    /// its own may fail.
    #[must_use]
    pub fn patience_with_unknown(&self) -> Duration {
        let longest = self.actions.iter().map(|action| action.delivery.retry.give_up_after).max();
        longest.unwrap_or(Retry::default().give_up_after)
    }

    /// The action of this name.
    #[must_use]
    pub fn action_named(&self, destination: &str, action: &str) -> Option<ActionId> {
        self.names.find(&self.actions, destination, action)
    }

    /// Whether events are delivered to an action.
    #[must_use]
    pub fn is_enabled(&self, id: ActionId) -> bool {
        let action = &self.actions[id.0];
        action.enabled && self.destinations[action.destination.0].enabled
    }

    /// The trigger of an action.
    #[must_use]
    pub fn trigger(&self, id: ActionId) -> &Trigger {
        &self.triggers[self.actions[id.0].trigger.0]
    }
}

/// An action's index in [`Plan::actions`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ActionId(pub usize);

/// A destination's index in [`Plan::destinations`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DestinationId(pub usize);

/// A source's index in [`Plan::sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(pub usize);

/// A trigger's index in [`Plan::triggers`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TriggerId(pub usize);

/// A named set of topics.
#[derive(Debug)]
pub struct Source {
    /// Its key under `sources`.
    pub name: Box<str>,
    /// What it reads; never empty.
    pub topics: Vec<TopicPattern>,
}

impl Source {
    /// Whether records of `topic` belong to it.
    #[must_use]
    pub fn holds(&self, topic: &str) -> bool {
        self.topics.iter().any(|pattern| pattern.matches(topic))
    }
}

/// One entry of a source's `topics`.
#[derive(Debug)]
pub enum TopicPattern {
    /// Exactly this topic.
    Name(Box<str>),
    /// Every topic that the expression matches; its text begins with `^`.
    Expression(Regex),
}

impl TopicPattern {
    /// Whether records of `topic` belong here.
    #[must_use]
    pub fn matches(&self, topic: &str) -> bool {
        match self {
            Self::Name(name) => **name == *topic,
            Self::Expression(expression) => expression.is_match(topic),
        }
    }

    /// The entry as it is written in the configuration, and as librdkafka takes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Name(name) => name,
            Self::Expression(expression) => expression.as_str(),
        }
    }
}

/// A receiver of events: what its actions have in common.
#[derive(Debug)]
pub struct Destination {
    /// Its key under `destinations`.
    pub name: Box<str>,
    /// False: its events are skipped for good.
    pub enabled: bool,
    /// The sources it is connected to, ascending.
    pub sources: Vec<SourceId>,
    /// The name that is looked up in an event's `integrations`.
    pub integration_name: Box<str>,
    /// Where `integrations.<its integration>` stands among the plan's paths.
    pub integration: PathId,
    /// Where `integrations.All` stands among the plan's paths.
    pub all_integrations: PathId,
    /// Certificates of its own, where it has any.
    pub tls: Option<Tls>,
}

/// TLS material of one destination, read and checked.
#[derive(Debug, Clone)]
pub struct Tls {
    /// PEM: certificate authorities to trust beside the system's.
    pub authorities: Option<Box<str>>,
    /// PEM: the client's certificate chain and its private key, one after the other.
    pub identity: Option<Secret>,
}

/// One *Send action*: which events, in what form, to where.
#[derive(Debug)]
pub struct Action {
    /// The destination it belongs to.
    pub destination: DestinationId,
    /// The destination's name.
    pub destination_name: Arc<str>,
    /// Its key under `actions`.
    pub name: Arc<str>,
    /// False: its events are skipped for good.
    pub enabled: bool,
    /// True for the action or its destination: its events wait in Kafka.
    pub paused: bool,
    /// Which events it is owed.
    pub trigger: TriggerId,
    /// What is sent for them.
    pub request: RequestTemplate,
    /// How events are gathered; none: one request an event.
    pub batch: Option<BatchLimits>,
    /// How requests are made and made again.
    pub delivery: Delivery,
    /// What makes `X-Signature`; none: requests have none.
    pub shared_secret: Option<Secret>,
    /// What makes the headers of Standard Webhooks; none: requests have none.
    pub standard_signer: Option<Arc<StandardSigner>>,
}

/// A request before it has met an event.
#[derive(Debug)]
pub struct RequestTemplate {
    /// The method.
    pub method: Method,
    /// Where to: the method, URL and headers, known already or made anew for each event.
    pub target: TargetTemplate,
    /// The payload.
    pub data: Mapping,
}

/// The part of a request that decides which events may share one. Its `Debug` shows no value of a
/// header, and of a URL only where it leads.
pub enum TargetTemplate {
    /// The same for every event.
    Constant(Arc<Target>),
    /// Resolved for every event.
    Mapped {
        /// Gives the URL.
        url: Mapping,
        /// Give the headers' values, in the file's order; a missing value omits its header.
        headers: Vec<(Box<str>, Mapping)>,
        /// Tells this mapping of the URL from others, in every release alike; none: the URL is
        /// the same for every event.
        fingerprint: Option<u32>,
    },
}

impl TargetTemplate {
    /// The one target of every event, if there is one.
    #[must_use]
    pub fn constant(&self) -> Option<&Arc<Target>> {
        match self {
            Self::Constant(target) => Some(target),
            Self::Mapped { .. } => None,
        }
    }

    /// Tells the mapping of the URL from others; none: every event goes to the same URL.
    #[must_use]
    pub fn fingerprint(&self) -> Option<u32> {
        match self {
            Self::Constant(_) => None,
            Self::Mapped { fingerprint, .. } => *fingerprint,
        }
    }
}

/// Where a request goes and under which headers, resolved. Its `Debug` shows no value of a
/// header, and of the URL only where it leads: secrets stand in both.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Target {
    /// The method.
    pub method: Method,
    /// A valid absolute `http` or `https` URL with a host, as it is put on the wire.
    pub url: Box<str>,
    /// Header names and values, valid for HTTP, in the file's order. Names are as the file
    /// writes them; none of them is one that Hookcast sets itself.
    pub headers: Vec<(Box<str>, Box<str>)>,
}

impl fmt::Debug for TargetTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant(target) => f.debug_tuple("Constant").field(target).finish(),
            Self::Mapped { headers, .. } => {
                let names: Vec<&str> = headers.iter().map(|(name, _)| &**name).collect();
                f.debug_struct("Mapped").field("headers", &names).finish_non_exhaustive()
            }
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| &**name).collect();
        let origin = url::Url::parse(&self.url).map(|url| url.origin().ascii_serialization());
        f.debug_struct("Target")
            .field("method", &self.method)
            .field("origin", &origin.as_deref().unwrap_or("?"))
            .field("headers", &names)
            .finish_non_exhaustive()
    }
}

/// An HTTP method that may carry a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// `POST`, the default.
    Post,
    /// `PUT`.
    Put,
    /// `PATCH`.
    Patch,
    /// `DELETE`.
    Delete,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Post, Self::Put, Self::Patch, Self::Delete];

    /// The method as it is written, in the configuration and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// When a batch is full, and how long one that is not may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    /// The most events of a request, 1 to [`MOST_EVENTS_PER_REQUEST`].
    pub max_events: NonZeroUsize,
    /// The most bytes of a body, brackets and commas included. An event that is larger on its
    /// own goes alone.
    pub max_bytes: usize,
    /// The longest that the first event of a batch waits for company.
    pub max_delay: Duration,
}

impl Default for BatchLimits {
    fn default() -> Self {
        Self {
            max_events: NonZeroUsize::new(MOST_EVENTS_PER_REQUEST).expect("1000 is not zero"),
            max_bytes: 4 << 20,
            max_delay: Duration::from_secs(1),
        }
    }
}

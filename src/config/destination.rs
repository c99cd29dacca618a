//! `destinations` and their `actions`.
//!
//! Knows their keys, resolves what they refer to, and fills the plan. The parts of a request are
//! read in `target`, what signs it in `signing`, what is overridden of `delivery` in `delivery`.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use super::at::At;
use super::delivery::Level;
use super::disguise;
use super::network::{read_tls, tls_files};
use super::section::Section;
use super::signing::Signing;
use super::target::{Surroundings, read_request};
use super::tree::{Entry, Value};
use super::{AsWritten, TlsFiles, check_name};
use crate::disguise::Disguise;
use crate::egress::Egress;
use crate::event::Path;
use crate::plan::{
    Action, BatchLimits, Destination, DestinationId, MOST_EVENTS_PER_REQUEST, Plan, SourceId,
    TriggerId,
};
use crate::spelling::did_you_mean;
use crate::trigger::Trigger;

/// What destinations are read with.
pub(super) struct Reader<'r> {
    pub(super) egress: &'r Egress,
    pub(super) delivery: &'r Level,
    pub(super) plan: &'r mut Plan,
    /// By action.
    pub(super) as_written: &'r mut Vec<AsWritten>,
    /// By action.
    pub(super) disguises: &'r mut Vec<Disguise>,
    /// By destination.
    pub(super) tls_files: &'r mut Vec<TlsFiles>,
    /// The plan's triggers by the text that they print as, which is the same for equal ones, and by
    /// where their parts stand, which `explain` shows.
    pub(super) triggers: HashMap<String, TriggerId>,
}

/// What a destination hands down to its actions.
struct Parent {
    id: DestinationId,
    name: Arc<str>,
    paused: bool,
    signing: Signing,
    delivery: Level,
}

impl Reader<'_> {
    /// Reads every destination into the plan.
    pub(super) fn read(&mut self, root: &Section<'_>) {
        let example = "{ crm: { actions: { signups: { trigger: type = \"track\", url: https://example.com } } } }";
        let Some(at) = root.required("destinations", example) else {
            return;
        };
        if matches!(&at.node.value, Value::Map(entries) if entries.is_empty()) {
            at.error("there is no destination");
        }
        for entry in at.entries().unwrap_or_default() {
            let at = at.entry(entry);
            check_name(&at, &entry.key);
            self.read_destination(&at, &entry.key);
        }
    }

    fn read_destination(&mut self, at: &At<'_>, name: &str) {
        let keys = [
            "enabled",
            "paused",
            "sources",
            "integration",
            "shared_secret",
            "standard_webhooks",
            "tls",
            "actions",
            "delivery",
        ];
        let Some(section) = Section::read(at, &keys) else {
            return;
        };
        let integration = section.key("integration").map_or(Some("Webhook"), |at| at.text());
        let integration = integration.unwrap_or_default();
        let paths = &mut self.plan.paths;
        let destination = Destination {
            name: name.into(),
            enabled: read_flag(&section, "enabled", true),
            sources: read_sources(&section, self.plan.sources.iter().map(|source| &*source.name)),
            integration_name: integration.into(),
            integration: paths.intern(Path::new(["integrations", integration])),
            all_integrations: paths.intern(Path::new(["integrations", "All"])),
            tls: read_tls(&section),
        };
        let parent = Parent {
            id: DestinationId(self.plan.destinations.len()),
            name: name.into(),
            paused: read_flag(&section, "paused", false),
            signing: Signing::read(&section),
            delivery: self.delivery.over(&section),
        };
        self.plan.destinations.push(destination);
        self.tls_files.push(tls_files(&section));
        let Some(actions) = section.key("actions") else {
            at.warn("has no `actions`: nothing is delivered to it", None);
            return;
        };
        let entries = actions.entries().unwrap_or_default();
        if matches!(&actions.node.value, Value::Map(entries) if entries.is_empty()) {
            actions.warn("holds no action: nothing is delivered", None);
        }
        for entry in entries {
            self.read_action(&actions.entry(entry), entry, &parent);
        }
    }

    fn read_action(&mut self, at: &At<'_>, entry: &Entry, parent: &Parent) {
        let keys = [
            "enabled", "paused", "trigger", "url", "method", "headers", "data", "batch", "delivery",
        ];
        check_name(at, &entry.key);
        let Some(section) = Section::read(at, &keys) else {
            return;
        };
        let mut around = Surroundings {
            egress: self.egress,
            standard_webhooks: parent.signing.has_standard_webhooks,
            paths: &mut self.plan.paths,
        };
        let request = read_request(&section, &mut around);
        let trigger_at = section.required("trigger", "type = \"track\" and event = \"Signed Up\"");
        let trigger = trigger_at.as_ref().and_then(|at| read_trigger(at, &mut self.plan.paths));
        let enabled = read_flag(&section, "enabled", true);
        let paused = read_flag(&section, "paused", false);
        let batch = section.key("batch").and_then(|at| read_batch(&at));
        let delivery = parent.delivery.over(&section).into_delivery();
        let (Some(trigger), Some(request)) = (trigger, request) else {
            return;
        };
        let written = |key: &str| match section.key(key).map(|at| &at.node.value) {
            Some(Value::Scalar(scalar)) => Some(scalar),
            _ => None,
        };
        let written_trigger = written("trigger");
        self.as_written.push(AsWritten {
            trigger: written_trigger.map(|scalar| scalar.raw.as_str().into()).unwrap_or_default(),
            url: written("url").map(|scalar| scalar.raw.as_str().into()),
            trigger_expansions: written_trigger
                .map(|scalar| scalar.expansions.clone())
                .unwrap_or_default(),
        });
        let signs = &parent.signing.secrets;
        self.disguises.push(disguise::read(&section, signs, &mut self.plan.paths));
        let trigger = self.known(trigger);
        self.plan.actions.push(Action {
            destination: parent.id,
            destination_name: Arc::clone(&parent.name),
            name: entry.key.as_str().into(),
            enabled,
            paused: paused || parent.paused,
            trigger,
            request,
            batch,
            delivery,
            shared_secret: parent.signing.shared_secret.clone(),
            standard_signer: parent.signing.standard.clone(),
        });
    }

    /// Puts a trigger into the plan, if it is not there already.
    fn known(&mut self, trigger: Trigger) -> TriggerId {
        let key = format!("{trigger} {:?}", trigger.places());
        *self.triggers.entry(key).or_insert_with(|| {
            self.plan.triggers.push(trigger);
            TriggerId(self.plan.triggers.len() - 1)
        })
    }
}

fn read_flag(section: &Section<'_>, key: &str, default: bool) -> bool {
    section.key(key).and_then(|at| at.boolean()).unwrap_or(default)
}

fn read_sources<'n>(
    section: &Section<'_>,
    names: impl Iterator<Item = &'n str> + Clone,
) -> Vec<SourceId> {
    let Some(at) = section.key("sources") else {
        return names.enumerate().map(|(index, _)| SourceId(index)).collect();
    };
    let items = at.items();
    if items.as_ref().is_some_and(Vec::is_empty) {
        at.error_with("a destination needs at least one source", "without the key it has them all");
    }
    let mut sources = Vec::new();
    for item in items.unwrap_or_default() {
        let Some(text) = item.text() else { continue };
        if let Some(index) = names.clone().position(|name| name == text) {
            sources.push(SourceId(index));
            continue;
        }
        let list: Vec<&str> = names.clone().collect();
        let hint = match did_you_mean(text, names.clone()) {
            Some(meant) if !item.holds_secret() => Some(format!("did you mean `{meant}`?")),
            _ if list.is_empty() => None,
            _ => Some(format!("the sources are {}", list.join(", "))),
        };
        item.error_at(
            item.node.bytes.clone(),
            format!("there is no source {}", item.shown()),
            hint,
        );
    }
    sources.sort_unstable();
    sources.dedup();
    sources
}

fn read_trigger(at: &At<'_>, paths: &mut crate::event::Paths) -> Option<Trigger> {
    let scalar = at.scalar("a trigger")?;
    match Trigger::parse(&scalar.text, paths) {
        Ok(trigger) => Some(trigger),
        Err(error) if at.holds_secret() => {
            let message = "no trigger once `${…}` is replaced; what it is then is not shown";
            at.error_at(at.locate(error.at), message, None);
            None
        }
        Err(error) => {
            at.error_at(at.locate(error.at), error.message, error.hint);
            None
        }
    }
}

fn read_batch(at: &At<'_>) -> Option<BatchLimits> {
    if matches!(at.node.value, Value::Scalar(_)) {
        return at.boolean()?.then(BatchLimits::default);
    }
    let section = Section::read(at, &["max_events", "max_bytes", "max_delay"])?;
    let default = BatchLimits::default();
    let max_events =
        section.key("max_events").and_then(|at| at.whole_number(1..=MOST_EVENTS_PER_REQUEST));
    let max_bytes = section.key("max_bytes").and_then(|at| at.size(1, 1 << 30));
    let max_delay = section
        .key("max_delay")
        .and_then(|at| at.duration(Duration::ZERO, Duration::from_hours(1)));
    Some(BatchLimits {
        max_events: max_events.and_then(NonZeroUsize::new).unwrap_or(default.max_events),
        max_bytes: max_bytes.unwrap_or(default.max_bytes),
        max_delay: max_delay.unwrap_or(default.max_delay),
    })
}

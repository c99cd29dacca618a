//! Whether a topic keeps its records for as long as they may have to wait for an endpoint.
//!
//! The log is the queue, so what the broker deletes is lost to every action that has not read it.
//! Knows what of a topic's settings and of the actions is worth a warning. It does not know how
//! settings are asked for.

use std::time::Duration;

use crate::plan::{Action, ActionId, GiveUp, Plan};

/// How long a topic keeps its records, by its own settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Old records are deleted, and not just superseded ones.
    deletes: bool,
    /// `retention.ms`; none: without limit.
    time: Option<Duration>,
    /// `retention.bytes`, of each partition; none: without limit.
    bytes: Option<u64>,
}

impl Retention {
    /// Reads a topic's `cleanup.policy`, `retention.ms` and `retention.bytes`, where the broker has
    /// told them.
    #[must_use]
    pub fn new(policy: Option<&str>, time: Option<&str>, bytes: Option<&str>) -> Self {
        let policies = policy.unwrap_or("delete").split(',');
        let limit = |text: Option<&str>| text.and_then(|text| text.trim().parse::<u64>().ok());
        Self {
            deletes: policies.into_iter().any(|policy| policy.trim() == "delete"),
            // Without a limit they are -1, which is no number here.
            time: limit(time).map(Duration::from_millis),
            bytes: limit(bytes),
        }
    }

    /// What is worth a warning where these actions read the topic.
    #[must_use]
    pub fn warnings(self, plan: &Plan, actions: &[ActionId]) -> Vec<String> {
        let actions: Vec<_> = actions.iter().map(|id| &plan.actions[id.0]).collect();
        if !self.deletes || actions.is_empty() {
            return Vec::new();
        }
        let mut warnings = Vec::new();
        let give_up_after = |action: &&Action| action.delivery.retry.give_up_after;
        if let (Some(kept), Some(longest)) = (self.time, actions.iter().map(give_up_after).max())
            && kept < longest * 2
        {
            warnings.push(format!(
                "retention.ms is {}, less than twice the longest give_up_after, {}: events may be \
                 deleted while they wait for an endpoint",
                shown(kept),
                shown(longest)
            ));
        }
        if let Some(bytes) = self.bytes {
            warnings.push(format!(
                "retention.bytes is {bytes}: events may be deleted at any age while they wait for \
                 an endpoint"
            ));
        }
        let is_limited = self.time.is_some() || self.bytes.is_some();
        if let Some((action, why)) =
            actions.iter().find_map(|action| patient(action)).filter(|_| is_limited)
        {
            warnings.push(format!(
                "events may wait for ever, since {}/{} {why}, and the topic does not keep them for ever",
                action.destination_name, action.name
            ));
        }
        warnings
    }
}

/// Why an action may let its events wait for ever, if it may.
fn patient(action: &Action) -> Option<(&Action, &'static str)> {
    if action.paused {
        return Some((action, "is paused"));
    }
    (action.delivery.on_give_up == GiveUp::Hold).then_some((action, "never gives up (hold)"))
}

/// A duration in its largest whole unit.
fn shown(duration: Duration) -> String {
    let ms = duration.as_millis();
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s")];
    let unit = units.into_iter().find(|(unit, _)| ms >= *unit && ms.is_multiple_of(*unit));
    unit.map_or_else(|| format!("{ms}ms"), |(unit, name)| format!("{}{name}", ms / unit))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Retention;
    use crate::config::Config;
    use crate::plan::ActionId;

    /// The warnings for an action with these settings, in short.
    fn warned(settings: &str, policy: &str, time: &str, bytes: &str) -> Vec<&'static str> {
        let yaml = format!(
            "kafka: {{ bootstrap.servers: 'unused:1', group.id: g }}\n\
             sources: {{ s: {{ topics: [t] }} }}\n\
             destinations:\n  d:\n    actions:\n      a: {{ trigger: 'true', \
             url: https://example.com/, {settings} }}\n"
        );
        let config = Config::parse("test.yaml", &yaml, Path::new(""), &|name| std::env::var(name));
        let plan = config.unwrap_or_else(|errors| panic!("{errors}")).plan;
        let retention = Retention::new(Some(policy), Some(time), Some(bytes));
        let begins = |warning: String| {
            ["retention.ms", "retention.bytes", "events may wait for ever"]
                .into_iter()
                .find(|begin| warning.starts_with(begin))
                .unwrap_or_else(|| panic!("{warning}"))
        };
        retention.warnings(&plan, &[ActionId(0)]).into_iter().map(begins).collect()
    }

    #[test]
    fn what_may_be_deleted_before_it_is_delivered_is_warned_of() {
        let hour = "delivery: { retry: { give_up_after: 1h } }";
        let hold = "delivery: { on_give_up: hold, retry: { give_up_after: 1h } }";
        let paused = "paused: true, delivery: { retry: { give_up_after: 1h } }";
        let (time, bytes, ever) = ("retention.ms", "retention.bytes", "events may wait for ever");
        for (settings, policy, ms, size, expected) in [
            (hour, "delete", "7200000", "-1", &[][..]),
            (hour, "delete", "7199999", "-1", &[time]),
            (hour, "delete", "-1", "-1", &[]),
            (hour, "delete", "-1", "1000", &[bytes]),
            (hour, "compact,delete", "1", "1000", &[time, bytes]),
            (hour, "compact", "1", "1000", &[]),
            (hold, "delete", "604800000", "-1", &[ever]),
            (paused, "delete", "-1", "5", &[bytes, ever]),
            (hold, "delete", "-1", "-1", &[]),
        ] {
            assert_eq!(warned(settings, policy, ms, size), expected, "{settings} {policy} {ms}");
        }
    }

    #[test]
    fn what_the_broker_does_not_tell_is_not_guessed() {
        assert_eq!(Retention::new(None, None, None), Retention::new(None, Some("-1"), Some("x")));
    }

    #[test]
    fn durations_are_shown_in_whole_units() {
        use std::time::Duration;
        for (ms, text) in [(604_800_000, "7d"), (5_400_000, "90m"), (1500, "1500ms"), (0, "0ms")] {
            assert_eq!(super::shown(Duration::from_millis(ms)), text);
        }
    }
}

//! How large a part of an action's limit this member takes.
//!
//! As large as its part of the partitions that the action's events come from. What is redriven
//! comes from another topic, of which a member may hold a partition and of the sources none: so a
//! tenth of the limit goes with the partitions of that topic. All members together take the whole,
//! however the partitions are spread.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::plan::{ActionId, Plan};

/// The part of a limit that goes with the redrive topic, where that one is read.
const OF_REDRIVEN: f64 = 0.1;

/// What is known of partitions, by topic.
#[derive(Debug, Default)]
pub struct Known {
    /// How many partitions this member holds.
    pub held: BTreeMap<Arc<str>, usize>,
    /// How many there are in the cluster; none: nobody has told yet.
    pub all: Option<BTreeMap<Box<str>, usize>>,
}

impl Known {
    /// How many partitions this member holds of the topics for which `counts` says so, and how many
    /// there are.
    fn count(
        &self,
        all: &BTreeMap<Box<str>, usize>,
        counts: impl Fn(&str) -> bool,
    ) -> (usize, usize) {
        let held = self.held.iter().filter(|(topic, _)| counts(topic));
        let all = all.iter().filter(|(topic, _)| counts(topic));
        let (held, all) = (held.map(|it| *it.1).sum(), all.map(|it| *it.1).sum::<usize>());
        // A topic may be newer than what was told.
        (held, all.max(held))
    }
}

/// This member's part of the limit of an action, 0 to 1. Nothing before it is known how many
/// partitions there are: every member would take too much.
///
/// # Panics
/// When the action is of another plan.
#[must_use]
pub fn share(plan: &Plan, id: ActionId, known: &Known) -> f64 {
    let Some(all) = &known.all else { return 0.0 };
    let sources = &plan.destinations[plan.actions[id.0].destination.0].sources;
    let is_redrive = |topic: &str| topic == &*plan.redrive_topic;
    let is_source = |topic: &str| {
        !is_redrive(topic)
            && topic != &*plan.dead_letter_topic
            && sources.iter().any(|source| plan.sources[source.0].holds(topic))
    };
    match (part(known.count(all, is_source)), part(known.count(all, is_redrive))) {
        (Some(sources), Some(redrive)) => (1.0 - OF_REDRIVEN) * sources + OF_REDRIVEN * redrive,
        (sources, redrive) => sources.or(redrive).unwrap_or(0.0),
    }
}

/// None where there are no partitions.
#[allow(clippy::cast_precision_loss, reason = "there are not that many partitions")]
fn part((held, all): (usize, usize)) -> Option<f64> {
    (all > 0).then(|| held as f64 / all as f64)
}

#[cfg(test)]
mod tests {
    use super::{Known, share};
    use crate::config::Config;
    use crate::plan::{ActionId, Plan};

    fn plan() -> Plan {
        let text = r"
kafka: { bootstrap.servers: 'unused:1', group.id: g }
sources: { one: { topics: [web] }, many: { topics: ['^app\..+', '^g\..+', web] }, other: { topics: [x] } }
destinations:
  one: { sources: [one], actions: { a: { trigger: 'true', url: 'https://h/' } } }
  many: { sources: [one, many], actions: { a: { trigger: 'true', url: 'https://h/' } } }
";
        let config = Config::parse("plan.yaml", text, "".as_ref(), &|name| std::env::var(name));
        config.unwrap_or_else(|errors| panic!("{errors}")).plan
    }

    fn known(held: &[(&str, usize)], all: &[(&str, usize)]) -> Known {
        let held = held.iter().map(|(topic, count)| ((*topic).into(), *count)).collect();
        let all = all.iter().map(|(topic, count)| ((*topic).into(), *count)).collect();
        Known { held, all: Some(all) }
    }

    /// Of the action that reads one topic and of the one that reads several, in percent.
    fn shares(known: &Known) -> [String; 2] {
        let plan = plan();
        [0, 1].map(|action| format!("{:.1}", share(&plan, ActionId(action), known) * 100.0))
    }

    #[test]
    fn a_share_is_that_of_the_partitions_of_the_topics_that_the_action_reads() {
        let all = [("web", 4), ("app.a", 8), ("app.b", 8), ("x", 50), ("foreign", 7)];
        let held = [("web", 1), ("app.b", 3), ("x", 50)];
        assert_eq!(shares(&known(&held, &all)), ["25.0", "20.0"]);
        assert_eq!(shares(&known(&all, &all)), ["100.0", "100.0"]);
        assert_eq!(shares(&known(&[], &all)), ["0.0", "0.0"]);
    }

    #[test]
    fn a_tenth_goes_with_the_redrive_topic_and_nothing_with_the_dead_letters() {
        let all = [("web", 4), ("g.redrive", 2), ("g.dead-letter", 5)];
        assert_eq!(shares(&known(&[("web", 2)], &all))[0], "45.0");
        assert_eq!(shares(&known(&[("web", 2), ("g.redrive", 1)], &all))[0], "50.0");
        assert_eq!(shares(&known(&[("g.redrive", 1)], &all)), ["5.0", "5.0"]);
        assert_eq!(shares(&known(&all, &all)), ["100.0", "100.0"]);
    }

    #[test]
    fn nothing_is_taken_before_it_is_known_how_many_partitions_there_are() {
        let known = Known { all: None, ..known(&[("web", 4)], &[]) };
        assert_eq!(shares(&known), ["0.0", "0.0"]);
    }

    #[test]
    fn a_topic_that_is_newer_than_what_was_told_counts_with_what_is_held_of_it() {
        assert_eq!(shares(&known(&[("web", 4), ("app.c", 4)], &[("web", 12)])), ["33.3", "66.7"]);
        assert_eq!(shares(&known(&[("web", 3)], &[])), ["100.0", "100.0"]);
    }
}

//! What the demo says in the end: a table, and what to try next.

use super::ledger::Tally;
use crate::bar::grouped;

/// What has become of the events.
#[derive(Debug, Clone, Copy)]
pub(super) struct Account {
    /// Events that the broker has acknowledged.
    pub(super) events: u64,
    /// Those among them that Hookcast counts as settled and the receiver never accepted.
    pub(super) lost: u64,
    /// Those that are still owed: they stand in Kafka, and a next run would deliver them.
    pub(super) waiting: u64,
    pub(super) tally: Tally,
}

impl Account {
    /// Whether everything is as promised.
    pub(super) fn is_good(&self) -> bool {
        self.lost == 0 && self.tally.verified == self.tally.requests
    }

    /// The table, ready to print.
    pub(super) fn table(&self) -> String {
        let Tally { requests, batches, refused, verified, duplicates, .. } = self.tally;
        let mut rows = vec![
            ("events", self.events, "written to Kafka"),
            ("requests", requests, ""),
            ("batches", batches, "requests with up to 100 events; the others carry one"),
            ("retries", refused, "requests that the receiver answered with 503"),
            ("verified signatures", verified, "every request is signed, and every one is checked"),
            ("duplicates", duplicates, "events accepted more than once"),
        ];
        if self.waiting > 0 {
            rows.push(("still in Kafka", self.waiting, "a next run would deliver them"));
        }
        rows.push(("lost", self.lost, ""));
        let line = |(name, number, remark): (&str, u64, &str)| {
            let line = format!("  {name:>19}: {:<10}{remark}", grouped(number));
            line.trim_end().to_owned() + "\n"
        };
        rows.into_iter().map(line).collect()
    }
}

/// A first configuration, as short as one can be.
const FIRST_CONFIGURATION: &str = r#"kafka: { bootstrap.servers: localhost:9092, group.id: hookcast }
sources: { web: { topics: [events.web] } }
destinations:
  crm: { actions: { all: { trigger: type = "track", url: https://example.com/hook } } }
"#;

/// What to try next, where `program` is what has to be typed to start Hookcast.
pub(super) fn next_steps(program: &str) -> String {
    let configuration = FIRST_CONFIGURATION.replace('\n', "\n         ");
    let configuration = configuration.trim_end();
    format!(
        "\
Next, with a Kafka and a webhook of your own:
  1. write hookcast.yaml, for example
         {configuration}
  2. {program} check    # is it right, and what would run?
  3. {program} run      # deliver"
    )
}

#[cfg(test)]
mod tests {
    use std::env::VarError;
    use std::path::Path;

    use super::{Account, FIRST_CONFIGURATION, next_steps};
    use crate::config::Config;
    use crate::demo::ledger::Tally;

    const GOOD: Account = Account {
        events: 50_000,
        lost: 0,
        waiting: 0,
        tally: Tally {
            requests: 11_234,
            batches: 1234,
            refused: 561,
            verified: 11_234,
            accepted: 50_000,
            duplicates: 0,
        },
    };

    #[test]
    fn the_table_says_what_has_become_of_the_events() {
        insta::assert_snapshot!(Account { waiting: 7, ..GOOD }.table());
    }

    #[test]
    fn the_next_steps_can_be_typed() {
        insta::assert_snapshot!(next_steps("target/debug/hookcast"));
    }

    #[test]
    fn the_first_configuration_is_right() {
        let variable = |_: &str| Err(VarError::NotPresent);
        let config = Config::parse("hookcast.yaml", FIRST_CONFIGURATION, Path::new(""), &variable);
        let config = config.unwrap_or_else(|errors| panic!("{errors}"));
        assert!(config.warnings.is_empty());
    }

    #[test]
    fn a_lost_event_and_a_wrong_signature_are_not_good() {
        assert!(GOOD.is_good());
        assert!(!Account { lost: 1, ..GOOD }.is_good());
        let tally = Tally { verified: 11_233, ..GOOD.tally };
        assert!(!Account { tally, ..GOOD }.is_good());
    }
}

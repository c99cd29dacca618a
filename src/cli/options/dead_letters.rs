//! What can be typed about dead letters.

use std::num::NonZeroU64;
use std::time::Duration;

use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser};
use clap::{Args, Subcommand, value_parser};

use crate::cli::moment;
use crate::config::parse_duration;

/// Why letters are written.
const REASONS: [&str; 6] = [
    "rejected",
    "expired",
    "invalid_event",
    "invalid_payload",
    "invalid_request",
    "action_removed",
];

#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub(in crate::cli) enum DeadLetters {
    /// Show the letters that were not redriven yet
    ///
    /// Reads the dead-letter topic from its beginning to the end that it has now, and changes
    /// nothing. Letters come partition by partition, those of a partition in the order in which they
    /// were written. However many there are, they are not held in memory.
    #[command(after_help = "\
Examples:
  hookcast dead-letters list
  hookcast dead-letters list --action signups --status 404 --since 2h
  hookcast dead-letters list --json | jq -r .error | sort | uniq -c | sort -rn

Exit status: 0 done, 1 the topic cannot be read, 2 bad usage or configuration.")]
    List {
        #[command(flatten)]
        filters: Filters,

        /// Print one JSON object on each line, with the key, the value and all headers
        #[arg(long)]
        json: bool,
    },

    /// Deliver letters after all
    ///
    /// Writes letters to the redrive topic, from which the group delivers them to the actions that
    /// they were written for, and hides them from now on. Neither the action's trigger nor the
    /// event's `integrations` are asked again; the action's mapping is that of today. The
    /// Idempotency-Key of an event that was sent alone is the one that it had. A letter that fails
    /// again comes back as a new one.
    ///
    /// Letters stay where they are that nobody could deliver: of records that are no events, of
    /// actions that the configuration does not know or that are disabled, and those whose value was
    /// cut. Interrupted, it repeats letters when it is run again, and loses none.
    #[command(after_help = "\
Examples:
  hookcast dead-letters redrive --dry-run
  hookcast dead-letters redrive --destination crm --status 401
  hookcast dead-letters redrive --action signups --limit 1      # try one first

Exit status: 0 done, 1 a topic cannot be read or written, or it was interrupted, 2 bad usage or
configuration.")]
    Redrive {
        #[command(flatten)]
        filters: Filters,

        /// Say what would be redriven, and write nothing
        #[arg(long)]
        dry_run: bool,
    },
}

/// Which letters are meant: those that pass every filter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub(in crate::cli) struct Filters {
    /// Only letters of this destination
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(in crate::cli) destination: Option<String>,

    /// Only letters of actions with this name
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(in crate::cli) action: Option<String>,

    /// Only letters that were written for this reason
    #[arg(long, value_name = "REASON", value_parser = PossibleValuesParser::new(REASONS))]
    pub(in crate::cli) reason: Option<String>,

    /// Only letters whose last answer had this status
    #[arg(long, value_name = "CODE", value_parser = value_parser!(u16).range(100..=999))]
    pub(in crate::cli) status: Option<u16>,

    /// Only letters that were written since: 2h ago, or 2026-11-22T14:00:00Z
    #[arg(long, value_name = "WHEN", value_parser = since)]
    pub(in crate::cli) since: Option<Since>,

    /// At most so many letters
    #[arg(long, value_name = "N")]
    pub(in crate::cli) limit: Option<NonZeroU64>,

    /// Those too that were redriven already
    #[arg(long)]
    pub(in crate::cli) all: bool,
}

/// A moment in the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Since {
    /// So long ago.
    Ago(Duration),
    /// In milliseconds since 1970-01-01 UTC.
    At(i64),
}

fn since(text: &str) -> Result<Since, String> {
    if let Some(at) = moment::parse(text) {
        return Ok(Since::At(at));
    }
    parse_duration(text).map(Since::Ago).map_err(|hint| {
        let expected = "expected a duration such as `2h`, or a time such as `2026-11-22T14:00:00Z`";
        if hint.is_empty() { expected.to_owned() } else { format!("{expected}: {hint}") }
    })
}

#[cfg(test)]
mod tests {
    use super::{REASONS, Since, since};
    use crate::dead_letter::Reason;

    #[test]
    fn a_moment_is_told_by_a_duration_or_a_time() {
        assert_eq!(since("90m"), Ok(Since::Ago(std::time::Duration::from_mins(90))));
        assert_eq!(since("2025-11-24T16:00:00Z"), Ok(Since::At(1_764_000_000_000)));
        for (text, hint) in [("7d", "write `168h`"), ("2025-11-24", "2026-11-22T14:00:00Z")] {
            let why = since(text).expect_err("no moment");
            assert!(why.contains(hint), "{why}");
        }
    }

    #[test]
    fn every_reason_can_be_asked_for() {
        assert!(Reason::ALL.iter().all(|reason| REASONS.contains(&reason.as_str())));
    }
}

//! What can be typed.
//!
//! Knows the commands, their options and the help about them.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum, value_parser};

use crate::demo;

mod dead_letters;

pub(super) use dead_letters::{DeadLetters, Filters, Since};

/// Delivers events from Kafka topics to webhooks: signed, in order, at least once.
#[derive(Debug, Parser)]
#[command(
    name = "hookcast",
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    after_help = "\
Examples:
  hookcast demo                         # see it deliver, with nothing installed
  hookcast check                        # is hookcast.yaml right, and what would run?
  hookcast explain event.json           # what would become of this event, and why?
  hookcast run --config /etc/hookcast.yaml
  hookcast progress                     # how far is the group, and who is behind?
  hookcast dead-letters list            # what could not be delivered?

Exit status: 0 done, 1 failed while running, 2 bad usage or configuration."
)]
pub(super) struct Options {
    #[command(subcommand)]
    pub(super) command: Command,

    /// The configuration
    #[arg(
        short,
        long,
        global = true,
        value_name = "FILE",
        env = "HOOKCAST_CONFIG",
        hide_env_values = true,
        default_value = "hookcast.yaml"
    )]
    pub(super) config: PathBuf,

    /// How much is logged, on stderr [default: info, for demo: error]
    #[arg(
        long,
        global = true,
        value_name = "LEVEL",
        long_help = "\
How much is logged, on stderr [default: info, for demo: error]

Without it, RUST_LOG decides, which may name modules too:
RUST_LOG=info,hookcast::consumer=debug"
    )]
    pub(super) log_level: Option<LogLevel>,

    /// How logs look [default: human on a terminal, json otherwise]
    #[arg(long, global = true, value_name = "FORMAT")]
    pub(super) log_format: Option<LogFormat>,
}

#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub(super) enum Command {
    /// Deliver events until told to stop
    ///
    /// Joins the consumer group and delivers what it is owed. SIGTERM and Ctrl-C end it after
    /// what is in flight has been settled and committed; a second one ends it at once.
    #[command(after_help = "\
Examples:
  hookcast run
  hookcast run --config /etc/hookcast.yaml --log-level debug
  HOOKCAST_CONFIG=/etc/hookcast.yaml hookcast run --log-format json

Exit status: 0 stopped as told, 1 failed while running, 2 bad usage or configuration.")]
    Run,

    /// Check the configuration and show what would run
    ///
    /// Reads the configuration and the files that it names, and reports everything that is wrong
    /// at once. Warns about what is legal and surely not meant. Touches no network and shows no
    /// secret.
    #[command(after_help = "\
Examples:
  hookcast check
  hookcast check --config /etc/hookcast.yaml
  hookcast check --strict               # for a pipeline: fail on warnings, too

Exit status: 0 the configuration is right, 2 it is not (with --strict also: it has warnings), or
bad usage.")]
    Check {
        /// Take warnings for errors
        #[arg(long)]
        strict: bool,
    },

    /// Say what would become of an event, and why
    ///
    /// For every action, in the file's order: does the event match, and if not, which part of the
    /// trigger failed, or what else stands against it? For each match: the request exactly as it
    /// would be sent, signed, and the curl line that repeats it. Touches no network unless told to
    /// --send.
    ///
    /// What `${…}` put into a header or into the user, password or query of a URL is shown as ***.
    /// The Idempotency-Key of a request that comes from no topic is made of the action and the
    /// event's bytes, and begins with `explain-`.
    #[command(after_help = "\
Examples:
  hookcast explain event.json
  hookcast explain event.json --topic events.web --json
  echo '{\"type\":\"track\",\"event\":\"Signed Up\"}' | hookcast explain - --send

Exit status: 0 explained, and every request that was sent was accepted; 1 one was not; 2 bad usage,
configuration or file.")]
    Explain(Explain),

    /// Show how far the group is, per partition and action
    ///
    /// Asks the broker what the group has committed, whether members run or not, and changes
    /// nothing. A line for each partition and action says from where on it has not settled
    /// everything, how far that is from the end of the log (LAG), how many runs of unsettled
    /// events lie below what it has settled already (RUNS), and since when its endpoint fails.
    /// An action is behind where it has not settled all that the partition's reader has read.
    #[command(after_help = "\
Examples:
  hookcast progress
  hookcast progress | grep ^behind
  hookcast progress --json | jq -r '.[] | select(.lag > 1000) | .action'

Exit status: 0 done, 1 the broker cannot be asked, 2 bad usage or configuration.")]
    Progress {
        /// Print one JSON array, with an object for each partition and action
        #[arg(long)]
        json: bool,
    },

    /// Show what could not be delivered, and deliver it after all
    ///
    /// Events that are refused, that expire, or that make no request are written to the dead-letter
    /// topic. `list` shows them; `redrive` has those delivered that can be, once the reason is gone.
    #[command(after_help = "\
Examples:
  hookcast dead-letters list --since 24h
  hookcast dead-letters redrive --action signups --dry-run

Exit status: 0 done, 1 failed, 2 bad usage or configuration.")]
    DeadLetters {
        #[command(subcommand)]
        command: DeadLetters,
    },

    /// See it deliver, with nothing installed
    ///
    /// Runs the service between a Kafka broker and a receiver of its own: events are generated,
    /// delivered as signed requests, one at a time and in batches, and counted where they arrive.
    /// Every signature is verified. Needs no network, and takes about 20 seconds. Reads no
    /// configuration. Ctrl-C ends it early, with the table of what has happened so far.
    #[command(after_help = "\
Examples:
  hookcast demo
  hookcast demo --failures 30%          # three requests of ten are answered with 503
  hookcast demo --keep                  # look at /metrics afterwards

Exit status: 0 nothing was lost and every signature was right, 1 otherwise, 2 bad usage.")]
    Demo {
        /// How many events are delivered
        #[arg(
            long,
            value_name = "N",
            default_value_t = demo::USUAL_EVENTS,
            value_parser = value_parser!(u32).range(1..=10_000_000),
        )]
        events: u32,

        /// How many of the requests the receiver answers with 503
        #[arg(long, value_name = "PERCENT", default_value = "5%")]
        failures: demo::Failures,

        /// Stay up afterwards, until Ctrl-C
        #[arg(long)]
        keep: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(super) struct Explain {
    /// The event, as JSON: a file, or - for standard input
    ///
    /// One event, an array of them, or one on each line. A record that is no JSON object is
    /// explained too.
    #[arg(value_name = "EVENT.json")]
    pub(super) event: PathBuf,

    /// The topic that the event would come from [default: one of every source]
    #[arg(long, value_name = "TOPIC", value_parser = NonEmptyStringValueParser::new())]
    pub(super) topic: Option<String>,

    /// Send the requests, once, and print the answers
    #[arg(long)]
    pub(super) send: bool,

    /// Print one JSON array, with an element for each action
    #[arg(long)]
    pub(super) json: bool,

    /// Show what is sent, secrets too
    #[arg(long)]
    pub(super) show_secrets: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogLevel {
    Off,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// One coloured line for each event
    Human,
    /// One JSON object for each event
    Json,
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::{Command, Options};

    fn help(arguments: &[&str]) -> String {
        let error = Options::try_parse_from(arguments).expect_err("help is no command");
        error.to_string()
    }

    #[test]
    fn the_definition_is_consistent() {
        Options::command().debug_assert();
    }

    #[test]
    fn options_stand_before_and_after_the_command() {
        for arguments in
            [["hookcast", "-c", "a.yaml", "check"], ["hookcast", "check", "-c", "a.yaml"]]
        {
            let options = Options::try_parse_from(arguments).unwrap();
            assert_eq!(options.command, Command::Check { strict: false });
            assert_eq!(options.config.to_str(), Some("a.yaml"));
        }
    }

    #[test]
    fn help_for_the_program() {
        insta::assert_snapshot!(help(&["hookcast", "--help"]));
    }

    #[test]
    fn help_for_run() {
        insta::assert_snapshot!(help(&["hookcast", "run", "--help"]));
    }

    #[test]
    fn help_for_check() {
        insta::assert_snapshot!(help(&["hookcast", "check", "--help"]));
    }

    #[test]
    fn help_for_explain() {
        insta::assert_snapshot!(help(&["hookcast", "explain", "--help"]));
    }

    #[test]
    fn help_for_progress() {
        insta::assert_snapshot!(help(&["hookcast", "progress", "--help"]));
    }

    #[test]
    fn help_for_dead_letters() {
        insta::assert_snapshot!(help(&["hookcast", "dead-letters", "--help"]));
    }

    #[test]
    fn help_for_dead_letters_list() {
        insta::assert_snapshot!(help(&["hookcast", "dead-letters", "list", "--help"]));
    }

    #[test]
    fn help_for_dead_letters_redrive() {
        insta::assert_snapshot!(help(&["hookcast", "dead-letters", "redrive", "--help"]));
    }

    #[test]
    fn help_for_demo() {
        insta::assert_snapshot!(help(&["hookcast", "demo", "--help"]));
    }
}

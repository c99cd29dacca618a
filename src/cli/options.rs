//! What can be typed.
//!
//! Knows the commands, their options and the help about them.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

/// Delivers events from Kafka topics to webhooks: signed, in order, at least once.
#[derive(Debug, Parser)]
#[command(
    name = "hookcast",
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    after_help = "\
Examples:
  hookcast check                        # is hookcast.yaml right, and what would run?
  hookcast run --config /etc/hookcast.yaml

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

    /// How much is logged, on stderr [default: info]
    #[arg(
        long,
        global = true,
        value_name = "LEVEL",
        long_help = "\
How much is logged, on stderr [default: info]

Without it, RUST_LOG decides, which may name modules too:
RUST_LOG=info,hookcast::consumer=debug"
    )]
    pub(super) log_level: Option<LogLevel>,

    /// How logs look [default: human on a terminal, json otherwise]
    #[arg(long, global = true, value_name = "FORMAT")]
    pub(super) log_format: Option<LogFormat>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
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
    /// at once. Touches no network and shows no secret.
    #[command(after_help = "\
Examples:
  hookcast check
  hookcast check --config /etc/hookcast.yaml

Exit status: 0 the configuration is right, 2 it is not, or bad usage.")]
    Check,
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
            assert_eq!(options.command, Command::Check);
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
}

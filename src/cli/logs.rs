//! How logs look, how much is logged, and what is logged about a panic.

use std::io::{self, IsTerminal};
use std::panic;

use anyhow::Context;
use tracing_subscriber::EnvFilter;

use super::options::{LogFormat, LogLevel, Options};
use super::{FAILED, colours, complain};

/// From here on, everything that is logged goes to stderr, and a panic ends the process. `usual`
/// is logged where nobody has said how much.
///
/// # Errors
/// When `RUST_LOG` cannot be understood.
pub(super) fn start(options: &Options, usual: LogLevel) -> anyhow::Result<()> {
    let environment = std::env::var("RUST_LOG").ok();
    let filter = filter(options.log_level, environment.as_deref(), usual)?;
    let is_terminal = io::stderr().is_terminal();
    let format =
        options.log_format.unwrap_or(if is_terminal { LogFormat::Human } else { LogFormat::Json });
    let has_colours = colours::are_wanted(is_terminal);
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    match format {
        LogFormat::Human => logs.with_ansi(has_colours).init(),
        LogFormat::Json => logs.json().flatten_event(true).init(),
    }
    panic::set_hook(Box::new(|panic| {
        // A task that is gone is work that nobody does: the process ends, and is started again
        // by whatever watches over it, with nothing lost.
        let message = panic.payload_as_str().unwrap_or("no message");
        let place = panic.location().map_or_else(|| "somewhere".to_owned(), ToString::to_string);
        if tracing::enabled!(tracing::Level::ERROR) {
            tracing::error!(place, "panicked, which is a defect of hookcast: {message}");
        } else {
            complain(&format!("panicked at {place}, which is a defect of hookcast: {message}"));
        }
        std::process::exit(i32::from(FAILED));
    }));
    Ok(())
}

/// What is logged: the command line's word comes before the environment's.
fn filter(
    level: Option<LogLevel>,
    environment: Option<&str>,
    usual: LogLevel,
) -> anyhow::Result<EnvFilter> {
    let environment = environment.filter(|directives| !directives.trim().is_empty());
    let directives = match (level, environment) {
        (None, Some(directives)) => directives,
        (level, _) => directives(level.unwrap_or(usual)),
    };
    EnvFilter::builder()
        .parse(directives)
        .with_context(|| format!("RUST_LOG is not understood: `{directives}`"))
}

fn directives(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Off => "off",
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        // Libraries are chatty, and this is about hookcast and what it hears from Kafka.
        LogLevel::Debug => "info,hookcast=debug,rdkafka=debug,librdkafka=debug",
        LogLevel::Trace => "trace",
    }
}

#[cfg(test)]
mod tests {
    use super::filter;
    use crate::cli::options::LogLevel;

    #[test]
    fn the_command_line_comes_before_the_environment() {
        let chosen =
            |level, environment| filter(level, environment, LogLevel::Info).unwrap().to_string();
        assert_eq!(chosen(Some(LogLevel::Warn), Some("debug")), "warn");
        assert_eq!(chosen(None, Some("debug")), "debug");
        assert_eq!(chosen(None, Some("")), "info");
        assert_eq!(chosen(None, None), "info");
        assert!(filter(None, Some("hookcast=loud"), LogLevel::Info).is_err());
    }

    #[test]
    fn a_command_may_usually_be_quiet() {
        assert_eq!(filter(None, None, LogLevel::Warn).unwrap().to_string(), "warn");
    }
}

//! How logs look, how much is logged, and what is logged about a panic.

use std::io::{self, IsTerminal};
use std::panic;

use anyhow::Context;
use tracing_subscriber::EnvFilter;

use super::options::{LogFormat, LogLevel, Options};
use super::{FAILED, complain};

/// From here on, everything that is logged goes to stderr, and a panic ends the process.
///
/// # Errors
/// When `RUST_LOG` cannot be understood.
pub(super) fn start(options: &Options) -> anyhow::Result<()> {
    let filter = filter(options.log_level, std::env::var("RUST_LOG").ok().as_deref())?;
    let is_terminal = io::stderr().is_terminal();
    let format =
        options.log_format.unwrap_or(if is_terminal { LogFormat::Human } else { LogFormat::Json });
    let has_colours =
        is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
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
fn filter(level: Option<LogLevel>, environment: Option<&str>) -> anyhow::Result<EnvFilter> {
    let directives = match (level, environment) {
        (Some(LogLevel::Off), _) => "off",
        (Some(LogLevel::Error), _) => "error",
        (Some(LogLevel::Warn), _) => "warn",
        // Libraries are chatty, and this is about hookcast and what it hears from Kafka.
        (Some(LogLevel::Debug), _) => "info,hookcast=debug,rdkafka=debug,librdkafka=debug",
        (Some(LogLevel::Trace), _) => "trace",
        (None, Some(directives)) if !directives.trim().is_empty() => directives,
        (Some(LogLevel::Info) | None, _) => "info",
    };
    EnvFilter::builder()
        .parse(directives)
        .with_context(|| format!("RUST_LOG is not understood: `{directives}`"))
}

#[cfg(test)]
mod tests {
    use super::filter;
    use crate::cli::options::LogLevel;

    #[test]
    fn the_command_line_comes_before_the_environment() {
        let chosen = |level, environment| filter(level, environment).unwrap().to_string();
        assert_eq!(chosen(Some(LogLevel::Warn), Some("debug")), "warn");
        assert_eq!(chosen(None, Some("debug")), "debug");
        assert_eq!(chosen(None, Some("")), "info");
        assert_eq!(chosen(None, None), "info");
        assert!(filter(None, Some("hookcast=loud")).is_err());
    }
}

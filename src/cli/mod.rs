//! The command line: what was typed, and what becomes of it.
//!
//! Knows the commands, their exit statuses and how logs look. It does little itself: `check`
//! shows a configuration, `explain` what it does with an event, `run` hands it to the service,
//! `progress` looks on, `dead-letters` reads and writes back what could not be delivered, and
//! `demo` needs none.

mod check;
mod colours;
mod columns;
mod dead_letters;
mod explain;
mod logs;
mod moment;
mod onlooker;
mod options;
mod progress;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::config::Config;
use crate::demo::{self, Demo};
use crate::service;
use options::{Command, DeadLetters, Explain, LogLevel, Options};
use progress::Form;

/// Everything was done.
const DONE: u8 = 0;
/// Something failed while running.
const FAILED: u8 = 1;
/// The command line or the configuration is wrong.
const WRONG: u8 = 2;

/// The program, from its arguments to its exit status.
#[must_use]
pub fn main() -> ExitCode {
    let options = match Options::try_parse() {
        Ok(options) => options,
        Err(error) => {
            // Help and version are no errors; whoever closed the pipe does not want to read on.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { WRONG } else { DONE });
        }
    };
    let usual = match options.command {
        Command::Run
        | Command::Check { .. }
        | Command::Explain(_)
        | Command::Progress { .. }
        | Command::DeadLetters { .. } => LogLevel::Info,
        // A receiver that refuses on purpose is no news, and lines of a log would tear the picture.
        Command::Demo { .. } => LogLevel::Error,
    };
    if let Err(error) = logs::start(&options, usual) {
        complain(&format!("hookcast: {error:#}"));
        return ExitCode::from(WRONG);
    }
    ExitCode::from(match options.command {
        Command::Check { strict } => {
            with_config(&options, |config| check(&config, &options, strict))
        }
        Command::Explain(ref asked) => with_config(&options, |config| explain(&config, asked)),
        Command::Run => with_config(&options, run),
        Command::Progress { json } => with_config(&options, |config| progress(&config, json)),
        Command::DeadLetters { ref command } => {
            with_config(&options, |config| dead_letters(&config, command))
        }
        Command::Demo { events, failures, keep } => {
            demo(&Demo { events, failures, keep, program: program() })
        }
    })
}

/// Does what needs a configuration, if there is a valid one.
fn with_config(options: &Options, command: impl FnOnce(Config) -> u8) -> u8 {
    match Config::load(&options.config) {
        Ok(config) => command(config),
        Err(errors) => {
            let count = counted(errors.0.len() as u64, "error");
            complain(&format!("{errors}\n\n{count} in {}", options.config.display()));
            WRONG
        }
    }
}

fn check(config: &Config, options: &Options, strict: bool) -> u8 {
    for warning in &config.warnings {
        complain(&format!("warning: {warning}\n"));
    }
    if strict && !config.warnings.is_empty() {
        let count = counted(config.warnings.len() as u64, "warning");
        complain(&format!("{count}, and --strict was given"));
        return WRONG;
    }
    let summary = check::summary(&options.config, config);
    match io::stdout().lock().write_all(summary.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            complain(&format!("hookcast: the summary cannot be written: {error}"));
            FAILED
        }
        _ => DONE,
    }
}

fn explain(config: &Config, asked: &Explain) -> u8 {
    match explain::run(config, asked) {
        Ok(explain::Ended::Well) => DONE,
        Ok(explain::Ended::Refused) => FAILED,
        // Whoever looked at it has seen enough.
        Err(explain::Error::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => DONE,
        Err(error) => {
            let is_usage = matches!(error, explain::Error::Input(_));
            complain(&format!("hookcast: {:#}", anyhow::Error::new(error)));
            if is_usage { WRONG } else { FAILED }
        }
    }
}

fn run(config: Config) -> u8 {
    for warning in &config.warnings {
        let hint = warning.hint.as_ref().map_or_else(String::new, |hint| format!(": {hint}"));
        tracing::warn!("{}{hint}", warning.summary());
    }
    match service::run(config) {
        Ok(()) => DONE,
        Err(error) => {
            tracing::error!("{:#}", anyhow::Error::new(error));
            FAILED
        }
    }
}

fn progress(config: &Config, json: bool) -> u8 {
    let form = if json { Form::Json } else { Form::Table };
    match progress::print(config, form) {
        Ok(()) => DONE,
        // Whoever looked at it has seen enough.
        Err(progress::Error::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => DONE,
        Err(error) => {
            complain(&format!("hookcast: {:#}", anyhow::Error::new(error)));
            FAILED
        }
    }
}

fn dead_letters(config: &Config, command: &DeadLetters) -> u8 {
    use dead_letters::{Ended, Error, Form, Mode};
    let done = match command {
        DeadLetters::List { filters, json } => {
            let form = if *json { Form::Json } else { Form::Table };
            dead_letters::list(config, filters, form).map(|()| Ended::Well)
        }
        DeadLetters::Redrive { filters, dry_run } => {
            let mode = if *dry_run { Mode::DryRun } else { Mode::Redrive };
            dead_letters::redrive(config, filters, mode)
        }
    };
    match done {
        Ok(Ended::Well) => DONE,
        Ok(Ended::Interrupted) => FAILED,
        // Whoever looked at it has seen enough.
        Err(Error::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => DONE,
        Err(error) => {
            complain(&format!("hookcast: {:#}", anyhow::Error::new(error)));
            FAILED
        }
    }
}

fn demo(demo: &Demo) -> u8 {
    match demo::run(demo) {
        Ok(demo::Ended::Well) => DONE,
        Ok(demo::Ended::Badly) => FAILED,
        // Whoever looked at it has seen enough.
        Err(demo::Error::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => DONE,
        Err(error) => {
            complain(&format!("hookcast: {:#}", anyhow::Error::new(error)));
            FAILED
        }
    }
}

/// What has to be typed to start this program again.
fn program() -> String {
    std::env::args_os()
        .next()
        .map_or_else(|| "hookcast".into(), |name| name.to_string_lossy().into())
}

/// `1 error`, `2 errors`.
fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Says something to whoever started the program. That nobody listens is no reason to fail.
fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

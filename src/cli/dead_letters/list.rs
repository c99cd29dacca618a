//! `list`: the letters, as they are read.

use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;

use super::filter::Filter;
use super::table::Table;
use super::topic::Topic;
use super::{Error, Form, json};
use crate::cli::options::Filters;
use crate::cli::{complain, counted};
use crate::config::Config;
use crate::dead_letter::{Letter, Place, Redriven};
use crate::disguise::{Hidden, Secrets};

/// A letter, and what is to be said about it.
pub(super) struct Shown<'l> {
    pub(super) letter: &'l Letter<'l>,
    pub(super) place: Place,
    /// What the endpoint has said, or why it was not asked; without secrets.
    pub(super) error: String,
    pub(super) is_redriven: bool,
}

/// What became of the records that were read.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) shown: u64,
    /// Meant, and redriven already.
    pub(super) hidden: u64,
    pub(super) foreign: u64,
    pub(super) is_cut_short: bool,
}

/// Prints the letters that are meant to standard output.
pub(in crate::cli) fn list(config: &Config, filters: &Filters, form: Form) -> Result<(), Error> {
    let filter = Filter::new(filters);
    let topic = Topic::open(config, filter.since)?;
    let redriven = topic.redriven()?;
    let masks = Masks::new(config);
    let mut out = BufWriter::new(io::stdout().lock());
    let mut table = Table::new(filters.all);
    let mut tally = Tally::default();
    topic.read(|record, place| {
        let Some(letter) = Letter::read(record) else {
            tally.foreign += u64::from(!Redriven::is_marker(record));
            return Ok(ControlFlow::Continue(()));
        };
        if !filter.matches(&letter, place) {
            return Ok(ControlFlow::Continue(()));
        }
        let is_redriven = redriven.hides(&letter, place);
        if is_redriven && !filters.all {
            tally.hidden += 1;
            return Ok(ControlFlow::Continue(()));
        }
        // Only whoever has room for one more knows whether there is one.
        if filters.limit.is_some_and(|limit| tally.shown == limit.get()) {
            tally.is_cut_short = true;
            return Ok(ControlFlow::Break(()));
        }
        let error = masks.masked(&letter);
        let shown = Shown { letter: &letter, place, error, is_redriven };
        match form {
            Form::Table => table.add(&mut out, &shown)?,
            Form::Json => json::write(&mut out, &shown)?,
        }
        tally.shown += 1;
        Ok::<_, Error>(ControlFlow::Continue(()))
    })?;
    table.finish(&mut out)?;
    let summary = summary(&config.topics.dead_letter, &tally);
    if form == Form::Table {
        writeln!(out, "{summary}")?;
    }
    out.flush()?;
    if form == Form::Json {
        // Standard output is for programs.
        complain(&summary);
    }
    Ok(())
}

/// What it comes to.
pub(super) fn summary(topic: &str, tally: &Tally) -> String {
    let mut parts = Vec::new();
    if tally.foreign > 0 {
        parts.push(format!("{} of other programs skipped", counted(tally.foreign, "record")));
    }
    if tally.is_cut_short {
        parts.push("more beyond --limit".to_owned());
    }
    parts.push(format!("{} shown", counted(tally.shown, "letter")));
    let all = if tally.hidden > 0 { " (redriven already; --all shows them)" } else { "" };
    parts.push(format!("{} hidden{all}", tally.hidden));
    format!("{topic}: {}", parts.join(", "))
}

/// What must not be shown of what endpoints have said.
struct Masks<'c> {
    config: &'c Config,
    by_action: Vec<Hidden>,
}

impl<'c> Masks<'c> {
    fn new(config: &'c Config) -> Self {
        let disguises = config.disguises.iter();
        let by_action = disguises.map(|disguise| disguise.hidden(None, Secrets::Masked)).collect();
        Self { config, by_action }
    }

    /// The error of a letter as it may be shown. It may have been cut in the middle of a secret.
    fn masked(&self, letter: &Letter<'_>) -> String {
        let to = letter.address;
        let id = to.and_then(|to| self.config.plan.action_named(to.destination, to.action));
        id.map_or_else(
            || letter.error.clone().into_owned(),
            |id| self.by_action[id.0].masked_part(&letter.error),
        )
    }
}

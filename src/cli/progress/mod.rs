//! What `hookcast progress` says: how far a group is, per partition and action.
//!
//! It looks on: nothing of the group changes, whether members run or not.

mod broker;
mod json;
mod standing;
mod table;
#[cfg(test)]
mod tests;

use std::io::{self, BufWriter, Write as _};

use crate::config::Config;

/// How it is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// For people.
    Table,
    /// For programs.
    Json,
}

/// Why it cannot be said.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    Broker(#[from] broker::Error),
    #[error("standard output cannot be written")]
    Output(#[from] io::Error),
}

/// Asks the broker and prints what it says to standard output.
pub(super) fn print(config: &Config, form: Form) -> Result<(), Error> {
    let answers = broker::ask(config)?;
    for topic in &answers.missing {
        super::complain(&format!("warning: there is no topic {topic}"));
    }
    let standings = answers.partitions.into_iter();
    let standings: Vec<_> =
        standings.map(|answer| standing::of_partition(answer, &config.plan)).collect();
    let mut out = BufWriter::new(io::stdout().lock());
    match form {
        Form::Table => table::write(&mut out, &config.kafka.group_id, &standings)?,
        Form::Json => json::write(&mut out, &standings)?,
    }
    Ok(out.flush()?)
}

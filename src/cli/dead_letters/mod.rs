//! What `hookcast dead-letters` does: shows what could not be delivered, and has it delivered after
//! all.

mod filter;
mod json;
mod judgement;
mod list;
mod outcome;
mod redrive;
mod status;
mod table;
#[cfg(test)]
mod tests;
mod topic;
mod writer;

use std::io;

use crate::cli::onlooker;
use crate::service;

pub(super) use list::list;
pub(super) use redrive::redrive;

/// How letters are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// For people.
    Table,
    /// For programs.
    Json,
}

/// Whether anything is written to a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Letters are redriven.
    Redrive,
    /// It is only said what would be.
    DryRun,
}

/// How a redrive has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    Well,
    /// Before it was through.
    Interrupted,
}

/// Why it cannot be done.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    Onlooker(#[from] onlooker::Error),
    #[error(transparent)]
    Topic(#[from] topic::Error),
    #[error(transparent)]
    Redrive(#[from] crate::redrive::Error),
    #[error(transparent)]
    Service(#[from] service::Error),
    #[error("standard output cannot be written")]
    Output(#[from] io::Error),
}

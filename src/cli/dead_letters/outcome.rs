//! What has become of the letters of a redrive, as it is told in the end.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::Mode;
use super::judgement::Obstacle;
use crate::cli::columns::printable;
use crate::cli::counted;
use crate::config::Config;
use crate::plan::ActionId;

/// The most reasons to leave letters that are told apart: they name actions, and anybody may have
/// written the names.
const MOST_REASONS: usize = 20;

/// What has become of what was found.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) redriven: BTreeMap<ActionId, u64>,
    pub(super) left: BTreeMap<Obstacle, u64>,
    /// Left for reasons that are not listed, because there are too many.
    pub(super) left_for_more: u64,
    pub(super) hidden: u64,
    pub(super) foreign: u64,
    pub(super) is_cut_short: bool,
}

impl Tally {
    /// A letter to this action is through.
    pub(super) fn redriven(&mut self, to: ActionId) {
        *self.redriven.entry(to).or_default() += 1;
    }

    /// A letter stays where it is.
    pub(super) fn leave(&mut self, obstacle: Obstacle) {
        if self.left.len() < MOST_REASONS || self.left.contains_key(&obstacle) {
            *self.left.entry(obstacle).or_default() += 1;
        } else {
            self.left_for_more += 1;
        }
    }

    /// How many letters are through.
    pub(super) fn count_redriven(&self) -> u64 {
        self.redriven.values().sum()
    }
}

/// Says what has become of everything.
pub(super) fn write_summary(
    out: &mut impl Write,
    config: &Config,
    mode: Mode,
    tally: &Tally,
) -> io::Result<()> {
    let topic = &config.topics.redrive;
    let done = if mode == Mode::DryRun { "would be redriven" } else { "redriven" };
    let redriven = counted(tally.count_redriven(), "letter");
    let beyond = if tally.is_cut_short { ", and more beyond --limit" } else { "" };
    writeln!(out, "{redriven} {done} to {topic}{beyond}")?;
    for (id, count) in &tally.redriven {
        let action = &config.plan.actions[id.0];
        writeln!(out, "  {count} to {}/{}", action.destination_name, action.name)?;
    }
    let left = tally.left.values().sum::<u64>() + tally.left_for_more;
    if left > 0 {
        writeln!(out, "{} left where they are", counted(left, "letter"))?;
        for (obstacle, count) in &tally.left {
            writeln!(out, "  {count} {}", printable(&obstacle.to_string()))?;
        }
        if tally.left_for_more > 0 {
            writeln!(out, "  {} to other actions", tally.left_for_more)?;
        }
    }
    if tally.hidden > 0 {
        let hidden = counted(tally.hidden, "letter");
        writeln!(out, "{hidden} hidden: redriven already, and not again without --all")?;
    }
    if tally.foreign > 0 {
        writeln!(out, "{} of other programs skipped", counted(tally.foreign, "record"))?;
    }
    out.flush()
}

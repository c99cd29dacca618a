//! How far each lane of a partition is: the text beside the committed position.
//!
//! Knows the format that `docs/progress.md` specifies, and how a text that grows too long is
//! folded. It does not know where lanes come from, nor who takes up what they have left.
//!
//! The one rule of everything here: a text never says that more is settled than it was told. What
//! is forgotten is sent again; what is invented is lost.

mod fold;
mod parse;
#[cfg(test)]
mod tests;
mod write;

use crate::record::{Offset, Position};
use crate::runs::Runs;

pub use parse::Unusable;
use write::Entry;

/// How far the lanes of one partition are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The committed position: below it everything is settled, whatever stands elsewhere.
    pub position: Position,
    /// Where lanes start that are not listed: they have settled everything below, and nothing
    /// from here on. Never below `position`.
    pub start: Position,
    /// Lanes that stand elsewhere or have more to tell, each of them once.
    pub lanes: Vec<LaneProgress>,
}

/// How far one lane is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneProgress {
    /// The destination's name.
    pub destination: Box<str>,
    /// The action's name.
    pub action: Box<str>,
    /// Which lane of the action it is.
    pub origin: LaneOrigin,
    /// Below it the lane has settled everything but `unsettled`; from here on nothing.
    pub settled_below: Position,
    /// What the lane has not settled below `settled_below`.
    pub unsettled: Runs,
    /// Since when its endpoint fails, in milliseconds since 1970; written in whole seconds.
    pub failing_since: Option<i64>,
    /// Since when an event of it fails alone, of several the longest; in the same unit.
    pub alone_since: Option<i64>,
}

/// Which lane of an action.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LaneOrigin {
    /// The only one: the action's URL is constant.
    Constant,
    /// The one for an origin, of an action whose URL is mapped.
    Mapped {
        /// Tells this mapping of the URL from others.
        fingerprint: u32,
        /// Scheme, host and port.
        origin: Box<str>,
    },
    /// The one that origins beyond the bound share.
    Shared {
        /// Tells this mapping of the URL from others.
        fingerprint: u32,
    },
}

/// A progress as it is committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// The metadata of the commit; empty where there is nothing to tell.
    pub metadata: String,
    /// Where lanes start that the metadata does not list: lower than before where entries had
    /// no room.
    pub start: Position,
    /// How many lanes say less than they have settled, or are not listed any more.
    pub folded: usize,
}

impl Progress {
    /// The text for this progress, of at most `most_bytes` bytes: of any length, down to none.
    ///
    /// What does not fit is folded: see `docs/progress.md` for what goes first. That makes lanes
    /// repeat what they have settled, and never skip what they have not.
    #[must_use]
    pub fn encode(mut self, most_bytes: usize) -> Encoded {
        self.straighten();
        let metadata = write::text(self.position, self.start, self.lanes.iter().map(Entry::whole));
        if metadata.len() <= most_bytes {
            return Encoded { metadata, start: self.start, folded: 0 };
        }
        fold::encode(&self, most_bytes)
    }

    /// Reads the metadata of a commit of `position`; none when nothing is told.
    ///
    /// # Errors
    /// Why the metadata tells nothing about this position.
    pub fn parse(metadata: &str, position: Position) -> Result<Option<Self>, Unusable> {
        if metadata.is_empty() {
            return Ok(None);
        }
        parse::text(metadata, position).map(Some)
    }

    /// Takes out what goes without saying, so that every number of the text has a meaning: what
    /// stands below the position is settled, and above `settled_below` nothing is.
    fn straighten(&mut self) {
        self.start = self.start.max(self.position);
        for lane in &mut self.lanes {
            lane.settled_below = lane.settled_below.max(self.position);
            lane.unsettled.remove_below(self.position);
            if let Some(end) = lane.unsettled.end() {
                lane.unsettled.remove(Offset(lane.settled_below.0), end);
            }
        }
    }
}

impl LaneProgress {
    /// The lowest offset that the lane has not settled: it reads on from here.
    #[must_use]
    pub fn lowest_unsettled(&self) -> Position {
        self.unsettled.first().map_or(self.settled_below, Position::at)
    }
}

//! Triggers (FQL): which events an action is owed.
//!
//! Knows the language of `languages.md`, section 1: [`Trigger::parse`] turns text into a typed
//! tree or refuses it with the place to blame; [`Trigger::matches`] evaluates the tree on an event
//! that was read with the same [`Paths`]. Everything that can mean nothing is refused when it is
//! parsed; evaluation cannot fail. It does not know where a trigger's text stands in a file.

mod case;
mod evaluate;
mod explain;
mod function;
mod glob;
mod parse;
mod seen;
mod semver;
mod token;
mod tree;

use std::fmt::{self, Display, Formatter};
use std::ops::Range;

use crate::event::{Event, Paths};

pub use explain::Reason;

/// A condition on events, compiled. Displayed as text that parses to the same trigger.
#[derive(Debug)]
pub struct Trigger {
    condition: tree::Condition,
    warnings: Vec<Warning>,
}

/// Why a text is no trigger.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    /// The bytes of the text that are to blame; empty at the end of the text.
    pub at: Range<usize>,
    /// What is wrong there: `expected a comparison after "and", found the end`.
    pub message: String,
    /// What was probably meant.
    pub hint: Option<String>,
}

/// What is legal in a trigger and probably not meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The bytes of the text that it is about.
    pub at: Range<usize>,
    /// What is strange there.
    pub message: String,
    /// What was probably meant.
    pub hint: Option<String>,
}

impl Trigger {
    /// Compiles `text`; what it reads of an event is added to `paths`.
    ///
    /// # Errors
    ///
    /// [`ParseError`] for the first thing that can mean nothing. `paths` may have grown then.
    pub fn parse(text: &str, paths: &mut Paths) -> Result<Trigger, ParseError> {
        let (condition, warnings) = parse::parse(text, paths)?;
        Ok(Trigger { condition, warnings })
    }

    /// Whether the condition holds of `event`, which was read with the paths of this trigger.
    /// Total, and linear in the size of trigger and event. Allocates nothing but where a
    /// converted or escaped text must be held: a conversion of a conversion, `number`, `semver`
    /// and long or varying parts of `contains` on such a text.
    #[must_use]
    pub fn matches(&self, event: Event<'_>) -> bool {
        self.condition.holds(event)
    }

    /// The smallest parts of the trigger that decided whether `event` matches, and what they saw.
    #[must_use]
    pub fn explain(&self, event: Event<'_>) -> Vec<Reason> {
        explain::explain(&self.condition, event)
    }

    /// What is legal in the text that it was parsed from and probably not meant.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}

impl Display for Trigger {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.condition.fmt(f)
    }
}

//! Whether a letter can be redriven.

use std::fmt;

use crate::dead_letter::Letter;
use crate::plan::{ActionId, Plan};

/// Why a letter stays where it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Obstacle {
    /// Its record was no event.
    NoAction,
    /// There is no such action.
    Unknown { destination: String, action: String },
    /// Nothing is delivered to the action.
    Disabled { destination: String, action: String },
    /// What is left of its value is not what was to be delivered.
    Cut,
    /// The redrive topic takes no record of its size.
    TooLarge,
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAction => f.write_str("no event: there is no action to deliver it to"),
            Self::Unknown { destination, action } => {
                write!(f, "to {destination}/{action}: not in the configuration")
            }
            Self::Disabled { destination, action } => {
                write!(f, "to {destination}/{action}: disabled in the configuration")
            }
            Self::Cut => {
                f.write_str("cut to fit into the topic: produce it again where it came from")
            }
            Self::TooLarge => f.write_str("larger than the max.message.bytes of the redrive topic"),
        }
    }
}

/// The action that a letter can be redriven to.
pub(super) fn judge(letter: &Letter<'_>, plan: &Plan) -> Result<ActionId, Obstacle> {
    let to = letter.address.ok_or(Obstacle::NoAction)?;
    let (destination, action) = (to.destination.to_owned(), to.action.to_owned());
    match plan.action_named(to.destination, to.action) {
        None => Err(Obstacle::Unknown { destination, action }),
        Some(id) if !plan.is_enabled(id) => Err(Obstacle::Disabled { destination, action }),
        Some(_) if letter.truncated.is_some() => Err(Obstacle::Cut),
        Some(id) => Ok(id),
    }
}

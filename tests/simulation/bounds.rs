//! How large a world may be. What a seed draws beyond that is left out, so that a world that fails
//! can be made smaller until nothing of it is there in vain.

use std::fmt;

/// See the module's documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The length of a log, or what a lane has to send.
    pub records: usize,
    pub actions: usize,
    /// After so many steps the world turns kind.
    pub hostile_steps: usize,
}

/// One of the bounds.
pub type Dimension = fn(&mut Bounds) -> &mut usize;

impl Bounds {
    /// Nothing is left out.
    pub const NONE: Self = Self { records: 1000, actions: 4, hostile_steps: 1500 };

    /// What may be made smaller, each by its variable in the environment.
    pub const DIMENSIONS: [(&str, Dimension); 3] = [
        ("HOOKCAST_ACTIONS", |bounds| &mut bounds.actions),
        ("HOOKCAST_RECORDS", |bounds| &mut bounds.records),
        ("HOOKCAST_HOSTILE_STEPS", |bounds| &mut bounds.hostile_steps),
    ];
}

/// As it stands in front of a command that is to live in these bounds.
impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut these, mut none) = (*self, Self::NONE);
        for (name, dimension) in Self::DIMENSIONS {
            let bound = *dimension(&mut these);
            if bound != *dimension(&mut none) {
                write!(f, " {name}={bound}")?;
            }
        }
        Ok(())
    }
}

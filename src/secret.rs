//! A text that must not be shown.
//!
//! Knows how to keep a secret out of logs and error messages: it has no `Display`, and its
//! `Debug` prints `***`. It does not protect memory against a debugger.

use std::fmt;

/// A secret, in UTF-8, that cannot be printed by accident.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(Box<str>);

impl Secret {
    /// Wraps a text that must not be shown.
    #[must_use]
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The secret itself. Whoever calls this takes care that it reaches no output.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn a_secret_does_not_print() {
        let printed = format!("{:?}", Some(Secret::new("hunter2")));
        assert_eq!(printed, "Some(***)");
    }
}

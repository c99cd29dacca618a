//! Numbers that whoever runs the tests may choose.

use std::fmt::Debug;
use std::str::FromStr;

/// The number that an environment variable says, or `otherwise`.
pub fn from_environment<T: FromStr<Err: Debug>>(name: &str, otherwise: T) -> T {
    let Ok(text) = std::env::var(name) else { return otherwise };
    text.parse().unwrap_or_else(|error| panic!("{name}={text}: {error:?}"))
}

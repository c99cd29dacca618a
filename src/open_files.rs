//! How many files this process may have open, and what they are for.
//!
//! A connection is an open file. A process that has too many can open no other one: no request
//! goes out, no broker is reached and no operator is answered. So the limit of the system is
//! divided: a quarter of it, 128 at least, is for Kafka and whoever asks; of the rest a half is for
//! requests, a quarter for connections that are kept for the next request, and a quarter for those
//! that are being opened, each of which may take two for a moment.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// In place of a limit where there is none.
const PLENTY: u64 = 1 << 20;
/// What is not for requests, where the limit allows it.
const LEAST_RESERVE: usize = 128;

/// See the module's documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenFiles {
    /// How many there may be.
    pub limit: usize,
    /// The most requests at a time.
    pub requests: usize,
    /// The most connections that no request uses.
    pub idle: usize,
}

impl OpenFiles {
    /// As many as the process may have now.
    #[must_use]
    pub fn of_process() -> Self {
        let limit = getrlimit(Resource::Nofile).current.unwrap_or(PLENTY).min(PLENTY);
        Self::divide(usize::try_from(limit).unwrap_or(usize::MAX))
    }

    fn divide(limit: usize) -> Self {
        let reserve = (limit / 4).max(LEAST_RESERVE.min(limit / 2));
        let rest = limit - reserve;
        Self { limit, requests: (rest / 2).max(1), idle: rest / 4 }
    }
}

/// Asks for as many as the system grants without a privilege, as servers do: the usual limit is
/// for programs of another age. Where it is not granted the limit stays as it is.
pub fn raise_limit() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    }
}

#[cfg(test)]
mod tests {
    use super::OpenFiles;

    #[test]
    fn the_limit_is_divided_and_never_exceeded() {
        let divided = |limit| {
            let files = OpenFiles::divide(limit);
            assert!(2 * files.requests + files.idle <= limit.max(2), "{files:?}");
            (files.requests, files.idle)
        };
        assert_eq!(divided(1024), (384, 192));
        assert_eq!(divided(1 << 20), (393_216, 196_608));
        assert_eq!(divided(128), (32, 16));
        assert_eq!(divided(1), (1, 0));
        for limit in 0..5_000 {
            assert!(divided(limit).0 > 0);
        }
    }
}

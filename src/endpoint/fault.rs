//! Why there is no complete answer: what kind of fault it was, and in words.

use std::error::Error as StdError;
use std::io;

use rustls::pki_types::InvalidDnsNameError;

use super::resolver::Unresolvable;
use crate::verdict::Outcome;

/// What ended an attempt.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// There is no connection.
    #[error("no connection")]
    Connect(#[source] Box<dyn StdError + Send + Sync>),
    /// There is one, and it is not to be trusted.
    #[error("no TLS")]
    Tls(#[source] io::Error),
    /// It broke, or what came was no HTTP.
    #[error("no answer")]
    Http(#[source] hyper::Error),
}

/// Why there is no complete answer.
#[derive(Debug)]
pub struct Fault {
    /// What kind of fault it was.
    pub outcome: Outcome,
    /// In words, without the URL.
    pub detail: String,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self { outcome: classify(&error), detail: explain(&error) }
    }
}

/// What kind of fault ended an attempt.
fn classify(error: &Error) -> Outcome {
    for cause in causes(error) {
        if cause.is::<Unresolvable>() {
            return Outcome::Dns;
        }
        // A connection that breaks in mid-handshake is as broken as any other.
        let is_tls = |cause: &(dyn StdError + 'static)| {
            cause.is::<rustls::Error>() || cause.is::<InvalidDnsNameError>()
        };
        if is_io(cause, &is_tls) {
            return Outcome::Tls;
        }
        let is_timeout = |cause: &(dyn StdError + 'static)| {
            let io = cause.downcast_ref::<io::Error>();
            io.is_some_and(|io| io.kind() == io::ErrorKind::TimedOut)
        };
        if is_io(cause, &is_timeout) {
            return Outcome::Timeout;
        }
    }
    Outcome::Connect
}

/// Whether `is` says so of an error or of what it wraps. I/O errors hide what they wrap from the
/// chain of causes, and may wrap one another.
fn is_io(error: &(dyn StdError + 'static), is: &dyn Fn(&(dyn StdError + 'static)) -> bool) -> bool {
    let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    is(error) || wrapped.is_some_and(|wrapped| is_io(wrapped, is))
}

/// The causes of an error, of which none knows the URL: it may hold a secret.
fn explain(error: &Error) -> String {
    let causes: Vec<_> = causes(error).map(ToString::to_string).collect();
    causes.join(": ")
}

fn causes(error: &Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    std::iter::successors(error.source(), |cause| (*cause).source())
}

//! What an attempt's outcome means for its events.
//!
//! Knows the table of answers and the exceptions an operator makes from it. It does not know
//! what is done about a verdict: that is the lane's business.

use std::borrow::Cow;
use std::collections::BTreeMap;

/// How one attempt to deliver ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The endpoint answered with this status code, and the answer was read to its end.
    Status(u16),
    /// No complete answer within the action's `timeout`.
    Timeout,
    /// The connection could not be made, or broke before the answer was complete.
    Connect,
    /// The TLS handshake failed.
    Tls,
    /// The host name did not resolve.
    Dns,
}

impl Outcome {
    /// The outcome in one word: a status code, or what took its place.
    #[must_use]
    pub fn as_word(self) -> Cow<'static, str> {
        match self {
            Self::Status(code) => code.to_string().into(),
            Self::Timeout => "timeout".into(),
            Self::Connect => "connect".into(),
            Self::Tls => "tls".into(),
            Self::Dns => "dns".into(),
        }
    }
}

/// What is to be done with the events of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Delivered: the events are settled.
    Accept,
    /// The endpoint's fault: the same request again, later.
    Retry,
    /// Some event of the batch may be at fault: both halves on their own.
    Split,
    /// The event's fault: to the dead-letter topic.
    Reject,
}

impl Verdict {
    /// The verdict in one word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Retry => "retry",
            Self::Split => "split",
            Self::Reject => "reject",
        }
    }
}

/// What an operator may decide for a status code, in `delivery.verdicts`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exception {
    /// `accept`.
    Accept,
    /// `retry`.
    Retry,
    /// `reject`; a batch is rejected whole.
    Reject,
}

/// The table from outcomes to verdicts, with an operator's exceptions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdicts {
    exceptions: BTreeMap<u16, Exception>,
}

impl Verdicts {
    /// A table with these exceptions, by status code.
    #[must_use]
    pub fn new(exceptions: BTreeMap<u16, Exception>) -> Self {
        Self { exceptions }
    }

    /// The verdict on one attempt that carried `events` events.
    #[must_use]
    pub fn judge(&self, outcome: Outcome, events: usize) -> Verdict {
        let Outcome::Status(status) = outcome else {
            return Verdict::Retry;
        };
        match self.exceptions.get(&status) {
            Some(Exception::Accept) => return Verdict::Accept,
            Some(Exception::Retry) => return Verdict::Retry,
            Some(Exception::Reject) => return Verdict::Reject,
            None => {}
        }
        match status {
            200..=299 => Verdict::Accept,
            408 | 423 | 425 | 429 | 500 | 502..=599 => Verdict::Retry,
            400 | 413 | 422 if events >= 2 => Verdict::Split,
            _ => Verdict::Reject,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Exception, Outcome, Verdict, Verdicts};

    /// The table as the documentation prints it, written down a second time as ranges.
    fn documented(status: u16, events: usize) -> Verdict {
        let retried = [408, 423, 425, 429];
        let split = [400, 413, 422];
        if (200..300).contains(&status) {
            Verdict::Accept
        } else if retried.contains(&status) || (500..600).contains(&status) && status != 501 {
            Verdict::Retry
        } else if split.contains(&status) && events > 1 {
            Verdict::Split
        } else {
            Verdict::Reject
        }
    }

    #[test]
    fn every_status_has_the_documented_verdict() {
        let verdicts = Verdicts::default();
        for status in 100..=599 {
            for events in [1, 2, 1000] {
                assert_eq!(
                    verdicts.judge(Outcome::Status(status), events),
                    documented(status, events),
                    "status {status} to {events} events"
                );
            }
        }
    }

    #[test]
    fn a_fault_of_the_connection_is_retried() {
        for outcome in [Outcome::Timeout, Outcome::Connect, Outcome::Tls, Outcome::Dns] {
            assert_eq!(Verdicts::default().judge(outcome, 1), Verdict::Retry);
        }
    }

    #[test]
    fn an_exception_comes_before_the_table() {
        let exceptions = BTreeMap::from([
            (404, Exception::Retry),
            (409, Exception::Accept),
            (503, Exception::Reject),
        ]);
        let verdicts = Verdicts::new(exceptions);
        assert_eq!(verdicts.judge(Outcome::Status(404), 1), Verdict::Retry);
        assert_eq!(verdicts.judge(Outcome::Status(409), 1), Verdict::Accept);
        assert_eq!(verdicts.judge(Outcome::Status(503), 1), Verdict::Reject);
        assert_eq!(verdicts.judge(Outcome::Status(410), 1), Verdict::Reject);
    }
}

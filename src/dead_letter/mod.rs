//! What is written to the dead-letter topic for an event that cannot be delivered.
//!
//! Knows the letter's form: the record's key, value and own headers, and headers that say why; how
//! it is read back; and the markers that say which letters were redriven. It does not know how
//! letters are written, nor what happens when that fails.

mod letter;
mod name;
mod redriven;

use std::borrow::Cow;
use std::sync::Arc;

use crate::original::Original;
use crate::record::Origin;

pub use letter::{Address, Letter, origin};
pub use redriven::{Marker, Place, Redriven, Seen};

/// The most bytes of an answer or an error that a letter repeats.
pub const MOST_ERROR_BYTES: usize = 1024;

/// Why an event was dead-lettered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// The endpoint refused it.
    Rejected,
    /// Its endpoint failed, or it failed alone, for as long as `give_up_after` allows.
    Expired,
    /// The record's value is no JSON object.
    InvalidEvent,
    /// Its mapping gives no JSON object.
    InvalidPayload,
    /// Its mapping gives no legal URL or header.
    InvalidRequest,
    /// It was redriven, and the action that it is addressed to is gone or disabled.
    ActionRemoved,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Rejected,
        Self::InvalidEvent,
        Self::InvalidPayload,
        Self::InvalidRequest,
        Self::ActionRemoved,
    ];

    /// The reason as letters and metrics name it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::InvalidEvent => "invalid_event",
            Self::InvalidPayload => "invalid_payload",
            Self::InvalidRequest => "invalid_request",
            Self::ActionRemoved => "action_removed",
        }
    }
}

/// What happened to an event, as its letter tells it.
#[derive(Debug, Clone)]
pub struct Account {
    /// The destination's and the action's name; none when the event is owed to nobody.
    pub addressee: Option<(Arc<str>, Arc<str>)>,
    /// Why it ended here.
    pub reason: Reason,
    /// The status of the last answer, where there was one.
    pub status: Option<u16>,
    /// How many requests it was part of.
    pub attempts: u32,
    /// When the first of them was made, in milliseconds since 1970-01-01 UTC.
    pub first_attempt_at: Option<i64>,
    /// The answer's body or the error; what exceeds [`MOST_ERROR_BYTES`] is cut.
    pub error: String,
}

impl Account {
    /// Of an event that was never part of a request.
    #[must_use]
    pub fn without_attempt(
        addressee: Option<(Arc<str>, Arc<str>)>,
        reason: Reason,
        error: String,
    ) -> Self {
        Self { addressee, reason, status: None, attempts: 0, first_attempt_at: None, error }
    }
}

/// A record for the dead-letter topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The key of the original record.
    pub key: Option<Vec<u8>>,
    /// The value of the original record.
    pub value: Option<Vec<u8>>,
    /// The headers of the original record, then those that tell why.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    /// Why it was written, for whoever counts letters.
    pub reason: Reason,
}

impl DeadLetter {
    /// The letter about one event. Header names that are no UTF-8 are written with replacement
    /// characters; own headers that carry a name of ours give way, be they of an earlier letter
    /// about the same event.
    #[must_use]
    pub fn new(original: &Original<'_>, origin: &Origin, account: &Account) -> Self {
        let mut ours: Vec<(&str, String)> = Vec::new();
        if let Some((destination, action)) = &account.addressee {
            ours.push((name::DESTINATION, destination.to_string()));
            ours.push((name::ACTION, action.to_string()));
        }
        ours.push((name::REASON, account.reason.as_str().to_owned()));
        if let Some(status) = account.status {
            ours.push((name::STATUS, status.to_string()));
        }
        ours.push((name::ATTEMPTS, account.attempts.to_string()));
        if let Some(first) = account.first_attempt_at {
            ours.push((name::FIRST_ATTEMPT_AT, first.to_string()));
        }
        ours.push((name::ERROR, cut(&account.error).to_owned()));
        ours.push((name::TOPIC, origin.partition.topic.to_string()));
        ours.push((name::PARTITION, origin.partition.partition.to_string()));
        ours.push((name::OFFSET, origin.offset.to_string()));
        if let Some(timestamp) = origin.timestamp {
            ours.push((name::TIMESTAMP, timestamp.to_string()));
        }
        let own = original
            .headers
            .iter()
            .map(|header| (String::from_utf8_lossy(header.name), header.value.map(<[u8]>::to_vec)));
        let own = own.filter(|(name, _)| !name::ALL.contains(&name.as_ref()));
        let mut headers: Vec<_> = own.map(|(name, value)| (Cow::into_owned(name), value)).collect();
        let ours = ours.into_iter();
        headers.extend(ours.map(|(name, value)| (name.to_owned(), Some(value.into_bytes()))));
        Self {
            key: original.key.map(<[u8]>::to_vec),
            value: original.value.map(<[u8]>::to_vec),
            headers,
            reason: account.reason,
        }
    }

    /// The bytes of memory it holds.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        let length = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(0, Vec::len);
        let headers = self.headers.iter().map(|(name, value)| name.len() + length(value));
        length(&self.key) + length(&self.value) + headers.sum::<usize>()
    }
}

/// `text` without what exceeds [`MOST_ERROR_BYTES`], cut between characters.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(MOST_ERROR_BYTES)]
}

#[cfg(test)]
mod tests {
    use super::{Account, DeadLetter, MOST_ERROR_BYTES, Reason};
    use crate::original::Original;
    use crate::record::{Header, Offset, Origin, TopicPartition};

    fn letter(account: &Account, headers: Vec<Header<'_>>) -> DeadLetter {
        let original = Original { key: Some(b"k"), value: Some(b"v"), headers };
        let partition = TopicPartition { topic: "events".into(), partition: 3 };
        let origin = Origin { partition, offset: Offset(17), timestamp: Some(1234) };
        DeadLetter::new(&original, &origin, account)
    }

    fn account() -> Account {
        Account {
            addressee: Some(("crm".into(), "signups".into())),
            reason: Reason::Rejected,
            status: Some(404),
            attempts: 2,
            first_attempt_at: Some(99),
            error: "gone".to_owned(),
        }
    }

    fn shown(letter: &DeadLetter) -> Vec<String> {
        let headers = letter.headers.iter();
        let headers = headers.map(|(name, value)| {
            let value = value.as_ref().map(|value| String::from_utf8_lossy(value));
            format!("{name}={}", value.unwrap_or_default())
        });
        headers.collect()
    }

    #[test]
    fn a_letter_says_why_and_where_from() {
        let letter = letter(&account(), Vec::new());
        assert_eq!(letter.key.as_deref(), Some(&b"k"[..]));
        assert_eq!(letter.value.as_deref(), Some(&b"v"[..]));
        assert_eq!(
            shown(&letter),
            [
                "hookcast-destination=crm",
                "hookcast-action=signups",
                "hookcast-reason=rejected",
                "hookcast-status=404",
                "hookcast-attempts=2",
                "hookcast-first-attempt-at=99",
                "hookcast-error=gone",
                "hookcast-topic=events",
                "hookcast-partition=3",
                "hookcast-offset=17",
                "hookcast-timestamp=1234",
            ]
        );
    }

    #[test]
    fn own_headers_come_first_and_give_way_to_ours() {
        let own = vec![
            Header { name: b"trace", value: Some(b"1") },
            Header { name: b"hookcast-reason", value: Some(b"of an earlier life") },
            Header { name: b"bad\xff", value: None },
            Header { name: b"hookcast-truncated", value: Some(b"9") },
        ];
        let headers = shown(&letter(&account(), own));
        assert_eq!(headers[..2], ["trace=1", "bad\u{fffd}="]);
        assert!(!headers.contains(&"hookcast-reason=of an earlier life".to_owned()));
        assert!(headers.iter().all(|header| !header.starts_with("hookcast-truncated")));
    }

    #[test]
    fn a_long_error_is_cut_between_characters() {
        let error = "ü".repeat(MOST_ERROR_BYTES);
        let letter = letter(&Account { error, ..account() }, Vec::new());
        let (_, error) = &letter.headers[6];
        let error = error.as_ref().expect("the error has a value");
        assert!(error.len() <= MOST_ERROR_BYTES && error.len() > MOST_ERROR_BYTES - 4);
        assert!(std::str::from_utf8(error).is_ok());
    }
}

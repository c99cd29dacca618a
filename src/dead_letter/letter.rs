//! A letter, read back from the record that it stands in.
//!
//! The dead-letter topic holds whatever anybody writes into it, so nothing that is read here is
//! taken for granted: a record whose headers do not make a letter is none.

use std::borrow::Cow;
use std::str::{self, FromStr};

use super::name;
use crate::record::{Header, Offset, Origin, Record, TopicPartition};

/// Whom an event is addressed to, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address<'a> {
    /// The destination's name.
    pub destination: &'a str,
    /// The action's name.
    pub action: &'a str,
}

impl<'a> Address<'a> {
    /// What the headers of a letter, or of a redriven one, say.
    #[must_use]
    pub fn of(headers: &[Header<'a>]) -> Option<Self> {
        let destination = text(headers, name::DESTINATION)?;
        Some(Self { destination, action: text(headers, name::ACTION)? })
    }
}

/// Where the event of a letter came from, as its headers say.
#[must_use]
pub fn origin(headers: &[Header<'_>]) -> Option<Origin> {
    let topic = text(headers, name::TOPIC)?;
    let partition = number(headers, name::PARTITION)?;
    let offset = Offset(number(headers, name::OFFSET)?);
    let timestamp = optional(headers, name::TIMESTAMP)?;
    let partition = TopicPartition { topic: topic.into(), partition };
    Some(Origin { partition, offset, timestamp })
}

/// See the module's documentation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter<'a> {
    /// Whom its event was owed to; none when it was owed to nobody.
    pub address: Option<Address<'a>>,
    /// Why it was written.
    pub reason: &'a str,
    /// The status of the last answer, where there was one.
    pub status: Option<u16>,
    /// How many requests its event was part of.
    pub attempts: Option<u32>,
    /// When the first of them was made, in milliseconds since 1970-01-01 UTC.
    pub first_attempt_at: Option<i64>,
    /// The answer's body or the error.
    pub error: Cow<'a, str>,
    /// Where its event came from.
    pub origin: Origin,
    /// The true length of its value, where that was cut.
    pub truncated: Option<u64>,
    /// The key of the original record.
    pub key: Option<&'a [u8]>,
    /// The value of the original record, or the beginning of it.
    pub value: &'a [u8],
    /// The original record's own headers.
    pub own_headers: Vec<Header<'a>>,
}

impl<'a> Letter<'a> {
    /// The letter that stands in `record`; none when something else does.
    #[must_use]
    pub fn read(record: &Record<'a>) -> Option<Self> {
        let headers = &record.headers[..];
        let address = Address::of(headers);
        let is_addressed = find(headers, name::DESTINATION).or(find(headers, name::ACTION));
        if is_addressed.is_some() && address.is_none() {
            return None;
        }
        let error = find(headers, name::ERROR).and_then(|header| header.value);
        let is_own = |header: &&Header<'_>| name::ALL.iter().all(|ours| !is(header, ours));
        Some(Self {
            address,
            reason: text(headers, name::REASON)?,
            status: optional(headers, name::STATUS)?,
            attempts: optional(headers, name::ATTEMPTS)?,
            first_attempt_at: optional(headers, name::FIRST_ATTEMPT_AT)?,
            error: String::from_utf8_lossy(error.unwrap_or_default()),
            origin: origin(headers)?,
            truncated: optional(headers, name::TRUNCATED)?,
            key: record.key,
            value: record.value?,
            own_headers: headers.iter().filter(is_own).copied().collect(),
        })
    }
}

fn is(header: &Header<'_>, name: &str) -> bool {
    header.name == name.as_bytes()
}

/// The last header of this name: own headers come first.
pub(super) fn find<'h, 'a>(headers: &'h [Header<'a>], name: &str) -> Option<&'h Header<'a>> {
    headers.iter().rev().find(|header| is(header, name))
}

/// The text of a header, if it is there and is one.
pub(super) fn text<'a>(headers: &[Header<'a>], name: &str) -> Option<&'a str> {
    let value = find(headers, name)?.value?;
    str::from_utf8(value).ok().filter(|text| !text.is_empty())
}

fn number<N: FromStr>(headers: &[Header<'_>], name: &str) -> Option<N> {
    text(headers, name)?.parse().ok()
}

/// The number in a header that may be absent; none when it is there and no number.
#[expect(clippy::option_option, reason = "the inner one is the letter's, the outer one is for `?`")]
fn optional<N: FromStr>(headers: &[Header<'_>], name: &str) -> Option<Option<N>> {
    match find(headers, name) {
        None => Some(None),
        Some(_) => number(headers, name).map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Account, DeadLetter, Reason};
    use super::*;
    use crate::original::Original;

    fn origin() -> Origin {
        let partition = TopicPartition { topic: "events".into(), partition: 3 };
        Origin { partition, offset: Offset(17), timestamp: Some(1234) }
    }

    fn written(account: &Account) -> DeadLetter {
        let headers = vec![
            Header { name: b"trace", value: Some(b"\xff") },
            Header { name: b"hookcast-status", value: Some(b"of an earlier life") },
        ];
        let original = Original { key: Some(b"k"), value: Some(b"{}"), headers };
        DeadLetter::new(&original, &origin(), account)
    }

    fn headers(letter: &DeadLetter) -> Vec<Header<'_>> {
        let headers = letter.headers.iter();
        let headers =
            headers.map(|(name, value)| Header { name: name.as_bytes(), value: value.as_deref() });
        headers.collect()
    }

    fn record<'a>(letter: &'a DeadLetter, headers: Vec<Header<'a>>) -> Record<'a> {
        let (key, value) = (letter.key.as_deref(), letter.value.as_deref());
        Record { offset: Offset(5), timestamp: None, key, value, headers }
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

    #[test]
    fn a_letter_is_read_back_as_it_was_written() {
        let letter = written(&account());
        let record = record(&letter, headers(&letter));
        let read = Letter::read(&record).expect("a letter");
        let expected = Letter {
            address: Some(Address { destination: "crm", action: "signups" }),
            reason: "rejected",
            status: Some(404),
            attempts: Some(2),
            first_attempt_at: Some(99),
            error: "gone".into(),
            origin: origin(),
            truncated: None,
            key: Some(b"k"),
            value: b"{}",
            own_headers: vec![Header { name: b"trace", value: Some(b"\xff") }],
        };
        assert_eq!(read, expected);
    }

    #[test]
    fn what_is_owed_to_nobody_has_no_address_and_no_status() {
        let account = Account {
            addressee: None,
            reason: Reason::InvalidEvent,
            status: None,
            first_attempt_at: None,
            ..account()
        };
        let letter = written(&account);
        let record = record(&letter, headers(&letter));
        let read = Letter::read(&record).expect("a letter");
        assert_eq!((read.address, read.status, read.first_attempt_at), (None, None, None));
    }

    #[test]
    fn what_others_write_is_no_letter() {
        let letter = written(&account());
        let good = headers(&letter);
        assert!(Letter::read(&record(&letter, Vec::new())).is_none());
        let null = Record { value: None, ..record(&letter, good.clone()) };
        assert!(Letter::read(&null).is_none());
        for name in ["reason", "topic", "partition", "offset", "destination", "action"] {
            let name = format!("hookcast-{name}");
            let without = good.iter().filter(|header| header.name != name.as_bytes());
            let without = record(&letter, without.copied().collect());
            assert!(Letter::read(&without).is_none(), "without {name}");
        }
        for name in ["status", "attempts", "first-attempt-at", "partition", "offset", "timestamp"] {
            for value in [None, Some(&b""[..]), Some(b"x"), Some(b"\xff"), Some(b"9e99")] {
                let name = format!("hookcast-{name}");
                let broken = Header { name: name.as_bytes(), value };
                let broken = record(&letter, good.iter().copied().chain([broken]).collect());
                assert!(Letter::read(&broken).is_none(), "{name}: {value:?}");
            }
        }
        let odd = [Header { name: b"\xff\xfe", value: None }, Header { name: b"", value: None }];
        let odd = record(&letter, odd.into_iter().chain(good).collect());
        assert_eq!(Letter::read(&odd).map(|letter| letter.own_headers.len()), Some(3));
    }
}

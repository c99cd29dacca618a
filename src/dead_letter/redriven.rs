//! Which letters were redriven: the markers that say so, and what they hide.
//!
//! A marker is a record of the dead-letter topic with a null value. Its header `hookcast-redriven`
//! names the event and the action, as `TOPIC/PARTITION/OFFSET/DESTINATION/ACTION`, and
//! `hookcast-redriven-letter` the place of the letter itself in the dead-letter topic, as
//! `PARTITION/OFFSET`. The place is what tells letters about the same event apart: an event that
//! is redriven may fail again, and the new letter about it may well be written before the marker
//! is. So a marker hides the letters about its event that do not lie behind the one it names, and
//! no others.

use std::collections::{HashMap, HashSet};

use sha1::{Digest, Sha1};

use super::letter::{Letter, text};
use super::name;
use crate::record::{Offset, Record};

/// Where a record of the dead-letter topic stands, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The partition's number.
    pub partition: i32,
    /// The offset in it.
    pub offset: Offset,
    /// In milliseconds since 1970-01-01 UTC.
    pub timestamp: Option<i64>,
}

/// What a marker says, in the headers that it consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// The headers, by their names.
    pub headers: [(&'static str, String); 2],
}

impl Marker {
    /// The marker that hides `letter`, which stands at `place`; none for a letter without address,
    /// which cannot be redriven.
    #[must_use]
    pub fn new(letter: &Letter<'_>, place: Place) -> Option<Self> {
        let letter_at = format!("{}/{}", place.partition, place.offset);
        let headers = [(name::REDRIVEN, event(letter)?), (name::REDRIVEN_LETTER, letter_at)];
        Some(Self { headers })
    }

    /// The event and the action that it names.
    #[must_use]
    pub fn event(&self) -> &str {
        let [(_, event), _] = &self.headers;
        event
    }
}

/// The event and the action of a letter, as markers name them.
fn event(letter: &Letter<'_>) -> Option<String> {
    let address = letter.address?;
    let (partition, offset) = (&letter.origin.partition, letter.origin.offset);
    let (topic, partition) = (&partition.topic, partition.partition);
    Some(format!("{topic}/{partition}/{offset}/{}/{}", address.destination, address.action))
}

/// The name of an event and its action, in so few bytes that millions can be kept. No two of them
/// are alike by chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Name([u8; 16]);

impl Name {
    fn new(event: &str) -> Self {
        let digest: [u8; 20] = Sha1::digest(event).into();
        let (first, _) = digest.split_first_chunk().expect("20 bytes are more than 16");
        Self(*first)
    }
}

/// What all markers of a topic hide.
#[derive(Debug, Default)]
pub struct Redriven {
    /// In this partition, up to this letter.
    up_to: HashMap<(Name, i32), Offset>,
    /// In every partition, up to this time: what markers hide that do not name their letter.
    until: HashMap<Name, i64>,
}

impl Redriven {
    /// Nothing was redriven.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a marker stands in `record`.
    #[must_use]
    pub fn is_marker(record: &Record<'_>) -> bool {
        marked(record).is_some()
    }

    /// Takes note of the marker that stands in `record`, at `place`, if there is one.
    pub fn note(&mut self, record: &Record<'_>, place: Place) {
        let Some(event) = marked(record) else { return };
        let name = Name::new(event);
        let (partition, offset) = if let Some(letter) = letter_at(record) {
            letter
        } else {
            // Whoever has written it says no more than that the letters before it are done with.
            let until = self.until.entry(name).or_insert(i64::MIN);
            *until = place.timestamp.map_or(*until, |timestamp| timestamp.max(*until));
            (place.partition, place.offset)
        };
        let up_to = self.up_to.entry((name, partition)).or_insert(offset);
        *up_to = offset.max(*up_to);
    }

    /// Whether `letter`, which stands at `place`, was redriven.
    #[must_use]
    pub fn hides(&self, letter: &Letter<'_>, place: Place) -> bool {
        // Nobody asks for the name of an event where there is nothing to compare it with.
        if self.up_to.is_empty() {
            return false;
        }
        let Some(name) = event(letter).as_deref().map(Name::new) else { return false };
        let up_to = self.up_to.get(&(name, place.partition));
        let until = self.until.get(&name);
        up_to.is_some_and(|up_to| place.offset <= *up_to)
            || until.zip(place.timestamp).is_some_and(|(until, timestamp)| timestamp <= *until)
    }
}

/// The event and the action that a marker names.
fn marked<'a>(record: &Record<'a>) -> Option<&'a str> {
    text(&record.headers, name::REDRIVEN).filter(|_| record.value.is_none())
}

/// The place of the letter that a marker names.
fn letter_at(record: &Record<'_>) -> Option<(i32, Offset)> {
    let (partition, offset) = text(&record.headers, name::REDRIVEN_LETTER)?.split_once('/')?;
    Some((partition.parse().ok()?, Offset(offset.parse().ok()?)))
}

/// The events that letters were seen of. Letters may repeat after a crash: their event is redriven
/// once all the same.
#[derive(Debug, Default)]
pub struct Seen(HashSet<Name>);

impl Seen {
    /// None was seen.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether this is the first letter of its event and action.
    pub fn is_first(&mut self, letter: &Letter<'_>) -> bool {
        event(letter).is_none_or(|event| self.0.insert(Name::new(&event)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dead_letter::Address;
    use crate::record::{Header, Origin, TopicPartition};

    fn letter(offset: i64, action: &'static str) -> Letter<'static> {
        let partition = TopicPartition { topic: "events".into(), partition: 3 };
        Letter {
            address: Some(Address { destination: "crm", action }),
            reason: "rejected",
            status: None,
            attempts: None,
            first_attempt_at: None,
            error: "".into(),
            origin: Origin { partition, offset: Offset(offset), timestamp: None },
            truncated: None,
            key: None,
            value: b"{}",
            own_headers: Vec::new(),
        }
    }

    fn place(partition: i32, offset: i64) -> Place {
        Place { partition, offset: Offset(offset), timestamp: Some(offset * 10) }
    }

    /// Takes note of a marker that stands at `at`, and says whether it is one.
    fn note(redriven: &mut Redriven, headers: &[(&str, &str)], at: Place) -> bool {
        let headers = headers
            .iter()
            .map(|(name, value)| Header { name: name.as_bytes(), value: Some(value.as_bytes()) });
        let headers = headers.collect();
        let (offset, timestamp) = (at.offset, at.timestamp);
        let record = Record { offset, timestamp, key: None, value: None, headers };
        redriven.note(&record, at);
        Redriven::is_marker(&record)
    }

    fn mark(redriven: &mut Redriven, letter: &Letter<'_>, of: Place, at: Place) {
        let marker = Marker::new(letter, of).expect("a letter with an address");
        let headers = marker.headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        assert!(note(redriven, &headers, at));
    }

    #[test]
    fn a_marker_names_the_event_the_action_and_the_letter() {
        let marker = Marker::new(&letter(17, "signups"), place(1, 5)).expect("a marker");
        let expected = [
            ("hookcast-redriven", "events/3/17/crm/signups".to_owned()),
            ("hookcast-redriven-letter", "1/5".to_owned()),
        ];
        assert_eq!(marker.headers, expected);
        let without_address = Letter { address: None, ..letter(17, "signups") };
        assert_eq!(Marker::new(&without_address, place(1, 5)), None);
    }

    #[test]
    fn a_marker_hides_its_letter_and_those_before_it_and_no_later_one() {
        let mut redriven = Redriven::new();
        let signup = letter(17, "signups");
        assert!(!redriven.hides(&signup, place(1, 5)));
        // The event has failed again before the marker was written: letter 8, marker 9.
        mark(&mut redriven, &signup, place(1, 5), place(1, 9));
        assert!(redriven.hides(&signup, place(1, 5)));
        assert!(redriven.hides(&signup, place(1, 2)), "a repeated letter");
        assert!(!redriven.hides(&signup, place(1, 8)), "the new letter");
        assert!(!redriven.hides(&signup, place(1, 10)));
        assert!(!redriven.hides(&signup, place(2, 5)), "a letter elsewhere");
        assert!(!redriven.hides(&letter(18, "signups"), place(1, 5)), "another event");
        assert!(!redriven.hides(&letter(17, "pages"), place(1, 5)), "another action");
        // Markers may come in any order.
        mark(&mut redriven, &signup, place(1, 10), place(1, 12));
        mark(&mut redriven, &signup, place(1, 8), place(1, 13));
        assert!(redriven.hides(&signup, place(1, 10)));
        assert!(!redriven.hides(&signup, place(1, 11)));
    }

    #[test]
    fn a_marker_that_names_no_letter_hides_those_before_it() {
        for odd in [None, Some("?"), Some("1/"), Some("99999999999/1")] {
            let mut redriven = Redriven::new();
            let signup = letter(17, "signups");
            let mut headers = vec![("hookcast-redriven", "events/3/17/crm/signups")];
            headers.extend(odd.map(|odd| ("hookcast-redriven-letter", odd)));
            assert!(note(&mut redriven, &headers, place(1, 9)));
            assert!(redriven.hides(&signup, place(1, 8)));
            assert!(!redriven.hides(&signup, place(1, 10)));
            assert!(redriven.hides(&signup, place(0, 9)), "by time in other partitions");
            assert!(!redriven.hides(&signup, place(0, 10)));
        }
    }

    #[test]
    fn what_has_a_value_or_names_nothing_is_no_marker() {
        let mut redriven = Redriven::new();
        assert!(!note(&mut redriven, &[], place(1, 9)));
        assert!(!note(&mut redriven, &[("hookcast-redriven", "")], place(1, 9)));
        let name = Header { name: b"hookcast-redriven", value: Some(b"events/3/17/crm/signups") };
        let letter = Record {
            offset: Offset(9),
            timestamp: None,
            key: None,
            value: Some(b"{}"),
            headers: vec![name],
        };
        redriven.note(&letter, place(1, 9));
        assert!(!Redriven::is_marker(&letter) && redriven.up_to.is_empty());
    }

    #[test]
    fn an_event_is_seen_once_for_each_action() {
        let mut seen = Seen::new();
        assert!(seen.is_first(&letter(17, "signups")));
        assert!(!seen.is_first(&letter(17, "signups")));
        assert!(seen.is_first(&letter(17, "pages")) && seen.is_first(&letter(18, "signups")));
    }
}

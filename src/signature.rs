//! What a receiver can check: who sent a request, and whether it has seen it before.
//!
//! Knows `X-Signature` (Segment's and Customer.io's scheme: HMAC-SHA1 over the body in lower-case
//! hex) and `Idempotency-Key`. It does not know how requests are sent.

use std::fmt;
use std::ops::Deref;

use hmac::{Hmac, KeyInit, Mac};
use sha1::{Digest, Sha1};

use crate::batch::{Batch, Entry};
use crate::plan::SignatureScope;
use crate::record::{Offset, Origin, TopicPartition};
use crate::secret::Secret;

/// What stands before the digits of a key that no record has.
const EXPLAINED: &str = "explain-";

/// A digest in lower-case hex, held in place: every request has one or two.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct HexDigest {
    /// Room for what may stand before the digits, and the digits.
    text: [u8; EXPLAINED.len() + DIGITS],
    is_explained: bool,
}

/// The digits of SHA-1.
const DIGITS: usize = 40;

impl HexDigest {
    fn new(digest: impl AsRef<[u8]>) -> Self {
        let mut text = [0; EXPLAINED.len() + DIGITS];
        text[..EXPLAINED.len()].copy_from_slice(EXPLAINED.as_bytes());
        let digits = &mut text[EXPLAINED.len()..];
        hex::encode_to_slice(digest, digits).expect("SHA-1 has forty digits");
        Self { text, is_explained: false }
    }

    fn explained(self) -> Self {
        Self { is_explained: true, ..self }
    }
}

impl Deref for HexDigest {
    type Target = str;

    fn deref(&self) -> &str {
        let from = if self.is_explained { 0 } else { EXPLAINED.len() };
        str::from_utf8(&self.text[from..]).expect("digits are ASCII")
    }
}

impl fmt::Debug for HexDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

/// Signs bodies under one shared secret.
#[derive(Clone)]
pub struct Signer {
    keyed: Hmac<Sha1>,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer(***)")
    }
}

impl Signer {
    /// A signer under `secret`, whose UTF-8 bytes are the key.
    ///
    /// # Panics
    /// Never: HMAC takes keys of every length (RFC 2104).
    #[must_use]
    pub fn new(secret: &Secret) -> Self {
        let keyed = Hmac::new_from_slice(secret.expose().as_bytes())
            .expect("HMAC takes keys of every length");
        Self { keyed }
    }

    /// The value of `X-Signature`: lower-case hex HMAC-SHA1 of `bytes`.
    #[must_use]
    pub fn sign(&self, bytes: &[u8]) -> HexDigest {
        let mut mac = self.keyed.clone();
        mac.update(bytes);
        HexDigest::new(mac.finalize().into_bytes())
    }

    /// The value of `X-Signature` for the request that carries `batch`.
    #[must_use]
    pub fn sign_batch(&self, batch: &Batch, scope: SignatureScope) -> HexDigest {
        self.sign(match scope {
            SignatureScope::Body => batch.body(),
            SignatureScope::FirstElement => batch.payload(0),
        })
    }
}

/// The value of `Idempotency-Key` for a set of events of one partition, sent for one action: the
/// same for every attempt and every process, and for no other set.
#[must_use]
pub fn idempotency_key(
    destination: &str,
    action: &str,
    partition: &TopicPartition,
    entries: &[Entry],
) -> HexDigest {
    let mut digest = digest_for(destination, action);
    update_with_partition(&mut digest, partition);
    for entry in entries {
        update_with_record(&mut digest, entry.offset, entry.timestamp);
    }
    HexDigest::new(digest.finalize())
}

/// The value of `Idempotency-Key` for a set of redriven events. Whatever their order now, it is the
/// key that they had together as events of one partition; events of several never had one.
#[must_use]
pub fn idempotency_key_of_redriven(
    destination: &str,
    action: &str,
    mut origins: Vec<Origin>,
) -> HexDigest {
    origins.sort_unstable();
    let mut digest = digest_for(destination, action);
    let by_partition = origins.chunk_by(|one, other| one.partition == other.partition);
    let is_of_one_partition = by_partition.clone().count() == 1;
    for origins in by_partition {
        if !is_of_one_partition {
            // In place of the length of a topic's name, which is never so long: a set of several
            // partitions is not written like any of one.
            digest.update(u64::MAX.to_le_bytes());
            digest.update((origins.len() as u64).to_le_bytes());
        }
        update_with_partition(&mut digest, &origins[0].partition);
        for origin in origins {
            update_with_record(&mut digest, origin.offset, origin.timestamp);
        }
    }
    HexDigest::new(digest.finalize())
}

/// The value of `Idempotency-Key` for an event that comes from no topic, sent for one action: the
/// same for the same bytes, another one for others. No key of records looks like it.
#[must_use]
pub fn idempotency_key_without_origin(destination: &str, action: &str, event: &[u8]) -> HexDigest {
    let mut digest = digest_for(destination, action);
    update_with_length(&mut digest, event);
    HexDigest::new(digest.finalize()).explained()
}

/// Every text is preceded by its length, so that no two sets are written alike.
fn digest_for(destination: &str, action: &str) -> Sha1 {
    let mut digest = Sha1::new();
    for text in [destination, action] {
        update_with_length(&mut digest, text.as_bytes());
    }
    digest
}

fn update_with_partition(digest: &mut Sha1, partition: &TopicPartition) {
    update_with_length(digest, partition.topic.as_bytes());
    digest.update(partition.partition.to_le_bytes());
}

fn update_with_record(digest: &mut Sha1, offset: Offset, timestamp: Option<i64>) {
    let mut record = [0; 16];
    record[..8].copy_from_slice(&offset.0.to_le_bytes());
    record[8..].copy_from_slice(&timestamp.unwrap_or(-1).to_le_bytes());
    digest.update(record);
}

fn update_with_length(digest: &mut Sha1, text: &[u8]) {
    digest.update((text.len() as u64).to_le_bytes());
    digest.update(text);
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::Instant;

    use super::*;
    use crate::batch::{Batch, Framing, OpenBatch};
    use crate::record::Record;

    #[test]
    fn signatures_are_those_of_the_conformance_cases() {
        let cases: serde_json::Value =
            serde_json::from_str(include_str!("../tests/conformance/signatures.json"))
                .expect("the cases are JSON");
        let cases = cases.as_array().expect("the cases are a list");
        assert!(!cases.is_empty());
        for case in cases {
            let text = |key: &str| case[key].as_str().expect("the case is complete");
            let signer = Signer::new(&Secret::new(text("secret")));
            assert_eq!(&*signer.sign(text("body").as_bytes()), text("x_signature"));
        }
    }

    fn batch(origins: &[(i64, i64)]) -> Batch {
        let mut open = OpenBatch::new(Framing::Array, 0, Instant::now());
        for &(offset, timestamp) in origins {
            let record = Record {
                offset: Offset(offset),
                timestamp: Some(timestamp),
                key: None,
                value: Some(b"{}"),
                headers: Vec::new(),
            };
            open.add(b"{}", &record);
        }
        open.seal()
    }

    #[test]
    fn every_set_of_events_has_its_own_idempotency_key() {
        let partition = |topic: &str, partition| TopicPartition { topic: topic.into(), partition };
        let sets = [vec![(1, 5)], vec![(1, 6)], vec![(2, 5)], vec![(1, 5), (2, 5)]];
        let mut keys = HashSet::new();
        for set in &sets {
            for (destination, action) in [("a", "bc"), ("ab", "c")] {
                for partition in [partition("t", 0), partition("t", 1), partition("u", 0)] {
                    let key =
                        || idempotency_key(destination, action, &partition, batch(set).entries());
                    assert_eq!(key(), key());
                    assert!(keys.insert(key()), "{set:?} {destination} {partition}");
                }
            }
        }
    }

    #[test]
    fn a_set_that_is_redriven_keeps_its_idempotency_key() {
        let partition = |topic: &str| TopicPartition { topic: topic.into(), partition: 2 };
        let origin = |topic, (offset, timestamp)| Origin {
            partition: partition(topic),
            offset: Offset(offset),
            timestamp: Some(timestamp),
        };
        let set = [(1, 5), (2, 4), (30, 6)];
        let before = idempotency_key("crm", "all", &partition("t"), batch(&set).entries());
        for order in [[0, 1, 2], [2, 0, 1]] {
            let origins = order.map(|index| origin("t", set[index])).to_vec();
            assert_eq!(idempotency_key_of_redriven("crm", "all", origins), before);
        }
        let mut keys = HashSet::from([before]);
        for others in [
            vec![("t", set[0])],
            vec![("t", set[0]), ("u", set[1])],
            vec![("t", set[0]), ("u", set[2])],
            vec![("u", set[0]), ("t", set[1])],
            vec![("t", set[0]), ("t", set[1]), ("u", set[2])],
            vec![("t", set[0]), ("u", set[1]), ("u", set[2])],
        ] {
            let origins = others.iter().map(|(topic, record)| origin(topic, *record)).collect();
            assert!(keys.insert(idempotency_key_of_redriven("crm", "all", origins)), "{others:?}");
        }
    }

    #[test]
    fn an_event_without_origin_has_a_key_that_no_record_has() {
        let mut keys = HashSet::new();
        for (destination, action) in [("a", "bc"), ("ab", "c")] {
            for event in ["{}", "{ }", "c{}"] {
                let key = || idempotency_key_without_origin(destination, action, event.as_bytes());
                assert_eq!(key(), key());
                assert!(key().starts_with("explain-") && keys.insert(key()), "{event}");
            }
        }
    }
}

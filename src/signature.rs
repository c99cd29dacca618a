//! What a receiver can check: who sent a request, and whether it has seen it before.
//!
//! Knows `X-Signature` (Segment's and Customer.io's scheme: HMAC-SHA1 over the body in lower-case
//! hex) and `Idempotency-Key`. It does not know how requests are sent.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha1::{Digest, Sha1};

use crate::batch::{Batch, Entry};
use crate::plan::SignatureScope;
use crate::record::TopicPartition;
use crate::secret::Secret;

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
    pub fn sign(&self, bytes: &[u8]) -> String {
        let mut mac = self.keyed.clone();
        mac.update(bytes);
        hex::encode(mac.finalize().into_bytes())
    }

    /// The value of `X-Signature` for the request that carries `batch`.
    #[must_use]
    pub fn sign_batch(&self, batch: &Batch, scope: SignatureScope) -> String {
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
) -> String {
    // Every text is preceded by its length, so that no two sets are written alike.
    let mut digest = Sha1::new();
    for text in [destination, action, &partition.topic] {
        update_with_length(&mut digest, text.as_bytes());
    }
    digest.update(partition.partition.to_le_bytes());
    for entry in entries {
        let mut origin = [0; 16];
        origin[..8].copy_from_slice(&entry.offset.0.to_le_bytes());
        origin[8..].copy_from_slice(&entry.timestamp.unwrap_or(-1).to_le_bytes());
        digest.update(origin);
    }
    hex::encode(digest.finalize())
}

/// The value of `Idempotency-Key` for an event that comes from no topic, sent for one action: the
/// same for the same bytes, another one for others. No key of records looks like it.
#[must_use]
pub fn idempotency_key_without_origin(destination: &str, action: &str, event: &[u8]) -> String {
    let mut digest = Sha1::new();
    for text in [destination.as_bytes(), action.as_bytes(), event] {
        update_with_length(&mut digest, text);
    }
    format!("explain-{}", hex::encode(digest.finalize()))
}

fn update_with_length(digest: &mut Sha1, text: &[u8]) {
    digest.update((text.len() as u64).to_le_bytes());
    digest.update(text);
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::Instant;

    use super::{Signer, idempotency_key, idempotency_key_without_origin};
    use crate::batch::{Batch, Framing, OpenBatch};
    use crate::record::{Offset, Record, TopicPartition};
    use crate::secret::Secret;

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
            assert_eq!(signer.sign(text("body").as_bytes()), text("x_signature"));
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

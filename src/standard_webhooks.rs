//! Standard Webhooks: signatures that receivers check with libraries they need not write.
//!
//! Knows the scheme of its specification: HMAC-SHA256 over the message's id, the attempt's time
//! and the body, under keys that are written in base64 behind `whsec_`. The id is what tells a set
//! of events from every other, so that a receiver that remembers ids drops repeats; the time is
//! that of the attempt, so that nobody can send an old request again. While a key is being
//! replaced, the old and the new one sign together. It does not know how requests are sent.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::secret::Secret;

/// What stands before every key.
pub const PREFIX: &str = "whsec_";

/// How many bytes the specification wants a key to have.
pub const USUAL_KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// Why a text is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoKey {
    /// What tells a key from other secrets is missing.
    #[error("a key of Standard Webhooks begins with `whsec_`")]
    Prefix,
    /// What follows the prefix is not base64 with padding.
    #[error("behind `whsec_` stands no base64")]
    Base64,
    /// Nothing follows the prefix.
    #[error("behind `whsec_` stands no key")]
    Empty,
}

/// A key, ready to sign.
#[derive(Clone)]
pub struct Key {
    keyed: Hmac<Sha256>,
    bytes: usize,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(***)")
    }
}

impl Key {
    /// Reads a key as it is written in a configuration. The libraries of the specification take
    /// one without its prefix too; here it would be too easy to hand in some other secret that
    /// happens to be base64, and nobody could check the signatures.
    ///
    /// # Errors
    /// See [`NoKey`].
    ///
    /// # Panics
    /// Never: HMAC takes keys of every length (RFC 2104).
    pub fn parse(secret: &Secret) -> Result<Self, NoKey> {
        let key = secret.expose().strip_prefix(PREFIX).ok_or(NoKey::Prefix)?;
        let key = BASE64_STANDARD.decode(key).map_err(|_| NoKey::Base64)?;
        if key.is_empty() {
            return Err(NoKey::Empty);
        }
        let keyed = Hmac::new_from_slice(&key).expect("HMAC takes keys of every length");
        Ok(Self { keyed, bytes: key.len() })
    }

    /// Whether it has as many bytes as the specification wants.
    #[must_use]
    pub fn has_usual_length(&self) -> bool {
        USUAL_KEY_BYTES.contains(&self.bytes)
    }
}

/// Signs requests under one key, or several while they are replaced.
#[derive(Debug)]
pub struct StandardSigner {
    keys: Vec<Key>,
}

/// What an attempt carries beside the id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The value of `webhook-timestamp`: seconds since 1970-01-01 UTC.
    pub timestamp: Box<str>,
    /// The value of `webhook-signature`: one signature for each key.
    pub signatures: Box<str>,
}

impl StandardSigner {
    /// A signer under `keys`; a receiver may have any one of them.
    #[must_use]
    pub fn new(keys: Vec<Key>) -> Self {
        Self { keys }
    }

    /// Signs the attempt that is made at `unix_ms` to send `body` under this id.
    #[must_use]
    pub fn sign(&self, id: &str, unix_ms: i64, body: &[u8]) -> Signed {
        let timestamp = unix_ms.div_euclid(1000).to_string();
        let signature = |key: &Key| {
            let mut mac = key.keyed.clone();
            for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
                mac.update(part);
            }
            format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
        };
        let signatures: Vec<_> = self.keys.iter().map(signature).collect();
        Signed { signatures: signatures.join(" ").into(), timestamp: timestamp.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::{Key, NoKey, StandardSigner};
    use crate::secret::Secret;

    fn key(text: &str) -> Result<Key, NoKey> {
        Key::parse(&Secret::new(text))
    }

    /// Cases of the reference libraries' own tests: key, id, time, body, signature.
    const PUBLISHED: [[&str; 5]; 2] = [
        [
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "1614265330",
            r#"{"test": 2432232314}"#,
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ],
        [
            "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
            "1649367553",
            r#"{"email":"test@example.com","username":"test_user"}"#,
            "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
        ],
    ];

    #[test]
    fn signatures_are_those_of_the_reference_libraries() {
        for [secret, id, timestamp, body, signature] in PUBLISHED {
            let signer = StandardSigner::new(vec![key(secret).expect("it is a key")]);
            let unix_ms: i64 = format!("{timestamp}999").parse().expect("it is a number");
            let made = signer.sign(id, unix_ms, body.as_bytes());
            assert_eq!((&*made.timestamp, &*made.signatures), (timestamp, signature));
        }
    }

    #[test]
    fn every_key_signs_while_keys_are_replaced() {
        let keys = PUBLISHED.map(|[secret, ..]| key(secret).expect("it is a key"));
        let [_, id, _, body, signature] = PUBLISHED[0];
        let signed =
            StandardSigner::new(keys.to_vec()).sign(id, 1_614_265_330_000, body.as_bytes());
        let (first, second) = signed.signatures.split_once(' ').expect("there are two");
        assert_eq!(first, signature);
        assert!(second.starts_with("v1,") && second != signature, "{second}");
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for (text, why) in [
            ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", NoKey::Prefix),
            ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", NoKey::Base64),
            ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa-_", NoKey::Base64),
            ("whsec_MfKQ 9r8GKYqrTwjUPD8ILPZIo2LaLaSw", NoKey::Base64),
            ("whsec_", NoKey::Empty),
        ] {
            assert_eq!(key(text).map(|_| ()), Err(why), "{text}");
        }
    }

    #[test]
    fn keys_are_as_long_as_the_specification_wants_or_not() {
        for (digits, usual) in [(28, false), (32, true), (84, true), (88, false)] {
            let key = key(&format!("whsec_{}", "A".repeat(digits))).expect("it is a key");
            assert_eq!(key.has_usual_length(), usual, "{digits} digits");
        }
    }

    #[test]
    fn a_key_does_not_print() {
        let signer = StandardSigner::new(vec![key(PUBLISHED[0][0]).expect("it is a key")]);
        assert_eq!(format!("{signer:?}"), "StandardSigner { keys: [Key(***)] }");
    }
}

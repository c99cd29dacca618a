//! What is shown of Standard Webhooks can be checked as a receiver checks it.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::program::Explain;

const KEYS: [&str; 2] = ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "C2FVsBQIhrscChlQIMV+b5sSYspob7oD"];

fn config() -> String {
    let secrets = KEYS.map(|key| format!("whsec_{key}")).join(", ");
    format!(
        "destinations:
  d:
    standard_webhooks: {{ secret: [{secrets}] }}
    actions:
      a: {{ trigger: 'true', url: 'https://example.com/', batch: true }}
"
    )
}

#[test]
fn a_request_is_explained_with_headers_that_a_receiver_accepts() {
    let called = Explain::new(&config()).with(&["--json"]).of(r#"{"type":"track"}"#);
    assert_eq!(called.status, 0, "{}", called.err);
    let elements = called.json();
    let request = &elements[0]["request"];
    let header = |name: &str| request["headers"][name].as_str().expect("the header is there");
    assert_eq!(request["headers"].get("X-Signature"), None);
    assert_eq!(header("webhook-id"), header("Idempotency-Key"));
    let (id, timestamp) = (header("webhook-id"), header("webhook-timestamp"));
    let body = request["body"].as_str().expect("there is a body");
    let expected = KEYS.map(|key| {
        let key = BASE64_STANDARD.decode(key).expect("it is base64");
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("every length is good");
        mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
        format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
    });
    assert_eq!(header("webhook-signature"), expected.join(" "));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is past 1970").as_secs();
    let timestamp: u64 = timestamp.parse().expect("it is a number");
    assert!(timestamp <= now && now - timestamp < 300, "{timestamp}, and it is {now}");
}

#[test]
fn no_key_is_shown() {
    for arguments in [&[][..], &["--json"], &["--show-secrets"]] {
        let called = Explain::new(&config()).with(arguments).of(r#"{"type":"track"}"#);
        for key in KEYS {
            assert!(!called.out.contains(key) && !called.err.contains(key), "{arguments:?}");
        }
    }
}

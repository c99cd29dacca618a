//! What signs the requests of a destination: `shared_secret` and `standard_webhooks`.
//!
//! Knows which secrets are good. What they make of a request is the business of others.

use std::sync::Arc;

use super::at::At;
use super::section::Section;
use super::tree::{Scalar, Value};
use crate::secret::Secret;
use crate::standard_webhooks::{Key, NoKey, PREFIX, StandardSigner, USUAL_KEY_BYTES};

/// What signs.
#[derive(Default)]
pub(super) struct Signing {
    /// For `X-Signature`: the only one, or a list's first.
    pub(super) shared_secret: Option<Secret>,
    /// Whether there is a section for Standard Webhooks, right or wrong.
    pub(super) has_standard_webhooks: bool,
    /// For `webhook-signature`.
    pub(super) standard: Option<Arc<StandardSigner>>,
    /// Every text of which nothing may be shown.
    pub(super) secrets: Vec<Secret>,
}

impl Signing {
    /// Reads both keys of a destination.
    pub(super) fn read(section: &Section<'_>) -> Self {
        let mut signing = Self::default();
        if let Some(at) = section.key("shared_secret") {
            let secrets: Vec<_> =
                one_or_more(&at).iter().map(|at| secret(at, "without the key")).collect();
            signing.shared_secret = secrets.first().cloned().flatten();
            signing.secrets.extend(secrets.into_iter().flatten());
        }
        if let Some(at) = section.key("standard_webhooks") {
            signing.has_standard_webhooks = true;
            signing.read_standard(&at);
        }
        signing
    }

    fn read_standard(&mut self, at: &At<'_>) {
        // A secret in place of the section would be shown as what was found there.
        if matches!(&at.node.value, Value::Scalar(scalar) if !scalar.is_null() && !scalar.broken) {
            at.error_with(
                "expected a section",
                "a key is written `{ secret: \"${WEBHOOK_KEY}\" }`",
            );
            return;
        }
        let Some(section) = Section::read(at, &["secret"]) else { return };
        let Some(at) = section.required("secret", "whsec_…") else { return };
        let mut keys = Vec::new();
        for at in one_or_more(&at) {
            let Some(secret) = secret(&at, "without `standard_webhooks`") else { continue };
            keys.extend(read_key(&at, &secret));
            // An endpoint that repeats its secret may leave out what stands before every one.
            self.secrets.extend(secret.expose().strip_prefix(PREFIX).map(Secret::new));
            self.secrets.push(secret);
        }
        if !keys.is_empty() {
            self.standard = Some(Arc::new(StandardSigner::new(keys)));
        }
    }
}

fn read_key(at: &At<'_>, secret: &Secret) -> Option<Key> {
    let key = match Key::parse(secret) {
        Ok(key) => key,
        Err(why) => {
            let hint = match why {
                NoKey::Prefix => "write it before the key: `whsec_` and the key in base64",
                NoKey::Base64 => {
                    "letters, digits, `+` and `/`, with `=` at the end where it is needed"
                }
                NoKey::Empty => "`openssl rand -base64 32` makes one",
            };
            at.error_with(why.to_string(), hint);
            return None;
        }
    };
    if !key.has_usual_length() {
        let (least, most) = (USUAL_KEY_BYTES.start(), USUAL_KEY_BYTES.end());
        at.warn(
            format!("Standard Webhooks wants keys of {least} to {most} bytes"),
            Some("some receivers refuse others; `openssl rand -base64 32` makes a good one".into()),
        );
    }
    Some(key)
}

fn one_or_more<'a>(at: &At<'a>) -> Vec<At<'a>> {
    if !matches!(at.node.value, Value::List(_)) {
        return vec![at.clone()];
    }
    let items = at.items().unwrap_or_default();
    if items.is_empty() {
        at.error("a list of secrets needs at least one");
    }
    items
}

fn secret(at: &At<'_>, without: &str) -> Option<Secret> {
    let is_there = |scalar: &Scalar| !scalar.is_null() && !scalar.text.is_empty();
    match &at.node.value {
        Value::Scalar(scalar) if scalar.broken => None,
        Value::Scalar(scalar) if is_there(scalar) => Some(Secret::new(scalar.text.as_str())),
        Value::Scalar(_) => {
            at.error_with("the secret is empty", format!("{without} requests are not signed"));
            None
        }
        _ => {
            at.error("expected a secret, or a list of secrets");
            None
        }
    }
}

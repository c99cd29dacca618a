//! What an event becomes on its way to an endpoint: a payload, the target it goes to, and the
//! request that is put on the wire.
//!
//! Knows how a request template meets an event, which results cannot be sent, and the headers of
//! what can. It does not know how requests are made.

use std::sync::Arc;

use bytes::Bytes;
use url::{Host, Url};

use crate::dead_letter::Reason;
use crate::egress::Egress;
use crate::event::Event;
use crate::mapping::Mapping;
use crate::plan::{RequestTemplate, Target, TargetTemplate};
use crate::signature::HexDigest;
use crate::standard_webhooks::Signed;

/// Why an event cannot become a request.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Unsendable {
    /// The payload is missing, is no object, or could not be made.
    #[error("data: {0}")]
    Payload(String),
    /// The URL or a header could not be made, or is not legal.
    #[error("{0}")]
    Target(String),
}

impl Unsendable {
    /// The reason as the event's dead letter gives it.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::Payload(_) => Reason::InvalidPayload,
            Self::Target(_) => Reason::InvalidRequest,
        }
    }
}

/// A request as it is put on the wire, but for what frames the message.
#[derive(Debug, Clone)]
pub struct SignedRequest {
    /// Where it goes.
    pub target: Arc<Target>,
    /// The body.
    pub body: Bytes,
    /// The value of `X-Signature`; none: it is not signed.
    pub signature: Option<HexDigest>,
    /// The value of `Idempotency-Key`, and of `webhook-id`.
    pub idempotency_key: HexDigest,
    /// What proves this attempt's origin and age by Standard Webhooks; none: nothing does.
    pub standard: Option<Signed>,
}

impl SignedRequest {
    /// All its headers, in the order in which they are sent.
    #[must_use]
    pub fn headers(&self) -> Vec<(&str, &str)> {
        let mut headers = headers(&self.target);
        headers.extend(self.stamps());
        headers
    }

    /// The headers that are made anew for every request, which come last.
    pub fn stamps(&self) -> impl Iterator<Item = (&str, &str)> {
        let signature = self.signature.as_deref().map(|value| ("X-Signature", value));
        let standard = self.standard.iter().flat_map(|signed| {
            [
                ("webhook-id", &*self.idempotency_key),
                ("webhook-timestamp", &*signed.timestamp),
                ("webhook-signature", &*signed.signatures),
            ]
        });
        let key = ("Idempotency-Key", &*self.idempotency_key);
        signature.into_iter().chain([key]).chain(standard)
    }
}

/// What requests are sent under unless their target says otherwise.
const USUAL_HEADERS: [(&str, &str); 2] = [
    ("Content-Type", "application/json"),
    ("User-Agent", concat!("hookcast/", env!("CARGO_PKG_VERSION"))),
];

/// The headers of every request to `target`, in the order in which they are sent.
#[must_use]
pub fn headers(target: &Target) -> Vec<(&str, &str)> {
    let own = || target.headers.iter().map(|(name, value)| (&**name, &**value));
    let usual = USUAL_HEADERS.iter().map(|&(name, value)| {
        own().find(|(own, _)| own.eq_ignore_ascii_case(name)).unwrap_or((name, value))
    });
    let is_usual =
        |name: &str| USUAL_HEADERS.iter().any(|(usual, _)| usual.eq_ignore_ascii_case(name));
    usual.chain(own().filter(|(name, _)| !is_usual(name))).collect()
}

/// The target and the payload of `event`'s request. The payload is in `room` unless it is the
/// event itself.
///
/// # Errors
/// See [`Unsendable`].
pub fn resolve<'a>(
    template: &RequestTemplate,
    egress: &Egress,
    event: Event<'a>,
    room: &'a mut Vec<u8>,
) -> Result<(Arc<Target>, &'a [u8]), Unsendable> {
    let target = target(template, egress, event)?;
    Ok((target, payload(&template.data, event, room)?))
}

/// The target of `event`'s request.
///
/// # Errors
/// [`Unsendable::Target`], with the key that is to blame.
pub fn target(
    template: &RequestTemplate,
    egress: &Egress,
    event: Event<'_>,
) -> Result<Arc<Target>, Unsendable> {
    let (url, headers) = match &template.target {
        TargetTemplate::Constant(target) => return Ok(Arc::clone(target)),
        TargetTemplate::Mapped { url, headers, .. } => (url, headers),
    };
    let text = |key: &str, mapping: &Mapping| {
        let text = mapping.text(event);
        text.map_err(|why| Unsendable::Target(format!("{key}: {why}")))
    };
    let url = text("url", url)?;
    let url = url.ok_or_else(|| Unsendable::Target("url: the result is missing".into()))?;
    let mut url =
        parse_url(&url, egress).map_err(|why| Unsendable::Target(format!("url: {why}")))?;
    // It is never sent, and must neither part requests nor hold what nobody sees.
    url.set_fragment(None);
    let mut resolved = Vec::with_capacity(headers.len());
    for (name, value) in headers {
        let Some(value) = text(name, value)? else { continue };
        if !is_header_value(&value) {
            let why = format!("headers.{name}: the result is no legal header value");
            return Err(Unsendable::Target(why));
        }
        resolved.push((name.clone(), value.into()));
    }
    Ok(Arc::new(Target { method: template.method, url: url.as_str().into(), headers: resolved }))
}

/// Where a target's requests go, whatever their path: scheme, host and port of its URL.
#[must_use]
pub fn origin(target: &Target) -> String {
    let (scheme, rest) = target.url.split_once("://").unwrap_or_default();
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    // User and password are no part of it.
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let is_port = |(_, port): (&str, &str)| !port.ends_with(']');
    let default = if scheme == "https" { ":443" } else { ":80" };
    let port = if host.rsplit_once(':').is_some_and(is_port) { "" } else { default };
    format!("{scheme}://{host}{port}")
}

/// The payload of `event`'s request, which is in `room` unless it is the event itself.
///
/// # Errors
/// [`Unsendable::Payload`].
pub fn payload<'a>(
    data: &Mapping,
    event: Event<'a>,
    room: &'a mut Vec<u8>,
) -> Result<&'a [u8], Unsendable> {
    if data.is_whole_event() {
        return Ok(event.text().as_bytes());
    }
    room.clear();
    let present = data.append_to(event, room);
    let present = present.map_err(|why| Unsendable::Payload(why.to_string()))?;
    if !present {
        return Err(Unsendable::Payload("the result is missing; a payload is an object".into()));
    }
    if room.first() != Some(&b'{') {
        return Err(Unsendable::Payload("the result is no object; a payload is one".into()));
    }
    Ok(room)
}

/// Reads an absolute `http` or `https` URL with a host that `egress` does not refuse on sight.
///
/// # Errors
/// What is wrong with it, without repeating it: it may hold a secret.
pub fn parse_url(text: &str, egress: &Egress) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("no URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("the scheme is neither http nor https".into());
    }
    let address = match url.host() {
        None => return Err("no host".into()),
        Some(Host::Domain(_)) => None,
        Some(Host::Ipv4(address)) => Some(address.into()),
        Some(Host::Ipv6(address)) => Some(address.into()),
    };
    match address {
        Some(address) if !egress.permits(address) => {
            Err(format!("{address} is an address that `egress` refuses"))
        }
        _ if !can_be_requested(&url) => Err(NOT_REQUESTABLE.into()),
        _ => Ok(url),
    }
}

/// What is wrong where [`can_be_requested`] says no.
pub const NOT_REQUESTABLE: &str =
    "HTTP cannot carry it: its host holds an odd character, or it is longer than 65534 bytes";

/// Whether HTTP can carry this URL. The standard that browsers follow takes more than that of
/// HTTP does (`http://{tenant}.example.com/`), and such a request would fail in our own client,
/// again and again, as if its endpoint were away.
#[must_use]
pub fn can_be_requested(url: &Url) -> bool {
    // User and password travel in a header.
    let mut bare = url.clone();
    let is_bare = bare.set_username("").and_then(|()| bare.set_password(None)).is_ok();
    is_bare && bare.as_str().parse::<http::Uri>().is_ok()
}

/// Whether `value` may stand in a header: visible ASCII, blanks and tabs.
#[must_use]
pub fn is_header_value(value: &str) -> bool {
    value.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~'))
}

#[cfg(test)]
mod tests {
    use super::{Target, origin};
    use crate::plan::Method;

    #[test]
    fn an_origin_is_scheme_host_and_port_and_nothing_that_may_be_secret() {
        for (url, expected) in [
            ("https://example.com/hook?key=s", "https://example.com:443"),
            ("http://example.com/", "http://example.com:80"),
            ("http://user:p%40ss@example.com:8080/a@b:1", "http://example.com:8080"),
            ("https://[2001:db8::1]/", "https://[2001:db8::1]:443"),
            ("http://[::1]:81/?a://b", "http://[::1]:81"),
        ] {
            let url = url::Url::parse(url).expect(url).as_str().into();
            let target = Target { method: Method::Post, url, headers: Vec::new() };
            assert_eq!(origin(&target), expected);
        }
    }
}

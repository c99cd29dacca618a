//! What an event becomes on its way to an endpoint: a payload, and the target it goes to.
//!
//! Knows how a request template meets an event, and which results cannot be sent. It does not
//! know how requests are made.

use std::sync::Arc;

use url::{Host, Url};

use crate::egress::Egress;
use crate::event::Event;
use crate::mapping::Mapping;
use crate::plan::{RequestTemplate, Target, TargetTemplate};

/// Why an event cannot become a request.
#[derive(Debug, thiserror::Error)]
pub enum Unsendable {
    /// The payload is missing, is no object, or could not be made.
    #[error("data: {0}")]
    Payload(String),
    /// The URL or a header could not be made, or is not legal.
    #[error("{0}")]
    Target(String),
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
        TargetTemplate::Mapped { url, headers } => (url, headers),
    };
    let text = |key: &str, mapping: &Mapping| {
        let text = mapping.text(event);
        text.map_err(|why| Unsendable::Target(format!("{key}: {why}")))
    };
    let url = text("url", url)?;
    let url = url.ok_or_else(|| Unsendable::Target("url: the result is missing".into()))?;
    let url = parse_url(&url, egress).map_err(|why| Unsendable::Target(format!("url: {why}")))?;
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
        return Err(format!("the scheme is {:?}, not http or https", url.scheme()));
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

//! An action's `url`, `headers` and `data`: what is sent, and where to.
//!
//! Knows which URLs and headers are good, and which of them are Hookcast's own. Where a mapping
//! directive stands the answer is only known for each event; everything else is checked here.

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::Value as Json;
use sha1::{Digest, Sha1};
use url::{Host, Url};

use super::at::{At, one_of};
use super::json;
use super::section::Section;
use super::tree::Value;
use crate::egress::Egress;
use crate::event::Paths;
use crate::mapping::{Mapping, ParseError, Step};
use crate::plan::{Method, RequestTemplate, Target, TargetTemplate};
use crate::request::{NOT_REQUESTABLE, can_be_requested};
use crate::spelling::did_you_mean;

/// Headers that frame the message, or that Hookcast sets.
const OURS: [&str; 13] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "idempotency-key",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-signature",
];

/// What an action's target is checked against.
pub(super) struct Surroundings<'p> {
    /// Where requests may go.
    pub(super) egress: &'p Egress,
    /// Whether the destination signs by Standard Webhooks.
    pub(super) standard_webhooks: bool,
    /// What the plan reads of an event.
    pub(super) paths: &'p mut Paths,
}

/// A value that is the same for every event, or made anew for each.
enum Part {
    Constant(Box<str>),
    Mapped(Mapping),
}

/// Reads `method`, `url`, `headers` and `data`.
pub(super) fn read_request(
    section: &Section<'_>,
    around: &mut Surroundings<'_>,
) -> Option<RequestTemplate> {
    let method = section.key("method").map_or(Some(Method::Post), |at| read_method(&at));
    let url_at = section.required("url", "https://example.com/hook");
    let url = url_at.as_ref().and_then(|at| read_url(at, around));
    let is_mapped = matches!(url, Some(Part::Mapped(_)));
    let fingerprint = url_at.filter(|_| is_mapped).and_then(|at| fingerprint(&at));
    let headers = section.key("headers").map_or(Some(Vec::new()), |at| read_headers(&at, around));
    let data = section
        .key("data")
        .map_or_else(|| Some(Mapping::whole_event()), |at| read_data(&at, around.paths));
    let (method, url, headers) = (method?, url?, headers?);
    Some(RequestTemplate {
        method,
        target: target((method, fingerprint), url, headers, around.paths),
        data: data?,
    })
}

fn read_method(at: &At<'_>) -> Option<Method> {
    let names = Method::ALL.map(Method::as_str);
    at.parse(&one_of(&names), |text| {
        let exact = Method::ALL.into_iter().find(|method| method.as_str() == text);
        exact.ok_or_else(|| {
            match Method::ALL.into_iter().find(|method| method.as_str().eq_ignore_ascii_case(text))
            {
                Some(meant) => format!("write `{}`: methods are spelled exactly", meant.as_str()),
                None => "a request carries a body, so these are all there are".into(),
            }
        })
    })
}

/// Constant as a whole, or resolved as a whole for every event.
fn target(
    (method, fingerprint): (Method, Option<u32>),
    url: Part,
    headers: Vec<(Box<str>, Part)>,
    paths: &mut Paths,
) -> TargetTemplate {
    let is_constant = |part: &Part| matches!(part, Part::Constant(_));
    if is_constant(&url) && headers.iter().all(|(_, part)| is_constant(part)) {
        let constant = |part| match part {
            Part::Constant(text) => text,
            Part::Mapped(_) => unreachable!("every part is constant"),
        };
        let headers = headers.into_iter().map(|(name, part)| (name, constant(part))).collect();
        return TargetTemplate::Constant(Arc::new(Target { method, url: constant(url), headers }));
    }
    let mut mapping = |part| match part {
        Part::Constant(text) => {
            Mapping::parse(&Json::String(text.into()), paths).expect("a text holds no directive")
        }
        Part::Mapped(mapping) => mapping,
    };
    let url = mapping(url);
    let headers = headers.into_iter().map(|(name, part)| (name, mapping(part))).collect();
    TargetTemplate::Mapped { url, headers, fingerprint }
}

/// Tells a mapping from others. It is kept beside positions and outlives releases: whatever
/// changes it makes actions with a mapped URL deliver again what they have delivered out of order.
fn fingerprint(at: &At<'_>) -> Option<u32> {
    let text = json::read(at)?.to_string();
    let [a, b, c, d, ..]: [u8; 20] = Sha1::digest(text).into();
    Some(u32::from_be_bytes([a, b, c, d]))
}

fn read_data(at: &At<'_>, paths: &mut Paths) -> Option<Mapping> {
    let mapping = read_mapping(at, paths)?;
    if mapping.constant().is_some_and(|constant| !constant.is_object()) {
        at.error_with("a payload is an object", "`{ \"@path\": \"$.\" }` is the whole event");
        return None;
    }
    Some(mapping)
}

/// The value as a mapping; what is wrong with it is reported where it stands.
fn read_mapping(at: &At<'_>, paths: &mut Paths) -> Option<Mapping> {
    let value = json::read(at)?;
    match Mapping::parse(&value, paths) {
        Ok(mapping) => Some(mapping),
        Err(errors) => {
            for error in errors {
                report(at, error);
            }
            None
        }
    }
}

fn report(at: &At<'_>, error: ParseError) {
    let place = at.inside(&error.at);
    let names_its_key =
        matches!(error.at.last(), Some(Step::Key(key)) if error.message.contains(&**key));
    let said = |text: &str| place.node.secrets().any(|secret| text.contains(secret));
    let tells = said(&error.message) || error.hint.as_deref().is_some_and(said);
    if place.holds_secret() || tells {
        place.error("not valid once `${…}` is replaced; what it is then is not shown");
    } else if matches!(place.node.value, Value::Scalar(_)) && !names_its_key {
        let whole = || place.node.bytes.clone();
        let bytes = error.within.map_or_else(whole, |within| place.locate(within));
        place.error_at(bytes, error.message, error.hint);
    } else {
        place.key_error(error.message, error.hint);
    }
}

/// A text that is the same for every event, or a mapping that makes one.
fn read_part(at: &At<'_>, paths: &mut Paths) -> Option<Part> {
    let mapping = read_mapping(at, paths)?;
    let text = match mapping.constant() {
        None => return Some(Part::Mapped(mapping)),
        Some(Json::String(text)) => text.clone(),
        Some(value @ (Json::Number(_) | Json::Bool(_))) => value.to_string(),
        Some(_) => {
            at.error_with(
                format!("expected a text or a mapping directive, found {}", at.shown()),
                "a directive is written `{ \"@path\": \"$.userId\" }`",
            );
            return None;
        }
    };
    Some(Part::Constant(text.into()))
}

fn read_url(at: &At<'_>, around: &mut Surroundings<'_>) -> Option<Part> {
    let text = match read_part(at, around.paths)? {
        Part::Constant(text) => text,
        mapped @ Part::Mapped(_) => return Some(mapped),
    };
    let url = parse_url(at, text.trim())?;
    check_host(at, &url, around.egress)?;
    if !can_be_requested(&url) {
        at.error_with(
            NOT_REQUESTABLE,
            "a mapping is written `{ \"@template\": \"https://{{tenant}}.example.com/\" }`",
        );
        return None;
    }
    Some(Part::Constant(without_fragment(url).as_str().into()))
}

fn parse_url(at: &At<'_>, text: &str) -> Option<Url> {
    let expected = "expected an absolute `http` or `https` URL";
    let (message, hint) = match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => return Some(url),
        _ if text.is_empty() => ("must not be empty".to_owned(), None),
        _ if at.holds_secret() => (expected.to_owned(), None),
        Ok(url) => match did_you_mean(url.scheme(), ["http", "https"]) {
            Some(meant) => (
                format!("expected an `http` or `https` URL, found the scheme `{}`", url.scheme()),
                Some(format!("did you mean `{meant}`?")),
            ),
            // `example.com:8080` has the form of a scheme and what belongs to it.
            None if url.cannot_be_a_base() => {
                (expected.to_owned(), Some("is `https://` missing?".to_owned()))
            }
            None if url.scheme().len() > 20 => (expected.to_owned(), None),
            None => (
                format!("expected an `http` or `https` URL, found the scheme `{}`", url.scheme()),
                None,
            ),
        },
        Err(url::ParseError::RelativeUrlWithoutBase) => {
            let hint = if text.starts_with("http//") || text.starts_with("https//") {
                Some("a colon is missing behind the scheme")
            } else if text.starts_with('/') {
                None
            } else {
                Some("is `https://` missing?")
            };
            (expected.to_owned(), hint.map(str::to_owned))
        }
        Err(error) => (format!("{expected}: {error}"), None),
    };
    at.error_with(message, hint.unwrap_or("for example `https://example.com/hook`".to_owned()));
    None
}

/// A fragment is never sent.
fn without_fragment(mut url: Url) -> Url {
    url.set_fragment(None);
    url
}

/// Reports a host that no request could ever go to.
fn check_host(at: &At<'_>, url: &Url, egress: &Egress) -> Option<()> {
    let address: IpAddr = match url.host()? {
        Host::Ipv4(address) => address.into(),
        Host::Ipv6(address) => address.into(),
        Host::Domain(name) => {
            let name = name.trim_end_matches('.');
            if name != "localhost" && !name.ends_with(".localhost") {
                return Some(());
            }
            IpAddr::from([127, 0, 0, 1])
        }
    };
    if egress.permits(address) {
        return Some(());
    }
    let what = if at.holds_secret() {
        "this host".to_owned()
    } else {
        format!("`{}`", url.host_str().unwrap_or_default())
    };
    at.error_with(
        format!("egress refuses {what}: it is not on the public internet, or denied"),
        "`egress.allow_private: true` permits every private address, `egress.allow: [10.20.0.0/16]` some",
    );
    None
}

fn read_headers(at: &At<'_>, around: &mut Surroundings<'_>) -> Option<Vec<(Box<str>, Part)>> {
    let entries = at.entries()?;
    let mut headers: Vec<(Box<str>, Part)> = Vec::new();
    let mut is_whole = true;
    for entry in entries {
        let value = at.entry(entry);
        let name = entry.key.as_str();
        let lower = name.to_ascii_lowercase();
        let known = headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
        if let Some((message, hint)) = refusal(&lower, known, around.standard_webhooks) {
            value.key_error(message, hint);
            is_whole = false;
        } else if let Some(part) = read_header(&value, &lower, around.paths) {
            headers.push((name.into(), part));
        } else {
            is_whole = false;
        }
    }
    is_whole.then_some(headers)
}

/// Why a header cannot be set.
fn refusal(name: &str, known: bool, standard_webhooks: bool) -> Option<(String, Option<String>)> {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() || !name.chars().all(is_token) {
        let hint = "ASCII letters, digits and `-`".to_owned();
        return Some(("this is no name of a header".into(), Some(hint)));
    }
    if known {
        return Some((
            "this header is repeated".into(),
            Some("upper and lower case are the same".into()),
        ));
    }
    match name {
        "x-signature" => Some((
            "hookcast sets this header itself".into(),
            Some("it is made from `shared_secret`".into()),
        )),
        "idempotency-key" => Some((
            "hookcast sets this header itself".into(),
            Some("it is the same for every attempt to send the same events".into()),
        )),
        _ if OURS.contains(&name) => {
            Some(("this header frames the message and cannot be set".into(), None))
        }
        _ if standard_webhooks && name.starts_with("webhook-") => Some((
            "hookcast sets this header itself".into(),
            Some("it is made from `standard_webhooks`".into()),
        )),
        _ => None,
    }
}

fn read_header(at: &At<'_>, name: &str, paths: &mut Paths) -> Option<Part> {
    let text = match read_part(at, paths)? {
        Part::Constant(text) => text,
        Part::Mapped(_) if name == "content-type" => {
            at.error_with(
                "the content type must be a constant",
                "every body is JSON, so there is little to choose",
            );
            return None;
        }
        mapped @ Part::Mapped(_) => return Some(mapped),
    };
    let is_legal = |c: char| c == '\t' || (' '..='~').contains(&c);
    if let Some(wrong) = text.chars().find(|c| !is_legal(*c)) {
        let what = match wrong {
            '\n' | '\r' => "a line break",
            c if c.is_ascii() => "a control character",
            _ => "something that is not ASCII",
        };
        at.error(format!("a header's value cannot hold {what}"));
        return None;
    }
    if text.trim() != &*text {
        at.error("a header's value neither begins nor ends with a blank");
        return None;
    }
    if name == "content-type" && !is_json(&text) {
        at.error_with(
            "every body is JSON, so the content type must be a JSON type",
            "`application/json`, or one that ends in `+json` such as `application/cloudevents+json`",
        );
        return None;
    }
    Some(Part::Constant(text))
}

/// Whether a media type says JSON (RFC 8259, RFC 6839).
fn is_json(text: &str) -> bool {
    let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_token = |text: &str| {
        !text.is_empty()
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c))
    };
    match essence.split_once('/') {
        Some(("application", "json")) => true,
        Some(("application", subtype)) => {
            is_token(subtype) && subtype.strip_suffix("+json").is_some_and(|stem| !stem.is_empty())
        }
        _ => false,
    }
}

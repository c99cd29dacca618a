//! A request goes out, and an answer comes back or does not.
//!
//! Knows how much of an answer is worth reading, and what kind of fault kept it away.

use std::error::Error as StdError;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response};

use super::Prepared;
use super::resolver::Unresolvable;
use crate::request::SignedRequest;
use crate::retry;
use crate::verdict::Outcome;

/// The most bytes of an answer that are read so that its connection can be used again. What is
/// longer costs a new connection instead.
pub const MOST_ANSWER_BYTES: usize = 64 * 1024;

/// A complete answer, or the beginning of one that is too long.
#[derive(Debug)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// The body, or the beginning of it.
    pub body: Vec<u8>,
    /// Whether there was more.
    pub is_cut: bool,
}

impl Reply {
    /// How long the endpoint wants to be left alone. Elsewhere than with 429 and 503 the header
    /// says something else: when a redirect may be followed, for one.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        if !matches!(self.status, 429 | 503) {
            return None;
        }
        let value = self.headers.get(RETRY_AFTER)?.to_str().ok()?;
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX);
        retry::retry_after(value, now)
    }
}

/// Why there is no complete answer.
#[derive(Debug)]
pub struct Fault {
    /// What kind of fault it was.
    pub outcome: Outcome,
    /// In words, without the URL.
    pub detail: String,
}

impl Fault {
    pub(super) fn of(error: &reqwest::Error) -> Self {
        Self { outcome: classify(error), detail: explain(error) }
    }
}

/// Sends a request and reads its answer, of whose body `kept` bytes are kept.
pub(super) async fn exchange(
    client: &Client,
    prepared: Prepared,
    request: &SignedRequest,
    kept: usize,
) -> Result<Reply, reqwest::Error> {
    let Prepared { method, url, mut headers } = prepared;
    for (name, value) in request.stamps() {
        let name = HeaderName::try_from(name).expect("the names of stamps are legal");
        let value = HeaderValue::from_str(value).expect("stamps are made of legal characters");
        headers.insert(name, value);
    }
    let request = client.request(method, url).headers(headers).body(request.body.clone());
    let mut response = request.send().await?;
    let status = response.status().as_u16();
    let headers = std::mem::take(response.headers_mut());
    let (body, is_cut) = read(response, kept).await?;
    Ok(Reply { status, headers, body, is_cut })
}

/// Reads an answer to its end, within bounds, and keeps its beginning; true: there was more.
async fn read(mut response: Response, kept: usize) -> Result<(Vec<u8>, bool), reqwest::Error> {
    let mut beginning = Vec::new();
    let mut length = 0;
    while let Some(chunk) = response.chunk().await? {
        let wanted = kept - beginning.len();
        beginning.extend_from_slice(&chunk[..chunk.len().min(wanted)]);
        length += chunk.len();
        if length > MOST_ANSWER_BYTES {
            break;
        }
    }
    Ok((beginning, length > kept))
}

/// What kind of fault ended an attempt.
fn classify(error: &reqwest::Error) -> Outcome {
    if error.is_timeout() {
        return Outcome::Timeout;
    }
    for cause in causes(error) {
        if cause.is::<Unresolvable>() {
            return Outcome::Dns;
        }
        if is_of_tls(cause) {
            return Outcome::Tls;
        }
    }
    Outcome::Connect
}

/// Whether an error comes from TLS. I/O errors hide what they wrap from the chain of causes, and
/// may wrap one another.
fn is_of_tls(error: &(dyn StdError + 'static)) -> bool {
    let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    error.is::<rustls::Error>() || wrapped.is_some_and(|wrapped| is_of_tls(wrapped))
}

/// The error with all its causes, without the URL: it may hold a secret.
fn explain(error: &reqwest::Error) -> String {
    let causes: Vec<_> = causes(error).map(ToString::to_string).collect();
    if causes.is_empty() { "the request could not be made".to_owned() } else { causes.join(": ") }
}

fn causes<'a>(
    error: &'a reqwest::Error,
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> + use<'a> {
    std::iter::successors(error.source(), |cause| (*cause).source())
}

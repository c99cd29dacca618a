//! A request goes out, and an answer comes back or does not.
//!
//! Knows how much of an answer is worth reading, and which connection may be used again.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::Request;
use http::header::{CONNECTION, HeaderMap, RETRY_AFTER};
use http_body_util::Full;
use hyper::body::{Body, Bytes, Incoming};

use super::connection::{Connection, Unanswered};
use super::fault::Error;
use super::pool::{Kept, Pool};
use crate::retry;

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

/// Sends a request and reads its answer, of whose body `kept` bytes are kept.
///
/// A connection that was kept may have been closed by its other end just now. Where nothing was
/// sent, another one is taken. A connection that may not be kept is for this request alone, which
/// says so by its `Connection: close`.
pub(super) async fn exchange(
    pool: &Pool,
    connections: &Kept,
    mut message: Request<Full<Bytes>>,
    kept: usize,
) -> Result<Reply, Error> {
    let may_be_kept = !message.headers().contains_key(CONNECTION);
    let (mut connection, answer) = loop {
        let (mut connection, is_new) = match connections.take() {
            Some(connection) => (connection, false),
            None => (pool.open(connections, may_be_kept).await?, true),
        };
        match connection.send(message).await {
            Ok(answer) => break (connection, answer),
            Err(Unanswered::Unsent(again, _)) if !is_new => message = *again,
            Err(Unanswered::Unsent(_, error) | Unanswered::Failed(error)) => return Err(error),
        }
    };
    let (head, body) = answer.into_parts();
    let (body, length) = read(&mut connection, body, kept).await?;
    // What is left of a longer one stands in the way of the next.
    if length <= MOST_ANSWER_BYTES && connection.is_reusable() {
        pool.keep(connections, connection);
    }
    Ok(Reply {
        status: head.status.as_u16(),
        headers: head.headers,
        is_cut: length > body.len(),
        body,
    })
}

/// Reads an answer to its end, within bounds, and keeps its beginning; tells also how much there
/// was.
async fn read(
    connection: &mut Connection,
    mut body: Incoming,
    kept: usize,
) -> Result<(Vec<u8>, usize), Error> {
    let mut beginning = Vec::new();
    let mut length = 0;
    while !body.is_end_stream()
        && let Some(frame) = connection.frame(&mut body).await
    {
        let Ok(chunk) = frame.map_err(Error::Http)?.into_data() else { continue };
        let wanted = kept - beginning.len();
        beginning.extend_from_slice(&chunk[..chunk.len().min(wanted)]);
        length += chunk.len();
        if length > MOST_ANSWER_BYTES {
            break;
        }
    }
    Ok((beginning, length))
}

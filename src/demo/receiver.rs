//! The endpoint of the demo: an HTTP server as anybody would write one for webhooks.
//!
//! Verifies every signature, says 503 now and then, and enters what it is sent into the ledger.
//! It shares no code with what signs and sends, so that it is a witness.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use sha1::Sha1;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tracing::debug;

use super::events;
use super::ledger::{Arrival, Ledger};

/// How long an answer takes, in milliseconds: that of a service in the same region.
const LATENCY_MS: RangeInclusive<u64> = 5..=40;

/// How many requests of a hundred are answered with 503.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failures(u8);

impl FromStr for Failures {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = text.strip_suffix('%').unwrap_or(text);
        match number.parse() {
            Ok(percent @ 0..=100) => Ok(Self(percent)),
            _ => Err("a whole percentage from 0% to 100%, for example 5%"),
        }
    }
}

impl std::fmt::Display for Failures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}%", self.0)
    }
}

/// A receiver that listens until it is dropped.
pub(super) struct Receiver {
    pub(super) address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Receiver {
    /// Listens on a free port.
    pub(super) async fn start(
        secret: &str,
        failures: Failures,
        ledger: Arc<Ledger>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let keyed = Hmac::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, Arc::new(Desk { keyed, failures, ledger })));
        Ok(Self { address, _tasks: tasks })
    }
}

/// Where requests are answered.
struct Desk {
    keyed: Hmac<Sha1>,
    failures: Failures,
    ledger: Arc<Ledger>,
}

async fn serve(listener: TcpListener, desk: Arc<Desk>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(connection(stream, Arc::clone(&desk)));
            }
            // Out of file descriptors, as a rule: it passes.
            Err(error) => {
                debug!(%error, "demo: a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, desk: Arc<Desk>) {
    // Answers are small and awaited: without this, each could wait for an acknowledgement. Where
    // it is not to be had, the demo is a little slower.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| {
        let desk = Arc::clone(&desk);
        async move { Ok::<_, Infallible>(desk.answer(request).await) }
    });
    if let Err(error) = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await
    {
        debug!(%error, "demo: a connection ended early");
    }
}

impl Desk {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        if request.method() != Method::POST {
            let tally = self.ledger.tally();
            let text = format!("{} events in {} requests\n", tally.accepted, tally.requests);
            return answer(StatusCode::OK, text);
        }
        let (head, body) = request.into_parts();
        let Ok(body) = body.collect().await else {
            return answer(StatusCode::BAD_REQUEST, "the body did not arrive\n");
        };
        let body = body.to_bytes();
        let payload = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let arrival = Arrival {
            is_signed: self.is_signed(&head.headers, &body),
            is_batch: payload.is_array(),
            is_refused: fastrand::u8(0..100) < self.failures.0,
            events: numbers(&payload),
        };
        // Nobody answers at once.
        tokio::time::sleep(Duration::from_millis(fastrand::u64(LATENCY_MS))).await;
        // Before the answer leaves: what Hookcast learns to be accepted is accepted here.
        self.ledger.enter(&arrival);
        match arrival {
            Arrival { is_refused: true, .. } => {
                answer(StatusCode::SERVICE_UNAVAILABLE, "the demo says no, on purpose\n")
            }
            Arrival { is_signed: false, .. } => {
                answer(StatusCode::UNAUTHORIZED, "X-Signature is missing or wrong\n")
            }
            _ => answer(StatusCode::OK, ""),
        }
    }

    /// Whether `X-Signature` is there once, and is lower-case hex HMAC-SHA1 of the body.
    fn is_signed(&self, headers: &HeaderMap, body: &[u8]) -> bool {
        let mut sent = headers.get_all("x-signature").iter();
        let (Some(signature), None) = (sent.next(), sent.next()) else { return false };
        let mut mac = self.keyed.clone();
        mac.update(body);
        let mut bytes = [0; 20];
        hex::decode_to_slice(signature, &mut bytes).is_ok()
            && !signature.as_bytes().iter().any(u8::is_ascii_uppercase)
            && mac.verify_slice(&bytes).is_ok()
    }
}

/// The numbers of the events in a payload: one event, or an array of them.
fn numbers(payload: &Value) -> Vec<usize> {
    let events = payload.as_array().map_or(std::slice::from_ref(payload), Vec::as_slice);
    let message_ids = events.iter().filter_map(|event| event["messageId"].as_str());
    message_ids.filter_map(events::number_of).collect()
}

fn answer(status: StatusCode, text: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Failures, numbers};

    #[test]
    fn failures_are_a_percentage() {
        for (text, shown) in [("5%", "5%"), ("0", "0%"), ("100%", "100%")] {
            assert_eq!(text.parse::<Failures>().unwrap().to_string(), shown);
        }
        for text in ["101%", "-1%", "5 %", "0.5%", "%", "", "many"] {
            assert!(text.parse::<Failures>().is_err(), "{text}");
        }
    }

    #[test]
    fn events_are_found_alone_and_in_batches() {
        let event = json!({ "messageId": "demo-00000007" });
        assert_eq!(numbers(&event), [7]);
        assert_eq!(numbers(&json!([event, {}, { "messageId": "demo-8" }])), [7, 8]);
        assert!(numbers(&json!(null)).is_empty());
    }
}

//! An HTTP/1.1 server that remembers what it was sent and answers as it is told.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use sha1::Sha1;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::answers::{Answer, Request};
use super::deliveries::{Deliveries, keys, message_ids};
use super::wait::DEADLINE;

/// Everything that has arrived.
#[derive(Default)]
pub struct Arrived {
    pub requests: Vec<Arc<Request>>,
    paths: BTreeMap<String, Deliveries>,
    faults: Vec<String>,
}

impl Arrived {
    /// What came to one path.
    pub fn at(&self, path: &str) -> &Deliveries {
        static NOTHING: std::sync::LazyLock<Deliveries> =
            std::sync::LazyLock::new(Deliveries::default);
        self.paths.get(path).unwrap_or(&NOTHING)
    }

    fn summary(&self) -> String {
        let path = |(path, seen): (&String, &Deliveries)| {
            format!(
                "{path}: {} requests, {} events accepted, {} repeated",
                seen.requests,
                seen.accepted(),
                seen.repeated()
            )
        };
        let paths: Vec<_> = self.paths.iter().map(path).collect();
        if paths.is_empty() { "no request".to_owned() } else { paths.join("; ") }
    }
}

type Script = dyn Fn(&Request) -> Answer + Send + Sync;

struct Shared {
    secret: Option<String>,
    script: RwLock<Arc<Script>>,
    arrived: Mutex<Arrived>,
    changed: Condvar,
}

/// A webhook endpoint. Answers 200 until it is told otherwise. When dropped at the end of a test
/// that went well, it fails the test if any request was not signed as it must be.
pub struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
}

impl Receiver {
    /// Listens on a free port. With a secret, every request must be signed with it.
    pub fn start(secret: Option<&str>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime for the receiver");
        let listener =
            runtime.block_on(TcpListener::bind(("127.0.0.1", 0))).expect("a port on loopback");
        let address = listener.local_addr().expect("the listener is bound");
        let shared = Arc::new(Shared {
            secret: secret.map(str::to_owned),
            script: RwLock::new(Arc::new(|_: &Request| Answer::ok())),
            arrived: Mutex::default(),
            changed: Condvar::new(),
        });
        runtime.spawn(serve(listener, Arc::clone(&shared)));
        Self { address, shared, runtime: Some(runtime) }
    }

    /// The URL of a path; `path` begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Answers with what `script` says from now on.
    pub fn answer(&self, script: impl Fn(&Request) -> Answer + Send + Sync + 'static) {
        *self.shared.script.write().expect("nothing panics while it holds the script") =
            Arc::new(script);
    }

    /// What has arrived so far.
    pub fn arrived(&self) -> MutexGuard<'_, Arrived> {
        self.shared.arrived.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The requests to one path, in order of arrival.
    pub fn requests(&self, path: &str) -> Vec<Arc<Request>> {
        self.arrived().requests.iter().filter(|request| request.path == path).cloned().collect()
    }

    /// How many events one path has accepted, each counted once.
    pub fn accepted(&self, path: &str) -> usize {
        self.arrived().at(path).accepted()
    }

    /// Waits until what has arrived is as it should be. Woken by every request and every answer.
    #[track_caller]
    pub fn wait_until(&self, what: &str, holds: impl Fn(&Arrived) -> bool) {
        let begun = Instant::now();
        let mut arrived = self.arrived();
        while !holds(&arrived) {
            let left = DEADLINE.saturating_sub(begun.elapsed());
            if left.is_zero() {
                let summary = arrived.summary();
                drop(arrived);
                panic!("waited {DEADLINE:?} for {what}; at last: {summary}");
            }
            arrived = self
                .shared
                .changed
                .wait_timeout(arrived, left)
                .expect("nothing panics while it holds what arrived")
                .0;
        }
    }

    /// Waits until a path has accepted this many events.
    #[track_caller]
    pub fn wait_accepted(&self, path: &str, count: usize) {
        self.wait_until(&format!("{count} events at {path}"), |arrived| {
            arrived.at(path).accepted() >= count
        });
    }

    /// Nothing lost: as many events as were sent, in the order of their keys. To be asked when
    /// Hookcast has ended, so that nothing comes after it.
    #[track_caller]
    pub fn assert_nothing_lost(&self, path: &str, sent: usize) {
        let arrived = self.arrived();
        let seen = arrived.at(path);
        assert_eq!(seen.accepted(), sent, "events accepted at {path}");
        assert!(
            seen.inversions.is_empty(),
            "out of order at {path}: {:?}",
            first(&seen.inversions)
        );
    }

    /// Nothing lost, nothing twice, and no two requests with one key at a time.
    #[track_caller]
    pub fn assert_exactly_once(&self, path: &str, sent: usize) {
        self.assert_nothing_lost(path, sent);
        let arrived = self.arrived();
        let seen = arrived.at(path);
        assert_eq!(seen.repeated(), 0, "events accepted more than once at {path}");
        assert_eq!(seen.sent_again(), 0, "events sent again at {path} that were not refused");
        assert!(
            seen.overlaps.is_empty(),
            "keys in two requests at once at {path}: {:?}",
            first(&seen.overlaps)
        );
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
        if !std::thread::panicking() {
            let faults = std::mem::take(&mut self.arrived().faults);
            assert!(
                faults.is_empty(),
                "{} requests with faults: {:?}",
                faults.len(),
                first(&faults)
            );
        }
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let (stream, _) = listener.accept().await.expect("the listener accepts");
        // Answers are small and awaited: without this, each would wait for an acknowledgement.
        stream.set_nodelay(true).expect("a connected socket");
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let service = service_fn(|request| take(request, &shared));
            // A connection that breaks is the sender's affair: processes are killed in these tests.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn take(
    request: hyper::Request<Incoming>,
    shared: &Shared,
) -> Result<hyper::Response<Full<Bytes>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let message_ids = message_ids(&body);
    let fault =
        shared.secret.as_ref().and_then(|secret| signature_fault(secret, &head.headers, &body));
    let keys = keys(&message_ids);
    let flight = Flight { shared, path: head.uri.path().to_owned(), message_ids, keys };
    let request = flight.begin(fault, |number| Request {
        number,
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        headers: head.headers,
        body,
    });
    let script =
        Arc::clone(&shared.script.read().expect("nothing panics while it holds the script"));
    let answer = script(&request);
    if !answer.latency.is_zero() {
        tokio::time::sleep(answer.latency).await;
    }
    if let Some(gate) = &answer.gate {
        gate.passed().await;
    }
    flight.end(answer.status);
    Ok(response(answer))
}

fn response(answer: Answer) -> hyper::Response<Full<Bytes>> {
    let mut response = hyper::Response::new(Full::new(answer.body));
    *response.status_mut() =
        hyper::StatusCode::from_u16(answer.status).expect("a status a test chose");
    for (name, value) in answer.headers {
        response.headers_mut().insert(name, value.parse().expect("a header a test chose"));
    }
    response
}

/// A request between its arrival and its answer. Dropped without `end` when the connection is
/// lost, and then the events it carried are not accepted.
struct Flight<'a> {
    shared: &'a Shared,
    path: String,
    message_ids: Vec<String>,
    keys: BTreeSet<String>,
}

impl Flight<'_> {
    fn begin(&self, fault: Option<String>, request: impl FnOnce(usize) -> Request) -> Arc<Request> {
        let mut arrived = self.arrived();
        let request = Arc::new(request(arrived.requests.len()));
        arrived.requests.push(Arc::clone(&request));
        arrived
            .faults
            .extend(fault.map(|fault| format!("{} {}: {fault}", request.method, request.path)));
        arrived.paths.entry(self.path.clone()).or_default().arrive(&self.message_ids, &self.keys);
        self.shared.changed.notify_all();
        request
    }

    fn end(self, status: u16) {
        // Before the answer leaves: what Hookcast has learnt to be accepted, is accepted here.
        let mut arrived = self.arrived();
        let seen = arrived.paths.entry(self.path.clone()).or_default();
        if (200..300).contains(&status) {
            seen.accept(&self.message_ids);
        } else {
            seen.refuse(&self.message_ids);
        }
    }

    fn arrived(&self) -> MutexGuard<'_, Arrived> {
        self.shared.arrived.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        // A poisoned lock means that the test is failing already.
        if let Ok(mut arrived) = self.shared.arrived.lock() {
            arrived.paths.entry(self.path.clone()).or_default().leave(&self.keys);
        }
        self.shared.changed.notify_all();
    }
}

fn signature_fault(secret: &str, headers: &hyper::HeaderMap, body: &[u8]) -> Option<String> {
    let mut mac =
        Hmac::<Sha1>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of every length");
    mac.update(body);
    let expected = hex::encode(mac.finalize().into_bytes());
    let mut sent = headers.get_all("x-signature").iter();
    match (sent.next(), sent.next()) {
        (Some(signature), None) if signature.as_bytes() == expected.as_bytes() => None,
        (Some(signature), None) => {
            Some(format!("X-Signature is {signature:?}, and {expected} signs the body"))
        }
        (Some(_), Some(_)) => Some("X-Signature was sent twice".to_owned()),
        (None, _) => Some("X-Signature is missing".to_owned()),
    }
}

fn first(faults: &[String]) -> &[String] {
    &faults[..faults.len().min(5)]
}

//! An HTTP/1.1 server that remembers what it was sent and answers as it is told.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::answers::{Answer, Request};
use super::connection;
use super::deliveries::{Deliveries, keys, message_ids};
use super::wait::DEADLINE;

const NEVER_POISONED: &str = "nothing panics while it holds the script";

/// Everything that has arrived.
#[derive(Default)]
pub struct Arrived {
    pub requests: Vec<Arc<Request>>,
    /// How many requests there were before those.
    forgotten: usize,
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
type EarlyScript = dyn Fn(&Request) -> Option<Answer> + Send + Sync;

pub(super) struct Shared {
    secret: Option<String>,
    script: RwLock<Arc<Script>>,
    early: RwLock<Arc<EarlyScript>>,
    arrived: Mutex<Arrived>,
    changed: Condvar,
}

impl Shared {
    pub fn answer(&self, request: &Request) -> Answer {
        let script = Arc::clone(&self.script.read().expect(NEVER_POISONED));
        script(request)
    }

    pub fn early_answer(&self, head: &Request) -> Option<Answer> {
        let script = Arc::clone(&self.early.read().expect(NEVER_POISONED));
        script(head)
    }
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
            early: RwLock::new(Arc::new(|_: &Request| None)),
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
        *self.shared.script.write().expect(NEVER_POISONED) = Arc::new(script);
    }

    /// Answers some requests from now on when only their head was read. What such an answer
    /// leaves unread is read after a whole one, and after any other the connection is closed on it.
    pub fn answer_early(
        &self,
        script: impl Fn(&Request) -> Option<Answer> + Send + Sync + 'static,
    ) {
        *self.shared.early.write().expect(NEVER_POISONED) = Arc::new(script);
    }

    /// What has arrived so far.
    pub fn arrived(&self) -> MutexGuard<'_, Arrived> {
        self.shared.arrived.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The requests to one path, in order of arrival.
    pub fn requests(&self, path: &str) -> Vec<Arc<Request>> {
        self.arrived().requests.iter().filter(|request| request.path == path).cloned().collect()
    }

    /// Forgets the requests, and keeps what they were counted as: for tests that take their time.
    pub fn forget_requests(&self) {
        let mut arrived = self.arrived();
        let forgotten = std::mem::take(&mut arrived.requests).len();
        arrived.forgotten += forgotten;
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
            // A connection that breaks is the sender's affair: processes are killed in these tests.
            let _ = connection::serve(stream, &shared).await;
        });
    }
}

/// A request between its arrival and its answer. Dropped without `end` when the connection is
/// lost, and then the events it carried are not accepted.
pub(super) struct Flight<'a> {
    shared: &'a Shared,
    path: String,
    message_ids: Vec<String>,
    keys: BTreeSet<String>,
}

impl<'a> Flight<'a> {
    /// A request has arrived: all of it, or its head.
    pub fn begin(shared: &'a Shared, mut request: Request, is_whole: bool) -> (Self, Arc<Request>) {
        let message_ids = message_ids(&request.body);
        let keys = keys(&message_ids);
        let flight = Self { shared, path: request.path.clone(), message_ids, keys };
        let secret = shared.secret.as_ref().filter(|_| is_whole);
        let fault =
            secret.and_then(|secret| signature_fault(secret, &request.headers, &request.body));
        let mut arrived = flight.arrived();
        request.number = arrived.forgotten + arrived.requests.len();
        let request = Arc::new(request);
        arrived.requests.push(Arc::clone(&request));
        arrived
            .faults
            .extend(fault.map(|fault| format!("{} {}: {fault}", request.method, request.path)));
        let seen = arrived.paths.entry(flight.path.clone()).or_default();
        seen.arrive(&flight.message_ids, &flight.keys);
        drop(arrived);
        shared.changed.notify_all();
        (flight, request)
    }

    /// The answer is about to leave.
    pub fn end(self, answer: &Answer) {
        let mut arrived = self.arrived();
        let seen = arrived.paths.entry(self.path.clone()).or_default();
        // An answer that breaks off tells its sender nothing: the events may come again.
        if (200..300).contains(&answer.status) && answer.manner.tells() {
            seen.accept(&self.message_ids);
        } else {
            seen.refuse(&self.message_ids);
        }
    }

    fn arrived(&self) -> MutexGuard<'a, Arrived> {
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

//! Connections that requests share: those over HTTP/2.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use hookcast::endpoint::Endpoints;
use hookcast::lane::Attempt;
use hookcast::verdict::Outcome;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;

use crate::prepare;
use crate::recorder::settle;
use crate::servers::Tls;

/// What happens to the first connection.
#[derive(Clone, Copy, PartialEq)]
enum First {
    Serves,
    /// It is closed when the test says so, with a word.
    GoesAway,
    /// It answers nothing.
    IsSilent,
}

struct Endpoint {
    url: String,
    /// For the certificates in it.
    files: TempDir,
    shared: Arc<Shared>,
}

struct Shared {
    connections: AtomicUsize,
    go: Notify,
    done: Notify,
}

impl Endpoint {
    async fn start(first: First) -> Self {
        let tls = Tls::new();
        let acceptor = tls.acceptor(&["h2"]);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let shared =
            Shared { connections: AtomicUsize::new(0), go: Notify::new(), done: Notify::new() };
        let shared = Arc::new(shared);
        let serving = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&serving);
                let number = shared.connections.fetch_add(1, Ordering::Relaxed);
                let first = if number == 0 { first } else { First::Serves };
                let acceptor = acceptor.clone();
                tokio::spawn(async move { shared.serve(&acceptor, stream, first).await });
            }
        });
        Self { url: format!("https://localhost:{port}/"), files: tls.client_files(), shared }
    }

    fn prepare(&self) -> (Endpoints, Attempt) {
        let settings = format!(
            "    tls: {{ ca_file: {0}/ca.pem, cert_file: {0}/me.pem, key_file: {0}/me.key }}\n",
            self.files.path().display()
        );
        prepare(&self.url, &settings, "allow_private: true")
    }

    fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }
}

impl Shared {
    async fn serve(&self, acceptor: &TlsAcceptor, stream: TcpStream, first: First) {
        let stream = acceptor.accept(stream).await.expect("the client is known");
        let answer = service_fn(move |request: Request<Incoming>| async move {
            if first == First::IsSilent {
                std::future::pending::<()>().await;
            }
            let seen = format!("{} {:?}", request.uri(), request.headers().get("connection"));
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(seen))))
        });
        let server = http2::Builder::new(TokioExecutor::new());
        let mut connection = pin!(server.serve_connection(TokioIo::new(stream), answer));
        if first == First::GoesAway {
            tokio::select! {
                ended = &mut connection => return drop(ended),
                () = self.go.notified() => connection.as_mut().graceful_shutdown(),
            }
        }
        drop(connection.await);
        self.done.notify_one();
    }
}

#[tokio::test]
async fn requests_share_a_connection() {
    let endpoint = Endpoint::start(First::Serves).await;
    let (endpoints, attempt) = endpoint.prepare();
    let answer = endpoints.attempt(&attempt).await;
    assert_eq!(answer.outcome, Outcome::Status(200), "{}", answer.detail);
    assert_eq!(answer.detail, format!("{} None", endpoint.url));
    for answer in join_all([&attempt; 3].map(|attempt| endpoints.attempt(attempt))).await {
        assert_eq!(answer.outcome, Outcome::Status(200), "{}", answer.detail);
    }
    assert_eq!(endpoint.connections(), 1);
}

#[tokio::test]
async fn a_connection_that_goes_away_costs_no_attempt() {
    let endpoint = Endpoint::start(First::GoesAway).await;
    let (endpoints, attempt) = endpoint.prepare();
    assert_eq!(endpoints.attempt(&attempt).await.outcome, Outcome::Status(200));
    endpoint.shared.go.notify_one();
    endpoint.shared.done.notified().await;
    settle().await;
    let answer = endpoints.attempt(&attempt).await;
    assert_eq!(answer.outcome, Outcome::Status(200), "{}", answer.detail);
    assert_eq!(endpoint.connections(), 2);
}

#[tokio::test]
async fn a_connection_that_is_silent_is_left_by_those_who_come_later() {
    let endpoint = Endpoint::start(First::IsSilent).await;
    let (endpoints, attempt) = endpoint.prepare();
    assert_eq!(endpoints.attempt(&attempt).await.outcome, Outcome::Timeout);
    let answer = endpoints.attempt(&attempt).await;
    assert_eq!(answer.outcome, Outcome::Status(200), "{}", answer.detail);
    assert_eq!(endpoint.connections(), 2);
}

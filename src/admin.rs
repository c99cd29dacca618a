//! The admin port: `/metrics`, `/healthz`, `/readyz`.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tracing::debug;

use crate::health::Health;
use crate::metrics::Metrics;

/// The most connections that are served at a time; further ones wait.
const MOST_CONNECTIONS: usize = 64;

/// What the admin port tells.
#[derive(Debug)]
pub struct Admin {
    /// Behind `/metrics`.
    pub metrics: Arc<Metrics>,
    /// Behind `/healthz` and `/readyz`.
    pub health: Arc<Health>,
}

impl Admin {
    /// Serves the port until the task that runs it is dropped.
    pub async fn serve(self, listener: TcpListener) {
        let admin = Arc::new(self);
        let mut connections = JoinSet::new();
        loop {
            while connections.try_join_next().is_some() {}
            if connections.len() >= MOST_CONNECTIONS {
                connections.join_next().await;
            }
            match listener.accept().await {
                Ok((stream, peer)) => {
                    connections.spawn(connection(Arc::clone(&admin), stream, peer));
                }
                // Out of file descriptors, as a rule: it passes.
                Err(error) => {
                    debug!(%error, "admin: a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<Full<Bytes>> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
        }
        match request.uri().path() {
            "/metrics" => {
                // With thousands of actions it takes a while, and workers need their threads.
                let metrics = Arc::clone(&self.metrics);
                let encoded = tokio::task::spawn_blocking(move || metrics.encode()).await;
                let Ok(encoded) = encoded else {
                    return text(StatusCode::SERVICE_UNAVAILABLE, "the process is ending\n");
                };
                let mut response = Response::new(Full::from(encoded));
                let kind = prometheus::TEXT_FORMAT.parse().expect("the media type is legal");
                response.headers_mut().insert(CONTENT_TYPE, kind);
                response
            }
            "/healthz" => match self.health.ailment() {
                None => text(StatusCode::OK, "ok\n"),
                Some(ailment) => text(StatusCode::SERVICE_UNAVAILABLE, format!("{ailment}\n")),
            },
            "/readyz" => match self.health.unreadiness() {
                None => text(StatusCode::OK, "ok\n"),
                Some(reason) => text(StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")),
            },
            _ => text(StatusCode::NOT_FOUND, "/metrics, /healthz or /readyz\n"),
        }
    }
}

async fn connection(admin: Arc<Admin>, stream: tokio::net::TcpStream, peer: SocketAddr) {
    let service = service_fn(|request| {
        let answer = Arc::clone(&admin).answer(request);
        async { Ok::<_, Infallible>(answer.await) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(30))
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        debug!(%peer, %error, "admin: a connection ended early");
    }
}

fn text(status: StatusCode, text: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(text.into()));
    *response.status_mut() = status;
    let kind = "text/plain; charset=utf-8".parse().expect("the media type is legal");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpStream};
    use std::path::Path;
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::net::TcpListener;

    use super::Admin;
    use crate::config::Config;
    use crate::health::Health;
    use crate::metrics::Metrics;

    const CONFIG: &str = "
kafka: { bootstrap.servers: 'unused:1', group.id: g }
sources: { s: { topics: [t] } }
destinations: { d: { actions: { a: { trigger: 'true', url: https://example.com/ } } } }
";

    fn asked(address: SocketAddr, path: &str) -> (String, String) {
        let mut stream = TcpStream::connect(address).expect("it listens");
        write!(stream, "GET {path} HTTP/1.0\r\n\r\n").expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("it is an answer");
        let status = head.split(' ').nth(1).expect("there is a status");
        (status.to_owned(), body.to_owned())
    }

    #[test]
    fn a_loop_that_is_wedged_fails_the_health_check_with_the_reason() {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let config = Config::parse("test.yaml", CONFIG, Path::new(""), &|name| std::env::var(name));
        let plan = config.unwrap_or_else(|errors| panic!("{errors}")).plan;
        let health = Arc::new(Health::new());
        let admin = Admin { metrics: Arc::new(Metrics::new(&plan)), health: Arc::clone(&health) };
        runtime.spawn(admin.serve(listener));
        health.beat("the worker of t [0]");
        assert_eq!(asked(address, "/healthz"), ("200".to_owned(), "ok\n".to_owned()));
        // It was to be done at once, and is not.
        health.beat_within("the worker of t [0]", Duration::ZERO);
        let (status, body) = asked(address, "/healthz");
        assert_eq!(status, "503");
        assert_eq!(body, "the worker of t [0] has not moved for 0 s\n");
        health.forget("the worker of t [0]");
        assert_eq!(asked(address, "/healthz").0, "200");
    }
}

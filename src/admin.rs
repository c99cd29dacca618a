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

    fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
        }
        match request.uri().path() {
            "/metrics" => {
                let mut response = Response::new(Full::from(self.metrics.encode()));
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
        let response = admin.answer(&request);
        async { Ok::<_, Infallible>(response) }
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

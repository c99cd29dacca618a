//! An endpoint on this machine: it verifies signatures, keeps what it was sent, and repeats it.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::program::signature;

/// A receiver that listens until it is dropped.
pub struct Receiver {
    /// `127.0.0.1:PORT`
    pub address: String,
    received: Arc<Mutex<Vec<Value>>>,
    _stop: oneshot::Sender<()>,
}

impl Receiver {
    /// Starts on a thread of its own. It answers with the status that stands in the path
    /// (`/status/404`), otherwise with 200 or, where the signature is wrong, 401; it repeats what
    /// it was sent in a header and in the body, and closes without an answer at `/close`.
    pub fn start() -> Self {
        let received = Arc::new(Mutex::new(Vec::new()));
        let (tell, told) = std::sync::mpsc::sync_channel(1);
        let (stop, stopped) = oneshot::channel();
        let kept = Arc::clone(&received);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let serve = async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
                let address = listener.local_addr().expect("it is bound").to_string();
                tell.send(address).expect("somebody waits for the address");
                tokio::select! {
                    () = serve(listener, kept) => {}
                    _ = stopped => {}
                }
            };
            runtime.expect("a runtime can be built").block_on(serve);
        });
        let address = told.recv().expect("the receiver has started");
        Self { address, received, _stop: stop }
    }

    /// What it was sent so far.
    pub fn received(&self) -> Vec<Value> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn serve(listener: TcpListener, received: Arc<Mutex<Vec<Value>>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let received = Arc::clone(&received);
        let service = service_fn(move |request| answer(request, Arc::clone(&received)));
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        // That a connection breaks is what some of the tests are about.
        tokio::spawn(async move { drop(connection.await) });
    }
}

async fn answer(
    request: Request<Incoming>,
    received: Arc<Mutex<Vec<Value>>>,
) -> Result<Response<Full<Bytes>>, Box<dyn std::error::Error + Send + Sync>> {
    let (head, body) = request.into_parts();
    let body = String::from_utf8(body.collect().await?.to_bytes().to_vec())?;
    let header = |(name, value): (&hyper::header::HeaderName, &hyper::header::HeaderValue)| {
        (name.to_string(), Value::from(String::from_utf8_lossy(value.as_bytes())))
    };
    let request = json!({
        "method": head.method.as_str(),
        "uri": head.uri.to_string(),
        "headers": Value::Object(head.headers.iter().map(header).collect()),
        "body": body,
    });
    let is_signed = request["headers"]["x-signature"] == signature(&body);
    received.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
    let status = match head.uri.path() {
        "/close" => return Err("closed on purpose".into()),
        path => match path.strip_prefix("/status/") {
            Some(status) => status.parse()?,
            None if is_signed => 200,
            None => 401,
        },
    };
    let said = request.to_string();
    let answer = Response::builder().status(status);
    let answer =
        answer.header("x-seen", head.uri.to_string()).header("x-twice", "a").header("x-twice", "b");
    let body = if head.uri.path() == "/long" { said.repeat(300) } else { said };
    Ok(answer.body(Full::new(Bytes::from(body)))?)
}

//! One connection: a request goes out, the head of its answer comes in.
//!
//! Over HTTP/1.1 whoever makes a request drives the connection while he waits: there is no task
//! between him and the socket, and one request at a time. Over HTTP/2 requests share a connection,
//! which is driven by a task of its own.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use http::header::{HOST, HeaderValue, PROXY_AUTHORIZATION};
use http::{Request, Response, Uri};
use http_body_util::Full;
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::client::conn::{TrySendError, http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::connector::Stream;
use super::fault::Error;

type Payload = Full<Bytes>;
type Message = Request<Payload>;
type Driver = Pin<Box<http1::Connection<TokioIo<Box<dyn Stream>>, Payload>>>;

/// See the module's documentation.
pub(super) enum Connection {
    Http1(Http1),
    Http2(Http2),
}

pub(super) struct Http1 {
    sender: http1::SendRequest<Payload>,
    driver: Driver,
    /// Whether the driver is through: nothing comes any more.
    is_closed: bool,
    form: Form,
}

/// A connection that many requests share.
#[derive(Clone)]
pub(super) struct Http2 {
    sender: http2::SendRequest<Payload>,
    /// Whether somebody has waited in vain. The other end may be gone without a word, and then
    /// everybody would; it takes TCP long to notice.
    is_silent: Arc<AtomicBool>,
}

/// How a request over HTTP/1.1 names what it wants (RFC 9112, section 3.2).
pub(super) enum Form {
    /// By its path: whoever is spoken to has it.
    Path,
    /// By its whole URL, to a proxy.
    Absolute { credentials: Option<HeaderValue> },
}

/// Why a request got no answer.
pub(super) enum Unanswered {
    /// Nothing of it was sent: the connection was closed before.
    Unsent(Box<Message>, Error),
    Failed(Error),
}

impl Connection {
    pub(super) async fn http1(stream: Box<dyn Stream>, form: Form) -> Result<Self, Error> {
        let (sender, driver) = http1::handshake(TokioIo::new(stream)).await.map_err(Error::Http)?;
        Ok(Self::Http1(Http1 { sender, driver: Box::pin(driver), is_closed: false, form }))
    }

    /// The connection is driven until nobody has a request for it any more.
    pub(super) async fn http2(stream: Box<dyn Stream>) -> Result<Self, Error> {
        let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
        let (sender, driver) = handshake.map_err(Error::Http)?;
        // It ends by itself, with its last request or with the connection; how, they are told.
        tokio::spawn(async { drop(driver.await) });
        Ok(Self::Http2(Http2 { sender, is_silent: Arc::default() }))
    }

    /// Sends a request with an absolute URI and a `Host`, and waits for the head of its answer.
    pub(super) async fn send(
        &mut self,
        message: Message,
    ) -> Result<Response<Incoming>, Unanswered> {
        match self {
            Self::Http1(it) => it.send(message).await,
            Self::Http2(it) => it.send(message).await,
        }
    }

    /// The next part of an answer's body; none: it is complete.
    pub(super) async fn frame(
        &mut self,
        body: &mut Incoming,
    ) -> Option<Result<Frame<Bytes>, hyper::Error>> {
        let frame = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx));
        match self {
            Self::Http1(it) => it.drive(frame).await,
            Self::Http2(it) => it.wait_for(frame).await,
        }
    }

    /// Whether another request may be sent, now that an answer was read to its end.
    pub(super) fn is_reusable(&mut self) -> bool {
        match self {
            Self::Http1(it) => !it.look_whether_closed() && it.sender.is_ready(),
            Self::Http2(it) => it.is_usable(),
        }
    }
}

impl Http1 {
    /// Notices what has happened while nobody used it; true: it is closed.
    pub(super) fn look_whether_closed(&mut self) -> bool {
        self.advance(&mut Context::from_waker(Waker::noop()));
        self.is_closed
    }

    async fn send(&mut self, mut message: Message) -> Result<Response<Incoming>, Unanswered> {
        let absolute = match &self.form {
            Form::Path => {
                let path = path(message.uri());
                Some(std::mem::replace(message.uri_mut(), path))
            }
            Form::Absolute { credentials } => {
                if let Some(credentials) = credentials {
                    message.headers_mut().insert(PROXY_AUTHORIZATION, credentials.clone());
                }
                None
            }
        };
        let answer = self.sender.try_send_request(message);
        let answer = self.drive(answer).await;
        answer.map_err(|error| {
            Unanswered::of(error, |message| match absolute {
                Some(absolute) => *message.uri_mut() = absolute,
                None => drop(message.headers_mut().remove(PROXY_AUTHORIZATION)),
            })
        })
    }

    /// Waits for something that this connection brings.
    async fn drive<T>(&mut self, waited_for: impl Future<Output = T>) -> T {
        let mut waited_for = pin!(waited_for);
        poll_fn(|cx| {
            if let Poll::Ready(it) = waited_for.as_mut().poll(cx) {
                return Poll::Ready(it);
            }
            self.advance(cx);
            waited_for.as_mut().poll(cx)
        })
        .await
    }

    fn advance(&mut self, cx: &mut Context<'_>) {
        // How it ended is told to whoever waits for an answer.
        if !self.is_closed && self.driver.as_mut().poll(cx).is_ready() {
            self.is_closed = true;
        }
    }
}

impl Http2 {
    /// Whether another request has a chance of being answered.
    pub(super) fn is_usable(&self) -> bool {
        !self.sender.is_closed() && !self.is_silent.load(Ordering::Relaxed)
    }

    /// Waits for something that this connection brings. Whoever stops to do so has lost patience.
    async fn wait_for<T>(&self, waited_for: impl Future<Output = T>) -> T {
        let impatience = Impatience(&self.is_silent);
        let it = waited_for.await;
        std::mem::forget(impatience);
        it
    }

    async fn send(&mut self, mut message: Message) -> Result<Response<Incoming>, Unanswered> {
        // It has a field of its own for that.
        let host = message.headers_mut().remove(HOST);
        let restore = |message: &mut Message| {
            message.headers_mut().extend(host.map(|host| (HOST, host)));
        };
        if let Err(error) = self.sender.ready().await {
            restore(&mut message);
            return Err(Unanswered::Unsent(Box::new(message), Error::Http(error)));
        }
        let answer = self.sender.try_send_request(message);
        let answer = self.wait_for(answer).await;
        answer.map_err(|error| Unanswered::of(error, restore))
    }
}

/// Tells of a connection that it was waited for in vain.
struct Impatience<'a>(&'a AtomicBool);

impl Drop for Impatience<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Unanswered {
    fn of(mut error: TrySendError<Message>, restore: impl FnOnce(&mut Message)) -> Self {
        let message = error.take_message();
        let error = Error::Http(error.into_error());
        match message {
            Some(mut message) => {
                restore(&mut message);
                Self::Unsent(Box::new(message), error)
            }
            None => Self::Failed(error),
        }
    }
}

/// The path and the query of an absolute URI.
fn path(uri: &Uri) -> Uri {
    uri.path_and_query().cloned().map_or_else(Uri::default, Uri::from)
}

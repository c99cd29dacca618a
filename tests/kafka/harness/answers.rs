//! What a receiver is asked, and what a test has it answer.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;

/// A request as it arrived.
#[derive(Debug)]
pub struct Request {
    /// How many requests had arrived before it.
    pub number: usize,
    pub method: String,
    pub path: String,
    pub(super) headers: hyper::HeaderMap,
    pub body: Bytes,
}

impl Request {
    /// The text of a header that was sent once.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?;
        assert!(values.next().is_none(), "the header {name} was sent twice");
        Some(value.to_str().expect("header values are ASCII"))
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the tests send UTF-8")
    }
}

/// What a request is answered with, and when.
#[derive(Clone)]
pub struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Bytes,
    pub(super) latency: Duration,
    pub(super) gate: Option<Gate>,
    pub(super) manner: Manner,
}

/// How an answer goes out. After any but a whole one the connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// As it should.
    Whole,
    /// As it should, and the connection is closed unannounced.
    ThenClosed,
    /// A byte a second.
    Dripping,
    /// Half of it; then the connection is reset.
    Reset,
    /// It says that it is longer than it is.
    CutShort,
    /// It is longer than it says: what comes after it looks like an answer with this status.
    WithAnother(u16),
    /// It promises gigabytes, and keeps its promise.
    Giant,
}

impl Manner {
    /// Whether the sender learns from it what became of its request.
    pub(super) fn tells(self) -> bool {
        !matches!(self, Self::Dripping | Self::Reset | Self::CutShort)
    }
}

impl Answer {
    pub fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Bytes::new(),
            latency: Duration::ZERO,
            gate: None,
            manner: Manner::Whole,
        }
    }

    pub fn ok() -> Self {
        Self::status(200)
    }

    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// The answer takes this long, as an endpoint's work would.
    pub fn after(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// The answer does not go out as it should.
    pub fn in_manner(mut self, manner: Manner) -> Self {
        self.manner = manner;
        self
    }

    /// The answer waits until the gate is open.
    pub fn behind(mut self, gate: &Gate) -> Self {
        self.gate = Some(gate.clone());
        self
    }
}

/// Holds answers back until it is opened.
#[derive(Clone)]
pub struct Gate(watch::Sender<bool>);

impl Gate {
    pub fn closed() -> Self {
        Self(watch::Sender::new(false))
    }

    pub fn open(&self) {
        self.0.send_replace(true);
    }

    pub(super) async fn passed(&self) {
        // The sender lives in `self`, so the wait cannot end for want of one.
        let _ = self.0.subscribe().wait_for(|open| *open).await;
    }
}

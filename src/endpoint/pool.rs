//! Connections that are kept for the next request, by origin.
//!
//! Over HTTP/1.1 the one that was used last is used next, so that those that are too many grow old
//! and are closed. Over HTTP/2 one connection is for all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::connection::{Connection, Http1, Http2};
use super::connector::Connector;
use super::fault::Error;
use super::origin::Origin;

/// How long a connection is kept that nobody uses.
pub(super) const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// The connections of one destination.
pub(super) struct Pool {
    connector: Connector,
    /// The most that are kept for one origin.
    most_idle: usize,
    origins: Mutex<HashMap<Origin, Arc<Kept>>>,
}

/// The connections to one origin.
pub(super) struct Kept {
    origin: Origin,
    idle: Mutex<Idle>,
}

#[derive(Default)]
struct Idle {
    /// The one that was used last comes last.
    http1: Vec<(Http1, Instant)>,
    http2: Option<(Http2, Instant)>,
}

impl Pool {
    pub(super) fn new(connector: Connector, most_idle: usize) -> Self {
        Self { connector, most_idle, origins: Mutex::default() }
    }

    /// What is kept for `origin`.
    pub(super) fn of(&self, origin: Origin) -> Arc<Kept> {
        let mut origins = lock(&self.origins);
        let kept = origins.entry(origin).or_insert_with_key(|origin| {
            Arc::new(Kept { origin: origin.clone(), idle: Mutex::default() })
        });
        Arc::clone(kept)
    }

    /// Opens a connection.
    pub(super) async fn open(&self, kept: &Kept) -> Result<Connection, Error> {
        let connection = self.connector.open(&kept.origin).await?;
        if let Connection::Http2(connection) = &connection {
            lock(&kept.idle).http2 = Some((connection.clone(), Instant::now()));
        }
        Ok(connection)
    }

    /// Takes a connection back that may be used again, if there is room for it.
    pub(super) fn keep(&self, kept: &Kept, connection: Connection) {
        if let Connection::Http1(connection) = connection {
            let mut idle = lock(&kept.idle);
            if idle.http1.len() < self.most_idle {
                idle.http1.push((connection, Instant::now()));
            }
        }
    }

    /// Closes what was not used for long, or was closed by its other end, and forgets origins that
    /// have no connection.
    pub(super) fn close_idle(&self, now: Instant) {
        lock(&self.origins).retain(|_, kept| {
            let mut idle = lock(&kept.idle);
            let is_young = |used_at: Instant| now < used_at + IDLE_TIMEOUT;
            idle.http1.retain_mut(|(connection, used_at)| {
                is_young(*used_at) && !connection.look_whether_closed()
            });
            idle.http2.take_if(|(shared, used_at)| !is_young(*used_at) || shared.is_closed());
            let is_idle = idle.http1.is_empty() && idle.http2.is_none();
            drop(idle);
            !is_idle || Arc::strong_count(kept) > 1
        });
    }
}

impl Kept {
    /// Where the connections lead.
    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// A connection for one request, if one is kept.
    pub(super) fn take(&self) -> Option<Connection> {
        let mut idle = lock(&self.idle);
        if let Some((shared, used_at)) = &mut idle.http2 {
            if !shared.is_closed() {
                *used_at = Instant::now();
                return Some(Connection::Http2(shared.clone()));
            }
            idle.http2 = None;
        }
        while let Some((mut connection, _)) = idle.http1.pop() {
            if !connection.look_whether_closed() {
                return Some(Connection::Http1(connection));
            }
        }
        None
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

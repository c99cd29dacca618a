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

    /// Opens a connection. One that others may share is kept from now on, if any `may_be_kept`.
    pub(super) async fn open(&self, kept: &Kept, may_be_kept: bool) -> Result<Connection, Error> {
        let connection = self.connector.open(&kept.origin).await?;
        if may_be_kept {
            self.share(kept, &connection);
        }
        Ok(connection)
    }

    fn share(&self, kept: &Kept, connection: &Connection) {
        if let Connection::Http2(connection) = connection
            && self.most_idle > 0
        {
            lock(&kept.idle).http2 = Some((connection.clone(), Instant::now()));
        }
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
            idle.http2.take_if(|(shared, used_at)| !is_young(*used_at) || !shared.is_usable());
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
            if shared.is_usable() {
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

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use rustls::RootCertStore;
    use tokio::io::{AsyncReadExt, DuplexStream, duplex};
    use url::Url;

    use super::super::connection::Form;
    use super::{Connection, Connector, IDLE_TIMEOUT, Kept, Origin, Pool, lock};
    use crate::egress::Egress;

    fn pool(most_idle: usize) -> Pool {
        let connector = Connector::new(&Egress::default(), &RootCertStore::empty(), None);
        Pool::new(connector.expect("no certificate is wrong"), most_idle)
    }

    fn origin(url: &str) -> Origin {
        Origin::of(&Url::parse(url).expect(url))
    }

    /// A connection, and its other end.
    async fn connection() -> (Connection, DuplexStream) {
        let (stream, other) = duplex(64);
        let connection = Connection::http1(Box::new(stream), Form::Path).await;
        (connection.unwrap_or_else(|error| panic!("nothing is sent yet: {error}")), other)
    }

    fn idle(kept: &Kept) -> usize {
        lock(&kept.idle).http1.len()
    }

    #[tokio::test]
    async fn connections_that_nobody_uses_are_closed_and_their_origin_forgotten() {
        let pool = pool(2);
        let kept = pool.of(origin("http://a/"));
        let (connection, mut other) = connection().await;
        pool.keep(&kept, connection);
        let kept_at = Instant::now();
        pool.close_idle(kept_at + IDLE_TIMEOUT / 2);
        assert_eq!(idle(&kept), 1);
        pool.close_idle(kept_at + IDLE_TIMEOUT);
        assert_eq!(idle(&kept), 0);
        assert_eq!(other.read(&mut [0]).await.expect("it was open"), 0, "it is closed");
        assert_eq!(lock(&pool.origins).len(), 1, "somebody knows it");
        drop(kept);
        pool.close_idle(kept_at);
        assert!(lock(&pool.origins).is_empty());
    }

    #[tokio::test]
    async fn connections_that_were_closed_are_not_kept_for_long_and_never_taken() {
        let pool = pool(2);
        let kept = pool.of(origin("http://a/"));
        for _ in 0..2 {
            let (connection, other) = connection().await;
            pool.keep(&kept, connection);
            drop(other);
        }
        assert!(kept.take().is_none());
        let (connection, other) = connection().await;
        pool.keep(&kept, connection);
        drop(other);
        pool.close_idle(Instant::now());
        assert_eq!(idle(&kept), 0);
    }

    #[tokio::test]
    async fn a_connection_is_shared_for_as_long_as_it_is_used_and_only_where_any_are_kept() {
        for (most_idle, is_shared) in [(0, false), (1, true)] {
            let pool = pool(most_idle);
            let kept = pool.of(origin("https://a/"));
            let (stream, mut other) = duplex(1024);
            let connection = Connection::http2(Box::new(stream)).await;
            let connection = connection.unwrap_or_else(|error| panic!("nobody said no: {error}"));
            pool.share(&kept, &connection);
            drop(connection);
            for _ in 0..2 {
                assert_eq!(kept.take().is_some(), is_shared);
            }
            pool.close_idle(Instant::now() + IDLE_TIMEOUT);
            assert!(kept.take().is_none());
            other.read_to_end(&mut Vec::new()).await.expect("it is closed in order");
        }
    }

    #[tokio::test]
    async fn no_more_than_so_many_are_kept_for_an_origin() {
        let pool = pool(2);
        let (a, b) = (pool.of(origin("http://a/")), pool.of(origin("https://a/")));
        let mut others = Vec::new();
        for kept in [&a, &a, &a, &b] {
            let (connection, other) = connection().await;
            pool.keep(kept, connection);
            others.push(other);
        }
        assert_eq!((idle(&a), idle(&b)), (2, 1));
        assert!(a.take().is_some() && a.take().is_some() && a.take().is_none());
    }
}

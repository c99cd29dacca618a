//! One attempt over HTTP: from a signed body to an answer.
//!
//! Knows connections, headers, time limits and which addresses may be reached. It does not know
//! what an answer means, nor whether there will be another attempt.

mod connection;
mod connector;
mod exchange;
mod fault;
mod idle;
mod origin;
mod places;
mod pool;
mod resolver;
mod standing;
mod tls;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::header::{ACCEPT, AUTHORIZATION, CONNECTION, HOST, HeaderMap, HeaderName, HeaderValue};
use http::{Method as HttpMethod, Request, Uri};
use http_body_util::Full;
use hyper::body::Bytes;
use prometheus::IntGauge;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

use crate::dead_letter::MOST_ERROR_BYTES;
use crate::endpoint::connector::Connector;
use crate::endpoint::exchange::exchange;
use crate::endpoint::idle::{Allowance, KeptOrigins};
use crate::endpoint::origin::Origin;
use crate::endpoint::places::Places;
use crate::endpoint::pool::{Kept, Pool};
use crate::endpoint::standing::Standing;
use crate::endpoint::tls::Unusable;
use crate::gate::Change;
use crate::lane::{Answer, Attempt, Streak};
use crate::metrics::Metrics;
use crate::open_files::OpenFiles;
use crate::pipeline::Completion;
use crate::plan::{Action, ActionId, Method, Plan, Target, TargetTemplate};
use crate::request::{self, SignedRequest};
use crate::verdict::Outcome;

pub use exchange::{MOST_ANSWER_BYTES, Reply};
pub use fault::Fault;

/// The most headers that are made anew for every request.
const MOST_STAMPS: usize = 8;
/// Between two looks for connections that nobody needs any more.
const CLOSE_IDLE_EVERY: Duration = Duration::from_secs(5);
/// How many origins of one action are remembered before the idle ones are forgotten.
const MANY_ORIGINS: usize = 1024;

/// A destination that cannot be spoken to.
#[derive(Debug, thiserror::Error)]
#[error("destination {destination}")]
pub struct Error {
    destination: String,
    source: Unusable,
}

/// Everything that is needed to make the requests of a plan.
pub struct Endpoints {
    /// By destination.
    pools: Vec<Arc<Pool>>,
    actions: Vec<Endpoint>,
    places: Places,
    metrics: Arc<Metrics>,
}

struct Endpoint {
    pool: Arc<Pool>,
    /// Present when the target is the same for every request.
    prepared: Option<Arc<Prepared>>,
    /// Present when each event may go to another origin.
    origins: Option<KeptOrigins>,
    concurrency: usize,
    permits: Mutex<HashMap<Origin, Arc<Semaphore>>>,
    standing: Standing,
}

/// A target in the form that a connection takes.
struct Prepared {
    connections: Arc<Kept>,
    method: HttpMethod,
    uri: Uri,
    headers: HeaderMap,
}

impl Endpoints {
    /// What it takes to speak to every destination of `plan`.
    ///
    /// # Errors
    /// When a destination's certificates cannot be used.
    pub fn new(plan: &Plan, metrics: Arc<Metrics>) -> Result<Self, Error> {
        let files = OpenFiles::of_process();
        let allowance = Allowance::new(plan, files.idle);
        let system = tls::system_authorities();
        let mut pools = Vec::with_capacity(plan.destinations.len());
        for destination in &plan.destinations {
            let connector = Connector::new(&plan.egress, &system, destination.tls.as_ref());
            let connector = connector
                .map_err(|source| Error { destination: destination.name.to_string(), source })?;
            pools.push(Arc::new(Pool::new(connector, allowance.per_origin)));
        }
        let endpoint = |action: &Action| {
            let pool = Arc::clone(&pools[action.destination.0]);
            Endpoint {
                prepared: match &action.request.target {
                    TargetTemplate::Constant(target) => {
                        Some(Arc::new(Prepared::new(target, &pool)))
                    }
                    TargetTemplate::Mapped { .. } => None,
                },
                origins: {
                    let is_mapped = action.request.target.fingerprint().is_some();
                    is_mapped.then(|| KeptOrigins::new(allowance.origins))
                },
                concurrency: action.delivery.concurrency.get(),
                permits: Mutex::default(),
                standing: Standing::new(format!("{}/{}", action.destination_name, action.name)),
                pool,
            }
        };
        let actions = plan.actions.iter().map(endpoint).collect();
        Ok(Self { pools, actions, places: Places::new(files.requests), metrics })
    }

    /// Closes connections that nobody has used for long, for as long as it is polled.
    pub async fn close_idle_connections(&self) {
        let mut interval = tokio::time::interval(CLOSE_IDLE_EVERY);
        loop {
            interval.tick().await;
            for pool in &self.pools {
                pool.close_idle(Instant::now());
            }
        }
    }

    /// Makes one request and reads its answer. Takes no longer than the attempt's timeout, after
    /// it has waited for a free place among the endpoint's requests, and among those of the process.
    ///
    /// # Panics
    /// When the attempt is of another plan.
    pub async fn attempt(&self, attempt: &Attempt) -> Answer {
        let action = attempt.ticket.lane.action;
        let metrics = self.metrics.action(action);
        let endpoint = &self.actions[action.0];
        let prepared = endpoint.prepare(&attempt.request.target);
        let origin = prepared.connections.origin();
        // A gate has counted it already, where there is one.
        let _permit = if attempt.is_admitted { None } else { Some(endpoint.permit(origin).await) };
        let _place =
            self.places.take((action, endpoint.origins.as_ref().map(|_| origin.clone()))).await;
        let _in_flight = InFlight::new(&metrics.in_flight);
        metrics.request_begins(attempt.events);
        let begun = Instant::now();
        let reply =
            endpoint.exchange(&prepared, &attempt.request, attempt.timeout, MOST_ERROR_BYTES);
        let answer = match reply.await {
            Ok(reply) => Answer {
                outcome: Outcome::Status(reply.status),
                retry_after: reply.retry_after(),
                detail: String::from_utf8_lossy(&reply.body).into_owned(),
            },
            Err(Fault { outcome, detail }) => Answer { outcome, detail, retry_after: None },
        };
        metrics.request_ended(&answer.outcome.as_word(), begun.elapsed());
        answer
    }

    /// Makes one request outside of any lane, for somebody who wants to see the answer.
    ///
    /// # Errors
    /// Why there is no complete answer.
    ///
    /// # Panics
    /// When the action is of another plan.
    pub async fn try_once(
        &self,
        action: ActionId,
        request: &SignedRequest,
        timeout: Duration,
    ) -> Result<Reply, Fault> {
        let endpoint = &self.actions[action.0];
        let prepared = endpoint.prepare(&request.target);
        endpoint.exchange(&prepared, request, timeout, MOST_ANSWER_BYTES).await
    }

    /// Says what is worth saying about what an answer has led to.
    ///
    /// # Panics
    /// When the action is of another plan.
    pub fn note(&self, action: ActionId, answer: &Answer, completion: &Completion) {
        let endpoint = &self.actions[action.0];
        match completion {
            Completion::Rejected(events) => endpoint.standing.rejected(answer, *events),
            // That one origin fails and another one does not makes no sense of a row.
            _ if endpoint.origins.is_some() => {}
            Completion::Delivered(_) => endpoint.standing.accepted(),
            Completion::Retried => endpoint.standing.failed(answer),
            Completion::Split => {}
        }
    }

    /// Says that an action rejects so much that it counts as failing, or does no longer.
    ///
    /// # Panics
    /// When the action is of another plan.
    pub fn note_rejections(&self, action: ActionId, streak: Streak) {
        self.actions[action.0].standing.rejects(streak);
    }

    /// Says that one of the endpoints of an action with a mapped URL is down, or well again.
    ///
    /// # Panics
    /// When the action is of another plan.
    pub fn note_change(&self, action: ActionId, target: &Target, answer: &Answer, change: Change) {
        let endpoint = &self.actions[action.0];
        if endpoint.origins.is_some() {
            endpoint.standing.changed(&request::origin(target), answer, change);
        }
    }
}

impl Endpoint {
    fn prepare(&self, target: &Target) -> Arc<Prepared> {
        match &self.prepared {
            Some(prepared) => Arc::clone(prepared),
            None => Arc::new(Prepared::new(target, &self.pool)),
        }
    }

    /// One exchange within `timeout`; of the answer's body so many bytes are kept.
    async fn exchange(
        &self,
        prepared: &Prepared,
        request: &SignedRequest,
        timeout: Duration,
        kept: usize,
    ) -> Result<Reply, Fault> {
        let mut message = prepared.message(request);
        if !self.may_keep(prepared) {
            message.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        let exchange = exchange(&self.pool, &prepared.connections, message, kept);
        let Ok(result) = tokio::time::timeout(timeout, exchange).await else {
            let detail = format!("no complete answer within {timeout:?}");
            return Err(Fault { outcome: Outcome::Timeout, detail });
        };
        result.map_err(Fault::from)
    }

    /// Whether a request's connection may be kept; otherwise the request says so.
    fn may_keep(&self, prepared: &Prepared) -> bool {
        let Some(origins) = &self.origins else { return true };
        origins.may_keep(prepared.connections.origin(), Instant::now())
    }

    /// Waits for a place among the requests to this origin.
    async fn permit(&self, origin: &Origin) -> OwnedSemaphorePermit {
        let semaphore = {
            let mut permits = self.permits.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = permits.get(origin) {
                Arc::clone(known)
            } else {
                if permits.len() >= MANY_ORIGINS {
                    permits.retain(|_, semaphore| Arc::strong_count(semaphore) > 1);
                }
                let new = Arc::new(Semaphore::new(self.concurrency));
                permits.insert(origin.clone(), Arc::clone(&new));
                new
            }
        };
        semaphore.acquire_owned().await.expect("the semaphore is never closed")
    }
}

impl Prepared {
    fn new(target: &Target, pool: &Pool) -> Self {
        let named = request::headers(target);
        let mut headers = HeaderMap::with_capacity(named.len() + 3);
        let url = Url::parse(&target.url).expect("a target's URL is valid");
        let origin = Origin::of(&url);
        headers.insert(HOST, origin.host_header());
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        // User and password are no part of a request's URI.
        headers.extend(connector::basic(&url).map(|value| (AUTHORIZATION, value)));
        for (name, value) in named {
            let name = HeaderName::try_from(name).expect("a target's header names are legal");
            let value = HeaderValue::from_str(value).expect("a target's header values are legal");
            headers.insert(name, value);
        }
        let method = match target.method {
            Method::Post => HttpMethod::POST,
            Method::Put => HttpMethod::PUT,
            Method::Patch => HttpMethod::PATCH,
            Method::Delete => HttpMethod::DELETE,
        };
        let uri = origin.uri_of(&url);
        Self { connections: pool.of(origin), method, uri, headers }
    }

    fn message(&self, request: &SignedRequest) -> Request<Full<Bytes>> {
        let mut message = Request::new(Full::new(request.body.clone()));
        *message.method_mut() = self.method.clone();
        *message.uri_mut() = self.uri.clone();
        let mut headers = HeaderMap::with_capacity(self.headers.len() + MOST_STAMPS);
        headers.extend(self.headers.iter().map(|(name, value)| (name.clone(), value.clone())));
        for (name, value) in request.stamps() {
            let name = HeaderName::try_from(name).expect("the names of stamps are legal");
            let value = HeaderValue::from_str(value).expect("stamps are made of legal characters");
            headers.insert(name, value);
        }
        *message.headers_mut() = headers;
        message
    }
}

/// Counts a request as in flight for as long as it lives, however it ends.
struct InFlight<'a>(&'a IntGauge);

impl<'a> InFlight<'a> {
    fn new(gauge: &'a IntGauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

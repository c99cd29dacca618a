//! One attempt over HTTP: from a signed body to an answer.
//!
//! Knows connections, headers, time limits and which addresses may be reached. It does not know
//! what an answer means, nor whether there will be another attempt.

mod exchange;
mod idle;
mod places;
mod resolver;
mod standing;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use prometheus::IntGauge;
use reqwest::header::{CONNECTION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method as HttpMethod, Proxy, Url, redirect};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::dead_letter::MOST_ERROR_BYTES;
use crate::endpoint::exchange::exchange;
use crate::endpoint::idle::{Allowance, IDLE_TIMEOUT, KeptOrigins};
use crate::endpoint::places::Places;
use crate::endpoint::resolver::GuardedResolver;
use crate::endpoint::standing::Standing;
use crate::gate::Change;
use crate::lane::{Answer, Attempt, Streak};
use crate::metrics::Metrics;
use crate::open_files::OpenFiles;
use crate::pipeline::Completion;
use crate::plan::{Action, ActionId, Destination, Method, Plan, Target, TargetTemplate};
use crate::request::{self, SignedRequest};
use crate::verdict::Outcome;

pub use exchange::{Fault, MOST_ANSWER_BYTES, Reply};

/// How many origins of one action are remembered before the idle ones are forgotten.
const MANY_ORIGINS: usize = 1024;

/// A destination that cannot be spoken to.
#[derive(Debug, thiserror::Error)]
#[error("destination {destination}")]
pub struct Error {
    destination: String,
    source: reqwest::Error,
}

/// Everything that is needed to make the requests of a plan.
#[derive(Debug)]
pub struct Endpoints {
    actions: Vec<Endpoint>,
    places: Places,
    metrics: Arc<Metrics>,
}

#[derive(Debug)]
struct Endpoint {
    client: Client,
    /// Present when the target is the same for every request.
    prepared: Option<Prepared>,
    /// Present when each event may go to another origin.
    origins: Option<KeptOrigins>,
    concurrency: usize,
    permits: Mutex<HashMap<Box<str>, Arc<Semaphore>>>,
    standing: Standing,
}

/// A target in the form that the client takes.
#[derive(Debug, Clone)]
struct Prepared {
    method: HttpMethod,
    url: Url,
    headers: HeaderMap,
}

impl Endpoints {
    /// Clients for every destination of `plan`.
    ///
    /// # Errors
    /// When a destination's certificates cannot be used.
    pub fn new(plan: &Plan, metrics: Arc<Metrics>) -> Result<Self, Error> {
        // The cryptography of TLS is chosen once per process; an earlier choice is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let files = OpenFiles::of_process();
        let allowance = Allowance::new(plan, files.idle);
        let mut clients = Vec::with_capacity(plan.destinations.len());
        for destination in &plan.destinations {
            let client = client(plan, destination, allowance).map_err(|source| Error {
                destination: destination.name.to_string(),
                source: source.without_url(),
            })?;
            clients.push(client);
        }
        let endpoint = |action: &Action| Endpoint {
            client: clients[action.destination.0].clone(),
            prepared: match &action.request.target {
                TargetTemplate::Constant(target) => Some(Prepared::new(target)),
                TargetTemplate::Mapped { .. } => None,
            },
            origins: {
                let is_mapped = action.request.target.fingerprint().is_some();
                is_mapped.then(|| KeptOrigins::new(allowance.origins))
            },
            concurrency: action.delivery.concurrency.get(),
            permits: Mutex::default(),
            standing: Standing::new(format!("{}/{}", action.destination_name, action.name)),
        };
        let actions = plan.actions.iter().map(endpoint).collect();
        Ok(Self { actions, places: Places::new(files.requests), metrics })
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
        let mut prepared = endpoint.prepare(&attempt.request.target);
        // A gate has counted it already, where there is one.
        let _permit =
            if attempt.is_admitted { None } else { Some(endpoint.permit(&prepared.url).await) };
        let origin = endpoint.origins.as_ref().map(|_| prepared.origin().into());
        let _place = self.places.take((action, origin)).await;
        endpoint.close_unless_kept(&mut prepared);
        let _in_flight = InFlight::new(&metrics.in_flight);
        metrics.request_begins(attempt.events);
        let begun = Instant::now();
        let reply =
            endpoint.exchange(prepared, &attempt.request, attempt.timeout, MOST_ERROR_BYTES);
        let answer = match reply.await {
            Ok(reply) => Answer {
                outcome: Outcome::Status(reply.status),
                detail: String::from_utf8_lossy(&reply.body).into_owned(),
                retry_after: reply.retry_after(),
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
        endpoint.exchange(prepared, request, timeout, MOST_ANSWER_BYTES).await
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
    fn prepare(&self, target: &Target) -> Prepared {
        self.prepared.clone().unwrap_or_else(|| Prepared::new(target))
    }

    /// A request whose connection may not be kept says so.
    fn close_unless_kept(&self, prepared: &mut Prepared) {
        let Some(origins) = &self.origins else { return };
        if !origins.may_keep(prepared.origin(), Instant::now()) {
            prepared.headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }

    /// One exchange within `timeout`; of the answer's body so many bytes are kept.
    async fn exchange(
        &self,
        prepared: Prepared,
        request: &SignedRequest,
        timeout: Duration,
        kept: usize,
    ) -> Result<Reply, Fault> {
        let exchange = exchange(&self.client, prepared, request, kept);
        let Ok(result) = tokio::time::timeout(timeout, exchange).await else {
            let detail = format!("no complete answer within {timeout:?}");
            return Err(Fault { outcome: Outcome::Timeout, detail });
        };
        result.map_err(|error| Fault::of(&error))
    }

    /// Waits for a place among the requests to this origin.
    async fn permit(&self, url: &Url) -> OwnedSemaphorePermit {
        let semaphore = {
            let mut permits = self.permits.lock().unwrap_or_else(PoisonError::into_inner);
            let origin = origin(url);
            if let Some(known) = permits.get(origin) {
                Arc::clone(known)
            } else {
                if permits.len() >= MANY_ORIGINS {
                    permits.retain(|_, semaphore| Arc::strong_count(semaphore) > 1);
                }
                let new = Arc::new(Semaphore::new(self.concurrency));
                permits.insert(origin.into(), Arc::clone(&new));
                new
            }
        };
        semaphore.acquire_owned().await.expect("the semaphore is never closed")
    }
}

impl Prepared {
    fn new(target: &Target) -> Self {
        let named = request::headers(target);
        let mut headers = HeaderMap::with_capacity(named.len() + 2);
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
        let url = Url::parse(&target.url).expect("a target's URL is valid");
        Self { method, url, headers }
    }

    fn origin(&self) -> &str {
        origin(&self.url)
    }
}

/// What a connection leads to, and who is spoken to there.
fn origin(url: &Url) -> &str {
    &url[..url::Position::BeforePath]
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

fn client(
    plan: &Plan,
    destination: &Destination,
    allowance: Allowance,
) -> Result<Client, reqwest::Error> {
    let mut builder = Client::builder()
        .redirect(redirect::Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .tcp_nodelay(true)
        .pool_max_idle_per_host(allowance.per_origin)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .dns_resolver(Arc::new(GuardedResolver::new(plan.egress.clone())));
    builder = match &plan.egress.proxy {
        Some(proxy) => builder.proxy(Proxy::all(proxy.expose().clone())?),
        None => builder.no_proxy(),
    };
    if let Some(tls) = &destination.tls {
        if let Some(authorities) = &tls.authorities {
            let authorities = reqwest::Certificate::from_pem_bundle(authorities.as_bytes())?;
            builder = builder.tls_certs_merge(authorities);
        }
        if let Some(identity) = &tls.identity {
            let identity = reqwest::Identity::from_pem(identity.expose().as_bytes())?;
            builder = builder.identity(identity);
        }
    }
    builder.build()
}

//! One attempt over HTTP: from a signed body to an answer.
//!
//! Knows connections, headers, time limits and which addresses may be reached. It does not know
//! what an answer means, nor whether there will be another attempt.

mod resolver;
mod standing;

use std::collections::HashMap;
use std::error::Error as StdError;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use prometheus::IntGauge;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use reqwest::{Client, Method as HttpMethod, Proxy, Response, Url, redirect};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::dead_letter::MOST_ERROR_BYTES;
use crate::endpoint::resolver::{GuardedResolver, Unresolvable};
use crate::endpoint::standing::Standing;
use crate::lane::{Answer, Attempt};
use crate::metrics::Metrics;
use crate::pipeline::Completion;
use crate::plan::{Action, ActionId, Destination, Method, Plan, Target, TargetTemplate};
use crate::verdict::Outcome;

/// The most bytes of an answer that are read so that its connection can be used again. What is
/// longer costs a new connection instead.
const MOST_ANSWER_BYTES: usize = 64 * 1024;

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
    metrics: Arc<Metrics>,
}

#[derive(Debug)]
struct Endpoint {
    client: Client,
    /// Present when the target is the same for every request.
    prepared: Option<Prepared>,
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
        let mut clients = Vec::with_capacity(plan.destinations.len());
        for destination in &plan.destinations {
            let client = client(plan, destination).map_err(|source| Error {
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
            concurrency: action.delivery.concurrency.get(),
            permits: Mutex::default(),
            standing: Standing::new(format!("{}/{}", action.destination_name, action.name)),
        };
        Ok(Self { actions: plan.actions.iter().map(endpoint).collect(), metrics })
    }

    /// Makes one request and reads its answer. Takes no longer than the attempt's timeout, after
    /// it has waited for a free place among the endpoint's requests.
    ///
    /// # Panics
    /// When the attempt is of another plan.
    pub async fn attempt(&self, attempt: &Attempt) -> Answer {
        let endpoint = &self.actions[attempt.ticket.action.0];
        let prepared = endpoint.prepared.clone().unwrap_or_else(|| Prepared::new(&attempt.target));
        let _permit = endpoint.permit(&prepared.url).await;
        let metrics = self.metrics.action(attempt.ticket.action);
        let _in_flight = InFlight::new(&metrics.in_flight);
        metrics.request_begins(attempt.events);
        let begun = Instant::now();
        let exchange = exchange(&endpoint.client, prepared, attempt);
        let answer = match tokio::time::timeout(attempt.timeout, exchange).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => Answer { outcome: classify(&error), detail: explain(&error) },
            Err(_) => Answer {
                outcome: Outcome::Timeout,
                detail: format!("no complete answer within {:?}", attempt.timeout),
            },
        };
        metrics.request_ended(&status(answer.outcome), begun.elapsed());
        answer
    }

    /// Says what is worth saying about what an answer has led to.
    ///
    /// # Panics
    /// When the action is of another plan.
    pub fn note(&self, action: ActionId, answer: &Answer, completion: &Completion) {
        let standing = &self.actions[action.0].standing;
        match completion {
            Completion::Delivered(_) => standing.accepted(),
            Completion::Retried => standing.failed(answer),
            Completion::Rejected(events) => standing.rejected(answer, *events),
            Completion::Split => {}
        }
    }
}

impl Endpoint {
    /// Waits for a place among the requests to this origin.
    async fn permit(&self, url: &Url) -> OwnedSemaphorePermit {
        let semaphore = {
            let mut permits = self.permits.lock().unwrap_or_else(PoisonError::into_inner);
            let origin = &url[..url::Position::BeforePath];
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
        let mut headers = HeaderMap::with_capacity(target.headers.len() + 4);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let user_agent = concat!("hookcast/", env!("CARGO_PKG_VERSION"));
        headers.insert(USER_AGENT, HeaderValue::from_static(user_agent));
        for (name, value) in &target.headers {
            let name = HeaderName::try_from(&**name).expect("a target's header names are legal");
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

fn client(plan: &Plan, destination: &Destination) -> Result<Client, reqwest::Error> {
    let mut builder = Client::builder()
        .redirect(redirect::Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .tcp_nodelay(true)
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

async fn exchange(
    client: &Client,
    prepared: Prepared,
    attempt: &Attempt,
) -> Result<Answer, reqwest::Error> {
    let Prepared { method, url, mut headers } = prepared;
    let text = |text: &str| HeaderValue::from_str(text).expect("hexadecimal digits are legal");
    if let Some(signature) = &attempt.signature {
        headers.insert("x-signature", text(signature));
    }
    headers.insert("idempotency-key", text(&attempt.idempotency_key));
    let request = client.request(method, url).headers(headers).body(attempt.body.clone());
    let response = request.send().await?;
    let status = response.status().as_u16();
    let detail = read(response).await?;
    Ok(Answer { outcome: Outcome::Status(status), detail })
}

/// Reads an answer to its end, within bounds, and keeps its beginning.
async fn read(mut response: Response) -> Result<String, reqwest::Error> {
    let mut beginning = Vec::new();
    let mut length = 0;
    while let Some(chunk) = response.chunk().await? {
        let wanted = MOST_ERROR_BYTES - beginning.len();
        beginning.extend_from_slice(&chunk[..chunk.len().min(wanted)]);
        length += chunk.len();
        if length > MOST_ANSWER_BYTES {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&beginning).into_owned())
}

/// What kind of fault ended an attempt.
fn classify(error: &reqwest::Error) -> Outcome {
    if error.is_timeout() {
        return Outcome::Timeout;
    }
    for cause in causes(error) {
        if cause.is::<Unresolvable>() {
            return Outcome::Dns;
        }
        if is_of_tls(cause) {
            return Outcome::Tls;
        }
    }
    Outcome::Connect
}

/// Whether an error comes from TLS. I/O errors hide what they wrap from the chain of causes, and
/// may wrap one another.
fn is_of_tls(error: &(dyn StdError + 'static)) -> bool {
    let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    error.is::<rustls::Error>() || wrapped.is_some_and(|wrapped| is_of_tls(wrapped))
}

/// The error with all its causes, without the URL: it may hold a secret.
fn explain(error: &reqwest::Error) -> String {
    let causes: Vec<_> = causes(error).map(ToString::to_string).collect();
    if causes.is_empty() { "the request could not be made".to_owned() } else { causes.join(": ") }
}

fn causes<'a>(
    error: &'a reqwest::Error,
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> + use<'a> {
    std::iter::successors(error.source(), |cause| (*cause).source())
}

/// An outcome as metrics name it.
fn status(outcome: Outcome) -> std::borrow::Cow<'static, str> {
    match outcome {
        Outcome::Status(code) => code.to_string().into(),
        Outcome::Timeout => "timeout".into(),
        Outcome::Connect => "connect".into(),
        Outcome::Tls => "tls".into(),
        Outcome::Dns => "dns".into(),
    }
}

//! Everything together: from a configuration to a process that runs until it is told to stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rdkafka::error::KafkaError;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tracing::{info, warn};

use crate::admin::Admin;
use crate::catch_up::CatchUp;
use crate::config::{Config, OffsetReset};
use crate::consumer::{self, Membership, Start};
use crate::endpoint::{self, Endpoints};
use crate::gates::Gates;
use crate::health::Health;
use crate::memory::Memory;
use crate::metrics::Metrics;
use crate::open_files::{self, OpenFiles};
use crate::producer::DeadLetterProducer;
use crate::shares::Shares;
use crate::source_topics::{self, Assigned};
use crate::topics::{self, OwnTopics, RedriveTopic};
use crate::worker::Outside;

/// Why a service could not start or go on. What lies beneath is its source, and not repeated.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system denies what every service needs.
    #[error("{what}")]
    System {
        /// What was attempted.
        what: &'static str,
        /// What the system says.
        source: std::io::Error,
    },
    /// The admin port cannot be opened.
    #[error("admin.listen: {address}")]
    Listen {
        /// The configured address.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// A destination's certificates cannot be used.
    #[error(transparent)]
    Endpoint(#[from] endpoint::Error),
    /// A Kafka client cannot be created.
    #[error("the Kafka client cannot be created")]
    Client(#[from] KafkaError),
    /// The consumer group cannot be joined, or not any longer.
    #[error(transparent)]
    Consumer(#[from] consumer::Error),
    /// The thread of the consumer has panicked.
    #[error("the Kafka poll loop has panicked")]
    Panic,
}

/// Runs until SIGTERM or SIGINT, then finishes what was begun; a second signal ends the process
/// at once. Blocks.
///
/// # Errors
/// See [`Error`].
pub fn run(config: Config) -> Result<(), Error> {
    on_runtime(serve(config))?
}

/// Runs `work` on threads of its own, and leaves behind whatever still runs when it is done.
pub(crate) fn on_runtime<T>(work: impl Future<Output = T>) -> Result<T, Error> {
    let runtime = Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|source| Error::System { what: "starting threads", source })?;
    let result = runtime.block_on(work);
    // What still runs, a look at an unreachable broker perhaps, is not worth waiting for.
    runtime.shutdown_background();
    Ok(result)
}

async fn serve(config: Config) -> Result<(), Error> {
    let mut signals = Signals::new()?;
    let mut service = Service::start(config).await?;
    tokio::select! {
        ended = service.ended() => return ended,
        name = signals.next() => info!("{name} received"),
    }
    service.stop();
    tokio::select! {
        ended = service.ended() => ended,
        name = signals.next() => {
            warn!("{name} received again: ending at once");
            std::process::exit(1);
        }
    }
}

/// A service that runs. It hears no signals: whoever starts it says when to stop.
pub struct Service {
    admin_address: SocketAddr,
    metrics: Arc<Metrics>,
    health: Arc<Health>,
    stop: Arc<AtomicBool>,
    /// None when it was said how it has ended.
    ended: Option<oneshot::Receiver<Result<(), Error>>>,
    /// The admin port, and the look after the topics: they end when this is dropped.
    _tasks: JoinSet<()>,
}

impl Service {
    /// Starts everything on the current runtime.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn start(config: Config) -> Result<Self, Error> {
        open_files::raise_limit();
        let files = OpenFiles::of_process();
        info!(
            limit = files.limit,
            requests = files.requests,
            "open files, and how many requests there may be at a time"
        );
        let metrics = Arc::new(Metrics::new(&config.plan));
        let health = Arc::new(Health::new());
        let address = config.admin_listen;
        let denied = |source| Error::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(denied)?;
        // The port is chosen by now where the configuration leaves it open.
        let address = listener.local_addr().map_err(denied)?;
        let mut tasks = JoinSet::new();
        let admin = Admin { metrics: Arc::clone(&metrics), health: Arc::clone(&health) };
        info!(%address, "serving /metrics, /healthz and /readyz");
        tasks.spawn(admin.serve(listener));

        let own_topics = OwnTopics {
            names: vec![config.topics.dead_letter.clone(), config.topics.redrive.clone()],
            create: config.topics.create,
        };
        let redrive = Arc::new(RedriveTopic::default());
        let letters = topics::await_letters(
            config.kafka.producer(),
            config.topics.redrive.clone(),
            Arc::clone(&redrive),
            Arc::clone(&health),
        );
        tasks.spawn(async {
            if let Err(error) = letters.await {
                warn!(%error, "the redrive topic cannot be looked after");
            }
        });
        let ensured = topics::ensure(config.kafka.producer(), own_topics, Arc::clone(&health));
        tasks.spawn(async {
            if let Err(error) = ensured.await {
                warn!(%error, "the dead-letter and redrive topics cannot be looked after");
            }
        });

        let plan = Arc::new(config.plan);
        let topics = plan.sources.iter().flat_map(|source| &source.topics);
        let topics = topics.map(|pattern| pattern.as_str().to_owned()).collect();
        let gates = Arc::new(Gates::new(&plan));
        let shares = Arc::new(Shares::new(Arc::clone(&plan), Arc::clone(&gates)));
        tasks.spawn(Arc::clone(&shares).keep_informed(config.kafka.producer()));
        let outside = Outside {
            gates,
            shares,
            endpoints: Endpoints::new(&plan, Arc::clone(&metrics))?,
            dead_letters: DeadLetterProducer::new(
                config.kafka.producer(),
                &config.topics.dead_letter,
            )?,
            memory: Memory::new(config.buffered_bytes),
            catch_up: CatchUp::start(config.kafka.consumer(), Arc::clone(&health))
                .map_err(|source| Error::System { what: "starting a thread", source })?,
            metrics: Arc::clone(&metrics),
            health: Arc::clone(&health),
            plan,
        };
        let outside = Arc::new(outside);
        let connections = Arc::clone(&outside);
        tasks.spawn(async move { connections.endpoints.close_idle_connections().await });
        let (assigned, topics_assigned) = Assigned::new();
        let plan = Arc::clone(&outside.plan);
        tasks.spawn(source_topics::review(config.kafka.producer(), plan, topics_assigned));
        let stop = Arc::new(AtomicBool::new(false));
        let membership = Membership {
            config: config.kafka.consumer(),
            topics,
            start: match config.kafka.offset_reset {
                OffsetReset::Earliest => Start::Earliest,
                OffsetReset::Latest => Start::Latest,
            },
            drain_timeout: config.shutdown_timeout,
            redrive,
            assigned,
            outside,
            runtime: Handle::current(),
            stop: Arc::clone(&stop),
        };
        let ended = Some(poll_on_own_thread(membership)?);
        Ok(Self { admin_address: address, metrics, health, stop, ended, _tasks: tasks })
    }

    /// Where `/metrics`, `/healthz` and `/readyz` are.
    #[must_use]
    pub fn admin_address(&self) -> SocketAddr {
        self.admin_address
    }

    /// What it counts.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// How it is.
    #[must_use]
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// Asks it to finish what was begun and to end.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Returns when it has ended, on request or because it cannot go on. How it ended is said
    /// once; asked again, it has ended well.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn ended(&mut self) -> Result<(), Error> {
        let Some(ended) = &mut self.ended else { return Ok(()) };
        let result = ended.await.unwrap_or(Err(Error::Panic));
        self.ended = None;
        result
    }
}

/// Starts the thread that polls; what it returns comes through the channel, which closes without
/// a word when it panics.
fn poll_on_own_thread(
    membership: Membership,
) -> Result<oneshot::Receiver<Result<(), Error>>, Error> {
    let (tell, ended) = oneshot::channel();
    let poll = move || {
        let result = membership.run().map_err(Error::from);
        // Nobody listens when the process is ending anyway.
        let _ = tell.send(result);
    };
    let thread = std::thread::Builder::new().name("kafka-poll".into()).spawn(poll);
    thread.map_err(|source| Error::System { what: "starting a thread", source })?;
    Ok(ended)
}

/// The signals that ask for an end.
pub(crate) struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    /// From here on the signals end nothing by themselves.
    pub(crate) fn new() -> Result<Self, Error> {
        let listen = |kind| {
            signal(kind).map_err(|source| Error::System { what: "listening for signals", source })
        };
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
        })
    }

    /// The name of the next signal.
    pub(crate) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

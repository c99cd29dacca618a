//! The runs: Hookcast and its floors, in turns, so that what disturbs the machine disturbs all.

use std::path::PathBuf;

use crate::events::{KEYS, PARTITIONS};
use crate::figures::{Figures, Round, percentile};
use crate::floors::Floor;
use crate::harness::{Broker, Config, SECRET};
use crate::load;
use crate::profile::Recording;
use crate::receiver::{Expected, Look, Receiver};
use crate::usage::{self, Of};

/// The pace at which latency is measured.
pub const PER_SECOND: usize = 1000;
/// The most requests that Hookcast has in flight for one endpoint: `delivery.concurrency`.
const CONCURRENCY: usize = 64;

/// How much is measured.
#[derive(Clone, Copy)]
pub struct Size {
    /// Events that are delivered in batches.
    pub batched: usize,
    /// Events that are delivered one by one.
    pub single: usize,
    /// Seconds at a steady pace before latencies count, and while they count.
    pub warm_up: usize,
    pub paced: usize,
}

impl Size {
    pub const FULL: Self = Self { batched: 1_000_000, single: 160_000, warm_up: 1, paced: 4 };
    pub const QUICK: Self = Self { batched: 160_000, single: 16_000, warm_up: 1, paced: 1 };
}

/// How many events a request carries.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Mode {
    pub events_per_request: usize,
}

/// All modes, in the order in which they are told.
pub const MODES: [Mode; 3] = [
    Mode { events_per_request: 1000 },
    Mode { events_per_request: 100 },
    Mode { events_per_request: 1 },
];

impl Mode {
    fn topic(self) -> &'static str {
        if self.events_per_request == 1 { "single" } else { "batched" }
    }

    fn events(self, size: Size) -> usize {
        if self.events_per_request == 1 { size.single } else { size.batched }
    }

    /// How many requests Hookcast has in flight: batches of one partition wait for one another.
    fn connections(self) -> usize {
        if self.events_per_request == 1 { CONCURRENCY } else { PARTITIONS }
    }

    fn batch(self) -> String {
        match self.events_per_request {
            1 => String::new(),
            events => format!("        batch: {{ max_events: {events} }}\n"),
        }
    }
}

/// Everything that runs need.
pub struct Bench {
    broker: Broker,
    size: Size,
    only: Option<usize>,
    profile: Option<PathBuf>,
    paced_topics: usize,
}

impl Bench {
    /// A broker with full topics, for all modes or the one with `only` so many events per request.
    pub fn start(size: Size, only: Option<usize>, profile: Option<PathBuf>) -> Self {
        const { assert!(KEYS.is_multiple_of(PARTITIONS)) };
        let broker = Broker::start();
        for mode in [MODES[0], MODES[2]] {
            broker.create_topic(mode.topic(), PARTITIONS, &[]);
            load::fill(&broker, mode.topic(), mode.events(size));
        }
        Self { broker, size, only, profile, paced_topics: 0 }
    }

    /// One run of everything, in every mode.
    pub fn round(&mut self) -> [Round; 3] {
        let paced_consumer = self.paced_consumer();
        MODES.map(|mode| {
            if self.only.is_some_and(|only| only != mode.events_per_request) {
                return Round::default();
            }
            let consumer = self.consumer();
            let client = self.client(mode);
            let full_speed = self.hookcast(mode);
            let paced = self.paced_hookcast(mode);
            let latency = |speed: Figures, paced: Figures| Figures {
                p50_ms: paced.p50_ms,
                p99_ms: paced.p99_ms,
                ..speed
            };
            Round {
                hookcast: latency(full_speed, paced),
                consumer: latency(consumer, paced_consumer),
                client,
            }
        })
    }

    fn consumer(&self) -> Figures {
        let floor = Floor::Consume {
            bootstrap: self.broker.bootstrap(),
            topic: MODES[0].topic().into(),
            events: MODES[0].events(self.size),
            latency_from: None,
        };
        floor.start().finish()
    }

    fn client(&self, mode: Mode) -> Figures {
        let events = mode.events(self.size);
        let receiver = Receiver::start(Expected { events, look: Look::Count });
        let floor = Floor::Post {
            address: receiver.address.to_string(),
            events_per_request: mode.events_per_request,
            connections: mode.connections(),
            requests: events / mode.events_per_request,
        };
        let running = floor.start();
        receiver.wait_begun();
        receiver.wait_complete();
        let figures = running.finish();
        receiver.stop();
        figures
    }

    /// Hookcast reads a topic that is full, from its beginning to its end.
    fn hookcast(&self, mode: Mode) -> Figures {
        let events = mode.events(self.size);
        let receiver = Receiver::start(Expected { events, look: Look::Number { secret: SECRET } });
        let config = self.config(mode, mode.topic(), &receiver);
        let hookcast = config.start();
        let process = Of::Process(hookcast.process.pid.as_raw_nonzero().get());
        receiver.wait_begun();
        let recording =
            self.profile.as_ref().map(|file| Recording::start(hookcast.process.pid, file));
        let before = usage::cpu(process);
        let seen = receiver.wait_complete();
        let cpu = usage::cpu_since(process, before);
        let peak_mib = usage::peak_mib(process);
        if let Some(recording) = recording {
            recording.stop();
        }
        hookcast.stop();
        receiver.stop();
        Figures {
            events_per_second: Some(events as f64 / seen.took.as_secs_f64()),
            cpu_us: Some(cpu.as_secs_f64() * 1e6 / events as f64),
            peak_mib: Some(peak_mib),
            ..Figures::default()
        }
    }

    /// Hookcast keeps up with a steady pace.
    fn paced_hookcast(&mut self, mode: Mode) -> Figures {
        let topic = self.paced_topic();
        let (events, from) = self.paced_events();
        let look = Look::Latency { secret: SECRET, from };
        let receiver = Receiver::start(Expected { events, look });
        let config = self.config(mode, &topic, &receiver);
        let hookcast = config.start_ready();
        load::pace(&self.broker, &topic, events, PER_SECOND);
        let mut latencies = receiver.wait_complete().latencies;
        hookcast.stop();
        receiver.stop();
        latency(&mut latencies)
    }

    /// The bare consumer keeps up with a steady pace.
    fn paced_consumer(&mut self) -> Figures {
        let topic = self.paced_topic();
        let (events, from) = self.paced_events();
        let floor = Floor::Consume {
            bootstrap: self.broker.bootstrap(),
            topic: topic.clone(),
            events,
            latency_from: Some(from),
        };
        let running = floor.start();
        load::pace(&self.broker, &topic, events, PER_SECOND);
        running.finish()
    }

    /// How many events come at a steady pace, and the first that counts.
    fn paced_events(&self) -> (usize, usize) {
        let Size { warm_up, paced, .. } = self.size;
        ((warm_up + paced) * PER_SECOND, warm_up * PER_SECOND)
    }

    fn paced_topic(&mut self) -> String {
        self.paced_topics += 1;
        let topic = format!("paced-{}", self.paced_topics);
        self.broker.create_topic(&topic, PARTITIONS, &[]);
        topic
    }

    /// One action for one destination, in a group that is new.
    fn config(&self, mode: Mode, topic: &str, receiver: &Receiver) -> Config {
        let (address, batch) = (receiver.address, mode.batch());
        let group = format!("bench-{}", address.port());
        let rest = format!(
            "sources:
  web: {{ topics: [{topic}] }}
destinations:
  crm:
    shared_secret: '{SECRET}'
    actions:
      orders:
        trigger: type = \"track\" and event = \"Order Completed\"
        url: http://{address}/events
{batch}"
        );
        Config::new(&self.broker, &group, &rest)
    }
}

fn latency(latencies: &mut [u64]) -> Figures {
    Figures {
        p50_ms: percentile(latencies, 0.50),
        p99_ms: percentile(latencies, 0.99),
        ..Figures::default()
    }
}

//! The least that the work could cost: reading the topic and doing nothing with it, and posting
//! the same bodies that nobody read from anywhere. Each is a process of its own, as Hookcast is.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use serde_json::{Value, json};

use crate::events;
use crate::figures::{Figures, percentile};
use crate::harness::DEADLINE;
use crate::usage::{self, Of};

/// What a floor is told on its command line.
#[derive(clap::Subcommand)]
pub enum Floor {
    /// Reads a topic from its beginning.
    Consume {
        bootstrap: String,
        topic: String,
        events: usize,
        /// Tells how long events were under way, from this number on.
        #[arg(long)]
        latency_from: Option<usize>,
    },
    /// Posts bodies on connections that stay open.
    Post { address: String, events_per_request: usize, connections: usize, requests: usize },
}

/// A floor that runs.
pub struct Running(std::process::Child);

impl Floor {
    /// Runs in this process, and prints what was measured.
    pub fn run(self) {
        let figures = match self {
            Self::Consume { bootstrap, topic, events, latency_from } => {
                consume(&bootstrap, &topic, events, latency_from)
            }
            Self::Post { address, events_per_request, connections, requests } => {
                let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
                runtime.expect("a runtime").block_on(post(
                    address,
                    events_per_request,
                    connections,
                    requests,
                ))
            }
        };
        println!("{}", figures.to_json());
    }

    /// Starts in a process of its own.
    pub fn start(&self) -> Running {
        let program = std::env::current_exe().expect("the benchmark knows where it is");
        let mut command = Command::new(program);
        match self {
            Self::Consume { bootstrap, topic, events, latency_from } => {
                command.args(["consume", bootstrap, topic, &events.to_string()]);
                command.args(latency_from.map(|from| format!("--latency-from={from}")));
            }
            Self::Post { address, events_per_request, connections, requests } => {
                let numbers = [events_per_request, connections, requests].map(usize::to_string);
                command.args(["post", address]).args(numbers);
            }
        }
        Running(command.stdout(Stdio::piped()).spawn().expect("the benchmark starts itself"))
    }
}

impl Running {
    /// What it has measured.
    pub fn finish(self) -> Figures {
        let output = self.0.wait_with_output().expect("the floor is our child");
        assert!(output.status.success(), "a floor failed: {}", output.status);
        let value: Value = serde_json::from_slice(&output.stdout).expect("a floor prints JSON");
        Figures::from_json(&value)
    }
}

/// The bare consumer: the fetch settings of Hookcast, and one poll for each record.
fn consume(bootstrap: &str, topic: &str, events: usize, latency_from: Option<usize>) -> Figures {
    let queued_kib = (1024 * events::PARTITIONS).to_string();
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("group.id", "floor")
        .set("enable.auto.commit", "false")
        .set("fetch.queue.backoff.ms", "10")
        // Hookcast has 1 MiB for each partition's queue; here all of them share one.
        .set("queued.max.messages.kbytes", queued_kib)
        .create()
        .expect("a consumer");
    let mut assignment = TopicPartitionList::new();
    for partition in (0..events::PARTITIONS).map(events::partition) {
        assignment
            .add_partition_offset(topic, partition, Offset::Beginning)
            .expect("an offset that may be assigned");
    }
    consumer.assign(&assignment).expect("an assignment");
    let mut latencies = Vec::new();
    let mut begun = None;
    let mut bytes = 0;
    let mut read = 0;
    while read < events {
        let Some(message) = consumer.poll(DEADLINE) else {
            panic!("no record for {DEADLINE:?} after {read} of {events}");
        };
        let message = message.unwrap_or_else(|error| panic!("reading {topic}: {error}"));
        begun.get_or_insert_with(|| (Instant::now(), usage::cpu(Of::Myself)));
        let event = message.payload().expect("events have values");
        read += 1;
        bytes += event.len();
        if latency_from.is_some_and(|from| events::number(event) >= from) {
            latencies.push(events::now_us().saturating_sub(events::made_at_us(event)));
        }
    }
    let (begun, cpu) = begun.expect("there was a first record");
    assert_eq!(bytes, events * events::BYTES, "events of another size");
    measured(begun.elapsed(), usage::cpu_since(Of::Myself, cpu), events, &mut latencies)
}

/// The bare client: one connection beside the other, each with one request after the other.
async fn post(
    address: String,
    events_per_request: usize,
    connections: usize,
    requests: usize,
) -> Figures {
    let body = Bytes::from(events::body(events_per_request));
    let mut senders = Vec::new();
    for _ in 0..connections {
        let stream = tokio::net::TcpStream::connect(&address).await.expect("the receiver listens");
        stream.set_nodelay(true).expect("an option of TCP");
        let handshake = http1::handshake::<_, Full<Bytes>>(TokioIo::new(stream)).await;
        let (sender, connection) = handshake.expect("the connection is fresh");
        tokio::spawn(connection);
        senders.push(sender);
    }
    let (begun, cpu) = (Instant::now(), usage::cpu(Of::Myself));
    let mut tasks = tokio::task::JoinSet::new();
    for (index, mut sender) in senders.into_iter().enumerate() {
        let share = requests / connections + usize::from(index < requests % connections);
        let (address, body) = (address.clone(), body.clone());
        tasks.spawn(async move {
            for _ in 0..share {
                let request = hyper::Request::post("/events")
                    .header("host", &address)
                    .header("content-type", "application/json")
                    .body(Full::new(body.clone()))
                    .expect("the request is legal");
                let answer = sender.send_request(request).await.expect("the receiver answers");
                assert!(answer.status().is_success(), "{}", answer.status());
                answer.into_body().collect().await.expect("the answer ends");
            }
        });
    }
    tasks.join_all().await;
    let events = requests * events_per_request;
    measured(begun.elapsed(), usage::cpu_since(Of::Myself, cpu), events, &mut Vec::new())
}

fn measured(took: Duration, cpu: Duration, events: usize, latencies: &mut [u64]) -> Figures {
    Figures {
        events_per_second: Some(events as f64 / took.as_secs_f64()),
        cpu_us: Some(cpu.as_secs_f64() * 1e6 / events as f64),
        peak_mib: Some(usage::peak_mib(Of::Myself)),
        p50_ms: percentile(latencies, 0.50),
        p99_ms: percentile(latencies, 0.99),
    }
}

impl Figures {
    fn to_json(self) -> Value {
        json!(self.as_array())
    }

    fn from_json(value: &Value) -> Self {
        let figure = |index: usize| value[index].as_f64();
        Self {
            events_per_second: figure(0),
            cpu_us: figure(1),
            peak_mib: figure(2),
            p50_ms: figure(3),
            p99_ms: figure(4),
        }
    }
}

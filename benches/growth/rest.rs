//! What Hookcast costs while nothing happens, and how long it takes to be there.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, TopicPartitionList};
use serde_json::{Value, json};

use crate::cpu;
use crate::dimensions::{BASE, Case, Mode};
use crate::harness::{Config, DEADLINE, Hookcast};
use crate::receiver::{Expected, Receiver};
use crate::runs::Bench;
use crate::sized::Shape;

/// Between two looks at what is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// One number, what it is, and what it is to be.
fn figure(name: &str, value: f64, aim: Option<f64>) -> Value {
    eprintln!("  {name}: {value:.2}");
    json!({ "name": name, "value": value, "aim": aim })
}

/// All of them.
pub fn measure(bench: &mut Bench, is_quick: bool) -> Vec<Value> {
    let mut figures = vec![idle(bench, 100, is_quick)];
    for partitions in [100, 500] {
        figures.extend(starts(bench, Case { partitions, ..BASE }));
    }
    figures.extend(starts(bench, Case { actions: 10_000, ..BASE }));
    figures
}

/// The CPU that it takes when everything has been delivered and nothing comes.
fn idle(bench: &mut Bench, partitions: usize, is_quick: bool) -> Value {
    let time = Duration::from_secs(if is_quick { 3 } else { 20 });
    let shape = Shape { events: partitions * 10, partitions, keys: partitions, bytes: BASE.bytes };
    let topic = bench.empty_topic(partitions);
    shape.fill(&bench.broker, &topic);
    let (receiver, config) = config(bench, &topic, Case { partitions, ..BASE }, shape.events);
    let hookcast = config.start_ready();
    receiver.wait_begun();
    receiver.wait_measured();
    receiver.wait_complete();
    // What was delivered is committed, and connections come to rest.
    std::thread::park_timeout(Duration::from_secs(2));
    let pid = hookcast.process.pid.as_raw_nonzero().get();
    let (begun, before) = (Instant::now(), cpu::used(pid));
    std::thread::park_timeout(time);
    let used = cpu::used(pid).saturating_sub(before);
    let part = used.as_secs_f64() / begun.elapsed().as_secs_f64();
    hookcast.stop();
    receiver.stop();
    let name = format!("idle CPU with {partitions} partitions, % of a core");
    figure(&name, part * 100.0, Some(1.0))
}

/// How long it takes to be ready: beside a broker that runs, and from when a broker answers that was
/// away at the start.
fn starts(bench: &mut Bench, case: Case) -> [Value; 2] {
    let topic = bench.empty_topic(case.partitions);
    let (receiver, config) = config(bench, &topic, case, 1);
    // The first one creates the topics of its own: that is once in the life of a group.
    config.start_ready().stop();
    let begun = Instant::now();
    let hookcast = config.start();
    let ready = wait_ready(&hookcast);
    hookcast.stop();
    bench.broker.kill();
    let hookcast = config.start();
    let (client, broker) = (bench.broker.client(), &mut bench.broker);
    let (hookcast, after_answer) = std::thread::scope(|scope| {
        let answered = scope.spawn(|| first_answer(client, &topic));
        let ready = scope.spawn(move || (wait_ready(&hookcast), hookcast));
        broker.restart();
        let answered = answered.join().expect("the broker answers");
        let (ready, hookcast) = ready.join().expect("it gets ready");
        (hookcast, ready.saturating_duration_since(answered))
    });
    hookcast.stop();
    receiver.stop();
    let Case { partitions, actions, .. } = case;
    let and = if actions > 1 { format!(" and {actions} actions") } else { String::new() };
    let with = format!("with {partitions} partitions{and}, s");
    let after_start = (ready - begun).as_secs_f64();
    [
        figure(&format!("start to ready {with}"), after_start, None),
        figure(
            &format!("a bare client's first answer to ready {with}"),
            after_answer.as_secs_f64(),
            Some(1.0),
        ),
    ]
}

fn config(bench: &Bench, topic: &str, case: Case, events: usize) -> (Receiver, Config) {
    let receiver = Receiver::start(Expected { events, paths: 1, latency: Duration::ZERO });
    let config = bench.config(case, Mode::Single, topic, &receiver);
    // What operators have unless they choose otherwise, which other runs here need not wait for.
    let config = config.kafka("reconnect.backoff.ms", "100");
    (receiver, config.kafka("reconnect.backoff.max.ms", "10000"))
}

/// When `/readyz` says so.
fn wait_ready(hookcast: &Hookcast) -> Instant {
    let begun = Instant::now();
    while !hookcast.is_ready() {
        assert!(begun.elapsed() < DEADLINE, "not ready after {DEADLINE:?}");
        std::thread::park_timeout(LOOK_EVERY);
    }
    Instant::now()
}

/// When a bare client is told for the first time what its group has committed: by then the broker
/// knows topics and has its groups in memory.
fn first_answer(mut config: ClientConfig, topic: &str) -> Instant {
    let client: BaseConsumer = config.set("group.id", "bare").create().expect("a client");
    let mut asked = TopicPartitionList::new();
    asked.add_partition(topic, 0);
    let begun = Instant::now();
    loop {
        let answer = client.committed_offsets(asked.clone(), Duration::from_millis(200));
        if answer.is_ok_and(|answer| answer.elements().iter().all(|it| it.error().is_ok())) {
            return Instant::now();
        }
        assert!(begun.elapsed() < DEADLINE, "no broker after {DEADLINE:?}");
    }
}

//! Endpoints that do what no endpoint should: each beside a neighbour on the same partitions that
//! is fine.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::harness::{
    Answer, Broker, Config, Gate, Manner, Receiver, Record, Request, SECRET, Stream, message_ids,
    one_action, track, until,
};

const BATCHES: &str = "batch: { max_events: 20, max_delay: 20ms }";

/// Something that keeps an event from being delivered.
#[derive(Clone, Copy)]
struct Fault {
    name: &'static str,
    /// How `requests_total` counts it.
    counted_as: &'static str,
    status: u16,
    manner: Manner,
}

const fn fault(name: &'static str, counted_as: &'static str, status: u16, manner: Manner) -> Fault {
    Fault { name, counted_as, status, manner }
}

/// Answered with 200, all but the first three and the last: the endpoint has taken the events, and
/// whoever sent them cannot know.
const FAULTS: [Fault; 7] = [
    fault("error", "500", 500, Manner::Whole),
    fault("throttle", "429", 429, Manner::Whole),
    fault("hang", "timeout", 0, Manner::Whole),
    fault("drip", "timeout", 200, Manner::Dripping),
    fault("reset", "connect", 200, Manner::Reset),
    fault("cut", "connect", 200, Manner::CutShort),
    fault("two", "503", 503, Manner::WithAnother(200)),
];

impl Fault {
    fn answer(self, never: &Gate) -> Answer {
        let answer = Answer::status(self.status).body("as told").in_manner(self.manner);
        if self.status == 0 { answer.behind(never) } else { answer }
    }
}

/// The action `fine`, and beside it one for each fault that sends single events, and one that
/// sends batches. What is dripped, or never comes, must be given up by the timeout.
fn one_of_each(topic: &str, receiver: &Receiver) -> String {
    let mut yaml = format!(
        "sources:
  web: {{ topics: ['{topic}'] }}
destinations:
  crm:
    shared_secret: '{SECRET}'
    actions:
      fine: {{ trigger: type = \"track\", url: '{}' }}
",
        receiver.url("/fine")
    );
    for Fault { name, .. } in FAULTS {
        for (mode, batch) in [("single", "batch: false"), ("batched", BATCHES)] {
            let url = receiver.url(&format!("/{name}/{mode}"));
            let _ = writeln!(
                yaml,
                "      {name}-{mode}: {{ trigger: type = \"track\", url: '{url}', {batch} }}"
            );
        }
    }
    yaml + "delivery:
  timeout: 300ms
  concurrency: 8
  retry: { initial: 10ms, max: 100ms }
"
}

fn faulty_paths() -> impl Iterator<Item = (Fault, String, String)> {
    FAULTS.into_iter().flat_map(|fault| {
        ["single", "batched"].map(|mode| {
            (fault, format!("{}-{mode}", fault.name), format!("/{}/{mode}", fault.name))
        })
    })
}

fn fault_at(path: &str) -> Option<Fault> {
    FAULTS.into_iter().find(|fault| path[1..].split('/').next() == Some(fault.name))
}

/// The same events were always sent under the same key, and others never.
fn assert_idempotent(requests: &[Arc<Request>]) {
    let mut by_key: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut sets = BTreeSet::new();
    for request in requests {
        let key = request.header("idempotency-key").expect("every request has one");
        let events = message_ids(&request.body);
        sets.insert(events.clone());
        let known = by_key.entry(key).or_insert_with(|| events.clone());
        assert_eq!(*known, events, "two sets of events under the key {key}");
    }
    assert_eq!(by_key.len(), sets.len(), "a set of events was sent under two keys");
}

/// Everything came: what the endpoint has answered as it should came once, and what came more
/// often can be told by its key.
fn assert_healed(receiver: &Receiver, path: &str, sent: usize) {
    receiver.assert_nothing_lost(path, sent);
    assert_eq!(receiver.arrived().at(path).repeated(), 0, "answered as it should at {path}");
    assert_idempotent(&receiver.requests(path));
}

#[test]
fn whatever_endpoints_do_their_neighbour_gets_everything_and_so_do_they_once_they_heal() {
    let topic = "faults.always";
    let broker = Broker::shared();
    broker.create_topic(topic, 2, &[]);
    let receiver = Receiver::start(Some(SECRET));
    let never = Gate::closed();
    let closed = never.clone();
    receiver.answer(move |request| {
        fault_at(&request.path).map_or_else(Answer::ok, |fault| fault.answer(&closed))
    });
    let config = Config::new(broker, topic, &one_of_each(topic, &receiver));
    let hookcast = config.start_ready();
    let mut stream = Stream::new(100);
    broker.produce(topic, stream.next(1000));
    receiver.wait_accepted("/fine", 1000);
    let counted = |action: &str, fault: Fault| {
        let labels = [("action", action), ("status", fault.counted_as)];
        hookcast.metrics().value("hookcast_requests_total", &labels)
    };
    until("every fault to be counted as what it is", || {
        let others: Vec<_> =
            faulty_paths().filter(|(fault, action, _)| counted(action, *fault) < 3.0).collect();
        let names: Vec<_> = others.iter().map(|(_, action, _)| action).collect();
        if names.is_empty() { Ok(()) } else { Err(format!("not yet: {names:?}")) }
    });
    for (fault, action, path) in faulty_paths() {
        assert_eq!(receiver.accepted(&path), 0, "{path} was faulty all along");
        let labels = [("action", &*action)];
        let all = hookcast.metrics().value("hookcast_requests_total", &labels);
        assert!(counted(&action, fault) >= all - 8.0, "{action}: not every request was a fault");
    }

    receiver.answer(|_| Answer::ok());
    broker.produce(topic, stream.next(200));
    receiver.wait_accepted("/fine", stream.made());
    for (_, _, path) in faulty_paths() {
        receiver.wait_accepted(&path, stream.made());
    }
    broker.wait_committed_to_end(topic, topic);
    hookcast.stop();
    receiver.assert_exactly_once("/fine", stream.made());
    for (_, _, path) in faulty_paths() {
        assert_healed(&receiver, &path, stream.made());
    }
    assert!(broker.read(&format!("{topic}.dead-letter")).is_empty());
}

#[test]
fn endpoints_that_misbehave_now_and_then_get_everything_in_order() {
    let topic = "faults.sometimes";
    let broker = Broker::shared();
    broker.create_topic(topic, 2, &[]);
    let mut stream = Stream::new(100);
    broker.produce(topic, stream.next(400));
    let receiver = Receiver::start(Some(SECRET));
    let never = Gate::closed();
    receiver.answer(move |request| match fault_at(&request.path) {
        Some(fault) if request.number % 7 == 3 => fault.answer(&never),
        _ => Answer::ok(),
    });
    let config = Config::new(broker, topic, &one_of_each(topic, &receiver));
    let hookcast = config.start_ready();
    receiver.wait_accepted("/fine", stream.made());
    for (_, _, path) in faulty_paths() {
        receiver.wait_accepted(&path, stream.made());
    }
    broker.wait_committed_to_end(topic, topic);
    hookcast.stop();
    receiver.assert_exactly_once("/fine", stream.made());
    for (_, _, path) in faulty_paths() {
        assert_healed(&receiver, &path, stream.made());
    }
    assert!(broker.read(&format!("{topic}.dead-letter")).is_empty());
}

#[test]
fn an_endpoint_that_closes_after_every_answer_gets_everything_once() {
    let topic = "faults.closes";
    let broker = Broker::shared();
    broker.create_topic(topic, 2, &[]);
    let receiver = Receiver::start(Some(SECRET));
    receiver.answer(|_| Answer::ok().in_manner(Manner::ThenClosed));
    let config = Config::new(broker, topic, &one_action(topic, &receiver.url("/"), &[]));
    let hookcast = config.start_ready();
    broker.produce(topic, Stream::new(100).next(2000));
    receiver.wait_accepted("/", 2000);
    broker.wait_committed_to_end(topic, topic);
    hookcast.stop();
    receiver.assert_exactly_once("/", 2000);
}

#[test]
fn an_answer_of_gigabytes_is_an_answer_and_fills_no_memory() {
    let topic = "faults.giant";
    let broker = Broker::shared();
    broker.create_topic(topic, 2, &[]);
    let receiver = Receiver::start(Some(SECRET));
    receiver.answer(|_| Answer::ok().in_manner(Manner::Giant));
    let config = Config::new(broker, topic, &one_action(topic, &receiver.url("/"), &[]));
    let hookcast = config.start_ready();
    broker.produce(topic, Stream::new(100).next(500));
    receiver.wait_accepted("/", 500);
    broker.wait_committed_to_end(topic, topic);
    let peak = hookcast.peak_mib();
    hookcast.stop();
    receiver.assert_exactly_once("/", 500);
    assert!(peak < 256.0, "{peak} MiB for answers of 8 GiB each");
}

/// Refused by its length, before its body was read: by an endpoint that reads on, and by one that
/// closes the connection on what was not read.
#[test]
fn an_answer_before_the_body_was_read_is_what_it_says() {
    const MOST: usize = 500_000;
    for (manner, name) in [(Manner::Whole, "reads"), (Manner::ThenClosed, "closes")] {
        let topic = format!("faults.early.{name}");
        let broker = Broker::shared();
        broker.create_topic(&topic, 1, &[]);
        // One that is too large in any company, and others that are only too many.
        let padding = "x".repeat(90_000);
        let events = (0..40).map(|number| {
            let padding = if number == 20 { "x".repeat(MOST) } else { padding.clone() };
            Record::new(track("key", number).replace("tests", &padding))
        });
        broker.produce(&topic, events);
        let receiver = Receiver::start(Some(SECRET));
        let refused = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&refused);
        receiver.answer_early(move |head| {
            let length = head.header("content-length")?.parse::<usize>().ok()?;
            (length > MOST).then(|| {
                counted.fetch_add(1, Ordering::Relaxed);
                Answer::status(413).body("too large").in_manner(manner)
            })
        });
        let yaml = one_action(&topic, &receiver.url("/"), &["batch: true"]);
        let config = Config::new(broker, &topic, &yaml);
        let hookcast = config.start();
        receiver.wait_accepted("/", 39);
        let letters = broker.read_when(&format!("{topic}.dead-letter"), 1);
        broker.wait_committed_to_end(&topic, &topic);
        let judged = hookcast.metrics().value("hookcast_requests_total", &[("status", "413")]);
        hookcast.stop();
        let refused = refused.load(Ordering::Relaxed);
        eprintln!("{name}: {judged} of {refused} early answers were read");
        assert_eq!(letters.len(), 1, "only what is too large on its own is given up");
        assert_eq!(letters[0].place.1, 0);
        assert_eq!(letters[0].header("hookcast-offset").as_deref(), Some("20"));
        assert_eq!(letters[0].header("hookcast-status").as_deref(), Some("413"));
        let arrived = receiver.arrived();
        assert_eq!((arrived.at("/").accepted(), arrived.at("/").repeated()), (39, 0));
    }
}

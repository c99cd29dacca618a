//! Single behaviours of the pipeline that the simulation's chance would meet too rarely to show.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hookcast::config::Config;
use hookcast::lane::{Answer, Attempt};
use hookcast::pipeline::{Pipeline, Pushed, Step};
use hookcast::record::{Now, Offset, Position, Record, TopicPartition};
use hookcast::routing::Skip;
use hookcast::secret::Secret;
use hookcast::signature::Signer;
use hookcast::verdict::Outcome;

/// A pipeline and a clock that moves when it is told to.
struct Bench {
    pipeline: Pipeline,
    now: Now,
    next: i64,
}

impl Bench {
    /// A pipeline with these actions, as YAML.
    fn new(actions: &str) -> Self {
        let yaml = format!(
            "kafka: {{ bootstrap.servers: 'unused:1', group.id: g }}\n\
             sources: {{ all: {{ topics: [t] }} }}\n\
             egress: {{ allow_private: true }}\n\
             destinations:\n  d:\n    shared_secret: secret\n    actions:\n{actions}"
        );
        let config = Config::parse("test.yaml", &yaml, Path::new(""), &|name| std::env::var(name));
        let plan = Arc::new(config.unwrap_or_else(|errors| panic!("{errors}")).plan);
        let partition = TopicPartition { topic: "t".into(), partition: 0 };
        Self {
            pipeline: Pipeline::new(plan, partition, None),
            now: Now { instant: Instant::now(), unix_ms: 0 },
            next: 0,
        }
    }

    fn push(&mut self, key: &str, value: &str) -> Pushed<'_> {
        let record = Record {
            offset: Offset(self.next),
            timestamp: Some(0),
            key: Some(key.as_bytes()),
            value: Some(value.as_bytes()),
            headers: Vec::new(),
        };
        self.next += 1;
        self.pipeline.push(&record, self.now)
    }

    fn sent(&mut self) -> Vec<Attempt> {
        let mut steps = Vec::new();
        self.pipeline.poll(self.now, &mut steps);
        let sent = steps.into_iter().filter_map(|step| match step {
            Step::Send(attempt) => Some(attempt),
            Step::DeadLetter(_) => None,
        });
        sent.collect()
    }

    fn answer(&mut self, attempt: &Attempt, status: u16) {
        let answer = Answer { outcome: Outcome::Status(status), detail: String::new() };
        self.pipeline.complete(attempt.ticket, &answer, self.now, 1.0);
    }
}

const TRACK: &str = r#"{"type":"track"}"#;

#[test]
fn a_record_that_matches_nothing_moves_the_position() {
    let mut bench = Bench::new("      a: { trigger: 'false', url: 'http://127.0.0.1/' }\n");
    assert_eq!(bench.push("k", TRACK), Pushed::Skipped(Skip::Unmatched));
    assert_eq!(bench.pipeline.position(), Some(Position(1)));
}

#[test]
fn a_half_full_batch_waits_for_company_and_not_longer() {
    let mut bench = Bench::new(
        "      a: { trigger: 'true', url: 'http://127.0.0.1/', batch: { max_delay: 1s } }\n",
    );
    let _ = bench.push("k", TRACK);
    let _ = bench.push("k", TRACK);
    assert!(bench.sent().is_empty());
    assert_eq!(bench.pipeline.wake_at(), Some(bench.now.instant + Duration::from_secs(1)));
    bench.now.instant += Duration::from_secs(1);
    let sent = bench.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].request.body, format!("[{TRACK},{TRACK}]"));
}

#[test]
fn a_batch_that_cannot_go_yet_gains_company() {
    let mut bench = Bench::new(
        "      a: { trigger: 'true', url: 'http://127.0.0.1/', batch: { max_delay: 0s } }\n",
    );
    let _ = bench.push("k", TRACK);
    let first = bench.sent().remove(0);
    let _ = bench.push("k", TRACK);
    assert!(bench.sent().is_empty(), "one batch of a lane at a time");
    let _ = bench.push("k", TRACK);
    bench.answer(&first, 200);
    assert_eq!(bench.sent()[0].events, 2);
}

#[test]
fn the_first_element_alone_is_signed_where_segment_does_so() {
    let mut bench = Bench::new(
        "      a: { trigger: 'true', url: 'http://127.0.0.1/', batch: { max_delay: 0s }, \
         delivery: { signature: first_element } }\n",
    );
    let _ = bench.push("k", TRACK);
    let _ = bench.push("k", r#"{"type":"page"}"#);
    let signature = Signer::new(&Secret::new("secret")).sign(TRACK.as_bytes());
    assert_eq!(bench.sent()[0].request.signature.as_deref(), Some(&*signature));
}

#[test]
fn an_unbounded_set_of_urls_does_not_hold_unbounded_batches() {
    let mut bench = Bench::new(
        "      a: { trigger: 'true', batch: { max_delay: 1h }, \
         url: { '@template': 'http://h{{n}}.localhost/' } }\n",
    );
    for n in 0..64 {
        let _ = bench.push("k", &format!(r#"{{"type":"track","n":{n}}}"#));
    }
    assert!(bench.sent().is_empty());
    let _ = bench.push("k", r#"{"type":"track","n":64}"#);
    let sent = bench.sent();
    assert_eq!(sent.len(), 1, "the oldest gives way");
    assert_eq!(&*sent[0].request.target.url, "http://h0.localhost/");
}

#[test]
fn a_drain_finishes_what_was_begun_and_leaves_the_rest() {
    let mut bench = Bench::new(
        "      a: { trigger: 'true', url: 'http://127.0.0.1/', delivery: { concurrency: 2 } }\n",
    );
    for key in ["a", "a", "b", "c"] {
        let _ = bench.push(key, TRACK);
    }
    let sent = bench.sent();
    assert_eq!(sent.len(), 2, "offset 0 of key a, and offset 2 of key b");
    bench.pipeline.drain(bench.now);
    assert!(!bench.pipeline.wants_record() && !bench.pipeline.is_drained());
    bench.answer(&sent[1], 200);
    assert!(bench.sent().is_empty(), "offset 3 is left to the next owner");
    bench.answer(&sent[0], 200);
    let last = bench.sent();
    assert_eq!(last.len(), 1, "offset 1 lies below what was settled");
    bench.answer(&last[0], 200);
    assert!(bench.pipeline.is_drained());
    assert_eq!(bench.pipeline.position(), Some(Position(3)));
}

#[test]
fn a_drain_leaves_what_has_failed_unless_something_above_it_is_settled() {
    let action = "      a: { trigger: 'true', url: 'http://127.0.0.1/' }\n";
    let mut bench = Bench::new(action);
    let _ = bench.push("a", TRACK);
    let _ = bench.push("b", TRACK);
    let sent = bench.sent();
    bench.pipeline.drain(bench.now);
    bench.answer(&sent[0], 503);
    bench.pipeline.drain(bench.now);
    assert!(!bench.pipeline.is_drained(), "offset 1 is in flight and may be settled");
    bench.answer(&sent[1], 503);
    bench.pipeline.drain(bench.now);
    assert!(bench.pipeline.is_drained());
    assert_eq!(bench.pipeline.position(), Some(Position(0)));

    let mut bench = Bench::new(action);
    let _ = bench.push("a", TRACK);
    let _ = bench.push("b", TRACK);
    let sent = bench.sent();
    bench.answer(&sent[0], 503);
    bench.answer(&sent[1], 200);
    bench.pipeline.drain(bench.now);
    assert!(!bench.pipeline.is_drained(), "offset 1 is settled, and must not be repeated");
    bench.now.instant += Duration::from_secs(1);
    let again = bench.sent();
    bench.answer(&again[0], 200);
    bench.pipeline.drain(bench.now);
    assert!(bench.pipeline.is_drained());
    assert_eq!(bench.pipeline.position(), Some(Position(2)));
}

#[test]
fn a_paused_action_holds_its_events_and_does_not_hold_up_a_drain() {
    let mut bench = Bench::new(
        "      a: { trigger: 'true', url: 'http://127.0.0.1/', paused: true }\n\
         \x20     b: { trigger: 'true', url: 'http://127.0.0.1/' }\n",
    );
    let _ = bench.push("k", TRACK);
    let sent = bench.sent();
    assert_eq!(sent.len(), 1);
    bench.answer(&sent[0], 200);
    assert_eq!(bench.pipeline.position(), Some(Position(0)), "the paused action owes it");
    bench.pipeline.drain(bench.now);
    assert!(bench.pipeline.is_drained());
    assert_eq!(bench.pipeline.position(), Some(Position(0)));
}

#[test]
fn a_paused_action_that_is_full_does_not_hold_up_a_drain_either() {
    let mut bench = Bench::new(
        "      a: { trigger: 'true', url: 'http://127.0.0.1/', paused: true, \
         delivery: { concurrency: 1 } }\n\
         \x20     b: { trigger: 'true', url: 'http://127.0.0.1/' }\n",
    );
    while bench.pipeline.wants_record() {
        let _ = bench.push("k", TRACK);
        for attempt in bench.sent() {
            bench.answer(&attempt, 200);
        }
    }
    assert!(bench.next > 8, "a lane of single events takes some in advance");
    bench.pipeline.drain(bench.now);
    bench.pipeline.allow(1);
    assert!(bench.pipeline.is_drained());
    assert_eq!(bench.pipeline.position(), Some(Position(0)));
}

#[test]
fn a_lane_without_room_stops_the_reader_until_it_has_room() {
    let mut bench = Bench::new(
        "      a: { trigger: 'true', url: 'http://127.0.0.1/', delivery: { concurrency: 1 } }\n",
    );
    bench.pipeline.allow(1);
    let _ = bench.push("k", TRACK);
    assert!(bench.pipeline.wants_record(), "one event finds room in any case");
    let _ = bench.push("k", TRACK);
    assert!(!bench.pipeline.wants_record());
    assert_eq!(bench.pipeline.position(), Some(Position(0)));
    let first = bench.sent().remove(0);
    bench.answer(&first, 200);
    assert_eq!(bench.pipeline.position(), Some(Position(1)), "the parked record is still owed");
    let second = bench.sent().remove(0);
    assert!(bench.pipeline.wants_record());
    bench.answer(&second, 200);
    assert_eq!(bench.pipeline.position(), Some(Position(2)));
}

#[test]
fn a_busy_target_does_not_keep_the_batches_of_others_waiting() {
    let mut bench = Bench::new(
        "      a: { trigger: 'true', batch: { max_events: 1, max_delay: 1h }, \
         url: { '@template': 'http://h{{n}}.localhost/' }, delivery: { concurrency: 1 } }\n\
         \x20     b: { trigger: 'true', batch: { max_events: 2, max_delay: 1s }, \
         url: { '@template': 'http://h{{n}}.localhost/' }, delivery: { concurrency: 1 } }\n",
    );
    let busy = r#"{"type":"track","n":0}"#;
    let _ = bench.push("k", r#"{"type":"track","n":1}"#);
    let mut hosts = Vec::new();
    for _ in 0..10 {
        let _ = bench.push("k", busy);
        let _ = bench.push("k", busy);
        bench.now.instant += Duration::from_secs(1);
        for attempt in bench.sent() {
            hosts.push(attempt.request.target.url.clone());
            bench.answer(&attempt, 200);
        }
    }
    let quiet = hosts.iter().filter(|url| ***url == *"http://h1.localhost/").count();
    assert_eq!(quiet, 2, "{hosts:?}");
}

#[test]
fn a_lane_that_had_no_room_gathers_again_as_soon_as_it_has() {
    let mut bench = Bench::new(
        "      a: { trigger: 'true', batch: { max_delay: 1h }, \
         url: { '@template': 'http://h{{n}}.localhost/' } }\n",
    );
    let event = |n: u8| format!(r#"{{"type":"track","n":{n}}}"#);
    let _ = bench.push("k", &event(0));
    bench.now.instant += Duration::from_hours(1);
    let first = bench.sent().remove(0);
    let _ = bench.push("k", &event(0));
    bench.pipeline.allow(1);
    let _ = bench.push("k", &event(1));
    assert!(!bench.pipeline.wants_record(), "there is no room");
    bench.pipeline.allow(usize::MAX);
    assert!(bench.sent().is_empty(), "what came after the flush waits for company");
    let _ = bench.push("k", &event(1));
    bench.answer(&first, 200);
    let sent = bench.sent();
    assert_eq!(sent.len(), 1, "what was open when there was no room");
    assert_eq!(&*sent[0].request.target.url, "http://h0.localhost/");
    bench.now.instant += Duration::from_hours(1);
    assert_eq!(bench.sent()[0].events, 2);
}

#[test]
fn a_url_that_cannot_be_requested_is_dead_lettered_and_not_tried_for_ever() {
    let mut bench = Bench::new(
        "      a: { trigger: 'true', url: { '@template': 'http://{{host}}/{{path}}' } }\n",
    );
    let long = "x".repeat(70_000);
    for (host, path) in [("a{b}.localhost", ""), ("a`.localhost", ""), ("h.localhost", &*long)] {
        let _ = bench.push("k", &format!(r#"{{"type":"track","host":"{host}","path":"{path}"}}"#));
        let mut steps = Vec::new();
        bench.pipeline.poll(bench.now, &mut steps);
        assert!(matches!(steps[..], [Step::DeadLetter(_)]), "{host}: {steps:?}");
    }
}

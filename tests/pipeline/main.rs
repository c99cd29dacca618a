//! Single behaviours of the pipeline that the simulation's chance would meet too rarely to show.

mod aside;
mod bench;
mod expiry;
mod lanes;
mod origins;
mod rate_limit;
mod redriven;
mod rejections;

use std::time::Duration;

use bench::{Bench, TRACK};
use hookcast::pipeline::{Pushed, Step};
use hookcast::record::Position;
use hookcast::routing::Skip;
use hookcast::secret::Secret;
use hookcast::signature::Signer;

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
    assert_eq!(bench.pipeline.wake_at(bench.now), Some(bench.now.instant + Duration::from_secs(1)));
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
         url: { '@template': 'http://localhost/{{n}}' } }\n",
    );
    for n in 0..64 {
        let _ = bench.push("k", &format!(r#"{{"type":"track","n":{n}}}"#));
    }
    assert!(bench.sent().is_empty());
    let _ = bench.push("k", r#"{"type":"track","n":64}"#);
    let sent = bench.sent();
    assert_eq!(sent.len(), 1, "the oldest gives way");
    assert_eq!(&*sent[0].request.target.url, "http://localhost/0");
}

#[test]
fn an_unbounded_set_of_origins_does_not_hold_unbounded_memory() {
    let mut bench = Bench::new(
        "      a: { trigger: 'true', batch: { max_delay: 1h }, \
         url: { '@template': 'http://h{{n}}.localhost/' } }\n",
    );
    bench.pipeline.allow(1);
    for n in 0..128 {
        let _ = bench.push("k", &format!(r#"{{"type":"track","n":{n}}}"#));
        assert!(bench.pipeline.wants_record(), "a few of them find room in any case: {n}");
    }
    let held = bench.pipeline.held_bytes();
    let _ = bench.push("k", r#"{"type":"track","n":128}"#);
    assert!(!bench.pipeline.wants_record());
    // Origins that nobody has seen yet may starve, so they are not waited for.
    bench.sent();
    bench.now.instant += Duration::from_secs(1);
    bench.sent();
    assert!(bench.pipeline.wants_record());
    assert_eq!(bench.pipeline.held_bytes(), held);
    assert_eq!(bench.pipeline.begin_slice(bench.now), Some(Position(128)));
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
fn a_record_that_would_only_wait_is_not_read_yet() {
    let mut bench = Bench::new(
        "      a: { trigger: 'true', url: 'http://127.0.0.1/', delivery: { concurrency: 1 } }\n",
    );
    let mut pushed = 0;
    while bench.pipeline.wants_record() {
        let _ = bench.push("k", TRACK);
        pushed += 1;
    }
    assert_eq!(pushed, 8, "eight events for each request at a time");
    let first = bench.sent().remove(0);
    let held = bench.pipeline.held_bytes();
    bench.answer(&first, 200);
    assert!(bench.pipeline.held_bytes() < held, "nothing was waiting to take its place");
    assert!(bench.pipeline.wants_record());
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
         url: { '@template': 'http://localhost/{{n}}' } }\n",
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
    assert_eq!(&*sent[0].request.target.url, "http://localhost/0");
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

//! What becomes of dead letters that stand in the redrive topic.

use hookcast::dead_letter::{DeadLetter, Letter};
use hookcast::pipeline::{Appetite, Pushed};
use hookcast::plan::ActionId;
use hookcast::record::{Header, Offset, Position, Record, TopicPartition};

use crate::bench::{Bench, TRACK};

/// One action that wants everything.
const WANTS_ALL: &str = "      a: { trigger: 'true', url: 'http://127.0.0.1/a' }\n";
/// The same action, which wants nothing any more, among others.
const WANTS_NOTHING: &str = "      b: { trigger: 'true', url: 'http://127.0.0.1/b' }\n\
                             \x20     a: { trigger: 'false', url: 'http://127.0.0.1/a' }\n\
                             \x20     off: { enabled: false, trigger: 'true', url: 'http://127.0.0.1/' }\n";

/// A pipeline of the redrive topic.
fn redrive(actions: &str) -> Bench {
    Bench::reading(TopicPartition { topic: "g.redrive".into(), partition: 5 }, actions)
}

fn record<'a>(offset: i64, value: &'a str, headers: Vec<Header<'a>>) -> Record<'a> {
    let (key, value) = (Some(&b"k"[..]), Some(value.as_bytes()));
    Record { offset: Offset(offset), timestamp: Some(77), key, value, headers }
}

/// What stands in the redrive topic, at `offset`, for a letter.
fn redriven(offset: i64, letter: &DeadLetter) -> Record<'_> {
    let headers = letter.headers.iter();
    let headers =
        headers.map(|(name, value)| Header { name: name.as_bytes(), value: value.as_deref() });
    let (key, value) = (letter.key.as_deref(), letter.value.as_deref());
    Record { offset: Offset(offset), timestamp: Some(77), key, value, headers: headers.collect() }
}

fn addressed<'a>(destination: &'a str, action: &'a str) -> Vec<Header<'a>> {
    let header = |name: &'a str, value: &'a str| Header {
        name: name.as_bytes(),
        value: Some(value.as_bytes()),
    };
    vec![header("hookcast-destination", destination), header("hookcast-action", action)]
}

/// The letter about the first event of a source, which its endpoint refuses, and the request's key.
fn refused() -> (DeadLetter, String) {
    let mut source = Bench::new(WANTS_ALL);
    let _ = source.push("k", TRACK);
    let attempt = source.sent().remove(0);
    source.answer(&attempt, 404);
    let letter = (*source.letters().remove(0)).clone();
    (letter, attempt.request.idempotency_key.to_string())
}

#[test]
fn a_redriven_event_goes_to_the_action_that_it_names_under_the_key_that_it_had() {
    let (letter, key) = refused();
    let mut bench = redrive(WANTS_NOTHING);
    let pushed = bench.pipeline.push(&redriven(0, &letter), bench.now);
    assert_eq!(pushed, Pushed::Owed(&[ActionId(1)]));
    let sent = bench.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(&*sent[0].request.target.url, "http://127.0.0.1/a");
    assert_eq!(sent[0].request.body, TRACK);
    assert_eq!(*sent[0].request.idempotency_key, *key);
    bench.answer(&sent[0], 200);
    assert_eq!(bench.pipeline.position(), Some(Position(1)));
}

#[test]
fn a_redriven_event_that_fails_again_is_the_same_event() {
    let (letter, _) = refused();
    let mut bench = redrive(WANTS_ALL);
    let _ = bench.pipeline.push(&redriven(8, &letter), bench.now);
    let attempt = bench.sent().remove(0);
    bench.answer(&attempt, 410);
    let again = bench.letters().remove(0);
    let read = |letter: &DeadLetter| Letter::read(&redriven(0, letter)).expect("a letter").origin;
    assert_eq!(read(&again), read(&letter));
    assert_eq!(read(&again).partition.to_string(), "t [0]");
    let record = redriven(0, &again);
    let again = Letter::read(&record).expect("a letter");
    assert_eq!((again.status, again.attempts, again.own_headers.len()), (Some(410), Some(1), 0));
    assert_eq!(bench.pipeline.position(), Some(Position(9)));
}

#[test]
fn what_names_no_action_that_there_is_goes_back_to_where_it_was() {
    for (headers, reason, address) in [
        (addressed("d", "gone"), "action_removed", Some("gone")),
        (addressed("d", "off"), "action_removed", Some("off")),
        (addressed("elsewhere", "a"), "action_removed", Some("a")),
        (Vec::new(), "invalid_event", None),
        (addressed("d", "a")[..1].to_vec(), "invalid_event", None),
        (vec![Header { name: b"hookcast-\xff", value: None }], "invalid_event", None),
    ] {
        let mut bench = redrive(WANTS_NOTHING);
        let record = record(3, TRACK, headers.clone());
        assert_eq!(bench.pipeline.push(&record, bench.now), Pushed::Invalid, "{headers:?}");
        assert_eq!(bench.pipeline.position(), Some(Position(3)), "its letter is not written yet");
        let letter = bench.letters().remove(0);
        let record = redriven(0, &letter);
        let letter = Letter::read(&record).expect("a letter");
        assert_eq!(letter.reason, reason);
        assert_eq!(letter.address.map(|address| address.action), address);
        // It does not say where it came from, so it came from here.
        assert_eq!(letter.origin.partition.to_string(), "g.redrive [5]");
        assert_eq!((letter.origin.offset, letter.origin.timestamp), (Offset(3), Some(77)));
        assert_eq!(bench.pipeline.position(), Some(Position(4)));
    }
}

#[test]
fn what_names_no_action_and_finds_no_room_is_kept_until_it_does() {
    let mut bench = redrive(WANTS_ALL);
    bench.pipeline.allow(1);
    for offset in 0..2 {
        let record = record(offset, TRACK, addressed("d", "gone"));
        let _ = bench.pipeline.push(&record, bench.now);
    }
    assert!(!bench.pipeline.wants_record());
    assert_eq!(bench.letters().len(), 1);
    assert_eq!(bench.letters().len(), 1, "the second one has found room");
    assert_eq!(bench.pipeline.position(), Some(Position(2)));
}

#[test]
fn a_paused_action_that_is_behind_finds_its_redriven_events_again() {
    let (letter, key) = refused();
    let paused = "      a: { paused: true, trigger: 'true', url: 'http://127.0.0.1/a' }\n";
    let mut bench = redrive(paused);
    bench.pipeline.allow(1);
    for offset in 0..3 {
        let _ = bench.pipeline.push(&redriven(offset, &letter), bench.now);
        assert!(bench.sent().is_empty());
    }
    bench.pipeline.drain();
    let progress = bench.pipeline.progress().expect("something was read");
    let mut bench = redrive(WANTS_ALL);
    let place = progress.position;
    bench.pipeline = hookcast::pipeline::Pipeline::restored(
        crate::bench::plan(WANTS_ALL),
        bench.gates(),
        TopicPartition { topic: "g.redrive".into(), partition: 5 },
        progress,
    );
    assert_eq!(bench.pipeline.begin_slice(bench.now), Some(place));
    assert_eq!(bench.pipeline.read_again(&redriven(0, &letter), bench.now), Appetite::More);
    assert_eq!(*bench.sent()[0].request.idempotency_key, *key);
}

//! What endpoints refuse: single events, everything, and batches that are too large.

use std::time::Duration;

use hookcast::dead_letter::Reason;
use hookcast::lane::{Attempt, Streak};
use hookcast::record::Position;

use crate::bench::{Bench, TRACK, body};

/// One event at a time, of which five may be refused in a row.
const FIVE: &str = "      a: { trigger: 'true', url: 'http://127.0.0.1/a', delivery: \
                    { concurrency: 1, reject_limit: 5, \
                    retry: { initial: 1s, max: 1s, give_up_after: 1m } } }\n";

fn batched(events: usize) -> String {
    let batch = format!("batch: {{ max_events: {events}, max_delay: 0s }}, delivery:");
    FIVE.replace("delivery:", &batch)
}

/// Pushes so many events with keys of their own, as there is room for them.
fn push(bench: &mut Bench, events: i64) {
    let end = bench.next + events;
    while bench.next < end {
        assert!(bench.pipeline.wants_record(), "there is no room");
        let key = bench.next.to_string();
        let _ = bench.push_of(bench.now.unix_ms, &key, TRACK);
    }
}

#[test]
fn what_is_refused_is_dead_lettered_until_there_are_too_many_in_a_row() {
    let mut bench = Bench::new(FIVE);
    push(&mut bench, 8);
    let letters = bench.settle_for(10, |_| 401);
    assert_eq!(letters.len(), 5);
    assert!(letters.iter().all(|letter| letter.reason == Reason::Rejected));
    assert_eq!(bench.pipeline.position(), Some(Position(5)));
    assert!(bench.settle_for(3, |_| 200).is_empty());
    assert_eq!(bench.pipeline.position(), Some(Position(8)), "the others were only retried");
}

#[test]
fn an_acceptance_begins_the_count_anew() {
    let mut bench = Bench::new(FIVE);
    let mut number = 0;
    for _ in 0..10 {
        push(&mut bench, 5);
        let mut answers = |_: &Attempt| {
            number += 1;
            if number % 5 == 0 { 200 } else { 401 }
        };
        assert_eq!(bench.settle(&mut answers).len(), 4);
    }
}

#[test]
fn that_there_are_too_many_and_that_it_is_over_is_said_once() {
    let mut bench = Bench::new(FIVE);
    push(&mut bench, 8);
    let mut said = Vec::new();
    for second in 0..20 {
        for attempt in bench.sent() {
            let news = bench.answer(&attempt, if second < 10 { 401 } else { 200 });
            said.extend(news.rejections);
        }
        bench.pass(Duration::from_secs(1));
    }
    assert_eq!(said, [Streak::TooLong, Streak::Over]);
}

#[test]
fn what_is_refused_in_vain_expires() {
    let mut bench = Bench::new(FIVE);
    push(&mut bench, 8);
    let letters = bench.settle_for(120, |_| 401);
    let reasons: Vec<_> = letters.iter().map(|letter| letter.reason).collect();
    assert_eq!(reasons[..5], [Reason::Rejected; 5]);
    assert_eq!(reasons[5..], [Reason::Expired; 3]);
}

#[test]
fn all_partitions_of_an_action_count_together() {
    let mut bench = Bench::new(FIVE);
    let mut other = bench.beside(1, FIVE);
    push(&mut bench, 3);
    push(&mut other, 3);
    assert_eq!(bench.settle(|_| 401).len(), 3);
    assert_eq!(other.settle(|_| 401).len(), 2);
    // An acceptance in one of them ends it for all.
    push(&mut bench, 1);
    bench.settle_for(2, |_| 200);
    other.pass(Duration::from_secs(2));
    assert_eq!(other.settle(|_| 401).len(), 1);
}

#[test]
fn a_batch_is_refused_whole_and_then_retried() {
    let mut bench = Bench::new(&batched(4));
    push(&mut bench, 16);
    assert_eq!(bench.settle_for(10, |_| 401).len(), 8, "two batches have more than five events");
    bench.settle_for(10, |_| 200);
    assert_eq!(bench.pipeline.position(), Some(Position(16)));
}

#[test]
fn only_events_that_are_refused_alone_are_counted_where_batches_are_split() {
    let mut bench = Bench::new(&batched(8));
    push(&mut bench, 16);
    assert_eq!(bench.settle_for(10, |_| 400).len(), 5);
    bench.settle_for(10, |_| 200);
    assert_eq!(bench.pipeline.position(), Some(Position(16)));
}

#[test]
fn the_halves_of_a_batch_have_keys_of_their_own_and_the_same_ones_every_time() {
    let mut bench = Bench::new(&batched(4));
    push(&mut bench, 4);
    let mut keys = std::collections::BTreeMap::new();
    bench.settle_for(10, |attempt| {
        let key = attempt.request.idempotency_key.to_string();
        let events = *keys.entry(key).or_insert(attempt.events);
        assert_eq!(events, attempt.events, "one key, one set of events");
        if attempt.events > 1 { 413 } else { 500 }
    });
    assert!(keys.len() > 3, "{keys:?}");
}

/// Refuses batches of more than `most` events, and notes how many there were of each size.
fn refusing_more_than(most: usize, sizes: &mut Vec<usize>) -> impl FnMut(&Attempt) -> u16 {
    move |attempt| {
        sizes.push(attempt.events);
        if attempt.events > most { 413 } else { 200 }
    }
}

#[test]
fn batches_keep_to_a_size_that_was_not_refused() {
    let mut bench = Bench::new(&batched(100));
    let mut sizes = Vec::new();
    for _ in 0..10 {
        push(&mut bench, 200);
        bench.settle_for(1, refusing_more_than(30, &mut sizes));
    }
    let refused = sizes.iter().filter(|size| **size > 30).count();
    assert!(refused <= 4, "{sizes:?}");
    assert_eq!(bench.pipeline.position(), Some(Position(2000)));
    // After a while it is tried anew.
    bench.pass(Duration::from_mins(10));
    push(&mut bench, 100);
    sizes.clear();
    bench.settle_for(1, refusing_more_than(100, &mut sizes));
    assert_eq!(sizes, [100]);
}

#[test]
fn an_event_that_is_too_large_by_itself_teaches_nothing_about_batches() {
    let mut bench = Bench::new(&batched(64));
    let mut sizes = Vec::new();
    let refuses = |attempt: &Attempt| if body(attempt).contains("large") { 413 } else { 200 };
    for number in 0..64 {
        let _ =
            bench.push("k", if number == 40 { r#"{"type":"track","n":"large"}"# } else { TRACK });
    }
    assert_eq!(bench.settle_for(1, refuses).len(), 1);
    push(&mut bench, 192);
    bench.settle_for(1, |attempt| {
        sizes.push(attempt.events);
        200
    });
    assert_eq!(sizes, [64, 64, 64]);
}

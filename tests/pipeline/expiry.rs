//! When an event is given up, and when it is not.

use std::time::Duration;

use hookcast::dead_letter::{DeadLetter, Reason};
use hookcast::pipeline::Appetite;
use hookcast::plan::ActionId;
use hookcast::record::Position;

use crate::bench::{Bench, TRACK, body};

const MINUTE: i64 = 60_000;

/// One action that tries again every second, and gives up after a minute.
const GIVES_UP: &str = "      a: { trigger: 'true', url: 'http://127.0.0.1/a', delivery: \
                        { retry: { initial: 1s, max: 1s, give_up_after: 1m } } }\n";

/// The same beside another one.
fn beside_another() -> String {
    format!("{GIVES_UP}      b: {{ trigger: 'true', url: 'http://127.0.0.1/b' }}\n")
}

fn is_expired(letter: &DeadLetter) -> bool {
    letter.reason == Reason::Expired
}

/// Reads `records` records, the endpoint of the first action being down and the other one well. What
/// was written meanwhile.
fn with_a_backlog(bench: &mut Bench, records: i64) -> usize {
    let mut letters = 0;
    while bench.next < records {
        if bench.pipeline.wants_record() {
            let _ = bench.push_of(bench.now.unix_ms, "k", TRACK);
        }
        letters += bench.settle(down).len();
        bench.pass(Duration::from_millis(10));
    }
    letters
}

/// The endpoint of the first action is down, all others are well.
fn down(attempt: &hookcast::lane::Attempt) -> u16 {
    if attempt.ticket.lane.action == ActionId(0) { 503 } else { 200 }
}

#[test]
fn an_event_expires_when_its_endpoint_has_failed_for_so_long() {
    let mut bench = Bench::new(GIVES_UP);
    let _ = bench.push("k", TRACK);
    assert!(bench.settle_for(60, |_| 503).is_empty());
    assert_eq!(bench.pipeline.position(), Some(Position(0)));
    let letters = bench.settle(|_| 503);
    assert!(letters.len() == 1 && is_expired(&letters[0]), "{letters:?}");
    assert_eq!(bench.pipeline.position(), Some(Position(1)));
    assert!(bench.pipeline.is_empty());
}

#[test]
fn an_event_that_is_younger_than_the_outage_has_all_of_its_time() {
    let mut bench = Bench::new(GIVES_UP);
    let _ = bench.push("k", TRACK);
    assert!(bench.settle_for(40, |_| 503).is_empty());
    let _ = bench.push_of(bench.now.unix_ms, "k", TRACK);
    assert_eq!(bench.settle_for(59, |_| 503).len(), 1, "the first one is over after a minute");
    assert!(bench.settle_for(1, |_| 503).is_empty());
    assert_eq!(bench.settle(|_| 503).len(), 1, "the second one has had its own minute");
}

#[test]
fn a_timestamp_in_the_future_counts_as_now() {
    let mut bench = Bench::new(GIVES_UP);
    let _ = bench.push_of(1000 * MINUTE, "k", TRACK);
    assert!(bench.settle_for(60, |_| 503).is_empty());
    assert_eq!(bench.settle(|_| 503).len(), 1);
}

#[test]
fn an_old_event_does_not_expire_while_its_endpoint_accepts() {
    let mut bench = Bench::new(GIVES_UP);
    bench.pass(Duration::from_hours(10));
    for _ in 0..1000 {
        if bench.pipeline.wants_record() {
            let _ = bench.push("k", TRACK);
        }
        assert!(bench.settle_for(1, |_| 200).is_empty());
    }
}

#[test]
fn an_old_event_is_tried_for_as_long_as_a_young_one() {
    let mut bench = Bench::new(GIVES_UP);
    bench.pass(Duration::from_hours(10));
    let _ = bench.push("k", TRACK);
    assert!(bench.settle_for(60, |_| 503).is_empty(), "the outage has only begun");
    assert_eq!(bench.settle(|_| 503).len(), 1);
}

#[test]
fn under_hold_nothing_expires() {
    let hold = GIVES_UP.replace("delivery: { ", "delivery: { on_give_up: hold, ");
    let mut bench = Bench::new(&hold);
    let _ = bench.push("k", TRACK);
    assert!(bench.settle_for(1000, |_| 503).is_empty());
    let mut accepted = 0;
    bench.settle_for(2, |_| {
        accepted += 1;
        200
    });
    assert_eq!((accepted, bench.pipeline.position()), (1, Some(Position(1))));
}

#[test]
fn what_is_in_flight_does_not_expire_before_it_is_answered() {
    let mut bench = Bench::new(GIVES_UP);
    let _ = bench.push("k", TRACK);
    bench.settle_for(20, |_| 503);
    let (sent, _) = bench.poll();
    bench.pass(Duration::from_hours(1));
    let (again, letters) = bench.poll();
    assert!(again.is_empty() && letters.is_empty());
    bench.answer(&sent[0], 503);
    assert_eq!(bench.settle(|_| 503).len(), 1);
}

#[test]
fn what_is_accepted_at_the_last_moment_is_no_letter() {
    let mut bench = Bench::new(GIVES_UP);
    let _ = bench.push("k", TRACK);
    bench.settle_for(20, |_| 503);
    let (sent, _) = bench.poll();
    bench.pass(Duration::from_hours(1));
    bench.answer(&sent[0], 200);
    assert!(bench.settle(|_| 503).is_empty());
    assert_eq!(bench.pipeline.position(), Some(Position(1)));
}

#[test]
fn an_expired_event_whose_letter_cannot_be_written_holds_the_position_and_nobody_else() {
    let mut bench = Bench::new(GIVES_UP);
    let _ = bench.push("k", TRACK);
    bench.settle_for(60, |_| 503);
    let (sent, _) = bench.poll();
    bench.answer(&sent[0], 503);
    let (_, mut letters) = bench.poll();
    let writing = letters.pop().expect("its time is over");
    bench.pipeline.letter_failed(writing.id, bench.now, 1.0);
    assert_eq!(bench.pipeline.position(), Some(Position(0)), "its letter is not written");
    let _ = bench.push_of(bench.now.unix_ms, "k", TRACK);
    bench.pass(Duration::from_secs(1));
    let (sent, letters) = bench.poll();
    assert_eq!((sent.len(), letters.len()), (1, 1), "the next one goes, the letter goes again");
    bench.answer(&sent[0], 200);
    bench.pipeline.letter_written(letters[0].id);
    assert_eq!(bench.pipeline.position(), Some(Position(2)));
}

#[test]
fn a_drain_gives_up_nothing() {
    let mut bench = Bench::new(GIVES_UP);
    let _ = bench.push("k", TRACK);
    bench.settle_for(20, |_| 503);
    bench.pipeline.drain();
    bench.pass(Duration::from_hours(1));
    assert!(bench.settle(|_| 503).is_empty());
    assert!(bench.pipeline.is_drained());
    assert_eq!(bench.pipeline.position(), Some(Position(0)));
}

#[test]
fn the_clock_goes_on_with_the_next_owner_once_he_has_failed_too() {
    let mut bench = Bench::new(GIVES_UP);
    let _ = bench.push("k", TRACK);
    bench.settle_for(50, |_| 503);
    let mut next = bench.handed_over(GIVES_UP);
    next.pass(Duration::from_mins(1));
    let _ = next.push("k", TRACK);
    let (sent, letters) = next.poll();
    assert_eq!((sent.len(), letters.len()), (1, 0), "it may have been repaired meanwhile");
    next.answer(&sent[0], 503);
    assert_eq!(next.settle(|_| 503).len(), 1, "it was not");
}

#[test]
fn whoever_waits_for_the_end_of_its_time_is_woken_for_it() {
    let slow = GIVES_UP.replace("initial: 1s, max: 1s", "initial: 1h, max: 1h");
    let mut bench = Bench::new(&slow);
    let _ = bench.push("k", TRACK);
    bench.settle(|_| 503);
    let due = bench.now.instant + Duration::from_mins(1);
    assert_eq!(bench.pipeline.wake_at(bench.now), Some(due));
    bench.pass(Duration::from_millis(60_001));
    let wake = bench.pipeline.wake_at(bench.now).expect("it has just passed");
    assert!(wake <= bench.now.instant);
    assert_eq!(bench.settle(|_| 503).len(), 1);
    assert_eq!(bench.pipeline.wake_at(bench.now), None, "there is nothing left");
}

#[test]
fn the_events_of_a_batch_expire_one_after_the_other() {
    let batched =
        GIVES_UP.replace("delivery:", "batch: { max_events: 4, max_delay: 0s }, delivery:");
    let mut bench = Bench::new(&batched);
    let mut letters = Vec::new();
    for second in 0..100 {
        if second % 10 == 0 && second <= 40 {
            let _ = bench.push_of(bench.now.unix_ms, "k", TRACK);
        }
        letters.extend(bench.settle(|_| 503).iter().map(|_| second));
        bench.pass(Duration::from_secs(1));
    }
    assert_eq!(letters, [60, 70, 80, 90]);
    let mut last = Vec::new();
    bench.settle_for(2, |attempt| {
        last.push(attempt.events);
        200
    });
    assert_eq!(last, [1]);
}

#[test]
fn a_backlog_behind_a_dead_endpoint_is_read_again_as_it_comes_due() {
    const RECORDS: i64 = 5_000;
    let mut bench = Bench::new(&beside_another());
    let mut letters = with_a_backlog(&mut bench, RECORDS);
    assert_eq!(bench.pipeline.actions_behind().collect::<Vec<_>>(), [ActionId(0)]);
    let (mut most, mut slices, mut probes) = (0, 0, 0);
    let end = bench.now.unix_ms + 2 * MINUTE;
    while bench.now.unix_ms < end {
        let mut read = Vec::new();
        while let Some(from) = bench.pipeline.begin_slice(bench.now) {
            assert!(!read.contains(&from), "{from} is read over and over");
            read.push(from);
            let mut offset = from.0;
            while bench.read_again_of(10 * offset, offset, "k", TRACK) == Appetite::More {
                offset += 1;
            }
            bench.pipeline.end_slice();
            slices += 1;
            letters += bench
                .settle(|_| {
                    probes += 1;
                    503
                })
                .len();
            most = most.max(bench.pipeline.held_bytes());
        }
        letters += bench
            .settle(|_| {
                probes += 1;
                503
            })
            .len();
        let wakes = bench.pipeline.wake_at(bench.now);
        assert!(bench.pipeline.is_empty() || wakes.is_some_and(|at| at > bench.now.instant));
        bench.pass(Duration::from_millis(100));
    }
    assert_eq!(i64::try_from(letters), Ok(RECORDS), "{slices} slices");
    assert_eq!(bench.pipeline.position(), Some(Position(RECORDS)));
    assert!(most < 200_000, "{most} bytes");
    assert!(slices < RECORDS, "{slices} slices");
    assert!(probes > 10, "{probes} probes");
}

#[test]
fn a_backlog_that_is_given_up_stops_expiring_when_its_endpoint_is_well_again() {
    let mut bench = Bench::new(&beside_another());
    let letters = with_a_backlog(&mut bench, 3_000);
    bench.pass(Duration::from_hours(1));
    let (mut expired, mut accepted) = (letters, 0);
    // All of it is over: whatever is read expires at once. One probe a second still goes.
    for second in 0..3_000 {
        if let Some(from) = bench.pipeline.begin_slice(bench.now) {
            let mut offset = from.0;
            while offset < 3_000
                && bench.read_again_of(10 * offset, offset, "k", TRACK) == Appetite::More
            {
                offset += 1;
            }
            bench.pipeline.end_slice();
        }
        expired += bench
            .settle(|_| {
                if second < 2 {
                    503
                } else {
                    accepted += 1;
                    200
                }
            })
            .len();
        bench.pass(Duration::from_secs(1));
    }
    assert_eq!(expired + accepted, 3_000);
    assert!(accepted > 1_000, "{accepted} accepted, {expired} given up");
}

#[test]
fn a_lane_without_room_for_its_next_event_is_not_read_for_over_and_over() {
    let mut bench = Bench::new(&beside_another());
    with_a_backlog(&mut bench, 1_000);
    bench.pass(Duration::from_hours(1));
    let place = bench.pipeline.begin_slice(bench.now).expect("its time is over");
    // Young events, so that they stay, and one that does not fit beside them.
    let young = bench.now.unix_ms;
    let large = format!(r#"{{"type":"track","x":"{}"}}"#, "x".repeat(2_000));
    bench.pipeline.allow(2_000);
    bench.read_again_of(young, place.0, "k", TRACK);
    bench.read_again_of(young, place.0 + 1, "k", &large);
    bench.pipeline.end_slice();
    bench.settle(down);
    for _ in 0..3 {
        let Some(from) = bench.pipeline.begin_slice(bench.now) else { return };
        bench.read_again_of(young, from.0, "k", &large);
        bench.pipeline.end_slice();
        bench.settle(down);
    }
    panic!("{:?} is read over and over", bench.pipeline.begin_slice(bench.now));
}

#[test]
fn an_event_that_is_overtaken_expires_only_once_that_is_decided() {
    let batched = GIVES_UP.replace("delivery:", "batch: { max_events: 1 }, delivery:");
    let mut bench = Bench::new(&batched);
    for number in 0..3 {
        let _ = bench.push("k", &format!(r#"{{"type":"track","n":{number}}}"#));
    }
    let mut overtaker = None;
    for _ in 0..30 {
        for attempt in bench.sent() {
            if body(&attempt).contains(r#""n":0"#) {
                bench.answer(&attempt, 503);
            } else {
                overtaker = Some(attempt);
            }
        }
        if overtaker.is_some() {
            break;
        }
        bench.pass(Duration::from_secs(1));
    }
    bench.pass(Duration::from_hours(1));
    assert!(bench.settle(|_| 503).is_empty());
    bench.answer(&overtaker.expect("it was sent"), 503);
    assert_eq!(bench.settle(|_| 503).len(), 3);
    assert_eq!(bench.pipeline.position(), Some(Position(3)));
}

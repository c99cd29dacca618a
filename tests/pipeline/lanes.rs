//! What becomes of lanes when one of them cannot send, and when the partition changes hands.

use std::time::Duration;

use hookcast::pipeline::Appetite;
use hookcast::plan::ActionId;
use hookcast::record::{Offset, Position};

use crate::bench::{Bench, TRACK};

#[test]
fn a_drain_awaits_what_is_in_flight_and_begins_nothing() {
    let mut bench = Bench::new(
        "      a: { trigger: 'true', url: 'http://127.0.0.1/', delivery: { concurrency: 2 } }\n",
    );
    for key in ["a", "a", "b", "c"] {
        let _ = bench.push(key, TRACK);
    }
    let sent = bench.sent();
    assert_eq!(sent.len(), 2, "offset 0 of key a, and offset 2 of key b");
    bench.pipeline.drain();
    assert!(!bench.pipeline.wants_record() && !bench.pipeline.is_drained());
    bench.answer(&sent[1], 200);
    bench.answer(&sent[0], 503);
    assert!(bench.sent().is_empty(), "nothing is begun, and nothing is begun again");
    assert!(bench.pipeline.is_drained());
    let progress = bench.pipeline.progress().expect("something was read");
    assert_eq!((progress.position, progress.start), (Position(0), Position(0)));
    let [lane] = &progress.lanes[..] else { panic!("one lane has settled something") };
    let unsettled: Vec<_> = lane.unsettled.iter().collect();
    assert_eq!(unsettled, [(Offset(0), Position(2))]);
    assert_eq!(lane.settled_below, Position(3), "nothing above is settled");
}

#[test]
fn what_was_settled_is_not_sent_again_by_the_next_owner() {
    let actions = "      a: { trigger: 'true', url: 'http://127.0.0.1/' }\n";
    let mut bench = Bench::new(actions);
    for key in ["a", "b", "c", "d"] {
        let _ = bench.push(key, TRACK);
    }
    let sent = bench.sent();
    bench.answer(&sent[1], 200);
    bench.answer(&sent[3], 200);
    let mut next = bench.handed_over(actions);
    assert_eq!(next.pipeline.reads_at(), Some(Position(0)));
    let first = ["a", "b", "c", "d", "e"].map(|key| {
        let _ = next.push(key, TRACK);
        next.sent().len()
    });
    assert_eq!(first, [1, 0, 1, 0, 1]);
}

#[test]
fn a_paused_action_holds_the_position_and_neither_a_drain_nor_others() {
    let mut bench = Bench::new(
        "      a: { trigger: 'true', url: 'http://127.0.0.1/', paused: true, \
         delivery: { concurrency: 1 } }\n\
         \x20     b: { trigger: 'true', url: 'http://127.0.0.1/' }\n",
    );
    for _ in 0..1000 {
        assert!(bench.pipeline.wants_record(), "{} records", bench.next);
        let _ = bench.push("k", TRACK);
        for attempt in bench.sent() {
            bench.answer(&attempt, 200);
        }
    }
    assert_eq!(bench.pipeline.actions_behind().collect::<Vec<_>>(), [ActionId(0)]);
    assert!(bench.pipeline.held_bytes() < 10_000, "one event stays in memory");
    assert_eq!(bench.pipeline.begin_slice(bench.now), None, "it could not send what is read again");
    bench.pipeline.drain();
    assert!(bench.pipeline.is_drained());
    let progress = bench.pipeline.progress().expect("something was read");
    assert_eq!((progress.position, progress.start), (Position(0), Position(1000)));
}

#[test]
fn a_lane_that_falls_behind_keeps_what_it_has_attempted_and_reads_the_rest_again() {
    let actions = "      a: { trigger: 'true', url: 'http://127.0.0.1/a', \
         delivery: { concurrency: 1 } }\n\
         \x20     b: { trigger: 'true', url: 'http://127.0.0.1/b' }\n";
    let mut bench = Bench::new(actions);
    let mut held_up = None;
    while bench.pipeline.actions_behind().next().is_none() {
        if bench.pipeline.wants_record() {
            let _ = bench.push("k", TRACK);
        }
        for attempt in bench.sent() {
            if attempt.ticket.lane.action == ActionId(0) {
                held_up = Some(attempt);
            } else {
                bench.answer(&attempt, 200);
            }
        }
        bench.now.instant += Duration::from_millis(10);
    }
    assert!(bench.pipeline.wants_record(), "the reader goes on without it");
    assert_eq!(bench.pipeline.position(), Some(Position(0)));
    // The rest is read again from behind what is in flight, once.
    let place = bench.pipeline.begin_slice(bench.now).expect("it has room again");
    assert_eq!(place, Position(1));
    bench.answer(&held_up.expect("it has sent something"), 200);
    let end = bench.next;
    for offset in 1..end {
        let appetite = bench.read_again(offset, "k", TRACK);
        for attempt in bench.sent() {
            bench.answer(&attempt, 200);
        }
        assert_eq!(appetite == Appetite::Enough, offset == end - 1, "{offset}");
    }
    bench.pipeline.end_slice();
    assert_eq!(bench.pipeline.actions_behind().next(), None, "it is level again");
    assert_eq!(bench.pipeline.position(), Some(Position(end)));
}

#[test]
fn a_lane_alone_is_waited_for() {
    let mut bench = Bench::new(
        "      a: { trigger: 'true', url: 'http://127.0.0.1/a', delivery: { concurrency: 1 } }\n",
    );
    while bench.pipeline.wants_record() {
        let _ = bench.push("k", TRACK);
        bench.sent();
    }
    bench.now.instant += Duration::from_hours(1);
    assert!(bench.sent().is_empty());
    assert!(!bench.pipeline.wants_record(), "nobody suffers from it");
}

#[test]
fn what_is_told_of_an_unknown_action_is_kept_and_holds_the_position() {
    let both = "      a: { trigger: 'true', url: 'http://127.0.0.1/a', paused: true, \
         delivery: { concurrency: 1 } }\n\
         \x20     b: { trigger: 'true', url: 'http://127.0.0.1/b' }\n";
    let mut bench = Bench::new(both);
    while bench.pipeline.actions_behind().next().is_none() {
        let _ = bench.push("k", TRACK);
        for attempt in bench.sent() {
            bench.answer(&attempt, 200);
        }
    }
    let end = bench.next;
    let mut other = bench.handed_over("      b: { trigger: 'true', url: 'http://127.0.0.1/b' }\n");
    assert_eq!(other.next, end, "b has settled everything");
    let _ = other.push("k", TRACK);
    let sent = other.sent();
    other.answer(&sent[0], 200);
    assert_eq!(other.pipeline.position(), Some(Position(0)), "a owes it");
    // A new owner that knows it delivers what it owes.
    let mut again = other.handed_over(&both.replace(", paused: true", ""));
    assert_eq!(again.next, end + 1);
    assert_eq!(again.pipeline.begin_slice(again.now), Some(Position(0)));
    again.read_again(0, "k", TRACK);
    assert_eq!(again.sent().len(), 1);
}

#[test]
fn an_unknown_action_does_not_hold_the_position_for_ever() {
    let both = "      a: { trigger: 'true', url: 'http://127.0.0.1/a', paused: true, \
         delivery: { concurrency: 1 } }\n\
         \x20     b: { trigger: 'true', url: 'http://127.0.0.1/b' }\n";
    let mut bench = Bench::new(both);
    while bench.pipeline.actions_behind().next().is_none() {
        let _ = bench.push("k", TRACK);
        for attempt in bench.sent() {
            bench.answer(&attempt, 200);
        }
    }
    let end = bench.next;
    let mut other = bench.handed_over("      b: { trigger: 'true', url: 'http://127.0.0.1/b' }\n");
    assert!(other.sent().is_empty());
    other.now.instant += Duration::from_hours(3);
    assert!(other.sent().is_empty());
    assert_eq!(other.pipeline.position(), Some(Position(0)));
    other.now.instant += Duration::from_hours(1);
    assert!(other.sent().is_empty());
    assert_eq!(other.pipeline.position(), Some(Position(end)), "it is forgotten");
}

#[test]
fn what_could_go_and_was_not_begun_is_idle_and_what_waits_is_not() {
    let mut bench = Bench::new(
        "      a: { trigger: 'true', url: 'http://127.0.0.1/a' }\n\
         \x20     b: { trigger: 'true', url: 'http://127.0.0.1/b', batch: true }\n\
         \x20     c: { trigger: 'true', url: 'http://127.0.0.1/c', paused: true }\n",
    );
    assert!(!bench.pipeline.idles(bench.now), "there is nothing to do");
    let _ = bench.push("k", TRACK);
    assert!(bench.pipeline.idles(bench.now), "a could send");
    let sent = bench.sent();
    assert!(!bench.pipeline.idles(bench.now), "a waits for its answer, b for company, c for ever");
    bench.answer(&sent[0], 503);
    assert!(bench.sent().is_empty());
    assert!(!bench.pipeline.idles(bench.now), "it backs off");
    bench.now.instant += Duration::from_mins(1);
    assert!(bench.pipeline.idles(bench.now), "it has backed off, and b has waited for long enough");
    assert_eq!(bench.sent().len(), 2);
    assert!(!bench.pipeline.idles(bench.now));
    bench.pipeline.drain();
    assert!(!bench.pipeline.idles(bench.now), "a drain begins nothing");
}

//! Events that keep failing where others are accepted: they are set aside.

use std::time::Duration;

use hookcast::lane::Attempt;
use hookcast::record::Position;

use crate::bench::{Bench, body};

/// One request an event.
const SINGLE: &str = "      a: { trigger: 'true', url: 'http://127.0.0.1/a', delivery: \
                      { retry: { initial: 1s, max: 1s, give_up_after: 1m } } }\n";

fn batched() -> String {
    SINGLE.replace("delivery:", "batch: { max_events: 4, max_delay: 0s }, delivery:")
}

fn unordered(actions: &str) -> String {
    actions.replace("delivery: {", "delivery: { order: none,")
}

fn event(number: usize) -> String {
    format!(r#"{{"type":"track","n":{number}}}"#)
}

fn has(attempt: &Attempt, number: usize) -> bool {
    body(attempt).contains(&event(number))
}

/// The event with the number 0 is never accepted, and all others are.
fn poison(attempt: &Attempt) -> u16 {
    if has(attempt, 0) { 500 } else { 200 }
}

/// Notes the numbers of what is accepted, and answers like `answer`.
fn noting<'a>(
    accepted: &'a mut Vec<usize>,
    answer: impl Fn(&Attempt) -> u16 + 'a,
) -> impl FnMut(&Attempt) -> u16 + 'a {
    move |attempt| {
        let status = answer(attempt);
        if status == 200 {
            accepted.extend((0..100).filter(|number| has(attempt, *number)));
        }
        status
    }
}

/// A lane of single events whose first one is set aside, and another with its key waits.
fn with_one_aside() -> Bench {
    let mut bench = Bench::new(SINGLE);
    let _ = bench.push("poison", &event(0));
    let _ = bench.push("poison", &event(1));
    for number in 2..5 {
        let _ = bench.push("other", &event(number));
        let letters = bench.settle_for(1, poison);
        assert!(letters.is_empty());
    }
    assert_eq!(bench.aside(), 1);
    bench
}

#[test]
fn what_has_the_key_of_an_event_that_is_set_aside_waits_and_goes_on_at_once_when_it_is_accepted() {
    let mut bench = with_one_aside();
    let mut accepted = Vec::new();
    bench.settle_for(10, noting(&mut accepted, poison));
    assert!(accepted.is_empty(), "its successor does not overtake it");
    bench.settle(noting(&mut accepted, |_| 200));
    assert_eq!(accepted, [0, 1]);
    assert_eq!((bench.aside(), bench.pipeline.position()), (0, Some(Position(5))));
}

#[test]
fn what_was_set_aside_does_not_count_against_its_endpoint() {
    let mut bench = with_one_aside();
    bench.settle_for(30, poison);
    // An endpoint that is down would get one probe at a time.
    let keys = ["a", "b", "c"];
    for (number, key) in (10..).zip(keys) {
        let _ = bench.push(key, &event(number));
    }
    let together = bench.sent().iter().filter(|attempt| !has(attempt, 0)).count();
    assert_eq!(together, keys.len());
}

#[test]
fn what_was_set_aside_expires_by_its_own_clock_and_its_successors_do_not() {
    let mut bench = with_one_aside();
    let letters = bench.settle_for(58, poison);
    assert_eq!(letters.len(), 1);
    assert!(String::from_utf8_lossy(letters[0].value.as_deref().expect("a value")).contains('0'));
    assert_eq!((bench.aside(), bench.pipeline.position()), (0, Some(Position(5))));
}

#[test]
fn a_batched_lane_goes_on_without_what_was_set_aside() {
    // Another lane of the endpoint shows that it is well.
    let mut bench = Bench::new(&batched());
    let mut other = bench.beside(1, &batched());
    let mut accepted = Vec::new();
    for number in 0..12 {
        let _ = bench.push("k", &event(number));
    }
    for _ in 0..20 {
        let _ = other.push("k", &event(99));
        other.settle_for(1, |_| 200);
        let letters = bench.settle_for(1, noting(&mut accepted, poison));
        assert!(letters.is_empty());
    }
    assert_eq!(accepted, (1..12).collect::<Vec<_>>(), "in their order");
    assert_eq!((bench.aside(), bench.pipeline.position()), (1, Some(Position(0))));
    let letters = bench.settle_for(60, poison);
    assert_eq!((letters.len(), bench.aside()), (1, 0));
    assert_eq!(bench.pipeline.position(), Some(Position(12)));
}

#[test]
fn in_a_lone_batched_lane_the_acceptance_of_the_next_event_sets_the_first_aside() {
    let mut bench = Bench::new(&batched());
    let mut accepted = Vec::new();
    for number in 0..12 {
        let _ = bench.push("k", &event(number));
    }
    let letters = bench.settle_for(30, noting(&mut accepted, poison));
    assert!(letters.is_empty());
    assert_eq!(accepted, (1..12).collect::<Vec<_>>(), "in their order");
    assert_eq!(bench.aside(), 1);
    bench.settle_for(2, noting(&mut accepted, |_| 200));
    assert_eq!((bench.aside(), bench.pipeline.position()), (0, Some(Position(12))));
}

#[test]
fn what_waits_for_company_behind_an_event_that_fails_may_overtake_it_too() {
    let mut bench = Bench::new(&batched());
    let _ = bench.push("k", &event(0));
    bench.settle(poison);
    let _ = bench.push("k", &event(1));
    let mut accepted = Vec::new();
    bench.settle_for(30, noting(&mut accepted, poison));
    assert_eq!((accepted, bench.aside()), (vec![1], 1));
}

#[test]
fn without_order_nothing_waits_for_what_was_set_aside() {
    for actions in [unordered(SINGLE), unordered(&batched())] {
        let mut bench = Bench::new(&actions);
        let mut accepted = Vec::new();
        for number in 0..12 {
            let _ = bench.push("k", &event(number));
        }
        for number in 12..40 {
            let _ = bench.push("k", &event(number));
            let letters = bench.settle_for(1, noting(&mut accepted, poison));
            assert!(letters.is_empty());
        }
        accepted.sort_unstable();
        assert_eq!(accepted, (1..40).collect::<Vec<_>>());
        assert_eq!(bench.aside(), 1);
        assert_eq!(bench.settle_for(60, poison).len(), 1);
        assert_eq!((bench.aside(), bench.pipeline.position()), (0, Some(Position(40))));
    }
}

#[test]
fn what_was_set_aside_and_is_all_that_is_left_is_retried_until_it_expires() {
    let mut bench = with_one_aside();
    bench.settle_for(2, |attempt| if has(attempt, 1) { 200 } else { poison(attempt) });
    let mut attempts = 0;
    for _ in 0..20 {
        bench.settle(|_| {
            attempts += 1;
            500
        });
        let wakes = bench.pipeline.wake_at(bench.now).expect("it is tried again");
        assert!(wakes > bench.now.instant, "and not at once");
        bench.pass(Duration::from_secs(1));
    }
    assert!((15..=21).contains(&attempts), "{attempts}");
}

#[test]
fn a_hand_over_keeps_the_clock_of_what_was_set_aside() {
    let mut bench = with_one_aside();
    bench.settle_for(40, poison);
    let mut next = bench.handed_over(SINGLE);
    for number in 0..2 {
        let _ = next.push("poison", &event(number));
    }
    let mut letters = Vec::new();
    for number in 5..25 {
        let _ = next.push("other", &event(number));
        letters.extend(next.settle_for(1, poison));
    }
    assert_eq!(letters.len(), 1, "it has failed for a minute in all");
}

#[test]
fn a_hand_over_keeps_the_clock_of_what_is_all_that_is_left() {
    // What shows that the endpoint is well is another partition's.
    let mut bench = Bench::new(SINGLE);
    let mut other = bench.beside(1, SINGLE);
    let _ = bench.push("poison", &event(0));
    for number in 5..50 {
        let _ = other.push("k", &event(number));
        other.settle_for(1, |_| 200);
        assert!(bench.settle_for(1, poison).is_empty());
    }
    assert_eq!(bench.aside(), 1);
    let mut next = bench.handed_over(SINGLE);
    let mut other = next.beside(1, SINGLE);
    let _ = next.push("poison", &event(0));
    let mut letters = Vec::new();
    for number in 50..70 {
        let _ = other.push("k", &event(number));
        other.settle_for(1, |_| 200);
        letters.extend(next.settle_for(1, poison));
    }
    assert_eq!(letters.len(), 1, "it has failed for more than a minute in all");
}

#[test]
fn a_hand_over_keeps_the_clock_of_what_was_overtaken() {
    let mut bench = Bench::new(&batched());
    let mut accepted = Vec::new();
    let fill = |bench: &mut Bench, from: usize| {
        for number in from..from + 4 {
            let _ = bench.push("k", &event(number));
        }
    };
    fill(&mut bench, 0);
    for second in 0..45 {
        if second % 4 == 0 && bench.aside() > 0 && second < 40 {
            fill(&mut bench, 10 + second);
        }
        assert!(bench.settle_for(1, noting(&mut accepted, poison)).is_empty());
    }
    assert_eq!(bench.aside(), 1);
    let (mut next, mut number) = (bench.handed_over(&batched()), 60);
    let mut letters = Vec::new();
    let _ = next.push("k", &event(0));
    for _ in 0..40 {
        let _ = next.push("k", &event(number));
        number += 1;
        letters.extend(next.settle_for(1, poison));
    }
    assert_eq!(letters.len(), 1, "it has failed for more than a minute in all");
}

#[test]
fn only_what_has_failed_alone_is_overtaken() {
    // Whichever probe was the last one before the first event expires.
    for seconds in [57, 58, 59] {
        let mut bench = Bench::new(&batched().replace("1m", &format!("{seconds}s")));
        for number in 0..4 {
            let _ = bench.push("k", &event(number));
        }
        bench.settle_for(10, |_| 503);
        for number in 4..16 {
            let _ = bench.push_of(bench.now.unix_ms, "k", &event(number));
        }
        for _ in 0..100 {
            if !bench.settle(|_| 503).is_empty() {
                break;
            }
            bench.pass(Duration::from_secs(1));
        }
        // What comes next has never been tried, and now the endpoint is well again.
        let mut accepted = Vec::new();
        bench.settle_for(5, noting(&mut accepted, |_| 200));
        assert_eq!(accepted, (4..16).collect::<Vec<_>>(), "in their order");
    }
}

#[test]
fn while_one_target_is_overtaken_no_other_one_is() {
    let url = "{ '@template': 'http://127.0.0.1/{{t}}' }";
    let actions = batched().replace("'http://127.0.0.1/a'", url);
    let mut bench = Bench::new(&actions);
    let push = |bench: &mut Bench, target: &str, number: usize| {
        let _ = bench.push("k", &format!(r#"{{"type":"track","t":"{target}","n":{number}}}"#));
    };
    let is_of =
        |attempt: &Attempt, number: usize| body(attempt).contains(&format!(r#""n":{number}}}"#));
    push(&mut bench, "x", 0);
    push(&mut bench, "y", 10);
    let mut sent = bench.sent();
    let (early, mut overtaker) = (sent.remove(1), None);
    bench.answer(&sent[0], 503);
    (1..3).for_each(|number| push(&mut bench, "x", number));
    for _ in 0..30 {
        for attempt in bench.sent() {
            if is_of(&attempt, 0) {
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
    // Its answer is still awaited when the endpoint closes, and opens for the second time.
    bench.answer(&early, 200);
    (11..14).for_each(|number| push(&mut bench, "y", number));
    for _ in 0..15 {
        bench.settle(|_| 503);
        bench.pass(Duration::from_secs(1));
    }
    bench.answer(&overtaker.expect("it was sent"), 503);
    let mut accepted = Vec::new();
    for _ in 0..30 {
        let sent = bench.sent();
        let of_x = sent.iter().filter(|attempt| (0..3).any(|number| is_of(attempt, number)));
        assert!(of_x.count() <= 1, "one of a target at a time");
        for attempt in sent {
            accepted.extend((0..3).filter(|number| is_of(&attempt, *number)));
            bench.answer(&attempt, 200);
        }
        bench.pass(Duration::from_secs(1));
    }
    assert_eq!(accepted, [0, 1, 2]);
}

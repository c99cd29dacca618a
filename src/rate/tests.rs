//! What is true of a limit whoever asks, and that everybody gets his turn.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{RateLimit, Turn};

/// As many requests as possible for `span`, by somebody who sleeps as he is told: the times
/// of all of them, and how often he came in vain.
fn greedy(limit: &Arc<RateLimit>, begin: Instant, span: Duration) -> (Vec<Instant>, usize) {
    let mut now = begin;
    let (mut taken, mut in_vain) = (Vec::new(), 0);
    let mut turn = limit.turn();
    while now < begin + span {
        match go(&mut turn, now) {
            Ok(()) => taken.push(now),
            Err(at) => {
                assert!(at > now, "a time that has passed keeps him busy for nothing");
                in_vain += 1;
                now = at;
            }
        }
    }
    (taken, in_vain)
}

/// Makes a request, if that is allowed.
fn go(turn: &mut Turn, now: Instant) -> Result<(), Instant> {
    turn.take(now).inspect(|()| turn.went())
}

/// Whether somebody who has just come may make a request.
fn may_go(limit: &Arc<RateLimit>, now: Instant) -> bool {
    go(&mut limit.turn(), now).is_ok()
}

fn of_share(per_second: f64, share: f64, now: Instant) -> Arc<RateLimit> {
    let limit = Arc::new(RateLimit::new(per_second));
    limit.set_share(share, now);
    limit
}

#[test]
fn an_hour_has_as_many_requests_as_the_rate_says() {
    let begin = Instant::now();
    for (rate, share, expected) in
        [(3.0, 1.0, 10_800), (7.0, 1.0 / 3.0, 8_400), (0.5, 1.0, 1_800), (0.1, 0.25, 90)]
    {
        let limit = of_share(rate, share, begin);
        let (taken, _) = greedy(&limit, begin, Duration::from_hours(1));
        assert!(taken.len().abs_diff(expected) <= 1, "{rate}/s × {share}: {}", taken.len());
    }
}

#[test]
fn no_span_has_more_than_its_due_and_a_second_of_burst() {
    let begin = Instant::now();
    let (rate, burst) = (10.0, 10.0);
    let limit = of_share(rate, 1.0, begin);
    let mut taken = Vec::new();
    // Busy and idle in turns, so that the bucket fills up.
    for turn in 0..50_u64 {
        let at = begin + Duration::from_millis(turn * 3_700);
        taken.extend(greedy(&limit, at, Duration::from_millis(700 + turn * 60)).0);
    }
    for (first, from) in taken.iter().enumerate() {
        for (count, to) in taken[first..].iter().enumerate() {
            #[allow(clippy::cast_precision_loss, reason = "it is a small number")]
            let count = (count + 1) as f64;
            let due = rate * to.duration_since(*from).as_secs_f64() + burst;
            assert!(count <= due + 1e-6, "{count} where {due} are allowed");
        }
    }
    assert!(taken.len() > 1_400, "it hardly ever went: {}", taken.len());
}

#[test]
fn what_was_not_used_may_be_used_at_once_up_to_a_second_of_it() {
    let begin = Instant::now();
    let limit = of_share(5.0, 1.0, begin);
    let at_once = |now| (0..100).take_while(|_| may_go(&limit, now)).count();
    assert_eq!(at_once(begin), 1, "not at first");
    assert_eq!(at_once(begin + Duration::from_mins(1)), 5);
    assert_eq!(at_once(begin + Duration::from_mins(1)), 0);
}

#[test]
fn who_sleeps_as_told_does_not_come_in_vain_a_second_time() {
    let begin = Instant::now();
    let limit = of_share(7.0, 1.0, begin);
    let (taken, in_vain) = greedy(&limit, begin, Duration::from_mins(10));
    assert!(in_vain <= taken.len() * 101 / 100, "{in_vain} times for {}", taken.len());
}

#[test]
fn a_share_is_in_force_from_its_moment_on() {
    let begin = Instant::now();
    let limit = of_share(100.0, 0.1, begin);
    let (few, _) = greedy(&limit, begin, Duration::from_secs(100));
    limit.set_share(0.5, begin + Duration::from_secs(100));
    let (many, _) = greedy(&limit, begin + Duration::from_secs(100), Duration::from_secs(100));
    assert!(few.len().abs_diff(1_000) <= 1, "{}", few.len());
    assert!(many.len().abs_diff(5_000) <= 1, "{}", many.len());
    // The smaller share's burst is the smaller one at once.
    let later = begin + Duration::from_secs(1_000);
    limit.set_share(0.02, later);
    assert_eq!((0..100).take_while(|_| may_go(&limit, later)).count(), 2);
}

#[test]
fn without_a_share_nothing_goes_and_a_new_one_is_seen_within_a_second() {
    let begin = Instant::now();
    let limit = Arc::new(RateLimit::new(100.0));
    let (mut turn, later) = (limit.turn(), begin + Duration::from_secs(1));
    assert_eq!(go(&mut turn, begin), Err(later));
    limit.set_share(1.0, later);
    assert_eq!(go(&mut turn, later), Ok(()));
}

#[test]
fn a_clock_that_seems_to_go_back_earns_nothing_twice() {
    let begin = Instant::now();
    let limit = of_share(1.0, 1.0, begin);
    let later = begin + Duration::from_secs(1);
    assert!(may_go(&limit, begin) && may_go(&limit, later));
    assert!(!may_go(&limit, begin) && !may_go(&limit, later));
}

#[test]
fn everybody_gets_his_turn_and_the_order_is_that_of_coming() {
    let begin = Instant::now();
    // Slower and faster than one request a second: the bucket holds one, and several.
    for rate in [0.5, 3.0, 40.0] {
        let limit = of_share(rate, 1.0, begin);
        let mut lanes: Vec<_> = (0..10).map(|_| (limit.turn(), begin, 0_u32)).collect();
        let end = begin + Duration::from_secs_f64(1_000.0 / rate);
        loop {
            let next = lanes.iter().map(|(_, at, _)| *at).min().expect("there are lanes");
            if next > end {
                break;
            }
            // The last ones wake first, and one is always late.
            let due = lanes.iter_mut().enumerate().rev().filter(|(_, (_, at, _))| *at <= next);
            for (index, (turn, at, went)) in due {
                let late = Duration::from_millis(if index == 3 { 2 } else { 0 });
                match go(turn, next) {
                    Ok(()) => *went += 1,
                    Err(told) => *at = told + late,
                }
            }
        }
        let went: Vec<_> = lanes.iter().map(|(_, _, went)| *went).collect();
        let (least, most) = (went.iter().min(), went.iter().max());
        assert!(least.zip(most).is_some_and(|(least, most)| most - least <= 3), "{rate}: {went:?}");
        let all: u32 = went.iter().sum();
        assert!((960..=1_050).contains(&all), "{rate}: {all}");
    }
}

#[test]
fn who_waits_elsewhere_stops_nobody_and_goes_first_when_he_comes_again() {
    let begin = Instant::now();
    let limit = of_share(1.0, 1.0, begin);
    let (mut first, mut second, mut third) = (limit.turn(), limit.turn(), limit.turn());
    assert_eq!(first.take(begin), Ok(()));
    first.give_back();
    assert_eq!(go(&mut second, begin), Ok(()), "the token is there again, and no line");
    let told = third.take(begin).expect_err("there is none left");
    let at = first.take(begin).expect_err("there is none left");
    assert!(at <= told, "he came before");
    let at = at.max(told);
    assert!(third.take(at).is_err(), "it is the first one's");
    assert_eq!(go(&mut first, at), Ok(()));
    // Who leaves makes room at once.
    let later = third.take(at).expect_err("there is none left");
    let _ = first.take(at);
    third.leave();
    assert_eq!(go(&mut first, later), Ok(()));
}

#[test]
fn who_is_gone_is_not_waited_for() {
    let begin = Instant::now();
    let limit = of_share(1.0, 1.0, begin);
    assert!(may_go(&limit, begin));
    let mut gone = limit.turn();
    let mut other = limit.turn();
    assert!(gone.take(begin).is_err());
    let at = other.take(begin).expect_err("he comes after that one");
    assert!(!limit.could_go(begin + Duration::from_secs(1)), "that token is spoken for");
    drop(gone);
    assert_eq!(go(&mut other, at), Ok(()));
}

//! What becomes of events while their action may make so many requests a second.

use std::time::Duration;

use hookcast::pipeline::Pipeline;
use hookcast::rate::Known;
use hookcast::record::{Offset, TopicPartition};

use crate::bench::{Bench, TRACK, plan};

const LIMITED: &str = "      a: { trigger: 'true', url: 'http://127.0.0.1/', \
                       delivery: { rate_limit: 2/s, concurrency: 4 } }\n";
const SECOND: Duration = Duration::from_secs(1);

/// This member holds `held` of four partitions.
fn hold(bench: &Bench, actions: &str, held: usize) {
    let held = [("t".into(), held)].into();
    let all = Some([("t".into(), 4)].into());
    bench.gates().take_shares(&plan(actions), &Known { held, all }, bench.now.instant);
}

#[test]
fn requests_go_when_the_limit_allows_them_and_the_lane_knows_when() {
    let mut bench = Bench::new(LIMITED);
    for key in ["a", "b", "c", "d"] {
        let _ = bench.push(key, TRACK);
    }
    assert!(bench.sent().is_empty(), "nobody knows yet how much is this member's");
    hold(&bench, LIMITED, 4);
    assert_eq!(bench.sent().len(), 1);
    let at = bench.pipeline.wake_at(bench.now).expect("it waits for a time");
    assert!(at > bench.now.instant && at <= bench.now.instant + SECOND);
    bench.now.instant = at;
    assert_eq!(bench.sent().len(), 1);
    bench.now.instant += 10 * SECOND;
    assert_eq!(bench.sent().len(), 2, "and no more than there are");
    assert!(!bench.pipeline.idles(bench.now));
}

#[test]
fn a_member_has_the_part_of_a_limit_that_it_has_of_the_partitions() {
    let mut bench = Bench::new(LIMITED);
    hold(&bench, LIMITED, 2);
    let mut requests = 0;
    for second in 0..60 {
        let _ = bench.push(&second.to_string(), TRACK);
        let _ = bench.push(&(second + 100).to_string(), TRACK);
        for attempt in bench.sent() {
            requests += 1;
            bench.answer(&attempt, 200);
        }
        bench.now.instant += SECOND;
    }
    assert_eq!(requests, 60, "one a second, of two");
}

#[test]
fn what_is_tried_again_and_the_halves_of_a_batch_count_as_requests() {
    let actions = "      a: { trigger: 'true', url: 'http://127.0.0.1/', batch: { max_delay: 0s }, \
                   delivery: { rate_limit: 1/s, retry: { initial: 1ms, max: 1ms } } }\n";
    let mut bench = Bench::new(actions);
    hold(&bench, actions, 4);
    let _ = bench.push("a", TRACK);
    let first = bench.sent().remove(0);
    bench.answer(&first, 500);
    for key in ["b", "c"] {
        let _ = bench.push(key, TRACK);
    }
    bench.now.instant += Duration::from_millis(500);
    assert!(bench.sent().is_empty(), "it has waited long enough for itself, and not for the limit");
    bench.now.instant += Duration::from_millis(501);
    let again = bench.sent().remove(0);
    assert_eq!(again.events, 1);
    bench.answer(&again, 200);
    bench.now.instant += SECOND;
    let both = bench.sent().remove(0);
    assert_eq!(both.events, 2);
    bench.answer(&both, 422);
    assert!(bench.sent().is_empty(), "each half is a request of its own");
    for _ in 0..2 {
        bench.now.instant += SECOND;
        let half = bench.sent().remove(0);
        assert_eq!(half.events, 1);
        bench.answer(&half, 200);
    }
}

#[test]
fn partitions_take_turns_whichever_wakes_first() {
    let mut one = Bench::new(LIMITED);
    let other = TopicPartition { topic: "t".into(), partition: 1 };
    hold(&one, LIMITED, 4);
    // In one process both have the same gates.
    let pipeline = Pipeline::new(plan(LIMITED), one.gates(), other.clone(), None);
    let mut other = Bench::reading(other, LIMITED);
    other.pipeline = pipeline;
    other.now = one.now;
    for key in 0..30 {
        let _ = one.push(&key.to_string(), TRACK);
        let _ = other.push(&key.to_string(), TRACK);
    }
    let mut requests = [0, 0];
    for _ in 0..100 {
        // It is always the same one that comes first.
        for (index, bench) in [&mut one, &mut other].into_iter().enumerate() {
            for attempt in bench.sent() {
                requests[index] += 1;
                bench.answer(&attempt, 200);
            }
            bench.now.instant += Duration::from_millis(250);
        }
    }
    assert!(requests.iter().all(|requests| (24..=26).contains(requests)), "{requests:?}");
}

#[test]
fn an_origin_that_is_down_keeps_no_other_one_from_what_the_limit_allows() {
    let actions = "      a: { trigger: 'true', url: { '@template': 'http://{{h}}.localhost/' }, \
                   delivery: { rate_limit: 1/s } }\n";
    let mut bench = Bench::new(actions);
    hold(&bench, actions, 4);
    let event = |host: &str| format!(r#"{{"type":"track","h":"{host}"}}"#);
    let mut well = 0;
    for _ in 0..100 {
        bench.now.instant += SECOND;
        let _ = bench.push("k", &event("down"));
        let _ = bench.push("k", &event("well"));
        for attempt in bench.sent() {
            let is_well = attempt.request.target.url.contains("well");
            well += usize::from(is_well);
            bench.answer(&attempt, if is_well { 200 } else { 500 });
        }
    }
    assert!(well > 60, "{well} of 100: the other one waits for its backoff");
}

#[test]
fn a_lane_behind_is_not_read_for_while_its_requests_are_limited() {
    let actions = format!("{LIMITED}      b: {{ trigger: 'true', url: 'http://127.0.0.2/' }}\n");
    let mut bench = Bench::new(&actions);
    hold(&bench, &actions, 4);
    // The other action runs dry, and is not kept waiting for longer than patience lasts.
    let mut now = 0;
    while bench.pipeline.actions_behind().next().is_none() {
        if bench.pipeline.wants_record() {
            let _ = bench.push(&now.to_string(), TRACK);
        }
        now += 1;
        for attempt in bench.sent() {
            if &*attempt.request.target.url == "http://127.0.0.2/" {
                bench.answer(&attempt, 200);
            }
        }
        bench.now.instant += Duration::from_millis(1);
        assert!(now < 10_000, "the reader waits for ever");
    }
    assert!(bench.sent().is_empty());
    assert_eq!(
        bench.pipeline.begin_slice(bench.now),
        None,
        "it holds an event and may not send it"
    );
    bench.now.instant += SECOND;
    let place = bench.pipeline.begin_slice(bench.now).expect("there is a token, and no line");
    assert!(place.is_past(Offset(0)));
}

//! How many requests may be in flight, who goes first, and when everybody waits.

use std::time::Duration;

use super::{Lane, after, begin, gate, heard, with_retry_after};
use crate::gate::{Fault, Heard, Wait};
use crate::verdict::{Outcome, Verdict};

#[test]
fn as_many_requests_as_the_concurrency_are_in_flight_and_no_more() {
    let (gate, now) = (gate(3), begin());
    let mut lane = Lane::at(&gate);
    let mut passes: Vec<_> = (0..3).map(|_| lane.go(now)).collect();
    assert!(passes.iter().all(|pass| pass.probe().is_none()));
    assert_eq!(lane.wait(now), Wait::ForAPlace);
    assert_eq!(gate.could_go(now.instant), Err(Wait::ForAPlace));
    passes.pop();
    assert_eq!((lane.calls(), gate.in_flight()), (1, 2));
    assert_eq!(gate.could_go(now.instant), Ok(()));
    passes.push(lane.go(now));
    assert_eq!(gate.in_flight(), 3);
}

#[test]
fn lanes_that_wait_take_turns_and_nobody_steals_a_turn() {
    let (gate, now) = (gate(1), begin());
    let mut lanes: Vec<_> = (0..3).map(|_| Lane::at(&gate)).collect();
    let mut pass = lanes[0].go(now);
    assert_eq!(lanes[1].wait(now), Wait::ForAPlace);
    assert_eq!(lanes[2].wait(now), Wait::ForAPlace);
    let mut turns = Vec::new();
    for _ in 0..6 {
        let _ = pass.answered(&heard(200), now, 0.0);
        // Whoever has just been answered is always there first.
        let last = turns.last().copied().unwrap_or(0);
        assert_eq!(lanes[last].wait(now), Wait::ForAPlace);
        let called: Vec<_> = (0..3).filter(|lane| lanes[*lane].calls() > 0).collect();
        assert_eq!(called.len(), 1, "one place, one call");
        turns.push(called[0]);
        pass = lanes[called[0]].go(now);
    }
    assert_eq!(turns, [1, 2, 0, 1, 2, 0]);
}

#[test]
fn a_lane_that_is_called_and_leaves_strands_nobody() {
    let (gate, now) = (gate(1), begin());
    let [mut busy, mut fickle, mut gone, mut patient] = [(); 4].map(|()| Lane::at(&gate));
    let pass = busy.go(now);
    for lane in [&mut fickle, &mut gone, &mut patient] {
        assert_eq!(lane.wait(now), Wait::ForAPlace);
    }
    let _ = pass.answered(&heard(200), now, 0.0);
    assert_eq!((fickle.calls(), gone.calls(), patient.calls()), (1, 0, 0));
    fickle.entrance.leave();
    assert_eq!((fickle.calls(), gone.calls(), patient.calls()), (0, 1, 0));
    drop(gone);
    assert_eq!(patient.calls(), 1);
    drop(patient.go(now));
}

#[test]
fn a_throttled_endpoint_gets_half_as_many_requests_once_per_round_trip() {
    let now = begin();
    let timeout = Heard { outcome: Outcome::Timeout, ..heard(500) };
    for too_much in [heard(429), heard(503), timeout] {
        let gate = gate(16);
        let mut lane = Lane::at(&gate);
        let mut passes: Vec<_> = (0..16).map(|_| lane.go(now)).collect();
        for _ in 0..4 {
            let _ = passes.pop().expect("in flight").answered(&too_much, now, 0.0);
        }
        assert_eq!(gate.window(), 8, "{too_much:?}");
        assert_eq!(lane.wait(now), Wait::ForAPlace);
        for _ in 0..5 {
            let _ = passes.pop().expect("in flight").answered(&heard(200), now, 0.0);
        }
        assert_eq!((gate.in_flight(), gate.window()), (7, 8));
        let _ = lane.go(now).answered(&too_much, now, 0.0);
        assert_eq!(gate.window(), 4);
    }
}

#[test]
fn other_answers_leave_the_window_alone() {
    let (gate, now) = (gate(16), begin());
    let mut lane = Lane::at(&gate);
    let of_event = Heard { fault: Fault::Event, ..heard(503) };
    for heard in [heard(500), heard(400), heard(404), of_event, heard(200)] {
        let _ = lane.go(now).answered(&heard, now, 0.0);
        assert_eq!(gate.window(), 16, "{heard:?}");
    }
}

#[test]
fn retry_after_keeps_everybody_away_and_the_longest_counts() {
    let (gate, now) = (gate(8), begin());
    let mut lane = Lane::at(&gate);
    let passes: Vec<_> = (0..3).map(|_| lane.go(now)).collect();
    for (pass, seconds) in passes.into_iter().zip([10, 60, 20]) {
        let _ = pass.answered(&with_retry_after(429, seconds), now, 0.0);
    }
    let until = now.instant + Duration::from_mins(1);
    assert_eq!(lane.wait(now), Wait::Until(until));
    assert_eq!(gate.could_go(now.instant), Err(Wait::Until(until)));
    assert!(!gate.is_open());
    assert!(lane.go(after(now, Duration::from_mins(1))).probe().is_none());
}

#[test]
fn retry_after_is_obeyed_whatever_is_done_about_the_events() {
    let now = begin();
    let refused = Heard { verdict: Verdict::Reject, ..with_retry_after(429, 5) };
    let of_event = Heard { fault: Fault::Event, ..with_retry_after(503, 5) };
    for answer in [refused, of_event] {
        let gate = gate(8);
        let mut lane = Lane::at(&gate);
        let _ = lane.go(now).answered(&answer, now, 0.0);
        assert_eq!(lane.wait(now), Wait::Until(now.instant + Duration::from_secs(5)));
    }
}

#[test]
fn retry_after_lasts_an_hour_at_most() {
    let (gate, now) = (gate(8), begin());
    let mut lane = Lane::at(&gate);
    let _ = lane.go(now).answered(&with_retry_after(503, u64::MAX), now, 0.0);
    assert_eq!(lane.wait(now), Wait::Until(now.instant + Duration::from_hours(1)));
}

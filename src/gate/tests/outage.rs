//! What opens an endpoint, what is tried while it is open, and what closes it.

use std::time::Duration;

use super::{Lane, PROBE_AFTER, after, begin, gate, heard, opened, with_retry_after};
use crate::gate::{Change, Fault, Heard, Wait};
use crate::record::Now;

#[test]
fn only_failures_in_a_row_open_it() {
    let (gate, now) = (gate(1), begin());
    let mut lane = Lane::at(&gate);
    for between in [heard(200), heard(400)] {
        for _ in 0..4 {
            assert_eq!(lane.go(now).answered(&heard(500), now, 0.0), None);
        }
        assert_eq!(lane.go(now).answered(&between, now, 0.0), None);
    }
    // Of an event that was set aside it is known that it fails.
    for _ in 0..20 {
        let of_event = Heard { fault: Fault::Event, ..heard(500) };
        assert_eq!(lane.go(now).answered(&of_event, now, 0.0), None);
    }
    assert_eq!(gate.failing_since(), Some(now.unix_ms), "nothing was accepted after a failure");
}

#[test]
fn an_open_endpoint_gets_one_probe_at_a_time_and_after_its_backoff() {
    let now = begin();
    let (gate, mut lane) = opened(8, now);
    let mut other = Lane::at(&gate);
    let at = after(now, PROBE_AFTER);
    for early in [now, after(now, Duration::from_millis(3_999))] {
        assert_eq!(lane.wait(early), Wait::Until(at.instant));
        assert_eq!(other.wait(early), Wait::Until(at.instant));
    }
    let probe = lane.go(at);
    assert_eq!(probe.probe(), Some(0));
    assert_eq!(other.wait(at), Wait::ForAPlace);
    let _ = (lane.calls(), other.calls());
    // The sixth failure: the upper end is 16 s.
    assert_eq!(probe.answered(&heard(500), at, 0.5), None);
    assert_eq!(other.calls(), 1, "it learns when the next one may go");
    assert_eq!(other.wait(at), Wait::Until(at.instant + Duration::from_secs(8)));
    assert_eq!(gate.could_go(at.instant), Err(Wait::Until(at.instant + Duration::from_secs(8))));
}

#[test]
fn a_probe_that_is_lost_leaves_the_way_to_the_next() {
    let now = begin();
    let (gate, mut lane) = opened(8, now);
    let mut other = Lane::at(&gate);
    let at = after(now, PROBE_AFTER);
    let probe = lane.go(at);
    assert_eq!(other.wait(at), Wait::ForAPlace);
    drop(lane);
    drop(probe);
    assert_eq!(other.calls(), 1);
    assert!(other.go(at).probe().is_some());
}

#[test]
fn a_probe_that_was_overtaken_is_no_probe_any_more() {
    let (gate, now) = (gate(8), begin());
    let mut lane = Lane::at(&gate);
    let mut passes: Vec<_> = (0..6).map(|_| lane.go(now)).collect();
    let hanging = passes.remove(0);
    for pass in passes {
        let _ = pass.answered(&heard(500), now, 0.5);
    }
    let at = after(now, PROBE_AFTER);
    let overtaken = lane.go(at);
    assert_eq!(hanging.answered(&heard(200), at, 0.5), Some(Change::Closed));
    let changes: Vec<_> =
        (0..5).filter_map(|_| lane.go(at).answered(&heard(500), at, 0.5)).collect();
    assert_eq!(changes, [Change::Opened]);
    // Its failure belongs to another outage: it neither counts nor moves the next probe.
    assert_eq!(overtaken.answered(&heard(500), at, 0.0), None);
    let next = after(at, PROBE_AFTER);
    assert_eq!(lane.wait(at), Wait::Until(next.instant));
    drop(lane.go(next));
}

#[test]
fn the_first_success_closes_it_and_its_traffic_ramps_up() {
    let now = begin();
    for answer in [heard(200), heard(400)] {
        let (gate, mut lane) = opened(32, now);
        let mut other = Lane::at(&gate);
        assert!(matches!(other.wait(now), Wait::Until(_)));
        let at = after(now, PROBE_AFTER);
        assert_eq!(lane.go(at).answered(&answer, at, 0.5), Some(Change::Closed));
        assert!(!gate.is_open());
        assert_eq!(other.calls(), 1, "it waits for a probe no longer");
        let mut rounds = Vec::new();
        while rounds.last() != Some(&32) {
            let passes: Vec<_> = std::iter::from_fn(|| other.ask(at).ok()).collect();
            rounds.push(passes.len());
            for pass in passes {
                assert_eq!(pass.answered(&heard(200), at, 0.5), None);
            }
        }
        assert_eq!(rounds, [1, 2, 4, 8, 16, 32]);
    }
}

#[test]
fn what_was_in_flight_when_it_opened_is_no_probe_but_may_close_it() {
    let (gate, now) = (gate(64), begin());
    let mut lane = Lane::at(&gate);
    let mut passes: Vec<_> = (0..64).map(|_| lane.go(now)).collect();
    let mut answer = |status| passes.pop().expect("in flight").answered(&heard(status), now, 0.5);
    for _ in 0..4 {
        assert_eq!(answer(429), None);
    }
    assert_eq!(answer(429), Some(Change::Opened));
    for _ in 0..20 {
        assert_eq!(answer(429), None);
    }
    assert_eq!(lane.wait(now), Wait::Until(now.instant + PROBE_AFTER), "nothing has moved it");
    assert_eq!(answer(200), Some(Change::Closed));
    // Nor do those that are still in flight open it again.
    for _ in 0..20 {
        assert_eq!(answer(429), None);
    }
    assert!(!gate.is_open());
    assert_eq!(gate.window(), 1);
    // It doubles up to what it had been halved to, for the endpoint was never down.
    drop(passes);
    let mut widest = 0;
    for _ in 0..7 {
        let passes: Vec<_> = std::iter::from_fn(|| lane.ask(now).ok()).collect();
        widest = passes.len();
        for pass in passes {
            assert_eq!(pass.answered(&heard(200), now, 0.5), None);
        }
    }
    assert_eq!((widest, gate.window()), (33, 34));
}

#[test]
fn retry_after_never_shortens_a_backoff_and_may_lengthen_it() {
    let now = begin();
    for (seconds, expected) in [(1, 8), (60, 60)] {
        let (_gate, mut lane) = opened(8, now);
        let at = after(now, PROBE_AFTER);
        let _ = lane.go(at).answered(&with_retry_after(503, seconds), at, 0.5);
        let until = at.instant + Duration::from_secs(expected);
        assert_eq!(lane.wait(at), Wait::Until(until));
    }
}

#[test]
fn after_each_third_failure_another_lane_probes_where_there_is_one() {
    let now = begin();
    let (gate, mut lane) = opened(8, now);
    let mut other = Lane::at(&gate);
    assert!(matches!(other.wait(now), Wait::Until(_)));
    let at = after(now, PROBE_AFTER);
    for _ in 0..3 {
        let _ = lane.go(at).answered(&heard(500), at, 0.0);
    }
    let Wait::Until(later) = lane.wait(at) else { panic!("it lets the other one go first") };
    assert!(later > at.instant);
    let probe = other.go(at);
    assert_eq!(probe.probe(), Some(0), "its oldest");
    let _ = probe.answered(&heard(500), at, 0.0);
    // Between those, whoever comes first probes, the former one with its former event.
    assert_eq!(lane.go(at).probe(), Some(0));
}

#[test]
fn a_lane_is_polite_for_a_moment_only() {
    let now = begin();
    let (gate, mut lane) = opened(8, now);
    let mut other = Lane::at(&gate);
    assert!(matches!(other.wait(now), Wait::Until(_)));
    let at = after(now, PROBE_AFTER);
    for _ in 0..3 {
        let _ = lane.go(at).answered(&heard(500), at, 0.0);
    }
    let Wait::Until(later) = lane.wait(at) else { panic!("it lets the other one go first") };
    let probe = lane.go(Now { instant: later, ..at });
    assert_eq!(probe.probe(), Some(1), "with another of its events at least");
}

#[test]
fn a_lone_lane_probes_with_its_next_event_after_each_third_failure() {
    let now = begin();
    let (_gate, mut lane) = opened(8, now);
    let at = after(now, PROBE_AFTER);
    let events: Vec<_> = (0..9)
        .map(|_| {
            let probe = lane.go(at);
            let event = probe.probe().expect("it is open");
            let _ = probe.answered(&heard(500), at, 0.0);
            event
        })
        .collect();
    assert_eq!(events, [0, 0, 0, 1, 0, 0, 2, 0, 0]);
    assert_eq!(lane.go(at).answered(&heard(200), at, 0.0), Some(Change::Closed));
    for _ in 0..5 {
        let _ = lane.go(at).answered(&heard(500), at, 0.0);
    }
    assert_eq!(lane.go(at).probe(), Some(0), "another outage begins with the oldest");
}

#[test]
fn another_event_goes_at_once_where_there_is_one() {
    let now = begin();
    for (has_others, waits) in [(true, false), (false, true)] {
        let (_gate, mut lane) = opened(8, now);
        let mut at = after(now, PROBE_AFTER);
        let failed = Heard { has_others, ..heard(500) };
        for _ in 0..2 {
            let _ = lane.go(at).answered(&failed, at, 1.0);
            let Wait::Until(next) = lane.wait(at) else { panic!("it backs off") };
            at = Now { instant: next, ..at };
        }
        let _ = lane.go(at).answered(&failed, at, 1.0);
        let next = lane.ask(at);
        assert_eq!(next.is_err(), waits);
        if let Ok(probe) = next {
            assert_eq!(probe.probe(), Some(1));
            let _ = probe.answered(&failed, at, 1.0);
            assert!(matches!(lane.wait(at), Wait::Until(_)), "only once");
        }
    }
}

#[test]
fn it_fails_since_the_first_failure_after_the_last_acceptance() {
    let now = begin();
    let (gate, mut lane) = opened(8, now);
    let at = after(now, PROBE_AFTER);
    let _ = lane.go(at).answered(&heard(500), at, 0.0);
    let _ = lane.go(at).answered(&heard(400), at, 0.0);
    assert_eq!(gate.failing_since(), Some(now.unix_ms), "a refusal is no acceptance");
    gate.restore_failing_since(now.unix_ms - 1000);
    gate.restore_failing_since(now.unix_ms - 500);
    assert_eq!(gate.failing_since(), Some(now.unix_ms - 1000));
    let _ = lane.go(at).answered(&heard(200), at, 0.0);
    assert_eq!(gate.failing_since(), None);
    gate.restore_failing_since(now.unix_ms);
    assert_eq!(gate.failing_since(), None, "it has accepted something since");
}

#[test]
fn what_hangs_since_it_opened_does_not_keep_it_waiting_when_it_is_well() {
    let (gate, now) = (gate(8), begin());
    let mut lane = Lane::at(&gate);
    let mut hanging: Vec<_> = (0..8).map(|_| lane.go(now)).collect();
    for _ in 0..5 {
        let _ = hanging.pop().expect("in flight").answered(&heard(500), now, 0.5);
    }
    let at = after(now, PROBE_AFTER);
    assert_eq!(lane.go(at).answered(&heard(200), at, 0.5), Some(Change::Closed));
    let mut rounds = Vec::new();
    for _ in 0..4 {
        let passes: Vec<_> = std::iter::from_fn(|| lane.ask(at).ok()).collect();
        assert!(gate.in_flight() <= 8);
        rounds.push(passes.len());
        for pass in passes {
            let _ = pass.answered(&heard(200), at, 0.5);
        }
    }
    assert_eq!(rounds, [1, 2, 4, 5], "three places are still taken");
    drop(hanging);
    assert_eq!(gate.in_flight(), 0);
}

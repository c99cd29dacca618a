//! How often an event allocates on its way through the pure half.
//!
//! The figures are exact, in one direction as in the other: a bound with room in it would hide the
//! next allocation. `make counts` tells the stages apart.

#[path = "../benches/counts/allocator.rs"]
mod allocator;
#[path = "../benches/end_to_end/events.rs"]
#[expect(dead_code, reason = "the benchmark looks into bodies too")]
mod events;
#[path = "../benches/counts/partition.rs"]
mod partition;

use allocator::allocated_by;
use partition::{Answers, Partition, plan, written};

/// How many events are counted, after as many that are not: what grows has grown by then.
const EVENTS: usize = 16_000;

#[test]
fn a_request_of_1000_events_allocates_as_often_as_this() {
    assert_allocations(26, 1000, Answers::All);
}

#[test]
fn ten_requests_of_100_events_allocate_as_often_as_this() {
    assert_allocations(205, 100, Answers::All);
}

#[test]
fn a_thousand_requests_of_1_event_allocate_as_often_as_this() {
    assert_allocations(2_000, 1, Answers::All);
}

#[test]
fn the_same_in_a_lane_that_is_always_full_allocate_as_often_as_this() {
    assert_allocations(2_000, 1, Answers::One);
}

/// A thousand events make so many allocations, rounded: in what is counted a lane is filled and
/// emptied once.
fn assert_allocations(expected: u64, events_per_request: usize, answers: Answers) {
    let (plan, written) = (plan(events_per_request, ""), written());
    let mut partition = Partition::new(&plan, answers);
    partition.deliver(&written, EVENTS);
    let allocated = allocated_by(|| partition.deliver(&written, EVENTS)).times;
    let found = (allocated * 1000 + EVENTS as u64 / 2) / EVENTS as u64;
    assert_eq!(
        found, expected,
        "allocations for 1000 events, {events_per_request} per request, are not what is stated: \
         more has to be meant, and less to be stated here"
    );
}

//! The pipeline in hostile worlds: endpoints that fail, refuse and lose their answers' order,
//! letters that cannot be written, crashes between any two steps, hand-overs in mid-stream. And
//! the gate that an endpoint's lanes share, in worlds of its own.
//!
//! A world is made of a seed and bounds and nothing else, so that a failure replays:
//! `HOOKCAST_SEED=17 cargo test --test simulation`. `HOOKCAST_WORLDS` says how many there are. One
//! that fails is made smaller, and says how that one is replayed.

mod bounds;
mod defects;
mod gate;
mod gate_keeper;
mod log;
mod plans;
mod quiet;
mod record_keeper;
mod shrinking;
mod sights;
mod world;
mod worlds;

use world::World;
use worlds::live_through;

#[test]
fn nothing_is_lost_repeated_or_out_of_order_in_any_world() {
    if let Some(seen) = live_through(|seed, bounds| World::new(seed, bounds, None).live()) {
        seen.assert_that_everything_was_seen();
    }
}

#[test]
fn no_gate_lets_too_many_through_or_strands_anybody_in_any_world() {
    if let Some(seen) = live_through(|seed, bounds| gate::World::new(seed, bounds).live()) {
        seen.assert_that_everything_was_seen();
    }
}

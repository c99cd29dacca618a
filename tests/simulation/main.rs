//! The pipeline in hostile worlds: endpoints that fail, refuse and lose their answers' order,
//! letters that cannot be written, crashes between any two steps, hand-overs in mid-stream. And
//! the gate that an endpoint's lanes share, in worlds of its own.
//!
//! A world is made of a seed and nothing else, so that a failure replays:
//! `HOOKCAST_SEED=17 cargo test --test simulation`. `HOOKCAST_WORLDS` says how many there are.

mod gate;
mod gate_keeper;
mod log;
mod record_keeper;
mod sights;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use world::World;

/// How many worlds there are unless told otherwise.
const WORLDS: u64 = 1000;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")))
}

/// Lives through the world of every seed. Whether these were enough to have seen everything:
/// worlds in which nothing happens prove nothing.
fn live_through(mut live: impl FnMut(u64)) -> bool {
    let seeds = match number("HOOKCAST_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("HOOKCAST_WORLDS").unwrap_or(WORLDS),
    };
    for seed in seeds.clone() {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| live(seed))) {
            eprintln!("the world of seed {seed} fails: HOOKCAST_SEED={seed} replays it");
            resume_unwind(panic);
        }
    }
    seeds.end - seeds.start >= WORLDS
}

#[test]
fn nothing_is_lost_repeated_or_out_of_order_in_any_world() {
    let mut seen = sights::Sights::default();
    if live_through(|seed| seen.add(&World::new(seed).live())) {
        seen.assert_that_everything_was_seen();
    }
}

#[test]
fn no_gate_lets_too_many_through_or_strands_anybody_in_any_world() {
    let mut seen = gate::Sights::default();
    if live_through(|seed| seen.add(&gate::World::new(seed).live())) {
        seen.assert_that_everything_was_seen();
    }
}

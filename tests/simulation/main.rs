//! The pipeline in hostile worlds: endpoints that fail, refuse and lose their answers' order,
//! letters that cannot be written, crashes between any two steps, hand-overs in mid-stream.
//!
//! A world is made of a seed and nothing else, so that a failure replays:
//! `HOOKCAST_SEED=17 cargo test --test simulation`. `HOOKCAST_WORLDS` says how many there are.

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

#[test]
fn nothing_is_lost_repeated_or_out_of_order_in_any_world() {
    let seeds = match number("HOOKCAST_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("HOOKCAST_WORLDS").unwrap_or(WORLDS),
    };
    let mut seen = sights::Sights::default();
    for seed in seeds.clone() {
        let lived = catch_unwind(AssertUnwindSafe(|| World::new(seed).live()));
        match lived {
            Ok(sights) => seen.add(&sights),
            Err(panic) => {
                eprintln!("the world of seed {seed} fails: HOOKCAST_SEED={seed} replays it");
                resume_unwind(panic);
            }
        }
    }
    // Worlds in which nothing happens prove nothing.
    if seeds.end - seeds.start >= WORLDS {
        seen.assert_that_everything_was_seen();
    }
}

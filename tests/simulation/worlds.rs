//! Many worlds, one for each seed, on all cores. Which world a seed makes does not depend on the
//! core, nor on the worlds beside it; the lowest seed whose world fails is the one that is told of.

use std::ops::AddAssign;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crate::bounds::Bounds;
use crate::quiet::quietly;
use crate::shrinking::shrunk;

/// How many worlds there are unless told otherwise.
const WORLDS: u64 = 1000;

/// Lives through the world of every seed. What was seen, where these worlds were enough to have seen
/// everything: worlds in which nothing happens prove nothing.
///
/// # Panics
/// As a world that fails does, after it was made smaller.
pub fn live_through<Sights>(live: impl Fn(u64, Bounds) -> Sights + Sync) -> Option<Sights>
where
    Sights: Default + AddAssign + Send,
{
    let seeds = match number("HOOKCAST_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("HOOKCAST_WORLDS").unwrap_or(WORLDS),
    };
    let bounds = bounds();
    let next = AtomicU64::new(seeds.start);
    // Seeds are taken in their order: when one fails, all lower ones are being lived through.
    let failed = AtomicU64::new(u64::MAX);
    let live_on = || {
        let mut sights = Sights::default();
        while failed.load(Ordering::Relaxed) == u64::MAX {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                break;
            }
            match quietly(|| live(seed, bounds)) {
                Ok(more) => sights += more,
                Err(_) => drop(failed.fetch_min(seed, Ordering::Relaxed)),
            }
        }
        sights
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut all = Sights::default();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(live_on)).collect();
        for thread in threads {
            all += thread.join().expect("worlds that fail are caught");
        }
    });
    match failed.into_inner() {
        u64::MAX => (seeds.end - seeds.start >= WORLDS).then_some(all),
        seed => fail(seed, bounds, &live),
    }
}

/// Says how to replay a world, and lets it fail aloud.
fn fail<Sights>(seed: u64, bounds: Bounds, live: &impl Fn(u64, Bounds) -> Sights) -> ! {
    let smallest = shrunk(bounds, |bounds| quietly(|| live(seed, bounds)).is_err());
    eprintln!("the world of seed {seed} fails: HOOKCAST_SEED={seed}{bounds} replays it,");
    eprintln!("and HOOKCAST_SEED={seed}{smallest} what is left of it when it is made smaller:");
    live(seed, smallest);
    panic!("the world of seed {seed} does not fail each time: it depends on more than its seed");
}

/// How large worlds may be, as the environment says.
fn bounds() -> Bounds {
    let mut bounds = Bounds::NONE;
    for (name, dimension) in Bounds::DIMENSIONS {
        if let Some(bound) = number(name) {
            *dimension(&mut bounds) = usize::try_from(bound).expect("it is no larger than memory");
        }
    }
    bounds
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")))
}

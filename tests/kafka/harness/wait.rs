//! Waiting for what other processes do: against a deadline, and telling what was seen instead.

use std::time::{Duration, Instant};

/// The longest that any one thing is waited for.
pub const DEADLINE: Duration = Duration::from_mins(1);

/// Asks `probe` until it is content. `Err` says what was seen instead; it ends up in the panic
/// when the deadline passes.
///
/// What happens inside this process is waited for with condition variables and channels. This is
/// for the rest: another process cannot notify us, so it is asked again, more and more rarely.
#[track_caller]
pub fn until<T>(what: &str, mut probe: impl FnMut() -> Result<T, String>) -> T {
    let begun = Instant::now();
    let mut pause = Duration::from_millis(5);
    loop {
        let seen = match probe() {
            Ok(found) => return found,
            Err(seen) => seen,
        };
        assert!(begun.elapsed() < DEADLINE, "waited {DEADLINE:?} for {what}; at last: {seen}");
        std::thread::park_timeout(pause);
        pause = (pause * 2).min(Duration::from_millis(200));
    }
}

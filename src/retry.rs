//! When a failed attempt is made again: exponential backoff with full jitter.
//!
//! After "Exponential Backoff And Jitter" (M. Brooker, AWS Architecture Blog, 2015): the wait is
//! uniform between nothing and an upper end that doubles with every failure.

use std::time::Duration;

use crate::plan::Retry;

/// How long to wait after the `failures`th failure in a row (1 for the first). `chance` is drawn
/// uniformly from `0.0..1.0`.
#[must_use]
pub fn backoff(retry: &Retry, failures: u32, chance: f64) -> Duration {
    // Thirty doublings of a millisecond are twelve days, more than any sensible upper end.
    let doublings = failures.saturating_sub(1).min(30);
    let upper_end = retry.initial.saturating_mul(1 << doublings).min(retry.max);
    upper_end.mul_f64(chance.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::backoff;
    use crate::plan::Retry;

    #[test]
    fn the_upper_end_doubles_up_to_the_maximum() {
        let retry = Retry {
            initial: Duration::from_millis(500),
            max: Duration::from_secs(30),
            ..Retry::default()
        };
        let upper_ends: Vec<_> = (1..=9).map(|n| backoff(&retry, n, 1.0).as_millis()).collect();
        assert_eq!(upper_ends, [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
        assert_eq!(backoff(&retry, u32::MAX, 1.0), retry.max);
    }

    #[test]
    fn chance_spreads_the_wait_over_the_whole_span() {
        let retry = Retry::default();
        assert_eq!(backoff(&retry, 3, 0.0), Duration::ZERO);
        assert_eq!(backoff(&retry, 3, 0.25), Duration::from_millis(500));
    }
}

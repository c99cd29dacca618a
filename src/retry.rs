//! When a failed attempt is made again: exponential backoff with full jitter, or what the endpoint
//! asks for in `Retry-After`.
//!
//! After "Exponential Backoff And Jitter" (M. Brooker, AWS Architecture Blog, 2015): the wait is
//! uniform between nothing and an upper end that doubles with every failure.

use std::time::{Duration, UNIX_EPOCH};

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

/// How long an endpoint wants to be left alone: the value of a `Retry-After` header that was
/// received at `now_unix_ms`, milliseconds since 1970-01-01 UTC. It is a number of seconds or a
/// date in one of the three forms of RFC 9110, section 5.6.7; one that has passed asks for
/// nothing. None: it is neither.
#[must_use]
pub fn retry_after(value: &str, now_unix_ms: i64) -> Option<Duration> {
    let value = value.trim_matches([' ', '\t']);
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // What is too long for a number is a long time.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    let since_1970 = date.duration_since(UNIX_EPOCH).ok()?;
    let now = Duration::from_millis(now_unix_ms.try_into().unwrap_or(0));
    Some(since_1970.saturating_sub(now))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{backoff, retry_after};
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
    /// 1994-11-06 08:49:37 UTC, the moment of the examples of RFC 9110.
    const EXAMPLE: i64 = 784_111_777_000;

    #[test]
    fn retry_after_is_a_number_of_seconds() {
        let seconds = [("0", 0), ("1", 1), (" 120\t", 120), ("007", 7), ("86400", 86_400)];
        for (value, expected) in seconds {
            assert_eq!(retry_after(value, EXAMPLE), Some(Duration::from_secs(expected)), "{value}");
        }
        let longest = "9".repeat(400);
        assert_eq!(retry_after(&longest, EXAMPLE), Some(Duration::from_secs(u64::MAX)));
    }

    #[test]
    fn retry_after_is_a_date_in_one_of_three_forms() {
        let forms = [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ];
        for form in forms {
            let wait = |now| retry_after(form, now);
            assert_eq!(wait(EXAMPLE - 90_000), Some(Duration::from_secs(90)), "{form}");
            assert_eq!(wait(EXAMPLE - 1), Some(Duration::from_millis(1)), "{form}");
            assert_eq!(wait(EXAMPLE), Some(Duration::ZERO), "{form}");
            assert_eq!(wait(EXAMPLE + 90_000), Some(Duration::ZERO), "{form}: it has passed");
        }
        // A clock from before 1970 is as good as one that shows 1970.
        assert_eq!(retry_after("Thu, 01 Jan 1970 00:00:09 GMT", -1), Some(Duration::from_secs(9)));
    }

    #[test]
    fn what_is_neither_a_number_nor_a_date_is_no_retry_after() {
        let rubbish = [
            "",
            " ",
            "-1",
            "+1",
            "1.5",
            "1e3",
            "5s",
            "soon",
            "1, 2",
            "\u{661}",
            "Mon, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 31 Feb 1994 08:49:37 GMT",
            "Thu, 01 Jan 1950 00:00:00 GMT",
            "1994-11-06T08:49:37Z",
        ];
        for value in rubbish {
            assert_eq!(retry_after(value, EXAMPLE), None, "{value:?}");
        }
    }
}

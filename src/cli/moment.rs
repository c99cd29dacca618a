//! Moments in UTC, as people read and write them.

/// A moment, to the second. `milliseconds` are those since 1970-01-01 UTC.
pub(super) fn shown(milliseconds: i64) -> String {
    let seconds = milliseconds.div_euclid(1000);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Days since 1970 as a date, after <https://howardhinnant.github.io/date_algorithms.html>:
    // years begin in March, so that a leap day is the last of its year.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The milliseconds since 1970-01-01 UTC of a moment as RFC 3339 writes it, such as
/// `2026-11-22T14:00:00Z`. A fraction of a second counts to the millisecond.
pub(super) fn parse(text: &str) -> Option<i64> {
    let (date, time) = (text.get(..10)?, text.get(10..)?);
    let clock = time.strip_prefix(['T', 't', ' '])?;
    let zone_at = clock.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = clock.split_at(zone_at);
    let (clock, fraction) =
        clock.split_once('.').map_or((clock, None), |(clock, fraction)| (clock, Some(fraction)));
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    let is_legal = (1..=12).contains(&month) && (1..=31).contains(&day);
    // The sixtieth second is a leap second.
    if !is_legal || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    // A day that its month does not have is another one when it is written again.
    let is_on_the_calendar = shown(days(year, month, day) * 86_400_000).starts_with(date);
    let milliseconds = fraction.map_or(Some(0), milliseconds)?;
    is_on_the_calendar.then_some((seconds - offset(zone)?) * 1000 + milliseconds)
}

/// The days from 1970-01-01 to a date, the inverse of what [`shown`] does.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The seconds that a zone is ahead of UTC.
fn offset(zone: &str) -> Option<i64> {
    let sign = match zone.chars().next()? {
        'Z' | 'z' if zone.len() == 1 => return Some(0),
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let [hours, minutes] = numbers(&zone[1..], ':', [2, 2])?;
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60))
}

fn milliseconds(fraction: &str) -> Option<i64> {
    let is_number = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
    is_number.then(|| digits.parse().ok()).flatten()
}

/// Numbers of so many digits, with `between` between them.
fn numbers<const N: usize>(text: &str, between: char, digits: [usize; N]) -> Option<[i64; N]> {
    let mut parts = text.split(between);
    let mut numbers = [0; N];
    for (number, digits) in numbers.iter_mut().zip(digits) {
        let part = parts.next()?;
        let is_number = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
        *number = part.parse().ok().filter(|_| is_number)?;
    }
    parts.next().is_none().then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::{parse, shown};

    #[test]
    fn a_moment_is_shown_as_date_and_time() {
        for (milliseconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (1_764_000_000_999, "2025-11-24T16:00:00Z"),
            (4_107_542_399_000, "2100-02-28T23:59:59Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(shown(milliseconds), text);
            assert_eq!(parse(text), Some(milliseconds.div_euclid(1000) * 1000), "{text}");
        }
    }

    #[test]
    fn moments_have_zones_and_fractions() {
        for (text, milliseconds) in [
            ("2025-11-24T17:30:00+01:30", 1_764_000_000_000),
            ("2025-11-24 11:00:00-05:00", 1_764_000_000_000),
            ("2025-11-24t16:00:00.5z", 1_764_000_000_500),
            ("2025-11-24T16:00:00.123456Z", 1_764_000_000_123),
        ] {
            assert_eq!(parse(text), Some(milliseconds), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in [
            "",
            "2025-11-24",
            "2025-11-24T16:00:00",
            "2025-02-29T00:00:00Z",
            "2025-13-01T00:00:00Z",
            "2025-11-24T24:00:00Z",
            "2025-11-24T16:00Z",
            "2025-11-24T16:00:00.Z",
            "2025-11-24T16:00:00Zulu",
            "2025-11-24T16:00:00+1",
            "+025-11-24T16:00:00Z",
            "2025-11-2ü",
            "yesterday",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}

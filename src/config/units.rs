//! Durations, sizes and rates, as they are written.
//!
//! Knows the units, and what to suggest to whoever left one out.

use std::time::Duration;

use super::at::At;

/// The units of time, with their milliseconds.
const TIMES: [(&str, f64); 4] = [("ms", 1.0), ("s", 1e3), ("m", 60e3), ("h", 3_600e3)];
/// The units of size, with their bytes.
const SIZES: [(&str, f64); 8] = [
    ("B", 1.0),
    ("kB", 1e3),
    ("KB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
];
/// The units of rate, with how many of them make a second.
const RATES: [(&str, f64); 3] = [("/s", 1.0), ("/m", 60.0), ("/h", 3600.0)];

impl At<'_> {
    /// A duration, in whole milliseconds, between two bounds.
    pub(super) fn duration(&self, least: Duration, most: Duration) -> Option<Duration> {
        let value =
            self.parse("a duration such as `250ms`, `10s`, `1m` or `4h`", parse_duration)?;
        if value < least || value > most {
            self.error(format!("must be from {} to {}", show_duration(least), show_duration(most)));
            return None;
        }
        Some(value)
    }

    /// A size in bytes, between two bounds.
    pub(super) fn size(&self, least: usize, most: usize) -> Option<usize> {
        let value = self.parse("a size such as `512KiB` or `4MiB`", size)?;
        if value < least || value > most {
            self.error(format!("must be from {} to {}", show_size(least), show_size(most)));
            return None;
        }
        Some(value)
    }

    /// A number of requests per second.
    pub(super) fn rate(&self) -> Option<f64> {
        self.parse("a rate such as `500/s` or `30/m`", rate)
    }
}

/// A duration such as `250ms`, `10s`, `1m` or `4h`.
///
/// # Errors
/// What to write instead, where that is known.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = number_and_unit(text).ok_or("")?;
    match TIMES.iter().find(|(name, _)| *name == unit) {
        Some((_, milliseconds)) => whole(number * milliseconds)
            .map(Duration::from_millis)
            .ok_or("it is no whole number of milliseconds".into()),
        None if unit.is_empty() => Err(format!("a unit is missing: `{text}s`?")),
        None if matches!(unit, "d" | "day" | "days") => Err(format!("write `{}h`", number * 24.0)),
        None if matches!(unit, "sec" | "secs" | "second" | "seconds" | "S") => {
            Err(format!("write `{number}s`"))
        }
        None if matches!(unit, "min" | "mins" | "minute" | "minutes" | "M") => {
            Err(format!("write `{number}m`"))
        }
        None if matches!(unit, "hr" | "hour" | "hours" | "H") => Err(format!("write `{number}h`")),
        None => Err(sum(text).map_or_else(String::new, |sum| format!("write `{sum}`"))),
    }
}

/// `90m` for `1h30m`.
fn sum(text: &str) -> Option<String> {
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let (_, behind) = number_and_unit(rest)?;
        let is_digit = |c: char| c.is_ascii_digit();
        let part = &rest[..rest.len() - behind.find(is_digit).map_or(0, |at| behind.len() - at)];
        if part == text {
            return None;
        }
        total += parse_duration(part).ok()?;
        rest = &rest[part.len()..];
    }
    Some(show_duration(total))
}

fn size(text: &str) -> Result<usize, String> {
    let (number, unit) = number_and_unit(text).ok_or("")?;
    // Bytes go without saying, as in the names of librdkafka's keys.
    let unit = if unit.is_empty() { "B" } else { unit };
    match SIZES.iter().find(|(name, _)| *name == unit) {
        Some((_, bytes)) => whole(number * bytes)
            .and_then(|bytes| usize::try_from(bytes).ok())
            .ok_or("it is no whole number of bytes".into()),
        None if matches!(unit, "k" | "K" | "m" | "M" | "g" | "G") => {
            Err(format!("write `{number}{}iB`", unit.to_uppercase()))
        }
        None => Err(match SIZES.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)) {
            Some((meant, _)) => format!("write `{number}{meant}`"),
            None => "the units are B, kB, MB, GB, KiB, MiB, GiB".into(),
        }),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    let (number, unit) = number_and_unit(text).ok_or("")?;
    match RATES.iter().find(|(name, _)| *name == unit) {
        Some(_) if number <= 0.0 => Err("leave the key out for no limit".into()),
        Some((_, seconds)) => Ok(number / seconds),
        None if unit.is_empty() => Err(format!("a unit is missing: `{text}/s`?")),
        None => Err("the units are /s, /m, /h".into()),
    }
}

/// A decimal number without sign or exponent, and what follows it.
fn number_and_unit(text: &str) -> Option<(f64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let has_digits = number.starts_with(|c: char| c.is_ascii_digit()) && !number.ends_with('.');
    let value = number.parse().ok().filter(|_| has_digits && number.len() <= 15)?;
    Some((value, unit.trim_start_matches(' ')))
}

/// The number without a fraction, if it has none. Fifteen digits pass through `f64` unharmed.
fn whole(number: f64) -> Option<u64> {
    let rounded = number.round();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked just before"
    )]
    ((number - rounded).abs() < 1e-6 && (0.0..9e15).contains(&rounded)).then_some(rounded as u64)
}

/// A duration as the file would write it.
pub(crate) fn show_duration(duration: Duration) -> String {
    let milliseconds = duration.as_millis();
    let units = [(3_600_000, "h"), (60_000, "m"), (1000, "s")];
    units
        .iter()
        .find(|(unit, _)| milliseconds >= *unit && milliseconds.is_multiple_of(*unit))
        .map_or_else(
            || format!("{milliseconds}ms"),
            |(unit, name)| format!("{}{name}", milliseconds / unit),
        )
}

/// A size as the file would write it.
pub(crate) fn show_size(bytes: usize) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    units
        .iter()
        .find(|(unit, _)| bytes >= *unit && bytes.is_multiple_of(*unit))
        .map_or_else(|| format!("{bytes}B"), |(unit, name)| format!("{}{name}", bytes / unit))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{parse_duration, rate, show_duration, show_size, size};

    #[test]
    fn durations_are_read() {
        for (text, milliseconds) in [
            ("250ms", 250),
            ("10s", 10_000),
            ("1m", 60_000),
            ("4h", 14_400_000),
            ("1.5s", 1500),
            ("0s", 0),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused_with_a_suggestion() {
        for (text, hint) in [
            ("10", "a unit is missing: `10s`?"),
            ("7d", "write `168h`"),
            ("5 min", "write `5m`"),
            ("0.5ms", "it is no whole number of milliseconds"),
            ("-1s", ""),
            ("1e3s", ""),
            ("1h30m", "write `90m`"),
            ("s", ""),
            ("", ""),
            (".5s", ""),
            ("5.s", ""),
        ] {
            assert_eq!(parse_duration(text), Err(hint.to_owned()), "{text}");
        }
    }

    #[test]
    fn sizes_are_read() {
        for (text, bytes) in [
            ("1", 1),
            ("1B", 1),
            ("512KiB", 524_288),
            ("4MiB", 4_194_304),
            ("1kB", 1000),
            ("1.5MB", 1_500_000),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        assert_eq!(size("4M").unwrap_err(), "write `4MiB`");
        assert_eq!(size("0.5B").unwrap_err(), "it is no whole number of bytes");
    }

    #[test]
    fn rates_are_read() {
        assert_eq!(rate("500/s"), Ok(500.0));
        assert_eq!(rate("30/m"), Ok(0.5));
        assert_eq!(rate("0/s").unwrap_err(), "leave the key out for no limit");
    }

    #[test]
    fn what_was_read_is_shown_as_it_was_written() {
        assert_eq!(show_duration(Duration::from_mins(90)), "90m");
        assert_eq!(show_duration(Duration::from_millis(1500)), "1500ms");
        assert_eq!(show_duration(Duration::ZERO), "0ms");
        assert_eq!(show_size(4 << 20), "4MiB");
        assert_eq!(show_size(1500), "1500B");
    }
}

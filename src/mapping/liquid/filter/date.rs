//! The filter of dates: what a text or a number means as a time, and how a time is written.
//!
//! There is no clock behind it: `now` and `today` are texts like others, and what is no time stays
//! as it is. A time keeps the offset that it was written with, and without one is in UTC.

mod format;
mod read;

use std::borrow::Cow;

use super::super::Unrendered;
use super::super::value::Value;
use super::Arguments;

/// A time as a calendar and a clock on the wall show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Time {
    /// Seconds since the beginning of 1970 on that clock.
    local: i64,
    nanoseconds: u32,
    /// What the clock is ahead of UTC, in seconds.
    offset: i64,
}

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Date {
    year: i64,
    /// From 1.
    month: i64,
    /// From 1.
    day: i64,
}

const DAY: i64 = 86_400;

/// Beyond the year 9999 there are no dates.
const LAST: i64 = 253_402_300_799;

/// Whether a text is meant to be read from a clock.
pub(in super::super) fn is_clock(text: &str) -> bool {
    ["now", "today"].iter().any(|clock| text.trim().eq_ignore_ascii_case(clock))
}

pub(super) fn date<'a>(
    value: &Value<'a>,
    arguments: &Arguments<'a, '_>,
) -> Result<Value<'a>, Unrendered> {
    let format = arguments.text(0, format::IN_WORDS)?;
    let time = match value {
        Value::Number(number) => read::unix(number.text()),
        Value::Text(text) => read::time(text),
        _ => None,
    };
    match time {
        Some(time) if !format.is_empty() => {
            arguments.work.spend(format.len() * format::WIDEST)?;
            Ok(Value::Text(Cow::Owned(format::written(time, &format))))
        }
        _ => {
            arguments.work.spend(value.weight())?;
            Ok(value.clone())
        }
    }
}

impl Time {
    fn date(self) -> Date {
        Date::of(self.local.div_euclid(DAY))
    }

    /// Seconds since midnight.
    fn second(self) -> i64 {
        self.local.rem_euclid(DAY)
    }

    /// The day of the week, from Sunday, which is 0.
    fn weekday(self) -> i64 {
        (self.local.div_euclid(DAY) + 4).rem_euclid(7)
    }

    fn unix(self) -> i64 {
        self.local - self.offset
    }
}

impl Date {
    /// The day so many days after the first of 1970. From
    /// <https://howardhinnant.github.io/date_algorithms.html>, as is the way back.
    fn of(number: i64) -> Date {
        let shifted = number + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        // Counted from March.
        let month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        Date { year: year_of_era + era * 400 + i64::from(month <= 2), month, day }
    }

    fn number(self) -> i64 {
        let year = self.year - i64::from(self.month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let month = if self.month > 2 { self.month - 3 } else { self.month + 9 };
        let day_of_year = (153 * month + 2) / 5 + self.day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * 146_097 + day_of_era - 719_468
    }

    fn exists(self) -> bool {
        (0..=9999).contains(&self.year) && Date::of(self.number()) == self
    }

    /// The day of the year, from 1.
    fn of_year(self) -> i64 {
        self.number() - Date { month: 1, day: 1, ..self }.number() + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_both_ways() {
        for number in (-719_528..2_932_897).step_by(97) {
            let day = Date::of(number);
            assert_eq!((day.number(), day.exists()), (number, true), "{day:?}");
        }
        assert_eq!(Date::of(0), Date { year: 1970, month: 1, day: 1 });
        assert_eq!(Date::of(20_513).of_year(), 60);
        assert!(!Date { year: 2025, month: 2, day: 29 }.exists());
    }

    #[test]
    fn times_are_read_as_they_are_written_anywhere() {
        let written = |text: &str| {
            read::time(text).map(|time| format::written(time, "%Y-%m-%dT%H:%M:%S.%L%:z"))
        };
        for (text, expected) in [
            ("2024-01-02T03:04:05Z", "2024-01-02T03:04:05.000+00:00"),
            ("2024-01-02T03:04:05.678901+02:00", "2024-01-02T03:04:05.678+02:00"),
            ("2024-01-02t03:04:05.5-0330", "2024-01-02T03:04:05.500-03:30"),
            (" 2024-01-02 03:04:05 +0100 ", "2024-01-02T03:04:05.000+01:00"),
            ("2024-01-02 03:04", "2024-01-02T03:04:00.000+00:00"),
            ("2024-01-02 03:04:05 UTC", "2024-01-02T03:04:05.000+00:00"),
            ("2024-02-29", "2024-02-29T00:00:00.000+00:00"),
            ("March 14, 2016", "2016-03-14T00:00:00.000+00:00"),
            ("Tue, 01 Mar 2016 12:00:00 GMT", "2016-03-01T12:00:00.000+00:00"),
            ("1 Jul 2003 10:52:37 +0200", "2003-07-01T10:52:37.000+02:00"),
            ("1709164800", "2024-02-29T00:00:00.000+00:00"),
        ] {
            assert_eq!(written(text).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "",
            "now",
            "today",
            "2023-02-29",
            "2024-13-01",
            "2024-01-02T25:00:00Z",
            "2024-01-02Tx",
            "99999999999999",
            "2024-1",
            "March",
            "14 March",
            "12:00",
            "2024-01-02T03:04:05+99:00",
            "2024-01-02 03:04:05 +0100 x",
            "12345-01-01",
            "9e99",
            "é-é-é",
        ] {
            assert_eq!(written(text), None, "{text}");
        }
    }

    #[test]
    fn times_are_written_in_every_form() {
        let time = read::time("2026-03-01T15:04:05.678+01:00").expect("a time");
        for (format, expected) in [
            ("%Y %y %C %m %d %e %j", "2026 26 20 03 01  1 060"),
            ("%H %k %I %l %M %S %L %N %3N", "15 15 03  3 04 05 678 678000000 678"),
            ("%p %P %A %a %B %b %h %u %w", "PM pm Sunday Sun March Mar Mar 7 0"),
            ("%-d/%-m %_m %^b %^A %010Y %5d", "1/3  3 MAR SUNDAY 0000002026 00001"),
            ("%z %:z %Z %s", "+0100 +01:00 +01:00 1772373845"),
            ("%F %T %D %R %r", "2026-03-01 15:04:05 03/01/26 15:04 03:04:05 PM"),
            ("%c|%x|%X|%v", "Sun Mar  1 15:04:05 2026|03/01/26|15:04:05| 1-MAR-2026"),
            ("%U %W %V %G %g", "09 08 09 2026 26"),
            ("%% %n%t %Q %", "% \n\t %Q %"),
            ("%9999999Y ü", "%9999999Y ü"),
            (format::IN_WORDS, "Sunday, March 1, 2026 at 3:04 pm +0100"),
        ] {
            assert_eq!(format::written(time, format), expected, "{format}");
        }
        let utc = read::time("2021-01-03T00:00:00Z").expect("a time");
        assert_eq!(format::written(utc, "%Z %V %G %I %P"), "UTC 53 2020 12 am");
    }
}

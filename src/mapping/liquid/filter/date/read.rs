//! What is a time.

use super::{DAY, Date, LAST, Time};

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// The time so many seconds after the beginning of 1970.
pub(super) fn unix(text: &str) -> Option<Time> {
    let seconds: f64 = text.parse().ok()?;
    let whole = seconds.floor();
    #[expect(clippy::cast_possible_truncation, reason = "a float becomes the nearest integer")]
    let local = whole as i64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below a second")]
    let nanoseconds = ((seconds - whole) * 1e9) as u32;
    let time = Time { local, nanoseconds, offset: 0 };
    is_on_the_calendar(time).then_some(time)
}

fn is_on_the_calendar(time: Time) -> bool {
    time.local <= LAST && time.local >= Date { year: 0, month: 1, day: 1 }.number() * DAY
}

/// The time that a text says: as ISO 8601 and RFC 3339 write it, or in the words of a letter's
/// date, or in seconds since 1970.
pub(super) fn time(text: &str) -> Option<Time> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return unix(text);
    }
    // No time is longer, and a text that is no time may be.
    if text.len() > 64 {
        return None;
    }
    let mut parts = Parts::default();
    match iso_day(text) {
        Some((day, rest)) => {
            parts.year = Some(day.year);
            (parts.month, parts.day) = (Some(day.month), Some(day.day));
            let rest = rest.strip_prefix(['T', 't']).or_else(|| rest.strip_prefix(' '));
            let behind = &text[10..];
            if !behind.is_empty() {
                parts.iso_clock(rest?)?;
            }
        }
        None => {
            for word in text.split([' ', ',']).filter(|word| !word.is_empty()) {
                parts.word(word)?;
            }
        }
    }
    parts.time()
}

/// `2024-01-02`, and what follows it.
fn iso_day(text: &str) -> Option<(Date, &str)> {
    let (day, rest) = (text.get(..10)?, text.get(10..)?);
    let bytes = day.as_bytes();
    if bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let day =
        Date { year: digits(&day[..4])?, month: digits(&day[5..7])?, day: digits(&day[8..])? };
    Some((day, rest))
}

/// A number of digits and nothing else.
fn digits(text: &str) -> Option<i64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

/// What was read of a time.
#[derive(Default)]
struct Parts {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    second: Option<i64>,
    nanoseconds: u32,
    offset: Option<i64>,
}

impl Parts {
    /// The clock and the zone behind a day, with or without a blank between them.
    fn iso_clock(&mut self, text: &str) -> Option<()> {
        let end = text.find(['Z', 'z', '+', '-', ' ', 'U', 'G']).unwrap_or(text.len());
        self.clock(&text[..end])?;
        match text[end..].trim() {
            "" => Some(()),
            zone => self.zone(zone),
        }
    }

    /// One of the words of a date that are told apart by how they look.
    fn word(&mut self, word: &str) -> Option<()> {
        let begins = |names: &[&str]| {
            let three = word.get(..3)?.to_ascii_lowercase();
            let is_word = word.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'.');
            names.iter().position(|name| is_word && *name == three)
        };
        if word.contains(':') && !word.starts_with(['+', '-']) {
            return self.clock(word);
        }
        if let Some(number) = digits(word) {
            let field = if word.len() <= 2 { &mut self.day } else { &mut self.year };
            return field.replace(number).is_none().then_some(());
        }
        if let Some(month) = begins(&MONTHS) {
            let month = i64::try_from(month).ok()? + 1;
            return self.month.replace(month).is_none().then_some(());
        }
        if begins(&WEEKDAYS).is_some() {
            return Some(());
        }
        self.zone(word)
    }

    /// `15:04`, `15:04:05`, `15:04:05.678`
    fn clock(&mut self, text: &str) -> Option<()> {
        let (clock, fraction) = match text.split_once('.') {
            Some((clock, fraction)) => (clock, Some(fraction)),
            None => (text, None),
        };
        let mut fields = clock.split(':').map(|field| digits(field).filter(|_| field.len() <= 2));
        let (hour, minute) = (fields.next()??, fields.next()??);
        let second = match fields.next() {
            Some(second) => second?,
            None => 0,
        };
        // A leap second is taken for the one before it.
        if fields.next().is_some() || hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        if let Some(fraction) = fraction {
            digits(fraction)?;
            self.nanoseconds = format!("{fraction:0<9}")[..9].parse().ok()?;
        }
        let second = hour * 3600 + minute * 60 + second.min(59);
        self.second.replace(second).is_none().then_some(())
    }

    /// `Z`, `UTC`, `GMT`, `+02:00`, `-0330`, `+02`
    fn zone(&mut self, text: &str) -> Option<()> {
        let offset = if ["z", "utc", "gmt"].iter().any(|utc| text.eq_ignore_ascii_case(utc)) {
            0
        } else {
            let sign = match text.as_bytes().first()? {
                b'+' => 1,
                b'-' => -1,
                _ => return None,
            };
            let amount = text[1..].replacen(':', "", 1);
            let (hours, minutes) = match amount.len() {
                2 => (digits(&amount)?, 0),
                4 => (digits(amount.get(..2)?)?, digits(amount.get(2..)?)?),
                _ => return None,
            };
            if hours > 23 || minutes > 59 {
                return None;
            }
            sign * (hours * 3600 + minutes * 60)
        };
        self.offset.replace(offset).is_none().then_some(())
    }

    fn time(self) -> Option<Time> {
        let day = Date { year: self.year?, month: self.month?, day: self.day? };
        if !day.exists() {
            return None;
        }
        let local = day.number() * DAY + self.second.unwrap_or(0);
        let time = Time { local, nanoseconds: self.nanoseconds, offset: self.offset.unwrap_or(0) };
        Some(time)
    }
}

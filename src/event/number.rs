//! JSON numbers by their text, compared exactly.
//!
//! A number is never turned into a float, and an exponent never into digits: comparing takes time
//! in the length of the two texts, whatever they say.

use std::cmp::Ordering;

use super::syntax;

/// A number's decimal value, as parts of its text: `0.` and the digits of `whole` and `fraction`,
/// times ten to the power of `point` + `exponent`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decimal<'a> {
    text: &'a str,
    negative: bool,
    /// Without leading zeros.
    whole: &'a str,
    /// Without leading zeros where `whole` is empty, and without trailing zeros.
    fraction: &'a str,
    point: i128,
    exponent_is_negative: bool,
    /// Without leading zeros.
    exponent: &'a str,
}

impl<'a> Decimal<'a> {
    /// The number that `text` says, if it is a JSON number and nothing else.
    pub(crate) fn parse(text: &'a str) -> Option<Decimal<'a>> {
        syntax::is_number(text).then(|| Decimal::of_valid(text))
    }

    /// The number that `text` says, which the caller knows to be a JSON number.
    pub(crate) fn of_valid(text: &'a str) -> Decimal<'a> {
        let (negative, magnitude) = signed(text);
        let (mantissa, exponent) = split(magnitude, |byte| matches!(byte, b'e' | b'E'));
        let (whole, fraction) = split(mantissa, |byte| byte == b'.');
        let whole = without_leading_zeros(whole);
        let trailing = fraction.bytes().rev().take_while(|digit| *digit == b'0').count();
        let fraction = &fraction[..fraction.len() - trailing];
        let (exponent_is_negative, exponent) = signed(exponent);
        let exponent = exponent.strip_prefix('+').unwrap_or(exponent);
        let (fraction, point) = if whole.is_empty() {
            let significant = without_leading_zeros(fraction);
            (significant, -wide(fraction.len() - significant.len()))
        } else {
            (fraction, wide(whole.len()))
        };
        Decimal {
            text,
            negative,
            whole,
            fraction,
            point,
            exponent_is_negative,
            exponent: without_leading_zeros(exponent),
        }
    }

    /// The text it was read from.
    pub(crate) fn text(self) -> &'a str {
        self.text
    }

    /// Whether it is zero, of either sign and however written.
    pub(crate) fn is_zero(self) -> bool {
        self.whole.is_empty() && self.fraction.is_empty()
    }

    /// How the values compare.
    pub(crate) fn compare(self, other: Decimal<'_>) -> Ordering {
        match (self.sign(), other.sign()) {
            (1, 1) => self.compare_magnitude(other),
            (-1, -1) => other.compare_magnitude(self),
            (left, right) => left.cmp(&right),
        }
    }

    fn sign(self) -> i8 {
        match (self.is_zero(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }

    /// Neither is zero, so each begins with a significant digit right behind its point.
    fn compare_magnitude(self, other: Decimal<'_>) -> Ordering {
        let scale = self.exponent_less(other) + (self.point - other.point);
        scale.cmp(&0).then_with(|| {
            let mut left = self.whole.bytes().chain(self.fraction.bytes());
            let mut right = other.whole.bytes().chain(other.fraction.bytes());
            loop {
                match (left.next(), right.next()) {
                    (None, None) => return Ordering::Equal,
                    (left, right) => {
                        let order = left.unwrap_or(b'0').cmp(&right.unwrap_or(b'0'));
                        if order.is_ne() {
                            return order;
                        }
                    }
                }
            }
        })
    }

    /// This exponent less the other's, digit by digit from the first. Once the difference is far
    /// beyond what the lengths of texts can make up for, no later digit can bring it back.
    fn exponent_less(self, other: Decimal<'_>) -> i128 {
        const FAR: i128 = 1 << 100;
        let length = self.exponent.len().max(other.exponent.len());
        let mut difference = 0_i128;
        for place in (0..length).rev() {
            difference = difference * 10 + self.exponent_digit(place) - other.exponent_digit(place);
            if difference.abs() > FAR {
                break;
            }
        }
        difference
    }

    /// The digit of the exponent that stands for ten to the power of `place`, with its sign.
    fn exponent_digit(self, place: usize) -> i128 {
        let digits = self.exponent.as_bytes();
        let digit = match digits.len().checked_sub(place + 1) {
            Some(at) => i128::from(digits[at] - b'0'),
            None => 0,
        };
        if self.exponent_is_negative { -digit } else { digit }
    }
}

fn signed(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(magnitude) => (true, magnitude),
        None => (false, text),
    }
}

/// What stands before the mark and behind it; all of it and nothing where there is none. By bytes:
/// numbers are ASCII, and searching for characters costs several times as much.
fn split(text: &str, is_mark: impl Fn(u8) -> bool) -> (&str, &str) {
    match text.bytes().position(is_mark) {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, ""),
    }
}

fn without_leading_zeros(digits: &str) -> &str {
    let leading = digits.bytes().take_while(|digit| *digit == b'0').count();
    &digits[leading..]
}

fn wide(length: usize) -> i128 {
    i128::try_from(length).unwrap_or(i128::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every number is less than those behind it; those in one row are equal.
    const ASCENDING: &[&[&str]] = &[
        &["-1e99999999999999999999999999999999999999999999999999"],
        &["-9007199254740993"],
        &["-9007199254740992", "-9007199254740992.0"],
        &["-10", "-1e1", "-0.01e3", "-1000e-2"],
        &["-0.5"],
        &["-1e-99999999999999999999999999999999999999999999999999"],
        &["0", "-0", "0.000", "0e9", "-0.0E-99999999999999999999999"],
        &["1e-99999999999999999999999999999999999999999999999999"],
        &["1e-400"],
        &["0.001", "1e-3", "0.1e-2", "100e-5"],
        &["0.0010000000000000000000000000000000000000000000000001"],
        &["1", "1.0", "1e0", "10e-1", "0.1E+1", "1e-0", "1e+00"],
        &["9"],
        &["10", "1e1"],
        &["100", "1e2", "100.0"],
        &["100.0001"],
        &["9007199254740992"],
        &["9007199254740993", "9.007199254740993e15"],
        &["1e400", "10e399"],
        &["1e99999999999999999999999999999999999999999999999998"],
        &[
            "1e99999999999999999999999999999999999999999999999999",
            "0.1e100000000000000000000000000000000000000000000000000",
        ],
        &["1e100000000000000000000000000000000000000000000000000"],
    ];

    #[test]
    fn numbers_compare_by_value_and_not_by_their_nearest_float() {
        let numbers = |row: usize| ASCENDING[row].iter().map(move |text| (row, *text));
        let all: Vec<_> = (0..ASCENDING.len()).flat_map(numbers).collect();
        for (left_row, left) in &all {
            for (right_row, right) in &all {
                let parse = |text| Decimal::parse(text).expect("a JSON number");
                let order = parse(left).compare(parse(right));
                assert_eq!(order, left_row.cmp(right_row), "{left} and {right}");
            }
        }
    }
}

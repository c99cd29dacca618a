//! Numbers: by their text as far as they are passed on, by their exact value where that fits.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::event::Decimal;

use super::Unrendered;

/// A JSON number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Number<'a> {
    text: Cow<'a, str>,
}

impl<'a> Number<'a> {
    /// The number that `text` says, which the caller knows to be a JSON number.
    pub(super) fn of_valid(text: impl Into<Cow<'a, str>>) -> Number<'a> {
        Number { text: text.into() }
    }

    /// The number that a text says, white space around it aside, if it says nothing else.
    pub(super) fn parse(text: &str) -> Option<Number<'static>> {
        let text = text.trim();
        Decimal::parse(text).map(|_| Number::of_valid(text.to_owned()))
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn compare(&self, other: &Number<'_>) -> Ordering {
        Decimal::of_valid(&self.text).compare(Decimal::of_valid(&other.text))
    }

    /// Whether it is written without fraction and exponent.
    fn is_written_whole(&self) -> bool {
        !self.text.contains(['.', 'e', 'E'])
    }

    /// The whole part, or the nearest that there is.
    pub(super) fn whole(&self) -> i64 {
        match self.text.parse() {
            Ok(whole) => whole,
            // A float that is too large for an integer becomes the largest.
            #[expect(clippy::cast_possible_truncation, reason = "which is what is asked for")]
            Err(_) => self.text.parse::<f64>().map_or(0, |float| float as i64),
        }
    }

    fn amount(&self) -> Amount {
        Exact::parse(&self.text)
            .map_or_else(|| Amount::Float(self.text.parse().unwrap_or(f64::NAN)), Amount::Exact)
    }

    pub(super) fn plus(&self, other: &Number<'_>) -> Result<Number<'static>, Unrendered> {
        self.with(other, i128::checked_add, |one, two| one + two)
    }

    pub(super) fn minus(&self, other: &Number<'_>) -> Result<Number<'static>, Unrendered> {
        self.with(other, i128::checked_sub, |one, two| one - two)
    }

    pub(super) fn times(&self, other: &Number<'_>) -> Result<Number<'static>, Unrendered> {
        let exact = match (self.amount(), other.amount()) {
            (Amount::Exact(one), Amount::Exact(two)) => {
                let digits = one.digits.checked_mul(two.digits);
                digits.map(|digits| Exact { digits, scale: one.scale + two.scale })
            }
            _ => None,
        };
        match exact {
            Some(exact) => Ok(exact.number()),
            None => float(self.amount().float() * other.amount().float()),
        }
    }

    /// Rounded down where both are written whole.
    pub(super) fn divided_by(&self, other: &Number<'_>) -> Result<Number<'static>, Unrendered> {
        not_by_zero(other)?;
        if self.is_written_whole()
            && other.is_written_whole()
            && let (Amount::Exact(one), Amount::Exact(two)) = (self.amount(), other.amount())
        {
            let digits = floored(one.digits, two.digits);
            return Ok(Exact { digits, scale: 0 }.number());
        }
        float(self.amount().float() / other.amount().float())
    }

    /// What a division leaves, with the sign of the divisor.
    pub(super) fn modulo(&self, other: &Number<'_>) -> Result<Number<'static>, Unrendered> {
        not_by_zero(other)?;
        self.with(
            other,
            |one, two| one.checked_sub(floored(one, two).checked_mul(two)?),
            |one, two| one - (one / two).floor() * two,
        )
    }

    /// To as many digits behind the point; half goes away from zero.
    pub(super) fn rounded(&self, digits: u32) -> Result<Number<'static>, Unrendered> {
        match self.amount() {
            Amount::Exact(exact) => Ok(exact.divided(digits, |digits, by| {
                let half = if digits < 0 { -(by / 2) } else { by / 2 };
                (digits + half) / by
            })),
            // What does not fit has no digits behind the point, or none that count.
            Amount::Float(value) => float(value.round()),
        }
    }

    pub(super) fn floor(&self) -> Result<Number<'static>, Unrendered> {
        match self.amount() {
            Amount::Exact(exact) => Ok(exact.divided(0, floored)),
            Amount::Float(value) => float(value.floor()),
        }
    }

    pub(super) fn ceil(&self) -> Result<Number<'static>, Unrendered> {
        match self.amount() {
            Amount::Exact(exact) => Ok(exact.divided(0, |digits, by| -floored(-digits, by))),
            Amount::Float(value) => float(value.ceil()),
        }
    }

    pub(super) fn absolute(self) -> Number<'a> {
        if !self.text.starts_with('-') {
            return self;
        }
        Number::of_valid(self.text[1..].to_owned())
    }

    /// Exactly where both fit and the result does, otherwise in floats.
    fn with(
        &self,
        other: &Number<'_>,
        exactly: impl Fn(i128, i128) -> Option<i128>,
        roughly: impl Fn(f64, f64) -> f64,
    ) -> Result<Number<'static>, Unrendered> {
        let (one, two) = (self.amount(), other.amount());
        if let (Amount::Exact(one), Amount::Exact(two)) = (&one, &two) {
            let scale = one.scale.max(two.scale);
            let digits = one.at(scale).zip(two.at(scale));
            if let Some(digits) = digits.and_then(|(one, two)| exactly(one, two)) {
                return Ok(Exact { digits, scale }.number());
            }
        }
        float(roughly(one.float(), two.float()))
    }
}

impl From<usize> for Number<'_> {
    fn from(count: usize) -> Self {
        Number::of_valid(count.to_string())
    }
}

impl From<i64> for Number<'_> {
    fn from(whole: i64) -> Self {
        Number::of_valid(whole.to_string())
    }
}

/// What is calculated with.
enum Amount {
    Exact(Exact),
    /// What has too many digits.
    Float(f64),
}

impl Amount {
    fn float(&self) -> f64 {
        match self {
            Amount::Float(value) => *value,
            Amount::Exact(exact) => exact.number().text.parse().unwrap_or(f64::NAN),
        }
    }
}

/// `digits` divided by ten to the power of `scale`.
#[derive(Clone, Copy)]
struct Exact {
    digits: i128,
    scale: u32,
}

impl Exact {
    /// How many digits a number may have that is calculated with exactly, before the point and
    /// behind it: few enough that two of them can be brought to one scale.
    const MOST: usize = 18;

    fn parse(text: &str) -> Option<Exact> {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let exponent: i32 = exponent.parse().ok()?;
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if whole.len().max(fraction.len()) > Exact::MOST + 2 {
            return None;
        }
        let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
        let scale = i32::try_from(fraction.len()).ok()? - exponent;
        let most = i32::try_from(Exact::MOST).ok()?;
        if scale > most {
            return None;
        }
        match u32::try_from(scale) {
            Ok(scale) => Some(Exact { digits, scale }),
            Err(_) if -scale > most => None,
            Err(_) => {
                let digits = digits.checked_mul(10_i128.checked_pow(scale.unsigned_abs())?)?;
                Some(Exact { digits, scale: 0 })
            }
        }
    }

    /// The digits at a scale that is at least this one's.
    fn at(self, scale: u32) -> Option<i128> {
        self.digits.checked_mul(10_i128.checked_pow(scale - self.scale)?)
    }

    /// Brought to fewer digits behind the point by a division, where there are more.
    fn divided(self, scale: u32, divide: impl Fn(i128, i128) -> i128) -> Number<'static> {
        if self.scale <= scale {
            return self.number();
        }
        let by = 10_i128.pow(self.scale - scale);
        Exact { digits: divide(self.digits, by), scale }.number()
    }

    fn number(self) -> Number<'static> {
        let Exact { mut digits, mut scale } = self;
        while scale > 0 && digits % 10 == 0 {
            (digits, scale) = (digits / 10, scale - 1);
        }
        if scale == 0 {
            return Number::of_valid(digits.to_string());
        }
        let width = scale as usize + 1;
        let mut text = format!("{:0width$}", digits.unsigned_abs());
        text.insert(text.len() - scale as usize, '.');
        if digits < 0 {
            text.insert(0, '-');
        }
        Number::of_valid(text)
    }
}

/// Rounded down, towards the smaller number.
fn floored(one: i128, two: i128) -> i128 {
    let quotient = one / two;
    let goes_below = one % two != 0 && (one < 0) != (two < 0);
    if goes_below { quotient - 1 } else { quotient }
}

fn float(value: f64) -> Result<Number<'static>, Unrendered> {
    if value.is_finite() {
        Ok(Number::of_valid(value.to_string()))
    } else {
        Err(Unrendered("a number is too large to calculate with".to_owned()))
    }
}

fn not_by_zero(divisor: &Number<'_>) -> Result<(), Unrendered> {
    if Decimal::of_valid(&divisor.text).is_zero() {
        return Err(Unrendered("a division by zero".to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number<'_> {
        Number::of_valid(text)
    }

    #[test]
    fn decimals_are_calculated_as_they_are_written() {
        let plus = |one, two| number(one).plus(&number(two)).expect("a sum");
        assert_eq!(plus("0.1", "0.2").text(), "0.3");
        assert_eq!(plus("9007199254740993", "1").text(), "9007199254740994");
        assert_eq!(plus("1.50", "-1.5").text(), "0");
        assert_eq!(plus("1e3", "1e-3").text(), "1000.001");
        assert_eq!(plus("1e20", "1").text(), "100000000000000000000");
        let times = |one, two| number(one).times(&number(two)).expect("a product");
        assert_eq!(times("19.99", "3").text(), "59.97");
        assert_eq!(times("-0.5", "0.10").text(), "-0.05");
        assert_eq!(times("999999999999999999", "999999999999999999").text().len(), 36);
        assert_eq!(times("1e18", "1e-18").text(), "1");
        assert_eq!(times("12345678901234567890123", "2").text(), "24691357802469135000000");
    }

    #[test]
    fn divisions_round_down_between_whole_numbers_only() {
        let divided = |one, two| number(one).divided_by(&number(two)).expect("a quotient");
        assert_eq!((divided("7", "2").text(), divided("-7", "2").text()), ("3", "-4"));
        assert_eq!((divided("7.0", "2").text(), divided("7", "2.0").text()), ("3.5", "3.5"));
        let modulo = |one, two| number(one).modulo(&number(two)).expect("a rest");
        assert_eq!((modulo("7", "3").text(), modulo("-7", "3").text()), ("1", "2"));
        assert_eq!(modulo("5.5", "2").text(), "1.5");
        for zero in ["0", "0.0", "-0", "0e9"] {
            assert!(number("1").divided_by(&number(zero)).is_err(), "{zero}");
            assert!(number("1").modulo(&number(zero)).is_err(), "{zero}");
        }
    }

    #[test]
    fn halves_are_rounded_away_from_zero() {
        let rounded = |text, digits| number(text).rounded(digits).expect("a number");
        assert_eq!((rounded("2.5", 0).text(), rounded("-2.5", 0).text()), ("3", "-3"));
        assert_eq!((rounded("1.005", 2).text(), rounded("1.5", 9).text()), ("1.01", "1.5"));
        let floor = |text| number(text).floor().expect("a number");
        let ceil = |text| number(text).ceil().expect("a number");
        assert_eq!((floor("-1.2").text(), ceil("-1.2").text()), ("-2", "-1"));
        assert_eq!((floor("1.2").text(), ceil("1.2").text()), ("1", "2"));
    }

    #[test]
    fn no_number_is_too_much() {
        let all = [
            "0",
            "-9223372036854775808",
            "1e308",
            "-1e400",
            "1e-400",
            "1e99999999999999999999",
            "170141183460469231731687303715884105727",
            "0.00000000000000000000000000001",
            "999999999999999999.999999999999999999",
            "-1E+18",
            "1e-18",
        ];
        for one in all.map(number) {
            for two in all.map(number) {
                let results = [
                    one.plus(&two),
                    one.minus(&two),
                    one.times(&two),
                    one.divided_by(&two),
                    one.modulo(&two),
                    one.rounded(u32::MAX),
                    one.floor(),
                    one.ceil(),
                ];
                for result in results.into_iter().flatten() {
                    assert!(Number::parse(result.text()).is_some(), "{one:?} {two:?}: {result:?}");
                }
            }
            let _ = one.whole();
        }
    }
}

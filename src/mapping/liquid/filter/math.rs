//! Filters of numbers.

use super::super::Unrendered;
use super::super::number::Number;
use super::super::value::Value;
use super::{Arguments, number};

type Result<'a> = std::result::Result<Value<'a>, Unrendered>;

/// What comes of the value as a number, and of the argument as one.
fn calculated<'a>(
    value: &Value<'a>,
    arguments: &Arguments<'a, '_>,
    calculate: impl FnOnce(Number<'a>, Number<'a>) -> std::result::Result<Number<'a>, Unrendered>,
) -> Result<'a> {
    arguments.work.spend(value.weight())?;
    calculate(number(value), arguments.number(0)).map(Value::Number)
}

pub(super) fn plus<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    calculated(value, arguments, |one, two| one.plus(&two))
}

pub(super) fn minus<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    calculated(value, arguments, |one, two| one.minus(&two))
}

pub(super) fn times<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    calculated(value, arguments, |one, two| one.times(&two))
}

pub(super) fn divided_by<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    calculated(value, arguments, |one, two| one.divided_by(&two))
}

pub(super) fn modulo<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    calculated(value, arguments, |one, two| one.modulo(&two))
}

pub(super) fn at_least<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    calculated(value, arguments, |one, two| Ok(if one.compare(&two).is_lt() { two } else { one }))
}

pub(super) fn at_most<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    calculated(value, arguments, |one, two| Ok(if one.compare(&two).is_gt() { two } else { one }))
}

pub(super) fn abs<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    calculated(value, arguments, |number, _| Ok(number.absolute()))
}

pub(super) fn ceil<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    calculated(value, arguments, |number, _| number.ceil())
}

pub(super) fn floor<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    calculated(value, arguments, |number, _| number.floor())
}

pub(super) fn round<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    let digits = u32::try_from(arguments.count(0, 0)).unwrap_or(u32::MAX);
    calculated(value, arguments, |number, _| number.rounded(digits))
}

/// Without what stands behind the point.
pub(super) fn to_integer<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    calculated(value, arguments, |number, _| {
        if number.compare(&0_usize.into()).is_lt() { number.ceil() } else { number.floor() }
    })
}

//! A part of the file as a JSON value.
//!
//! Knows YAML's core schema: which plain scalars are null, booleans and numbers. A number keeps
//! its text where that is JSON; what `${…}` put in is always a string.

use serde_json::{Map, Number, Value as Json};

use super::at::At;
use super::tree::{Scalar, Value};

/// The value as JSON; none when something in it has no JSON form, which has been reported.
pub(super) fn read(at: &At<'_>) -> Option<Json> {
    match &at.node.value {
        Value::Scalar(scalar) => read_scalar(at, scalar),
        Value::List(items) => {
            let items: Vec<_> =
                items.iter().enumerate().map(|(index, item)| read(&at.item(index, item))).collect();
            items.into_iter().collect::<Option<Vec<Json>>>().map(Json::Array)
        }
        Value::Map(entries) => {
            let values: Vec<_> = entries
                .iter()
                .map(|entry| Some((entry.key.clone(), read(&at.entry(entry))?)))
                .collect();
            values.into_iter().collect::<Option<Map<String, Json>>>().map(Json::Object)
        }
    }
}

fn read_scalar(at: &At<'_>, scalar: &Scalar) -> Option<Json> {
    if scalar.broken {
        return None;
    }
    if !scalar.is_plain() || !scalar.expansions.is_empty() {
        return Some(Json::String(scalar.text.clone()));
    }
    if scalar.is_null() {
        return Some(Json::Null);
    }
    match &*scalar.raw {
        "true" | "True" | "TRUE" => return Some(Json::Bool(true)),
        "false" | "False" | "FALSE" => return Some(Json::Bool(false)),
        _ => {}
    }
    match number(&scalar.raw) {
        Ok(Some(number)) => Some(Json::Number(number)),
        Ok(None) => Some(Json::String(scalar.raw.clone())),
        Err(hint) => {
            at.error_with(format!("JSON has no number {}", at.shown()), hint);
            None
        }
    }
}

/// The number that a plain scalar is, if it is one.
fn number(text: &str) -> Result<Option<Number>, String> {
    let quote = || format!("quotes make it a text: \"{text}\"");
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Err(quote());
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix)
            && !digits.is_empty()
            && digits.bytes().all(|byte| char::from(byte).is_digit(radix))
        {
            let value = u128::from_str_radix(digits, radix).map_err(|_| quote())?;
            return Ok(Some(Number::from_string_unchecked(value.to_string())));
        }
    }
    let Some((whole, fraction, exponent)) = decimal(unsigned) else {
        return Ok(None);
    };
    if whole.len() > 1 && whole.starts_with('0') {
        return Err(format!("{}; without the leading zeros it is a number", quote()));
    }
    let sign = if text.starts_with('-') { "-" } else { "" };
    let whole = if whole.is_empty() { "0" } else { whole };
    let fraction = if fraction.is_empty() { String::new() } else { format!(".{fraction}") };
    // Parsing would write the exponent in another way; what is put together here is a number.
    Ok(Some(Number::from_string_unchecked(format!("{sign}{whole}{fraction}{exponent}"))))
}

/// The parts of `[0-9]* ( . [0-9]* )? ( [eE] [-+]? [0-9]+ )?` with a digit before the exponent.
fn decimal(text: &str) -> Option<(&str, &str, &str)> {
    let (mantissa, exponent) = text.split_at(text.find(['e', 'E']).unwrap_or(text.len()));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let power = exponent.trim_start_matches(['e', 'E']);
    let power = power.strip_prefix(['+', '-']).unwrap_or(power);
    let has_power = exponent.is_empty() || !power.is_empty();
    let has_digits = !whole.is_empty() || !fraction.is_empty();
    (has_digits && has_power && digits(whole) && digits(fraction) && digits(power))
        .then_some((whole, fraction, exponent))
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn a_number_keeps_its_text_where_it_is_json() {
        for text in [
            "0",
            "-1",
            "1.0",
            "1e400",
            "9007199254740993",
            "123456789012345678901234567890",
            "1.10",
        ] {
            assert_eq!(number(text).unwrap().unwrap().to_string(), text);
        }
    }

    #[test]
    fn yamls_own_numbers_become_json() {
        for (yaml, json) in [
            ("+5", "5"),
            (".5", "0.5"),
            ("5.", "5"),
            ("-.5e3", "-0.5e3"),
            ("0x1F", "31"),
            ("0o17", "15"),
        ] {
            assert_eq!(number(yaml).unwrap().unwrap().to_string(), json, "{yaml}");
        }
    }

    #[test]
    fn what_is_no_number_is_a_text() {
        for text in
            ["abc", "1.2.3", "1e", ".", "-", "e5", "1_000", "0x", "0xZZ", "12:30", "+", "5 ", "NaN"]
        {
            assert!(number(text).unwrap().is_none(), "{text}");
        }
    }

    #[test]
    fn numbers_that_json_does_not_have_are_refused() {
        for text in [".inf", "-.Inf", ".nan", "007", "-01.5"] {
            assert!(number(text).is_err(), "{text}");
        }
    }
}

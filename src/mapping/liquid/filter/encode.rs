//! Filters for what a text is put into: HTML, URLs, Base64.

use super::super::Unrendered;
use super::super::value::Value;
use super::Arguments;

type Result<'a> = std::result::Result<Value<'a>, Unrendered>;

/// The most bytes that one of the text may become.
const GROWTH: usize = 6;

fn changed<'a>(
    value: &Value<'a>,
    arguments: &Arguments<'a, '_>,
    change: impl FnOnce(&str) -> String,
) -> Result<'a> {
    let text = value.printed(arguments.work)?;
    arguments.work.spend(text.len().saturating_mul(GROWTH))?;
    Ok(Value::text(change(&text)))
}

fn push_escaped(c: char, out: &mut String) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&#39;"),
        other => out.push(other),
    }
}

pub(super) fn escape<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    changed(value, arguments, |text| {
        let mut escaped = String::with_capacity(text.len());
        text.chars().for_each(|c| push_escaped(c, &mut escaped));
        escaped
    })
}

/// What is escaped already stays as it is.
pub(super) fn escape_once<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    changed(value, arguments, |text| {
        let mut escaped = String::with_capacity(text.len());
        for (at, c) in text.char_indices() {
            if c == '&' && is_entity(&text[at + 1..]) {
                escaped.push(c);
            } else {
                push_escaped(c, &mut escaped);
            }
        }
        escaped
    })
}

/// Whether a text behind `&` goes on as an entity does: `amp;`, `#39;`.
fn is_entity(text: &str) -> bool {
    let name = text.strip_prefix('#').unwrap_or(text);
    let end = name.bytes().take(32).position(|byte| !byte.is_ascii_alphanumeric());
    end.is_some_and(|end| end > 0 && name.as_bytes()[end] == b';')
}

pub(super) fn newline_to_br<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    changed(value, arguments, |text| text.replace("\r\n", "\n").replace('\n', "<br />\n"))
}

/// Without tags and comments, and without scripts and styles at all.
pub(super) fn strip_html<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    changed(value, arguments, |text| {
        let mut left = String::with_capacity(text.len());
        let mut rest = text;
        // What was looked for in vain closes nothing further on either, and is not looked for
        // again: otherwise the time would grow with the square of the text.
        let mut blocks =
            vec![("<!--", "-->"), ("<script", "</script>"), ("<style", "</style>"), ("<", ">")];
        while let Some(at) = rest.find('<') {
            left.push_str(&rest[..at]);
            rest = &rest[at..];
            let begins = |open: &str| {
                rest.get(..open.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(open))
            };
            let Some(block) = blocks.iter().position(|(open, _)| begins(open)) else { break };
            let (_, close) = blocks[block];
            match find_any_case(rest, close) {
                Some(end) => rest = &rest[end + close.len()..],
                None => drop(blocks.remove(block)),
            }
        }
        left.push_str(rest);
        left
    })
}

fn find_any_case(text: &str, wanted: &str) -> Option<usize> {
    let windows = text.as_bytes().windows(wanted.len());
    windows.into_iter().position(|window| window.eq_ignore_ascii_case(wanted.as_bytes()))
}

/// As in the query of a URL: a blank is `+`.
pub(super) fn url_encode<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    changed(value, arguments, |text| {
        let mut encoded = String::with_capacity(text.len());
        for byte in text.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                    encoded.push(char::from(byte));
                }
                b' ' => encoded.push('+'),
                other => {
                    encoded.push('%');
                    for digit in [other >> 4, other & 15] {
                        encoded.push(char::from(DIGITS[usize::from(digit)]));
                    }
                }
            }
        }
        encoded
    })
}

pub(super) fn url_decode<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    changed(value, arguments, |text| {
        let mut decoded = Vec::with_capacity(text.len());
        let mut rest = text.as_bytes();
        while let [byte, behind @ ..] = rest {
            rest = behind;
            match (byte, hexadecimal(behind)) {
                (b'+', _) => decoded.push(b' '),
                (b'%', Some(meant)) => {
                    decoded.push(meant);
                    rest = &behind[2..];
                }
                (other, _) => decoded.push(*other),
            }
        }
        String::from_utf8_lossy(&decoded).into_owned()
    })
}

fn hexadecimal(bytes: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*bytes.get(at)?).to_digit(16);
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

pub(super) fn base64_encode<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    changed(value, arguments, |text| {
        let mut encoded = String::with_capacity(text.len() / 3 * 4 + 4);
        for three in text.as_bytes().chunks(3) {
            let bits = (0..3).fold(0_usize, |bits, at| {
                bits << 8 | usize::from(three.get(at).copied().unwrap_or(0))
            });
            for at in 0..4 {
                let digit = BASE64[bits >> (18 - 6 * at) & 63];
                encoded.push(if at <= three.len() { char::from(digit) } else { '=' });
            }
        }
        encoded
    })
}

/// Of both alphabets, with and without padding.
pub(super) fn base64_decode<'a>(value: &Value<'a>, arguments: &Arguments<'a, '_>) -> Result<'a> {
    let text = value.printed(arguments.work)?;
    let mut decoded = Vec::with_capacity(text.len());
    let (mut bits, mut count) = (0_usize, 0);
    for byte in text.trim().trim_end_matches('=').bytes() {
        let byte = match byte {
            b'-' => b'+',
            b'_' => b'/',
            byte => byte,
        };
        let digit = BASE64.iter().position(|digit| *digit == byte);
        let digit = digit.ok_or_else(|| Unrendered("the text is no Base64".to_owned()))?;
        bits = (bits << 6 | digit) & 0xffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            decoded.push(u8::try_from(bits >> count & 0xff).expect("eight bits are a byte"));
        }
    }
    arguments.made(String::from_utf8_lossy(&decoded).into_owned())
}

//! The tokens of RFC 8259, found in bytes that are known to be UTF-8.
//!
//! Every function takes the place where its token begins and gives the place behind it. None
//! looks further than its token, and none recurses.

use wide::{i8x16, u8x16};

/// Where a document breaks the grammar, and what could have stood there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) at: usize,
    pub(super) expected: &'static str,
}

const VALUE: &str = "a value";

#[inline]
fn broken<T>(at: usize, expected: &'static str) -> Result<T, Broken> {
    Err(Broken { at, expected })
}

/// Skips white space.
#[inline]
pub(super) fn white(bytes: &[u8], at: usize) -> usize {
    // Most documents have none.
    match bytes.get(at) {
        Some(0..=b' ') => much_white(bytes, at),
        _ => at,
    }
}

fn much_white(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(at) {
        at += 1;
    }
    at
}

/// Reads past `byte`, which is `expected` here.
#[inline]
pub(super) fn exactly(
    bytes: &[u8],
    at: usize,
    byte: u8,
    expected: &'static str,
) -> Result<usize, Broken> {
    if bytes.get(at) == Some(&byte) { Ok(at + 1) } else { broken(at, expected) }
}

/// Reads past `byte`, which is `expected` here, and the white space around it.
#[inline]
pub(super) fn mark(
    bytes: &[u8],
    at: usize,
    byte: u8,
    expected: &'static str,
) -> Result<usize, Broken> {
    let behind = exactly(bytes, at, byte, expected);
    // Mostly there is no white space.
    let behind = behind.or_else(|_| exactly(bytes, white(bytes, at), byte, expected))?;
    Ok(white(bytes, behind))
}

/// Reads past a string, a number, `true`, `false` or `null`.
#[inline]
pub(super) fn scalar(bytes: &[u8], at: usize) -> Result<usize, Broken> {
    match bytes.get(at) {
        Some(b'"') => Ok(string(bytes, at)?.0),
        Some(b'-' | b'0'..=b'9') => number(bytes, at),
        Some(b't') => word(bytes, at, b"true"),
        Some(b'f') => word(bytes, at, b"false"),
        Some(b'n') => word(bytes, at, b"null"),
        _ => broken(at, VALUE),
    }
}

fn word(bytes: &[u8], at: usize, word: &'static [u8]) -> Result<usize, Broken> {
    if bytes[at..].starts_with(word) { Ok(at + word.len()) } else { broken(at, VALUE) }
}

/// Reads past a string whose opening quote is at `at`; true: there are escapes in it.
#[inline]
pub(super) fn string(bytes: &[u8], at: usize) -> Result<(usize, bool), Broken> {
    let mut at = at + 1;
    // Most strings end within sixteen bytes, and hold nothing that has to be looked at.
    if let Some(first) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        at += ordinary_ascii(*first);
        if bytes.get(at) == Some(&b'"') {
            return Ok((at + 1, false));
        }
    }
    rest_of_string(bytes, at)
}

/// Reads past a string from somewhere inside it.
#[inline(never)]
fn rest_of_string(bytes: &[u8], at: usize) -> Result<(usize, bool), Broken> {
    let at = ordinary(bytes, at);
    if bytes.get(at) == Some(&b'"') { Ok((at + 1, false)) } else { rest_with_escapes(bytes, at) }
}

/// How many of the first of sixteen bytes are ASCII and mean only themselves inside a string.
#[inline]
fn ordinary_ascii(sixteen: [u8; 16]) -> usize {
    let bytes = i8x16::new(sixteen.map(u8::cast_signed));
    // What is no ASCII is negative.
    let is_odd = bytes.simd_lt(i8x16::splat(0x20));
    let is_quote = bytes.simd_eq(i8x16::splat(b'"'.cast_signed()));
    let is_backslash = bytes.simd_eq(i8x16::splat(b'\\'.cast_signed()));
    let ends = (is_odd | is_quote | is_backslash).to_bitmask() | 1 << 16;
    ends.trailing_zeros() as usize
}

/// Reads past a string from where it is not ordinary.
#[cold]
fn rest_with_escapes(bytes: &[u8], mut at: usize) -> Result<(usize, bool), Broken> {
    loop {
        match bytes.get(at) {
            Some(b'"') => return Ok((at + 1, true)),
            Some(b'\\') => at = ordinary(bytes, escape(bytes, at)?),
            Some(_) => return broken(at, "no control character inside a string"),
            None => return broken(at, "a closing quote"),
        }
    }
}

/// Skips what means only itself inside a string: all but quotes, backslashes and control
/// characters.
#[inline]
fn ordinary(bytes: &[u8], mut at: usize) -> usize {
    let (sixteens, _) = bytes.get(at..).unwrap_or_default().as_chunks();
    for sixteen in sixteens {
        let ends = ends(*sixteen);
        if ends != 0 {
            return at + ends.trailing_zeros() as usize;
        }
        at += 16;
    }
    // The last sixteen hold the rest, with something in front of it.
    let Some(last) = bytes.last_chunk() else { return short(bytes, at) };
    let before = at - (bytes.len() - 16);
    let ends = ends(*last) >> before | 1 << (16 - before);
    at + ends.trailing_zeros() as usize
}

/// The same for what is no longer than sixteen bytes.
fn short(bytes: &[u8], mut at: usize) -> usize {
    while let Some(0x20..=0x21 | 0x23..=0x5b | 0x5d..) = bytes.get(at) {
        at += 1;
    }
    at
}

/// Which of sixteen bytes may end a run: one bit each, the lowest for the first.
#[inline]
fn ends(sixteen: [u8; 16]) -> u32 {
    let bytes = u8x16::new(sixteen);
    let is_control = bytes.simd_lt(u8x16::splat(0x20));
    let is_quote = bytes.simd_eq(u8x16::splat(b'"'));
    let is_backslash = bytes.simd_eq(u8x16::splat(b'\\'));
    (is_control | is_quote | is_backslash).to_bitmask()
}

fn escape(bytes: &[u8], at: usize) -> Result<usize, Broken> {
    match bytes.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        Some(b'u') => {
            let hex = bytes.get(at + 2..at + 6);
            if hex.is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)) {
                Ok(at + 6)
            } else {
                broken(at + 2, "four hexadecimal digits")
            }
        }
        _ => broken(at + 1, "an escape that JSON knows"),
    }
}

/// Reads past a number that begins at `at` with a minus sign or a digit.
#[inline]
pub(super) fn number(bytes: &[u8], at: usize) -> Result<usize, Broken> {
    let mut at = at + usize::from(bytes.get(at) == Some(&b'-'));
    at = if bytes.get(at) == Some(&b'0') { at + 1 } else { digits(bytes, at)? };
    if bytes.get(at) == Some(&b'.') {
        at = digits(bytes, at + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        at += 1;
        if let Some(b'+' | b'-') = bytes.get(at) {
            at += 1;
        }
        at = digits(bytes, at)?;
    }
    Ok(at)
}

/// Reads past one digit or more.
#[inline]
fn digits(bytes: &[u8], from: usize) -> Result<usize, Broken> {
    let rest = bytes.get(from..).unwrap_or_default();
    let digits = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
    if digits == 0 { broken(from, "a digit") } else { Ok(from + digits) }
}

/// Whether `text` is one JSON number and nothing else.
pub(super) fn is_number(text: &str) -> bool {
    number(text.as_bytes(), 0) == Ok(text.len())
}

/// Reads past a value of a document that is known to be valid: only strings and brackets matter.
pub(super) fn valid_value(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at) {
        Some(b'"') => valid_string(bytes, at),
        Some(b'{' | b'[') => valid_nest(bytes, at),
        _ => {
            let rest = bytes.get(at..).unwrap_or_default();
            let ends = |byte: &u8| {
                matches!(byte, b',' | b':' | b']' | b'}' | b' ' | b'\n' | b'\r' | b'\t')
            };
            at + rest.iter().position(ends).unwrap_or(rest.len())
        }
    }
}

fn valid_string(bytes: &[u8], at: usize) -> usize {
    let mut at = ordinary(bytes, at + 1);
    while let Some(b'\\') = bytes.get(at) {
        at = ordinary(bytes, at + 2);
    }
    at + 1
}

fn valid_nest(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0_usize;
    loop {
        match bytes.get(at) {
            Some(b'"') => {
                at = valid_string(bytes, at);
                continue;
            }
            Some(b'{' | b'[') => depth += 1,
            Some(b'}' | b']') => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            Some(_) => {}
            None => return at,
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_grammar() {
        for good in ["0", "-0", "1", "-12.50", "1e9", "1E+9", "0.0e-0", "1e999999"] {
            assert!(is_number(good), "{good}");
        }
        for bad in ["", "-", "01", "1.", ".1", "+1", "1e", "1e+", "0x1", "1 ", " 1", "NaN"] {
            assert!(!is_number(bad), "{bad}");
        }
    }

    #[test]
    fn a_run_ends_at_the_first_byte_that_matters_wherever_it_stands() {
        for stop in [b'"', b'\\', 0, 0x1f, b'\n'] {
            for length in 0..40 {
                for ordinary_byte in [b'a', 0xc3] {
                    let mut bytes = vec![ordinary_byte; length];
                    bytes.push(stop);
                    bytes.extend([b'!', 0x7f, 0xff, 0x23, 0x5d, b'"', b' ', 1, b'a']);
                    for behind in [bytes.len(), length + 1] {
                        for from in [0, length.saturating_sub(3), length] {
                            let end = ordinary(&bytes[..behind], from);
                            assert_eq!(end, length, "{stop} after {length}, from {from}");
                        }
                    }
                }
            }
        }
        let every: Vec<u8> = (0x20..=0xff).filter(|b| !b"\"\\".contains(b)).collect();
        for from in 0..=every.len() {
            assert_eq!(ordinary(&every, from), every.len());
        }
    }

    #[test]
    fn a_string_ends_at_its_quote_however_long_it_is() {
        for length in 0..40 {
            for (inside, has_escapes) in [("a", false), ("é", false), (r"\n", true)] {
                let inside = inside.repeat(length);
                for behind in ["", "x", r#"\" a tail that is longer than sixteen bytes"#] {
                    let text = format!(r#""{inside}"{behind}"#);
                    let expected = Ok((inside.len() + 2, has_escapes && length > 0));
                    assert_eq!(string(text.as_bytes(), 0), expected, "{text}");
                }
                let open = format!(r#""{inside}"#);
                let expected = broken(open.len(), "a closing quote");
                assert_eq!(string(open.as_bytes(), 0), expected, "{open}");
            }
        }
    }
}

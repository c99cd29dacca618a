//! JSON text, written.

use crate::event::{Token, Value};

/// Appends `text` as a JSON string.
pub(super) fn string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    escaped(text, out);
    out.push(b'"');
}

/// Appends `text` as the inside of a JSON string.
pub(super) fn escaped(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    let mut from = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        let short = match byte {
            b'"' => b'"',
            b'\\' => b'\\',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0x08 => b'b',
            0x0c => b'f',
            0x00..0x20 => b'u',
            _ => continue,
        };
        out.extend_from_slice(&bytes[from..at]);
        out.extend_from_slice(&[b'\\', short]);
        if short == b'u' {
            out.extend_from_slice(format!("{byte:04x}").as_bytes());
        }
        from = at + 1;
    }
    out.extend_from_slice(&bytes[from..]);
}

/// Appends the compact text of `value`.
pub(super) fn compact(value: Value<'_>, out: &mut Vec<u8>) {
    for token in value.tokens() {
        match token {
            Token::Mark(mark) => out.push(mark),
            Token::Scalar(scalar) => out.extend_from_slice(scalar.text().as_bytes()),
        }
    }
}

/// Appends the compact text of `value`, itself escaped, as the inside of a JSON string.
pub(super) fn escaped_compact(value: Value<'_>, out: &mut Vec<u8>) {
    for token in value.tokens() {
        match token {
            Token::Mark(mark) => out.push(mark),
            Token::Scalar(scalar) => escaped(scalar.text(), out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_serde_json_reads() {
        let text: String = (0..0x250).filter_map(char::from_u32).chain(['😀']).collect();
        let mut out = Vec::new();
        string(&text, &mut out);
        assert_eq!(serde_json::from_slice::<String>(&out).expect("a string"), text);
    }

    #[test]
    fn compact_text_has_no_white_space_outside_strings() {
        let value = Value::of_valid("{ \"a b\" : [ 1 ,\n null ], \"c\":{ } }");
        let mut out = Vec::new();
        escaped_compact(value, &mut out);
        assert_eq!(out, br#"{\"a b\":[1,null],\"c\":{}}"#);
    }
}

//! The inside of a JSON string, its escapes resolved only as far as somebody looks.

use std::borrow::Cow;
use std::str;

/// A JSON string's inside: between the quotes, escapes unresolved.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    raw: &'a str,
}

impl<'a> Text<'a> {
    /// `raw` stood between the quotes of a valid JSON string.
    pub(crate) fn of_valid(raw: &'a str) -> Text<'a> {
        Text { raw }
    }

    /// The inside as it was written, which is also how it may be written between other quotes.
    #[must_use]
    pub fn raw(self) -> &'a str {
        self.raw
    }

    /// The text itself where it was written without escapes.
    #[must_use]
    pub fn plain(self) -> Option<&'a str> {
        // Most texts are too short for anything cleverer than a loop.
        if self.raw.as_bytes().contains(&b'\\') { None } else { Some(self.raw) }
    }

    /// Whether the decoded text equals `other`; allocates nothing.
    #[must_use]
    pub fn eq_str(self, other: &str) -> bool {
        match self.plain() {
            Some(plain) => plain == other,
            None => self.chars().eq(other.chars()),
        }
    }

    /// The text with its escapes resolved; half a surrogate pair becomes U+FFFD. Allocates only
    /// where there are escapes.
    #[must_use]
    pub fn decode(self) -> Cow<'a, str> {
        match self.plain() {
            Some(plain) => Cow::Borrowed(plain),
            None => Cow::Owned(self.chars().collect()),
        }
    }

    /// The characters of the decoded text.
    #[must_use]
    pub fn chars(self) -> Chars<'a> {
        Chars { rest: self.raw.chars() }
    }
}

/// The characters of a [`Text`].
#[derive(Clone, Debug)]
pub struct Chars<'a> {
    rest: str::Chars<'a>,
}

impl Iterator for Chars<'_> {
    type Item = char;

    #[inline]
    fn next(&mut self) -> Option<char> {
        match self.rest.next()? {
            '\\' => Some(self.escaped()),
            plain => Some(plain),
        }
    }
}

impl Chars<'_> {
    /// What stands behind a backslash that was read.
    fn escaped(&mut self) -> char {
        match self.rest.next() {
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => self.unicode(),
            Some(itself) => itself,
            None => char::REPLACEMENT_CHARACTER,
        }
    }

    /// What `\u` means, with the second half of a surrogate pair where there is one. Half a pair
    /// is taken for itself alone, so that what follows it keeps its own meaning.
    fn unicode(&mut self) -> char {
        let first = four_hex(&mut self.rest);
        if !(0xD800..0xDC00).contains(&first) {
            return char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER);
        }
        let mut ahead = self.rest.clone();
        if ahead.next() != Some('\\') || ahead.next() != Some('u') {
            return char::REPLACEMENT_CHARACTER;
        }
        let second = four_hex(&mut ahead);
        if !(0xDC00..0xE000).contains(&second) {
            return char::REPLACEMENT_CHARACTER;
        }
        self.rest = ahead;
        let joined = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
        char::from_u32(joined).unwrap_or(char::REPLACEMENT_CHARACTER)
    }
}

fn four_hex(chars: &mut str::Chars<'_>) -> u32 {
    chars.take(4).fold(0, |value, digit| value * 16 + digit.to_digit(16).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(raw: &str) -> String {
        Text::of_valid(raw).decode().into_owned()
    }

    #[test]
    fn escapes_are_resolved() {
        assert_eq!(decoded(r#"a\"\\\/\b\f\n\r\t\u0041"#), "a\"\\/\u{8}\u{c}\n\r\tA");
        assert_eq!(decoded(r"\ud83d\ude00\uD83D\uDE00"), "😀😀");
        assert_eq!(decoded("grün"), "grün");
    }

    #[test]
    fn half_a_surrogate_pair_becomes_the_replacement_character() {
        assert_eq!(decoded(r"\ud800"), "\u{fffd}");
        assert_eq!(decoded(r"\udc00x"), "\u{fffd}x");
        assert_eq!(decoded(r"\ud83d\u0041"), "\u{fffd}A");
        assert_eq!(decoded(r"\ud83d\ud83d\ude00"), "\u{fffd}😀");
        assert_eq!(decoded(r"\ud83d\n"), "\u{fffd}\n");
    }

    #[test]
    fn equality_looks_through_escapes() {
        assert!(Text::of_valid(r"\u0074ype").eq_str("type"));
        assert!(Text::of_valid("type").eq_str("type"));
        assert!(!Text::of_valid(r"\u0074yp").eq_str("type"));
        assert!(!Text::of_valid(r"\u0074ypes").eq_str("type"));
    }
}

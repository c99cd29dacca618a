//! Cases, letter by letter: what `lowercase` and its kin make of a text, without holding it.

use std::char::{ToLowercase, ToUppercase};

/// How letters are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    Lower,
    Upper,
    /// `signed_up`: words of letters and digits, in lower case, joined by this. A word also begins
    /// at an upper-case letter behind a lower-case one or a digit.
    Words(char),
    /// `Signed Up`: the first letter of each word in upper case, the others as they are.
    Title,
}

/// The characters of a text in another case.
#[derive(Clone, Debug)]
pub(super) struct Cased<I> {
    letters: I,
    case: Case,
    /// What a letter became is given out from here before the next letter is read.
    ready: Ready,
    before: Option<char>,
    started: bool,
}

#[derive(Clone, Debug)]
enum Ready {
    Nothing,
    Lower(ToLowercase),
    Upper(ToUppercase),
}

impl<I: Iterator<Item = char>> Cased<I> {
    pub(super) fn new(letters: I, case: Case) -> Cased<I> {
        Cased { letters, case, ready: Ready::Nothing, before: None, started: false }
    }

    /// Whether `letter` begins a word of [`Case::Words`].
    fn begins_word(&self, letter: char) -> bool {
        match self.before {
            None => true,
            Some(before) if !before.is_alphanumeric() => true,
            Some(before) => letter.is_uppercase() && (before.is_lowercase() || before.is_numeric()),
        }
    }

    /// Whether a word of [`Case::Title`] can begin here: an apostrophe does not end one.
    fn may_begin_title(&self) -> bool {
        let goes_on = |before: char| before.is_alphanumeric() || matches!(before, '_' | '\'' | '’');
        !self.before.is_some_and(goes_on)
    }
}

impl<I: Iterator<Item = char>> Iterator for Cased<I> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        loop {
            let ready = match &mut self.ready {
                Ready::Nothing => None,
                Ready::Lower(lower) => lower.next(),
                Ready::Upper(upper) => upper.next(),
            };
            if ready.is_some() {
                return ready;
            }
            self.ready = Ready::Nothing;
            let letter = self.letters.next()?;
            let mut first = None;
            match self.case {
                Case::Lower if letter.is_ascii() => first = Some(letter.to_ascii_lowercase()),
                Case::Upper if letter.is_ascii() => first = Some(letter.to_ascii_uppercase()),
                Case::Lower => self.ready = Ready::Lower(letter.to_lowercase()),
                Case::Upper => self.ready = Ready::Upper(letter.to_uppercase()),
                Case::Title if self.may_begin_title() => {
                    self.ready = Ready::Upper(letter.to_uppercase());
                }
                Case::Title => first = Some(letter),
                Case::Words(joint) if letter.is_alphanumeric() => {
                    if self.started && self.begins_word(letter) {
                        first = Some(joint);
                    }
                    self.started = true;
                    self.ready = Ready::Lower(letter.to_lowercase());
                }
                Case::Words(_) => {}
            }
            self.before = Some(letter);
            if first.is_some() {
                return first;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cased(text: &str, case: Case) -> String {
        Cased::new(text.chars(), case).collect()
    }

    #[test]
    fn every_case_is_written_as_its_name_says() {
        assert_eq!(cased("ÄB ß", Case::Lower), "äb ß");
        assert_eq!(cased("äb ß", Case::Upper), "ÄB SS");
        assert_eq!(cased("test string", Case::Title), "Test String");
        assert_eq!(cased("it's ON-line iOS", Case::Title), "It's ON-Line IOS");
        for text in ["Signed Up", "signedUp", "SIGNED_UP", "--signed--up--", " Signed  UP!"] {
            assert_eq!(cased(text, Case::Words('_')), "signed_up", "{text}");
        }
        assert_eq!(cased("test string", Case::Words('-')), "test-string");
        assert_eq!(cased("Order2Completed 3x", Case::Words('_')), "order2_completed_3x");
        assert_eq!(cased("--", Case::Words('_')), "");
    }
}

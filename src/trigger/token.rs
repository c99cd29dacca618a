//! Tokens: what a trigger's text is made of.

use std::borrow::Cow;
use std::ops::Range;

use super::ParseError;
use super::hint;
use super::tree::Comparison;

/// What cannot be a path of its own; behind a dot each is a key.
pub(super) const KEYWORDS: [&str; 6] = ["and", "or", "in", "true", "false", "null"];

/// Whether a path may hold `c` without a backslash before it.
pub(super) fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-')
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token<'t> {
    /// One key without escapes: a keyword, a function or a path.
    Name(&'t str),
    /// The keys of any other path.
    Path(Vec<String>),
    Text(String),
    /// A JSON number.
    Number(&'t str),
    Comparison(Comparison),
    Not,
    Open,
    Close,
    OpenList,
    CloseList,
    Comma,
    End,
}

/// Reads tokens off a text.
#[derive(Debug)]
pub(super) struct Tokens<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Tokens<'t> {
    pub(super) fn new(text: &'t str) -> Tokens<'t> {
        Tokens { text, at: 0 }
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    /// The next token and where it stands.
    pub(super) fn next(&mut self) -> Result<(Token<'t>, Range<usize>), ParseError> {
        self.at = self.text.len() - self.rest().trim_start().len();
        let from = self.at;
        let token = self.token()?;
        Ok((token, from..self.at))
    }

    fn token(&mut self) -> Result<Token<'t>, ParseError> {
        let Some(first) = self.rest().chars().next() else {
            return Ok(Token::End);
        };
        let single = match first {
            '(' => Token::Open,
            ')' => Token::Close,
            '[' => Token::OpenList,
            ']' => Token::CloseList,
            ',' => Token::Comma,
            '"' | '\'' => return self.quoted(first),
            '!' | '=' | '<' | '>' => return self.symbol(),
            c if is_plain(c) || matches!(c, '\\' | '.') => return self.word(),
            _ => return Err(self.stranger()),
        };
        self.at += first.len_utf8();
        Ok(single)
    }

    fn symbol(&mut self) -> Result<Token<'t>, ParseError> {
        let slips = [
            ("=~", r#"match(field, "pattern*")"#),
            ("!~", r#"!match(field, "pattern*")"#),
            ("===", "="),
            ("!==", "!="),
            ("==", "="),
            ("<>", "!="),
            ("=<", "<="),
            ("=>", ">="),
            ("=!", "!="),
        ];
        for (slip, meant) in slips {
            // `=!` could only be the beginning of `a =!b`, which is no comparison either.
            if self.rest().starts_with(slip) {
                return Err(ParseError {
                    at: self.at..self.at + slip.len(),
                    message: format!(r#""{slip}" is no comparison"#),
                    hint: Some(match meant.len() {
                        1 | 2 => format!(r#"write "{meant}""#),
                        _ => format!("write {meant}"),
                    }),
                });
            }
        }
        for (symbol, comparison) in Comparison::SYMBOLS {
            if self.rest().starts_with(symbol) {
                self.at += symbol.len();
                return Ok(Token::Comparison(comparison));
            }
        }
        self.at += 1;
        Ok(Token::Not)
    }

    /// A string. A backslash stands for itself except before a quote or a backslash, so that
    /// globs need no second one.
    fn quoted(&mut self, quote: char) -> Result<Token<'t>, ParseError> {
        let from = self.at;
        let mut text = String::new();
        let mut chars = self.rest().char_indices().skip(1).peekable();
        while let Some((at, c)) = chars.next() {
            if c == quote {
                self.at = from + at + 1;
                return Ok(Token::Text(text));
            }
            let escaped = chars.next_if(|(_, next)| c == '\\' && matches!(next, '\\' | '"' | '\''));
            text.push(escaped.map_or(c, |(_, escaped)| escaped));
        }
        Err(self.unclosed(from, quote))
    }

    fn unclosed(&self, from: usize, quote: char) -> ParseError {
        let before = &self.text[..from];
        let word = before.rsplit(|c| !is_plain(c)).next().unwrap_or_default();
        ParseError {
            at: from..self.text.len(),
            message: format!("expected a closing {quote}, found the end"),
            hint: Some(if !word.is_empty() {
                format!("is a quote missing before {word}?")
            } else if self.text[from..].contains(&format!("\\{quote}")) {
                format!(r"\{quote} is a quote inside of the text; write \\ for a backslash")
            } else {
                "this quote is never closed".to_owned()
            }),
        }
    }

    /// A name, a path or a number.
    fn word(&mut self) -> Result<Token<'t>, ParseError> {
        let from = self.at;
        let (keys, length, escapes) = self.keys();
        let word = &self.text[from..from + length];
        if word.starts_with(|c: char| c == '-' || c.is_ascii_digit()) && !escapes {
            let number = number_length(self.rest());
            if number >= length {
                self.at = from + number;
                return Ok(Token::Number(&self.text[from..self.at]));
            }
            if word.bytes().all(|byte| byte.is_ascii_digit() || b".-eE".contains(&byte)) {
                return Err(self.no_number(word));
            }
        }
        let Some(keys) = keys else {
            return Err(self.no_path(word));
        };
        self.at = from + length;
        Ok(if keys.len() == 1 && !escapes { Token::Name(word) } else { Token::Path(keys) })
    }

    fn no_number(&self, word: &str) -> ParseError {
        let hint = if word.matches('.').count() > 1 {
            format!("a text needs quotes: \"{word}\"")
        } else if let Some(whole) = word.strip_suffix('.') {
            format!("write {whole} or {word}0")
        } else {
            r"numbers are written as in JSON; a key of this name needs a backslash before it".into()
        };
        ParseError {
            at: self.at..self.at + word.len(),
            message: format!("{word} is no number"),
            hint: Some(hint),
        }
    }

    /// What is wrong with the path `word`, in which a key is empty or a backslash stands alone.
    fn no_path(&self, word: &str) -> ParseError {
        let end = self.at + word.len();
        let next = self.text[end..].chars().next();
        if word.ends_with('.') && next.is_some_and(|next| !next.is_whitespace() && next != '=') {
            return Tokens { text: self.text, at: end }.stranger();
        }
        let number = word.strip_prefix('.').filter(|rest| rest.bytes().all(|b| b.is_ascii_digit()));
        let (message, hint) = if word.ends_with('\\') && !word.ends_with(r"\\") {
            (format!("expected a character behind the backslash in {word}"), "")
        } else {
            let message = format!("expected a key on either side of every dot in {word}");
            (message, r"a dot that belongs to a key needs a backslash before it: a\.b")
        };
        let hint = match number {
            Some(digits) if !digits.is_empty() => format!("write 0.{digits} for a number"),
            _ => hint.to_owned(),
        };
        let hint = Some(hint).filter(|hint| !hint.is_empty());
        ParseError { at: self.at..end, message, hint }
    }

    /// The keys of the path that begins here, its length in bytes, and whether there are escapes
    /// in it; no keys where one of them would be empty.
    fn keys(&self) -> (Option<Vec<String>>, usize, bool) {
        let mut keys = vec![String::new()];
        let (mut escapes, mut dangling) = (false, false);
        let mut letters = self.rest().char_indices();
        let mut length = self.rest().len();
        while let Some((at, letter)) = letters.next() {
            let behind = if letter == '\\' { letters.next() } else { None };
            match (letter, behind, keys.last_mut()) {
                ('.', ..) => keys.push(String::new()),
                ('\\', Some((_, itself)), Some(key)) => {
                    escapes = true;
                    key.push(itself);
                }
                ('\\', None, _) => dangling = true,
                (plain, _, Some(key)) if is_plain(plain) => key.push(plain),
                _ => {
                    length = at;
                    break;
                }
            }
        }
        let complete = !dangling && keys.iter().all(|key| !key.is_empty());
        (complete.then_some(keys), length, escapes)
    }

    /// A character that no token begins with.
    fn stranger(&self) -> ParseError {
        let (length, hint) = hint::for_stranger(self.rest(), &self.text[..self.at]);
        let found = visible(&self.rest()[..length]);
        ParseError {
            at: self.at..self.at + length,
            message: format!("{found} means nothing here"),
            hint,
        }
    }
}

/// What was found, by its number where nobody could see it.
fn visible(found: &str) -> Cow<'_, str> {
    let is_invisible = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    match found.chars().next() {
        Some(c) if is_invisible(c) => {
            format!("the invisible character U+{:04X}", u32::from(c)).into()
        }
        _ => found.into(),
    }
}

/// How long the JSON number is that `text` begins with; 0: it begins with none.
fn number_length(text: &str) -> usize {
    let digits = |from: usize| {
        let rest = text.as_bytes().get(from..).unwrap_or_default();
        rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let byte = |at: usize| text.as_bytes().get(at).copied();
    let mut at = usize::from(byte(0) == Some(b'-'));
    match (byte(at), digits(at)) {
        (Some(b'0'), _) => at += 1,
        (_, 0) => return 0,
        (_, whole) => at += whole,
    }
    if byte(at) == Some(b'.') && digits(at + 1) > 0 {
        at += 1 + digits(at + 1);
    }
    if let Some(b'e' | b'E') = byte(at) {
        let sign = usize::from(matches!(byte(at + 1), Some(b'+' | b'-')));
        if digits(at + 1 + sign) > 0 {
            at += 1 + sign + digits(at + 1 + sign);
        }
    }
    at
}

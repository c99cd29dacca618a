//! What stands inside a mark, word by word.

use std::borrow::Cow;

use super::ParseError;
use super::number::Number;
use super::pieces::Inside;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token<'t> {
    Name(&'t str),
    Text(&'t str),
    Number(Number<'t>),
    Symbol(&'static str),
}

/// The tokens of one mark, and where the reading of them stands.
#[derive(Debug)]
pub(super) struct Tokens<'t> {
    all: Vec<(usize, Token<'t>)>,
    next: usize,
    /// Where the mark closes.
    end: usize,
}

/// The longer ones come first.
const SYMBOLS: [&str; 17] =
    ["==", "!=", "<>", "<=", ">=", "..", "<", ">", "=", "|", ":", ",", ".", "[", "]", "(", ")"];

impl<'t> Tokens<'t> {
    pub(super) fn of(inside: Inside<'t>) -> Result<Tokens<'t>, ParseError> {
        let mut tokens = Vec::new();
        let mut rest = inside.text.trim_start();
        while let Some(first) = rest.chars().next() {
            let at = inside.at + inside.text.len() - rest.len();
            let (token, length) = if let '"' | '\'' = first {
                let end = rest[1..]
                    .find(first)
                    .ok_or_else(|| ParseError::new(at, "this quote is never closed"))?;
                (Token::Text(&rest[1..=end]), end + 2)
            } else if let Some(length) = number(rest) {
                (Token::Number(literal(&rest[..length])), length)
            } else if is_name(first) {
                let length = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
                (Token::Name(&rest[..length]), length)
            } else if let Some(symbol) = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
                (Token::Symbol(symbol), symbol.len())
            } else {
                return Err(unexpected(at, first));
            };
            tokens.push((at, token));
            rest = rest[length..].trim_start();
        }
        Ok(Tokens { all: tokens, next: 0, end: inside.at + inside.text.len() })
    }

    pub(super) fn peek(&self) -> Option<&Token<'t>> {
        self.all.get(self.next).map(|(_, token)| token)
    }

    /// The token behind the next one.
    pub(super) fn peek_behind(&self) -> Option<&Token<'t>> {
        self.all.get(self.next + 1).map(|(_, token)| token)
    }

    pub(super) fn next(&mut self) -> Option<Token<'t>> {
        let (_, token) = self.all.get(self.next)?;
        self.next += 1;
        Some(token.clone())
    }

    /// Where the next token stands.
    pub(super) fn at(&self) -> usize {
        self.all.get(self.next).map_or(self.end, |(at, _)| *at)
    }

    /// Whether `symbol` was next, and is read.
    pub(super) fn takes(&mut self, symbol: &str) -> bool {
        let is_next = matches!(self.peek(), Some(Token::Symbol(next)) if *next == symbol);
        self.next += usize::from(is_next);
        is_next
    }

    /// Whether the name `word` was next, and is read.
    pub(super) fn takes_word(&mut self, word: &str) -> bool {
        let is_next = matches!(self.peek(), Some(Token::Name(next)) if *next == word);
        self.next += usize::from(is_next);
        is_next
    }

    pub(super) fn expect(&mut self, symbol: &str) -> Result<(), ParseError> {
        if self.takes(symbol) { Ok(()) } else { Err(self.expected(&format!("{symbol:?}"))) }
    }

    pub(super) fn name(&mut self, what: &str) -> Result<&'t str, ParseError> {
        match self.peek() {
            Some(Token::Name(name)) => {
                let name = *name;
                self.next += 1;
                Ok(name)
            }
            _ => Err(self.expected(what)),
        }
    }

    pub(super) fn expect_end(&self) -> Result<(), ParseError> {
        if self.peek().is_none() { Ok(()) } else { Err(self.expected("the end of the tag")) }
    }

    pub(super) fn expected(&self, what: &str) -> ParseError {
        let found = match self.peek() {
            None => "its end".to_owned(),
            Some(Token::Name(name)) => (*name).to_owned(),
            Some(Token::Text(text)) => format!("{text:?}"),
            Some(Token::Number(number)) => number.text().to_owned(),
            Some(Token::Symbol(symbol)) => format!("{symbol:?}"),
        };
        ParseError::new(self.at(), format!("expected {what}, found {found}"))
    }
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '?' | '$')
}

/// How long the number is that `text` begins with. `1..2` is two of them, and `1a` none.
fn number(text: &str) -> Option<usize> {
    let digits = |from: usize| {
        text[from..].find(|c: char| !c.is_ascii_digit()).map_or(text.len(), |end| from + end)
    };
    let begin = usize::from(text.starts_with('-'));
    let whole = digits(begin);
    let mut end = whole;
    if text[whole..].starts_with('.') && digits(whole + 1) > whole + 1 {
        end = digits(whole + 1);
    }
    let goes_on = text[end..].chars().next().is_some_and(is_name);
    (whole > begin && !goes_on).then_some(end)
}

/// A number as a template may write it, as JSON writes it.
fn literal(text: &str) -> Number<'_> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text),
    };
    let significant = digits.trim_start_matches('0');
    let leads_with_digit = significant.starts_with(|c: char| c.is_ascii_digit());
    Number::of_valid(if digits.len() == significant.len() {
        Cow::Borrowed(text)
    } else if leads_with_digit {
        Cow::Owned(format!("{sign}{significant}"))
    } else {
        Cow::Owned(format!("{sign}0{significant}"))
    })
}

fn unexpected(at: usize, found: char) -> ParseError {
    let error = ParseError::new(at, format!("{found:?} means nothing here"));
    match found {
        '“' | '”' | '‘' | '’' => error.with_hint("quotes are straight: \" or '"),
        '&' => error.with_hint("and is written out"),
        '!' => error.with_hint("what does not hold is asked for with unless, or with !="),
        '+' | '*' | '/' => {
            error.with_hint("numbers go through filters: plus, minus, times, divided_by")
        }
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Result<String, usize> {
        let tokens = Tokens::of(Inside { text, at: 100 }).map_err(|error| error.at)?;
        let shown = tokens.all.iter().map(|(at, token)| match token {
            Token::Name(name) => format!("{at}:{name}"),
            Token::Text(text) => format!("{at}:'{text}'"),
            Token::Number(number) => format!("{at}:#{}", number.text()),
            Token::Symbol(symbol) => format!("{at}:{symbol}"),
        });
        Ok(shown.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn words_are_told_apart() {
        for (text, expected) in [
            (" a.b-c[0]", "101:a 102:. 103:b-c 106:[ 107:#0 108:]"),
            ("(1..x)", "100:( 101:#1 102:.. 104:x 105:)"),
            ("-1.50 007 00.5 -0", "100:#-1.50 106:#7 110:#0.5 115:#-0"),
            ("'it\"s'|ü:\"\"", "100:'it\"s' 106:| 107:ü 109:: 110:''"),
            ("a<=b<>c", "100:a 101:<= 103:b 104:<> 106:c"),
            ("1a 2.x", "100:1a 103:#2 104:. 105:x"),
        ] {
            assert_eq!(shown(text), Ok(expected.to_owned()), "{text}");
        }
        assert_eq!((shown("a & b"), shown("“a”"), shown("a 'b")), (Err(102), Err(100), Err(102)));
    }
}

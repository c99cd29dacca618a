//! What is said about a configuration file, and where it points.
//!
//! Knows how a finding is shown: its place, the line it is about, a caret, a hint. It does not
//! know what can be wrong with a configuration.

use std::fmt::{self, Write as _};
use std::ops::Range;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// One finding about a configuration: an error, or a warning.
///
/// Its `Display` is what the user reads: `file:line:column: path: message`, the line with a caret
/// under the place, and a hint where there is one. It holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Diagnostic {
    /// The file, as it was named on the command line.
    pub file: String,
    /// Where in the file; none: it is about the file as a whole.
    pub place: Option<Place>,
    /// The keys from the outside in, joined by dots; empty: the file as a whole.
    pub path: String,
    /// What is wrong, in a lower-case fragment.
    pub message: String,
    /// What would help.
    pub hint: Option<String>,
}

/// A place in a file, with the line it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The line's text; secrets are replaced by `***`.
    excerpt: String,
    /// Which characters of the excerpt are meant.
    marked: Range<usize>,
}

/// The longest path that is shown whole, in characters.
const LONGEST_PATH: usize = 160;

impl Diagnostic {
    /// The first line of what `Display` shows: where, and what.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut text = self.file.clone();
        if let Some(place) = &self.place {
            let _ = write!(text, ":{}:{}", place.line, place.column);
        }
        if !self.path.is_empty() {
            text.push_str(": ");
            text.extend(self.path.chars().take(LONGEST_PATH));
            if self.path.chars().nth(LONGEST_PATH).is_some() {
                text.push('…');
            }
        }
        text.push_str(": ");
        text.push_str(&self.message);
        text
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.summary())?;
        let mut margin = 2;
        if let Some(place) = self.place.as_ref().filter(|place| !place.excerpt.trim().is_empty()) {
            let number = place.line.to_string();
            margin += number.len();
            let (before, marked) = place.columns();
            let before = " ".repeat(before);
            let carets = "^".repeat(marked.max(1));
            write!(f, "\n  {number} | {}", place.excerpt)?;
            write!(f, "\n{:margin$} | {before}{carets}", "")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n{:margin$} = help: {hint}", "")?;
        }
        Ok(())
    }
}

/// Everything that is wrong with a configuration, in the file's order; never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Errors(pub Vec<Diagnostic>);

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            write!(f, "{diagnostic}")?;
        }
        Ok(())
    }
}

/// A configuration file's text, and which parts of it must not be shown.
#[derive(Debug)]
pub(super) struct File {
    name: String,
    text: String,
    lines: Vec<usize>,
    secrets: Vec<Range<usize>>,
}

/// The longest line that is shown whole.
const WIDEST_EXCERPT: usize = 160;

impl File {
    pub(super) fn new(name: &str, text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).to_owned();
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect();
        Self { name: name.to_owned(), text, lines, secrets: Vec::new() }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// From now on these bytes are shown as `***`.
    pub(super) fn hide(&mut self, bytes: Range<usize>) {
        self.secrets.push(bytes);
    }

    /// The bytes of the line (from 0) that `at` is in, without its end.
    pub(super) fn line_of(&self, at: usize) -> (usize, Range<usize>) {
        let line = self.lines.partition_point(|start| *start <= at) - 1;
        let start = self.lines[line];
        let end = self.lines.get(line + 1).map_or(self.text.len(), |next| next - 1);
        (line, start..start + self.text[start..end].trim_end_matches('\r').len())
    }

    /// A finding about some bytes of this file, or about the whole of it.
    pub(super) fn diagnostic(
        &self,
        bytes: Option<Range<usize>>,
        path: &str,
        message: String,
        hint: Option<String>,
    ) -> Diagnostic {
        let place = bytes.map(|bytes| self.place(&bytes));
        Diagnostic { file: self.name.clone(), place, path: path.to_owned(), message, hint }
    }

    /// Where `bytes` begin, with as much of them as stands in that line.
    fn place(&self, bytes: &Range<usize>) -> Place {
        let (line, range) = self.line_of(bytes.start);
        let mut excerpt = String::new();
        let mut marked = None;
        let mut marked_end = 0;
        let mut column = 1;
        let mut shown = 0;
        // Where the stars stand for what is being left out.
        let mut hidden_from = None;
        for (at, character) in self.text[range.clone()].char_indices() {
            let at = range.start + at;
            let is_secret = self.secrets.iter().any(|secret| secret.contains(&at));
            if at < bytes.start {
                column += 1;
            } else if marked.is_none() {
                marked = Some(hidden_from.filter(|_| is_secret).unwrap_or(shown));
            }
            if !is_secret {
                hidden_from = None;
                excerpt.push(if is_shown(character) { character } else { ' ' });
                shown += 1;
            } else if hidden_from.is_none() {
                hidden_from = Some(shown);
                excerpt.push_str("***");
                shown += 3;
            }
            if at < bytes.end {
                marked_end = shown;
            }
        }
        let marked = marked.unwrap_or(shown);
        let mut place =
            Place { line: line + 1, column, excerpt, marked: marked..marked_end.max(marked + 1) };
        place.shorten();
        place
    }
}

impl Place {
    /// How many columns of a terminal stand before what is meant, and how many it takes itself.
    fn columns(&self) -> (usize, usize) {
        let at = |index: usize| {
            let found = self.excerpt.char_indices().nth(index);
            found.map_or(self.excerpt.len(), |(byte, _)| byte)
        };
        let (start, end) = (at(self.marked.start), at(self.marked.end));
        let beyond = self.marked.end.saturating_sub(self.excerpt.chars().count());
        (self.excerpt[..start].width(), self.excerpt[start..end].width() + beyond)
    }

    /// Cuts a long line to a window around what is meant.
    fn shorten(&mut self) {
        let length = self.excerpt.chars().count();
        if length <= WIDEST_EXCERPT {
            return;
        }
        let from = self.marked.start.saturating_sub(WIDEST_EXCERPT / 2);
        let cut: String = self.excerpt.chars().skip(from).take(WIDEST_EXCERPT).collect();
        let shift = usize::from(from > 0);
        let [left, right] =
            [from > 0, from + WIDEST_EXCERPT < length].map(|is_cut| if is_cut { "…" } else { "" });
        self.excerpt = format!("{left}{cut}{right}");
        let start = self.marked.start - from + shift;
        self.marked =
            start..(self.marked.end - from + shift).min(WIDEST_EXCERPT + shift).max(start + 1);
    }
}

/// Whether a character is shown as it is: it moves nothing else on a terminal, and turns no text
/// around.
fn is_shown(character: char) -> bool {
    let turns = matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    character.width().is_some() && !turns
}

//! Where a place in a scalar's value stands in the file.
//!
//! Knows the five ways YAML writes a string, and walks the value and what was written side by
//! side. It is only asked when something is wrong, so it need not be fast.

use saphyr_parser::ScalarStyle;

/// How and where a scalar is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Written {
    /// Plain, quoted or a block.
    pub(super) style: ScalarStyle,
    /// The first byte: the opening quote, or the first character of the content.
    pub(super) start: usize,
    /// How many columns the content of a block is indented by.
    pub(super) indent: usize,
}

impl Written {
    /// The byte of `file` at which the byte `at` of `value` is written.
    pub(super) fn locate(self, file: &str, value: &str, at: usize) -> usize {
        let at = at.min(value.trim_end().len());
        let place = match self.style {
            ScalarStyle::Literal | ScalarStyle::Folded => self.locate_in_block(file, value, at),
            _ => self.locate_in_flow(file, value, at),
        };
        file.floor_char_boundary(place)
    }

    /// The bytes that the scalar is written in, as far as they hold its value.
    pub(super) fn end(self, file: &str, value: &str) -> usize {
        let end = self.locate(file, value, value.len());
        match self.style {
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
                let quote = if self.style == ScalarStyle::SingleQuoted { '\'' } else { '"' };
                rest(file, end).find(quote).map_or(end, |more| end + more + 1)
            }
            _ => end,
        }
    }

    /// A block's text stands line by line in the file; a folded one has joined some of the lines.
    fn locate_in_block(self, file: &str, value: &str, at: usize) -> usize {
        let mut place = self.start;
        let mut done = value.len() - value.trim_start_matches('\n').len();
        while done < at {
            let rest = value.get(done..).unwrap_or_default();
            if let Some(after) = after_break(file, place) {
                let (after, breaks) = self.after_block_breaks(file, after);
                let newlines = rest.len() - rest.trim_start_matches('\n').len();
                let consumed = if newlines == 0 { 1 } else { newlines.min(breaks) };
                if at < done + consumed {
                    return place;
                }
                done += consumed;
                place = after;
                continue;
            }
            let Some(character) = rest.chars().next() else {
                break;
            };
            done += character.len_utf8();
            place += character.len_utf8();
        }
        place.min(file.len())
    }

    /// Past the indentation of the next line; of a folded block also past empty lines, which are
    /// counted.
    fn after_block_breaks(self, file: &str, mut place: usize) -> (usize, usize) {
        let mut breaks = 1;
        loop {
            let blank =
                rest(file, place).bytes().take(self.indent).take_while(|byte| *byte == b' ');
            let indented = place + blank.count();
            match after_break(file, indented) {
                Some(after) if self.style == ScalarStyle::Folded => {
                    breaks += 1;
                    place = after;
                }
                _ => return (indented, breaks),
            }
        }
    }

    /// Plain and quoted text: lines are joined by a blank, empty lines are kept, quotes and
    /// backslashes may take more room than what they stand for.
    fn locate_in_flow(self, file: &str, value: &str, at: usize) -> usize {
        let quoted = self.style != ScalarStyle::Plain;
        let mut place = self.start + usize::from(quoted);
        let mut done = 0;
        loop {
            let escaped_break = self.style == ScalarStyle::DoubleQuoted
                && rest(file, place).starts_with('\\')
                && after_break(file, place + 1).is_some();
            let fold = fold(file, if escaped_break { place + 1 } else { place });
            let consumed = match fold {
                Some((_, breaks)) if escaped_break => breaks - 1,
                Some((_, breaks)) => (breaks - 1).max(1),
                None => 0,
            };
            if let Some((after, _)) = fold {
                if at < done + consumed || done + consumed > value.len() {
                    return place;
                }
                done += consumed;
                place = after;
                continue;
            }
            let Some(character) = value.get(done..).and_then(|rest| rest.chars().next()) else {
                return place.min(file.len());
            };
            if done >= at {
                return place;
            }
            done += character.len_utf8();
            place += self.width(rest(file, place), character);
        }
    }

    /// How many bytes the next character of the value takes in the file.
    fn width(self, file: &str, character: char) -> usize {
        match self.style {
            ScalarStyle::SingleQuoted if character == '\'' => 2,
            ScalarStyle::DoubleQuoted if file.starts_with('\\') => {
                let escape = file.chars().nth(1);
                1 + match escape {
                    Some('x') => 3,
                    Some('u') => 5,
                    Some('U') => 9,
                    Some(other) => other.len_utf8(),
                    None => 0,
                }
            }
            _ => character.len_utf8(),
        }
    }
}

/// The file from `place` on. Should the walk ever lose its way, there is nothing there, and the
/// error points beside its place instead of ending the program.
fn rest(file: &str, place: usize) -> &str {
    file.get(place..).unwrap_or_default()
}

/// The place after the line break at `place`, if there is one.
fn after_break(file: &str, place: usize) -> Option<usize> {
    let length = match rest(file, place).as_bytes() {
        [b'\r', b'\n', ..] => 2,
        [b'\r' | b'\n', ..] => 1,
        _ => return None,
    };
    Some(place + length)
}

/// Blanks, line breaks and indentation between two words: where they end, and how many breaks
/// they hold. None when there is no break.
fn fold(file: &str, place: usize) -> Option<(usize, usize)> {
    let skip_blanks = |place: usize| {
        place + rest(file, place).len() - rest(file, place).trim_start_matches([' ', '\t']).len()
    };
    let mut place = skip_blanks(place);
    let mut breaks = 0;
    while let Some(after) = after_break(file, place) {
        breaks += 1;
        place = skip_blanks(after);
    }
    (breaks > 0).then_some((place, breaks))
}

//! A template, cut into text, outputs and tags.

use super::ParseError;

/// A part of a template as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'t> {
    Text(&'t str),
    /// `{{ … }}`
    Output(Inside<'t>),
    /// `{% … %}`, by its name and what stands behind it.
    Tag {
        name: &'t str,
        at: usize,
        inside: Inside<'t>,
    },
}

/// What stands between two marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Inside<'t> {
    pub(super) text: &'t str,
    /// The byte of the template at which it begins.
    pub(super) at: usize,
}

/// Cuts `template` up. Comments are left out, and what stands in `raw` is text.
pub(super) fn cut(template: &str) -> Result<Vec<Piece<'_>>, ParseError> {
    let mut cutter = Cutter { template, at: 0, trims: false, pieces: Vec::new() };
    while cutter.next()? {}
    Ok(cutter.pieces)
}

struct Cutter<'t> {
    template: &'t str,
    /// Everything before it is cut.
    at: usize,
    /// Whether the white space that comes next is left out, since the mark before it said so.
    trims: bool,
    pieces: Vec<Piece<'t>>,
}

/// One `{{ … }}` or `{% … %}`.
struct Mark<'t> {
    from: usize,
    inside: Inside<'t>,
    trims_before: bool,
    trims_behind: bool,
    to: usize,
}

impl<'t> Cutter<'t> {
    /// Cuts off the text up to the next mark, and the mark; false: there was none.
    fn next(&mut self) -> Result<bool, ParseError> {
        let Some(from) = self.opening(self.at) else {
            self.text(self.template.len(), false);
            return Ok(false);
        };
        let mark = self.mark(from)?;
        self.text(mark.from, mark.trims_before);
        (self.at, self.trims) = (mark.to, mark.trims_behind);
        if self.template[from..].starts_with("{{") {
            self.pieces.push(Piece::Output(mark.inside));
            return Ok(true);
        }
        match name_of(mark.inside) {
            ("comment", _) => self.skip("comment", mark.from)?,
            ("raw", _) => {
                let begin = self.at;
                let end = self.skip("raw", mark.from)?;
                self.trims = mark.trims_behind;
                let behind = std::mem::replace(&mut self.at, begin);
                self.text(end.from, end.trims_before);
                (self.at, self.trims) = (behind, end.trims_behind);
                return Ok(true);
            }
            ("", inside) if inside.text.starts_with('#') => return Ok(true),
            ("", inside) => {
                let message = "expected the name of a tag";
                return Err(ParseError::new(inside.at, message));
            }
            (name, inside) => {
                let at = inside.at - name.len();
                self.pieces.push(Piece::Tag { name, at, inside });
                return Ok(true);
            }
        };
        Ok(true)
    }

    fn opening(&self, from: usize) -> Option<usize> {
        let rest = &self.template[from..];
        let [output, tag] = ["{{", "{%"].map(|mark| rest.find(mark));
        let first = output.into_iter().chain(tag).min()?;
        Some(from + first)
    }

    /// The mark that opens at `from`. What is quoted in it closes nothing.
    fn mark(&self, from: usize) -> Result<Mark<'t>, ParseError> {
        let is_output = self.template[from..].starts_with("{{");
        let (open, close) = if is_output { ("{{", "}}") } else { ("{%", "%}") };
        let begin = from + open.len();
        let (mut at, mut quote) = (begin, None);
        loop {
            let rest = &self.template[at..];
            let Some(next) = rest.chars().next() else {
                return Err(match quote {
                    Some(quote) => ParseError::new(quote, "this quote is never closed"),
                    None => ParseError::new(from, format!("this {open} has no {close}")),
                });
            };
            match quote {
                Some(quote) if self.template[quote..].starts_with(next) => at += next.len_utf8(),
                Some(_) => {
                    at += next.len_utf8();
                    continue;
                }
                None if matches!(next, '"' | '\'') => {
                    quote = Some(at);
                    at += 1;
                    continue;
                }
                None if rest.starts_with(close) => break,
                None => at += next.len_utf8(),
            }
            quote = None;
        }
        let to = at + close.len();
        let mut inside = Inside { text: &self.template[begin..at], at: begin };
        let trims_before = inside.text.starts_with('-');
        if trims_before {
            inside = Inside { text: &inside.text[1..], at: begin + 1 };
        }
        let trims_behind = inside.text.ends_with('-');
        if trims_behind {
            inside.text = &inside.text[..inside.text.len() - 1];
        }
        Ok(Mark { from, inside, trims_before, trims_behind, to })
    }

    fn text(&mut self, to: usize, trims_end: bool) {
        let mut text = &self.template[self.at..to];
        if self.trims {
            text = text.trim_start();
        }
        if trims_end {
            text = text.trim_end();
        }
        if !text.is_empty() {
            self.pieces.push(Piece::Text(text));
        }
    }

    /// Goes on behind the tag that ends the block `name`, whatever stands in between; comments
    /// may hold comments. Gives that tag.
    fn skip(&mut self, name: &str, opened: usize) -> Result<Mark<'t>, ParseError> {
        let mut depth = 1;
        let mut from = self.at;
        while let Some(found) = self.template[from..].find("{%") {
            from += found;
            // What stands here need not be well-formed: an end is one, the rest is passed over.
            let Ok(mark) = self.mark(from) else {
                from += 2;
                continue;
            };
            let (found, rest) = name_of(mark.inside);
            if found == name && name == "comment" {
                depth += 1;
            } else if found.strip_prefix("end") == Some(name) && rest.text.trim().is_empty() {
                depth -= 1;
            } else {
                from += 2;
                continue;
            }
            if depth == 0 {
                (self.at, self.trims) = (mark.to, mark.trims_behind);
                return Ok(mark);
            }
            from = mark.to;
        }
        Err(ParseError::new(opened, format!("{name} has no end{name}")))
    }
}

/// The name that a tag begins with, and what follows it.
fn name_of(inside: Inside<'_>) -> (&str, Inside<'_>) {
    let text = inside.text.trim_start();
    let begin = inside.at + (inside.text.len() - text.len());
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let end = text.find(|c| !is_name(c)).unwrap_or(text.len());
    (&text[..end], Inside { text: &text[end..], at: begin + end })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(template: &str) -> String {
        let pieces = cut(template).unwrap_or_else(|error| panic!("{template}: {error:?}"));
        let shown = pieces.iter().map(|piece| match piece {
            Piece::Text(text) => format!("<{text}>"),
            Piece::Output(inside) => format!("({})", inside.text),
            Piece::Tag { name, inside, .. } => format!("[{name}|{}]", inside.text),
        });
        shown.collect()
    }

    #[test]
    fn marks_are_cut_out_and_white_space_with_them_where_they_say_so() {
        for (template, expected) in [
            ("", ""),
            ("a {b} %}", "<a {b} %}>"),
            ("a {{ b }} c", "<a >( b )< c>"),
            ("a {{- b -}} \n c", "<a>( b )<c>"),
            ("{% if x %}\n{%- endif %}", "[if| x ][endif| ]"),
            ("{{ \"}}\" }}{{ '\"}}' }}", "( \"}}\" )( '\"}}' )"),
            (
                "a{% comment %} {{ it's {% comment %}{% endcomment %}{% if %}{%endcomment%}b",
                "<a><b>",
            ),
            ("a {%- comment -%} h {%- endcomment -%} b", "<a><b>"),
            ("a {% raw %} {{ x }} {% y {%- endraw -%} b", "<a >< {{ x }} {% y><b>"),
            ("a {%- raw -%} x {% endraw %} b", "<a><x >< b>"),
            ("{% # nothing %}a", "<a>"),
        ] {
            assert_eq!(shown(template), expected, "{template}");
        }
    }

    #[test]
    fn what_is_left_open_is_told_by_where_it_was_opened() {
        for (template, at, message) in [
            ("ab {{ unclosed", 3, "this {{ has no }}"),
            ("{% if x }}", 0, "this {% has no %}"),
            ("{{ it's }}", 5, "this quote is never closed"),
            ("a{% raw %}{{ x }}", 1, "raw has no endraw"),
            ("{% comment %}{% comment %}{% endcomment %}", 0, "comment has no endcomment"),
            ("{% %}", 3, "expected the name of a tag"),
            ("{%", 0, "this {% has no %}"),
        ] {
            let error = cut(template).expect_err(template);
            assert_eq!((error.at, error.message.as_str()), (at, message), "{template}");
        }
    }
}

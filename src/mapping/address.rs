//! Paths as mappings write them: `$.a.b`, `a[0].g`, `a['b.c']`.

use crate::event::Path;

/// The path that `text` says; every text says one.
pub(super) fn parse(text: &str) -> Path {
    let mut rest = match text.strip_prefix('$') {
        Some(rest) if rest.is_empty() || rest.starts_with(['.', '[']) => rest,
        _ => text,
    };
    let mut keys: Vec<Box<str>> = Vec::new();
    // What was read of an unquoted key. Empty ones are skipped.
    let mut key = String::new();
    while let Some(c) = rest.chars().next() {
        if let Some((bracket, behind)) = bracket(rest) {
            match bracket {
                Bracket::Key(inside) => {
                    finish(&mut key, &mut keys);
                    keys.push(inside.into());
                }
                Bracket::Text(text) => key.push_str(text),
            }
            rest = behind;
            continue;
        }
        if c == '.' {
            finish(&mut key, &mut keys);
        } else {
            key.push(c);
        }
        rest = &rest[c.len_utf8()..];
    }
    finish(&mut key, &mut keys);
    Path::new(keys)
}

fn finish(key: &mut String, keys: &mut Vec<Box<str>>) {
    if !key.is_empty() {
        keys.push(std::mem::take(key).into());
    }
}

enum Bracket<'t> {
    /// A number or a quoted key, which is a segment of its own.
    Key(&'t str),
    /// Anything else, which is part of the key around it, dots and all.
    Text(&'t str),
}

/// The bracket that `text` begins with, and what follows it.
fn bracket(text: &str) -> Option<(Bracket<'_>, &str)> {
    let inside = text.strip_prefix('[')?;
    for (quote, end) in [("'", "']"), ("\"", "\"]")] {
        let quoted = inside.strip_prefix(quote).and_then(|quoted| quoted.split_once(end));
        if let Some((key, behind)) = quoted {
            return Some((Bracket::Key(key), behind));
        }
    }
    let (inside, behind) = inside.split_once(']')?;
    if !inside.is_empty() && inside.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some((Bracket::Key(inside), behind));
    }
    Some((Bracket::Text(&text[..text.len() - behind.len()]), behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_come_by_dots_and_brackets() {
        let cases: [(&str, &[&str]); 27] = [
            ("", &[]),
            (".", &[]),
            ("$", &[]),
            ("$.", &[]),
            ("$..", &[]),
            ("a", &["a"]),
            ("$.a.b", &["a", "b"]),
            ("a..b", &["a", "b"]),
            (".a.", &["a"]),
            ("$a", &["$a"]),
            ("a.$", &["a", "$"]),
            ("$['a']", &["a"]),
            ("a[0].g", &["a", "0", "g"]),
            ("a[0][1]", &["a", "0", "1"]),
            ("[0]", &["0"]),
            ("a['b']", &["a", "b"]),
            ("a[\"b.c\"].d", &["a", "b.c", "d"]),
            ("a['it]s']", &["a", "it]s"]),
            ("a['']", &["a", ""]),
            ("a[b]", &["a[b]"]),
            ("a[]", &["a[]"]),
            ("a[-1]", &["a[-1]"]),
            ("a[*].b", &["a[*]", "b"]),
            ("[txt] nest.inner", &["[txt] nest", "inner"]),
            ("a[b", &["a[b"]),
            ("a]", &["a]"]),
            (" a . b ", &[" a ", " b "]),
        ];
        for (text, keys) in cases {
            assert_eq!(parse(text).keys().collect::<Vec<_>>(), keys, "{text}");
        }
    }
}

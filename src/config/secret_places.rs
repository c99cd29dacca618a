//! Where secrets stand in a configuration, by the names of keys.
//!
//! What hides a secret in messages takes in more than what warns of one: a misspelled key hides
//! its value too.

use std::ops::Range;

use super::diagnostic::File;
use super::tree::{Node, Scalar, Value};

/// Whether what stands under a key is kept out of every message. Misspelled keys count too.
pub(super) fn hides_its_value(key: &str) -> bool {
    let key = key.to_lowercase();
    let telling = [
        "secr",
        "passw",
        "passphrase",
        "pwd",
        "token",
        "credential",
        "cookie",
        "authoriz",
        "x-auth",
        "api-key",
        "api_key",
        "apikey",
        "access-key",
        "access_key",
    ];
    let exact = ["proxy", "ssl.key.pem", "ssl.key", "sasl.oauthbearer.config", "sasl.username"];
    telling.iter().any(|part| key.contains(part))
        || exact.contains(&&*key)
        || key.ends_with("private.key.pem")
        || strsim::damerau_levenshtein(&key, "shared_secret") <= 2
        || strsim::damerau_levenshtein(&key, "sasl.password") <= 2
        // Its value is a section; a secret in its place is a slip that must not be shown.
        || strsim::damerau_levenshtein(&key, "standard_webhooks") <= 3
}

/// Whether a setting of librdkafka is a secret.
pub(super) fn is_secret_setting(key: &str) -> bool {
    let parts = ["password", "passphrase", "secret"];
    parts.iter().any(|part| key.contains(part)) || key.ends_with("key.pem")
}

/// Whether a header with this name is one that lets its sender in.
pub(super) fn is_secret_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('_', "-");
    let exact = ["authorization", "proxy-authorization", "cookie", "x-auth", "auth"];
    let ends = ["token", "secret", "password", "credentials"];
    let parts = ["api-key", "apikey", "access-key", "auth-key", "secret-key"];
    exact.contains(&&*name)
        || ends.iter().any(|end| name.ends_with(end))
        || parts.iter().any(|part| name.contains(part))
}

/// The bytes of a URL, as it is written, that hold a secret: a password before the host, or what
/// a query gives under the name of one. What a `${…}` or a tag of a template puts in is none.
pub(super) fn in_url(raw: &str) -> Vec<Range<usize>> {
    // What is put in may hold whatever divides a URL.
    let mut text = raw.to_owned();
    for (open, close) in [("${", "}"), ("{{", "}}")] {
        let mut from = 0;
        while let Some(start) = text[from..].find(open).map(|found| from + found) {
            let end = text[start..].find(close).map_or(text.len(), |at| start + at + close.len());
            text.replace_range(start..end, &"\0".repeat(end - start));
            from = end;
        }
    }
    let is_clear = |place: &Range<usize>| !place.is_empty() && !text[place.clone()].contains('\0');
    let Some(authority) = text.find("://").map(|colon| colon + 3) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let end = text[authority..].find(['/', '?', '#', '\\']).map_or(text.len(), |at| authority + at);
    if let Some(user_end) = text[authority..end].rfind('@').map(|at| authority + at)
        && let Some(colon) = text[authority..user_end].find(':').map(|at| authority + at)
    {
        found.push(colon + 1..user_end);
    }
    if let Some(query) = text[end..].find('?').map(|at| end + at + 1) {
        let query_end = text[query..].find('#').map_or(text.len(), |at| query + at);
        let mut at = query;
        for pair in text[query..query_end].split('&') {
            if let Some((name, _)) = pair.split_once('=').filter(|(name, _)| is_secret_query(name))
            {
                found.push(at + name.len() + 1..at + pair.trim_end().len());
            }
            at += pair.len() + 1;
        }
    }
    found.retain(is_clear);
    found
}

fn is_secret_query(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('-', "_");
    let exact = ["key", "sig", "signature", "auth", "authkey", "pwd"];
    let ends = ["token", "secret", "password", "passwd"];
    let parts = ["api_key", "apikey", "access_key", "secret_key"];
    exact.contains(&&*name)
        || ends.iter().any(|end| name.ends_with(end))
        || parts.iter().any(|part| name.contains(part))
}

/// Hides every secret that is written out in the file.
pub(super) fn hide(file: &mut File, node: &Node) {
    hide_below(file, node, false);
}

fn hide_below(file: &mut File, node: &Node, is_hidden: bool) {
    match &node.value {
        Value::Scalar(scalar) if is_hidden => {
            let raw = scalar.raw.trim();
            if !raw.is_empty() && !is_reference(raw) {
                file.hide(node.bytes.clone());
            }
        }
        Value::Scalar(scalar) => hide_in_url(file, scalar),
        Value::List(items) => items.iter().for_each(|item| hide_below(file, item, is_hidden)),
        Value::Map(entries) => {
            for entry in entries {
                hide_below(file, &entry.node, is_hidden || hides_its_value(&entry.key));
            }
        }
    }
}

fn hide_in_url(file: &mut File, scalar: &Scalar) {
    for place in in_url(&scalar.raw) {
        let start = scalar.written.locate(file.text(), &scalar.raw, place.start);
        let end = scalar.written.locate(file.text(), &scalar.raw, place.end);
        file.hide(start..end);
    }
}

/// Whether a text gives nothing away: a single `${…}` without default, perhaps after one word as
/// in `Bearer ${TOKEN}`.
fn is_reference(text: &str) -> bool {
    let reference = match text.split_once(' ') {
        Some((word, rest)) if word.chars().all(|c| c.is_ascii_alphabetic()) => rest,
        _ => text,
    };
    reference.starts_with("${")
        && reference.find('}') == Some(reference.len() - 1)
        && !reference.contains(":-")
}

/// Hides what may be a secret in and around the line of a syntax error, where no tree says which
/// text belongs to which key.
pub(super) fn hide_line(file: &mut File, at: usize) {
    let (_, line) = file.line_of(at);
    let text = file.text()[line.clone()].to_owned();
    let colon = text.match_indices(':').find(|(colon, _)| {
        let key = text[..*colon].rsplit([' ', '{', ',', '"', '\'']).find(|word| !word.is_empty());
        key.is_some_and(hides_its_value)
    });
    if let Some((colon, _)) = colon {
        file.hide(line.start + colon + 1..line.end);
        return;
    }
    let first = text.trim_start().split([' ', '\t']).next().unwrap_or_default();
    if hides_its_value(first) {
        file.hide(line.end - text.trim_start().len() + first.len()..line.end);
        return;
    }
    for place in in_url(&text) {
        file.hide(line.start + place.start..line.start + place.end);
    }
    // A line of a longer text belongs to the key above that is indented less.
    let indentation = |text: &str| text.len() - text.trim_start().len();
    let own = indentation(&text);
    let above = file.text()[..line.start]
        .lines()
        .rev()
        .find(|other| !other.trim().is_empty() && indentation(other) < own.max(1));
    let key = above.and_then(|above| above.split(':').next()).map(str::trim);
    if own > 0 && key.is_some_and(hides_its_value) {
        file.hide(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_secret_in_a_url_is_found() {
        for (url, secrets) in [
            ("https://example.com/a?b=c&tokens=3", &[][..]),
            ("https://user:hunter2@example.com/a", &["hunter2"]),
            ("https://user:${PASSWORD}@example.com/${file:/x?key=1}?key=${KEY}#key=x", &[]),
            ("https://u:p@h:80?api_key=abc&x=1&access-token=d%20e#f", &["p", "abc", "d%20e"]),
            ("https://example.com/?key=&token", &[]),
            ("https://example.com/{{a?token=b}}?token={{c}}", &[]),
            ("https://example.com:80/a@b", &[]),
            ("key=abc", &[]),
            ("https://é:ü@example.com/?sig=ß ", &["ü", "ß"]),
        ] {
            let found: Vec<_> = in_url(url).into_iter().map(|place| &url[place]).collect();
            assert_eq!(found, secrets, "{url}");
        }
    }

    #[test]
    fn a_header_that_lets_its_sender_in_is_known_by_its_name() {
        for name in
            ["Authorization", "X-Api-Key", "x_api_key", "X-Auth-Token", "X-My-Secret", "Cookie"]
        {
            assert!(is_secret_header(name) && hides_its_value(name), "{name}");
        }
        for name in ["Content-Type", "X-Tenant", "X-Token-Type", "Accept", "X-Author"] {
            assert!(!is_secret_header(name), "{name}");
        }
    }
}

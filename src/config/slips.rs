//! What was probably meant by a text that is no YAML.
//!
//! Knows the slips that triggers, templates and URLs invite. It looks at the line that could not be
//! read and the one below it.

use std::ops::Range;

/// What helps with a text that cannot stand as it is.
pub(super) const BLOCK: &str = "a text that begins so wants quotes around all of it, or a block: `|`, and the text in the next line";

/// A slip that explains why a text could not be read.
pub(super) struct Slip {
    /// What is to blame, where that is not the place at which the reader stopped.
    pub(super) bytes: Option<Range<usize>>,
    pub(super) hint: String,
}

/// What the reader says, in better words where there are any.
pub(super) fn reworded(info: &str) -> &str {
    match info {
        "simple key expect ':'" => "expected `:` behind the key",
        _ => info,
    }
}

/// The slip for which the reader stopped at the byte `at` of `text`, and said `info`.
pub(super) fn find(text: &str, at: usize, info: &str) -> Option<Slip> {
    let start = text[..at].rfind('\n').map_or(0, |before| before + 1);
    let line = text[start..].lines().next().unwrap_or_default();
    let slip = |hint: &str| Some(Slip { bytes: None, hint: hint.to_owned() });
    for (start, line) in [(start, line), below(text, start, line)] {
        let blanks = line.len() - line.trim_start_matches(' ').len();
        if line[blanks..].starts_with('\t') {
            let at = start + blanks;
            let hint = "YAML is indented by spaces, never by tabs".to_owned();
            return Some(Slip { bytes: Some(at..at + 1), hint });
        }
    }
    if info.contains("unknown escape") {
        return slip("between double quotes a backslash is written twice, or take single quotes");
    }
    if info.contains("unknown anchor") {
        return slip("an alias repeats what an anchor, `&name`, has named above it");
    }
    if info.contains("indentation in quoted scalar") {
        return slip("is the quote closed?");
    }
    if line.contains(" ${") {
        return slip("between braces or brackets `${…}` wants quotes: \"${…}\"");
    }
    if line.contains(" @") || line.contains("{@") {
        return slip("a key that begins with `@` wants quotes: \"@path\"");
    }
    if info.contains("mapping values") && !text[start..at].contains(':') {
        return slip("is a colon missing in the line above, or this line indented too far?");
    }
    if info.contains("flow mapping") && text[at..].starts_with(['[', ']', '{']) {
        return slip(
            "between braces a text that holds a bracket or a comma wants quotes around all of it",
        );
    }
    let Some((_, value)) = line.split_once(": ") else {
        let key = line.trim();
        if info.contains("simple key") && !key.ends_with(':') {
            let from = start + line.len() - line.trim_start().len();
            let hint = "a key is followed by a colon and a blank".to_owned();
            return Some(Slip { bytes: Some(from..from + key.len()), hint });
        }
        return None;
    };
    if value.trim_start().starts_with(['"', '\'', '!', '[', '{', '%', '&', '*', '`', '@'])
        && !info.contains("flow")
    {
        return slip(BLOCK);
    }
    if info.contains("mapping values") {
        return slip(
            "a text that holds `: ` wants quotes around all of it, or a block: `|`, and the text in the next line",
        );
    }
    if info.contains("expected key") {
        return slip("is the line indented like those beside it?");
    }
    None
}

/// The line below the one that begins at `start`.
fn below<'t>(text: &'t str, start: usize, line: &str) -> (usize, &'t str) {
    let rest = &text[start + line.len()..];
    let skipped = rest.find('\n').map_or(rest.len(), |end| end + 1);
    let next = start + line.len() + skipped;
    (next, text[next..].lines().next().unwrap_or_default())
}

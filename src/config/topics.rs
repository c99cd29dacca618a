//! `sources` and `topics`: what is read, and what is written.
//!
//! Knows which names Kafka takes, and which regular expressions librdkafka and Rust read alike:
//! librdkafka takes POSIX extended ones from the C library, and hookcast must know on its own
//! which source a record belongs to.

use regex::Regex;

use super::at::At;
use super::section::Section;
use super::tree::Value;
use crate::plan::{Source, TopicPattern};

/// Topics that Hookcast writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topics {
    /// Where events go that could not be delivered. No source reads it.
    pub dead_letter: String,
    /// Where letters go that are to be delivered after all. No source reads it, but the group does.
    pub redrive: String,
    /// Whether they are created when missing.
    pub create: bool,
}

/// The topics that sources name, and where.
pub(super) type Named<'a> = Vec<(At<'a>, Box<str>)>;

/// Reads `sources`, in the file's order. A source that is wrong is kept by its name, because
/// references to it are right.
pub(super) fn read_sources<'a>(root: &Section<'a>) -> (Vec<Source>, Named<'a>) {
    let mut named = Named::new();
    let Some(at) = root.required("sources", "{ web: { topics: [events.web] } }") else {
        return (Vec::new(), named);
    };
    let entries = at.entries().unwrap_or_default();
    if matches!(&at.node.value, Value::Map(entries) if entries.is_empty()) {
        at.error_with("there is no source", "for example `web: { topics: [events.web] }`");
    }
    let mut sources = Vec::new();
    for entry in entries {
        let at = at.entry(entry);
        super::check_name(&at, &entry.key);
        let topics = read_source(&at, &mut named).unwrap_or_default();
        sources.push(Source { name: entry.key.as_str().into(), topics });
    }
    (sources, named)
}

fn read_source<'a>(at: &At<'a>, named: &mut Named<'a>) -> Option<Vec<TopicPattern>> {
    let section = Section::read(at, &["topics"])?;
    let listed = section.required("topics", "[events.web]")?;
    let items = listed.items()?;
    if items.is_empty() {
        listed.error("a source needs at least one topic");
    }
    let mut topics = Vec::new();
    for item in items {
        let Some(pattern) = read_pattern(&item) else {
            continue;
        };
        if let TopicPattern::Name(name) = &pattern {
            named.push((item, name.clone()));
        }
        topics.push(pattern);
    }
    Some(topics)
}

fn read_pattern(at: &At<'_>) -> Option<TopicPattern> {
    let text = at.text()?;
    if !text.starts_with('^') {
        check_topic(at, text)?;
        return Some(TopicPattern::Name(text.into()));
    }
    if let Err((place, message, hint)) = check_expression(text) {
        at.error_at(at.locate(place), message, hint.map(str::to_owned));
        return None;
    }
    match Regex::new(text) {
        Ok(expression) => Some(TopicPattern::Expression(expression)),
        Err(error) => {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
            if at.holds_secret() {
                at.error("no regular expression");
            } else {
                at.error(format!("no regular expression: {reason}"));
            }
            None
        }
    }
}

/// Reports a name that Kafka would refuse.
fn check_topic(at: &At<'_>, name: &str) -> Option<()> {
    let is_legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.len() > 249 || matches!(name, "." | "..") || !name.chars().all(is_legal) {
        let hint = if name.contains(['*', '+', '(', '[', '\\', '$']) {
            "a regular expression begins with `^`"
        } else {
            "ASCII letters, digits, `.`, `_` and `-`, at most 249 of them"
        };
        at.error_with(format!("{} is no name of a topic", at.shown()), hint);
        return None;
    }
    Some(())
}

type Unshared = (std::ops::Range<usize>, String, Option<&'static str>);

/// Refuses what only one of POSIX and Rust understands, or each in its own way.
fn check_expression(text: &str) -> Result<(), Unshared> {
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut can_repeat = false;
    while at < bytes.len() {
        let next = bytes.get(at + 1).copied();
        let refuse = |length: usize, message: &str, hint: Option<&'static str>| {
            let end = (at + length).min(text.len());
            let end =
                (end..=text.len()).find(|end| text.is_char_boundary(*end)).unwrap_or(text.len());
            Err((at..end, message.to_owned(), hint))
        };
        match bytes[at] {
            b'\\' => {
                let message = format!(
                    "librdkafka does not know `\\{}`",
                    text[at + 1..].chars().next().unwrap_or(' ')
                );
                match next {
                    Some(b'd') => return refuse(2, &message, Some("write `[0-9]`")),
                    Some(b'w') => return refuse(2, &message, Some("write `[A-Za-z0-9_]`")),
                    Some(b's') => {
                        return refuse(2, &message, Some("a topic's name has no white space"));
                    }
                    Some(b'D') => return refuse(2, &message, Some("write `[^0-9]`")),
                    Some(b'W') => return refuse(2, &message, Some("write `[^A-Za-z0-9_]`")),
                    Some(c)
                        if c.is_ascii_punctuation() && !matches!(c, b'<' | b'>' | b'`' | b'\'') => {
                    }
                    Some(_) => {
                        return refuse(
                            2,
                            &message,
                            Some("a backslash takes away a special meaning, nothing else"),
                        );
                    }
                    None => return refuse(1, "a backslash at the end", None),
                }
                at += 2;
                can_repeat = true;
                continue;
            }
            b'[' => {
                at = check_bracket(text, at)?;
                can_repeat = true;
                continue;
            }
            b'(' if next == Some(b'?') => {
                return refuse(
                    2,
                    "librdkafka does not know `(?`",
                    Some("plain parentheses group, `(a|b)`; there is no looking around"),
                );
            }
            b'*' | b'+' | b'?' | b'{' if !can_repeat => {
                return refuse(
                    1,
                    "there is nothing to repeat",
                    Some("lazy and possessive forms (`*?`, `*+`) are not shared with librdkafka"),
                );
            }
            b'{' => {
                at += text[at..].find('}').map_or(1, |length| length + 1);
                can_repeat = false;
                continue;
            }
            b'*' | b'+' | b'?' | b'(' | b'|' | b'^' => can_repeat = false,
            c if !c.is_ascii() => {
                return refuse(1, "a topic's name is ASCII", None);
            }
            _ => can_repeat = true,
        }
        at += 1;
    }
    Ok(())
}

/// Where the bracket expression that begins at `start` ends.
fn check_bracket(text: &str, start: usize) -> Result<usize, Unshared> {
    let bytes = text.as_bytes();
    let mut at = start + 1;
    if bytes.get(at) == Some(&b'^') {
        at += 1;
    }
    if bytes.get(at) == Some(&b']') {
        at += 1;
    }
    loop {
        let refuse = |message: &str, hint| Err((at..at + 1, message.to_owned(), Some(hint)));
        match (bytes.get(at), bytes.get(at + 1)) {
            (None, _) => return Err((start..start + 1, "this `[` is not closed".into(), None)),
            (Some(b']'), _) => return Ok(at + 1),
            (Some(b'['), Some(b':')) => match text[at..].find(":]") {
                Some(length) => at += length + 2,
                None => return refuse("this `[:` is not closed", "for example `[[:digit:]]`"),
            },
            (Some(b'['), _) => {
                return refuse(
                    "`[` inside brackets means different things",
                    "write `\\[` outside of them",
                );
            }
            (Some(b'\\'), _) => {
                return refuse(
                    "a backslash inside brackets means different things",
                    "inside brackets a dot needs none: `[.]`",
                );
            }
            (Some(a @ (b'&' | b'-' | b'~')), Some(b)) if a == b => {
                return refuse(
                    "this operator is not shared with librdkafka",
                    "list the characters one by one",
                );
            }
            (Some(c), _) if !c.is_ascii() => {
                return Err((start..start + 1, "a topic's name is ASCII".into(), None));
            }
            _ => at += 1,
        }
    }
}

/// Reads `topics`, and sees to it that none of them is among the topics that sources name.
pub(super) fn read_topics(root: &Section<'_>, named: &Named<'_>) -> Option<Topics> {
    let at = root.key("topics");
    let section = match &at {
        Some(at) => Some(Section::read(at, &["dead_letter", "redrive", "create"])?),
        None => None,
    };
    let key = |key: &str| section.as_ref().and_then(|section| section.key(key));
    let redrive_at = key("redrive");
    let name = |at: Option<At<'_>>, suffix: &str| match at {
        Some(at) => {
            let name = at.text()?;
            check_topic(&at, name)?;
            Some(name.to_owned())
        }
        None => default_name(root, suffix),
    };
    let dead_letter = name(key("dead_letter"), "dead-letter");
    let redrive = name(redrive_at.clone(), "redrive");
    let create = key("create").map_or(Some(true), |at| at.boolean());
    let topics = Topics { dead_letter: dead_letter?, redrive: redrive?, create: create? };
    if topics.dead_letter == topics.redrive {
        let at = redrive_at.or_else(|| key("dead_letter"))?;
        at.error("the dead-letter and the redrive topic must be two topics");
    }
    for (at, source) in named {
        for (topic, what) in [(&topics.dead_letter, "dead-letter"), (&topics.redrive, "redrive")] {
            if **source == **topic {
                at.error(format!("this is the {what} topic, which no source can read"));
            }
        }
    }
    Some(topics)
}

/// A topic named after the group; none when there is no group, which `kafka` reports.
fn default_name(root: &Section<'_>, suffix: &str) -> Option<String> {
    let kafka = root.key("kafka")?;
    let Value::Map(entries) = &kafka.node.value else {
        return None;
    };
    let group = kafka.entry(entries.iter().find(|entry| entry.key == "group.id")?);
    let Value::Scalar(scalar) = &group.node.value else {
        return None;
    };
    if scalar.broken || scalar.text.is_empty() {
        return None;
    }
    let name = format!("{}.{suffix}", scalar.text);
    let is_legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.len() <= 249 && name.chars().all(is_legal) {
        return Some(name);
    }
    let key = suffix.replace('-', "_");
    group.error_with(
        format!("no topic can be named after this group, `<group.id>.{suffix}`"),
        format!("name the topic in `topics.{key}`"),
    );
    None
}

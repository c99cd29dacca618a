//! Texts: patterns by trying everything, words by rewriting.

use std::cmp::Ordering;

/// Whether a whole text matches a pattern; a malformed pattern matches nothing.
pub fn matches(text: &str, pattern: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let Some(units) = units(&pattern) else { return false };
    let text: Vec<char> = text.chars().collect();
    // Which ends of the text the units so far can reach.
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for unit in units {
        let mut next = vec![false; text.len() + 1];
        for from in (0..=text.len()).filter(|from| reached[*from]) {
            match &unit {
                Unit::Any => (from..=text.len()).for_each(|to| next[to] = true),
                Unit::One(fits) => {
                    if text.get(from).is_some_and(|c| fits.holds(*c)) {
                        next[from + 1] = true;
                    }
                }
            }
        }
        reached = next;
    }
    reached[text.len()]
}

enum Unit {
    Any,
    One(Fits),
}

struct Fits {
    negated: bool,
    ranges: Vec<(char, char)>,
}

impl Fits {
    fn holds(&self, c: char) -> bool {
        self.ranges.iter().any(|(first, last)| (*first..=*last).contains(&c)) != self.negated
    }
}

fn units(pattern: &[char]) -> Option<Vec<Unit>> {
    let mut units = Vec::new();
    let mut at = 0;
    let alone = |c: char| Unit::One(Fits { negated: false, ranges: vec![(c, c)] });
    while let Some(&c) = pattern.get(at) {
        at += 1;
        units.push(match c {
            '*' => Unit::Any,
            '?' => Unit::One(Fits { negated: true, ranges: Vec::new() }),
            '\\' => {
                at += 1;
                alone(*pattern.get(at - 1)?)
            }
            '[' => {
                let negated = pattern.get(at) == Some(&'^');
                at += usize::from(negated);
                let mut ranges = Vec::new();
                while *pattern.get(at)? != ']' {
                    let first = bound(pattern, &mut at)?;
                    let mut last = first;
                    if pattern.get(at) == Some(&'-') {
                        at += 1;
                        last = bound(pattern, &mut at)?;
                    }
                    if first > last {
                        return None;
                    }
                    ranges.push((first, last));
                }
                at += 1;
                if ranges.is_empty() {
                    return None;
                }
                Unit::One(Fits { negated, ranges })
            }
            plain => alone(plain),
        });
    }
    Some(units)
}

/// A character of a class; a bracket or a dash only behind a backslash.
fn bound(pattern: &[char], at: &mut usize) -> Option<char> {
    let escaped = *pattern.get(*at)? == '\\';
    *at += usize::from(escaped);
    let c = *pattern.get(*at)?;
    *at += 1;
    if !escaped && matches!(c, ']' | '-') { None } else { Some(c) }
}

/// The words of a text in lower case, where `signedUp` has two.
pub fn words(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let mut spaced = String::new();
    for (at, c) in chars.iter().enumerate() {
        let before = if at > 0 { chars[at - 1] } else { ' ' };
        if c.is_uppercase() && (before.is_lowercase() || before.is_numeric()) {
            spaced.push(' ');
        }
        spaced.push(*c);
    }
    let words = spaced.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(|word| word.chars().flat_map(char::to_lowercase).collect()).collect()
}

/// Every word with a first letter in upper case; an apostrophe is in the middle of one.
pub fn title(text: &str) -> String {
    let mut titled = String::new();
    let mut inside = false;
    for c in text.chars() {
        if inside {
            titled.push(c);
        } else {
            titled.extend(c.to_uppercase());
        }
        inside = c.is_alphanumeric() || "_'’".contains(c);
    }
    titled
}

pub fn versions(left: &str, by: &str, right: &str) -> Option<bool> {
    let order = version(left)?.cmp(&version(right)?);
    match by {
        "=" => Some(order == Ordering::Equal),
        "!=" => Some(order != Ordering::Equal),
        "<" => Some(order == Ordering::Less),
        "<=" => Some(order != Ordering::Greater),
        ">" => Some(order == Ordering::Greater),
        ">=" => Some(order != Ordering::Less),
        _ => None,
    }
}

fn version(text: &str) -> Option<[u64; 3]> {
    let end = text.find(['-', '+']).unwrap_or(text.len());
    let mut parts = [0; 3];
    for (at, part) in text[..end].split('.').enumerate() {
        if !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *parts.get_mut(at)? = part.parse().ok()?;
    }
    Some(parts)
}

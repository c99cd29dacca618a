//! Globs: `*` any run, `?` one character, `[a-z]` one of a class, `[^a]` one of all others, and a
//! backslash before what means itself.
//!
//! Patterns are read as they are matched, so that one from a field costs no memory either. Only
//! the last `*` is ever tried again, which bounds the time by pattern times text. Where that is
//! much, the rest of the work goes through all the states at once.

mod states;

use states::{States, Unit};

/// The most characters that a pattern from a field may have; a trigger's own are bounded by the
/// trigger. Together they keep matching linear in the text.
const LONGEST: usize = 5120;

/// How many characters are looked at before a pattern is one that wants trying too often.
const PATIENCE: usize = 1 << 20;

/// Whether the pattern is well-formed, or what is wrong with it.
pub(super) fn check(mut pattern: impl Iterator<Item = char>) -> Result<(), &'static str> {
    let mut length = 0;
    while let Some(c) = pattern.next() {
        length += 1;
        if length > LONGEST {
            return Err("it is too long");
        }
        match c {
            '\\' if pattern.next().is_none() => {
                return Err("nothing follows the backslash at its end");
            }
            '[' => check_class(&mut pattern)?,
            _ => {}
        }
    }
    Ok(())
}

fn check_class(pattern: &mut impl Iterator<Item = char>) -> Result<(), &'static str> {
    let mut class = Class::opened(pattern);
    while let Some(range) = class.next_range() {
        match range {
            Ok((first, last)) if first <= last => {}
            Ok(_) => return Err("a range runs backwards"),
            Err(malformed) => return Err(malformed),
        }
    }
    if class.ranges == 0 {
        return Err("a class is empty");
    }
    Ok(())
}

/// The class whose opening bracket was read, range by range.
struct Class<'p, P> {
    pattern: &'p mut P,
    negated: bool,
    /// What was read ahead of the ranges.
    ahead: Option<char>,
    ranges: usize,
}

impl<'p, P: Iterator<Item = char>> Class<'p, P> {
    fn opened(pattern: &'p mut P) -> Class<'p, P> {
        let first = pattern.next();
        let negated = first == Some('^');
        let ahead = if negated { pattern.next() } else { first };
        Class { pattern, negated, ahead, ranges: 0 }
    }

    /// The next range, one character being a range too; nothing once the class is closed.
    fn next_range(&mut self) -> Option<Result<(char, char), &'static str>> {
        if self.ahead == Some(']') {
            return None;
        }
        let Some(first) = self.end_of_range() else {
            return Some(Err(self.malformed()));
        };
        self.ranges += 1;
        if self.ahead != Some('-') {
            return Some(Ok((first, first)));
        }
        self.ahead = self.pattern.next();
        match self.end_of_range() {
            Some(last) => Some(Ok((first, last))),
            None => Some(Err(self.malformed())),
        }
    }

    fn end_of_range(&mut self) -> Option<char> {
        let end = match self.ahead? {
            ']' | '-' => return None,
            '\\' => self.pattern.next()?,
            plain => plain,
        };
        self.ahead = self.pattern.next();
        Some(end)
    }

    fn malformed(&self) -> &'static str {
        match self.ahead {
            Some(']' | '-') => r#"in a class, a "-" that is no range needs a backslash"#,
            _ => "a class is not closed",
        }
    }
}

/// Whether the whole of `text` matches `pattern`, which is well-formed.
pub(super) fn matches<P, T>(pattern: P, text: T) -> bool
where
    P: Iterator<Item = char> + Clone,
    T: Iterator<Item = char> + Clone,
{
    let (mut wanted, mut rest) = (pattern.clone(), text.clone());
    // What follows the last star, and where in the text it was tried last.
    let mut star: Option<(P, T)> = None;
    for _ in 0..PATIENCE {
        let (mut wanted_next, mut rest_next) = (wanted.clone(), rest.clone());
        let fits = match (wanted_next.next(), rest_next.next()) {
            (None, None) => return true,
            (Some('*'), _) => {
                star = Some((wanted_next.clone(), rest.clone()));
                wanted = wanted_next;
                continue;
            }
            (Some(_), None) => return false,
            (Some(unit), Some(c)) => unit_fits(unit, &mut wanted_next, c),
            (None, Some(_)) => false,
        };
        if fits {
            (wanted, rest) = (wanted_next, rest_next);
            continue;
        }
        let Some((behind, tried)) = &mut star else {
            return false;
        };
        if tried.next().is_none() {
            return false;
        }
        (wanted, rest) = (behind.clone(), tried.clone());
    }
    states(pattern).match_all(text)
}

/// The states of `pattern`, which is well-formed.
fn states(mut pattern: impl Iterator<Item = char>) -> States {
    let mut states = States::default();
    while let Some(unit) = pattern.next() {
        match unit {
            '*' => states.star(),
            '?' => states.unit(Unit::Any),
            '\\' => pattern.next().into_iter().for_each(|c| states.unit(Unit::Letter(c))),
            '[' => {
                let mut class = Class::opened(&mut pattern);
                let mut ranges = Vec::new();
                while let Some(Ok(range)) = class.next_range() {
                    ranges.push(range);
                }
                let negated = class.negated;
                states.unit(Unit::Class(states::Class { negated, ranges }));
            }
            itself => states.unit(Unit::Letter(itself)),
        }
    }
    states
}

/// Whether `c` fits what begins with `unit` and goes on in `pattern`, which is read past it.
fn unit_fits(unit: char, pattern: &mut impl Iterator<Item = char>, c: char) -> bool {
    match unit {
        '?' => true,
        '\\' => pattern.next() == Some(c),
        '[' => {
            let mut class = Class::opened(pattern);
            let mut inside = false;
            while let Some(Ok((first, last))) = class.next_range() {
                inside |= (first..=last).contains(&c);
            }
            inside != class.negated
        }
        itself => itself == c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, text: &str) -> bool {
        check(pattern.chars()).expect(pattern);
        let fits = matches(pattern.chars(), text.chars());
        let in_states = states(pattern.chars()).match_all(text.chars());
        assert_eq!(fits, in_states, "{pattern} {text}");
        fits
    }

    #[test]
    fn the_whole_text_must_match() {
        for (pattern, text) in [
            ("", ""),
            ("*", ""),
            ("**", "a/b"),
            ("a*d", "abcd"),
            ("a*d", "ad"),
            ("*d", "dd"),
            ("a??d", "abcd"),
            ("?", "ü"),
            ("[^a-c]x", "dx"),
            (r"[\]\-]", "-"),
            (r"\*\?", "*?"),
            ("*a*b*", "xxaxxbxx"),
            ("*ab", "aaab"),
            ("a*b?c", "abbbxc"),
            ("[a-cx]*", "x]"),
            ("[!a]", "!"),
            ("ab/*", "ab/c/d"),
            ("[а-я]", "ж"),
        ] {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("", "a"),
            ("?", ""),
            ("ab", "abc"),
            ("bc", "abc"),
            ("a??d", "abd"),
            ("[a-z]", "A"),
            ("[^a]", "a"),
            ("[^a]", ""),
            (r"\*", "x"),
            ("*a", "ab"),
            ("a*b*c", "acb"),
        ] {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn what_can_mean_nothing_is_malformed() {
        for pattern in
            ["[", "[a", "[]", "[^]", "[]a]", "a\\", "[a-", "[a-]", "[-a]", "[z-a]", "[\\"]
        {
            assert!(check(pattern.chars()).is_err(), "{pattern}");
        }
    }

    #[test]
    fn many_stars_take_no_longer_than_pattern_times_text() {
        let text = "a".repeat(20_000);
        assert!(!fits(&format!("{}b", "a*".repeat(500)), &text));
        assert!(fits(&"a*".repeat(500), &text));
    }

    #[test]
    fn what_wants_trying_too_often_is_gone_through_once() {
        // A trial for each letter of the text would look at half a billion.
        let text = "a".repeat(100_000);
        for unit in ["[a-z]", "a", "?", r"\a", "[^b]"] {
            let units = unit.repeat(5000 / unit.len());
            assert!(fits(&format!("*{units}"), &text), "{unit}");
            assert!(fits(&format!("*{units}*a"), &text), "{unit}");
            assert!(!fits(&format!("*{units}b"), &text), "{unit}");
            assert!(!fits(&format!("*b{units}*"), &text), "{unit}");
        }
    }
}

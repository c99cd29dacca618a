//! Finds the few triggers that an event may match among many, without looking at the others.
//!
//! Every trigger is filed under its signs. Of an event the index looks up what was found in it, so
//! that triggers whose signs it does not show cost nothing. Under which of its signs a trigger is
//! filed depends on the others: `type = "track"` tells little when all begin with it.

use std::collections::BTreeMap;

use foldhash::{HashMap, HashMapExt};

use crate::event::{Event, PathId};

use super::Trigger;
use super::sign::Sign;

/// Triggers by the signs that they need, each known by its number.
#[derive(Debug, Default)]
pub struct Index {
    by_path: BTreeMap<PathId, Filed>,
    /// Those that may match an event without any sign.
    always: Vec<usize>,
}

/// The triggers that one path can tell something about.
#[derive(Debug, Default)]
struct Filed {
    /// Those that need a value there.
    has: Vec<usize>,
    /// Those that need a text there, by that text.
    says: HashMap<Box<str>, Vec<usize>>,
}

impl Index {
    /// An index of `triggers`, which were all parsed with the same paths. Their numbers are their
    /// places, from 0.
    #[must_use]
    pub fn new(triggers: &[&Trigger]) -> Index {
        let mut filed_under: HashMap<Sign<'_>, usize> = HashMap::new();
        for trigger in triggers {
            trigger.condition.each_sign(&mut |sign| *filed_under.entry(sign).or_default() += 1);
        }
        let cost = |sign: Sign<'_>| {
            let triggers = filed_under.get(&sign).copied().unwrap_or_default();
            // That a path leads to a certain text is seldom; that it leads somewhere is not.
            if let Sign::Has(_) = sign { triggers * 2 } else { triggers }
        };
        let mut index = Index::default();
        for (number, trigger) in triggers.iter().enumerate() {
            match trigger.condition.signs(&cost) {
                Some(signs) => signs.into_iter().for_each(|sign| index.file(sign, number)),
                None => index.always.push(number),
            }
        }
        index
    }

    fn file(&mut self, sign: Sign<'_>, number: usize) {
        match sign {
            Sign::Has(path) => self.by_path.entry(path).or_default().has.push(number),
            Sign::Says(path, text) => {
                let says = &mut self.by_path.entry(path).or_default().says;
                says.entry(text.into()).or_default().push(number);
            }
        }
    }

    /// Calls `see` with every trigger that may match `event`, with some of them more than once.
    /// The others certainly do not match.
    pub fn candidates(&self, event: Event<'_>, mut see: impl FnMut(usize)) {
        self.always.iter().copied().for_each(&mut see);
        for path in event.found() {
            let Some(filed) = self.by_path.get(&path) else { continue };
            let Some(value) = event.find(path) else { continue };
            filed.has.iter().copied().for_each(&mut see);
            if !filed.says.is_empty()
                && let Some(text) = value.as_string()
                && let Some(says) = filed.says.get(&*text.decode())
            {
                says.iter().copied().for_each(&mut see);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use crate::event::{Fields, Paths};

    /// Which of the triggers are evaluated for the event.
    fn evaluated(triggers: &[impl AsRef<str>], event: &str) -> Vec<usize> {
        let mut paths = Paths::new();
        let parse = |text: &str, paths: &mut Paths| Trigger::parse(text, paths).expect("a trigger");
        let triggers: Vec<Trigger> =
            triggers.iter().map(|text| parse(text.as_ref(), &mut paths)).collect();
        let index = Index::new(&triggers.iter().collect::<Vec<_>>());
        let mut fields = Fields::new();
        let event = fields.read(event.as_bytes(), &paths).expect("an event");
        let mut candidates = Vec::new();
        index.candidates(event, |number| candidates.push(number));
        candidates.sort_unstable();
        candidates.dedup();
        candidates
    }

    fn among_1000(trigger: impl Fn(usize) -> String, event: &str) -> Vec<usize> {
        evaluated(&(0..1000).map(trigger).collect::<Vec<_>>(), event)
    }

    #[test]
    fn a_trigger_is_evaluated_only_where_the_event_shows_a_sign_of_it() {
        const EVENT: &str = r#"{"type":"track","event":"A","a":{"b":null},"l":["x"]}"#;
        for passed_over in [
            "event = 'B'",
            "'B' = event",
            "event in ['B', 'C']",
            "event in []",
            "event = 'B' or event = 'C'",
            "event = 'B' or type = 'page'",
            "(type = 'page' or type = 'screen') and !(event = 'B')",
            "(event = 'C' and x = 1) or (event = 'B' and true)",
            "x",
            "x = true",
            "x != null",
            "null != a.x",
            "x > 5 and x < 7",
            "5 >= x",
            "x < event",
            "'A' in x",
            "x in ['A', 5, [null]]",
            "contains(x, 'A')",
            "contains('A', x)",
            "contains(x, event)",
            "match('A', x)",
            "semver(x, '!=', '1')",
            "lowercase(x) = 'a'",
            "number(string(x)) = 5",
            "bool(x)",
            "l.1 = 'x'",
        ] {
            assert!(evaluated(&[passed_over], EVENT).is_empty(), "{passed_over}");
        }
        for evaluated_anyway in [
            "event = 'A'",
            "event in ['B', 'A']",
            "event = 'B' or !type = 'page'",
            "l.0 = 'x'",
            "x = null",
            "x = y",
            "x != 'A'",
            "x != y",
            "x in ['A', null]",
            "!x",
            "!(x = 'A')",
            "length(x) = 0",
            "length(x) < 1",
            "typeof(x) = 'null'",
            "typeof(x) in ['null']",
            "contains(x, 'A') = false",
            "string(contains(x, 'A')) = 'false'",
            "x = 'A' or true",
            "true",
            "a.b > 5",
            "'x' in l",
        ] {
            assert_eq!(evaluated(&[evaluated_anyway], EVENT), [0], "{evaluated_anyway}");
        }
    }

    #[test]
    fn what_few_triggers_need_tells_them_apart_wherever_it_stands() {
        let event = r#"{"type":"track","event":"E7","properties":{"shop":"7","p7":8,"total":9}}"#;
        for trigger in [
            &|n| format!("type = 'track' and event = 'E{n}'") as String,
            &|n| format!("properties.total > 5 and event = 'E{n}' and type = 'track'"),
            &|n| format!("type = 'track' and properties.shop = '{n}' and !(event = 'X')"),
            &|n| format!("type = 'track' and properties.p{n} > 5"),
            &|n| {
                format!("(type = 'track' and event = 'E{n}') or (type = 'page' and name = 'P{n}')")
            },
            &|n| format!("type = 'track' and (event = 'E{n}' or event = 'F{n}') and a != 1"),
        ] as [&dyn Fn(usize) -> String; 6]
        {
            assert_eq!(among_1000(trigger, event), [7], "{}", trigger(7));
        }
    }

    #[test]
    fn a_text_is_recognised_however_it_is_written() {
        let triggers = ["a = 'é'", "a = '\u{fffd}'", "a = 'b'"];
        for (event, expected) in [
            (r#"{"a":"\u00e9"}"#, &[0][..]),
            (r#"{"a":"\ud800"}"#, &[1]),
            (r#"{"a":"é","\u0061":"b"}"#, &[2]),
            (r#"{"a":["b"]}"#, &[]),
        ] {
            assert_eq!(evaluated(&triggers, event), expected, "{event}");
        }
    }

    #[test]
    fn an_event_with_everything_in_it_finds_everything() {
        let mut event = String::from("{");
        for n in 0..1000 {
            write!(event, r#""p{n}":{n},"#).expect("a text takes everything");
        }
        event.push_str(r#""type":"track"}"#);
        let trigger = |n| format!("type = 'track' and p{n} >= 0");
        assert_eq!(among_1000(trigger, &event), (0..1000).collect::<Vec<_>>());
    }
}

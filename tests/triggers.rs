//! Triggers at random: parsing and evaluating never panic, what is printed means the same, and what
//! a trigger means is what its description says.

mod noise;
mod reference;

use hookcast::event::{Fields, Paths};
use hookcast::trigger::{Review, Trigger};
use noise::Noise;

const PIECES: [&str; 64] = [
    "type",
    "event",
    "properties.a",
    "a",
    "b.0",
    "и.1",
    r"a\.b",
    r"\$x",
    "and",
    "or",
    "in",
    "!",
    "(",
    ")",
    "[",
    "]",
    ",",
    "=",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "==",
    "true",
    "false",
    "null",
    "1",
    "-1.5e3",
    "1e99999999999",
    "007",
    "\"x\"",
    "'y'",
    r#""\"\\*""#,
    "\"",
    "'",
    "contains(",
    "match(",
    "length(",
    "lowercase(",
    "uppercase(",
    "snakecase(",
    "titlecase(",
    "typeof(",
    "string(",
    "number(",
    "bool(",
    "semver(",
    "\"[a-z]*\"",
    "\"[\"",
    "\">=\"",
    "“",
    "&&",
    "\u{0}",
    "é",
    "\\",
    ".",
    "..",
    "-",
    "\n",
    "\u{a0}",
    "\"1.2.3\"",
    "AND",
    "{",
];

fn operand(noise: &mut Noise, depth: usize) -> String {
    let field = ["type", "a", "b", "a.b", "a.0", r"\and", r"2\ 3.x", "ключ", r"\1"];
    let literal = ["1", "-0.0", "null", "true", "'a'", r#""x\"y\\z\*""#, "[]", "[1, ['a', null]]"];
    let one = ["length", "lowercase", "snakecase", "typeof", "string", "number", "bool"];
    match noise.below(if depth == 0 { 2 } else { 5 }) {
        0 => (*noise.pick(&field)).to_owned(),
        1 => (*noise.pick(&literal)).to_owned(),
        2 | 3 => format!("{}({})", noise.pick(&one), operand(noise, depth - 1)),
        _ => {
            let two = ["contains", "match"];
            let (function, text) = (*noise.pick(&two), operand(noise, depth - 1));
            format!("{function}({text}, a)")
        }
    }
}

fn condition(noise: &mut Noise, depth: usize) -> String {
    let by = ["=", "!=", "<", "<=", ">", ">=", " in "];
    match noise.below(if depth == 0 { 2 } else { 6 }) {
        0 => operand(noise, 2),
        1 => format!("{}{}{}", operand(noise, 2), noise.pick(&by), operand(noise, 2)),
        2 => format!("!{}", condition(noise, depth - 1)),
        3 => format!("({})", condition(noise, depth - 1)),
        4 => format!("{} and {}", condition(noise, depth - 1), condition(noise, depth - 1)),
        _ => format!("{} or {}", condition(noise, depth - 1), condition(noise, depth - 1)),
    }
}

#[test]
fn text_at_random_never_panics() {
    let mut fields = Fields::new();
    let mut parsed = 0;
    for seed in 0..60_000 {
        let mut noise = Noise::seeded(seed);
        let pieces = (0..noise.below(9)).map(|_| *noise.pick(&PIECES));
        let text: String = pieces.flat_map(|piece| [piece, " "]).collect();
        let mut paths = Paths::new();
        match Trigger::parse(&text, &mut paths) {
            Ok(trigger) => {
                let event = fields.read(br#"{"type":"x","a":[1,{"b":"y"}]}"#, &paths);
                let _ = trigger.matches(event.expect("a valid event"));
                for warning in Review::of(&text).warnings {
                    assert!(text.get(warning.at.clone()).is_some(), "{warning:?} of {text:?}");
                }
                parsed += 1;
            }
            Err(error) => {
                let blamed = text.get(error.at.clone());
                assert!(blamed.is_some(), "{error} at {:?} of {text:?}", error.at);
            }
        }
    }
    assert!(parsed > 500, "{parsed}");
}

#[test]
fn what_is_printed_parses_to_the_same_trigger() {
    let mut fields = Fields::new();
    for seed in 0..20_000 {
        let mut noise = Noise::seeded(seed);
        let text = condition(&mut noise, 4);
        let mut paths = Paths::new();
        let trigger = Trigger::parse(&text, &mut paths).expect(&text);
        let printed = trigger.to_string();
        let again = Trigger::parse(&printed, &mut paths).expect(&printed);
        assert_eq!(trigger, again, "{text} as {printed}");
        let mut record = String::new();
        noise.object(&["a", "b", "type", "ключ", "0"], 4, &mut record);
        let event = fields.read(record.as_bytes(), &paths).expect("a valid event");
        assert_eq!(trigger.matches(event), again.matches(event));
        assert!(!trigger.explain(event).is_empty());
    }
}

#[test]
fn triggers_mean_what_their_description_says() {
    let mut fields = Fields::new();
    let mut outcomes = reference::Outcomes::new();
    let mut matched = [0, 0];
    for seed in 0..15_000 {
        let mut noise = Noise::seeded(seed);
        let (expected, text) = reference::condition(&mut noise, 3);
        let mut paths = Paths::new();
        let trigger = Trigger::parse(&text, &mut paths);
        let trigger = trigger.unwrap_or_else(|error| panic!("seed {seed}: {error}: {text}"));
        for _ in 0..3 {
            let document = reference::event(&mut noise);
            let record = document.to_string();
            let event = fields.read(record.as_bytes(), &paths).expect("a valid event");
            let expected = expected.holds(&document, &mut outcomes);
            assert_eq!(trigger.matches(event), expected, "seed {seed}: {text} of {record}");
            matched[usize::from(expected)] += 1;
        }
    }
    assert!(matched.iter().all(|count| *count > 10_000), "{matched:?}");
    // Every comparison and every function was true of something and false of something else; but
    // everything has a type.
    let both =
        |(name, counts): (&&str, &[usize; 2])| *name == "typeof" || !counts.iter().any(|n| *n < 50);
    assert!(outcomes.len() == 24 && outcomes.iter().all(both), "{outcomes:?}");
}

/// Conditions that meet each other more often than those of `condition` do.
fn narrow_condition(noise: &mut Noise, depth: usize) -> String {
    let field = *noise.pick(&["type", "a", "a", "b"]);
    let value = *noise.pick(&["'track'", "'page'", "'x'", "1", "2", "null", "true", "[1]"]);
    let by = ["=", "=", "!=", "<", "<=", ">", ">="];
    match noise.below(if depth == 0 { 4 } else { 9 }) {
        0 => format!("{field} in [{value}, {}]", noise.pick(&["1", "'page'"])),
        1 => format!("{}({field}) = {value}", noise.pick(&["lowercase", "length", "typeof"])),
        2 | 3 => format!("{field} {} {value}", noise.pick(&by)),
        4 => format!("!({})", narrow_condition(noise, depth - 1)),
        5 | 6 => {
            let one = narrow_condition(noise, depth - 1);
            format!("({one} or {})", narrow_condition(noise, depth - 1))
        }
        _ => {
            let one = narrow_condition(noise, depth - 1);
            format!("({one} and {})", narrow_condition(noise, depth - 1))
        }
    }
}

#[test]
fn what_is_said_to_match_nothing_or_everything_does() {
    let mut fields = Fields::new();
    let (mut never, mut always) = (0, 0);
    for seed in 0..20_000 {
        let mut noise = Noise::seeded(seed);
        let text = narrow_condition(&mut noise, 4);
        let warnings = Review::of(&text).warnings;
        let says = |what: &str| warnings.iter().any(|warning| warning.message.contains(what));
        let verdict = match (says("this trigger never matches"), says("matches every event")) {
            (true, _) => false,
            (_, true) => true,
            _ => continue,
        };
        let (is_never, is_always) = (u32::from(!verdict), u32::from(verdict));
        (never, always) = (never + is_never, always + is_always);
        let mut paths = Paths::new();
        let trigger = Trigger::parse(&text, &mut paths).expect(&text);
        for call in ["track", "page", "screen", "identify", "group", "alias"] {
            for a in
                ["1", "1.0", "2", "1.5", "-1", "null", "true", "\"x\"", "\"page\"", "[1]", "{}"]
            {
                let b = *noise.pick(&["1", "2", "null", "\"track\"", "[]", "3"]);
                let record = format!(r#"{{"type":"{call}","a":{a},"b":{b}}}"#);
                let event = fields.read(record.as_bytes(), &paths).expect("a valid event");
                assert_eq!(trigger.matches(event), verdict, "{text} of {record}");
            }
        }
    }
    assert!(never > 500 && always > 100, "{never} never, {always} always");
}

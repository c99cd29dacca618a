//! Triggers (FQL): which events an action is owed.
//!
//! Knows the language (`docs/triggers-and-mappings.md`): [`Trigger::parse`] turns text into a typed
//! tree or refuses it with the place to blame; [`Trigger::matches`] evaluates the tree on an event
//! that was read with the same [`Paths`]. Everything that can mean nothing is refused when it is
//! parsed; evaluation cannot fail. It does not know where a trigger's text stands in a file.

mod case;
mod evaluate;
mod explain;
mod function;
mod glob;
mod hint;
mod index;
mod parse;
mod review;
mod seen;
mod semver;
mod sign;
mod token;
mod tree;

use std::fmt::{self, Display, Formatter};
use std::ops::Range;

use crate::event::{Event, Paths};

pub use explain::Reason;
pub use index::Index;
pub use review::{EventName, Review, Warning};

/// A condition on events, compiled. Displayed as text that parses to the same trigger.
#[derive(Debug)]
pub struct Trigger {
    condition: tree::Condition,
    places: Box<[Range<usize>]>,
}

/// Why a text is no trigger.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    /// The bytes of the text that are to blame; empty at the end of the text.
    pub at: Range<usize>,
    /// What is wrong there: `expected a comparison after "and", found the end`.
    pub message: String,
    /// What was probably meant.
    pub hint: Option<String>,
}

impl Trigger {
    /// Compiles `text`; what it reads of an event is added to `paths`.
    ///
    /// # Errors
    ///
    /// [`ParseError`] for the first thing that can mean nothing. `paths` may have grown then.
    pub fn parse(text: &str, paths: &mut Paths) -> Result<Trigger, ParseError> {
        let parse::Parsed { condition, comparisons, .. } = parse::parse(text, paths)?;
        Ok(Trigger { condition, places: comparisons.into() })
    }

    /// Whether the condition holds of `event`, which was read with the paths of this trigger.
    /// Total, and linear in the size of trigger and event. Allocates nothing but where a
    /// converted or escaped text must be held: a conversion of a conversion, `number`, `semver`
    /// and long or varying parts of `contains` on such a text.
    #[must_use]
    pub fn matches(&self, event: Event<'_>) -> bool {
        self.condition.holds(event)
    }

    /// Where in the text that it was parsed from its comparisons stand, in their order.
    pub(crate) fn places(&self) -> &[Range<usize>] {
        &self.places
    }

    /// The smallest parts of the trigger that decided whether `event` matches, and what they saw.
    #[must_use]
    pub fn explain(&self, event: Event<'_>) -> Vec<Reason> {
        explain::explain(&self.condition, &self.places, event)
    }
}

/// Triggers that were parsed with the same paths are equal where they mean the same by the same
/// parts, however they were written.
impl PartialEq for Trigger {
    fn eq(&self, other: &Trigger) -> bool {
        self.condition == other.condition
    }
}

impl Display for Trigger {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.condition.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Fields;

    fn holds(trigger: &str, event: &str) -> bool {
        let mut paths = Paths::new();
        let parsed = Trigger::parse(trigger, &mut paths).expect(trigger);
        let mut fields = Fields::new();
        parsed.matches(fields.read(event.as_bytes(), &paths).expect(event))
    }

    fn all_hold(event: &str, triggers: &[&str]) {
        for trigger in triggers {
            assert!(holds(trigger, event), "{trigger} of {event}");
        }
    }

    fn refused(trigger: &str) -> ParseError {
        Trigger::parse(trigger, &mut Paths::new()).expect_err(trigger)
    }

    #[test]
    fn white_space_is_needed_only_where_tokens_would_run_together() {
        all_hold(
            r#"{"type":"b","properties":{"price":100,"and":1,"n":-5}}"#,
            &[
                "properties.price>=100",
                r#"type="a"or(type="b")"#,
                "properties.price=1e+2",
                "properties.and=1 and(true)",
                "properties.n<-4.5",
                "\u{a0}!\t!true\r\n",
                r#"type in["a",'b']"#,
            ],
        );
    }

    #[test]
    fn and_binds_tighter_than_or_and_negation_tightest() {
        all_hold(
            "{}",
            &[
                "true or true and false",
                "!(true or true) or true",
                "!false and true",
                "!type = 1",
                "(((true)))",
            ],
        );
    }

    #[test]
    fn a_path_takes_any_key() {
        all_hold(
            r#"{"a.b":1,"properties":{"product 1":{"größe":2},"$p":3,"and":4,"10":5},"2fa":6,"and":7}"#,
            &[
                r"a\.b = 1",
                r"properties.product\ 1.größe = 2",
                r"properties.\$p = 3",
                "properties.and = 4",
                "properties.10 = 5",
                "2fa = 6",
                r"\and = 7",
            ],
        );
    }

    #[test]
    fn numbers_compare_by_value_and_nothing_else_is_a_number() {
        all_hold(
            r#"{"n":9007199254740993,"one":1.0,"s":"1","l":[1,"1",[2.0]],"o":{}}"#,
            &[
                "n != 9007199254740992",
                "n > 9007199254740992",
                "n = 9007199254740993.0",
                "one = 1 and one = 10e-1",
                "!(s > 0) and !(s <= 1) and s != 1",
                r#"l = [1.0, "1", [2]]"#,
                r#"l != [1, "1"] and l != [1, "1", [2], 3]"#,
                "[2] in l and !(2 in l) and l = l",
                "o != o and !(o = o)",
                "!(1 in o) and !(1 in s)",
            ],
        );
    }

    #[test]
    fn functions_give_what_the_table_says() {
        all_hold(
            r#"{"s":"Signed Up","e":"\u0041\nb","l":[1,{"a":[2]},3],"n":1.50,"b":true,"v":"1.10.2-rc.1","q":"[a-c]*"}"#,
            &[
                "length(s) = 9 and length(l) = 3 and length(x) = 0 and length(n) = null",
                "length(e) = 3 and length(uppercase('ß')) = 2",
                r#"lowercase(s) = "signed up" and uppercase(s) = "SIGNED UP""#,
                r#"snakecase(s) = "signed_up" and kebabcase(s) = "signed-up""#,
                r#"titlecase("test string") = "Test String""#,
                r#"uppercase(snakecase(s)) = "SIGNED_UP" and lowercase(n) = null"#,
                r#"typeof(s) = "string" and typeof(n) = "number" and typeof(b) = "bool""#,
                r#"typeof(l) = "list" and typeof(x) = "null" and typeof(typeof(x)) = "string""#,
                r#"string(n) = "1.50" and string(b) = "true" and string(l) = null"#,
                r#"string(length(s)) = "9" and number("1e2") = 100 and number("1 ") = null"#,
                r#"number(string(n)) = 1.5 and number(b) = null and bool("false") = false"#,
                r#"bool(string(b)) and bool("True") = null and bool(n) = null"#,
                r#"contains(s, "ned") and !contains(s, "NED") and contains(s, "")"#,
                r#"contains(e, "A") and contains(lowercase(s), "up") and contains(e, e)"#,
                r#"match("cab", q) and !match("dab", q) and !match(s, l)"#,
                r#"match(lowercase(s), "signed*") and lowercase(s) in ["signed up"]"#,
                r#"semver(v, ">=", "1.9") and semver(v, "=", "1.10.2") and !semver(v, "<", "1.9")"#,
                r#"!semver(s, "!=", "1") and semver("2", ">", "1.99.99")"#,
            ],
        );
    }

    #[test]
    fn lists_deeper_than_any_stack_are_compared() {
        let nest = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        let event = format!(r#"{{"a":{nest},"b": {nest},"c":{}}}"#, nest.replace('1', "2"));
        all_hold(&event, &["a = b and a != c", "!(a in b) and length(a) = 1"]);
    }

    #[test]
    fn errors_name_the_place_what_was_expected_and_the_usual_slip() {
        for (trigger, at, message, hint) in [
            ("", 0..0, "expected a comparison, found the end", r#"write "true""#),
            ("type = 'a' and", 14..14, r#"expected a comparison after "and", found the end"#, ""),
            ("type = ", 7..7, r#"expected a value after "=", found the end"#, ""),
            ("type == 'a'", 5..7, r#""==" is no comparison"#, r#"write "=""#),
            ("type <> 'a'", 5..7, r#""<>" is no comparison"#, r#"write "!=""#),
            (
                "a = 1 OR b = 2",
                6..8,
                r#"expected "and", "or" or the end after "1", found "OR""#,
                "lower case",
            ),
            ("a = 1 && b = 2", 6..8, "&& means nothing here", r#"write "and""#),
            ("a = 1 || b = 2", 6..8, "|| means nothing here", r#"write "or""#),
            ("\u{feff}a", 0..3, "the invisible character U+FEFF means nothing here", ""),
            ("event = “a”", 8..11, "“ means nothing here", "straight quotes"),
            (
                r#"event is "x""#,
                6..8,
                r#"expected a comparison such as "=", "and", "or" or the end after "event", found "is""#,
                r#"equality is written "=""#,
            ),
            ("not a", 0..3, r#""not" means nothing here"#, "negation is written"),
            (
                r#"userId = oops""#,
                13..14,
                "expected a closing \", found the end",
                "missing before oops",
            ),
            ("(type = 'a' and (b)", 0..1, r#"this "(" is never closed"#, ""),
            ("a in ['b'", 5..6, r#"this "[" is never closed"#, ""),
            (
                "type = 'a')",
                10..11,
                r#"expected "and", "or" or the end after 'a', found ")""#,
                "never opened",
            ),
            ("contains(event)", 0..15, "contains takes 2 arguments, found 1", ""),
            ("upper(event) = 'A'", 0..5, "there is no function upper", "did you mean uppercase?"),
            ("not(event = 'a')", 0..3, "there is no function not", "negation"),
            ("match(event, 'a[')", 13..17, "malformed pattern: a class is not closed", ""),
            ("semver(v, '~', '1')", 10..13, "expected a comparison in quotes", ""),
            ("a = 007", 4..7, "007 is no number", "JSON"),
            ("a..b = 1", 0..4, "expected a key on either side", ""),
            (
                "a = 1 = 1",
                6..7,
                r#"expected "and", "or" or the end after "1", found "=""#,
                "do not chain",
            ),
            ("a in ['b',]", 10..11, "expected a string, a number", ""),
            ("a\\", 0..2, "expected a character", ""),
        ] {
            let error = refused(trigger);
            assert_eq!(error.at, at, "{trigger}: {error}");
            assert!(error.message.starts_with(message), "{trigger}: {error}");
            let given = error.hint.unwrap_or_default();
            assert!(given.contains(hint), "{trigger}: {given}");
        }
    }

    #[test]
    fn what_is_too_long_or_too_deep_is_refused() {
        let nested = |levels| format!("{}true{}", "(".repeat(levels), ")".repeat(levels));
        all_hold("{}", &[&nested(64)]);
        assert_eq!(refused(&nested(65)).message, "nested more than 64 deep");
        refused(&format!("a in {}{}", "[".repeat(65), "]".repeat(65)));
        refused(&format!("{}true", "!".repeat(65)));
        all_hold("{}", &[&format!("true{}", " ".repeat(5116))]);
        refused(&format!("true{}", " ".repeat(5117)));
    }

    #[test]
    fn the_smallest_parts_that_decided_are_named_with_what_they_saw() {
        let mut paths = Paths::new();
        let text = "type = 'track' and (event = 'a' or !contains(properties.url, 'x'))";
        let trigger = Trigger::parse(text, &mut paths).expect(text);
        let mut fields = Fields::new();
        let record = br#"{"type":"track","event":"b","properties":{"url":"x/y"}}"#;
        let event = fields.read(record, &paths).expect("valid");
        let reasons: Vec<String> = trigger.explain(event).iter().map(Reason::to_string).collect();
        assert_eq!(
            reasons,
            [
                r#"event = "a" is false: event is "b""#,
                r#"contains(properties.url, "x") is true: properties.url is "x/y""#,
            ]
        );
    }

    #[test]
    fn the_parts_that_decided_are_found_in_the_text() {
        let mut paths = Paths::new();
        let text = "(type='track'and(event in ['a'] ) or !((contains(\n name, 'x'))))";
        let trigger = Trigger::parse(text, &mut paths).expect(text);
        let mut fields = Fields::new();
        let event = fields.read(br#"{"type":"track","name":"x"}"#, &paths).expect("valid");
        let places: Vec<&str> =
            trigger.explain(event).into_iter().map(|reason| &text[reason.at]).collect();
        assert_eq!(places, ["event in ['a']", "contains(\n name, 'x')"]);
    }
}

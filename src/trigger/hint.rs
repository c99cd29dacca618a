//! What was probably meant by a text that is no trigger: the slips of people who know SQL,
//! JavaScript, templates, or plain English.
//!
//! Knows nothing of the grammar. It looks at the token that was not expected and at the one before
//! it, and never changes whether something is refused.

use std::ops::Range;

use crate::spelling::did_you_mean;

use super::function::Function;
use super::token::{KEYWORDS, Token, is_plain};

/// A token that could not stand where it stands.
pub(super) struct Unexpected<'t> {
    pub(super) text: &'t str,
    pub(super) token: &'t Token<'t>,
    pub(super) at: Range<usize>,
    /// Where the token before it stands; empty at the beginning.
    pub(super) before: Range<usize>,
    /// What is open around it.
    pub(super) inside: Inside,
    /// What stands before it.
    pub(super) behind: Behind,
}

/// What is open where something was not expected.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Inside {
    Nothing,
    Group,
    Call,
    List,
}

/// What stands before something that was not expected.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Behind {
    /// A path that nothing has been compared with.
    Path,
    /// A comparison with a path on its right.
    ComparisonWithPath,
    /// Any other condition that is complete.
    Condition,
    /// Nothing that is complete.
    Other,
}

const JOINED: &str = r#"conditions are joined by "and" or "or""#;
const LIST: &str = r#"a list stands in brackets: ["a", "b"]"#;

impl Unexpected<'_> {
    /// What helps.
    pub(super) fn hint(&self) -> Option<String> {
        let before = &self.text[self.before.clone()];
        let found = &self.text[self.at.clone()];
        let rest = self.text[self.at.end..].trim_start();
        let hint = match self.token {
            Token::End if before.is_empty() => r#"write "true" to take every event"#,
            Token::Name(name) => return self.hint_for_name(name, rest),
            Token::Comparison(_) if before == "," => {
                return Some(format!("the comparison stands in quotes: \"{found}\""));
            }
            Token::Comparison(_) if before.ends_with(['=', '<', '>']) => "one comparison is enough",
            Token::Comparison(_) if self.behind == Behind::Other => {
                return Some(format!("what is compared is missing before \"{found}\""));
            }
            Token::Comparison(_) if before.ends_with(')') => {
                "parentheses group conditions, and a condition has no value to compare"
            }
            Token::Comparison(_) => r#"comparisons do not chain: write "a = b and b = c""#,
            Token::Not if rest.starts_with('=') => r#"write "!=" in one"#,
            Token::Not if rest.starts_with("in") => r#"write !(field in ["a", "b"])"#,
            Token::Open if before == "in" => LIST,
            Token::Open if self.behind == Behind::Other && before == "=" => {
                r#"to compare with several values write field in ["a", "b"]"#
            }
            Token::Close if before == "(" => "nothing stands between the parentheses",
            Token::Close | Token::CloseList if before == "," => "there is a comma too many",
            Token::Close if self.inside == Inside::Nothing => {
                "this parenthesis was never opened, or is closed too soon"
            }
            Token::OpenList if self.behind == Behind::Path => return Some(self.dotted(before)),
            Token::Comma if self.inside == Inside::Nothing => self.hint_for_comma(before),
            Token::Text(_) => self.hint_for_text(),
            _ => return None,
        };
        Some(hint.to_owned())
    }

    /// What is to blame instead, and the message and the hint about it, where the token that was
    /// not expected is none of the matter.
    pub(super) fn other_blame(&self) -> Option<(Range<usize>, String, String)> {
        let before = &self.text[self.before.clone()];
        let is_operand = match self.token {
            Token::Name(name) => !KEYWORDS.contains(name),
            Token::Path(_) | Token::Text(_) | Token::Number(_) => true,
            _ => false,
        };
        if self.behind != Behind::Path || !is_operand {
            return None;
        }
        let hint = match before.to_lowercase().as_str() {
            "not" => r#"negation is written "!": !(event = "x")"#.to_owned(),
            "if" | "when" | "where" | "select" | "filter" => {
                "a trigger is the condition alone".to_owned()
            }
            name if Function::named(name).is_some() => {
                format!("arguments stand in parentheses: {name}(…)")
            }
            _ => return None,
        };
        Some((self.before.clone(), format!("\"{before}\" means nothing here"), hint))
    }

    fn hint_for_name(&self, name: &str, rest: &str) -> Option<String> {
        let before = &self.text[self.before.clone()];
        let lower = name.to_lowercase();
        if name != lower && KEYWORDS.contains(&lower.as_str()) {
            return Some(format!(r#"keywords are lower case: "{lower}""#));
        }
        if let Some(hint) = self.hint_for_quotes(before) {
            return Some(hint.to_owned());
        }
        if self.behind == Behind::ComparisonWithPath && !KEYWORDS.contains(&name) {
            let words = &self.text[self.before.start..self.at.end];
            return Some(format!("a text needs quotes: \"{words}\""));
        }
        if self.inside == Inside::List && !KEYWORDS.contains(&name) {
            return Some(format!("a text needs quotes: \"{name}\""));
        }
        let has_not = rest.starts_with("not");
        let after_not = rest.trim_start_matches("not").trim_start();
        let hint = match lower.as_str() {
            "is" if has_not && after_not.starts_with("null") => r#"write "!= null""#,
            "is" if rest.starts_with("null") => r#"write "= null""#,
            "is" if has_not => r#"inequality is written "!=""#,
            "is" | "equals" | "eq" | "equal" => r#"equality is written "=""#,
            "isnt" | "ne" | "neq" => r#"inequality is written "!=""#,
            "gt" => r#"write ">""#,
            "gte" | "ge" => r#"write ">=""#,
            "lt" => r#"write "<""#,
            "lte" | "le" => r#"write "<=""#,
            "not" if rest.starts_with("in") => r#"write !(field in ["a", "b"])"#,
            "not" => r#"negation is written "!", before what it negates"#,
            "contains" | "includes" => r#"write contains(field, "text")"#,
            "match" | "matches" | "like" => r#"write match(field, "pattern*")"#,
            "startswith" => r#"write match(field, "begins*")"#,
            "endswith" => r#"write match(field, "*ends")"#,
            "exists" => r#"presence is written "field != null""#,
            "between" => r#"write "field >= 1 and field <= 5""#,
            "and" | "or" => {
                return Some(format!(
                    r#"something is missing before "{name}"; a field of this name is written \{name}"#
                ));
            }
            "in" => r#"write field in ["a", "b"]; a field of this name is written \in"#,
            _ if self.behind == Behind::Path && rest.starts_with(['=', '!', '<', '>']) => {
                return Some(format!(r"a blank in a key needs a backslash: {before}\ {name}"));
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }

    /// A word that follows a text at once: the text has ended too soon, or too late.
    fn hint_for_quotes(&self, before: &str) -> Option<&'static str> {
        let quote = before.chars().next_back().filter(|c| matches!(c, '"' | '\''))?;
        let other = if quote == '"' { '\'' } else { '"' };
        let follows_at_once = self.before.end == self.at.start;
        follows_at_once.then_some(if before.contains(other) {
            "a text ends with the quote that it begins with: is one of them the wrong one?"
        } else {
            "a quote inside of a text needs a backslash before it"
        })
    }

    fn hint_for_comma(&self, before: &str) -> &'static str {
        let next = self.text[self.at.end..].chars().next();
        let is_digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
        if is_digit(before.chars().next_back()) && is_digit(next) {
            return "a number has no commas";
        }
        let head = self.text[..self.before.start].trim_end();
        if head.ends_with(" in") { LIST } else { JOINED }
    }

    fn hint_for_text(&self) -> &'static str {
        match self.inside {
            Inside::List | Inside::Call => "is a comma missing?",
            _ if self.behind == Behind::Path => r#"is "=" missing?"#,
            _ => r#"is "and" or a quote missing?"#,
        }
    }

    /// How what stands in brackets behind a path is written.
    fn dotted(&self, path: &str) -> String {
        let inside = self.text[self.at.end..].split(']').next().unwrap_or_default();
        let key = inside.trim().trim_matches(['"', '\'']);
        let mut escaped = String::new();
        for c in key.chars() {
            if !is_plain(c) {
                escaped.push('\\');
            }
            escaped.push(c);
        }
        format!("keys and indexes stand behind a dot: {path}.{escaped}")
    }
}

/// What was meant by the function `name`, which there is not.
pub(super) fn for_function(name: &str) -> String {
    let lower = name.to_lowercase().replace('_', "");
    let by_meaning = [
        ("not", r#"negation is written "!": !(event = "x")"#),
        ("and", r#"write "and" between two conditions"#),
        ("or", r#"write "or" between two conditions"#),
        ("startswith", r#"write match(field, "begins*")"#),
        ("beginswith", r#"write match(field, "begins*")"#),
        ("endswith", r#"write match(field, "*ends")"#),
        ("like", r#"write match(field, "pattern*")"#),
        ("regex", r#"there are no regular expressions: match(field, "pattern*")"#),
        ("regexp", r#"there are no regular expressions: match(field, "pattern*")"#),
        ("exists", r#"presence is written "field != null""#),
        ("isnull", r#"absence is written "field = null""#),
        ("isempty", "write length(field) = 0"),
        ("in", r#"write field in ["a", "b"]"#),
        ("equals", r#"equality is written "=""#),
    ];
    let by_name = [
        ("lower", "lowercase"),
        ("tolower", "lowercase"),
        ("tolowercase", "lowercase"),
        ("upper", "uppercase"),
        ("toupper", "uppercase"),
        ("touppercase", "uppercase"),
        ("len", "length"),
        ("size", "length"),
        ("count", "length"),
        ("includes", "contains"),
        ("has", "contains"),
        ("matches", "match"),
        ("glob", "match"),
        ("type", "typeof"),
        ("str", "string"),
        ("tostring", "string"),
        ("int", "number"),
        ("float", "number"),
        ("tonumber", "number"),
        ("boolean", "bool"),
        ("version", "semver"),
    ];
    let known = by_meaning.iter().map(|(slip, _)| *slip);
    let known = known.chain(by_name.iter().map(|(slip, _)| *slip)).chain(Function::names());
    let Some(near) = did_you_mean(&lower, known) else {
        let names: Vec<_> = Function::names().collect();
        return format!("the functions are {}", names.join(", "));
    };
    if let Some((_, hint)) = by_meaning.iter().find(|(slip, _)| *slip == near) {
        return (*hint).to_owned();
    }
    let meant = by_name.iter().find(|(slip, _)| *slip == near).map_or(near, |(_, meant)| *meant);
    format!("did you mean {meant}?")
}

/// What a character that begins no token was meant to be, and how much of `rest`, which begins
/// with it, is to blame; `before` stands before it.
pub(super) fn for_stranger(rest: &str, before: &str) -> (usize, Option<String>) {
    const QUOTES: [&str; 10] = ["“", "”", "„", "«", "»", "‘", "’", "‚", "`", "´"];
    const COMMENT: &str = "a trigger holds no comments; YAML's stand outside of it";
    let slips: [(&[&str], &str); 14] = [
        (&QUOTES, r#"write straight quotes: " or '"#),
        (&["&&", "&"], r#"write "and""#),
        (&["||", "|"], r#"write "or""#),
        (&["≠"], r#"write "!=""#),
        (&["≤", "⩽"], r#"write "<=""#),
        (&["≥", "⩾"], r#"write ">=""#),
        (&["~=", "~"], r#"write match(field, "pattern*")"#),
        (&[";"], JOINED),
        (&["+"], "a number has no plus sign"),
        (&["$."], r#"a path begins with its first key, without "$.""#),
        (&["{{", "${"], "a field stands without braces"),
        (&["#", "//", "/*"], COMMENT),
        (&["/"], r#"there are no regular expressions: match(field, "pattern*")"#),
        (&[": "], r#"equality is written "=""#),
    ];
    let length = rest.chars().next().map_or(0, char::len_utf8);
    let first = &rest[..length];
    let key = || format!(r"in a key it needs a backslash before it: \{first}");
    if before.ends_with('.') {
        // Behind a dot everything is part of a key.
        let is_quote = rest.starts_with(['"', '\'']);
        return (length, Some(if is_quote { "a key has no quotes".to_owned() } else { key() }));
    }
    let found = slips.iter().find_map(|(slips, hint)| {
        let slip = slips.iter().find(|slip| rest.starts_with(**slip))?;
        Some((slip.trim_end().len(), Some((*hint).to_owned())))
    });
    let is_sign = ["{", "}", "$", "@", "%", "*", ":", "?"].contains(&first);
    found.unwrap_or_else(|| (length, is_sign.then(key)))
}

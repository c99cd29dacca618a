//! Names of events that are written otherwise than the file's other names.
//!
//! Knows the usual ways of joining words. It speaks up when most names are clearly joined in one
//! way and a few are not, and when two names differ in nothing but how they are written.

use std::collections::BTreeMap;

use super::Written;
use crate::config::at::At;
use crate::spelling::letters_of;
use crate::trigger::EventName;

/// A way of writing a name of several words.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// `Signed Up`
    Title,
    /// `Signed up`
    Sentence,
    /// `signed up`
    Words,
    /// `signed_up`
    Snake,
    /// `SIGNED_UP`
    Screaming,
    /// `signed-up`
    Kebab,
    /// `signedUp`
    Camel,
    /// `SignedUp`
    Pascal,
}

/// How many names make a style.
const ENOUGH: usize = 3;

/// Where a name stands: the index of its action, the action's trigger, and the place in it.
struct Mention<'a> {
    action: usize,
    at: &'a At<'a>,
    event: &'a EventName,
}

pub(super) fn review(actions: &[Written<'_>]) {
    let mut names: BTreeMap<&str, Vec<Mention<'_>>> = BTreeMap::new();
    for (action, written) in actions.iter().enumerate() {
        let Some((at, review)) = &written.trigger else { continue };
        for event in &review.events {
            names.entry(&event.name).or_default().push(Mention { action, at, event });
        }
    }
    let twice = respelled(&names);
    for (name, meant) in &twice {
        let line = names[meant].first().map_or(0, Mention::line);
        let mention = &names[name][0];
        mention.warn(
            "this event is written otherwise elsewhere in the file",
            format!("did you mean \"{meant}\", as in line {line}?"),
        );
    }
    let others = names.iter().filter(|(name, _)| !twice.contains_key(*name));
    let styled: Vec<_> =
        others.filter_map(|(name, mentions)| Some((*name, style(name)?, mentions))).collect();
    let Some((usual, example)) = majority(styled.iter().map(|(name, style, _)| (*name, *style)))
    else {
        return;
    };
    for (_, _, mentions) in styled.iter().filter(|(_, style, _)| *style != usual) {
        mentions[0].warn(
            "this event is written otherwise than the others in the file",
            format!("most of them are written like \"{example}\""),
        );
    }
}

impl Mention<'_> {
    fn warn(&self, message: &str, hint: String) {
        self.at.warn_at(self.at.locate(self.event.at.clone()), message, Some(hint));
    }

    fn line(&self) -> usize {
        self.at.line(self.at.locate(self.event.at.clone()).start)
    }
}

/// Names that differ from another one in case and in what joins their words alone, with that
/// other one: the one that is written more often, or first. Where one trigger has both, both are
/// meant.
fn respelled<'n>(names: &BTreeMap<&'n str, Vec<Mention<'_>>>) -> BTreeMap<&'n str, &'n str> {
    let mut same: BTreeMap<String, Vec<&'n str>> = BTreeMap::new();
    for name in names.keys() {
        same.entry(letters_of(name)).or_default().push(name);
    }
    let mut respelled = BTreeMap::new();
    for group in same.values().filter(|group| group.len() > 1) {
        let rank = |name: &&&str| {
            let mentions = &names[**name];
            (std::cmp::Reverse(mentions.len()), mentions[0].action)
        };
        let Some(meant) = group.iter().min_by_key(rank) else { continue };
        for name in group.iter().filter(|name| *name != meant) {
            let is_beside = |mention: &Mention<'_>| {
                names[meant].iter().any(|other| other.action == mention.action)
            };
            if !names[name].iter().any(is_beside) {
                respelled.insert(*name, *meant);
            }
        }
    }
    respelled
}

/// The style of nearly all names, with the first name of that style; none where there is none.
fn majority<'n>(names: impl Iterator<Item = (&'n str, Style)>) -> Option<(Style, &'n str)> {
    let names: Vec<_> = names.collect();
    let of_style = |style: Style| names.iter().filter(move |(_, other)| *other == style);
    let (example, usual) = names.iter().max_by_key(|(_, style)| of_style(*style).count())?;
    let count = of_style(*usual).count();
    let is_clear = count >= ENOUGH && count >= 3 * (names.len() - count);
    let first = of_style(*usual).next().map_or(*example, |(name, _)| *name);
    is_clear.then_some((*usual, first))
}

/// How a name is written; none where it is a single word, or written in no usual way.
fn style(name: &str) -> Option<Style> {
    if !name.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-')) {
        return None;
    }
    let separators: Vec<char> = [' ', '_', '-'].into_iter().filter(|c| name.contains(*c)).collect();
    let words: Vec<&str> = name.split([' ', '_', '-']).collect();
    let is_lower = |word: &&str| !word.is_empty() && !word.contains(char::is_uppercase);
    let is_upper = |word: &&str| !word.is_empty() && !word.contains(char::is_lowercase);
    let is_capital =
        |word: &&str| word.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit());
    match separators[..] {
        [' '] if words.iter().all(is_capital) => Some(Style::Title),
        [' '] if words.iter().all(is_lower) => Some(Style::Words),
        [' '] if is_capital(&words[0]) && words[1..].iter().all(is_lower) => Some(Style::Sentence),
        ['_'] if words.iter().all(is_lower) => Some(Style::Snake),
        ['_'] if words.iter().all(is_upper) => Some(Style::Screaming),
        ['-'] if words.iter().all(is_lower) => Some(Style::Kebab),
        [] => {
            let mut letters = name.chars();
            let first = letters.next()?;
            let rest = letters.as_str();
            let has_hump = rest.contains(char::is_uppercase) && rest.contains(char::is_lowercase);
            match (has_hump, first.is_uppercase()) {
                (true, true) => Some(Style::Pascal),
                (true, false) => Some(Style::Camel),
                (false, _) => None,
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_several_words_has_a_style() {
        for (name, expected) in [
            ("Signed Up", Some(Style::Title)),
            ("Step 2 Viewed", Some(Style::Title)),
            ("Signed up", Some(Style::Sentence)),
            ("signed up", Some(Style::Words)),
            ("email_opened", Some(Style::Snake)),
            ("EMAIL_OPENED", Some(Style::Screaming)),
            ("email-opened", Some(Style::Kebab)),
            ("emailOpened", Some(Style::Camel)),
            ("EmailOpened", Some(Style::Pascal)),
            ("Subscribed", None),
            ("signup", None),
            ("$pageview", None),
            ("Email_opened", None),
            ("video:play", None),
            ("", None),
        ] {
            assert!(style(name) == expected, "{name}");
        }
    }
}

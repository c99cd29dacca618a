//! From a progress to its text.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::{LaneOrigin, LaneProgress};
use crate::record::Position;
use crate::runs::Runs;

/// What a text begins with, before the format's version.
pub(super) const NAME: &str = "hookcast/";
/// The version that is written here.
pub(super) const VERSION: u32 = 1;
/// What a text ends with. It stands nowhere else, so a text that was cut short is known by it.
pub(super) const END: char = ';';
/// Stands for a name without a character.
pub(super) const EMPTY_NAME: &str = "%";

/// What is written of a lane: what it has settled, or less than that.
pub(super) struct Entry<'a> {
    pub(super) lane: &'a LaneProgress,
    pub(super) settled_below: Position,
    pub(super) unsettled: Cow<'a, Runs>,
}

impl<'a> Entry<'a> {
    /// All that there is to tell.
    pub(super) fn whole(lane: &'a LaneProgress) -> Self {
        let unsettled = Cow::Borrowed(&lane.unsettled);
        Self { lane, settled_below: lane.settled_below, unsettled }
    }
}

/// The text; empty when everything starts at the position.
pub(super) fn text<'a>(
    position: Position,
    start: Position,
    entries: impl IntoIterator<Item = Entry<'a>>,
) -> String {
    let mut text = format!("{NAME}{VERSION} {position}");
    if start > position {
        text.push(' ');
        write_settled(&mut text, position, start);
    }
    let mut before = None;
    for entry in entries {
        text.push(' ');
        write_who(&mut text, entry.lane, before);
        write_how_far(&mut text, position, &entry);
        before = Some(entry.lane);
    }
    if start == position && before.is_none() {
        return String::new();
    }
    text.push(END);
    text
}

fn write_how_far(text: &mut String, position: Position, entry: &Entry<'_>) {
    let mut at = position;
    for (from, to) in &*entry.unsettled {
        write_settled(text, at, Position::at(from));
        number(text, '!', to.0.abs_diff(from.0));
        at = to;
    }
    write_settled(text, at, entry.settled_below);
    for (letter, since) in [('f', entry.lane.failing_since), ('a', entry.lane.alone_since)] {
        if let Some(milliseconds) = since {
            // Rounded down: a lane that fails for longer gives up no later.
            let seconds = milliseconds.div_euclid(1000);
            write!(text, ",{letter}{seconds}").expect("a string takes everything");
        }
    }
}

/// The lane's name. What it shares with the one before it is left out.
fn write_who(text: &mut String, lane: &LaneProgress, before: Option<&LaneProgress>) {
    let before = before.filter(|before| before.destination == lane.destination);
    if before.is_none() {
        write_name(text, &lane.destination, "");
    }
    let before = before.filter(|before| before.action == lane.action);
    if before.is_none() || lane.origin == LaneOrigin::Constant {
        text.push('/');
        write_name(text, &lane.action, "");
    }
    let fingerprint = match &lane.origin {
        LaneOrigin::Constant => return,
        LaneOrigin::Mapped { fingerprint, origin } => {
            text.push('@');
            write_name(text, origin, ":/[]");
            *fingerprint
        }
        LaneOrigin::Shared { fingerprint } => {
            text.push_str("@*");
            *fingerprint
        }
    };
    if before.and_then(|before| before.origin.fingerprint()) != Some(fingerprint) {
        write!(text, "#{fingerprint:08x}").expect("a string takes everything");
    }
}

impl LaneOrigin {
    /// What tells the mapping of the URL from others, where it is mapped.
    pub(crate) fn fingerprint(&self) -> Option<u32> {
        match self {
            Self::Constant => None,
            Self::Mapped { fingerprint, .. } | Self::Shared { fingerprint } => Some(*fingerprint),
        }
    }
}

/// From `from` to before `to` everything is settled.
fn write_settled(text: &mut String, from: Position, to: Position) {
    if from < to {
        number(text, '+', to.0.abs_diff(from.0));
    }
}

fn number(text: &mut String, sign: char, count: u64) {
    write!(text, "{sign}{count}").expect("a string takes everything");
}

/// A name in ASCII. Bytes other than letters, digits, `-`, `.`, `_`, `~` and the `plain` ones
/// become `%` and two hexadecimal digits.
fn write_name(text: &mut String, name: &str, plain: &str) {
    if name.is_empty() {
        text.push_str(EMPTY_NAME);
    }
    for byte in name.bytes() {
        let character = char::from(byte);
        let is_plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if is_plain || plain.contains(character) {
            text.push(character);
        } else {
            write!(text, "%{byte:02X}").expect("a string takes everything");
        }
    }
}

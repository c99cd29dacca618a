//! From a text to the progress it tells, or why it tells none.

use std::collections::BTreeSet;

use super::write::{EMPTY_NAME, END, NAME, VERSION};
use super::{LaneOrigin, LaneProgress, Progress};
use crate::record::{Offset, Position};
use crate::runs::Runs;

/// Why the metadata of a commit tells nothing: everything starts at the committed position.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Another program's.
    #[error("the metadata of the commit was not written by hookcast")]
    Foreign,
    /// A newer release's.
    #[error(
        "the progress was written by a newer hookcast: its format has version {version}, and \
         this release reads version {VERSION}"
    )]
    Newer {
        /// The format's version.
        version: u32,
    },
    /// Cut short, or written by hand with a mistake.
    #[error("the progress is damaged at byte {at}: expected {expected}")]
    Damaged {
        /// Where in the text, from 0.
        at: usize,
        /// What should stand there.
        expected: &'static str,
    },
    /// Of another position.
    #[error(
        "the progress belongs to position {told}, but {committed} is committed: the position was \
         set by another program"
    )]
    Misfit {
        /// The position that the text repeats.
        told: Position,
        /// The position that is committed.
        committed: Position,
    },
}

/// Reads a text that is not empty.
pub(super) fn text(text: &str, committed: Position) -> Result<Progress, Unusable> {
    let mut reader = Reader { text, at: 0 };
    if !reader.take(NAME) {
        return Err(Unusable::Foreign);
    }
    let version = reader.number("the format's version")?;
    if version != VERSION {
        return Err(Unusable::Newer { version });
    }
    let Some(body) = text.strip_suffix(END) else {
        reader.at = text.len();
        return Err(reader.damaged("`;`, which ends it"));
    };
    reader.text = body;
    reader.expect(" ", "a blank")?;
    let told = Position(reader.number("a position")?);
    if told != committed {
        return Err(Unusable::Misfit { told, committed });
    }
    let mut progress = Progress { position: told, start: told, lanes: Vec::new() };
    if reader.take(" +") {
        progress.start = reader.beyond(told)?;
    }
    while !reader.is_at_end() {
        reader.expect(" ", "a blank")?;
        let lane = reader.lane(told, progress.lanes.last())?;
        progress.lanes.push(lane);
    }
    let mut known = BTreeSet::new();
    let name =
        |lane: &LaneProgress| (lane.destination.clone(), lane.action.clone(), lane.origin.clone());
    if !progress.lanes.iter().map(name).all(|name| known.insert(name)) {
        return Err(reader.damaged("every lane once"));
    }
    Ok(progress)
}

/// How far a text has been read.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    /// One lane; what its name leaves out is that of the lane `before`.
    fn lane(
        &mut self,
        position: Position,
        before: Option<&LaneProgress>,
    ) -> Result<LaneProgress, Unusable> {
        let follows = |reader: &Self, sign| before.filter(|_| reader.rest().starts_with(sign));
        let same_action = follows(self, '@');
        let same_destination = same_action.or(follows(self, '/'));
        let destination = if let Some(before) = same_destination {
            before.destination.clone()
        } else {
            self.name("", "the name of a destination")?
        };
        let action = if let Some(before) = same_action {
            before.action.clone()
        } else {
            self.expect("/", "`/` and the name of an action")?;
            self.name("", "the name of an action")?
        };
        let known =
            before.filter(|before| before.destination == destination && before.action == action);
        let origin = self.origin(known.and_then(|before| before.origin.fingerprint()))?;
        let (settled_below, unsettled) = self.settled(position)?;
        let failing_since = self.since(",f")?;
        let alone_since = self.since(",a")?;
        Ok(LaneProgress {
            destination,
            action,
            origin,
            settled_below,
            unsettled,
            failing_since,
            alone_since,
        })
    }

    fn origin(&mut self, before: Option<u32>) -> Result<LaneOrigin, Unusable> {
        if !self.take("@") {
            return Ok(LaneOrigin::Constant);
        }
        let origin = if self.take("*") { None } else { Some(self.name(":/[]", "an origin")?) };
        let fingerprint = if self.take("#") {
            const EXPECTED: &str = "a fingerprint of eight hexadecimal digits";
            let digits = self.word(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            let parsed = u32::from_str_radix(digits, 16).ok().filter(|_| digits.len() == 8);
            parsed.ok_or_else(|| self.damaged(EXPECTED))?
        } else {
            before.ok_or_else(|| self.damaged("`#` and a fingerprint"))?
        };
        Ok(match origin {
            Some(origin) => LaneOrigin::Mapped { fingerprint, origin },
            None => LaneOrigin::Shared { fingerprint },
        })
    }

    /// Settled and unsettled offsets in turns, from the position on.
    fn settled(&mut self, position: Position) -> Result<(Position, Runs), Unusable> {
        let mut unsettled = Runs::new();
        let mut at = position;
        let mut last = None;
        while let Some(sign) = ['+', '!'].into_iter().find(|sign| self.rest().starts_with(*sign)) {
            if last.replace(sign) == Some(sign) {
                return Err(self.damaged("`+` and `!` in turns"));
            }
            self.at += 1;
            let from = at;
            at = self.beyond(from)?;
            if sign == '!' {
                unsettled.insert(Offset(from.0), at);
            }
        }
        Ok((at, unsettled))
    }

    /// A moment behind its sign, in milliseconds; none without the sign.
    fn since(&mut self, sign: &str) -> Result<Option<i64>, Unusable> {
        if !self.take(sign) {
            return Ok(None);
        }
        let seconds: i64 = self.number("seconds since 1970")?;
        Ok(Some(seconds.saturating_mul(1000)))
    }

    /// A count of offsets, and the position that lies so far behind `from`.
    fn beyond(&mut self, from: Position) -> Result<Position, Unusable> {
        const EXPECTED: &str = "how many offsets, 1 or more";
        let begin = self.at;
        let count: u64 = self.number(EXPECTED)?;
        let to = from.0.checked_add_unsigned(count).filter(|to| *to > from.0);
        to.map(Position).ok_or(Unusable::Damaged { at: begin, expected: EXPECTED })
    }

    fn name(&mut self, plain: &str, expected: &'static str) -> Result<Box<str>, Unusable> {
        let begin = self.at;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte);
        let written = self.word(|byte| is_plain(byte) || plain.as_bytes().contains(&byte));
        let name = if written == EMPTY_NAME { Some(String::new()) } else { decoded(written) };
        let is_there = !written.is_empty();
        let name = name.filter(|_| is_there).map(String::into_boxed_str);
        name.ok_or(Unusable::Damaged { at: begin, expected })
    }

    /// A number in decimal digits, perhaps with a minus.
    fn number<N: std::str::FromStr>(&mut self, expected: &'static str) -> Result<N, Unusable> {
        let begin = self.at;
        let digits = self.word(|byte| byte.is_ascii_digit() || byte == b'-');
        digits.parse().map_err(|_| Unusable::Damaged { at: begin, expected })
    }

    /// The bytes up to the first that is not `wanted`; all of these are ASCII.
    fn word(&mut self, wanted: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.bytes().take_while(|byte| byte.is_ascii() && wanted(*byte)).count();
        self.at += length;
        &rest[..length]
    }

    fn take(&mut self, text: &str) -> bool {
        let is_there = self.rest().starts_with(text);
        if is_there {
            self.at += text.len();
        }
        is_there
    }

    fn expect(&mut self, text: &str, expected: &'static str) -> Result<(), Unusable> {
        if self.take(text) { Ok(()) } else { Err(self.damaged(expected)) }
    }

    fn is_at_end(&self) -> bool {
        self.rest().is_empty()
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn damaged(&self, expected: &'static str) -> Unusable {
        Unusable::Damaged { at: self.at, expected }
    }
}

/// A name without its escapes; none when they make no UTF-8.
fn decoded(written: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(written.len());
    let mut parts = written.split('%');
    bytes.extend(parts.next()?.bytes());
    for part in parts {
        let (digits, plain) = part.split_at_checked(2)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend(plain.bytes());
    }
    String::from_utf8(bytes).ok()
}

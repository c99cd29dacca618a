//! The lane that origins share of which too many are behind.
//!
//! A partition tells of so many lanes of origins that are behind, and reads the log again for so
//! many. A further one gives way: its events belong to the lane that its action's origins share,
//! until that one is level and holds nothing, or comes by when it holds nothing and there is room for
//! a lane again. Its origins are known by name, and so is what each
//! of them had settled when it came, so that nothing is delivered twice. A next owner knows only
//! that there is such a lane: to him everybody belongs to it who is not told of.

use std::collections::BTreeMap;

use super::Lanes;
use crate::lane::LaneId;
use crate::lane::cursor::Cursor;
use crate::letters::Debtor;
use crate::plan::ActionId;
use crate::progress::LaneOrigin;
use crate::record::{Offset, Position};
use crate::runs::Runs;

/// The most lanes of mapped origins that are behind on one partition.
pub(super) const MOST_BEHIND: usize = 64;
/// The most origins that share a lane and are known by name. Beyond, everybody belongs to it.
const MOST_NAMED: usize = 1024;

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) lane: LaneId,
    /// Its origins, and what each of them still had to read when another one came and the lane
    /// went back for it.
    named: BTreeMap<Box<str>, Runs>,
    /// The same for those that are not named, where they belong to it.
    others: Option<Runs>,
}

impl Shared {
    /// The lane of all origins that have none of their own.
    pub(super) fn with_everybody(lane: LaneId) -> Self {
        Self { lane, named: BTreeMap::new(), others: Some(everything()) }
    }

    fn new(lane: LaneId, origin: Box<str>, unread: Runs) -> Self {
        Self { lane, named: BTreeMap::from([(origin, unread)]), others: None }
    }

    /// Whether the events of `origin` belong to it, unless it has a lane of its own.
    pub(super) fn has(&self, origin: &str) -> bool {
        self.unread_of(origin).is_some()
    }

    fn unread_of(&self, origin: &str) -> Option<&Runs> {
        self.named.get(origin).or(self.others.as_ref())
    }

    /// `origin`, which has still to read `unread`, belongs to it from now on. Of the others it has
    /// still to read `own`.
    fn add(&mut self, origin: Box<str>, unread: Runs, own: &Runs) {
        self.named.values_mut().chain(&mut self.others).for_each(|it| it.retain(own));
        if self.named.len() < MOST_NAMED {
            self.named.insert(origin, unread);
            return;
        }
        let others = self.others.get_or_insert_with(Runs::new);
        unread.iter().for_each(|(from, to)| others.insert(from, to));
    }
}

impl Lanes {
    /// The shared lane of an action, if events of `origin`, which has no lane of its own, belong to
    /// it. One that is level and holds nothing has had its time.
    pub(super) fn shared_lane(&mut self, action: ActionId, origin: &str) -> Option<LaneId> {
        let many = self.of_mapped(action);
        let shared = many.shared.as_ref()?;
        let (lane, is_member) = (shared.lane, shared.has(origin));
        let cursor = self.slots[lane.slot].cursor();
        if cursor.is_behind() || !cursor.is_empty() {
            return is_member.then_some(lane);
        }
        self.told_below = self.told_below.max(cursor.known_below());
        self.of_mapped(action).shared = None;
        drop(self.slots.remove(lane.slot));
        None
    }

    /// The lane that an event of `origin`, which has no lane of its own, is read again for. The
    /// shared one leaves it to a new one, if it may: it holds nothing, so order is kept.
    pub(super) fn shared_lane_again(
        &mut self,
        action: ActionId,
        origin: Box<str>,
        offset: Offset,
    ) -> Option<LaneId> {
        let has_room = self.has_room_behind();
        let fingerprint = self.fingerprint(action)?;
        let many = self.of_mapped(action);
        let shared = many.shared.as_mut()?;
        let slot = shared.lane.slot;
        let unread = shared.unread_of(&origin).filter(|unread| unread.contains(offset))?;
        let (mut unread, lane) = (unread.clone(), shared.lane);
        let cursor = self.slots[slot].cursor();
        if cursor.knows(offset) || !cursor.is_empty() || !has_room {
            return Some(lane);
        }
        unread.retain(&cursor.unread());
        if let Some(shared) = &mut self.of_mapped(action).shared {
            shared.named.remove(&origin);
        }
        let cursor = Cursor::with_unread(unread);
        let lane = self.add(action, LaneOrigin::Mapped { fingerprint, origin }, cursor);
        self.behind.push_back(Debtor::Lane(lane));
        Some(lane)
    }

    /// Whether one more lane of an origin may be behind.
    fn has_room_behind(&self) -> bool {
        let is_of_origin = |debtor: &&Debtor| match debtor {
            Debtor::Lane(id) => self.is_of_origin(*id),
            Debtor::InvalidEvents => false,
        };
        self.behind.iter().filter(is_of_origin).count() < MOST_BEHIND
    }

    /// A lane has fallen behind. Where there are too many of its kind one gives way: one whose
    /// endpoint is down, if there is any, for whoever can send must not wait for it.
    pub(super) fn line_up(&mut self, id: LaneId) {
        let has_room = !self.is_of_origin(id) || self.has_room_behind();
        self.behind.push_back(Debtor::Lane(id));
        if has_room {
            return;
        }
        let is_down = |debtor: &Debtor| match debtor {
            Debtor::Lane(id) => self.is_of_origin(*id) && self.slots[id.slot].is_stuck(),
            Debtor::InvalidEvents => false,
        };
        let index = self.behind.iter().rposition(is_down).unwrap_or(self.behind.len() - 1);
        let Some(Debtor::Lane(id)) = self.behind.remove(index) else { return };
        self.lane_mut(id).begin_to_leave();
        self.leaving.insert(id);
        self.leave_if_at_rest(id);
    }

    /// A lane that gives way, and waits for nothing any more, becomes part of the shared one.
    pub(super) fn leave_if_at_rest(&mut self, id: LaneId) {
        if !self.leaving.contains(&id) || !self.slots[id.slot].is_at_rest() {
            return;
        }
        self.note_idle(id);
        let lane = self.slots.remove(id.slot);
        self.held -= lane.held_bytes();
        self.leaving.remove(&id);
        let LaneOrigin::Mapped { fingerprint, origin } = lane.origin().clone() else {
            unreachable!("only lanes of origins give way");
        };
        let unread = lane.into_unread();
        self.of_mapped(id.action).lanes.remove(&origin);
        let Some(shared) = &self.of_mapped(id.action).shared else {
            let cursor = Cursor::with_unread(unread.clone());
            let lane = self.add(id.action, LaneOrigin::Shared { fingerprint }, cursor);
            self.behind.push_back(Debtor::Lane(lane));
            self.of_mapped(id.action).shared = Some(Shared::new(lane, origin, unread));
            return;
        };
        let lane = shared.lane;
        let cursor = self.slots[lane.slot].cursor_mut();
        let (own, was_behind) = (cursor.unread(), cursor.is_behind());
        cursor.read_anew(&unread);
        if !was_behind {
            self.behind.push_back(Debtor::Lane(lane));
        }
        if let Some(shared) = &mut self.of_mapped(id.action).shared {
            shared.add(origin, unread, &own);
        }
    }
}

/// All offsets.
fn everything() -> Runs {
    Runs::from_iter([(Offset(i64::MIN), Position(i64::MAX))])
}

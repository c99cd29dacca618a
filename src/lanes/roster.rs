//! Which lane an event belongs to.
//!
//! An action with a constant URL has one lane. One with a mapped URL has one for every origin that
//! its events go to, and perhaps one that origins share. An event whose target cannot be resolved
//! counts as one of an origin without a name, so that exactly one lane owes it. Lanes of origins
//! come and go with their events: there may be millions of origins.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Lanes;
use super::shared::Shared;
use crate::event::Event;
use crate::lane::cursor::Cursor;
use crate::lane::invalid::InvalidEvents;
use crate::lane::{Lane, LaneId};
use crate::letters::Debtor;
use crate::plan::{ActionId, Target};
use crate::progress::LaneOrigin;
use crate::record::{Offset, Position};
use crate::request::{self, Unsendable};
use crate::standing::{Clocks, Standing, Whose};

/// So many lanes are not worth looking at for idle ones.
const FEW: usize = 256;

/// The lanes of one action.
#[derive(Debug)]
pub(super) enum LanesOfAction {
    /// The URL is constant.
    One(LaneId),
    /// The URL is mapped.
    Many(Box<ByOrigin>),
}

#[derive(Debug, Default)]
pub(super) struct ByOrigin {
    pub(super) lanes: BTreeMap<Box<str>, LaneId>,
    pub(super) shared: Option<Shared>,
}

/// An event's lane, and where its request goes.
#[derive(Debug, Clone)]
pub(crate) struct Addressed {
    pub(crate) lane: LaneId,
    pub(super) target: Aim,
}

/// Where an event's request goes.
#[derive(Debug, Clone)]
pub(super) enum Aim {
    /// To the one target that the action has. It is not named here: that would count its users,
    /// event by event, in a place that all partitions share.
    Constant,
    /// To this one, if it could be made.
    Resolved(Result<Arc<Target>, Unsendable>),
}

impl LanesOfAction {
    /// All of them, in an order of their own that is always the same.
    pub(super) fn ids(&self) -> impl Iterator<Item = LaneId> {
        let (one, many) = match self {
            Self::One(id) => (Some(*id), None),
            Self::Many(many) => (many.shared.as_ref().map(|shared| shared.lane), Some(many)),
        };
        one.into_iter().chain(many.into_iter().flat_map(|many| many.lanes.values().copied()))
    }
}

impl Lanes {
    /// The lane of `whose` stands somewhere else than the partition's reader, which begins at
    /// `reader`.
    pub(crate) fn restore(&mut self, whose: Whose, standing: Standing, reader: Position) {
        let Standing { clocks, settled_below, .. } = standing;
        let cursor = Cursor::restored(standing, reader);
        let is_behind = cursor.is_behind();
        let debtor = match whose {
            Whose::Nobody => {
                self.invalid_events = InvalidEvents::new(cursor);
                Debtor::InvalidEvents
            }
            Whose::Action(action, origin) => {
                let lane = self.add(action, origin.clone(), cursor);
                let Clocks { failing_since, alone_since } = clocks;
                self.slots[lane.slot].inherit(failing_since, alone_since, settled_below);
                if let LaneOrigin::Shared { .. } = origin {
                    self.of_mapped(action).shared = Some(Shared::with_everybody(lane));
                }
                Debtor::Lane(lane)
            }
        };
        if is_behind {
            self.behind.push_back(debtor);
        }
    }

    /// The lane of an event that the reader has read, and its target.
    pub(super) fn address(&mut self, action: ActionId, event: Event<'_>) -> Addressed {
        let target = self.target(action, event);
        let lane = match self.by_action.get(&action) {
            Some(LanesOfAction::One(lane)) => *lane,
            _ => match self.fingerprint(action) {
                None => self.add(action, LaneOrigin::Constant, Cursor::level()),
                Some(fingerprint) => self.lane_of_origin(action, origin_of(&target), fingerprint),
            },
        };
        Addressed { lane, target }
    }

    /// The same for an event at `offset` that is read again: none when no lane owes it that has to
    /// read it again.
    pub(crate) fn address_again(
        &mut self,
        action: ActionId,
        event: Event<'_>,
        offset: Offset,
    ) -> Option<Addressed> {
        let target = self.target(action, event);
        let lane = match self.by_action.get(&action)? {
            LanesOfAction::One(lane) => Some(*lane),
            LanesOfAction::Many(many) => {
                let origin = origin_of(&target);
                let own = many.lanes.get(&*origin).copied();
                own.or_else(|| self.shared_lane_again(action, origin, offset))
            }
        };
        lane.map(|lane| Addressed { lane, target })
    }

    /// Whether an action may have more lanes than those that are known: whatever the reader waits
    /// for, they may starve.
    pub(crate) fn is_mapped(&self, debtor: Debtor) -> bool {
        match debtor {
            Debtor::Lane(id) => self.fingerprint(id.action).is_some(),
            Debtor::InvalidEvents => false,
        }
    }

    /// Forgets the lanes of origins that hold nothing and of which there is nothing to tell, when
    /// there are twice as many as last time. No record may be parked. `began` and `reader` as for
    /// [`start`](Self::start).
    pub(crate) fn forget_idle(&mut self, began: Position, reader: Position) {
        if self.slots.len() < FEW.max(2 * self.were) {
            return;
        }
        let start = self.start(began, reader);
        for lanes in self.by_action.values_mut() {
            let LanesOfAction::Many(many) = lanes else { continue };
            many.lanes.retain(|origin, id| {
                // Whoever has no lane may be taken for one of those that share theirs.
                let may_share = many.shared.as_ref().is_some_and(|it| it.has(origin));
                let is_kept = may_share || !self.slots[id.slot].cursor().tells_nothing(start);
                if !is_kept {
                    drop(self.slots.remove(id.slot));
                }
                is_kept
            });
        }
        self.told_below = self.told_below.max(start);
        self.were = self.slots.len();
    }

    fn target(&self, action: ActionId, event: Event<'_>) -> Aim {
        let template = &self.plan.actions[action.0].request;
        match template.target.constant() {
            Some(_) => Aim::Constant,
            None => Aim::Resolved(request::target(template, &self.plan.egress, event)),
        }
    }

    pub(super) fn fingerprint(&self, action: ActionId) -> Option<u32> {
        self.plan.actions[action.0].request.target.fingerprint()
    }

    fn lane_of_origin(&mut self, action: ActionId, origin: Box<str>, fingerprint: u32) -> LaneId {
        let many = self.of_mapped(action);
        if let Some(lane) = many.lanes.get(&*origin) {
            return *lane;
        }
        if let Some(lane) = self.shared_lane(action, &origin) {
            return lane;
        }
        self.add(action, LaneOrigin::Mapped { fingerprint, origin }, Cursor::level())
    }

    /// The lanes of an action whose URL is mapped.
    pub(super) fn of_mapped(&mut self, action: ActionId) -> &mut ByOrigin {
        let lanes = self.by_action.entry(action);
        match lanes.or_insert_with(|| LanesOfAction::Many(Box::default())) {
            LanesOfAction::Many(many) => many,
            LanesOfAction::One(_) => unreachable!("the URL is mapped"),
        }
    }

    /// A new lane. The one that origins share is not known by it yet.
    pub(super) fn add(&mut self, action: ActionId, origin: LaneOrigin, cursor: Cursor) -> LaneId {
        let slot = self.slots.vacant_entry();
        let id = LaneId { action, slot: slot.key() };
        let shared = self.gates.shared(action, &origin);
        let (plan, partition) = (Arc::clone(&self.plan), self.partition.clone());
        slot.insert(Lane::new(plan, (id, origin.clone()), partition, cursor, shared));
        match origin {
            LaneOrigin::Constant => {
                self.by_action.insert(action, LanesOfAction::One(id));
            }
            LaneOrigin::Mapped { origin, .. } => {
                self.of_mapped(action).lanes.insert(origin, id);
            }
            LaneOrigin::Shared { .. } => {}
        }
        id
    }
}

/// The origin of a mapped target that may not have been resolved.
fn origin_of(target: &Aim) -> Box<str> {
    match target {
        Aim::Resolved(Ok(target)) => request::origin(target).into(),
        Aim::Resolved(Err(_)) | Aim::Constant => Box::default(),
    }
}

//! How far a lane is, as it is told to the next owner of its partition.
//!
//! Knows names: a lane is told by its destination, action and origin, and found again by them,
//! whatever else has changed in the configuration. Where the mapping of the URL has changed, origins
//! say nothing any more, and the action starts whole at its lowest place.

use std::collections::BTreeMap;

use crate::plan::{Action, ActionId, Plan};
use crate::progress::{LaneOrigin, LaneProgress};
use crate::record::{Offset, Position};
use crate::runs::Runs;

/// Whose events a lane is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Whose {
    /// This action's, and of them those of its lane of this name.
    Action(ActionId, LaneOrigin),
    /// Nobody's: its records are no events.
    Nobody,
}

/// Below `settled_below` everything is settled but `unsettled`; from there on nothing is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) settled_below: Position,
    pub(crate) unsettled: Runs,
    pub(crate) clocks: Clocks,
}

/// Since when something fails, in milliseconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Clocks {
    /// The endpoint.
    pub(crate) failing_since: Option<i64>,
    /// An event alone, of several the one that fails for the longest.
    pub(crate) alone_since: Option<i64>,
}

impl Standing {
    fn of(lane: LaneProgress) -> Self {
        let clocks = Clocks { failing_since: lane.failing_since, alone_since: lane.alone_since };
        Self { settled_below: lane.settled_below, unsettled: lane.unsettled, clocks }
    }

    /// The lowest offset that may be owed.
    pub(crate) fn lowest(&self) -> Position {
        self.unsettled.first().map_or(self.settled_below, Position::at)
    }

    /// This standing, told of the lane of `whose`.
    pub(crate) fn told(self, plan: &Plan, whose: Whose) -> LaneProgress {
        let (destination, action, origin) = match whose {
            Whose::Nobody => ("", "", LaneOrigin::Constant),
            Whose::Action(id, origin) => {
                let action = &plan.actions[id.0];
                (&*action.destination_name, &*action.name, origin)
            }
        };
        LaneProgress {
            destination: destination.into(),
            action: action.into(),
            origin,
            settled_below: self.settled_below,
            unsettled: self.unsettled,
            failing_since: self.clocks.failing_since,
            alone_since: self.clocks.alone_since,
        }
    }
}

/// What was told, as this plan understands it.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// The lanes that there are, each of them once.
    pub(crate) lanes: Vec<(Whose, Standing)>,
    /// Those of actions that this plan does not know.
    pub(crate) foreign: Vec<LaneProgress>,
}

impl Heard {
    /// What `told` means for the actions among `wanted`, of which those that are not told of start
    /// at `start`. What is told of an action that the plan knows but does not want here is
    /// forgotten: its events are skipped for good.
    pub(crate) fn new(
        plan: &Plan,
        wanted: &[ActionId],
        start: Position,
        told: Vec<LaneProgress>,
    ) -> Self {
        let mut heard = Self::default();
        let mut by_action: BTreeMap<ActionId, Vec<LaneProgress>> = BTreeMap::new();
        for lane in told {
            if lane.destination.is_empty() && lane.action.is_empty() {
                heard.lanes.push((Whose::Nobody, Standing::of(lane)));
                continue;
            }
            match action(plan, &lane) {
                None => heard.foreign.push(lane),
                Some(id) if wanted.contains(&id) => by_action.entry(id).or_default().push(lane),
                Some(_) => {}
            }
        }
        for (id, lanes) in by_action {
            let fingerprint = plan.actions[id.0].request.target.fingerprint();
            let understood = understand(fingerprint, start, lanes).into_iter();
            let whose = |(origin, standing)| (Whose::Action(id, origin), standing);
            heard.lanes.extend(understood.map(whose));
        }
        heard
    }
}

/// The lanes of one action whose URL has this fingerprint. If they are those of another URL, one
/// constant and one mapped, or mapped otherwise, they become one lane that stands where the lowest
/// of them does.
fn understand(
    fingerprint: Option<u32>,
    start: Position,
    told: Vec<LaneProgress>,
) -> Vec<(LaneOrigin, Standing)> {
    let is_meant = |lane: &LaneProgress| lane.origin.fingerprint() == fingerprint;
    if told.iter().all(is_meant) {
        let lanes = told.into_iter().map(|mut lane| {
            let origin = std::mem::replace(&mut lane.origin, LaneOrigin::Constant);
            (origin, Standing::of(lane))
        });
        return lanes
            .filter_map(|(origin, standing)| of_everybody(origin, standing, start))
            .collect();
    }
    let lowest = told.iter().map(LaneProgress::lowest_unsettled).min();
    let settled_below = lowest.unwrap_or(start).min(start);
    let origin = match fingerprint {
        None => LaneOrigin::Constant,
        Some(fingerprint) => LaneOrigin::Shared { fingerprint },
    };
    // It is another endpoint, or so many that none is the one that fails.
    let clocks = Clocks::default();
    let standing = Standing { settled_below, unsettled: Runs::new(), clocks };
    of_everybody(origin, standing, start).into_iter().collect()
}

/// Nobody has told which origins share a lane. From now on it is that of all that are not told of,
/// and these have settled nothing from `start` on. There is none when it stands there as well.
fn of_everybody(
    origin: LaneOrigin,
    mut standing: Standing,
    start: Position,
) -> Option<(LaneOrigin, Standing)> {
    if let LaneOrigin::Shared { .. } = origin {
        standing.settled_below = standing.settled_below.min(start);
        standing.unsettled.remove(Offset(start.0), Position(i64::MAX));
        if standing.lowest() == start {
            return None;
        }
    }
    Some((origin, standing))
}

/// The action that a lane is told of.
fn action(plan: &Plan, lane: &LaneProgress) -> Option<ActionId> {
    let is_meant = |action: &Action| {
        *action.destination_name == *lane.destination && *action.name == *lane.action
    };
    plan.actions.iter().position(is_meant).map(ActionId)
}

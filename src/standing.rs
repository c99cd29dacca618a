//! How far a lane is, as it is told to the next owner of its partition.
//!
//! Knows names: a lane is told by its destination and action, and found again by them, whatever
//! else has changed in the configuration.

use crate::plan::{Action, ActionId, Plan};
use crate::progress::{LaneOrigin, LaneProgress};
use crate::record::Position;
use crate::runs::Runs;

/// Whose events a lane is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// This action's.
    Action(ActionId),
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

impl Clocks {
    /// The earlier ones.
    fn min(self, other: Self) -> Self {
        let min = |one: Option<i64>, other: Option<i64>| one.into_iter().chain(other).min();
        Self {
            failing_since: min(self.failing_since, other.failing_since),
            alone_since: min(self.alone_since, other.alone_since),
        }
    }
}

impl Standing {
    /// The lowest offset that may be owed.
    pub(crate) fn lowest(&self) -> Position {
        self.unsettled.first().map_or(self.settled_below, Position::at)
    }

    /// This standing, told of the lane of `whose`.
    pub(crate) fn told(self, plan: &Plan, whose: Whose) -> LaneProgress {
        let (destination, action) = match whose {
            Whose::Nobody => ("", ""),
            Whose::Action(id) => {
                let action = &plan.actions[id.0];
                (&*action.destination_name, &*action.name)
            }
        };
        LaneProgress {
            destination: destination.into(),
            action: action.into(),
            origin: LaneOrigin::Constant,
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
    /// What `told` means for the actions among `wanted`. What is told of an action that the plan
    /// knows but does not want here is forgotten: its events are skipped for good.
    pub(crate) fn new(plan: &Plan, wanted: &[ActionId], told: Vec<LaneProgress>) -> Self {
        let mut heard = Self::default();
        for lane in told {
            let known = whose(plan, &lane);
            match known {
                None => heard.foreign.push(lane),
                Some(Whose::Action(id)) if !wanted.contains(&id) => {}
                Some(whose) => heard.add(whose, lane),
            }
        }
        heard
    }

    /// Several lanes of one action, as another version of its mapping may have had them, become
    /// one that stands where the lowest of them does.
    fn add(&mut self, whose: Whose, lane: LaneProgress) {
        let clocks = Clocks { failing_since: lane.failing_since, alone_since: lane.alone_since };
        let standing =
            Standing { settled_below: lane.settled_below, unsettled: lane.unsettled, clocks };
        match self.lanes.iter_mut().find(|(known, _)| *known == whose) {
            None => self.lanes.push((whose, standing)),
            Some((_, known)) => {
                let settled_below = known.lowest().min(standing.lowest());
                let clocks = known.clocks.min(standing.clocks);
                *known = Standing { settled_below, unsettled: Runs::new(), clocks };
            }
        }
    }
}

fn whose(plan: &Plan, lane: &LaneProgress) -> Option<Whose> {
    if lane.destination.is_empty() && lane.action.is_empty() {
        return Some(Whose::Nobody);
    }
    let is_meant = |action: &Action| {
        *action.destination_name == *lane.destination && *action.name == *lane.action
    };
    let index = plan.actions.iter().position(is_meant)?;
    Some(Whose::Action(ActionId(index)))
}

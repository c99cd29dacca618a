//! Where the actions stand on one partition: what the broker said, seen with the plan.

use super::broker::Answer;
use crate::plan::Plan;
use crate::progress::{LaneOrigin, LaneProgress, Progress, Unusable};
use crate::record::{Position, TopicPartition};
use crate::routing::Routes;
use crate::runs::Runs;

/// Where everybody stands on one partition.
pub(super) struct Standing {
    pub(super) partition: TopicPartition,
    /// None: nothing is committed, and it is not known where anybody starts.
    pub(super) position: Option<Position>,
    /// Where those start that are not listed.
    pub(super) start: Option<Position>,
    /// None where the broker could not say.
    pub(super) end: Option<Position>,
    /// Why the progress tells nothing.
    pub(super) metadata_error: Option<Unusable>,
    /// The lanes of the plan's actions in the plan's order, then those of others.
    pub(super) lanes: Vec<Lane>,
}

/// Where one lane stands.
pub(super) struct Lane {
    pub(super) destination: Box<str>,
    pub(super) action: Box<str>,
    pub(super) which: Which,
    /// Whether the plan has such an action that reads this partition.
    pub(super) is_known: bool,
    /// None where nothing is committed.
    pub(super) at: Option<At>,
    /// In milliseconds since 1970.
    pub(super) failing_since: Option<i64>,
    /// In milliseconds since 1970.
    pub(super) alone_since: Option<i64>,
}

/// Which lane of its action it is.
pub(super) enum Which {
    /// The only one, or all of them together.
    Whole,
    /// The one for an origin.
    Origin(Box<str>),
    /// The one that origins share of which there are too many.
    Shared,
    /// All that are not listed, beside some that are.
    Others,
}

/// How far a lane is.
pub(super) struct At {
    pub(super) settled_below: Position,
    pub(super) unsettled: Runs,
    /// The lowest offset that it has not settled.
    pub(super) lowest: Position,
}

impl Standing {
    /// How many offsets lie between what a lane has settled and the end.
    pub(super) fn lag(&self, lane: &Lane) -> Option<i64> {
        let (end, at) = (self.end?, lane.at.as_ref()?);
        Some(end.0.saturating_sub(at.lowest.0).max(0))
    }

    /// Whether a lane has yet to reach the place from which the partition is read.
    pub(super) fn is_behind(&self, lane: &Lane) -> bool {
        let at = lane.at.as_ref().map(|at| at.lowest);
        at.zip(self.start).is_some_and(|(at, start)| at < start)
    }
}

/// Puts together what is known of one partition.
pub(super) fn of_partition(answer: Answer, plan: &Plan) -> Standing {
    let Answer { partition, committed, end } = answer;
    let mut metadata_error = None;
    let progress = committed.map(|committed| {
        let nothing_told =
            Progress { position: committed.position, start: committed.position, lanes: Vec::new() };
        let parsed = Progress::parse(&committed.metadata, committed.position);
        let parsed = parsed.unwrap_or_else(|why| {
            metadata_error = Some(why);
            None
        });
        parsed.unwrap_or(nothing_told)
    });
    let lanes = lanes(&partition, progress.as_ref(), plan);
    let position = progress.as_ref().map(|progress| progress.position);
    let start = progress.as_ref().map(|progress| progress.start);
    Standing { partition, position, start, end, metadata_error, lanes }
}

fn lanes(partition: &TopicPartition, progress: Option<&Progress>, plan: &Plan) -> Vec<Lane> {
    let mut lanes = Vec::new();
    let start = progress.map(|progress| progress.start);
    let mut listed: Vec<&LaneProgress> =
        progress.iter().flat_map(|progress| &progress.lanes).collect();
    for id in Routes::new(plan, &partition.topic).actions(plan) {
        let action = &plan.actions[id.0];
        let unlisted = |which| Lane {
            destination: (*action.destination_name).into(),
            action: (*action.name).into(),
            which,
            is_known: true,
            at: start.map(|start| At {
                settled_below: start,
                unsettled: Runs::new(),
                lowest: start,
            }),
            failing_since: None,
            alone_since: None,
        };
        let own = listed.extract_if(.., |lane| {
            *lane.destination == *action.destination_name && *lane.action == *action.name
        });
        let own: Vec<_> = own.collect();
        let has_origins = !own.is_empty();
        let is_whole = own.iter().any(|lane| lane.origin == LaneOrigin::Constant);
        lanes.extend(own.into_iter().map(|lane| of_entry(lane, true)));
        if !has_origins {
            lanes.push(unlisted(Which::Whole));
        } else if !is_whole {
            lanes.push(unlisted(Which::Others));
        }
    }
    lanes.extend(listed.into_iter().map(|lane| of_entry(lane, false)));
    lanes
}

fn of_entry(lane: &LaneProgress, is_known: bool) -> Lane {
    Lane {
        destination: lane.destination.clone(),
        action: lane.action.clone(),
        which: match &lane.origin {
            LaneOrigin::Constant => Which::Whole,
            LaneOrigin::Mapped { origin, .. } => Which::Origin(origin.clone()),
            LaneOrigin::Shared { .. } => Which::Shared,
        },
        is_known,
        at: Some(At {
            settled_below: lane.settled_below,
            unsettled: lane.unsettled.clone(),
            lowest: lane.lowest_unsettled(),
        }),
        failing_since: lane.failing_since,
        alone_since: lane.alone_since,
    }
}

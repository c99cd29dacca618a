//! Making a text shorter by saying less: lanes are told to have settled less than they have.
//!
//! Knows what each thing that could be left out would repeat, and leaves out the cheapest until
//! the text fits. What stands here can repeat events and lose none.

use std::borrow::Cow;

use super::write::{self, Entry};
use super::{Encoded, LaneProgress, Progress};
use crate::record::{Offset, Position};
use crate::runs::{Run, Runs};

/// So many lanes are taken to be unlisted, and so to repeat what lies below a start that is
/// lowered for one of them. How many there are is not known here; that it is hardly ever none is.
const UNLISTED: u64 = 10;

/// The text of a progress that does not fit as it is.
pub(super) fn encode(progress: &Progress, most_bytes: usize) -> Encoded {
    let first = fold(progress, progress.start, most_bytes);
    // Where the start had to be lowered, other things have become cheap: lanes that stand close
    // to it need no entry any more, and leave room for those that have settled much above it.
    let second = first.start < progress.start && first.start > progress.position;
    let Folded { start, entries } =
        if second { fold(progress, first.start, most_bytes) } else { first };
    let is_whole = |entry: &&Entry<'_>| matches!(entry.unsettled, Cow::Borrowed(_));
    let folded = progress.lanes.len() - entries.iter().filter(is_whole).count();
    let metadata = write::text(progress.position, start, entries);
    if metadata.len() <= most_bytes {
        return Encoded { metadata, start, folded };
    }
    // Not even the header has room. Everything starts at the position, which takes no text.
    Encoded { metadata: String::new(), start: progress.position, folded }
}

/// A progress without what was left out.
struct Folded<'a> {
    start: Position,
    entries: Vec<Entry<'a>>,
}

/// A lane, and when what it says is left out: by the place in the order of what goes first.
struct Order<'a> {
    lane: &'a LaneProgress,
    /// For what it has settled behind each of its unsettled runs.
    settled: Vec<usize>,
    /// For the whole entry.
    entry: usize,
}

/// Leaves out no more than it takes, but everything at the worst; unlisted lanes start at `start`
/// at best.
fn fold(progress: &Progress, start: Position, most_bytes: usize) -> Folded<'_> {
    let (orders, count) = orders(progress, start);
    // The more is left out the shorter is the text, so what suffices can be found by halving.
    let (mut too_few, mut enough) = (0, count);
    while enough - too_few > 1 {
        let middle = too_few.midpoint(enough);
        let Folded { start, entries } = without_first(middle, &orders, start);
        if write::text(progress.position, start, entries).len() <= most_bytes {
            enough = middle;
        } else {
            too_few = middle;
        }
    }
    without_first(enough, &orders, start)
}

/// What each lane could leave out, in the order of what that would repeat; and how much there is.
fn orders(progress: &Progress, start: Position) -> (Vec<Order<'_>>, usize) {
    let mut costs = Vec::new();
    for (index, lane) in progress.lanes.iter().enumerate() {
        let mut above = 0;
        for (number, (from, to)) in islands(lane).enumerate() {
            let length = to.0.abs_diff(from.0);
            above += length;
            costs.push((length, Whole::No, index, number));
        }
        let lowest = lane.lowest_unsettled();
        let distance = lowest.0.abs_diff(start.0);
        let each = if lowest < start { UNLISTED } else { 1 };
        let is_timed = lane.failing_since.is_some() || lane.alone_since.is_some();
        let whole = if is_timed { Whole::WithItsTimes } else { Whole::Yes };
        costs.push((above.saturating_add(distance.saturating_mul(each)), whole, index, 0));
    }
    costs.sort_unstable();
    let mut orders: Vec<_> = progress
        .lanes
        .iter()
        .map(|lane| Order { lane, settled: vec![0; lane.unsettled.len()], entry: 0 })
        .collect();
    for (place, &(_, whole, index, number)) in costs.iter().enumerate() {
        match whole {
            Whole::No => orders[index].settled[number] = place,
            Whole::Yes | Whole::WithItsTimes => orders[index].entry = place,
        }
    }
    (orders, costs.len())
}

/// Whether a whole entry is left out. Among equals that comes last, and since when something
/// fails is kept the longest: it repeats nothing, but an outage would begin anew.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Whole {
    No,
    Yes,
    WithItsTimes,
}

/// What a lane has settled behind each of its unsettled runs.
fn islands(lane: &LaneProgress) -> impl Iterator<Item = Run> {
    let begins = lane.unsettled.iter().map(|(_, to)| Offset(to.0));
    let ends = lane.unsettled.iter().skip(1).map(|(from, _)| Position::at(from));
    begins.zip(ends.chain([lane.settled_below]))
}

/// What remains without the first `count` things of the order.
fn without_first<'a>(count: usize, orders: &[Order<'a>], mut start: Position) -> Folded<'a> {
    let mut entries = Vec::with_capacity(orders.len());
    for order in orders {
        if order.entry < count {
            start = start.min(order.lane.lowest_unsettled());
        } else if order.settled.iter().any(|place| *place < count) {
            entries.push(coarser(order, count));
        } else {
            entries.push(Entry::whole(order.lane));
        }
    }
    Folded { start, entries }
}

/// An entry that takes some of what the lane has settled for unsettled.
fn coarser<'a>(order: &Order<'a>, count: usize) -> Entry<'a> {
    let Order { lane, settled, .. } = order;
    let mut unsettled = Runs::new();
    for (((from, to), island), place) in lane.unsettled.iter().zip(islands(lane)).zip(settled) {
        let to = if *place < count { island.1 } else { to };
        unsettled.insert(from, to);
    }
    // A run that reaches up to where nothing is settled says what goes without saying.
    let last = unsettled.iter().next_back().filter(|(_, to)| *to == lane.settled_below);
    let mut settled_below = lane.settled_below;
    if let Some((from, to)) = last {
        settled_below = Position::at(from);
        unsettled.remove(from, to);
    }
    Entry { lane, settled_below, unsettled: Cow::Owned(unsettled) }
}

//! What the actions owe: how far they are behind the ends of their topics, and since when.
//!
//! Knows how what is told of single partitions becomes figures of actions. It does not know where
//! the ends of the log come from, nor who watches the figures.

use std::collections::BTreeMap;

use crate::plan::ActionId;
use crate::record::Position;

/// What one action owes on one partition. An action without any debt stands where the partition's
/// reader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Debt {
    /// Whose it is.
    pub action: ActionId,
    /// Below it everything is settled.
    pub from: Position,
    /// The timestamp of the oldest event that is in memory, in milliseconds since 1970-01-01 UTC;
    /// none when there is no such event, or it has none.
    pub oldest: Option<i64>,
}

/// One partition, as it is seen from outside.
#[derive(Debug, Clone, Copy)]
pub struct Owing<'a> {
    /// The actions that are connected to its topic.
    pub actions: &'a [ActionId],
    /// The next record that its reader reads.
    pub reader: Position,
    /// Where its log ends; none: that is not known yet.
    pub end: Option<Position>,
    /// What the actions owe that stand elsewhere than the reader.
    pub debts: &'a [Debt],
    /// When this process took the partition over, in milliseconds since 1970-01-01 UTC. What is
    /// owed without being in memory was owed by then.
    pub taken_over_at: i64,
}

/// How far one action is behind, all its partitions together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Arrears {
    /// The records from what it has settled to the ends of its topics.
    pub records: i64,
    /// The timestamp of the oldest event that it owes, in milliseconds since 1970-01-01 UTC.
    pub oldest: Option<i64>,
}

/// How far each of `actions` actions is behind on these partitions.
pub fn arrears<'a>(
    actions: usize,
    partitions: impl IntoIterator<Item = Owing<'a>>,
) -> Vec<Arrears> {
    let mut arrears = vec![Arrears::default(); actions];
    // What is the same for all actions of a topic is added up once: there may be hundreds of
    // partitions, and a thousand actions.
    let mut readers: BTreeMap<&[ActionId], i64> = BTreeMap::new();
    for partition in partitions {
        let Owing { actions, reader, end, debts, taken_over_at } = partition;
        let to_end = |from: Position| end.map_or(0, |end| (end.0 - from.0).max(0));
        *readers.entry(actions).or_default() += to_end(reader);
        // An action may have several lanes: it is as far as the slowest one.
        for lanes in debts.chunk_by(|one, other| one.action == other.action) {
            let from = lanes.iter().map(|debt| debt.from).min().unwrap_or(reader);
            let known = lanes.iter().map(|debt| debt.oldest.unwrap_or(taken_over_at)).min();
            let of_action = &mut arrears[lanes[0].action.0];
            of_action.records += to_end(from) - to_end(reader);
            of_action.oldest = of_action.oldest.into_iter().chain(known).min();
        }
    }
    for (actions, records) in readers {
        for id in actions {
            arrears[id.0].records += records;
        }
    }
    arrears
}

#[cfg(test)]
mod tests {
    use super::{Arrears, Debt, Owing, arrears};
    use crate::plan::ActionId;
    use crate::record::Position;

    const BOTH: &[ActionId] = &[ActionId(0), ActionId(1)];

    fn debt(action: usize, from: i64, oldest: Option<i64>) -> Debt {
        Debt { action: ActionId(action), from: Position(from), oldest }
    }

    fn owing(reader: i64, end: Option<i64>, debts: &[Debt]) -> Owing<'_> {
        let (reader, end) = (Position(reader), end.map(Position));
        Owing { actions: BOTH, reader, end, debts, taken_over_at: 1_000 }
    }

    #[test]
    fn who_owes_nothing_is_as_far_as_the_reader_and_who_does_further_behind() {
        let debts = [debt(1, 3, Some(70))];
        let partitions = [owing(8, Some(10), &debts), owing(5, Some(6), &[])];
        let behind = arrears(3, partitions);
        assert_eq!(behind[0], Arrears { records: 3, oldest: None });
        assert_eq!(behind[1], Arrears { records: 8, oldest: Some(70) });
        assert_eq!(behind[2], Arrears::default(), "it is connected to nothing");
    }

    #[test]
    fn the_slowest_lane_and_the_oldest_event_count() {
        let one = [debt(0, 7, Some(50)), debt(0, 2, Some(40))];
        let other = [debt(0, 1, Some(30))];
        let behind = arrears(2, [owing(9, Some(9), &one), owing(1, Some(1), &other)]);
        assert_eq!(behind[0], Arrears { records: 7, oldest: Some(30) });
    }

    #[test]
    fn what_is_owed_and_not_in_memory_is_as_old_as_the_assignment_at_least() {
        let debts = [debt(0, 0, None)];
        assert_eq!(arrears(2, [owing(4, Some(4), &debts)])[0].oldest, Some(1_000));
    }

    #[test]
    fn where_the_end_is_not_known_nothing_is_guessed() {
        let debts = [debt(0, 2, Some(5))];
        let behind = arrears(2, [owing(8, None, &debts)]);
        assert_eq!(behind[0], Arrears { records: 0, oldest: Some(5) });
    }
}

//! Sets of offsets that stand mostly side by side.
//!
//! Knows how to keep them as runs: few numbers for many offsets. It does not know what the
//! offsets have in common.

use std::fmt;
use std::iter::Copied;
use std::slice::Iter;

use crate::record::{Offset, Position};

/// A set of offsets, kept as runs: disjoint, not empty, ascending, and never side by side.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Runs {
    /// Every end is lower than the next beginning.
    runs: Vec<Run>,
}

/// A run's first offset, and the position behind its last.
pub type Run = (Offset, Position);

impl Runs {
    /// No offset.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether no offset is contained.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// How many runs there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.runs.len()
    }

    /// Adds the offsets from `from` to before `to`; none when that is nothing.
    pub fn insert(&mut self, from: Offset, to: Position) {
        if !to.is_past(from) {
            return;
        }
        // Offsets mostly come in their order.
        if self.end().is_none_or(|end| end < Position::at(from)) {
            self.runs.push((from, to));
            return;
        }
        // Runs that touch the new one become one with it.
        let begin = self.runs.partition_point(|run| run.1 < Position::at(from));
        let end = begin + self.runs[begin..].partition_point(|run| Position::at(run.0) <= to);
        let mut new = (from, to);
        if let [first, ..] = self.runs[begin..end] {
            new.0 = new.0.min(first.0);
        }
        if let [.., last] = self.runs[begin..end] {
            new.1 = new.1.max(last.1);
        }
        self.runs.splice(begin..end, [new]);
    }

    /// Takes the offsets from `from` to before `to` away.
    pub fn remove(&mut self, from: Offset, to: Position) {
        if !to.is_past(from) {
            return;
        }
        let begin = self.first_past(from);
        let end = begin + self.runs[begin..].partition_point(|run| to.is_past(run.0));
        let met = &self.runs[begin..end];
        let (Some(&first), Some(&last)) = (met.first(), met.last()) else { return };
        let left = [(first.0, Position::at(from)), (Offset(to.0), last.1)];
        let left = left.into_iter().filter(|run| run.1.is_past(run.0));
        self.runs.splice(begin..end, left);
    }

    /// Takes every offset away that is none of `others`.
    pub fn retain(&mut self, others: &Self) {
        let mut at = Offset(i64::MIN);
        for (from, to) in others {
            self.remove(at, Position::at(from));
            at = Offset(to.0);
        }
        self.remove(at, Position(i64::MAX));
    }

    /// Takes every offset below `position` away.
    pub fn remove_below(&mut self, position: Position) {
        let below = self.runs.partition_point(|run| run.1 <= position);
        self.runs.drain(..below);
        if let Some(first) = self.runs.first_mut() {
            first.0 = first.0.max(Offset(position.0));
        }
    }

    /// Whether the offset is one of them.
    #[must_use]
    pub fn contains(&self, offset: Offset) -> bool {
        self.first_at_or_after(offset) == Some(offset)
    }

    /// The lowest offset.
    #[must_use]
    pub fn first(&self) -> Option<Offset> {
        self.runs.first().map(|run| run.0)
    }

    /// The lowest offset that is not below `offset`.
    #[must_use]
    pub fn first_at_or_after(&self, offset: Offset) -> Option<Offset> {
        self.runs.get(self.first_past(offset)).map(|run| run.0.max(offset))
    }

    /// The position behind the highest offset.
    #[must_use]
    pub fn end(&self) -> Option<Position> {
        self.runs.last().map(|run| run.1)
    }

    /// Every run, ascending.
    pub fn iter(&self) -> Copied<Iter<'_, Run>> {
        self.runs.iter().copied()
    }

    /// The index of the first run that ends behind `offset`.
    fn first_past(&self, offset: Offset) -> usize {
        self.runs.partition_point(|run| !run.1.is_past(offset))
    }
}

impl fmt::Debug for Runs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|(from, to)| from.0..to.0)).finish()
    }
}

impl<'a> IntoIterator for &'a Runs {
    type Item = Run;
    type IntoIter = Copied<Iter<'a, Run>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl FromIterator<Run> for Runs {
    fn from_iter<T: IntoIterator<Item = Run>>(runs: T) -> Self {
        let mut all = Self::new();
        for (from, to) in runs {
            all.insert(from, to);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Runs;
    use crate::record::{Offset, Position};

    /// The runs of a plain set.
    fn runs_of(model: &BTreeSet<i64>) -> Vec<(Offset, Position)> {
        let mut runs: Vec<(Offset, Position)> = Vec::new();
        for &offset in model {
            let next = Offset(offset).next();
            match runs.last_mut() {
                Some((_, to)) if *to == Position(offset) => *to = next,
                _ => runs.push((Offset(offset), next)),
            }
        }
        runs
    }

    #[test]
    fn they_are_a_plain_set_whatever_is_done_to_them() {
        for seed in 0..300 {
            let mut random = fastrand::Rng::with_seed(seed);
            let (mut runs, mut model) = (Runs::new(), BTreeSet::new());
            for _ in 0..120 {
                let from = random.i64(-3..40);
                let to = from + random.i64(-2..9);
                match random.u8(..10) {
                    8 => {
                        let others = Runs::from_iter([
                            (Offset(from), Position(to)),
                            (Offset(to + 3), Position(to + 9)),
                        ]);
                        runs.retain(&others);
                        model.retain(|offset| others.contains(Offset(*offset)));
                    }
                    0..5 => {
                        runs.insert(Offset(from), Position(to));
                        model.extend(from..to);
                    }
                    5..8 => {
                        runs.remove(Offset(from), Position(to));
                        model.retain(|offset| !(from..to).contains(offset));
                    }
                    _ => {
                        runs.remove_below(Position(from / 4));
                        model = model.split_off(&(from / 4));
                    }
                }
                assert_eq!(runs.iter().collect::<Vec<_>>(), runs_of(&model), "seed {seed}");
                assert_eq!(runs.len(), runs_of(&model).len());
                assert_eq!(runs.is_empty(), model.is_empty());
                assert_eq!(runs.first(), model.first().copied().map(Offset));
                assert_eq!(runs.end(), model.last().map(|&last| Offset(last).next()));
                for offset in -5..55 {
                    let at_or_after = model.range(offset..).next().copied().map(Offset);
                    assert_eq!(runs.first_at_or_after(Offset(offset)), at_or_after);
                    assert_eq!(runs.contains(Offset(offset)), model.contains(&offset));
                }
            }
            assert_eq!(runs.iter().rev().collect::<Runs>(), runs, "seed {seed}");
        }
    }

    #[test]
    fn the_debug_form_is_a_list_of_ranges() {
        let runs = Runs::from_iter([(Offset(3), Position(5)), (Offset(7), Position(8))]);
        assert_eq!(format!("{runs:?}"), "[3..5, 7..8]");
    }
}

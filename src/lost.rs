//! Which offsets of a partition the broker has deleted before every action had read them.
//!
//! Several find out about the same deletion: the reader, and every lane that is behind. Each offset
//! is counted once.

use crate::record::{Offset, Position};
use crate::runs::Runs;

/// The reader leaves a run behind each time that it is overtaken. Of more than so many the lowest
/// are forgotten: a lane that has not even come so far would count them a second time.
const MOST_RUNS: usize = 64;

/// See the module's documentation.
#[derive(Debug, Default)]
pub(crate) struct Lost {
    counted: Runs,
}

impl Lost {
    /// What lies between `from` and `to` was deleted. How many offsets of it are news?
    pub(crate) fn add(&mut self, from: Position, to: Position) -> u64 {
        let before = self.offsets();
        self.counted.insert(Offset(from.0), to);
        let news = self.offsets() - before;
        if self.counted.len() > MOST_RUNS
            && let Some((_, end)) = self.counted.iter().next()
        {
            self.counted.remove_below(end);
        }
        u64::try_from(news).unwrap_or(0)
    }

    fn offsets(&self) -> i64 {
        self.counted.iter().map(|(from, to)| to.0 - from.0).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::{Lost, MOST_RUNS};
    use crate::record::Position;

    #[test]
    fn every_offset_is_counted_once_whoever_finds_out() {
        let mut lost = Lost::default();
        let mut add = |from, to| lost.add(Position(from), Position(to));
        assert_eq!(add(10, 10), 0);
        assert_eq!(add(10, 20), 10);
        assert_eq!(add(5, 20), 5, "a lane that was behind the reader");
        assert_eq!(add(7, 20), 0, "another one");
        assert_eq!(add(15, 30), 10, "more was deleted meanwhile");
        assert_eq!(add(3, 40), 12);
        assert_eq!(add(50, 60), 10);
        assert_eq!(add(50, 55), 0);
        assert_eq!(add(0, 70), 3 + 10 + 10, "a lane that was behind all of this");
    }
    #[test]
    fn deletions_without_end_take_no_memory_without_end() {
        let mut lost = Lost::default();
        for at in 0..1000 {
            assert_eq!(lost.add(Position(2 * at), Position(2 * at + 1)), 1);
        }
        assert_eq!(lost.counted.len(), MOST_RUNS);
    }
}

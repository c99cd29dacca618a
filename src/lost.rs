//! Which offsets of a partition the broker has deleted before every action had read them.
//!
//! Several find out about the same deletion: the reader, and every lane that is behind. Each offset
//! is counted once.

use crate::record::Position;

/// See the module's documentation.
#[derive(Debug, Default)]
pub(crate) struct Lost {
    /// What was counted last: from here, up to there.
    counted: Option<(Position, Position)>,
}

impl Lost {
    /// What lies between `from` and `to` was deleted. How many offsets of it are news?
    pub(crate) fn add(&mut self, from: Position, to: Position) -> u64 {
        let length = |from: Position, to: Position| u64::try_from(to.0 - from.0).unwrap_or(0);
        match self.counted {
            // The broker deletes from the front only, so what is deleted next touches it or lies
            // above.
            Some((first, last)) if from <= last && first <= to => {
                self.counted = Some((from.min(first), to.max(last)));
                length(from, first) + length(last, to)
            }
            _ if from < to => {
                self.counted = Some((from, to));
                length(from, to)
            }
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Lost;
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
    }
}

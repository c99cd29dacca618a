//! The memory that events of all partitions may hold together.
//!
//! Half of it is divided equally among the assigned partitions, so that none can starve another;
//! the other half goes to whoever needs it first. Knows numbers only.

use std::sync::atomic::{AtomicUsize, Ordering};

/// See the module's documentation.
#[derive(Debug)]
pub struct Memory {
    limit: usize,
    partitions: AtomicUsize,
    held: AtomicUsize,
}

impl Memory {
    /// Room for `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit, partitions: AtomicUsize::new(0), held: AtomicUsize::new(0) }
    }

    /// So many partitions share it from now on.
    pub fn share_among(&self, partitions: usize) {
        self.partitions.store(partitions, Ordering::Relaxed);
    }

    /// The bytes that are held, all partitions together.
    #[must_use]
    pub fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// A partition holds `now` bytes where it held `before`.
    pub fn account(&self, before: usize, now: usize) {
        if now >= before {
            self.held.fetch_add(now - before, Ordering::Relaxed);
        } else {
            self.held.fetch_sub(before - now, Ordering::Relaxed);
        }
    }

    /// How many bytes a partition that holds `held` bytes may hold.
    #[must_use]
    pub fn room(&self, held: usize) -> usize {
        let common = self.limit / 2;
        let guaranteed = common / self.partitions.load(Ordering::Relaxed).max(1);
        // What others have not taken of their halves is theirs to take at any time.
        let free_for_all = common.saturating_sub(self.held());
        guaranteed.max(held + free_for_all)
    }
}

#[cfg(test)]
mod tests {
    use super::Memory;

    #[test]
    fn one_partition_may_take_more_than_its_share_but_not_that_of_others() {
        let memory = Memory::new(1000);
        memory.share_among(10);
        assert_eq!(memory.room(0), 500);
        memory.account(0, 500);
        assert_eq!(memory.room(500), 500, "it keeps what it has");
        assert_eq!(memory.room(0), 50, "everybody else has a share left");
        memory.account(500, 0);
        assert_eq!(memory.held(), 0);
    }
}

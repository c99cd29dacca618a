//! What the worlds have in them.

/// What was seen to happen, so that it is known that it happens at all.
#[derive(Default)]
pub struct Sights {
    pub crashes: usize,
    pub drains: usize,
    pub retries: usize,
    pub splits: usize,
    pub rejections: usize,
    pub failed_letters: usize,
    pub full_pipelines: usize,
    pub batches: usize,
    pub lanes_behind: usize,
    pub slices: usize,
    pub restored: usize,
    pub folded: usize,
    pub lost_metadata: usize,
    pub openings: usize,
    pub expired: usize,
    pub streaks: usize,
    pub set_aside: usize,
    pub changed_urls: usize,
    pub shared_lanes: usize,
    pub crowds: usize,
}

impl Sights {
    pub fn add(&mut self, other: &Self) {
        self.crashes += other.crashes;
        self.drains += other.drains;
        self.retries += other.retries;
        self.splits += other.splits;
        self.rejections += other.rejections;
        self.failed_letters += other.failed_letters;
        self.full_pipelines += other.full_pipelines;
        self.batches += other.batches;
        self.lanes_behind += other.lanes_behind;
        self.slices += other.slices;
        self.restored += other.restored;
        self.folded += other.folded;
        self.lost_metadata += other.lost_metadata;
        self.openings += other.openings;
        self.expired += other.expired;
        self.streaks += other.streaks;
        self.set_aside += other.set_aside;
        self.changed_urls += other.changed_urls;
        self.shared_lanes += other.shared_lanes;
        self.crowds += other.crowds;
    }

    pub fn assert_that_everything_was_seen(&self) {
        let counts = [
            self.crashes,
            self.drains,
            self.retries,
            self.splits,
            self.rejections,
            self.failed_letters,
            self.full_pipelines,
            self.batches,
            self.lanes_behind,
            self.slices,
            self.restored,
            self.folded,
            self.lost_metadata,
            self.openings,
            self.expired,
            self.streaks,
            self.set_aside,
            self.changed_urls,
            self.shared_lanes,
            self.crowds,
        ];
        assert!(counts.iter().all(|count| *count > 100), "too quiet: {counts:?}");
    }
}

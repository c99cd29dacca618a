//! Whether a pipeline leaves undone what it could do, for whoever watches over it.

use super::{Pipeline, Reading};
use crate::record::Now;

impl Pipeline {
    /// Whether a lane holds events and waits for nothing, or the reader waits for lanes of which
    /// none holds anything. Asked right after [`poll`](Self::poll) it is a sign that something is
    /// wrong. A drain begins nothing, and rightly so.
    #[must_use]
    pub fn idles(&self, now: Now) -> bool {
        let waits_in_vain = self.parked.is_some() && self.lanes.is_empty();
        self.reading == Reading::Yes && (waits_in_vain || self.lanes.idle(now))
    }
}

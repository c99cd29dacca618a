//! How a lane gives way to the one that origins share: it awaits its answers and begins nothing,
//! and then all that it has not settled is read again, for that other lane.

use super::Lane;
use crate::progress::LaneOrigin;
use crate::record::Position;
use crate::runs::Runs;

impl Lane {
    /// Which lane of its action it is.
    pub(crate) fn origin(&self) -> &LaneOrigin {
        &self.origin
    }

    /// It begins nothing from now on. The other lanes of its endpoint go first.
    pub(crate) fn begin_to_leave(&mut self) {
        self.is_leaving = true;
        self.step_aside();
    }

    /// Whether neither an answer nor a letter is awaited.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.in_flight == 0 && self.buried.is_empty()
    }

    /// Forgets what it holds, and says which offsets it has still to read, to the end of all of
    /// them.
    pub(crate) fn into_unread(mut self) -> Runs {
        self.cursor.fall_behind(Position(0), |_| true);
        self.cursor.unread()
    }
}

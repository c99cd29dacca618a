//! What time it is, for those who are told nothing by others.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::record::Now;

/// The present, on both clocks.
#[must_use]
pub fn now() -> Now {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let unix_ms = i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX);
    Now { instant: Instant::now(), unix_ms }
}

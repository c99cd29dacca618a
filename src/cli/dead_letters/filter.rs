//! Which letters are meant.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::cli::options::{Filters, Since};
use crate::dead_letter::{Letter, Place};

/// What was asked for, where `since` is a moment.
#[derive(Debug)]
pub(super) struct Filter<'f> {
    pub(super) filters: &'f Filters,
    /// In milliseconds since 1970-01-01 UTC.
    pub(super) since: Option<i64>,
}

impl<'f> Filter<'f> {
    /// What `filters` mean now.
    pub(super) fn new(filters: &'f Filters) -> Self {
        let ago = |ago| SystemTime::now().checked_sub(ago)?.duration_since(UNIX_EPOCH).ok();
        let since = filters.since.map(|since| match since {
            Since::At(at) => at,
            // What is longer ago than 1970 is as long ago as can be.
            Since::Ago(duration) => ago(duration)
                .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX)),
        });
        Self { filters, since }
    }

    pub(super) fn matches(&self, letter: &Letter<'_>, place: Place) -> bool {
        let Filters { destination, action, reason, status, .. } = self.filters;
        let (to, what) = letter.address.map(|to| (to.destination, to.action)).unzip();
        let is = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| found == Some(wanted))
        };
        is(destination, to)
            && is(action, what)
            && is(reason, Some(letter.reason))
            && status.is_none_or(|status| letter.status == Some(status))
            && self.since.is_none_or(|since| place.timestamp.is_some_and(|at| at >= since))
    }
}

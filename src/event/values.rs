//! JSON values that follow one another in one text.

use std::ops::Range;

use super::scan;
use super::syntax;

/// The valid value that begins at `at`, if one does. The bytes need not be UTF-8.
#[must_use]
pub fn value_at(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let end = scan::skip(bytes, at, &mut Vec::new()).ok()?;
    Some(at..end)
}

/// The first byte at or behind `at` that is no white space of JSON.
#[must_use]
pub fn past_white_space(bytes: &[u8], at: usize) -> usize {
    syntax::white(bytes, at)
}

//! What has been found while a configuration was read.
//!
//! Everything that reads a section notes what it finds here, once, in any order.

use std::cell::RefCell;
use std::ops::Range;
use std::path::Path;

use super::diagnostic::{Diagnostic, File};

/// What has been found so far.
pub(super) struct Report<'a> {
    pub(super) file: &'a File,
    /// What relative paths are relative to.
    pub(super) directory: &'a Path,
    errors: RefCell<Vec<Found>>,
    warnings: RefCell<Vec<Found>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    bytes: Range<usize>,
    path: String,
    message: String,
    hint: Option<String>,
}

impl<'a> Report<'a> {
    pub(super) fn new(file: &'a File, directory: &'a Path) -> Self {
        Self { file, directory, errors: RefCell::default(), warnings: RefCell::default() }
    }

    pub(super) fn error(
        &self,
        bytes: Range<usize>,
        path: &str,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        note(&self.errors, bytes, path, message.into(), hint);
    }

    pub(super) fn warning(
        &self,
        bytes: Range<usize>,
        path: &str,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        note(&self.warnings, bytes, path, message.into(), hint);
    }

    pub(super) fn has_no_error(&self) -> bool {
        self.errors.borrow().is_empty()
    }

    /// The errors and the warnings, each in the file's order.
    pub(super) fn finish(self) -> (Vec<Diagnostic>, Vec<Diagnostic>) {
        let file = self.file;
        let sorted = |found: RefCell<Vec<Found>>| {
            let mut found = found.into_inner();
            found.sort_by_key(|found| found.bytes.start);
            let diagnostic = |found: Found| {
                file.diagnostic(Some(found.bytes), &found.path, found.message, found.hint)
            };
            found.into_iter().map(diagnostic).collect()
        };
        (sorted(self.errors), sorted(self.warnings))
    }
}

fn note(
    list: &RefCell<Vec<Found>>,
    bytes: Range<usize>,
    path: &str,
    message: String,
    hint: Option<String>,
) {
    let found = Found { bytes, path: path.to_owned(), message, hint };
    let mut list = list.borrow_mut();
    if !list.contains(&found) {
        list.push(found);
    }
}

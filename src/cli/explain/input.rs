//! The events to explain: from a file or standard input to the bytes of each record.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::explanation::{self, BrokenArray};

/// The largest input that is read.
const LARGEST: u64 = 1 << 30;

/// Why there is nothing to explain.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum Error {
    #[error("{}: cannot be read: {why}", named(.path))]
    Unreadable { path: PathBuf, why: String },
    #[error("{}: {why}", named(.path))]
    Unusable { path: PathBuf, why: &'static str },
    #[error(
        "{}:{line}:{column}: not a JSON array of events from here on (byte {at})",
        named(.path)
    )]
    BrokenArray { path: PathBuf, line: usize, column: usize, at: usize },
}

/// What was read, and where the records are in it.
pub(super) struct Input {
    bytes: Vec<u8>,
    records: Vec<Range<usize>>,
}

/// One of the records.
pub(super) struct Record<'i> {
    pub(super) bytes: &'i [u8],
    /// The line on which it begins, from 1.
    pub(super) line: usize,
}

impl Input {
    /// Reads the file `path`, or standard input when that is `-`.
    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        let unusable = |why| Error::Unusable { path: path.to_owned(), why };
        let bytes = read(path).map_err(|error| {
            let why = if error.kind() == io::ErrorKind::IsADirectory {
                "it is a directory".to_owned()
            } else {
                without_number(&error)
            };
            Error::Unreadable { path: path.to_owned(), why }
        })?;
        if bytes.len() as u64 > LARGEST {
            return Err(unusable("larger than 1 GiB: split it"));
        }
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            return Err(unusable("UTF-16, and JSON is UTF-8: save it as UTF-8"));
        }
        let records = explanation::records(&bytes).map_err(|BrokenArray { at }| {
            let before = &bytes[..at];
            let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            Error::BrokenArray {
                path: path.to_owned(),
                line: line_of(before),
                column: String::from_utf8_lossy(&before[line_start..]).chars().count() + 1,
                at,
            }
        })?;
        if records.is_empty() {
            return Err(unusable("holds no event"));
        }
        Ok(Self { bytes, records })
    }

    /// How many records there are; one at least.
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    /// The records, in their order.
    pub(super) fn records(&self) -> impl Iterator<Item = Record<'_>> {
        let mut line = 1;
        let mut passed = 0;
        self.records.iter().map(move |range| {
            line += line_of(&self.bytes[passed..range.start]) - 1;
            passed = range.start;
            Record { bytes: &self.bytes[range.clone()], line }
        })
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        io::stdin().lock().take(LARGEST + 1).read_to_end(&mut bytes)?;
    } else {
        File::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// The line, from 1, on which what follows `before` stands.
fn line_of(before: &[u8]) -> usize {
    1 + memchr::memchr_iter(b'\n', before).count()
}

fn named(path: &Path) -> String {
    if path == Path::new("-") { "standard input".into() } else { path.display().to_string() }
}

/// What went wrong, as a fragment without the operating system's number.
fn without_number(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut characters = text.chars();
    let first = characters.next().map(char::to_lowercase);
    first.into_iter().flatten().chain(characters).collect()
}

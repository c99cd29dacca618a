//! How far a redrive is, on a terminal: a line that is drawn over and over.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use crate::bar::{bar, grouped};

/// Between two drawings.
pub(super) const PAUSE: Duration = Duration::from_millis(100);

/// A line on standard error, if that is a terminal.
pub(super) struct Status {
    is_shown: bool,
    drawn: Option<Instant>,
}

impl Status {
    pub(super) fn new() -> Self {
        let is_dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
        Self { is_shown: io::stderr().is_terminal() && !is_dumb, drawn: None }
    }

    /// Draws that `done` of `total` offsets were read, and so many letters redriven.
    pub(super) fn draw(&mut self, done: u64, total: u64, redriven: u64) {
        if !self.is_shown || self.drawn.is_some_and(|drawn| drawn.elapsed() < PAUSE) {
            return;
        }
        self.drawn = Some(Instant::now());
        // A line that is longer than the terminal is wide is cut by it (`?7l`): one line stays one.
        let (bar, letters) = (bar(done, total), grouped(redriven));
        let text = format!("\r\x1b[?7l  {bar}  {letters} letters\x1b[K\x1b[?7h");
        // That nobody looks is no reason to fail.
        let _ = io::stderr().write_all(text.as_bytes());
    }

    /// Leaves nothing of the line.
    pub(super) fn clear(&mut self) {
        if self.drawn.take().is_some() {
            let _ = io::stderr().write_all(b"\r\x1b[K");
        }
    }
}

//! How much one rendering may do.
//!
//! Everything whose cost an event could drive up is paid for before it is done: bytes that are
//! looked through or made, items, rounds of a loop. So nested loops, ranges without end and texts
//! that double come to an end at the same place, after the same time.

use std::cell::Cell;

use super::{LARGEST, Unrendered};

/// What a rendering may spend; about a byte of work each.
const BUDGET: usize = 32 << 20;

/// What a value costs that is made or copied, besides its bytes.
pub(super) const ITEM: usize = 32;

/// What is left to spend.
#[derive(Debug)]
pub(super) struct Work {
    left: Cell<usize>,
}

impl Work {
    pub(super) fn new() -> Work {
        Work { left: Cell::new(BUDGET) }
    }

    pub(super) fn spend(&self, amount: usize) -> Result<(), Unrendered> {
        match self.left.get().checked_sub(amount) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => Err(Unrendered(
                "more work than a template may do: a loop has too many rounds, or a text grows \
                 without end"
                    .to_owned(),
            )),
        }
    }
}

/// A text that is being rendered, and never becomes too long.
#[derive(Debug, Default)]
pub(super) struct Output {
    text: String,
}

impl Output {
    pub(super) fn push(&mut self, text: &str) -> Result<(), Unrendered> {
        if self.text.len() + text.len() > LARGEST {
            return Err(Unrendered(format!("the result has more than {LARGEST} bytes")));
        }
        self.text.push_str(text);
        Ok(())
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }
}

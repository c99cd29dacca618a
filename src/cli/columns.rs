//! Lines of a table: cells below one another, and whatever stands behind them.

use unicode_width::UnicodeWidthStr;

/// How wide the columns are, and on which side their cells stand.
pub(super) struct Columns<const N: usize> {
    widths: [usize; N],
    /// Which of them hold numbers, that stand at the right.
    numbers: [bool; N],
}

impl<const N: usize> Columns<N> {
    /// Columns as wide as their headings.
    pub(super) fn new(headings: [&str; N], numbers: [bool; N]) -> Self {
        Self { widths: headings.map(UnicodeWidthStr::width), numbers }
    }

    /// Makes room for these cells.
    pub(super) fn fit(&mut self, cells: &[String; N]) {
        for (width, cell) in self.widths.iter_mut().zip(cells) {
            *width = cell.width().max(*width);
        }
    }

    /// One line. A cell that is wider than its column pushes the others aside; a column without a
    /// heading and a cell is not there.
    pub(super) fn line(&self, cells: [&str; N], behind: &str) -> String {
        let mut line = String::new();
        for ((cell, &width), is_number) in cells.iter().zip(&self.widths).zip(self.numbers) {
            if cell.is_empty() && width == 0 {
                continue;
            }
            let blanks = " ".repeat(width.saturating_sub(cell.width()));
            let parts = if is_number { [&blanks, *cell] } else { [*cell, &blanks] };
            line.extend(parts);
            line.push_str("  ");
        }
        line.push_str(behind);
        line.truncate(line.trim_end().len());
        line
    }
}

/// A text that moves no cursor: what the broker holds may have been written by anybody.
pub(super) fn printable(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}

//! Progress as people see it: a bar of blocks, and numbers with commas.

/// How wide the bar is, in characters.
const WIDTH: u64 = 40;

/// A bar that is full when `done` is `total`.
pub(crate) fn bar(done: u64, total: u64) -> String {
    let filled = (done.min(total) * WIDTH).checked_div(total).unwrap_or(WIDTH);
    let blocks = |block: &str, count: u64| block.repeat(usize::try_from(count).unwrap_or(0));
    blocks("█", filled) + &blocks("░", WIDTH - filled)
}

/// A number with a comma after the thousands.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{bar, grouped};

    #[test]
    fn thousands_are_set_apart() {
        for (number, text) in
            [(0, "0"), (999, "999"), (1000, "1,000"), (50_000, "50,000"), (1_234_567, "1,234,567")]
        {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn a_bar_is_full_when_everything_is_done() {
        assert_eq!(bar(0, 1000), "░".repeat(40));
        assert_eq!(bar(250, 1000), "█".repeat(10) + &"░".repeat(30));
        for (done, total) in [(1000, 1000), (2000, 1000), (0, 0)] {
            assert_eq!(bar(done, total), "█".repeat(40));
        }
    }
}

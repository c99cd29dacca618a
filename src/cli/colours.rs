//! Colours, for terminals whose owners want them.

/// Whether to use colours: on a terminal, unless `NO_COLOR` is set (<https://no-color.org>).
pub(super) fn are_wanted(is_terminal: bool) -> bool {
    is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// How a text is painted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colour {
    Good,
    Bad,
    Strong,
    Faint,
}

/// The text in that colour, where colours are wanted.
pub(super) fn painted(text: &str, colour: Colour, are_wanted: bool) -> String {
    let code = match colour {
        Colour::Good => "32",
        Colour::Bad => "31",
        Colour::Strong => "1",
        Colour::Faint => "2",
    };
    if are_wanted { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
}

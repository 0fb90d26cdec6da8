//! What standard output takes.

use std::io::{self, IsTerminal};

use terminal_size::terminal_size_of;

use crate::report::terminal::Style;

/// The width where there is no terminal, so that what is written to a file is the same everywhere.
const WIDTH: usize = 100;

/// Colours only on a terminal, and neither where `NO_COLOR` is set (<https://no-color.org>) nor
/// where the terminal calls itself dumb.
pub(super) fn style() -> Style {
    let out = io::stdout();
    let width = terminal_size_of(&out).map_or(WIDTH, |(width, _)| usize::from(width.0));
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    Style { colour: out.is_terminal() && !refused && !dumb, width }
}

//! Standard output and standard error.

use std::io::{self, ErrorKind, IsTerminal, Write};

use terminal_size::terminal_size_of;

use super::args::Format;
use super::error::CliError;
use crate::finding::Report;
use crate::report::terminal::{Style, render};
use crate::report::to_json_pretty;

/// The exit status if something could not be audited, or the command could not run.
pub(super) const NOT_AUDITED: u8 = 2;

/// The width without a terminal, so that output to a file is the same everywhere.
const WIDTH: usize = 100;

/// What a command prints, and its exit status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    /// For standard output.
    pub out: String,
    /// The lines for standard error.
    pub notes: Vec<String>,
    pub status: u8,
}

impl Answer {
    /// The answer of a command that could not run.
    pub fn refused(error: &CliError) -> Self {
        Self { out: String::new(), notes: error.lines(), status: NOT_AUDITED }
    }

    /// Prints it, and returns the exit status.
    pub fn print(&self) -> u8 {
        let mut out = io::stdout().lock();
        let written = out.write_all(self.out.as_bytes()).and_then(|()| out.flush());
        // The notes come last, where people see them.
        print_notes(&self.notes);
        match written {
            // A reader such as `head` may close the pipe early. The result stands.
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                print_notes(&CliError::Unwritable(error).lines());
                NOT_AUDITED
            }
            _ => self.status,
        }
    }
}

fn print_notes(lines: &[String]) {
    let mut err = io::stderr().lock();
    for line in lines {
        // If standard error cannot be written, nobody can be told.
        let _ = writeln!(err, "sg-audit: {line}");
    }
}

/// How to write to standard output. There are no colours if it is not a terminal, if `NO_COLOR` is
/// set (<https://no-color.org>), or if the terminal calls itself dumb.
pub(super) fn style() -> Style {
    let out = io::stdout();
    let width = terminal_size_of(&out).map_or(WIDTH, |(width, _)| usize::from(width.0));
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    Style { colour: out.is_terminal() && !no_color && !dumb, width }
}

/// A report on groups in the format that was asked for.
pub(super) fn formatted(report: &Report, format: Format, style: Style) -> Result<String, CliError> {
    Ok(match format {
        Format::Text => render(report, style),
        Format::Json => format!("{}\n", to_json_pretty(report)?),
    })
}

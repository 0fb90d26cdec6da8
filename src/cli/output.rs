//! Standard output and standard error.

use std::io::{self, ErrorKind, Write};

use anstream::{AutoStream, ColorChoice};
use terminal_size::terminal_size_of;

use super::args::{AuditOptions, Format};
use super::error::CliError;
use crate::finding::Report;
use crate::report::terminal::{Style, View, groups_compliant, render};
use crate::report::{csv, github, html, junit, markdown, sarif, to_json_pretty};

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

/// Prints lines on standard error.
pub(super) fn print_notes(lines: &[String]) {
    let mut err = io::stderr().lock();
    for line in lines {
        // If standard error cannot be written, nobody can be told.
        let _ = writeln!(err, "sg-audit: {line}");
    }
}

/// How to write to standard output. Colours are for terminals that take them, as `NO_COLOR`,
/// `CLICOLOR` and `CLICOLOR_FORCE` say (<https://bixense.com/clicolors>).
pub(super) fn style() -> Style {
    let out = io::stdout();
    let width = terminal_size_of(&out).map_or(WIDTH, |(width, _)| usize::from(width.0));
    Style { colour: AutoStream::choice(&out) != ColorChoice::Never, width }
}

/// What a text shows.
pub(super) fn view(options: &AuditOptions, style: Style) -> View {
    let AuditOptions { show_exemptions, summary, fail_on, .. } = *options;
    View { style, exemptions: show_exemptions, summary, fail_on }
}

/// A report on groups in the format that was asked for.
pub(super) fn formatted(
    mut report: Report,
    options: &AuditOptions,
    style: Style,
) -> Result<String, CliError> {
    let compliant = groups_compliant(&report);
    report.hide_below(options.min_severity);
    Ok(match options.format {
        Format::Text => render(&report, view(options, style), compliant),
        _ => written(&report, options)?,
    })
}

/// A report in a format that is the same for groups and for changes of them.
pub(super) fn written(report: &Report, options: &AuditOptions) -> Result<String, CliError> {
    Ok(match options.format {
        Format::Text | Format::Json => format!("{}\n", to_json_pretty(report)?),
        Format::Markdown => markdown::render(report),
        Format::Junit => junit::render(report, options.fail_on)?,
        Format::Github => github::render(report),
        Format::Html => html::report(report),
        Format::Csv => csv::render(report)?,
        Format::Sarif => sarif::render(report).map_err(|missing| match missing.address {
            Some(address) => CliError::SarifWithoutFile { address },
            None => CliError::Sarif,
        })??,
    })
}

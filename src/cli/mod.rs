//! The command line, `sg-audit`: the function's own handler on events, the same judgement on groups
//! as they are, in a file or in the account itself, a look at baselines, and a hold, which `aws`
//! opens.
//!
//! Every command reads what it needs, works, and answers with everything that it has to say; only
//! [`run`] writes. Its exit status is part of the contract: 0 compliant, 1 findings, 2 it could not
//! audit.

mod allow;
mod args;
mod baseline;
mod check;
mod error;
mod input;
mod invoke;
#[cfg(feature = "live")]
mod live;
mod screen;
mod settings;

use std::ffi::OsString;
use std::io::{self, ErrorKind, Write};

use chrono::Utc;
use clap::Parser;

use args::{Arguments, BaselineCommand, Command};
pub use error::CliError;
use error::described;

/// The exit status when something could not be audited, or not even tried.
const NOT_AUDITED: u8 = 2;

/// What a command has to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Answer {
    /// For standard output.
    out: String,
    /// For standard error, line by line.
    notes: Vec<String>,
    /// The exit status.
    status: u8,
}

/// Does what the arguments (the program's name first) say. The exit status is the verdict.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(message) => {
            // Help, a version or a usage error. Where nobody reads it, nobody is to be told.
            let _ = message.print();
            return u8::try_from(message.exit_code()).unwrap_or(NOT_AUDITED);
        }
    };
    let style = screen::style();
    let answer = match arguments.command {
        Command::Invoke(invoke) => invoke::run(&invoke, style, Utc::now()),
        Command::Check(check) => check::run(&check, style, Utc::now()),
        Command::Allow(allow) => allow::run(&allow, "aws", Utc::now()),
        Command::Baseline(BaselineCommand::Show(args)) => {
            baseline::show(&args, Utc::now().date_naive())
        }
        Command::Baseline(BaselineCommand::Validate(args)) => {
            baseline::validate(&args, Utc::now().date_naive())
        }
    };
    let answer = answer.unwrap_or_else(|error| refused(&error));
    write(&answer)
}

fn refused(error: &CliError) -> Answer {
    Answer { out: String::new(), notes: described(error), status: NOT_AUDITED }
}

/// Writes the answer; what then is the exit status.
fn write(answer: &Answer) -> u8 {
    let mut out = io::stdout().lock();
    let written = out.write_all(answer.out.as_bytes()).and_then(|()| out.flush());
    // The notes come after the output, where they are seen.
    note(&answer.notes);
    match written {
        Ok(()) => answer.status,
        // A reader that has seen enough, like `head`, is no fault, and the verdict stands.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => answer.status,
        Err(error) => {
            note(&refused(&CliError::Unwritable(error)).notes);
            NOT_AUDITED
        }
    }
}

fn note(lines: &[String]) {
    let mut err = io::stderr().lock();
    for line in lines {
        // There is nowhere left to say that standard error cannot be written.
        let _ = writeln!(err, "sg-audit: {line}");
    }
}

#[cfg(test)]
mod tests;

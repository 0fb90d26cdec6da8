//! The command line, `sg-audit`: runs the function's handler on events, audits groups in a file or an
//! account, tells the history of openings, packs evidence of a period, prints the command that opens a rule for a limited time,
//! looks whether the deployed stack works, shows baselines, unpacks what is deployed, and makes shell
//! completions and manual pages.
//!
//! Each command returns an `Answer` with everything it has to say, and only [`run`] prints it. The
//! exit status is part of the contract: 0 compliant, 1 findings, 2 something could not be audited.

mod allow;
mod args;
mod baseline;
mod check;
mod declared;
mod doctor;
mod error;
mod event_file;
mod evidence;
mod explain;
mod file_kind;
mod history;
mod input;
mod invoke;
#[cfg(feature = "live")]
mod live;
#[cfg(feature = "live")]
mod live_history;
mod manual;
#[cfg(feature = "live")]
mod organisation;
mod output;
mod past;
mod progress;
mod records;
mod settings;
mod status;
mod unpack;

use std::ffi::{OsStr, OsString};

use chrono::{DateTime, Utc};
use clap::Parser;

use crate::report::SCHEMA;
use crate::report::evidence::EVIDENCE_SCHEMA;
use crate::report::history::HISTORY_SCHEMA;
use crate::report::terminal::Style;
use args::{Arguments, BaselineCommand, Command, SchemaOf};
use error::CliError;
use output::{Answer, NOT_AUDITED};

/// Runs the command in `arguments`, whose first element is the program's name. Returns the exit
/// status.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let command = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments.command,
        Err(message) => {
            // Help, the version, or a usage error. If it cannot be printed, nobody can be told.
            let _ = message.print();
            return u8::try_from(message.exit_code()).unwrap_or(NOT_AUDITED);
        }
    };
    let answer = answer(&command, "aws".as_ref(), output::style(), Utc::now());
    answer.unwrap_or_else(|error| Answer::refused(&error)).print()
}

/// `aws` is the program that `allow --apply`, `doctor` and `status` run.
fn answer(
    command: &Command,
    aws: &OsStr,
    style: Style,
    now: DateTime<Utc>,
) -> Result<Answer, CliError> {
    match command {
        Command::Invoke(args) => invoke::run(args, style, now),
        Command::Check(args) if !args.plan.is_empty() || !args.template.is_empty() => {
            declared::run(args, style, now)
        }
        Command::Check(args) => check::run(args, style, now),
        Command::History(args) => history::run(args, style, now),
        Command::Evidence(args) => evidence::run(args, now),
        Command::Allow(args) => allow::run(args, aws, now),
        Command::Doctor(args) => doctor::run(args, aws, style, now),
        Command::Status(args) => status::run(args, aws, now),
        Command::Baseline(BaselineCommand::Show(args)) => baseline::show(args, now.date_naive()),
        Command::Baseline(BaselineCommand::Validate(args)) => {
            baseline::validate(args, now.date_naive())
        }
        Command::Baseline(BaselineCommand::Explain(args)) => explain::run(args, now.date_naive()),
        Command::Unpack(args) => unpack::run(args),
        Command::Schema { of } => {
            let schema = match of {
                SchemaOf::Report => SCHEMA,
                SchemaOf::History => HISTORY_SCHEMA,
                SchemaOf::Evidence => EVIDENCE_SCHEMA,
            };
            Ok(Answer { out: schema.to_owned(), ..Answer::default() })
        }
        Command::Completions { shell } => Ok(manual::completions(*shell)),
        Command::Man { command } => manual::page(command),
    }
}

#[cfg(test)]
mod tests;

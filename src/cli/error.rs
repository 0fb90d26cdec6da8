//! Why a command could not do its work.

use std::error::Error;
use std::io;
use std::process::ExitStatus;

use thiserror::Error;

use crate::audit::AuditError;
use crate::baseline::BaselineError;
use crate::describe::DescribeError;
use crate::settings::SettingsError;
use crate::text::inert;

/// Why a command could not do its work, and what to do about it.
#[derive(Debug, Error)]
pub enum CliError {
    /// A file, or standard input, that cannot be read.
    #[error("{name} cannot be read: write the path of a file that can, or `-` for standard input")]
    Unreadable {
        /// What was given.
        name: String,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// Standard input in two places.
    #[error(
        "`-` is given {times} times, and standard input can be read only once: write the path of a file in the place of the others"
    )]
    StandardInputTwice {
        /// How often.
        times: usize,
    },
    /// An input that is not what it should be.
    #[error("{name}: {source}")]
    Described {
        /// What was given.
        name: String,
        /// What is wrong with it, and what to do.
        source: Box<DescribeError>,
    },
    /// No group to check. An empty answer from AWS is far more often the wrong region than an
    /// account without groups, and nothing that was not looked at is compliant.
    #[error(
        "{name}: there is no security group in it, so nothing was audited: look at the region, the profile and the filters of the AWS command"
    )]
    NoGroups {
        /// What was given.
        name: String,
    },
    /// No audit of an account in this build.
    #[error(
        "this sg-audit was built without --live: build it again with `cargo install --path . --features live`"
    )]
    NotLive,
    /// An account that cannot be seen.
    #[error(
        "the account cannot be read: log in (`aws sso login`), or look at --profile and --region"
    )]
    Account {
        /// What AWS says.
        #[source]
        source: Said,
    },
    /// An account without a group in scope.
    #[error(
        "none of the security groups in {places} is in scope, so nothing was audited: look at --scope and --region"
    )]
    NoneInScopeThere {
        /// Where was looked.
        places: String,
    },
    /// Groups, and none of them in scope.
    #[error(
        "{name}: none of the security groups in it is in scope, so nothing was audited: look at --scope, and note that only `describe-security-groups` tells of tags"
    )]
    NoneInScope {
        /// What was given.
        name: String,
    },
    /// A scope by tag, and nothing that tells of tags.
    #[error(
        "--scope is by a tag, and no event tells the tags of its group, so nothing was audited: write the output of `describe-security-groups` to a file and give it with --groups, or write --scope all"
    )]
    TagsUnknown,
    /// Options that are wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A baseline that is wrong.
    #[error(transparent)]
    Baseline(#[from] BaselineError),
    /// An audit that did not come to its end.
    #[error("{name}: {source}")]
    Audit {
        /// The event.
        name: String,
        /// What went wrong.
        source: Box<AuditError>,
    },
    /// The program `aws`, which cannot be started.
    #[error(
        "`aws` cannot be started, so nothing was opened: install the AWS CLI (https://docs.aws.amazon.com/cli/), or run the command without --apply and paste what it prints where `aws` is"
    )]
    AwsNotStarted(#[source] io::Error),
    /// The program `aws`, which did not do it.
    #[error(
        "`aws` did not open it ({status}), and says above why: if you are not logged in, `aws sso login` or `aws configure`; if the region is not the group's, --region; if the rule is there already (InvalidPermission.Duplicate), remove it first"
    )]
    AwsFailed {
        /// How it ended.
        status: ExitStatus,
    },
    /// A report that cannot be written as JSON.
    #[error("the report cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// No runtime for the audit.
    #[error("the audit cannot be started: {0}")]
    Runtime(io::Error),
    /// An output that cannot be written.
    #[error("the output cannot be written: {0}")]
    Unwritable(io::Error),
}

/// What somebody else said.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct Said(pub String);

/// The error, a line for each fault, then what is behind it.
pub(super) fn described(error: &CliError) -> Vec<String> {
    let mut lines: Vec<String> = error.to_string().lines().map(inert::plain).collect();
    let mut cause = match error {
        // These say themselves what their source says.
        CliError::Described { source, .. } => source.source(),
        CliError::Audit { .. } | CliError::Settings(_) | CliError::Baseline(_) => None,
        error => error.source(),
    };
    while let Some(source) = cause {
        lines.push(inert::plain(&format!("  cause: {source}")));
        cause = source.source();
    }
    lines
}

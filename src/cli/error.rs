use std::error::Error;
use std::io;
use std::process::ExitStatus;

use chrono::NaiveDate;
use thiserror::Error;

use super::event_file::NotAnEvent;
use super::file_kind::FileKind;
use crate::audit::AuditError;
use crate::baseline::BaselineError;
use crate::declared::{PlanError, TemplateError};
use crate::describe::DescribeError;
use crate::doctor::{AwsError, NotLooked};
use crate::report::evidence::PackError;
use crate::settings::SettingsError;
use crate::text::{causes, in_backticks, inert};

/// Why a command could not do its work, and what to do about it.
#[derive(Debug, Error)]
pub(super) enum CliError {
    #[error("{name} cannot be read: write the path of a file that can, or `-` for standard input")]
    Unreadable { name: String, source: io::Error },
    #[error(
        "`-` is given {times} times, but standard input can be read only once: write a file path in place of the others"
    )]
    StandardInputTwice { times: usize },
    #[error("{name}: {source}")]
    Input { name: String, source: Box<DescribeError> },
    #[error("{name}: this is {kind}, not security groups: {advice}", advice = kind.instead_of_groups())]
    NotGroups { name: String, kind: FileKind },
    #[error(
        "--account and --ou decide between the bindings of a baseline file, and there are none: leave \
         them out, or give a file that has some with --baseline"
    )]
    NoBindings,
    #[error(
        "the file has no binding {}: {}",
        in_backticks(name),
        match known.as_slice() {
            [] => "it has no bindings, so leave --binding out".to_owned(),
            known => format!("write {}", known.join(", ")),
        }
    )]
    NoBinding { name: String, known: Vec<String> },
    #[error("{name}: {source}")]
    Plan { name: String, source: PlanError },
    #[error("{name}: {source}")]
    Template { name: String, source: TemplateError },
    #[error(
        "{name}: this is not a file of parameters: write {{\"KEY\": \"VALUE\"}}, or the list of ParameterKey and ParameterValue that `aws cloudformation` takes"
    )]
    Parameters { name: String, source: Option<serde_json::Error> },
    #[error("{name}: this is {kind}, not a plan: {advice}", advice = kind.instead_of_a_plan())]
    NotAPlan { name: String, kind: FileKind },
    #[error("{name}: {source}")]
    NotAnEvent { name: String, source: NotAnEvent },
    /// An empty answer from AWS more often comes from the wrong region than from an account without
    /// groups, so it is not called compliant.
    #[error(
        "{name}: there is no security group in it, so nothing was audited: check the region, the profile and the filters of the AWS command"
    )]
    NoGroups { name: String },
    #[error(
        "{name}: none of the security groups in it is in scope, so nothing was audited: look at --scope, and note that only the output of `describe-security-groups` has tags"
    )]
    NoneInScope { name: String },
    #[error(
        "{name}: there is no CloudTrail record in it: give the files of a trail as they are in its bucket (AWSLogs/ACCOUNT/CloudTrail/…), or the output of `aws cloudtrail lookup-events`"
    )]
    NoRecords { name: String },
    #[cfg(not(feature = "live"))]
    #[error(
        "this sg-audit was built without --live: build it again with `cargo install --path . --features live`"
    )]
    NotLive,
    #[cfg(feature = "live")]
    #[error(
        "the account cannot be read: log in (`aws sso login`), or look at --profile and --region"
    )]
    Account(#[source] crate::aws::LiveError),
    #[cfg(feature = "live")]
    #[error(
        "the accounts of the organisation cannot be listed: log in to the management account or to a delegated administrator, or name the accounts with --organization"
    )]
    Organization(#[source] crate::audit::run::PortError),
    #[cfg(feature = "live")]
    #[error(transparent)]
    Run(crate::finding::RunNameError),
    #[cfg(feature = "live")]
    #[error(
        "{name}: this is not what --resume wrote: name a file that is not there, to begin anew"
    )]
    NotResumable { name: String },
    #[cfg(feature = "live")]
    #[error("{name} cannot be written: write the path of a file that can")]
    NotNoted { name: String, source: io::Error },
    #[cfg(feature = "live")]
    #[error("you have no right to read {place}: ask for {right}")]
    NoRight { place: crate::ec2::Place, right: String, source: crate::ec2::Ec2Error },
    #[cfg(feature = "live")]
    #[error("{place} was not read to the end: try it again")]
    NotRead { place: crate::ec2::Place, source: crate::ec2::Ec2Error },
    #[cfg(feature = "live")]
    #[error(
        "none of the security groups in {places} is in scope, so nothing was audited: look at --scope and --region"
    )]
    NoneInScopeThere { places: String },
    #[error(
        "--scope names a tag, but events don't contain the tags of groups, so nothing was audited: write the output of `describe-security-groups` to a file and give it with --groups, or write --scope all"
    )]
    TagsUnknown,
    #[error("--summary is for --format text: every other format has its own counts")]
    SummaryOfText,
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Baseline(#[from] BaselineError),
    #[error("{name}: {source}")]
    Audit { name: String, source: AuditError },
    #[error(
        "--from {peer} with --port {ports} opens {what} to the Internet, where scanners find it within minutes: write the address that needs it, such as 198.51.100.7/32; if it has to be everybody, add --yes-to-everybody"
    )]
    ToEverybody { peer: String, ports: String, what: &'static str },
    #[error(
        "`aws` cannot be started, so nothing was opened: install the AWS CLI (https://docs.aws.amazon.com/cli/), or run the command without --apply and paste the line it prints where you have `aws`"
    )]
    AwsNotStarted(#[source] io::Error),
    #[error(
        "`aws` did not open it ({status}), and its message above says why: if you are not logged in, run `aws sso login` or `aws configure`; if the group is in another region, set --region; if the rule already exists (InvalidPermission.Duplicate), remove it first"
    )]
    AwsFailed { status: ExitStatus },
    #[error(transparent)]
    NotLooked(#[from] NotLooked),
    #[error("the canary could not clean up after Ctrl-C, so nothing was made")]
    Signals(#[source] io::Error),
    #[error(
        "this sg-audit was built without the function: `pip install sg-audit` in a virtual environment brings one that has it; in a clone of the sources, `sam build` builds the function"
    )]
    NoFunction,
    #[error(
        "nothing was written, because somebody changed {} in {folder}, or put it there: choose another folder, or add --overwrite to replace it", files.join(", ")
    )]
    Changed { files: Vec<String>, folder: String },
    #[error(
        "the period from {from} to {to} is none: --from is the first day and --to the last, and the first one is not to come"
    )]
    Period { from: NaiveDate, to: NaiveDate },
    #[error("{name} is there already, and evidence is not replaced: write another --output")]
    Exists { name: String },
    #[error("the evidence cannot be packed")]
    Pack(#[from] PackError),
    #[error("{name} cannot be written: choose a folder that you may write to")]
    NotWritten { name: String, source: io::Error },
    #[error("sg-audit has no command `{command}`: `sg-audit help` lists its commands")]
    NoSuchCommand { command: String },
    #[error("the manual page cannot be made")]
    Manual(#[source] io::Error),
    #[error("the report cannot be written as JSON")]
    Json(#[from] serde_json::Error),
    #[error("the stack {name} cannot be read")]
    Stack { name: String, source: AwsError },
    #[error(
        "the stack {name} has no table: deploy a version that has one, and look at --stack and --region"
    )]
    NoTable { name: String },
    #[error("the table {name} cannot be read")]
    Table { name: String, source: AwsError },
    #[error("the report cannot be written as JUnit XML")]
    Junit(#[from] quick_junit::SerializeError),
    #[error("the report cannot be written as CSV")]
    Csv(#[from] csv::Error),
    #[error(
        "SARIF needs a line in a file for each finding, and a security group in an account is in no file: use --format github, junit or json"
    )]
    Sarif,
    #[error(
        "SARIF needs a line in a file for each finding, and no .tf file beside the plan declares {address}: run it where the plan's own .tf files are, or use --format github, junit or json"
    )]
    SarifWithoutFile { address: String },
    #[error("the audit cannot be started")]
    Runtime(#[source] io::Error),
    #[error("the output cannot be written: {0}")]
    Unwritable(io::Error),
}

impl CliError {
    /// The message, with a line for each fault, and the cause on a line of its own.
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.to_string().lines().map(inert::plain).collect();
        // Some messages contain their source.
        let cause = match self {
            Self::Input { source, .. } => source.source(),
            Self::Plan { source, .. } => source.source(),
            Self::NotAnEvent { source, .. } => source.source(),
            Self::Audit { source, .. } => source.source(),
            Self::Baseline(_) => None,
            error => error.source(),
        };
        lines.extend(cause.map(|cause| inert::plain(&format!("  cause: {}", causes(cause)))));
        lines
    }
}

use thiserror::Error;

use super::ports::PortError;
use super::task::TaskError;
use crate::audit::AuditError;
use crate::finding::{CoverageTotals, RunName};

/// Why a step of a run failed.
#[derive(Debug, Error)]
pub enum RunError {
    /// EC2, SNS or Lambda did not answer for now.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// Organizations or S3 did not do what it was asked.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The state machine's input is not valid.
    #[error(transparent)]
    Task(#[from] TaskError),
    /// There is no account to audit.
    #[error(
        "there is no account to audit: neither the input nor Organizations names one that is active"
    )]
    NoAccounts,
    /// An object of a run is not there.
    #[error(
        "the run {run} has no {object}: either there was no such run, or it is older than the bucket keeps"
    )]
    NoObject {
        run: RunName,
        /// The end of the object's key.
        object: &'static str,
    },
    /// An object of a run is not what the function writes there.
    #[error("{object} of the run {run} is not what the function wrote")]
    Object {
        run: RunName,
        /// The end of the object's key.
        object: &'static str,
        /// What is wrong with it.
        #[source]
        cause: serde_json::Error,
    },
}

/// Why no group of another account can be audited.
#[derive(Debug, Error)]
#[error("no role is set for other accounts")]
pub(super) struct NoMembers;

/// Some places were not audited. The state machine fails with this error.
#[derive(Debug, Error)]
#[error(
    "{} of {} places are missing. Audit what was not audited with the input {{\"again\":\"{run}\"}}.",
    totals.missing, totals.expected
)]
pub(super) struct PlacesMissing<'a> {
    pub run: &'a RunName,
    pub totals: CoverageTotals,
}

impl RunError {
    /// A stable word for it. The state machine tries again what has another than `RunRefused`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Audit(error) => error.kind(),
            Self::Port(error) if error.is_transient => "RunUnavailable",
            _ => "RunRefused",
        }
    }
}

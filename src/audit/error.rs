use thiserror::Error;

use super::ports::{InvokeError, NotifyError};
use crate::ec2::{Ec2Error, ListId};

/// Errors that abort an audit and are worth retrying. What is permanent becomes a finding instead.
#[derive(Clone, Debug, Error)]
pub enum AuditError {
    /// EC2 did not answer for now.
    #[error(transparent)]
    Ec2(#[from] Ec2Error),
    /// The report could not be published.
    #[error(transparent)]
    Notify(#[from] NotifyError),
    /// The rest could not be handed on.
    #[error(transparent)]
    Invoke(#[from] InvokeError),
    /// A prefix list is not yet as the event says.
    #[error("the prefix list {list} cannot be audited yet: {reason}")]
    ListNotReady { list: ListId, reason: NotReady },
}

/// Why a prefix list is not yet as a change left it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotReady {
    /// The change is still being made.
    #[error("it is still being modified")]
    Changing,
    /// EC2 still shows a version from before the change.
    #[error("it is read at version {now}, and the change was made to version {before}")]
    OldVersion {
        /// The version that was read.
        now: i64,
        /// The version that the change was made to.
        before: i64,
    },
}

impl AuditError {
    /// A stable word for it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Ec2(_) => "Ec2Unavailable",
            Self::Notify(_) => "NotPublished",
            Self::Invoke(_) => "NotHandedOn",
            Self::ListNotReady { .. } => "ListNotReady",
        }
    }
}

//! What an audit stumbles over.

use thiserror::Error;

use super::ports::{Ec2Error, NotifyError, OnwardError};

/// Why an audit has to be tried again. What is permanent is a finding and not an error.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AuditError {
    /// EC2 could not be asked for now.
    #[error(transparent)]
    Ec2(#[from] Ec2Error),
    /// Nobody could be told.
    #[error(transparent)]
    Notify(#[from] NotifyError),
    /// The rest could not be handed on.
    #[error(transparent)]
    Onward(#[from] OnwardError),
    /// A prefix list is not yet as the event says.
    #[error("the prefix list {list} cannot be audited yet: {reason}")]
    ListNotReady {
        /// `pl-…`
        list: String,
        /// Why.
        reason: String,
    },
}

impl AuditError {
    /// A stable word for it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Ec2(_) => "Ec2Unavailable",
            Self::Notify(_) => "NotPublished",
            Self::Onward(_) => "NotHandedOn",
            Self::ListNotReady { .. } => "ListNotReady",
        }
    }
}

use thiserror::Error;

use super::task::{BucketName, Which};
use crate::ec2::{AccountId, Cause, Ec2Error, Region};
use crate::finding::Coverage;

/// The accounts of an organisation.
#[expect(async_fn_in_trait, reason = "the crate's own callers know their types")]
pub trait Directory {
    /// The accounts that are active, of the organisation or of a part of it.
    async fn accounts(&self, which: &Which) -> Result<Vec<AccountId>, PortError>;
}

/// The regions of accounts.
#[expect(async_fn_in_trait, reason = "the crate's own callers know their types")]
pub trait Regions {
    /// The regions that are enabled in an account.
    async fn regions(&self, account: &AccountId) -> Result<Vec<Region>, Ec2Error>;
}

/// Where the results of runs are kept.
#[expect(async_fn_in_trait, reason = "the crate's own callers know their types")]
pub trait Archive {
    /// What is kept under a key, if anything is.
    async fn get(&self, bucket: &BucketName, key: &str) -> Result<Option<Vec<u8>>, PortError>;

    /// Keeps JSON under a key.
    async fn put(&self, bucket: &BucketName, key: &str, json: Vec<u8>) -> Result<(), PortError>;

    /// Keeps what a run covered, as JSON and as a table in CSV. Returns where the table is.
    async fn put_coverage(
        &self,
        bucket: &BucketName,
        coverage: &Coverage,
    ) -> Result<String, PortError>;
}

/// Why a service other than EC2, SNS and Lambda did not do what it was asked.
#[derive(Clone, Debug, Error)]
#[error("{action} failed")]
pub struct PortError {
    /// The API call.
    pub action: &'static str,
    /// What went wrong.
    #[source]
    pub cause: Cause,
    /// Whether the same call may succeed later.
    pub is_transient: bool,
}

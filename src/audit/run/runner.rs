use serde::de::DeserializeOwned;

use super::error::RunError;
use super::ports::Archive;
use super::task::BucketName;
use crate::audit::Auditor;
use crate::finding::RunName;

/// Does what the state machine asks for.
#[derive(Debug)]
pub struct Runner<'a, E, N, O, D, A> {
    /// What audits groups.
    pub auditor: &'a Auditor<'a, E, N, O>,
    /// The accounts of the organisation.
    pub directory: &'a D,
    /// Where results are kept.
    pub archive: &'a A,
}

/// The key of an object of a run.
pub(super) fn key(run: &RunName, object: &str) -> String {
    format!("runs/{run}/{object}")
}

/// Reads an object of a run that has to be there.
pub(super) async fn read<T: DeserializeOwned>(
    archive: &impl Archive,
    bucket: &BucketName,
    run: &RunName,
    object: &'static str,
) -> Result<T, RunError> {
    let Some(json) = archive.get(bucket, &key(run, object)).await? else {
        return Err(RunError::NoObject { run: run.clone(), object });
    };
    serde_json::from_slice(&json).map_err(|cause| RunError::Object {
        run: run.clone(),
        object,
        cause,
    })
}

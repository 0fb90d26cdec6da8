//! The credentials of a role in another account.
//!
//! The SDK can do this too, but brings the code for every other way to find credentials. It would make
//! the program larger, and so its memory.

use std::time::SystemTime;

use aws_config::SdkConfig;
use aws_config::identity::IdentityCache;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, future};
use aws_sdk_sts::Client;

/// What the function is called in the other account's trail.
const SESSION: &str = "typo3-sg-auditor";

/// A role, which STS is asked for each time: whoever has this keeps what it gives.
#[derive(Debug)]
pub(super) struct Role {
    client: Client,
    arn: String,
    external_id: Option<String>,
}

impl Role {
    /// The role with this ARN. STS is asked in the configured region.
    pub(super) fn new(config: &SdkConfig, arn: &str, external_id: Option<String>) -> Self {
        let config =
            aws_sdk_sts::config::Builder::from(config).identity_cache(IdentityCache::no_cache());
        Self { client: Client::from_conf(config.build()), arn: arn.to_owned(), external_id }
    }

    async fn assume(&self) -> provider::Result {
        let answer = self
            .client
            .assume_role()
            .role_arn(&self.arn)
            .role_session_name(SESSION)
            .set_external_id(self.external_id.clone())
            .send()
            .await
            .map_err(CredentialsError::provider_error)?;
        let given = answer
            .credentials
            .ok_or_else(|| CredentialsError::unhandled("STS gave no credentials"))?;
        let until = SystemTime::try_from(given.expiration).map_err(CredentialsError::unhandled)?;
        Ok(Credentials::new(
            given.access_key_id,
            given.secret_access_key,
            Some(given.session_token),
            Some(until),
            "AssumeRole",
        ))
    }
}

impl ProvideCredentials for Role {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.assume())
    }
}

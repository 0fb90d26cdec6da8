//! What a person's own credentials reach: which account that is, and which regions it has.

use std::error::Error;

use aws_config::{BehaviorVersion, Region, SdkConfig};

use super::{AwsEc2, Connections, retries, timeouts};
use crate::audit::Place;

/// An account, as somebody who is logged in sees it.
#[derive(Debug)]
pub struct Live {
    config: SdkConfig,
    account: String,
}

/// Why an account cannot be seen; what AWS or the configuration says.
pub type LiveError = String;

impl Live {
    /// The account of a profile, else of what the environment has: variables, a profile, SSO, a
    /// role of the machine.
    ///
    /// # Errors
    ///
    /// Where there are no credentials, or AWS does not take them.
    pub async fn log_in(profile: Option<&str>, region: Option<&str>) -> Result<Self, LiveError> {
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(Connections::default())
            .timeout_config(timeouts())
            .retry_config(retries());
        if let Some(profile) = profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = region {
            loader = loader.region(Region::new(region.to_owned()));
        }
        let config = loader.load().await;
        if config.region().is_none() {
            return Err("no region is set: write --region, or set AWS_REGION".to_owned());
        }
        let answer = aws_sdk_sts::Client::new(&config).get_caller_identity().send().await;
        let answer = answer.map_err(|error| causes(&error))?;
        let account = answer.account().ok_or("AWS does not say which account it is")?.to_owned();
        Ok(Self { config, account })
    }

    /// The account in the configured region.
    pub fn place(&self) -> Place {
        self.place_in(self.config.region().map(ToString::to_string))
    }

    /// The account in another region.
    pub fn place_in(&self, region: Option<String>) -> Place {
        Place { account: Some(self.account.clone()), region }
    }

    /// The regions that are enabled for the account, by their names.
    ///
    /// # Errors
    ///
    /// Where EC2 does not tell them.
    pub async fn regions(&self) -> Result<Vec<String>, LiveError> {
        let answer = aws_sdk_ec2::Client::new(&self.config).describe_regions().send().await;
        let answer = answer.map_err(|error| causes(&error))?;
        let names = answer.regions().iter().filter_map(|region| region.region_name());
        let mut names: Vec<String> = names.map(ToOwned::to_owned).collect();
        names.sort();
        Ok(names)
    }

    /// EC2 with these credentials.
    pub fn ec2(&self) -> AwsEc2 {
        AwsEc2::new(self.config.clone())
    }
}

/// The error and what is behind it, on one line. The SDK's own context adds all of it once more as
/// Rust sees it, which is no use to a person.
fn causes(error: &dyn Error) -> String {
    let mut texts = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        texts.push(error.to_string());
        cause = error.source();
    }
    texts.join(": ").split_whitespace().collect::<Vec<_>>().join(" ")
}

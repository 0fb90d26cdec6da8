//! What a person's own credentials reach: which account that is, which regions it has, and what was
//! done there.

use aws_config::{BehaviorVersion, SdkConfig};
use chrono::{DateTime, Utc};
use thiserror::Error;

use super::connection_pool::ConnectionPool;
use super::ec2::AwsEc2;
use super::error::ec2_error;
use super::limits::{retries, timeouts};
use super::organizations::AwsOrganizations;
use super::past::look_up;
use crate::ec2::{AccountId, Arn, Cause, Ec2Error, IdError, Place, Region, cause};
use crate::settings::MemberRole;
use crate::text::causes;

/// An account, as somebody who is logged in sees it.
#[derive(Debug)]
pub struct Live {
    config: SdkConfig,
    account: AccountId,
    partition: String,
}

/// Why an account cannot be read.
#[derive(Debug, Error)]
pub enum LiveError {
    /// Nothing tells the region.
    #[error("no region is set: write --region, or set AWS_REGION")]
    NoRegion,
    /// AWS answered without the account's id.
    #[error("AWS does not say which account it is")]
    NoAccount,
    /// A region or an account that is not one.
    #[error(transparent)]
    Id(#[from] IdError),
    /// AWS did not say who is logged in.
    #[error("{}", on_one_line(.0))]
    Refused(Cause),
    /// EC2 did not tell the regions.
    #[error(transparent)]
    Regions(#[from] Ec2Error),
}

/// The SDK's message about missing credentials has a line for each place it looked at.
fn on_one_line(cause: &Cause) -> String {
    causes(cause).split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Live {
    /// The account of a profile, else of what the environment has: variables, a profile, SSO, a
    /// role of the machine.
    ///
    /// # Errors
    ///
    /// Where there are no credentials, or AWS does not take them.
    pub async fn log_in(profile: Option<&str>, region: Option<&Region>) -> Result<Self, LiveError> {
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(ConnectionPool::default())
            .timeout_config(timeouts())
            .retry_config(retries());
        if let Some(profile) = profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = region {
            loader = loader.region(aws_config::Region::new(region.to_string()));
        }
        let config = loader.load().await;
        if config.region().is_none() {
            return Err(LiveError::NoRegion);
        }
        let answer = aws_sdk_sts::Client::new(&config).get_caller_identity().send().await;
        let answer = answer.map_err(|error| LiveError::Refused(cause(error)))?;
        let account = answer.account().ok_or(LiveError::NoAccount)?.parse()?;
        let arn = answer.arn().and_then(Arn::parse);
        let partition = arn.map_or("aws", |arn| arn.partition).to_owned();
        Ok(Self { config, account, partition })
    }

    /// The account in the configured region.
    ///
    /// # Errors
    ///
    /// Where the configured region is not one.
    pub fn place(&self) -> Result<Place, LiveError> {
        let region = self.config.region().map(|region| region.as_ref().parse()).transpose()?;
        Ok(Place { account: Some(self.account.clone()), region })
    }

    /// The account in another region.
    pub fn place_in(&self, region: Region) -> Place {
        Place { account: Some(self.account.clone()), region: Some(region) }
    }

    /// The regions that are enabled for the account, by their names.
    ///
    /// # Errors
    ///
    /// Where EC2 does not tell them.
    pub async fn regions(&self) -> Result<Vec<Region>, LiveError> {
        let answer = aws_sdk_ec2::Client::new(&self.config).describe_regions().send().await;
        let answer = answer.map_err(|error| ec2_error("DescribeRegions", None, error))?;
        let names = answer.regions().iter().filter_map(|region| region.region_name());
        let mut regions: Vec<Region> = names.map(str::parse).collect::<Result<_, _>>()?;
        regions.sort();
        Ok(regions)
    }

    /// Hands over the records of all calls between two times that may have changed rules, page by
    /// page, as CloudTrail keeps them for 90 days. Returns the places of which not everything was
    /// told, and why.
    pub async fn past_calls(
        &self,
        places: &[Place],
        from: DateTime<Utc>,
        until: DateTime<Utc>,
        take: impl FnMut(&Place, Vec<String>),
    ) -> Vec<(Place, Ec2Error)> {
        look_up(&self.config, places, from, until, take).await
    }

    /// The organisation of the account.
    pub fn organizations(&self) -> AwsOrganizations {
        AwsOrganizations::new(&self.config)
    }

    /// EC2 with these credentials, and in other accounts with this role.
    pub fn ec2_of_members(&self, role: MemberRole) -> AwsEc2 {
        let (account, partition) = (self.account.clone(), self.partition.clone());
        AwsEc2::of_members(self.config.clone(), account, partition, role)
    }

    /// EC2 with these credentials.
    pub fn ec2(&self) -> AwsEc2 {
        AwsEc2::new(self.config.clone())
    }
}

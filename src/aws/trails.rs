//! The trails of CloudTrail that record the function's region.

use std::sync::OnceLock;

use aws_config::SdkConfig;
use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::error::SdkError;
use aws_sdk_cloudtrail::operation::get_event_selectors::GetEventSelectorsOutput;
use aws_sdk_cloudtrail::types::{AdvancedFieldSelector, ReadWriteType};

use super::error::ec2_error;
use crate::audit::{Ec2Future, Trail, Trails};
use crate::ec2::Ec2Error;
use crate::event::trail::{AdvancedSelector, Condition, Records, Selector, Selectors};

/// CloudTrail, asked in the function's own region.
#[derive(Debug)]
pub struct AwsTrails {
    config: SdkConfig,
    /// Made when it is first needed, which is once a day.
    client: OnceLock<Client>,
}

impl AwsTrails {
    /// With this configuration.
    pub fn new(config: &SdkConfig) -> Self {
        Self { config: config.clone(), client: OnceLock::new() }
    }

    fn client(&self) -> &Client {
        self.client.get_or_init(|| Client::new(&self.config))
    }

    /// Whether a trail logs, and what it records. One of another region or account is known by its
    /// ARN only.
    async fn look(&self, arn: &str) -> Result<(bool, Records), Ec2Error> {
        let status = self.client().get_trail_status().name(arn).send().await;
        let status = status.map_err(|error| failed("cloudtrail:GetTrailStatus", error))?;
        let selectors = self.client().get_event_selectors().trail_name(arn).send().await;
        let selectors = selectors.map_err(|error| failed("cloudtrail:GetEventSelectors", error))?;
        Ok((status.is_logging() == Some(true), selectors_of(&selectors).records()))
    }

    async fn all(&self) -> Result<Vec<Trail>, Ec2Error> {
        let described = self.client().describe_trails().send().await;
        let described = described.map_err(|error| failed("cloudtrail:DescribeTrails", error))?;
        let mut trails = Vec::new();
        for trail in described.trail_list() {
            let (Some(arn), Some(home)) = (trail.trail_arn(), trail.home_region()) else {
                continue;
            };
            let Ok(home) = home.parse() else { continue };
            trails.push(Trail {
                arn: arn.to_owned(),
                home,
                is_of_all_regions: trail.is_multi_region_trail() == Some(true),
                seen: self.look(arn).await,
            });
        }
        Ok(trails)
    }
}

impl Trails for AwsTrails {
    fn trails(&self) -> Ec2Future<'_, Vec<Trail>> {
        Box::pin(self.all())
    }
}

fn failed<E>(action: &'static str, error: SdkError<E>) -> Ec2Error
where
    E: aws_sdk_cloudtrail::error::ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    ec2_error(action, None, error)
}

fn selectors_of(output: &GetEventSelectorsOutput) -> Selectors {
    let plain = output.event_selectors().iter().map(|selector| Selector {
        read_write_type: selector
            .read_write_type()
            .map_or_else(String::new, |kind: &ReadWriteType| kind.as_str().to_owned()),
        include_management_events: selector.include_management_events(),
        exclude_management_event_sources: selector.exclude_management_event_sources().to_vec(),
    });
    let condition = |condition: &AdvancedFieldSelector| Condition {
        field: condition.field().to_owned(),
        equals: condition.equals().to_vec(),
        starts_with: condition.starts_with().to_vec(),
        ends_with: condition.ends_with().to_vec(),
        not_equals: condition.not_equals().to_vec(),
        not_starts_with: condition.not_starts_with().to_vec(),
        not_ends_with: condition.not_ends_with().to_vec(),
    };
    let advanced = output.advanced_event_selectors().iter().map(|selector| AdvancedSelector {
        field_selectors: selector.field_selectors().iter().map(condition).collect(),
    });
    Selectors { event_selectors: plain.collect(), advanced_event_selectors: advanced.collect() }
}

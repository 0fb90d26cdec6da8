//! The adapter to AWS: which calls `AwsEc2` makes to EC2 and STS, and how it reads the answers.

mod accounts;
mod egress;
mod invoker;
mod lists;
mod pages;

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_ec2::config::Credentials;
use chrono::NaiveDate;
use typo3_sg_auditor::aws::AwsEc2;
use typo3_sg_auditor::ec2::Place;
use typo3_sg_auditor::settings::FunctionSettings;

use crate::support::world::{ACCOUNT, REGION, World};

/// A member's role and what its trust policy asks for.
const ROLE: [(&str, &str); 2] =
    [("MEMBER_ROLE_NAME", "security/typo3-sg-auditor"), ("MEMBER_EXTERNAL_ID", "o-example:1")];

/// EC2 through the world's endpoint, as the function with these settings reaches it.
async fn ec2(world: &World, variables: &[(&str, &str)]) -> AwsEc2 {
    let today = NaiveDate::from_ymd_opt(2026, 3, 2).unwrap();
    let lookup = |name: &str| {
        let set = variables.iter().find(|(variable, _)| *variable == name);
        let value = set.map(|(_, value)| *value);
        value.or((name == "TOPIC_ARN").then_some(world.topic_arn.as_str())).map(str::to_owned)
    };
    let function = FunctionSettings::from_env(lookup, today).expect("settings");
    AwsEc2::of_function(config(world).await, &function)
}

/// Without retries, so that a failing call fails at once.
async fn config(world: &World) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(world.endpoint_url())
        .region(Region::from_static(REGION))
        .credentials_provider(Credentials::new(
            "AKIAEXAMPLEEXAMPLE02",
            "secret",
            None,
            None,
            "tests",
        ))
        .retry_config(RetryConfig::disabled())
        .load()
        .await
}

fn place(account: &str, region: &str) -> Place {
    Place { account: Some(account.parse().unwrap()), region: Some(region.parse().unwrap()) }
}

fn home() -> Place {
    place(ACCOUNT, REGION)
}

/// How many times this action was called.
fn count(world: &World, action: &str) -> usize {
    world.calls().iter().filter(|call| call.action == action).count()
}

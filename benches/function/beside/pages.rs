//! Reads the groups of a region and their rules, page by page as a sweep does, and judges nothing.

use aws_config::BehaviorVersion;
use aws_sdk_ec2::types::Filter;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let ec2 = aws_sdk_ec2::Client::new(&config);
    lambda_runtime::run(service_fn(async |_: LambdaEvent<Value>| read(&ec2).await)).await
}

async fn read(ec2: &aws_sdk_ec2::Client) -> Result<Value, Error> {
    let mut pages = ec2.describe_security_groups().max_results(100).into_paginator().send();
    let mut count = 0;
    while let Some(page) = pages.next().await {
        let page = page?;
        let ids = page.security_groups().iter().filter_map(|group| group.group_id.clone());
        let of_page = Filter::builder().name("group-id").set_values(Some(ids.collect())).build();
        let rules = ec2.describe_security_group_rules().filters(of_page).max_results(1000);
        let mut rules = rules.into_paginator().send();
        while let Some(rules) = rules.next().await {
            count += rules?.security_group_rules().len();
        }
    }
    Ok(Value::from(count))
}

//! The smallest function that makes the calls of the audit when it reverts open SSH, as the SDK's guide has one
//! written: it reads the group and its rules, revokes the one that is open, reads the rules once more to tell what is
//! left, and publishes. It knows no baseline and no other rule, and does what it does unasked.

use aws_config::BehaviorVersion;
use aws_sdk_ec2::types::{Filter, IpPermission, IpRange};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let ec2 = aws_sdk_ec2::Client::new(&config);
    let sns = aws_sdk_sns::Client::new(&config);
    let topic = std::env::var("TOPIC_ARN")?;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        close(&ec2, &sns, &topic, &event.payload).await
    }))
    .await
}

async fn close(
    ec2: &aws_sdk_ec2::Client,
    sns: &aws_sdk_sns::Client,
    topic: &str,
    event: &Value,
) -> Result<Value, Error> {
    let group = event.pointer("/detail/requestParameters/groupId");
    let group = group.and_then(Value::as_str).ok_or("no group")?;
    let named = ec2.describe_security_groups().group_ids(group).send().await?;
    let name = named.security_groups().first().and_then(|group| group.group_name());
    let of_group = Filter::builder().name("group-id").values(group).build();
    let rules =
        || ec2.describe_security_group_rules().filters(of_group.clone()).max_results(1000).send();
    for rule in rules().await?.security_group_rules() {
        if rule.is_egress() == Some(true) || rule.from_port() != Some(22) {
            continue;
        }
        let open = IpPermission::builder()
            .set_ip_protocol(rule.ip_protocol().map(ToOwned::to_owned))
            .set_from_port(rule.from_port())
            .set_to_port(rule.to_port())
            .ip_ranges(
                IpRange::builder().set_cidr_ip(rule.cidr_ipv4().map(ToOwned::to_owned)).build(),
            )
            .build();
        ec2.revoke_security_group_ingress().group_id(group).ip_permissions(open).send().await?;
    }
    let left = rules().await?.security_group_rules().len();
    let name = name.unwrap_or(group);
    let text = format!("open SSH of {name} was closed; {left} of its rules are left");
    sns.publish().topic_arn(topic).subject("open SSH").message(&text).send().await?;
    Ok(Value::from(text))
}

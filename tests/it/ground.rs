//! What the other tests stand on: moto does here what EC2 and SNS do.

use aws_sdk_ec2::error::ProvideErrorMetadata;
use serde_json::{Value, json};

use crate::support::permission::{Permission, all_traffic, protocol, tcp};
use crate::support::sg_audit::{repository, sg_audit};
use crate::support::world::{
    Direction::{Egress, Ingress},
    Group, World,
};

async fn authorize_error(world: &World, group: &Group, permission: Permission) -> String {
    let call = world
        .ec2
        .authorize_security_group_ingress()
        .group_id(&group.id)
        .ip_permissions(permission.to_sdk());
    call.send().await.expect_err("a refusal").code().expect("a code").to_owned()
}

async fn revoke_error(world: &World, group: &Group, permission: Permission) -> String {
    let call = world
        .ec2
        .revoke_security_group_ingress()
        .group_id(&group.id)
        .ip_permissions(permission.to_sdk());
    call.send().await.expect_err("a refusal").code().expect("a code").to_owned()
}

#[tokio::test]
async fn rules_read_back_as_ec2_lists_them() {
    let world = World::new().await;
    let group = world.group("typo3").await;
    let rules = [
        protocol("6", Some((22, 22)))
            .described("203.0.113.0/24", "the office")
            .from("2001:db8:1::/48"),
        protocol("icmp", Some((8, -1))).from("0.0.0.0/0"),
        tcp(3306, 3306).from(&group.id),
        tcp(443, 443).from("pl-0123456789abcdef0"),
        all_traffic().from("198.51.100.7/32"),
    ];
    let event = world.authorize_tagged(&group, Ingress, &rules, &[("ticket", "4711")]).await;

    let mut expected = vec![
        "ingress tcp 22-22 203.0.113.0/24 \"the office\" [ticket=4711]".to_owned(),
        "ingress tcp 22-22 2001:db8:1::/48 [ticket=4711]".to_owned(),
        "ingress icmp 8--1 0.0.0.0/0 [ticket=4711]".to_owned(),
        format!("ingress tcp 3306-3306 {} [ticket=4711]", group.id),
        "ingress tcp 443-443 pl-0123456789abcdef0 [ticket=4711]".to_owned(),
        "ingress -1 -1--1 198.51.100.7/32 [ticket=4711]".to_owned(),
    ];
    expected.sort();
    assert_eq!(world.ingress(&group).await, expected);
    let listed = event
        .pointer("/detail/responseElements/securityGroupRuleSet/items")
        .expect("the new rules");
    assert_eq!(listed.as_array().expect("a list").len(), expected.len());
}

#[tokio::test]
async fn a_revoke_is_by_content_without_the_description() {
    let world = World::new().await;
    let group = world.group("typo3").await;
    world
        .authorize(&group, Ingress, &[tcp(22, 22).described("203.0.113.0/24", "the office")])
        .await;
    assert_eq!(
        revoke_error(&world, &group, tcp(22, 22).from("203.0.113.0/25")).await,
        "InvalidPermission.NotFound"
    );
    world
        .revoke(&group, Ingress, &[tcp(22, 22).described("203.0.113.0/24", "something else")])
        .await;
    world.revoke(&group, Egress, &[all_traffic().from("0.0.0.0/0")]).await;
    assert_eq!(world.rules(&group).await, []);
}

#[tokio::test]
async fn duplicates_unknown_groups_and_the_rule_limit_are_refused() {
    let world = World::new().await;
    let group = world.group("typo3").await;
    world.authorize(&group, Ingress, &[tcp(22, 22).from("203.0.113.0/24")]).await;
    let duplicate = tcp(22, 22).described("203.0.113.0/24", "again");
    assert_eq!(authorize_error(&world, &group, duplicate).await, "InvalidPermission.Duplicate");
    let unknown = tcp(22, 22).from("sg-0123456789abcdef0");
    assert_eq!(authorize_error(&world, &group, unknown).await, "InvalidGroup.NotFound");
    let full: Vec<_> = (0..59).map(|n| tcp(8000 + n, 8000 + n).from("203.0.113.0/24")).collect();
    world.authorize(&group, Ingress, &full).await;
    let one_more = tcp(443, 443).from("0.0.0.0/0");
    assert_eq!(
        authorize_error(&world, &group, one_more).await,
        "RulesPerSecurityGroupLimitExceeded"
    );
}

#[tokio::test]
async fn a_rule_that_is_modified_keeps_its_id_and_tags() {
    let world = World::new().await;
    let group = world.group("typo3").await;
    world
        .authorize_tagged(
            &group,
            Ingress,
            &[tcp(22, 22).from("203.0.113.0/24")],
            &[("ticket", "4711")],
        )
        .await;
    let before = world.rules(&group).await;
    let id = &before.iter().find(|rule| rule.direction == Ingress).expect("the rule").id;
    let event = world.modify(&group, &[(id, &tcp(22, 22).described("0.0.0.0/0", "wide"))]).await;
    assert_eq!(world.ingress(&group).await, ["ingress tcp 22-22 0.0.0.0/0 \"wide\" [ticket=4711]"]);
    assert!(world.rules(&group).await.iter().any(|rule| rule.id == *id));
    assert_eq!(
        event["detail"]["requestParameters"],
        json!({"ModifySecurityGroupRulesRequest": {"GroupId": group.id, "SecurityGroupRule": {
            "SecurityGroupRuleId": id, "tag": 1, "SecurityGroupRule": {
                "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIpv4": "0.0.0.0/0", "Description": "wide",
            },
        }}}),
    );
}

#[tokio::test]
async fn the_shell_reaches_the_same_groups() {
    let world = World::new().await;
    let group = world.group("typo3").await;
    let permission = r#"[{"IpProtocol":"tcp","FromPort":22,"ToPort":22,"IpRanges":[{"CidrIp":"203.0.113.0/24","Description":"the editor'\''s $HOME"}]}]"#;
    let tags =
        r#"[{"ResourceType":"security-group-rule","Tags":[{"Key":"ticket","Value":"4711"}]}]"#;
    let done = world.shell(&format!(
        "aws ec2 authorize-security-group-ingress --region eu-central-1 --group-id '{}' --ip-permissions '{permission}' \
         --tag-specifications '{tags}'",
        group.id
    ));
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let expected = "ingress tcp 22-22 203.0.113.0/24 \"the editor's $HOME\" [ticket=4711]";
    assert_eq!(world.ingress(&group).await, [expected]);
}

#[tokio::test]
async fn a_message_arrives_in_the_queue_with_its_attributes() {
    let world = World::new().await;
    let severity = aws_sdk_sns::types::MessageAttributeValue::builder()
        .data_type("String")
        .string_value("critical");
    let call = world
        .sns
        .publish()
        .topic_arn(&world.topic_arn)
        .subject("a subject")
        .message_structure("json");
    let event = repository().join("events/authorize-open-ssh.json");
    let report = sg_audit(&["invoke", "--format=json", event.to_str().expect("UTF-8")]).out;
    let call = call.message(json!({"default": report, "email": "a mail"}).to_string());
    call.message_attributes("severity", severity.build().expect("complete"))
        .send()
        .await
        .expect("published");

    let [message] = world.messages().await.try_into().expect("one message");
    assert_eq!(message.subject, "a subject");
    assert_eq!(message.report, serde_json::from_str::<Value>(&report).expect("a report"));
    assert_eq!(
        message.attributes.into_iter().collect::<Vec<_>>(),
        [("severity".to_owned(), "critical".to_owned())]
    );
    assert_eq!(world.messages().await, []);
}

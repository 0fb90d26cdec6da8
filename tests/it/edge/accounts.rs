//! Other accounts and regions, and groups that no longer exist.

use typo3_sg_auditor::aws::AwsEc2;
use typo3_sg_auditor::ec2::{Ec2Error, Group, GroupKey, GroupRef, Place, SecurityGroups};

use super::{ROLE, config, count, ec2, home, place};
use crate::support::endpoint::Answer;
use crate::support::permission::tcp;
use crate::support::world::{Direction::Ingress, FAR, MEMBER, REGION, World};

/// A group that does not exist.
const NOBODYS: &str = "sg-0123456789abcdef0";

fn key(id: &str) -> GroupKey {
    GroupKey::Id(id.parse().unwrap())
}

/// A group as a rule names it.
fn named(account: Option<&str>, id: &str) -> GroupRef {
    GroupRef::new(account.map(|account| account.parse().unwrap()), id.parse().unwrap(), None)
}

/// The group, where EC2 answers.
async fn found(ec2: &AwsEc2, place: &Place, id: &str) -> Option<Group> {
    ec2.group(place, &key(id)).await.expect("an answer")
}

async fn is_stale(ec2: &AwsEc2, group: &GroupRef) -> bool {
    ec2.is_stale(&home(), group).await.expect("an answer")
}

#[tokio::test]
async fn groups_of_another_account_are_read_with_the_role_there() {
    let world = World::new().await;
    let (near, far) = (world.site(MEMBER, REGION).await, world.site(MEMBER, FAR).await);
    let (group, far_group) = (near.group("typo3-member").await, far.group("typo3-far").await);
    near.authorize(&group, Ingress, &[tcp(22, 22).from("0.0.0.0/0")]).await;
    let ec2 = ec2(&world, &ROLE).await;

    let here = place(MEMBER, REGION);
    let member_group = found(&ec2, &here, &group.id).await.expect("the group");
    assert!(member_group.owner.as_ref().is_some_and(|owner| owner == MEMBER), "{member_group:?}");
    let rules = ec2.rules(&here, &member_group.id).await.expect("rules");
    assert_eq!(rules.len(), 2);
    let there = place(MEMBER, FAR);
    assert!(found(&ec2, &there, &far_group.id).await.is_some());
    // Groups of another account or region are not found.
    assert_eq!(found(&ec2, &here, &far_group.id).await, None);
    assert_eq!(found(&ec2, &home(), &group.id).await, None);

    let calls = world.calls();
    let asked: Vec<_> = calls.iter().filter(|call| call.action == "AssumeRole").collect();
    let [asked] = asked[..] else { panic!("the role is assumed once: {asked:?}") };
    let field = |name: &str| asked.fields.get(name).map(String::as_str);
    let role = format!("arn:aws:iam::{MEMBER}:role/security/typo3-sg-auditor");
    assert_eq!(field("RoleArn"), Some(role.as_str()));
    assert_eq!(field("RoleSessionName"), Some("typo3-sg-auditor"));
    assert_eq!(field("ExternalId"), Some("o-example:1"));
}

#[tokio::test]
async fn a_role_that_is_refused_is_an_error_and_is_asked_for_again() {
    let world = World::new().await;
    let ec2 = ec2(&world, &ROLE).await;
    let here = place(MEMBER, REGION);
    world.answer(|call| match call.action.as_str() {
        "AssumeRole" => Answer::Error(403, "AccessDenied", "not authorized to perform"),
        _ => Answer::Moto,
    });
    let refused = ec2.held_rules(&here).await;
    let Err(Ec2Error::NoRole { role, cause }) = refused else { panic!("{refused:?}") };
    let message = cause.to_string();
    assert_eq!(role, format!("arn:aws:iam::{MEMBER}:role/security/typo3-sg-auditor"));
    assert!(message.contains("AccessDenied") && message.contains("not authorized"), "{message}");
    assert_eq!(count(&world, "DescribeSecurityGroupRules"), 0);
    // The function's own account does not depend on it.
    assert!(ec2.held_rules(&home()).await.is_ok());
    // Once STS gives the role, it is used.
    world.answer(|_| Answer::Moto);
    assert!(ec2.held_rules(&here).await.is_ok());
}

#[tokio::test]
async fn an_outage_of_sts_may_pass() {
    let world = World::new().await;
    let ec2 = ec2(&world, &ROLE).await;
    let faults = [
        Answer::Error(503, "ServiceUnavailable", "Service is unavailable."),
        Answer::Error(400, "Throttling", "Rate exceeded"),
        Answer::Lost,
    ];
    for fault in faults {
        let answer = fault.clone();
        world.answer(move |call| match call.action.as_str() {
            "AssumeRole" => answer.clone(),
            _ => Answer::Moto,
        });
        let error = ec2.held_rules(&place(MEMBER, REGION)).await.expect_err("no credentials");
        assert!(error.is_transient(), "{fault:?}: {error}");
    }
}

#[tokio::test]
async fn without_a_role_no_call_is_made_for_another_account() {
    let world = World::new().await;
    let ec2 = ec2(&world, &[]).await;
    let denied = ec2.held_rules(&place(MEMBER, REGION)).await;
    assert!(matches!(denied, Err(Ec2Error::Denied { .. })), "{denied:?}");
    assert_eq!(world.calls(), []);
}

#[tokio::test]
async fn a_persons_credentials_are_used_for_any_account() {
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    let ec2 = AwsEc2::new(config(&world).await);
    // The command line need not know which account it is.
    let anywhere = Place { account: None, region: home().region };
    for place in [home(), anywhere] {
        assert!(found(&ec2, &place, &group.id).await.is_some());
        // They cannot tell about another account's groups.
        let answer = ec2.is_stale(&place, &named(Some(MEMBER), NOBODYS)).await;
        assert!(!answer.expect("an answer"));
    }
}

#[tokio::test]
async fn a_group_that_no_longer_exists_is_stale_where_it_can_be_looked_up() {
    let world = World::new().await;
    let own = world.group("typo3-shop").await;
    let members = world.site(MEMBER, REGION).await.group("typo3-member").await;
    let with_role = ec2(&world, &ROLE).await;
    let without = ec2(&world, &[]).await;
    for (group, reachable, unreachable) in [
        (named(None, &own.id), false, false),
        (named(None, NOBODYS), true, true),
        (named(Some(MEMBER), &members.id), false, false),
        // Without a role it cannot be looked up.
        (named(Some(MEMBER), NOBODYS), true, false),
    ] {
        assert_eq!(is_stale(&with_role, &group).await, reachable, "{group:?}");
        assert_eq!(is_stale(&without, &group).await, unreachable, "{group:?}");
    }

    let group = named(Some(MEMBER), NOBODYS);
    let with_role = ec2(&world, &ROLE).await;
    world.answer(|call| match call.action.as_str() {
        "AssumeRole" => Answer::Error(403, "AccessDenied", "No."),
        _ => Answer::Moto,
    });
    assert!(!is_stale(&with_role, &group).await);
    world.answer(|_| Answer::Error(400, "InvalidGroupId.Malformed", "Invalid id."));
    assert!(!is_stale(&with_role, &named(None, "sg-x")).await);
    world.answer(|_| Answer::Error(503, "RequestLimitExceeded", "Request limit exceeded."));
    assert!(with_role.is_stale(&home(), &named(None, NOBODYS)).await.is_err());
}

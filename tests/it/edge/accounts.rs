//! Other accounts and regions, and groups that are there no longer.

use typo3_sg_auditor::audit::{Ec2Error, Place, SecurityGroups};
use typo3_sg_auditor::aws::AwsEc2;
use typo3_sg_auditor::ec2::GroupRef;
use typo3_sg_auditor::event::GroupKey;

use super::{ROLE, config, count, ec2, home, place};
use crate::support::endpoint::Answer;
use crate::support::permission::tcp;
use crate::support::world::{ACCOUNT, Direction::Ingress, FAR, MEMBER, REGION, World};

/// A group that nobody has.
const NOBODYS: &str = "sg-0123456789abcdef0";

fn key(id: &str) -> GroupKey {
    GroupKey::Id(id.to_owned())
}

#[tokio::test]
async fn another_accounts_groups_are_asked_for_with_its_role() {
    let world = World::new().await;
    let (near, far) = (world.site(MEMBER, REGION).await, world.site(MEMBER, FAR).await);
    let (group, far_group) = (near.group("typo3-member").await, far.group("typo3-far").await);
    near.authorize(&group, Ingress, &[tcp(22, 22).from("0.0.0.0/0")]).await;
    let ec2 = ec2(&world, &ROLE).await;

    let here = place(MEMBER, REGION);
    let found = ec2.group(&here, &key(&group.id)).await.expect("an answer").expect("the group");
    assert_eq!(found.owner.as_deref(), Some(MEMBER));
    let rules = ec2.rules(&here, &found).await.expect("rules");
    assert_eq!(rules.len(), 2);
    let there = place(MEMBER, FAR);
    assert!(ec2.group(&there, &key(&far_group.id)).await.expect("an answer").is_some());
    // No account and no region shows another's.
    assert_eq!(ec2.group(&here, &key(&far_group.id)).await, Ok(None));
    assert_eq!(ec2.group(&home(), &key(&group.id)).await, Ok(None));

    let calls = world.calls();
    let asked: Vec<_> = calls.iter().filter(|call| call.action == "AssumeRole").collect();
    let [asked] = asked[..] else { panic!("credentials are got once: {asked:?}") };
    let field = |name: &str| asked.fields.get(name).map(String::as_str);
    let role = format!("arn:aws:iam::{MEMBER}:role/security/typo3-sg-auditor");
    assert_eq!(field("RoleArn"), Some(role.as_str()));
    assert_eq!(field("RoleSessionName"), Some("typo3-sg-auditor"));
    assert_eq!(field("ExternalId"), Some("o-example:1"));
}

#[tokio::test]
async fn a_role_that_is_refused_is_no_role_and_is_asked_for_again() {
    let world = World::new().await;
    let ec2 = ec2(&world, &ROLE).await;
    let here = place(MEMBER, REGION);
    world.answer(|call| match call.action.as_str() {
        "AssumeRole" => Answer::Error(403, "AccessDenied", "not authorized to perform"),
        _ => Answer::Moto,
    });
    let refused = ec2.held_rules(&here).await;
    let Err(Ec2Error::NoRole { role, message }) = refused else { panic!("{refused:?}") };
    assert_eq!(role, format!("arn:aws:iam::{MEMBER}:role/security/typo3-sg-auditor"));
    assert!(message.contains("AccessDenied") && message.contains("not authorized"), "{message}");
    assert_eq!(count(&world, "DescribeSecurityGroupRules"), 0);
    // The function's own account does not depend on it.
    assert!(ec2.held_rules(&home()).await.is_ok());
    // Once the role can be had, it is.
    world.answer(|_| Answer::Moto);
    assert!(ec2.held_rules(&here).await.is_ok());
}

#[tokio::test]
async fn an_sts_that_is_down_may_pass() {
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
        assert!(error.may_pass(), "{fault:?}: {error}");
    }
}

#[tokio::test]
async fn without_a_role_nothing_is_asked_in_the_name_of_another_account() {
    let world = World::new().await;
    let ec2 = ec2(&world, &[]).await;
    let denied = ec2.held_rules(&place(MEMBER, REGION)).await;
    assert!(matches!(denied, Err(Ec2Error::Denied { .. })), "{denied:?}");
    assert_eq!(world.calls(), []);
}

#[tokio::test]
async fn a_persons_credentials_are_for_whatever_they_reach() {
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    let ec2 = AwsEc2::new(config(&world).await);
    // Which account it is, a command line need not know.
    let anywhere = Place { account: None, region: Some(REGION.to_owned()) };
    for place in [home(), anywhere] {
        assert!(ec2.group(&place, &key(&group.id)).await.expect("an answer").is_some());
        // They say nothing about another account's groups.
        let members = GroupRef { account: Some(MEMBER.to_owned()), id: NOBODYS.to_owned() };
        assert_eq!(ec2.is_stale(&place, &members).await, Ok(false));
    }
}

#[tokio::test]
async fn what_is_no_place_is_asked_for_nowhere() {
    let world = World::new().await;
    let ec2 = ec2(&world, &ROLE).await;
    let places =
        [place(ACCOUNT, "example.com/#"), place(ACCOUNT, ""), place("1:role/admin#", REGION)];
    for place in places {
        let refused = ec2.held_rules(&place).await;
        assert!(matches!(refused, Err(Ec2Error::Refused { .. })), "{place:?}: {refused:?}");
    }
    assert_eq!(world.calls(), []);
}

#[tokio::test]
async fn a_group_that_is_there_no_longer_is_stale_where_it_can_be_asked_for() {
    let world = World::new().await;
    let own = world.group("typo3-shop").await;
    let members = world.site(MEMBER, REGION).await.group("typo3-member").await;
    let named = |account: Option<&str>, id: &str| GroupRef {
        account: account.map(str::to_owned),
        id: id.to_owned(),
    };
    let with_role = ec2(&world, &ROLE).await;
    let without = ec2(&world, &[]).await;
    for (group, reachable, unreachable) in [
        (named(None, &own.id), false, false),
        (named(None, NOBODYS), true, true),
        (named(Some(MEMBER), &members.id), false, false),
        // Without a role nobody knows.
        (named(Some(MEMBER), NOBODYS), true, false),
    ] {
        assert_eq!(with_role.is_stale(&home(), &group).await, Ok(reachable), "{group:?}");
        assert_eq!(without.is_stale(&home(), &group).await, Ok(unreachable), "{group:?}");
    }

    let group = named(Some(MEMBER), NOBODYS);
    let with_role = ec2(&world, &ROLE).await;
    world.answer(|call| match call.action.as_str() {
        "AssumeRole" => Answer::Error(403, "AccessDenied", "No."),
        _ => Answer::Moto,
    });
    assert_eq!(with_role.is_stale(&home(), &group).await, Ok(false));
    world.answer(|_| Answer::Error(400, "InvalidGroupId.Malformed", "Invalid id."));
    assert_eq!(with_role.is_stale(&home(), &named(None, "sg-x")).await, Ok(false));
    world.answer(|_| Answer::Error(503, "RequestLimitExceeded", "Request limit exceeded."));
    assert!(with_role.is_stale(&home(), &named(None, NOBODYS)).await.is_err());
}

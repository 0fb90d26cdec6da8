//! Events of other accounts: audited with the role there, or said to be unaudited.

use serde_json::{Value, json};

use crate::reverts::{REVERT, undo_all};
use crate::support::endpoint::Answer;
use crate::support::permission::tcp;
use crate::support::world::{ACCOUNT, Direction::Ingress, FAR, Group, MEMBER, Site, World};

/// As an organisation sets it.
const MEMBERS: [(&str, &str); 5] = [
    REVERT[0],
    REVERT[1],
    REVERT[2],
    ("MEMBER_ROLE_NAME", "security/typo3-sg-auditor"),
    ("MEMBER_EXTERNAL_ID", "o-example:1"),
];

async fn opened(site: &Site) -> (Group, Value) {
    let group = site.group("typo3-member").await;
    let event = site.authorize(&group, Ingress, &[tcp(22, 22).from("0.0.0.0/0")]).await;
    (group, event)
}

fn unaudited(report: &Value) -> &str {
    assert_eq!(report["findings"][0]["code"], "unaudited-change", "{report:#}");
    assert_eq!(report["findings"][0]["account"], MEMBER);
    report["findings"][0]["title"].as_str().expect("a title")
}

#[tokio::test]
async fn a_members_group_is_closed_with_the_role_there_and_no_other_is_touched() {
    let world = World::new().await;
    let (near, far) = (world.site(MEMBER, &world.region).await, world.site(MEMBER, FAR).await);
    let (home_group, _) = opened(&world).await;
    let before = world.rules(&home_group).await;
    let mut function = world.function(&MEMBERS);
    for site in [&near, &far] {
        let (group, event) = opened(site).await;
        let opened = site.ingress(&group).await;
        let report = world.report(&mut function, &event);
        let finding = &report["findings"][0];
        assert_eq!(finding["remediation"]["outcome"], "narrowed", "{report:#}");
        assert_eq!(finding["account"], MEMBER);
        assert_eq!(finding["region"], site.region);
        let after = site.ingress(&group).await;
        assert_eq!(after.len(), 1, "{after:?}");
        assert!(after[0].starts_with("ingress tcp 22-22 203.0.113.0/24 "), "{after:?}");
        assert_ne!(after, opened);
        let [message] = world.messages().await.try_into().expect("one message");
        assert_eq!(message.attributes["account"], MEMBER);
    }
    assert_eq!(world.rules(&home_group).await, before);

    let calls = world.calls();
    let asked: Vec<_> = calls.iter().filter(|call| call.action == "AssumeRole").collect();
    let [asked] = asked[..] else { panic!("credentials are got once: {asked:?}") };
    let role = format!("arn:aws:iam::{MEMBER}:role/security/typo3-sg-auditor");
    assert_eq!(asked.fields["RoleArn"], role);
    assert_eq!(asked.fields["RoleSessionName"], "typo3-sg-auditor");
    assert_eq!(asked.fields["ExternalId"], "o-example:1");
}

#[tokio::test]
async fn a_members_change_that_complies_needs_no_role() {
    let world = World::new().await;
    let near = world.site(MEMBER, &world.region).await;
    let group = near.group("typo3-member").await;
    let event = near.authorize(&group, Ingress, &[tcp(443, 443).from("0.0.0.0/0")]).await;
    assert_eq!(world.report(&mut world.function(&MEMBERS), &event)["outcome"], "compliant");
    assert_eq!(world.calls(), []);
}

#[tokio::test]
async fn without_a_role_a_members_change_is_unaudited() {
    let world = World::new().await;
    let near = world.site(MEMBER, &world.region).await;
    let (group, event) = opened(&near).await;
    let before = near.rules(&group).await;
    let report = world.report(&mut world.function(&REVERT), &event);
    let title = unaudited(&report).to_owned();
    assert!(title.contains("parameter Organisation"), "{title}");
    assert_eq!(near.rules(&group).await, before);
    assert_eq!(world.messages().await.len(), 1);
    assert!(world.calls().iter().all(|call| call.action == "Publish"));
}

#[tokio::test]
async fn a_role_that_is_refused_is_unaudited_and_one_that_is_not_answered_is_tried_again() {
    let world = World::new().await;
    let near = world.site(MEMBER, &world.region).await;
    let (group, event) = opened(&near).await;
    let mut function = world.function(&MEMBERS);
    world.answer(|call| match call.action.as_str() {
        "AssumeRole" => Answer::Error(403, "AccessDenied", "not authorized to perform"),
        _ => Answer::Moto,
    });
    let report = world.report(&mut function, &event);
    let title = unaudited(&report).to_owned();
    assert!(
        title.contains("security/typo3-sg-auditor") && title.contains("AccessDenied"),
        "{title}"
    );
    world.answer(|call| match call.action.as_str() {
        "AssumeRole" => Answer::Error(503, "ServiceUnavailable", "Service is unavailable."),
        _ => Answer::Moto,
    });
    assert_eq!(function.invoke(&event).error_type(), Some("Ec2Unavailable"));
    assert_eq!(near.ingress(&group).await.len(), 1);
    world.answer(|_| Answer::Moto);
    let report = world.report(&mut function, &event);
    assert_eq!(report["findings"][0]["remediation"]["outcome"], "narrowed", "{report:#}");
}

/// Whoever can put events on the bus can name any account and any region.
#[tokio::test]
async fn the_account_an_event_names_gives_no_access_to_another() {
    let world = World::new().await;
    let (group, event) = opened(&world).await;
    let before = world.rules(&group).await;
    let mut function = world.function(&MEMBERS);
    // The function's own group, told of as the member's: the member has none of that id.
    let told = |account: &str, region: &str| {
        let mut event = event.clone();
        event["account"] = account.into();
        event["detail"]["recipientAccountId"] = account.into();
        event["detail"]["responseElements"] = json!(null);
        event["detail"]["awsRegion"] = region.into();
        event
    };
    let report = world.report(&mut function, &told(MEMBER, &world.region));
    assert_eq!(report["findings"][0]["remediation"]["outcome"], "already-gone", "{report:#}");
    let report = world.report(&mut function, &told(ACCOUNT, "example.com/#"));
    assert_eq!(report["findings"][0]["code"], "unaudited-change", "{report:#}");
    assert_eq!(world.rules(&group).await, before);
    let messages = world.messages().await;
    assert_eq!(messages.len(), 2, "each is told of");
}

#[tokio::test]
async fn the_undo_names_the_region_and_is_for_somebody_who_is_logged_in_there() {
    let world = World::new().await;
    let here = world.site(ACCOUNT, FAR).await;
    let (group, event) = opened(&here).await;
    let opened = here.ingress(&group).await;
    world.report(&mut world.function(&MEMBERS), &event);
    let [message] = world.messages().await.try_into().expect("one message");
    undo_all(&world, &message);
    assert_eq!(here.ingress_unheld(&group).await, opened);
}

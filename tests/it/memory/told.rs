//! What is told of a finding, and whether it is mailed at once.

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};

use super::table;
use crate::reverts::REVERT;
use crate::support::endpoint::Call;
use crate::support::event::{at, of_delete};
use crate::support::moto;
use crate::support::permission::tcp;
use crate::support::rie::Function;
use crate::support::world::{ACCOUNT, Direction::Ingress, Message, World};

const SECOND: TimeDelta = TimeDelta::seconds(1);

/// Plays with a function that has a table, which has to answer each time.
pub async fn remembering<R>(
    settings: &[(&str, &str)],
    play: impl AsyncFn(&World, &mut Function) -> R,
) -> R {
    let world = World::new().await;
    let name = table::made(&moto::server().url()).await;
    let mut function = world.function(&[&REVERT[..], &[("STATE_TABLE", &name)], settings].concat());
    let played = play(&world, &mut function).await;
    let without =
        function.log().into_iter().find(|line| line.contains("without what is remembered"));
    assert_eq!(without, None);
    played
}

/// The status of each finding, how often it was opened, and whether the message is mailed.
fn told(messages: &[Message]) -> Vec<String> {
    let one = |message: &Message| {
        let of = |finding: &Value| {
            let (code, status, times) = (&finding["code"], &finding["status"], &finding["times"]);
            format!("{} {} {times}", code.as_str().unwrap(), status.as_str().unwrap_or("-"))
        };
        let findings: Vec<_> =
            message.report["findings"].as_array().unwrap().iter().map(of).collect();
        let digest = &message.report["digest"];
        let digest = digest["findings"].as_array().map(|findings| {
            let of = |finding: &Value| {
                format!(
                    "{} {}",
                    finding["code"].as_str().unwrap(),
                    finding["status"].as_str().unwrap_or("-")
                )
            };
            format!("digest of {}", findings.iter().map(of).collect::<Vec<_>>().join(", "))
        });
        let all = findings.into_iter().chain(digest).collect::<Vec<_>>().join(", ");
        format!("{}: {all}", message.attributes["mail"])
    };
    messages.iter().map(one).collect()
}

/// The calls of the table, and the one that closes.
fn of_interest(calls: Vec<Call>) -> Vec<String> {
    let is_of_interest = |call: &Call| {
        call.fields.contains_key("Body") || call.action == "RevokeSecurityGroupIngress"
    };
    calls.into_iter().filter(is_of_interest).map(|call| call.action).collect()
}

#[tokio::test]
async fn what_is_opened_again_is_told_as_that_until_it_is_a_war_and_then_only_counted() {
    let (messages, calls, left) = remembering(&[], async |world, function| {
        let group = world.group("typo3-shop").await;
        for opening in 0..4 {
            let mut event =
                world.authorize(&group, Ingress, &[tcp(22, 22).from("0.0.0.0/0")]).await;
            event["detail"]["eventID"] = format!("opening-{opening}").into();
            function.report(&event);
            if opening == 1 {
                // EventBridge delivers at least once.
                function.report(&event);
            }
        }
        (world.messages().await, of_interest(world.calls()), world.ingress(&group).await)
    })
    .await;
    assert!(
        !left.iter().any(|rule| rule.contains("22-22 0.0.0.0/0")),
        "it is closed each time: {left:?}"
    );
    assert_eq!(
        told(&messages),
        [
            "now: open-ssh new 1",
            "now: open-ssh reopened 2",
            "now: open-ssh reopened 2",
            "now: open-ssh reopened 3",
            "later: open-ssh reopened 4",
        ]
    );
    // After the revoke, and two at most.
    let (revoke, update, put) = ("RevokeSecurityGroupIngress", "UpdateItem", "PutItem");
    assert_eq!(
        calls,
        [
            [revoke, update, update], // new
            [revoke, update, update], // reopened
            [revoke, update, update], // the same event again
            [revoke, update, update], // the war is told
            [revoke, update, put],    // and waits for the digest
        ]
        .concat()
    );
}

#[tokio::test]
async fn a_change_that_complies_costs_no_call_at_all() {
    let (messages, calls) = remembering(&[], async |world, function| {
        let group = world.group("typo3-shop").await;
        let event = world.authorize(&group, Ingress, &[tcp(443, 443).from("0.0.0.0/0")]).await;
        function.report(&event);
        (world.messages().await, world.calls())
    })
    .await;
    assert_eq!((messages, calls), (vec![], vec![]));
}

#[tokio::test]
async fn a_sweep_tells_what_is_new_mails_what_is_known_once_a_day_and_says_what_was_resolved() {
    const HERE: &str = "sa-east-1";
    let sweep = json!({"sweep": {"regions": [HERE]}});
    let (first, second, third) = remembering(&[], async |world, function| {
        let site = world.site(ACCOUNT, HERE).await;
        let [group] =
            site.groups(1, &[tcp(3306, 3306).from("0.0.0.0/0")]).await.try_into().unwrap();
        function.report(&sweep);
        let first = world.messages().await;
        function.report(&sweep);
        let second = world.messages().await;
        site.revoke(&group, Ingress, &[tcp(3306, 3306).from("0.0.0.0/0")]).await;
        function.report(&sweep);
        let third = world.messages().await;
        site.delete(&group).await;
        (told(&first), told(&second), told(&third))
    })
    .await;
    assert_eq!(first, ["now: ingress-not-in-baseline new 1"]);
    assert_eq!(
        second,
        ["later: ingress-not-in-baseline known 1", "now: digest of ingress-not-in-baseline known"]
    );
    assert_eq!(third, ["later: ingress-not-in-baseline resolved 1"], "a day has not passed");
}

#[tokio::test]
async fn a_change_that_takes_away_what_was_found_resolves_it() {
    let messages = remembering(&[], async |world, function| {
        let group = world.group("typo3-shop").await;
        let open = [tcp(3306, 3306).from("0.0.0.0/0")];
        function.report(&world.authorize(&group, Ingress, &open).await);
        function.report(&at(world.revoke(&group, Ingress, &open).await, Utc::now() + SECOND));
        world.messages().await
    })
    .await;
    assert_eq!(
        told(&messages),
        ["now: ingress-not-in-baseline new 1", "later: ingress-not-in-baseline resolved 1"]
    );
}

#[tokio::test]
async fn a_modified_rule_and_a_deleted_group_resolve_what_was_found_of_them() {
    let messages = remembering(&[], async |world, function| {
        let group = world.group("typo3-shop").await;
        let open = [tcp(3306, 3306).from("0.0.0.0/0")];
        function.report(&world.authorize(&group, Ingress, &open).await);
        let rules = world.rules(&group).await;
        let rule = rules.iter().find(|rule| rule.ports == (3306, 3306)).expect("the rule");
        let wider = tcp(3306, 3307).from("0.0.0.0/0");
        let modified = world.modify(&group, &[(&rule.id, &wider)]).await;
        function.report(&at(modified, Utc::now() + SECOND));
        world.delete(&group).await;
        function.report(&at(of_delete(&group), Utc::now() + SECOND));
        world.messages().await
    })
    .await;
    let (new, gone) = ("ingress-not-in-baseline new 1", "ingress-not-in-baseline resolved 1");
    assert_eq!(
        told(&messages),
        [
            format!("now: {new}"),
            // What the rule was before, no event tells.
            format!("now: {new}, expected-traffic-closed - 1, {gone}"),
            format!("later: {gone}")
        ]
    );
}

#[tokio::test]
async fn the_first_sweep_under_new_settings_says_what_the_next_one_closes() {
    const HERE: &str = "ca-west-1";
    let sweep = json!({"sweep": {"regions": [HERE]}});
    let settings = [("SWEEP_REMEDIATION", "revert-ingress")];
    let (planned, kept, closed) = remembering(&settings, async |world, function| {
        let site = world.site(ACCOUNT, HERE).await;
        let [group] =
            site.groups(1, &[tcp(3306, 3306).from("0.0.0.0/0")]).await.try_into().unwrap();
        function.report(&sweep);
        let [planned] = world.messages().await.try_into().expect("one message");
        let kept = site.ingress(&group).await.len();
        let reports = world.delivered(function, &sweep);
        let closed = site.ingress(&group).await.len();
        assert!(reports.len() > 1, "the rule is handed on to be closed");
        site.delete(&group).await;
        (planned, kept, closed)
    })
    .await;
    assert_eq!(planned.report["findings"][0]["remediation"]["outcome"], "planned");
    assert_eq!((kept, closed), (1, 0));
}

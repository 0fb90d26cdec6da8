//! The sweep: every group in scope, in pages, regions and accounts, and in as many invocations as it takes.

mod places;
mod resumed;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::reverts::{REVERT, undo_all};
use crate::support::endpoint::Answer;
use crate::support::permission::{Permission, tcp};
use crate::support::world::{ACCOUNT, Direction::Ingress, World};

fn open() -> Permission {
    tcp(22, 22).from("0.0.0.0/0")
}

/// A sweep of regions that are a test's own, since others leave their groups where everything else is.
fn sweep_of(regions: &[&str]) -> Value {
    json!({"sweep": {"regions": regions}})
}

/// The settings, and what the sweep may do.
fn reverting(remediation: &'static str) -> Vec<(&'static str, &'static str)> {
    [&REVERT[..], &[("SWEEP_REMEDIATION", remediation)]].concat()
}

fn findings(report: &Value) -> &[Value] {
    report["findings"].as_array().expect("findings")
}

/// The findings with this code.
fn of_code<'a>(report: &'a Value, code: &str) -> Vec<&'a Value> {
    findings(report).iter().filter(|finding| finding["code"] == code).collect()
}

fn ids(report: &Value) -> BTreeSet<&str> {
    findings(report).iter().map(|finding| finding["id"].as_str().expect("an id")).collect()
}

#[tokio::test]
async fn nine_hundred_findings_of_three_hundred_groups_come_in_several_messages() {
    const HERE: &str = "us-west-1";
    let world = World::new().await;
    let site = world.site(ACCOUNT, HERE).await;
    let three = [open(), tcp(3306, 3306).from("0.0.0.0/0"), tcp(8080, 8080).from("::/0")];
    let made = site.groups(300, &three).await;
    let report = world.report(&mut world.function(&[]), &sweep_of(&[HERE]));
    assert_eq!(report["partial"], false);
    assert!(report["groups_audited"].as_u64() >= Some(300), "{}", report["groups_audited"]);
    // Four pages at the most, since VPCs bring their default groups; each costs two calls.
    let calls = world.calls();
    assert!(calls.iter().filter(|call| call.action.starts_with("Describe")).count() <= 8);

    for call in calls.iter().filter(|call| call.action == "Publish") {
        let size: usize = call.fields.values().map(String::len).sum();
        assert!(size <= 256 * 1024, "a message of {size} bytes");
    }
    let mut messages = world.messages().await;
    messages.sort_by_key(|message| message.report["part"].as_u64());
    assert!(messages.len() > 1);
    let mut severities = Vec::new();
    let mut met = BTreeSet::new();
    let mut of_made = 0;
    for (message, part) in messages.iter().zip(1..) {
        assert_eq!(message.report["part"], part);
        assert_eq!(message.report["parts"], messages.len());
        assert_eq!(message.report["totals"], report["totals"]);
        assert_eq!(message.report["groups_audited"], report["groups_audited"]);
        for finding in findings(&message.report) {
            let id = finding["id"].as_str().expect("an id").to_owned();
            assert!(met.insert(id), "each finding once");
            let group = &finding["group"]["id"];
            of_made += usize::from(made.iter().any(|made| *group == made.id));
            severities.push(finding["severity"].as_str().expect("a severity").to_owned());
        }
    }
    assert_eq!(of_made, 900);
    let returned: BTreeSet<String> = ids(&report).into_iter().map(str::to_owned).collect();
    assert_eq!(met, returned);
    let totals = &report["totals"];
    assert_eq!(totals["by_severity"]["critical"], 600);
    assert_eq!(totals["by_code"]["open-ssh"], 300);
    let sum = |by: &str| {
        let counts = totals[by].as_object().expect("counts").values();
        counts.map(|count| count.as_u64().expect("a number")).sum::<u64>()
    };
    assert_eq!((sum("by_code"), sum("by_severity")), (met.len() as u64, met.len() as u64));
    let worst = ["critical", "high", "medium", "low", "informational"];
    let rank = |severity: &String| worst.iter().position(|worst| worst == severity);
    assert!(severities.is_sorted_by_key(rank), "worst first");
}

#[tokio::test]
async fn a_sweep_finds_and_closes_rules_that_no_event_announced() {
    const HERE: &str = "us-west-2";
    let world = World::new().await;
    let site = world.site(ACCOUNT, HERE).await;
    let shop = site.group("typo3-shop").await;
    let fine = site.group("typo3-fine").await;
    site.authorize(&shop, Ingress, &[open(), tcp(3306, 3306).from("0.0.0.0/0")]).await;
    site.authorize(&fine, Ingress, &[tcp(443, 443).from("0.0.0.0/0")]).await;
    let before = (site.rules(&shop).await, site.rules(&fine).await);

    // Changes are reverted, and what is older is not, unless that is said.
    let report = world.report(&mut world.function(&REVERT), &sweep_of(&[HERE]));
    let [finding] = of_code(&report, "open-ssh")[..] else { panic!("{report:#}") };
    assert_eq!(finding["remediation"]["outcome"], "none");
    assert!(finding["change"].is_null());
    assert_eq!((site.rules(&shop).await, site.rules(&fine).await), before);
    assert!(findings(&report).iter().all(|it| it["group"]["id"] != fine.id.as_str()), "{report:#}");

    world.messages().await;
    let opened = site.ingress(&shop).await;
    let mut function = world.function(&reverting("revert-ssh"));
    let [swept, closed] =
        world.delivered(&mut function, &sweep_of(&[HERE])).try_into().expect("two");
    // The sweep changes nothing. What it hands on is closed, and told of, by who has it in its payload.
    assert_eq!((of_code(&swept, "open-ssh").len(), &swept["handed_on"]), (0, &json!(1)));
    let [finding] = of_code(&closed, "open-ssh")[..] else { panic!("{closed:#}") };
    assert_eq!(finding["remediation"]["outcome"], "narrowed");
    assert!(finding["change"].is_null());
    let after = site.ingress(&shop).await;
    assert_eq!(after.len(), 2, "{after:?}");
    assert!(after[0].starts_with("ingress tcp 22-22 203.0.113.0/24 "), "{after:?}");
    assert_eq!(after[1], "ingress tcp 3306-3306 0.0.0.0/0");
    assert_eq!(site.rules(&fine).await, before.1);

    let [of_sweep, of_closing] = world.messages().await.try_into().expect("two messages");
    assert_eq!(of_code(&of_sweep.report, "ingress-not-in-baseline").len(), 1);
    undo_all(&world, &of_closing);
    assert_eq!(site.ingress_unheld(&shop).await, opened);
    // What was put back is held, and the next sweep leaves it alone.
    let report = world.report(&mut function, &sweep_of(&[HERE]));
    let [finding] = of_code(&report, "open-ssh")[..] else { panic!("{report:#}") };
    assert_eq!(finding["remediation"]["outcome"], "held");
    assert_eq!(site.ingress_unheld(&shop).await, opened);
}

#[tokio::test]
async fn a_sweep_that_may_not_revoke_says_so_and_one_that_is_throttled_is_tried_again() {
    const HERE: &str = "ap-northeast-1";
    let world = World::new().await;
    let site = world.site(ACCOUNT, HERE).await;
    let shop = site.group("typo3-shop").await;
    site.authorize(&shop, Ingress, &[open()]).await;
    let mut function = world.function(&reverting("revert-ssh"));
    world.answer(|call| match call.action.as_str() {
        "RevokeSecurityGroupIngress" => Answer::Error(403, "UnauthorizedOperation", "No."),
        _ => Answer::Moto,
    });
    let report = world.completed(&mut function, &sweep_of(&[HERE]));
    let [finding] = of_code(&report, "open-ssh")[..] else { panic!("{report:#}") };
    assert_eq!(finding["remediation"]["outcome"], "failed");
    world.messages().await;

    world.answer(|call| match call.action.as_str() {
        "DescribeSecurityGroupRules" => Answer::Error(503, "RequestLimitExceeded", "Later."),
        _ => Answer::Moto,
    });
    let failed = function.invoke(&sweep_of(&[HERE]));
    assert_eq!(failed.error_type(), Some("Ec2Unavailable"), "{:#}", failed.body);
    assert_eq!(world.messages().await, []);
    world.answer(|_| Answer::Moto);
    let report = world.completed(&mut function, &sweep_of(&[HERE]));
    let [finding] = of_code(&report, "open-ssh")[..] else { panic!("{report:#}") };
    assert_eq!(finding["remediation"]["outcome"], "reverted", "what stays was there already");
}

#[tokio::test]
async fn lists_are_looked_up_once_and_a_wide_baseline_is_called_out_once() {
    const HERE: &str = "ap-southeast-1";
    let world = World::new().await;
    let site = world.site(ACCOUNT, HERE).await;
    let list = site.prefix_list("vendors", &["198.51.100.0/24"]).await;
    let made = site.groups(12, &[tcp(22, 22).from(&list)]).await;
    let report = world.report(&mut world.function(&[]), &sweep_of(&[HERE]));
    assert_eq!(of_code(&report, "open-ssh").len(), made.len(), "{report:#}");
    let read = |action: &str| world.calls().iter().filter(|call| call.action == action).count();
    assert_eq!(read("GetManagedPrefixListEntries"), 1);
    assert_eq!(read("DescribeManagedPrefixLists"), 1);
    assert_eq!(of_code(&report, "open-ssh-in-baseline").len(), 0);

    let settings = [("BASELINE", "as-documented")];
    let report = world.report(&mut world.function(&settings), &sweep_of(&[HERE, "eu-central-2"]));
    let [finding] = of_code(&report, "open-ssh-in-baseline")[..] else { panic!("{report:#}") };
    assert_eq!(finding["severity"], "informational");
    // An unreadable list is no list that complies.
    world.answer(|call| match call.action.as_str() {
        "GetManagedPrefixListEntries" => Answer::Error(403, "UnauthorizedOperation", "No."),
        _ => Answer::Moto,
    });
    let report = world.report(&mut world.function(&[]), &sweep_of(&[HERE]));
    assert_eq!(of_code(&report, "unresolved-peer").len(), made.len(), "{report:#}");
}

#[tokio::test]
async fn the_scope_of_the_sweep_is_the_tag_that_groups_have() {
    const HERE: &str = "ap-southeast-2";
    let world = World::new().await;
    let site = world.site(ACCOUNT, HERE).await;
    let (inside, outside) = (site.group("typo3-in").await, site.group("typo3-out").await);
    for group in [&inside, &outside] {
        site.authorize(group, Ingress, &[open()]).await;
    }
    site.tag(&inside.id, "Application", "typo3").await;
    site.tag(&outside.id, "Application", "typo3-other").await;
    let before = site.rules(&outside).await;
    let scope =
        [REVERT[0], REVERT[1], ("SCOPE", "tag:Application=typo3"), reverting("revert-ssh")[3]];
    let report = world.completed(&mut world.function(&scope), &sweep_of(&[HERE]));
    assert_eq!(report["groups_audited"], 1, "{report:#}");
    assert_eq!(findings(&report)[0]["group"]["id"], inside.id);
    assert_eq!(findings(&report)[0]["remediation"]["outcome"], "narrowed");
    assert_eq!(site.rules(&outside).await, before);
}

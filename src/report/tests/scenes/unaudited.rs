//! What could not be audited.

use serde_json::json;

use super::Scenes;
use crate::report::tests::events::{authorizing, modifying, sample, sweep};
use crate::report::tests::scene::{Scene, denied, no_role};

pub(super) fn all() -> Scenes {
    let now = "2026-03-12T08:11:55Z".parse().unwrap();
    let mut last_invocation = sweep();
    last_invocation["detail"] = json!({"depth": 11, "sweep": {}});
    let mut elsewhere = authorizing(&["tcp 22 0.0.0.0/0"]);
    elsewhere["account"] = json!("210987654321");
    elsewhere["detail"]["recipientAccountId"] = json!("210987654321");
    elsewhere["detail"]["responseElements"] = json!(null);
    let mut other_region = sample("authorize-open-ssh");
    other_region["region"] = json!("eu-west-1");
    let mut lost = sample("authorize-open-ssh");
    lost["detail"]["requestParameters"] = json!({"omitted": true});
    lost["detail"]["responseElements"] = json!({"omitted": true});
    let mut lost_tags = sample("delete-tags");
    lost_tags["detail"]["requestParameters"] = json!({"omitted": true});
    let open = "tcp 22 0.0.0.0/0 sgr-04f0ba190d9a9551b";
    vec![
        ("envelope-disagrees", Scene::reverting().run(&other_region)),
        ("lost-group", Scene::reverting().and_rule(open).run(&lost)),
        ("lost-group-only-reported", Scene::new().and_rule(open).run(&lost)),
        (
            "lost-tags",
            Scene::reverting()
                .with("SCOPE", "tag:Application=typo3")
                .and_rule(open)
                .run(&lost_tags),
        ),
        (
            "lost-group-unreadable",
            Scene::new().failing("groups", denied("DescribeSecurityGroups")).run(&lost),
        ),
        ("no-group-of-this-name-in-this-vpc", {
            let mut created = sample("create-group");
            created["detail"]["requestParameters"]["vpcId"] = json!("vpc-0123456789abcdef0");
            created["detail"]["requestParameters"]["groupName"] = json!("typo3-shop");
            created["detail"]["responseElements"] = json!(null);
            Scene::reverting().undone().run(&created)
        }),
        ("not-json", Scene::new().run_bytes(b"not an event", now)),
        ("not-json-without-home", Scene::new().without_home().run_bytes(b"not an event", now)),
        (
            "no-group",
            Scene::new()
                .without_groups()
                .undone()
                .run(&modifying("sgr-0c3d4e5f678901234", "tcp 22 0.0.0.0/0")),
        ),
        ("no-group-cut-short", Scene::new().without_groups().run(&sample("truncated"))),
        (
            "no-group-of-this-name",
            Scene::new().without_groups().undone().run(&sample("by-group-name")),
        ),
        ("other-account", Scene::reverting().run(&elsewhere)),
        (
            "change-unreadable",
            Scene::reverting()
                .failing("group", denied("DescribeSecurityGroups"))
                .run(&sample("revoke-web")),
        ),
        (
            "no-role",
            Scene::reverting().failing("group", no_role()).run(&sample("authorize-open-ssh")),
        ),
        (
            "sweep-unreadable",
            Scene::new().failing("groups", denied("DescribeSecurityGroups")).run(&sweep()),
        ),
        (
            "sweep-of-another-account",
            Scene::new().run(&json!({"sweep": {"accounts": ["210987654321"]}})),
        ),
        (
            "rest-not-handed-on",
            Scene::new()
                .group("sg-0fedcba9876543210", "typo3-dev", &[])
                .with_groups_a_page(1)
                .with_seconds_left(10)
                .with_lambda_down()
                .run(&sweep()),
        ),
        (
            "rest-not-handed-on-for-now",
            Scene::new()
                .group("sg-0fedcba9876543210", "typo3-dev", &[])
                .with_groups_a_page(1)
                .with_seconds_left(10)
                .with_lambda_busy()
                .run(&sweep()),
        ),
        ("given-up", {
            let change = json!({"event_name": "AuthorizeSecurityGroupIngress", "event_id": "e-1"});
            let lost =
                json!({"change": change, "reason": "cut", "is_of_tags": false, "resume": {}});
            let event = json!({"version": 1, "depth": 15, "lost": lost});
            Scene::reverting().and_rule(open).run_bytes(event.to_string().as_bytes(), now)
        }),
        (
            "sweep-too-long",
            Scene::new()
                .group("sg-0fedcba9876543210", "typo3-dev", &[])
                .with_groups_a_page(1)
                .with_seconds_left(10)
                .run(&last_invocation),
        ),
    ]
}

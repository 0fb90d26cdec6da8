//! Tags change, and with them what is audited.

use serde_json::json;

use super::Scenes;
use crate::report::tests::events::{GROUP, sample, tagging_group};
use crate::report::tests::scene::{Scene, denied};

const OPEN: &str = "tcp 22 0.0.0.0/0 sgr-04f0ba190d9a9551b # temp";

fn scoped() -> Scene {
    Scene::reverting().with("SCOPE", "tag:Application=typo3")
}

pub(super) fn all() -> Scenes {
    let deleted = sample("delete-tags");
    let mut cut_short = deleted.clone();
    cut_short["detail"]["requestParameters"]["tagSet"] = json!({"omitted": true});
    let mut other_tags = deleted.clone();
    other_tags["detail"]["requestParameters"]["tagSet"]["items"][0]["key"] = json!("Name");
    vec![
        ("left-scope", scoped().untagged().run(&deleted)),
        ("left-scope-open", scoped().and_rule(OPEN).untagged().run(&deleted)),
        ("left-scope-by-another-value", scoped().untagged().run(&tagging_group("wordpress"))),
        ("left-scope-record-cut-short", scoped().untagged().run(&cut_short)),
        ("left-scope-and-is-back", scoped().run(&deleted)),
        (
            "left-scope-unreadable",
            scoped().untagged().failing("group", denied("DescribeSecurityGroups")).run(&deleted),
        ),
        ("entered-scope", scoped().and_rule(OPEN).run(&tagging_group("typo3"))),
        (
            "entered-scope-reverted",
            scoped()
                .with("SWEEP_REMEDIATION", "revert-ssh")
                .and_rule(OPEN)
                .run(&tagging_group("typo3")),
        ),
        ("other-tags", scoped().run(&other_tags)),
        (
            "out-of-scope",
            scoped()
                .without_groups()
                .group(GROUP, "typo3-shop", &[])
                .untagged()
                .run(&sample("authorize-open-ssh")),
        ),
        ("not-understood", Scene::reverting().and_rule(OPEN).run(&sample("truncated"))),
        (
            "not-understood-reverted",
            Scene::reverting()
                .with("SWEEP_REMEDIATION", "revert-ssh")
                .and_rule(OPEN)
                .run(&sample("truncated")),
        ),
    ]
}

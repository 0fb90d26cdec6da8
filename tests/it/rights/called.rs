//! The calls that the function makes in each mode, as they come to AWS, against what its role allows in that mode.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{BY_AWS, CALLED, allowed, resolved_in};
use crate::reverts::REVERT;
use crate::support::permission::tcp;
use crate::support::resolved::AUDITOR;
use crate::support::world::{ACCOUNT, Direction::Ingress, MEMBER, Site, World};

/// A region of this test's own, with more groups than a page of the sweep has.
const SWEPT: &str = "ap-southeast-5";
const MANY: usize = 101;

/// The template's parameters and the function's variables of a mode.
const MODES: [&[(&str, &str, &str)]; 6] = [
    &[],
    &[("Remediation", "REMEDIATION", "revert-ssh")],
    &[("Remediation", "REMEDIATION", "revert-ingress"), ("RevertKeeps", "REVERT_KEEPS", "nothing")],
    &[("SweepRemediation", "SWEEP_REMEDIATION", "revert-ssh")],
    &[
        ("SweepRemediation", "SWEEP_REMEDIATION", "revert-ingress"),
        ("RevertKeeps", "REVERT_KEEPS", "nothing"),
        ("HoldMaxHours", "HOLD_MAX_HOURS", "0"),
    ],
    &[
        ("Remediation", "REMEDIATION", "revert-ssh"),
        ("MemberRoleName", "MEMBER_ROLE_NAME", "typo3-sg-auditor-member"),
    ],
];

/// The actions that IAM calls what a function with these variables has called.
async fn called(variables: &[(&str, &str)], swept: &Site, has_members: bool) -> BTreeSet<String> {
    let world = World::new().await;
    // So little time that the sweep goes on in another invocation.
    let short = [("AWS_LAMBDA_FUNCTION_TIMEOUT", "30"), REVERT[1], REVERT[2]];
    let mut function = world.function(&[&short[..], variables].concat());
    let open = || tcp(22, 22).from("0.0.0.0/0");
    let group = world.group("typo3-shop").await;
    let list = world.prefix_list("desks", &["203.0.113.0/25", "198.51.100.0/24"]).await;
    for permission in [open(), tcp(22, 22).from(&list)] {
        world.report(&mut function, &world.authorize(&group, Ingress, &[permission]).await);
    }
    let found = swept.group("typo3-swept").await;
    swept.authorize(&found, Ingress, &[open()]).await;
    world.completed(&mut function, &json!({"sweep": {"regions": [SWEPT]}}));
    world.report(&mut function, &json!({"holds": {"regions": [SWEPT]}}));
    if has_members {
        let member = world.site(MEMBER, SWEPT).await;
        let group = member.group("typo3-member").await;
        world.report(&mut function, &member.authorize(&group, Ingress, &[open()]).await);
    }
    let actions = world.calls().into_iter().map(|call| {
        let is_it =
            |(operation, ..): &&(&str, &str, _)| operation.ends_with(&format!(":{}", call.action));
        let known = CALLED.iter().find(is_it);
        known.unwrap_or_else(|| panic!("{} is not among what is called", call.action)).1.to_owned()
    });
    actions.collect()
}

#[tokio::test]
async fn in_each_mode_everything_that_is_allowed_is_called_and_nothing_else() {
    let swept = World::new().await.site(ACCOUNT, SWEPT).await;
    swept.groups(MANY, &[]).await;
    let parameters: Vec<BTreeMap<String, String>> = MODES
        .iter()
        .map(|mode| mode.iter().map(|(name, _, value)| (name, value)))
        .map(|mode| mode.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
        .collect();
    for (mode, resources) in MODES.iter().zip(resolved_in(AUDITOR, &parameters)) {
        let variables: Vec<(&str, &str)> =
            mode.iter().map(|(_, name, value)| (*name, *value)).collect();
        let has_members = variables.iter().any(|(name, _)| *name == "MEMBER_ROLE_NAME");
        let by_aws: BTreeSet<String> =
            BY_AWS.iter().map(|(action, _)| (*action).to_owned()).collect();
        let allowed: BTreeSet<String> =
            allowed(&resources, "Role").difference(&by_aws).cloned().collect();
        assert_eq!(called(&variables, &swept, has_members).await, allowed, "{mode:?}");
    }
}

//! The calls that the function makes in each mode, as they come to AWS, against what its role allows in that mode.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{BY_AWS, CALLED, allowed, resolved_in};
use crate::memory::table::made;
use crate::reverts::REVERT;
use crate::support::moto;
use crate::support::permission::tcp;
use crate::support::resolved::{AUDITOR, resources};
use crate::support::world::{ACCOUNT, Direction::Ingress, MEMBER, Site, World};

/// A region of this test's own, with more groups than a page of the sweep has.
const SWEPT: &str = "ap-southeast-5";
const MANY: usize = 101;

const MEMBERS: &str = "typo3-sg-auditor-member";

/// The template's parameters of a mode.
const MODES: [&[(&str, &str)]; 6] = [
    &[],
    &[("Remediation", "revert-ssh")],
    &[("Remediation", "revert-ingress+keep-nothing")],
    &[("Remediation", "notify+sweep-revert-ssh")],
    &[("Remediation", "notify+sweep-revert-ingress+keep-nothing"), ("HoldMaxHours", "0")],
    &[("Remediation", "revert-ssh"), ("Organisation", MEMBERS)],
];

/// The function's variables that the template makes of these.
fn variables(parameters: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let resources = resources(&[(AUDITOR, json!(parameters))]).remove(0);
    let variables = &resources["Auditor"]["Properties"]["Environment"]["Variables"];
    let mut variables: BTreeMap<String, String> =
        serde_json::from_value(variables.clone()).expect("texts");
    variables.retain(|name, value| {
        !["STATE_TABLE", "TOPIC_ARN"].contains(&name.as_str()) && !value.is_empty()
    });
    variables
}

/// The actions that a function with these variables has called.
async fn called(variables: &[(&str, &str)], swept: &Site, has_members: bool) -> BTreeSet<String> {
    let world = World::new().await;
    // So little time that the sweep goes on in another invocation.
    let table = made(&moto::server().url()).await;
    let table = ("STATE_TABLE", table.as_str());
    let short = [("AWS_LAMBDA_FUNCTION_TIMEOUT", "30"), REVERT[1], REVERT[2], table];
    let mut function = world.function(&[&short[..], variables].concat());
    let open = || tcp(22, 22).from("0.0.0.0/0");
    let group = world.group("typo3-shop").await;
    let list = world.prefix_list("desks", &["203.0.113.0/25", "198.51.100.0/24"]).await;
    for permission in [open(), tcp(22, 22).from(&list)] {
        world.report(&mut function, &world.authorize(&group, Ingress, &[permission]).await);
    }
    world.report(&mut function, &json!({"holds": {"regions": [SWEPT]}}));
    // At home the sweep looks for a trail. The region has no topic, so it ends when it publishes.
    let at_home = [("AWS_REGION", SWEPT), ("AWS_DEFAULT_REGION", SWEPT)];
    world.function(&[&short[..], variables, &at_home[..]].concat()).invoke(&json!({"sweep": {}}));
    if has_members {
        let member = world.site(MEMBER, SWEPT).await;
        let group = member.group("typo3-member").await;
        world.report(&mut function, &member.authorize(&group, Ingress, &[open()]).await);
    }
    let found = swept.group("typo3-swept").await;
    swept.authorize(&found, Ingress, &[open()]).await;
    // The first sweep says what the second one closes, and what is known then comes with the daily mail.
    for _ in 0..2 {
        world.completed(&mut function, &json!({"sweep": {"regions": [SWEPT]}}));
    }
    actions(&world)
}

/// What IAM calls the calls that came to AWS.
fn actions(world: &World) -> BTreeSet<String> {
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
    let made = World::new().await.shell(&format!(
        "aws s3api create-bucket --region us-east-1 --bucket trail-of-{SWEPT} && aws cloudtrail create-trail \
         --region {SWEPT} --name trail --s3-bucket-name trail-of-{SWEPT}"
    ));
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let parameters: Vec<BTreeMap<String, String>> = MODES
        .iter()
        .map(|mode| mode.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
        .map(Iterator::collect)
        .collect();
    for (mode, resources) in parameters.iter().zip(resolved_in(AUDITOR, &parameters)) {
        let variables = variables(mode);
        let variables: Vec<(&str, &str)> =
            variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let has_members = variables.contains(&("MEMBER_ROLE_NAME", MEMBERS));
        let by_aws: BTreeSet<String> =
            BY_AWS.iter().map(|(action, _)| (*action).to_owned()).collect();
        let mut allowed: BTreeSet<String> =
            allowed(&resources, "Role").difference(&by_aws).cloned().collect();
        // That right comes with stacks/organisation.yaml.
        allowed.extend(has_members.then(|| "sts:AssumeRole".to_owned()));
        assert_eq!(called(&variables, &swept, has_members).await, allowed, "{mode:?}");
    }
}

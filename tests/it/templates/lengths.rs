//! EventBridge refuses a pattern of more than 2,048 characters, and generated names grow with that of the stack.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::resolved::{
    AUDITOR, MEMBER, combinations, member_parameters, patterns, resources_in,
};

const MOST: usize = 2048;

/// The longest tag key that can be a scope, and the longest name of a role.
const TAG_KEY: usize = 128;
const ROLE_NAME: usize = 64;

/// The lengths of the patterns of the templates in a stack of this name, by template and rule, with the settings.
fn lengths(stack: &str) -> Vec<(String, usize)> {
    // The longest ARNs of all partitions.
    let place = json!({
        "stack": stack, "region": "us-isof-south-1", "partition": "aws-iso-f",
        "types": ["AWS::Events::Rule"],
    });
    let tag = format!("tag:{}=web", "k".repeat(TAG_KEY));
    let role = "r".repeat(ROLE_NAME);
    let both: [(&str, &[&str]); 2] =
        [("Scope", &["", "all", &tag]), ("Remediation", &["notify", "revert-ssh"])];
    let auditor: [(&str, &[&str]); 6] = [
        ("Organisation", &["off", "typo3-sg-auditor-member", &role]),
        ("HoldMaxHours", &["0", "24"]),
        ("Encryption", &["none", "topic", "queues", "all"]),
        ("Watch", &["on"]),
        ("Hook", &["fail"]),
        ("Observability", &["off", "on"]),
    ];
    let member: [(&str, &[&str]); 1] = [("MemberRoleName", &["typo3-sg-auditor-member", &role])];
    let needed = member_parameters();
    let with_needed = |mut settings: BTreeMap<String, String>| {
        for (name, value) in needed.as_object().expect("parameters") {
            settings.insert(name.clone(), value.as_str().expect("text").to_owned());
        }
        settings
    };
    let auditors = combinations(&[&both[..], &auditor].concat());
    let members = combinations(&[&both[..], &member].concat()).into_iter().map(with_needed);
    let asked: Vec<(&str, Value)> = auditors
        .iter()
        .map(|settings| (AUDITOR, json!(settings)))
        .chain(members.map(|settings| (MEMBER, json!(settings))))
        .collect();
    let resolved = resources_in(&place, &asked);
    let of_stack = |((template, settings), resources): (&(&str, Value), _)| {
        let patterns = patterns(resources).into_iter();
        let named = patterns.map(|(rule, pattern)| {
            (format!("{rule} of {template} with {settings}"), pattern.to_string().chars().count())
        });
        named.collect::<Vec<_>>()
    };
    asked.iter().zip(&resolved).flat_map(of_stack).collect()
}

#[test]
fn every_pattern_fits_whatever_the_stack_is_called_and_whatever_is_set() {
    let stack_set = "StackSet-typo3-sg-auditor-0a1b2c3d-0000-4000-8000-0a1b2c3d4e5f";
    assert_eq!(stack_set.len(), 62);
    let mut longest = 0;
    for stack in ["typo3-sg-auditor", stack_set, &"s".repeat(128)] {
        let lengths = lengths(stack);
        assert!(lengths.len() > 288 * 8, "{}", lengths.len());
        for (rule, length) in lengths {
            assert!(length <= MOST, "{rule} has {length} characters in the stack {stack}");
            longest = longest.max(length);
        }
    }
    // The names were in it.
    assert!(longest > 1500, "{longest}");
}

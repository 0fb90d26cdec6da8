//! The calls that the code can make: each has its row in the matrix, or its reason for having none.

use std::collections::BTreeSet;
use std::fs;

use super::MATRIX;
use crate::support::sg_audit::repository;

/// Calls that the code has and no audit makes.
const NEVER_MADE: [(&str, &str); 2] = [
    (
        "DescribeRegions",
        "only `sg-audit check --live` asks for it, for a person who sees that it fails",
    ),
    (
        "GetCallerIdentity",
        "only `sg-audit check --live` asks for it, for a person who sees that it fails",
    ),
];

/// What is called on a client of the SDK and is no call of AWS.
const OF_THE_SDK: [&str; 1] = ["clone"];

/// The calls in a source: the methods of what ends in `client` or is made by `Client::new`, and the provider that
/// assumes roles by itself.
fn calls_in(source: &str) -> BTreeSet<String> {
    let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    let source: String = code.flat_map(str::chars).filter(|c| !c.is_whitespace()).collect();
    let mut calls = BTreeSet::new();
    for (before, after) in source.match_indices('.').map(|(at, _)| source.split_at(at)) {
        let is_client = before.ends_with("client")
            || before.rsplit_once("Client::new(").is_some_and(|(_, arguments)| {
                arguments.ends_with(')') && arguments.matches(')').count() == 1
            });
        let method: String =
            after.chars().skip(1).take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
        let is_called = after.get(method.len() + 1..).is_some_and(|rest| rest.starts_with("()"));
        if is_client && is_called && !OF_THE_SDK.contains(&method.as_str()) {
            calls.insert(camel(&method));
        }
    }
    if source.contains("AssumeRoleProvider::builder") {
        calls.insert("AssumeRole".to_owned());
    }
    calls
}

/// `describe_regions` as AWS spells it.
fn camel(method: &str) -> String {
    let words = method.split('_').map(|word| {
        let (first, rest) = word.split_at(1);
        format!("{}{rest}", first.to_uppercase())
    });
    words.collect()
}

#[test]
fn every_call_that_the_code_can_make_is_in_the_matrix() {
    let mut made = BTreeSet::new();
    for file in fs::read_dir(repository().join("src/aws")).expect("the edge") {
        made.extend(calls_in(&fs::read_to_string(file.unwrap().path()).unwrap()));
    }
    let never = NEVER_MADE.map(|(call, _)| call.to_owned());
    let tried = MATRIX.iter().flat_map(|(_, calls)| calls.iter()).map(|call| (*call).to_owned());
    assert_eq!(made, tried.chain(never).collect());
}

#[test]
fn the_sdk_is_named_at_the_edge_only() {
    let mut folders = vec![repository().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                // The edge is what the other test reads.
                folders.extend((!path.ends_with("src/aws")).then_some(path));
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                let source = fs::read_to_string(&path).unwrap();
                let names = source.lines().filter(|line| !line.trim_start().starts_with("//"));
                let names: Vec<&str> = names.filter(|line| line.contains("aws_sdk_")).collect();
                assert_eq!(names, [""; 0], "{}", path.display());
            }
        }
    }
}

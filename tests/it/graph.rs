//! What the function is built from: one HTTP stack, one TLS library, and nothing that only the command line needs.

use std::collections::BTreeSet;
use std::process::Command;

use crate::support::sg_audit::repository;

/// The crates that the default features compile in, as `name vVERSION`.
fn crates() -> BTreeSet<String> {
    tree(&["--edges", "normal,build"])
}

/// The crates that the library and its programs are built from, with these options of `cargo tree`.
fn tree(options: &[&str]) -> BTreeSet<String> {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--package", "typo3-sg-auditor"])
        .args(["--prefix", "none", "--format", "{p}"])
        .args(options)
        .current_dir(repository())
        .output()
        .expect("cargo");
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let text = String::from_utf8(tree.stdout).expect("UTF-8");
    // A crate that was listed before is marked.
    let words = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        Some(format!("{} {}", words.next()?, words.next()?))
    });
    words.collect()
}

/// How many versions of a crate there are.
fn versions(crates: &BTreeSet<String>, name: &str) -> usize {
    crates.iter().filter(|entry| entry.split(' ').next() == Some(name)).count()
}

#[test]
fn the_function_has_one_http_stack_and_one_tls() {
    let crates = crates();
    for one in ["aws-lc-rs", "aws-smithy-http-client", "http", "hyper", "rustls", "tokio"] {
        assert_eq!(versions(&crates, one), 1, "{one}");
    }
    for none in ["native-tls", "openssl-sys", "ring"] {
        assert_eq!(versions(&crates, none), 0, "{none}");
    }
}

#[test]
fn crates_that_only_the_command_line_needs_are_not_in_the_function() {
    let function = crates();
    let lock = std::fs::read_to_string(repository().join("Cargo.lock")).expect("Cargo.lock");
    for persons in ["aws-sdk-sso", "aws-sdk-ssooidc"] {
        assert_eq!(versions(&function, persons), 0, "{persons}");
        assert!(lock.contains(&format!("name = \"{persons}\"\n")), "{persons} is spelled so");
    }
}

#[test]
fn without_the_function_nothing_needs_the_aws_sdk() {
    let crates = tree(&["--no-default-features", "--edges", "normal,build,dev"]);
    assert_eq!(versions(&crates, "proptest"), 1, "the tests' crates are among them");
    let is_of_aws = |name: &&String| name.starts_with("aws-") || name.starts_with("rustls ");
    assert_eq!(crates.iter().find(is_of_aws), None);
}

//! What the function is built from: one HTTP stack, one TLS, and nothing that only a person's command line needs.

use std::collections::BTreeSet;
use std::process::Command;

use crate::support::sg_audit::repository;

/// The crates that the default features compile in, as `name vVERSION`.
fn crates() -> BTreeSet<String> {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--edges", "normal,build", "--prefix", "none"])
        .args(["--format", "{p}"])
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
fn what_only_a_person_needs_is_not_in_the_function() {
    let function = crates();
    let lock = std::fs::read_to_string(repository().join("Cargo.lock")).expect("Cargo.lock");
    for persons in ["aws-sdk-sso", "aws-sdk-ssooidc", "indicatif"] {
        assert_eq!(versions(&function, persons), 0, "{persons}");
        assert!(lock.contains(&format!("name = \"{persons}\"\n")), "{persons} is spelled so");
    }
}

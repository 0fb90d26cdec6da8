//! The two programs, built by Cargo on first use: into the folder that the tests are in, with their profile and features.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::{Deserializer, Value};

use super::sg_audit::repository;

/// The Lambda function.
pub fn function() -> &'static Path {
    &programs()["typo3-sg-auditor"]
}

/// The command line.
pub fn sg_audit() -> &'static Path {
    &programs()["sg-audit"]
}

fn programs() -> &'static BTreeMap<String, PathBuf> {
    static PROGRAMS: OnceLock<BTreeMap<String, PathBuf>> = OnceLock::new();
    PROGRAMS.get_or_init(|| {
        // With this package selected too: for another selection Cargo may turn on other features of the dependencies,
        // and would compile the auditor again.
        let mut options = vec!["--package", "typo3-sg-auditor", "--package", "sg-audit-tests"];
        options.push("--bins");
        if cfg!(feature = "live") {
            options.extend(["--features", "live"]);
        }
        let profile = profile().iter().map(String::as_str);
        build(&options.into_iter().chain(profile).collect::<Vec<_>>())
    })
}

/// What `cargo build` makes with these options: the programs, by their names.
pub fn build(options: &[&str]) -> BTreeMap<String, PathBuf> {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--locked", "--quiet", "--message-format", "json-render-diagnostics"])
        .arg("--target-dir")
        .arg(target())
        .args(options)
        .current_dir(repository())
        .output()
        .expect("cargo starts");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let program = |message: Value| {
        let path = PathBuf::from(message["executable"].as_str()?);
        Some((message["target"]["name"].as_str()?.to_owned(), path))
    };
    let messages = Deserializer::from_slice(&built.stdout).into_iter::<Value>();
    messages.filter_map(|message| program(message.expect("JSON"))).collect()
}

/// The folder that everything is built in.
pub fn target() -> &'static Path {
    &place().0
}

/// A folder in it for the files of a test.
pub fn scratch() -> PathBuf {
    let folder = target().join("tmp");
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// Cargo's options for the profile that the tests are built with and, where one was named, the platform.
fn profile() -> &'static [String] {
    &place().1
}

/// Both, from the path of this program: `TARGET/[PLATFORM/]PROFILE/deps/it-HASH`.
fn place() -> &'static (PathBuf, Vec<String>) {
    static PLACE: OnceLock<(PathBuf, Vec<String>)> = OnceLock::new();
    PLACE.get_or_init(|| {
        let own = std::env::current_exe().expect("a path");
        let folder = own.ancestors().nth(2).expect("the profile's folder");
        let name = |folder: &Path| {
            folder.file_name().and_then(|name| name.to_str()).expect("a name").to_owned()
        };
        let profile = match name(folder).as_str() {
            "debug" => "--profile=dev".to_owned(),
            other => format!("--profile={other}"),
        };
        let above = folder.parent().expect("a folder");
        // Cargo keeps this file in the target folder, and in none that it has for a platform.
        match above.parent() {
            Some(target) if target.join(".rustc_info.json").is_file() => {
                (target.to_owned(), vec![profile, format!("--target={}", name(above))])
            }
            _ => (above.to_owned(), vec![profile]),
        }
    })
}

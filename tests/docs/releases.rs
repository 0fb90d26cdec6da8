//! The workflows run what they say from sources that nobody can exchange, and docs/releases.md names what there is.

use std::fs;

use serde_json::Value;

use super::page::blocks;
use super::{read, root};

/// The workflows by their names.
fn workflows() -> Vec<(String, String)> {
    let folder = fs::read_dir(root().join(".github/workflows")).expect("the workflows");
    let names = folder.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.map(|name| (name.clone(), read(&format!(".github/workflows/{name}")))).collect()
}

/// What comes after this key in the lines of a file.
fn values<'a>(text: &'a str, key: &str) -> Vec<&'a str> {
    let lines = text.lines().map(|line| line.trim().trim_start_matches("- "));
    lines.filter_map(|line| line.strip_prefix(key)).map(str::trim).collect()
}

#[test]
fn every_action_is_pinned_by_its_commit() {
    let mut actions = 0;
    for (name, text) in workflows() {
        for action in values(&text, "uses:") {
            let (_, pinned) = action.split_once('@').expect("a version");
            let (commit, version) = pinned.split_once(" # v").expect("a commit and its version");
            let is_commit = commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit());
            let numbers: Vec<&str> = version.split('.').collect();
            let is_version = numbers.len() == 3 && numbers.iter().all(|n| n.parse::<u32>().is_ok());
            assert!(is_commit && is_version, "{name}: {action}");
            actions += 1;
        }
        // What a tag or a pull request says is data to a step, and no part of its program.
        for run in values(&text, "run:") {
            assert!(!run.contains("${{ github."), "{name}: {run}");
        }
    }
    assert!(actions >= 8, "{actions}");
}

#[test]
fn the_workflow_runs_the_steps_of_the_script() {
    let script = read("release/build.py");
    let (_, usage) = script.split_once("Usage:").expect("its usage");
    let (usage, _) = usage.split_once("\n\n").expect("its end");
    let steps: Vec<&str> = usage
        .lines()
        .filter_map(|line| line.split_once("release/build.py "))
        .map(|(_, rest)| rest.split(' ').next().expect("a step"))
        .collect();
    assert_eq!(steps, ["check", "function", "command-line", "assets"]);
    let workflow = read(".github/workflows/release.yml");
    let run: Vec<&str> = values(&workflow, "run:")
        .into_iter()
        .filter_map(|line| line.strip_prefix("python3 release/build.py "))
        .map(|rest| rest.split(' ').next().expect("a step"))
        .collect();
    assert_eq!(run, steps);
    let page = read("docs/releases.md");
    let shown = blocks(&page, "sh").into_iter().find(|block| block.contains("release/build.py"));
    let shown = shown.expect("the steps").to_owned();
    for step in &steps[1..] {
        assert!(shown.contains(&format!("release/build.py {step} ")), "{step}");
    }
    // Each processor has a machine of its own.
    for machine in ["ubuntu-24.04-arm", "ubuntu-24.04"] {
        assert!(workflow.contains(&format!("machine: {machine} }}")), "{machine}");
    }
    assert!(read(".github/workflows/ci.yml").contains("machine: [ubuntu-24.04, ubuntu-24.04-arm]"));
}

#[test]
fn the_compiler_is_the_one_that_the_sources_ask_for() {
    let quoted = |file: &str, key: &str| {
        let text = read(file);
        values(&text, key).first().expect(key).trim_matches('"').to_owned()
    };
    let asked = quoted("Cargo.toml", "rust-version =");
    let channel = quoted("rust-toolchain.toml", "channel =");
    assert!(channel.starts_with(&format!("{asked}.")), "{channel} and {asked}");
}

#[test]
fn binstall_finds_the_archive_that_the_script_makes() {
    let manifest = read("Cargo.toml");
    let (_, binstall) = manifest.split_once("[package.metadata.binstall]\n").expect("the section");
    let url = values(binstall, "pkg-url =").first().copied().expect("the address");
    assert_eq!(
        url.trim_matches('"'),
        "{ repo }/releases/download/v{ version }/sg-audit-{ version }-{ target }.tar.gz"
    );
    let folder = values(binstall, "bin-dir =").first().copied().expect("the folder");
    assert_eq!(folder.trim_matches('"'), "sg-audit-{ version }-{ target }/{ bin }{ binary-ext }");
    let script = read("release/build.py");
    assert!(script.contains(r#"folder = f"sg-audit-{version()}-{target}""#));
    assert!(script.contains(r#"out / f"{folder}.tar.gz""#));
}

#[test]
fn the_metadata_for_the_repository_is_complete() {
    let text = read("release/serverless-repo.json");
    let values: Value = serde_json::from_str(&text).expect("JSON");
    let text = |name: &str| values[name].as_str().unwrap_or_else(|| panic!("{name}")).to_owned();
    // The limits of the SAM developer guide, "AWS SAM template Metadata section properties".
    let is_name = |it: &str| it.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    assert!(is_name(&text("Name")) && text("Name").len() <= 140);
    assert!(is_name(&text("Author")) && text("Author").to_lowercase() == text("Author"));
    assert!((1..=256).contains(&text("Description").len()), "{}", text("Description").len());
    assert_eq!(text("SpdxLicenseId"), "Apache-2.0");
    for file in ["LicenseUrl", "ReadmeUrl"] {
        assert!(root().join(text(file)).is_file(), "{file}");
    }
    let labels = values["Labels"].as_array().expect("labels");
    assert!((1..=10).contains(&labels.len()));
    for label in labels {
        assert!(is_name(label.as_str().expect("a label")), "{label}");
    }
}

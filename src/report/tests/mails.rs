//! docs/mails.md: the mail about each sample event, as people would get it.

use std::fs;
use std::path::PathBuf;

use super::events::sample;
use super::scene::{Scene, mail};

const HEAD: &str = "\
# What the mails look like

One example for each event in [events](../events): first if findings are only reported (`REMEDIATION` is `notify`), then
if open SSH is closed (`revert-ssh`, with `203.0.113.0/24` as the only SSH source). The group serves a website and has the
rules of the event. The first lines say what happened and what to do; below `--` are the details. A test makes this page
from the events.
";

fn root() -> PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}

fn names() -> Vec<String> {
    let files = fs::read_dir(root().join("events")).unwrap();
    let name = |file: fs::DirEntry| {
        let name = file.file_name().into_string().unwrap();
        name.strip_suffix(".json").map(ToOwned::to_owned)
    };
    let mut names: Vec<String> = files.filter_map(|file| name(file.unwrap())).collect();
    names.sort();
    names
}

/// Subject and mail of each message about a sample.
fn mails(scene: Scene, name: &str) -> Vec<String> {
    let scene = match name {
        "scheduled-sweep" => scene
            .with_rules(&["tcp 22 0.0.0.0/0", "tcp 3306 198.51.100.0/24", "tcp 80 0.0.0.0/0"])
            .group("sg-0b1c2d3e4f5a67890", "typo3-test", &["tcp 22 0.0.0.0/0", "tcp 8080 ::/0"]),
        _ => scene,
    };
    let messages = scene.run(&sample(name)).messages;
    messages.iter().map(|it| format!("Subject: {}\n\n{}", it.subject, mail(it))).collect()
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    let mut silent = Vec::new();
    let blocks = |mails: &[String]| -> String {
        mails.iter().map(|mail| format!("\n```text\n{}\n```\n", mail.trim_end())).collect()
    };
    for name in names() {
        let notify = mails(Scene::new().with("SSH_SOURCES", "203.0.113.0/24"), &name);
        let sweeps = Scene::reverting().with("SWEEP_REMEDIATION", "revert-ssh");
        let revert = mails(sweeps, &name);
        if notify.is_empty() && revert.is_empty() {
            silent.push(format!("`{name}`"));
            continue;
        }
        page.push_str(&format!("\n## {name}\n"));
        if notify == revert {
            page.push_str(&blocks(&notify));
        } else {
            page.push_str(&format!("\nReported only:\n{}", blocks(&notify)));
            page.push_str(&format!("\nClosed:\n{}", blocks(&revert)));
        }
    }
    format!("{page}\n## No mail\n\nNothing is published about {}.\n", silent.join(", "))
}

#[test]
fn the_page_of_mails_is_made_of_the_samples() {
    let file = root().join("docs/mails.md");
    let page = page();
    if std::env::var_os("INSTA_UPDATE").is_some_and(|value| value == "always") {
        fs::write(file, page).unwrap();
    } else {
        let written = fs::read_to_string(file).unwrap();
        assert!(written == page, "INSTA_UPDATE=always brings docs/mails.md up to date");
    }
}

/// As a phone shows it: eight lines of 45 columns.
fn first_screen(mail: &str) -> String {
    let wrapped = mail.lines().flat_map(|line| textwrap::wrap(line, 45));
    wrapped.take(8).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_first_screen_says_how_things_stand_and_what_to_do() {
    let states = ["open", "closed", "gone", "could not be audited", "changed", "down", "scope"];
    let actions = [
        "Close it now",
        "this line opens it again",
        "No action is needed",
        "Look at the rules",
        "put its tag back",
        "Put it back",
        "put back",
        "Compare its",
        "Check",
        "Let the auditor read",
        "check that",
        "Close what nobody needs",
        "Close what is still",
        "end them on the server",
        "take addresses",
    ];
    let mut seen = 0;
    for name in names() {
        for scene in [Scene::new().with("SSH_SOURCES", "203.0.113.0/24"), Scene::reverting()] {
            for mail in mails(scene, &name) {
                let (_, mail) = mail.split_once("\n\n").unwrap();
                let screen = first_screen(mail);
                let says = |words: &[&str]| {
                    let screen = screen.replace('\n', " ").to_lowercase();
                    words.iter().any(|word| screen.contains(&word.to_lowercase()))
                };
                assert!(says(&states), "{name}: how things stand?\n{screen}");
                assert!(says(&actions), "{name}: what to do?\n{screen}");
                seen += 1;
            }
        }
    }
    assert!(seen > 60, "{seen}");
}

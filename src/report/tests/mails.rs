//! docs/mails.md: the mail about each sample event, and one for each state of a Subject, as people would
//! get it.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use strum::IntoEnumIterator;

use super::events::sample;
use super::scene::{Scene, Told, default, mail};
use super::scenes;
use crate::report::Message;
use crate::report::state::State;

const HEAD: &str = "\
# What the mails look like

First, one mail for [each state](#each-state-of-a-subject) that a Subject can begin with, then [the digests](#digests) and
[the sweep of an organisation](#the-sweep-of-an-organisation). After that, the mail about each event in
[events](../events): first if findings are only reported (`REMEDIATION` is `notify`), then if open SSH is closed
(`revert-ssh`, with `203.0.113.0/24` as the only SSH source). The group serves a website and has the rules of the event.

The first lines say what happened, whether it is still open, who did it and what to do. Below `--` are the details. A
finding below `MailSeverity` is not mailed at once: it waits for the daily mail. The examples show it all the same, as
programs get it. A test makes this page with the program itself.
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

/// The scenes whose mails show the states of a Subject, each with what it shows.
const STATES: [(&str, &str); 21] = [
    ("Open, and only reported", "only-reported"),
    ("Closed", "closed"),
    ("Still open through an older rule", "still-open"),
    ("Perhaps still open", "still-open-is-not-known"),
    ("Not closed", "revoke-denied"),
    ("Too much is closed", "closed-too-far-piece-refused"),
    ("The website is closed", "website-closed"),
    ("A part of the website is closed", "website-closed-in-part"),
    ("A change that could not be audited", "change-unreadable"),
    ("The auditor was changed", "trail-changed"),
    ("Held open for a time", "held"),
    ("The time is over", "hold-over"),
    ("Left open because of an exemption", "perhaps-exempt"),
    ("Undecided", "undecided"),
    ("Planned by a sweep", "remembered-planned"),
    ("A group left the scope", "left-scope"),
    ("Resolved by somebody", "remembered-resolved-by-a-change"),
    ("Prevented by the hook", "prevented"),
    ("Already gone before it was closed", "already-gone"),
    ("Gone, and only reported", "only-reported-gone"),
    ("A note about the baseline", "sweep-documented-baseline"),
];

/// The scenes with the digests, each with what they are for.
const DIGESTS: [(&str, &str); 2] =
    [("Once a day", "remembered-sweeps"), ("After too many mails at once", "remembered-burst")];

fn block(message: &Message) -> String {
    format!("\n```text\nSubject: {}\n\n{}\n```\n", message.subject, mail(message).trim_end())
}

/// The mails of scenes: one for each state, then those that tell together what waited.
fn states() -> String {
    let scenes: BTreeMap<&str, Told> = scenes::all().into_iter().collect();
    let mut page = "\n## Each state of a Subject\n".to_owned();
    let is_digest = |it: &&Message| default(it)["digest"].is_object();
    for (what, name) in STATES {
        let messages = &scenes[name].messages;
        let is_resolved = |it: &&Message| it.subject.starts_with("RESOLVED");
        let message = messages.iter().find(is_resolved).or(messages.first()).unwrap();
        page.push_str(&format!("\n### {what}\n{}", block(message)));
    }
    page.push_str("\n## Digests\n");
    for (what, name) in DIGESTS {
        let message = scenes[name].messages.iter().find(is_digest).unwrap();
        page.push_str(&format!("\n### {what}\n{}", block(message)));
    }
    page.push_str("\n## The sweep of an organisation\n");
    page.push_str(&block(&super::run::with_gaps()));
    page
}

fn page() -> String {
    let mut page = HEAD.to_owned() + &states();
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
fn the_page_shows_every_state_of_a_subject() {
    let page = page();
    for state in State::iter() {
        let state = state.as_str();
        // A hold says until when.
        let words = match state {
            "OPEN FOR NOW" => vec!["OPEN UNTIL", "OPEN, ALLOWED UNTIL"],
            state => vec![state],
        };
        for words in words {
            assert!(page.contains(&format!("\nSubject: {words}")), "{words}");
        }
    }
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
        "do nothing",
        "you are done",
        "look in CloudTrail",
        "Close it if nobody needs it",
        "end what is not yours",
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

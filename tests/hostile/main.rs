//! Hostile input: every audit ends with a report that is true and inert, and harms no group.
//!
//! These tests only use the library's public API and don't need the AWS SDK.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod bombs;
mod corpus;
mod forged;
mod output;
mod secrets;
mod shell;
mod shown;

/// The laws that the fuzz targets check.
#[path = "../../fuzz/laws/mod.rs"]
mod laws;

#[path = "../report_schema.rs"]
mod report_schema;

use proptest::prelude::*;
use serde_json::Value;
use typo3_sg_auditor::baseline::Lists;
use typo3_sg_auditor::ec2::{Direction, Group, Protocol, Rule};
use typo3_sg_auditor::memory::MemoryEc2;

/// The group of the sample events.
const GROUP: &str = "sg-0a1b2c3d4e5f67890";

/// Only text from outside contains this word, so a line that starts with it is forged.
const MARK: &str = "Zzmark";

/// Texts that mislead people, terminals, mail readers and shells.
const HOSTILE: [&str; 26] = [
    "\n\rZzmark: sent by the auditor\r\nBcc: all@example.com\n\nZzmark",
    "\u{1b}[2J\u{1b}]0;Zzmark\u{7}\u{9b}31m\u{1b}]8;;https://evil.example\u{1b}\\x",
    "\u{202e}\u{2066}gpj.exe\u{2069}\u{202c}\u{200f}\u{61c}",
    "a\u{200b}\u{200d}\u{feff}\u{ad}\u{2060}\u{3164}\u{115f}b",
    "\u{e0001}\u{e0041}\u{e007f}\u{fe0f}\u{e0100}\u{13430}",
    "\u{2028}Zzmark\u{2029}Zzmark\u{85}Zzmark\u{b}Zzmark\u{c}Zzmark",
    "\u{0}\u{7f}\u{80}\u{ffff}\u{10ffff}\u{fdd0}",
    "<script>alert(1)</script><img src=x onerror=y><a href='//evil.example'>x</a>",
    "[click](https://evil.example) ![x](//evil.example) **x** `x` # x\n# Zzmark",
    "<https://evil.example|click> @here <!channel>",
    "'; reboot; '",
    "$(reboot) `reboot` ${IFS} $((1)) !! \\",
    "\"; reboot #\" && reboot || reboot | reboot & reboot > /tmp/x < /dev/null",
    "-rf --endpoint-url https://evil.example --",
    "file:///etc/passwd",
    "fileb:///etc/passwd",
    "- { group: sg-1 }\n  reason: *x, until: 2099-01-01 }, &x !!map {",
    "\": }] # - \n---\n...\n%YAML 1.1",
    "%s%n {} {0} {{}} ${jndi:ldap://evil.example}",
    "{\"default\": \"x\"}",
    " \u{a0}\u{3000}\u{2003} Zzmark",
    "\u{1}",
    "see www.evil.example, evil.example.com/x, 203.0.113.7.nip.io and jane@evil.example",
    "\u{430}dmin.evil.example \u{ff57}\u{ff57}\u{ff57}\u{ff0e}evil\u{3002}com evil\u{2024}com",
    "see mailto:jane tel:0049 \\\\evil\\share ftp.evil.1a2b WWW.1a2b",
    "\u{1d41e}vil.ｃｏｍ \u{441}\u{43e}\u{440}\u{443}.рф xn--p1ai.xn--p1ai",
];

/// A hostile text, or any other.
fn any_text() -> BoxedStrategy<String> {
    prop_oneof![
        4 => prop::sample::select(&HOSTILE[..]).prop_map(str::to_owned),
        2 => prop::collection::vec(prop::sample::select(&HOSTILE[..]), 2..4)
            .prop_map(|texts| texts.concat()),
        3 => any::<String>(),
        1 => ".{0,40}",
    ]
    .boxed()
}

/// A JSON pointer to each string in `value`.
fn places_of_texts(value: &Value) -> Vec<String> {
    fn gather(value: &Value, at: &str, places: &mut Vec<String>) {
        match value {
            Value::String(_) => places.push(at.to_owned()),
            Value::Array(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    gather(element, &format!("{at}/{index}"), places);
                }
            }
            Value::Object(members) => {
                for (name, member) in members {
                    gather(member, &format!("{at}/{name}"), places);
                }
            }
            _ => {}
        }
    }
    let mut places = Vec::new();
    gather(value, "", &mut places);
    places
}

/// The sample events that have their record in `detail`, each with its file name.
fn samples() -> Vec<(String, Value)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/events");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut samples: Vec<(String, Value)> = files
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
        })
        .filter(|(_, sample): &(String, Value)| sample["detail"]["eventName"].is_string())
        .collect();
    samples.sort_by(|(a, _), (b, _)| a.cmp(b));
    assert!(samples.len() > 30);
    samples
}

/// The sample event that opens SSH to everybody.
fn open_ssh() -> Value {
    let is_open_ssh = |(name, _): &(String, Value)| name == "authorize-open-ssh.json";
    samples().into_iter().find(is_open_ssh).unwrap().1
}

/// The group of the sample events, of which only the id is known.
fn group() -> Group {
    Group::known_by_id(GROUP.parse().unwrap())
}

/// An EC2 with this group and these rules.
fn ec2_with(group: Group, rules: Vec<Rule>) -> MemoryEc2 {
    MemoryEc2::new([(output::home(), group, rules)], Lists::new())
}

/// The ingress rule that admits SSH from a peer.
fn ssh_from(peer: &str) -> Rule {
    let peer = peer.parse().unwrap();
    Rule::new(Direction::Ingress, Protocol::TCP, Some(22), Some(22), peer).unwrap()
}

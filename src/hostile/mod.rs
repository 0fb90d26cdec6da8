//! Input of somebody who means harm: whatever it is, it ends in a report that is true and inert, and
//! in no harm to any group.

mod bombs;
mod corpus;
mod forged;
mod secrets;
mod shell;
mod shown;
mod told;
mod watched;

/// What the fuzz targets hold every input to be; here without a fuzzer.
#[path = "../../fuzz/laws/mod.rs"]
pub(crate) mod laws;

use proptest::prelude::*;
use serde_json::Value;

/// The start of a line that nothing but a text from outside begins with.
const MARK: &str = "Zzmark";

/// Texts that people, terminals, mail readers and shells take for something else.
const HOSTILE: [&str; 22] = [
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
];

/// A text of somebody who means harm, or any other.
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

/// Every place of a text in `value`, as a JSON pointer.
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

/// The samples in events/ whose record is in a `detail`, by their names.
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

/// The sample in which SSH is opened to everybody.
fn open_ssh() -> Value {
    let samples = samples().into_iter();
    samples.filter(|(name, _)| name == "authorize-open-ssh.json").map(|(_, it)| it).next().unwrap()
}

//! The stack that the commands of the page are run on.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::Value;

use super::NAME;
use crate::support::ministack::{self, Built, REGION};
use crate::support::permission::tcp;
use crate::support::stack::Stack;
use crate::support::world::{ACCOUNT, Direction::Ingress, Group, Site, World};

/// How often to look what becomes of an update, or of a line in the log.
const LOOKS: usize = 60;

/// The stack that the commands are for.
pub struct Operated {
    pub built: Built,
    pub stack: Stack,
    pub site: Site,
    /// The parameters as they were when last asked for.
    parameters: RefCell<BTreeMap<String, String>>,
}

impl Operated {
    /// Reverting, with holds and a key, so that there is something to stop, to undo and to lose.
    pub async fn deployed() -> Self {
        let server = ministack::server();
        // `sam delete` also deletes the nested templates, and knows no S3 but AWS's.
        let built = server.build("operations", |template| {
            let (before, parts) = template.split_once("\n  WatchPart:\n").expect("the parts");
            let (_, after) = parts.split_once("\nOutputs:\n").expect("the outputs");
            format!("{before}\nOutputs:\n{after}")
        });
        built.deploy(
            NAME,
            &[
                ("Remediation", "revert-ssh+sweep-revert-ssh"),
                ("Encryption", "topic"),
                ("Scope", "all"),
                ("SshSources", "203.0.113.0/24"),
                ("WebPorts", "80,443"),
            ],
        );
        let site = World::new().await.site(ACCOUNT, REGION).await;
        let parameters = RefCell::default();
        let operated = Self { built, stack: server.stack(NAME), site, parameters };
        operated.parameters.replace(operated.parameters());
        operated
    }

    /// Runs a block with what its names in capitals stand for. Returns what it prints, and the exit status.
    pub fn run_with(&self, script: &str, variables: &[(&str, &str)]) -> (String, Option<i32>) {
        let mut outputs: Vec<_> = self.stack.outputs.iter().collect();
        // PARKED_QUEUE_ARN before PARKED_QUEUE.
        outputs.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        let script = outputs.iter().fold(script.to_owned(), |script, (name, value)| {
            script.replace(&in_capitals(name), value)
        });
        let output = self.built.shell(&format!("set -eu\n{script}"), variables);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&output.stdout) + &text(&output.stderr), output.status.code())
    }

    /// Runs a block that has to succeed.
    pub fn run(&self, script: &str) -> String {
        let (printed, status) = self.run_with(script, &[]);
        assert_eq!(status, Some(0), "{script}\n{printed}");
        printed
    }

    pub fn aws(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&ministack::server().aws(arguments)).expect("JSON")
    }

    /// What a resource of the template is called.
    pub fn resource(&self, name: &str) -> String {
        let (_, name) = self.stack.resources().remove(name).expect("the resource");
        name
    }

    /// The stack's parameters, once no update is under way.
    pub fn parameters(&self) -> BTreeMap<String, String> {
        for _ in 0..LOOKS {
            let stacks = self.aws(&["cloudformation", "describe-stacks", "--stack-name", NAME]);
            let stack = &stacks["Stacks"][0];
            let status = stack["StackStatus"].as_str().expect("a status");
            if status.ends_with("_IN_PROGRESS") {
                continue;
            }
            assert!(["CREATE_COMPLETE", "UPDATE_COMPLETE"].contains(&status), "{stack:#}");
            let text = |value: &Value| value.as_str().expect("text").to_owned();
            let parameters = stack["Parameters"].as_array().expect("parameters").iter();
            return parameters
                .map(|it| (text(&it["ParameterKey"]), text(&it["ParameterValue"])))
                .collect();
        }
        panic!("the update does not end");
    }

    /// Runs a block that changes these parameters and no others.
    pub fn changes(&self, script: &str, changed: &[(&str, &str)]) {
        let mut expected = self.parameters.borrow().clone();
        for (name, value) in changed {
            let before = expected.insert((*name).to_owned(), (*value).to_owned());
            assert_ne!(before.as_deref(), Some(*value), "{name} was so before");
        }
        self.run(script);
        assert_eq!(self.parameters(), expected, "{script}");
        self.parameters.replace(expected);
    }

    /// Opens SSH. Returns the group and the event.
    pub async fn opened(&self) -> (Group, Value) {
        let group = self.site.group("typo3-shop").await;
        let rules = [tcp(22, 22).from("198.51.100.0/24")];
        let event = self.site.authorize(&group, Ingress, &rules).await;
        (group, event)
    }

    /// Whether what opens is closed.
    pub async fn reverts(&self) -> bool {
        let (group, event) = self.opened().await;
        let report = self.stack.report(&event).await;
        assert_eq!(report["outcome"], "noncompliant", "{report:#}");
        self.site.ingress(&group).await.is_empty()
    }

    /// Runs a block about the log until it shows this. ministack sometimes keeps a line for the next invocation.
    pub async fn shows(&self, script: &str, wanted: &str) {
        let mut printed = String::new();
        for _ in 0..LOOKS {
            let (_, event) = self.opened().await;
            self.stack.report(&event).await;
            printed = self.run(script);
            if printed.contains(wanted) {
                return;
            }
        }
        panic!("no {wanted} in {printed}");
    }

    pub fn description(&self) -> Value {
        let function = &self.stack.outputs["Function"];
        let get = ["lambda", "get-function-configuration", "--function-name", function];
        self.aws(&get)["Description"].clone()
    }
}

/// `ParkedQueue` as the page has it: `PARKED_QUEUE`.
fn in_capitals(name: &str) -> String {
    let mut capitals = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !capitals.is_empty() {
            capitals.push('_');
        }
        capitals.push(letter.to_ascii_uppercase());
    }
    capitals
}

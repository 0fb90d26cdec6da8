//! `sg-audit doctor` at a stack that is deployed to ministack. What ministack does not know (rules that mute alarms) or
//! cannot show (mails that nobody confirmed) is in the unit tests of src/doctor.

mod canary;
mod faults;
mod status;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_json::Value;
use tokio::sync::Mutex;

use crate::support::aws_cli;
use crate::support::ministack;
use crate::support::sg_audit::Ran;
use crate::support::stack::Stack;

const NAME: &str = "doctor";

/// Whoever has this is alone with the stack: faults are injected into it.
static ALONE: Mutex<()> = Mutex::const_new(());

/// One stack for these tests.
fn stack() -> Stack {
    static DEPLOYED: OnceLock<()> = OnceLock::new();
    DEPLOYED.get_or_init(|| {
        let parameters = [
            ("AlertEmail", "you@example.com"),
            ("Remediation", "revert-ssh"),
            ("Scope", "all"),
            ("SshSources", "203.0.113.0/24"),
            ("Encryption", "topic"),
        ];
        crate::deploy::built().deploy(NAME, &parameters);
    });
    ministack::server().stack(NAME)
}

/// Runs a line in a shell that has `aws` and `sg-audit`, with these variables.
fn shell(line: &str, variables: &BTreeMap<String, String>) -> Ran {
    let mut shell = ministack::server().shell(line);
    let path = shell.get_envs().find_map(|(name, value)| (name == "PATH").then_some(value?));
    let path = path.expect("a search path").to_str().expect("UTF-8");
    let path = format!("{}:{path}", aws_cli::folder().display());
    shell.env("PATH", path).envs(variables);
    // Not by `ran`, which holds JSON against the schema of reports.
    let output = shell.output().expect("a shell");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let status = output.status.code().expect("an exit status");
    Ran { out: text(&output.stdout), err: text(&output.stderr), status }
}

/// The diagnosis as JSON.
fn diagnosis(more: &str) -> (Value, i32) {
    let line = format!("sg-audit doctor --stack {NAME} --format json {more}");
    let ran = shell(&line, &BTreeMap::new());
    assert_eq!(ran.err, "", "{ran}");
    (serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran}")), ran.status)
}

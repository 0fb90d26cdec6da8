//! What stands in for EC2, STS and Organizations where an organisation is swept.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use super::venv;
use super::world::ACCOUNT;

/// The regions that every account has.
pub const REGIONS: [&str; 2] = ["eu-central-1", "eu-west-1"];

/// `organisation_server.py`.
pub struct StandIn {
    server: Child,
    answers: BufReader<ChildStdout>,
    pub url: String,
}

impl StandIn {
    /// A new one, without a plan.
    #[expect(clippy::new_without_default, reason = "it starts a process")]
    pub fn new() -> Self {
        let mut server = Command::new(venv::program("python"))
            .arg("-B")
            .arg(venv::script("organisation_server.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python starts");
        let mut answers = BufReader::new(server.stdout.take().expect("a pipe"));
        let mut port = String::new();
        answers.read_line(&mut port).expect("a port");
        Self { server, answers, url: format!("http://127.0.0.1:{}", port.trim()) }
    }

    /// Sets the plan, and returns what was called and published since the last time.
    pub fn plan(&mut self, plan: &Value) -> Value {
        let stdin = self.server.stdin.as_mut().expect("a pipe");
        writeln!(stdin, "{plan}").expect("it reads");
        stdin.flush().expect("it reads");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("an answer");
        serde_json::from_str(&line).expect("JSON")
    }
}

/// So many accounts beside the auditor's own, which are well.
pub fn plan(accounts: usize) -> Value {
    plan_of(0..accounts)
}

/// The accounts with these numbers. A function that has been let into an account keeps the credentials, so one whose role
/// is refused has to be in no other plan.
pub fn plan_of(accounts: impl IntoIterator<Item = usize>) -> Value {
    let others = accounts.into_iter().map(account).map(|account| (account, json!("ACTIVE")));
    let all: BTreeMap<String, Value> =
        others.chain([(ACCOUNT.to_owned(), json!("ACTIVE"))]).collect();
    json!({
        "accounts": all, "page": 20, "regions": REGIONS, "groups": 3, "bad": 0, "places": {}, "roles": {},
        "unpublished": [],
    })
}

/// The account with this number.
pub fn account(number: usize) -> String {
    format!("{:012}", 210_000_000_000_usize + number)
}

//! `sg-audit` as a shell starts it, in the repository's folder, so that no path of a machine is in what it prints.

use std::fmt::{self, Display, Formatter};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::built;
use super::report_schema::assert_fits;

/// The repository's folder.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("two folders up")
}

/// The built program in an environment with nothing in it but what a test sets.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(built::sg_audit());
    command.args(arguments).current_dir(repository()).env_clear();
    command
}

/// What a command wrote, and its exit status.
#[derive(Debug, PartialEq, Eq)]
pub struct Ran {
    pub out: String,
    pub err: String,
    pub status: i32,
}

/// Runs it with nothing to read.
pub fn sg_audit(arguments: &[&str]) -> Ran {
    ran(&command(arguments).stdin(Stdio::null()).output().expect("sg-audit starts"))
}

/// Runs it with `input` to read.
pub fn sg_audit_with(arguments: &[&str], input: &[u8]) -> Ran {
    let mut child = command(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("sg-audit starts");
    // It reads everything before it writes anything, so nobody waits for somebody.
    child.stdin.take().expect("a pipe").write_all(input).expect("sg-audit reads");
    ran(&child.wait_with_output().expect("sg-audit ends"))
}

pub fn ran(output: &Output) -> Ran {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    let out = text(&output.stdout);
    if out.starts_with("{\n  \"version\"") && !out.contains("\n  \"openings\"") {
        assert_fits(&serde_json::from_str(&out).expect("JSON and nothing else"));
    }
    Ran { out, err: text(&output.stderr), status: output.status.code().expect("an exit status") }
}

/// Everything, for a snapshot.
impl Display for Ran {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.out)?;
        if !self.err.is_empty() {
            write!(f, "--- standard error\n{}", self.err)?;
        }
        write!(f, "--- exit status {}", self.status)
    }
}

//! The Python environment with moto, the emulator and the AWS command line, made by `tests/python_env.py` on first use.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::built;
use super::sg_audit::repository;

/// The folder of the environment. Ends the test with what to install where it cannot be made.
pub fn path() -> &'static Path {
    static VENV: OnceLock<PathBuf> = OnceLock::new();
    VENV.get_or_init(|| {
        let made = Command::new("python3")
            .arg(repository().join("tests/python_env.py"))
            .arg(built::target())
            .stdin(Stdio::null())
            .output()
            .unwrap_or_else(|error| {
                panic!(
                    "the tests need `python3` 3.10 or newer with venv ({error}): install it \
                     (on Debian: apt-get install python3 python3-venv)"
                )
            });
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        PathBuf::from(String::from_utf8(made.stdout).expect("a path in UTF-8").trim())
    })
}

/// A program of the environment.
pub fn program(name: &str) -> PathBuf {
    path().join("bin").join(name)
}

/// A file of this folder, for Python to run.
pub fn script(name: &str) -> PathBuf {
    repository().join("tests/it/support").join(name)
}

//! A program `aws` that starts at once: `aws_server.py` has the AWS CLI loaded already.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::OnceLock;

use super::ministack;
use super::venv;

struct Server {
    folder: PathBuf,
    /// Held because the server ends when this end of its standard input is closed.
    _process: Child,
}

/// The folder of the program, for a search path. It goes with ministack's.
pub fn folder() -> &'static Path {
    static SERVER: OnceLock<Server> = OnceLock::new();
    let start = || {
        let folder = ministack::server().folder.join("aws-cli");
        std::fs::create_dir_all(&folder).expect("a folder");
        let mut process = ministack::server()
            .command("python")
            .arg("-B")
            .arg(venv::script("aws_server.py"))
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("the server tells that it is ready");
        assert_eq!(line.trim(), "ready");
        Server { folder, _process: process }
    };
    &SERVER.get_or_init(start).folder
}

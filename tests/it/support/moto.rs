//! moto in EC2's, SNS's and SQS's place: one server for the test process, which ends with it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use super::venv;

/// A running server.
pub struct Moto {
    /// The port on 127.0.0.1.
    pub port: u16,
    /// Held because the server ends when this end of its standard input is closed.
    _server: Child,
}

impl Moto {
    /// What `AWS_ENDPOINT_URL` is set to.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// The server of this process, started on first use.
pub fn server() -> &'static Moto {
    started(&[])
}

/// The same, and it answers a revoke with the rules that it revoked, as EC2 does and moto by itself does not. It has to
/// be asked for before [`server`] is.
#[allow(dead_code, reason = "the benchmark of the function uses it")]
pub fn server_that_says_what_it_revoked() -> &'static Moto {
    started(&["--says-what-it-revoked"])
}

fn started(arguments: &[&str]) -> &'static Moto {
    static MOTO: OnceLock<Moto> = OnceLock::new();
    MOTO.get_or_init(|| {
        let mut server = Command::new(venv::program("python"))
            // Without leaving compiled files behind in the sources.
            .arg("-B")
            .arg(venv::script("moto_server.py"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("moto starts");
        let mut port = String::new();
        BufReader::new(server.stdout.take().expect("a pipe"))
            .read_line(&mut port)
            .expect("moto tells its port");
        let port = port.trim().parse().unwrap_or_else(|_| {
            panic!(
                "moto did not start: run {} by hand to see why",
                venv::script("moto_server.py").display()
            )
        });
        Moto { port, _server: server }
    })
}

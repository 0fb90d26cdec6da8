//! Lambda's Runtime API in the test's own hands, where it matters what happened before the function asked for an event.
//!
//! Everything else runs under AWS's own emulator ([`super::rie`]).

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use socket2::SockRef;

use super::built;

/// How long to wait for the function's next request, which takes milliseconds on an idle machine.
const LIMIT: Duration = Duration::from_secs(120);
/// How often to look meanwhile whether there still is a function.
const LOOK: Duration = Duration::from_millis(200);

/// The function's process, which asks this test for its events.
pub struct Process {
    listener: TcpListener,
    child: Child,
    waiting: Option<TcpStream>,
}

impl Process {
    /// Starts the function with these variables.
    pub fn start(variables: &[(&str, &str)]) -> Self {
        Self::start_other(built::function(), variables)
    }

    /// The same with another function's program.
    pub fn start_other(program: &Path, variables: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address").to_string();
        // Linux has it end `accept` as well.
        SockRef::from(&listener).set_read_timeout(Some(LOOK)).expect("a limit of time");
        let child = Command::new(program)
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", address)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "group")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "stream")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("the function starts");
        Self { listener, child, waiting: None }
    }

    /// Waits until the function asks for an event: its start is over, or its last event.
    pub fn asks(&mut self) {
        if self.waiting.is_none() {
            let (stream, line, _) = self.request();
            assert!(line.contains("/invocation/next"), "{line}");
            self.waiting = Some(stream);
        }
    }

    /// Hands it an event and returns what it answers.
    pub fn invoke(&mut self, event: &Value) -> Value {
        self.invoke_bytes(event.to_string().as_bytes())
    }

    /// Hands it a payload that need not be JSON, and returns what it answers.
    pub fn invoke_bytes(&mut self, payload: &[u8]) -> Value {
        self.asks();
        let stream = self.waiting.take().expect("it asked");
        let far = "4102444800000";
        respond(
            stream,
            &format!(
                "200 OK\r\nLambda-Runtime-Aws-Request-Id: 00000000-0000-4000-8000-000000000000\r\n\
                 Lambda-Runtime-Deadline-Ms: {far}\r\n\
                 Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-central-1:123456789012:function:f"
            ),
            payload,
        );
        let (stream, _, body) = self.request();
        respond(stream, "202 Accepted", b"");
        serde_json::from_slice(&body).expect("JSON")
    }

    /// Hands it an event as [`Self::invoke`] does, having stopped it as Lambda freezes a function, and done something
    /// meanwhile.
    pub fn invoke_after_freeze(&mut self, meanwhile: impl FnOnce(), event: &Value) -> Value {
        self.asks();
        self.signal("STOP");
        meanwhile();
        self.signal("CONT");
        self.invoke(event)
    }

    /// The most memory that the process has had so far, in bytes.
    pub fn most_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("the function runs on Linux");
        let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.strip_suffix("kB"));
        1024 * most.and_then(|most| most.trim().parse::<u64>().ok()).expect("kilobytes")
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("sh").args(["-c", &format!("kill -{name} {pid}")]).status();
        assert!(sent.expect("a shell").success());
    }

    /// The function's next connection. Ends the test where there is no function any more, or it says nothing.
    fn connection(&mut self) -> TcpStream {
        let start = Instant::now();
        while start.elapsed() < LIMIT {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    stream.set_read_timeout(Some(LIMIT)).expect("a limit of time");
                    return stream;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    let ended = self.child.try_wait().expect("the function's process");
                    assert_eq!(ended, None, "the function has ended; what it said is on stderr");
                }
                Err(error) => panic!("the function cannot connect: {error}"),
            }
        }
        panic!("the function asked for nothing within {LIMIT:?}");
    }

    /// The function's next request: where to answer, its first line, its body.
    fn request(&mut self) -> (TcpStream, String, Vec<u8>) {
        let stream = self.connection();
        let mut reader = BufReader::new(stream.try_clone().expect("a stream"));
        let mut first = String::new();
        reader.read_line(&mut first).expect("a request");
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).expect("a header");
            if line == "\r\n" {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).expect("a body");
        (stream, first, body)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that ended by itself is ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One answer a connection, so that each request comes by its own.
fn respond(mut stream: TcpStream, head: &str, body: &[u8]) {
    let length = body.len();
    write!(stream, "HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")
        .and_then(|()| stream.write_all(body))
        .expect("the function reads");
}

//! The function's binary under AWS's Runtime Interface Emulator, as Lambda would run it.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use socket2::{Domain, Socket, Type};

use super::report_schema::assert_fits;
use super::{artefact, venv};

/// How long to wait for something that takes milliseconds on an idle machine.
const LIMIT: Duration = Duration::from_secs(60);

/// How long to wait for an answer. The emulator ends an invocation after the function's own timeout, which is less.
const ANSWERED: Duration = Duration::from_secs(900);

/// The function, waiting for events. Dropping it ends the emulator and the function.
pub struct Function {
    port: u16,
    /// Where the function finds the Runtime API, which tells its process from others.
    #[allow(dead_code, reason = "the benchmark of the function uses it")]
    pub runtime_port: u16,
    log: Arc<Log>,
    supervisor: Child,
    stdin: Option<ChildStdin>,
}

/// What an invocation answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// 200 where the function answered, be it with an error; 502 where its process ended.
    pub status: u16,
    /// The function's answer. An error is an object with `errorType` and `errorMessage`.
    pub body: Value,
}

impl Response {
    /// The `errorType`, where the invocation failed.
    pub fn error_type(&self) -> Option<&str> {
        self.body.get("errorType").and_then(Value::as_str)
    }
}

#[derive(Default)]
struct Log {
    lines: Mutex<Lines>,
    grew: Condvar,
}

#[derive(Default)]
struct Lines {
    text: Vec<String>,
    /// Whether the emulator and the function can write no more.
    ended: bool,
}

impl Function {
    /// Starts the emulator with these variables and no others but `PATH` and the emulator's own.
    pub fn start(variables: &[(&str, &str)]) -> Self {
        Self::start_other(&artefact::function(), variables)
    }

    /// The same with another function's program.
    pub fn start_other(program: &Path, variables: &[(&str, &str)]) -> Self {
        // A port that was free can be taken before the emulator binds it; then others are tried.
        for _ in 0..5 {
            if let Some(function) = Self::start_on(free_port(), free_port(), program, variables) {
                return function;
            }
        }
        panic!("the Runtime Interface Emulator did not start");
    }

    fn start_on(
        port: u16,
        runtime_port: u16,
        program: &Path,
        variables: &[(&str, &str)],
    ) -> Option<Self> {
        let emulator = format!(
            "aws-lambda-rie-{}",
            if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" }
        );
        let packages =
            std::fs::read_dir(venv::path().join("lib")).expect("the environment's packages");
        let emulator = packages
            .map(|python| {
                python.unwrap().path().join("site-packages/samcli/local/rapid").join(&emulator)
            })
            .find(|path| path.exists())
            .expect("the emulator in the aws-sam-cli package");
        let mut supervisor = Command::new(venv::program("python"))
            .arg(venv::script("supervise.py"))
            .arg(emulator)
            .arg("--runtime-interface-emulator-address")
            .arg(format!("127.0.0.1:{port}"))
            .arg("--runtime-api-address")
            .arg(format!("127.0.0.1:{runtime_port}"))
            .arg(program)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the supervisor starts");
        let log = Arc::new(Log::default());
        let stdout = supervisor.stdout.take().expect("a pipe");
        let stderr = supervisor.stderr.take().expect("a pipe");
        let (of_stdout, of_stderr) = (Arc::clone(&log), Arc::clone(&log));
        std::thread::spawn(move || of_stdout.follow(stdout));
        std::thread::spawn(move || {
            of_stderr.follow(stderr);
            of_stderr.end();
        });
        let stdin = supervisor.stdin.take();
        let function = Self { port, runtime_port, log, supervisor, stdin };
        function.is_listening().then_some(function)
    }

    /// Waits until the emulator takes connections; false where it ended instead.
    fn is_listening(&self) -> bool {
        let start = Instant::now();
        while start.elapsed() < LIMIT {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return true;
            }
            let lines = self.log.lines.lock().unwrap();
            let wait = Duration::from_millis(5);
            if self.log.grew.wait_timeout_while(lines, wait, |lines| !lines.ended).unwrap().0.ended
            {
                return false;
            }
        }
        false
    }

    /// Hands the function an event and waits for its answer.
    pub fn invoke(&mut self, event: &Value) -> Response {
        self.invoke_bytes(event.to_string().as_bytes())
    }

    /// The report on an event; the invocation has to succeed.
    pub fn report(&mut self, event: &Value) -> Value {
        let answer = self.invoke(event);
        assert_eq!(answer.error_type(), None, "{:#}", answer.body);
        assert_eq!(answer.status, 200, "{:#}", answer.body);
        // Where the function takes too long, the emulator answers with a text and the same status.
        assert!(answer.body["outcome"].is_string(), "{:#}\n{}", answer.body, self.log().join("\n"));
        answer.body
    }

    /// Hands it a payload that need not be JSON.
    pub fn invoke_bytes(&mut self, payload: &[u8]) -> Response {
        let start = Instant::now();
        let answer = self.invoke_unless(payload, || start.elapsed() > ANSWERED);
        answer
            .unwrap_or_else(|| panic!("no answer within {ANSWERED:?}:\n{}", self.log().join("\n")))
    }

    /// The same, or `None` once `given_up` says so. The invocation goes on then, until this is dropped.
    pub fn invoke_unless(
        &mut self,
        payload: &[u8],
        given_up: impl Fn() -> bool,
    ) -> Option<Response> {
        self.answered(payload, given_up).unwrap_or_else(|error| {
            panic!("the emulator answers: {error}\n{}", self.log().join("\n"))
        })
    }

    /// The same, or the error with which the emulator breaks off or does not even begin.
    pub fn answered(
        &mut self,
        payload: &[u8],
        given_up: impl Fn() -> bool,
    ) -> std::io::Result<Option<Response>> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_millis(20)))?;
        stream.set_write_timeout(Some(LIMIT))?;
        // In HTTP/1.0 the answer ends where the connection does.
        let length = payload.len();
        write!(
            stream,
            "POST /2015-03-31/functions/function/invocations HTTP/1.0\r\nContent-Length: {length}\r\n\r\n"
        )?;
        stream.write_all(payload)?;
        let mut answer = Vec::new();
        while let Err(error) = stream.read_to_end(&mut answer) {
            if ![ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) {
                return Err(error);
            }
            if given_up() {
                return Ok(None);
            }
        }
        let answer = String::from_utf8_lossy(&answer);
        let read = answer
            .split_once("\r\n\r\n")
            .and_then(|(head, body)| Some((head.split(' ').nth(1)?.parse().ok()?, body)));
        let Some((status, body)) = read else {
            return Err(std::io::Error::other(format!("this is no HTTP answer: {answer:?}")));
        };
        let body = serde_json::from_str(body).unwrap_or_else(|_| Value::from(body));
        if body["outcome"].is_string() {
            assert_fits(&body);
        }
        Ok(Some(Response { status, body }))
    }

    /// The first line of the log that `wanted` accepts, waited for. The log is the function's output and the
    /// emulator's, in the order in which they were written.
    pub fn log_line(&self, wanted: impl Fn(&str) -> bool) -> String {
        let lines = self.log.lines.lock().unwrap();
        let is_missing =
            |lines: &mut Lines| !lines.ended && !lines.text.iter().any(|line| wanted(line));
        let (lines, _) = self.log.grew.wait_timeout_while(lines, LIMIT, is_missing).unwrap();
        let found = lines.text.iter().find(|line| wanted(line));
        found
            .unwrap_or_else(|| panic!("no such line in the log:\n{}", lines.text.join("\n")))
            .clone()
    }

    /// The log so far. What is said last may still be on its way: wait for it with [`Self::log_line`] first.
    pub fn log(&self) -> Vec<String> {
        self.log.lines.lock().unwrap().text.clone()
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // Nothing can be done here about a supervisor that could not be waited for.
        let _ = self.supervisor.wait();
    }
}

impl Log {
    fn follow(&self, from: impl Read) {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            self.lines.lock().unwrap().text.push(line);
            self.grew.notify_all();
        }
    }

    fn end(&self) {
        self.lines.lock().unwrap().ended = true;
        self.grew.notify_all();
    }
}

/// A port that nobody has, below those from which Linux takes one for whoever asks for any: between here and the
/// emulator's start, a connection of another test might get one of these. Nobody listens on it for a moment either: a
/// process that another test starts at that moment has the socket too, until it is the program that it is to be, and
/// would be taken for the emulator.
fn free_port() -> u16 {
    const FIRST: u32 = 10_000;
    const COUNT: u32 = 20_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    for _ in 0..COUNT {
        // Test processes that run side by side begin elsewhere.
        let number =
            NEXT.fetch_add(1, Ordering::Relaxed).wrapping_add(std::process::id().wrapping_mul(331));
        let port = u16::try_from(FIRST + number % COUNT).expect("a port");
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        // Lest the emulator, which sets it too, is kept out by that process.
        socket.set_reuse_address(true).expect("a socket's option");
        if socket.bind(&SocketAddr::from(([127, 0, 0, 1], port)).into()).is_ok() {
            return port;
        }
    }
    panic!("no port is free");
}

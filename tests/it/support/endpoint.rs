//! What stands between the function and moto: it notes each call, and can answer in AWS's place.
//!
//! One for each test, so that the calls of tests that run side by side don't mix. Bytes go through as they are: a
//! request is read whole, and the answer ends where the other side closes the connection.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A call of the AWS query protocol, which EC2, SNS and STS speak, one of DynamoDB's, or Lambda's `Invoke`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// `RevokeSecurityGroupIngress` and the like.
    pub action: String,
    /// The others of the form's fields, flat as they are on the wire: `IpPermissions.1.IpRanges.1.CidrIp`. Of an
    /// `Invoke`: `FunctionName`, `InvocationType`, `Payload`. Of a call of DynamoDB: `Body`, its JSON.
    pub fields: BTreeMap<String, String>,
}

/// What becomes of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// moto answers, or to an `Invoke` this endpoint: moto would run the function in Docker.
    Moto,
    /// moto answers, after so long.
    Late(Duration),
    /// AWS's error of this status, code and message.
    Error(u16, &'static str, &'static str),
    /// moto carries the call out, and its answer is lost: the connection closes.
    Lost,
    /// The connection is reset before the call reaches moto.
    Reset,
    /// The call does not reach moto, and nothing is answered for as long as the caller waits.
    Hang,
    /// moto carries the call out, and nothing is answered for as long as the caller waits.
    Mute,
    /// moto carries the call out, and half of its answer comes as though it were all.
    Malformed,
}

impl Answer {
    /// Whether the call is carried out.
    pub fn is_carried_out(&self) -> bool {
        matches!(self, Self::Moto | Self::Late(_) | Self::Lost | Self::Mute | Self::Malformed)
    }
}

/// Less than the function waits for one attempt of a call.
const PATIENCE: Duration = Duration::from_secs(4);

/// Lambda's call, which is told by its path.
const INVOKE: &str = "Invoke";

/// How DynamoDB's calls are told, before the name of the call.
const DYNAMODB: &str = "DynamoDB_20120810.";

/// Asked about each call before it is carried out.
pub type Decide = Box<dyn FnMut(&Call) -> Answer + Send>;

struct State {
    calls: Mutex<Vec<Call>>,
    decide: Mutex<Decide>,
    closed: AtomicBool,
    /// The calls that somebody waits for in vain, or has waited for.
    unanswered: AtomicUsize,
    /// How often moto took longer for a call than the function may wait.
    late: AtomicUsize,
}

/// A listening endpoint; it ends when dropped.
pub struct Endpoint {
    port: u16,
    state: Arc<State>,
}

impl Endpoint {
    /// An endpoint in front of the server on this port of 127.0.0.1.
    pub fn before(backend: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let state = Arc::new(State {
            calls: Mutex::default(),
            decide: Mutex::new(Box::new(|_| Answer::Moto)),
            closed: AtomicBool::new(false),
            unanswered: AtomicUsize::new(0),
            late: AtomicUsize::new(0),
        });
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if shared.closed.load(Ordering::SeqCst) {
                    break;
                }
                let state = Arc::clone(&shared);
                // A connection that breaks off is the caller's to notice.
                std::thread::spawn(move || carry(client, backend, &state).unwrap_or_default());
            }
        });
        Self { port, state }
    }

    /// What `AWS_ENDPOINT_URL` is set to.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// From now on, calls are answered as `decide` says.
    pub fn answer(&self, decide: impl FnMut(&Call) -> Answer + Send + 'static) {
        *self.state.decide.lock().unwrap() = Box::new(decide);
    }

    /// How many calls were left without an answer so far; each is counted once moto has done its part.
    pub fn unanswered(&self) -> usize {
        self.state.unanswered.load(Ordering::SeqCst)
    }

    /// How often moto took so long for a call, on a machine with much else to do, that the function may have given up:
    /// that is a fault beside those that [`Self::answer`] makes.
    pub fn late(&self) -> usize {
        self.state.late.load(Ordering::SeqCst)
    }

    /// The calls so far, in the order in which they came.
    pub fn calls(&self) -> Vec<Call> {
        self.state.calls.lock().unwrap().clone()
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.state.closed.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for connections; where that fails, it has ended.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
    }
}

/// One request and its answer.
fn carry(mut client: TcpStream, backend: u16, state: &State) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut head = Vec::new();
    let mut headers = BTreeMap::new();
    loop {
        let start = head.len();
        if reader.read_until(b'\n', &mut head)? == 0 {
            return Ok(());
        }
        let line = String::from_utf8_lossy(&head[start..]);
        if let Some((name, value)) = line.split_once(':') {
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        if line == "\r\n" {
            break;
        }
    }
    let length = headers.get("content-length").map_or("0", String::as_str);
    let mut body = vec![0; length.parse().expect("a content length")];
    reader.read_exact(&mut body)?;

    let call = call(&head, &headers, &body);
    state.calls.lock().unwrap().push(call.clone());
    let answer = (*state.decide.lock().unwrap())(&call);

    match answer {
        Answer::Error(status, code, message) => {
            let (kind, body) = error(&call, code, message);
            write!(
                client,
                "HTTP/1.1 {status} Refused\r\nContent-Type: {kind}\r\nx-amzn-ErrorType: {code}\r\n\
                 Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            )?;
            return client.shutdown(Shutdown::Both);
        }
        Answer::Reset => {
            // Closed so, the kernel answers with RST and not with FIN.
            return socket2::SockRef::from(&client).set_linger(Some(Duration::ZERO));
        }
        Answer::Hang => return keep_waiting(client, state),
        Answer::Late(after) => std::thread::sleep(after),
        Answer::Moto | Answer::Lost | Answer::Mute | Answer::Malformed => {}
    }
    let whole = if call.action == INVOKE {
        b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec()
    } else {
        let mut moto = TcpStream::connect(("127.0.0.1", backend))?;
        moto.write_all(&head)?;
        moto.write_all(&body)?;
        // Otherwise moto waits for more for ten milliseconds before it closes.
        moto.shutdown(Shutdown::Write)?;
        moto.set_read_timeout(Some(PATIENCE))?;
        let mut whole = Vec::new();
        while let Err(error) = moto.read_to_end(&mut whole) {
            if ![ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) {
                return Err(error);
            }
            state.late.fetch_add(1, Ordering::SeqCst);
        }
        whole
    };
    match answer {
        Answer::Moto | Answer::Late(_) => client.write_all(&whole)?,
        Answer::Malformed => client.write_all(&half(&whole))?,
        Answer::Mute => return keep_waiting(client, state),
        _ => {}
    }
    client.shutdown(Shutdown::Both)
}

/// Until the caller has had enough.
fn keep_waiting(mut client: TcpStream, state: &State) -> std::io::Result<()> {
    state.unanswered.fetch_add(1, Ordering::SeqCst);
    client.read_to_end(&mut Vec::new()).map(|_| ())
}

/// An answer whose body breaks off within a tag, and whose head says that this is all.
fn half(whole: &[u8]) -> Vec<u8> {
    let whole = String::from_utf8_lossy(whole);
    let (head, body) = whole.split_once("\r\n\r\n").expect("an HTTP answer");
    let status = head.lines().next().expect("a status");
    let tag = (body.len() / 2..body.len()).find(|at| body[..*at].ends_with('<'));
    let body = &body[..tag.unwrap_or(body.len() / 2)];
    let length = body.len();
    format!("{status}\r\nContent-Type: text/xml\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
        .into_bytes()
}

/// What a request asks for.
fn call(head: &[u8], headers: &BTreeMap<String, String>, body: &[u8]) -> Call {
    let head = String::from_utf8_lossy(head);
    let path = head.split(' ').nth(1).unwrap_or_default();
    if let Some((_, action)) = headers.get("x-amz-target").and_then(|it| it.split_once(DYNAMODB)) {
        let body = String::from_utf8_lossy(body).into_owned();
        return Call { action: action.to_owned(), fields: [("Body".to_owned(), body)].into() };
    }
    let Some(function) = path.strip_prefix("/2015-03-31/functions/") else {
        // CloudTrail's protocol has the action in a header: `CloudTrail_20131101.DescribeTrails`.
        if let Some(target) = headers.get("x-amz-target") {
            let action = target.rsplit('.').next().unwrap_or_default().to_owned();
            return Call { action, fields: BTreeMap::new() };
        }
        let mut fields = form(body);
        return Call { action: fields.remove("Action").unwrap_or_default(), fields };
    };
    let function = function.strip_suffix("/invocations").expect("an invocation");
    let kind = headers.get("x-amz-invocation-type").cloned().unwrap_or_default();
    let fields = [
        ("FunctionName", decoded(function)),
        ("InvocationType", kind),
        ("Payload", String::from_utf8_lossy(body).into_owned()),
    ];
    let fields = fields.map(|(name, value)| (name.to_owned(), value));
    Call { action: INVOKE.to_owned(), fields: BTreeMap::from(fields) }
}

/// The content type and the body of an error, as the service of the call gives it.
fn error(call: &Call, code: &str, message: &str) -> (&'static str, String) {
    const REQUEST: &str = "00000000-0000-4000-8000-000000000000";
    let error = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
    match call.action.as_str() {
        _ if call.fields.contains_key("Body") => (
            "application/x-amz-json-1.0",
            serde_json::json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": message })
                .to_string(),
        ),
        "DescribeTrails" | "GetTrailStatus" | "GetEventSelectors" | INVOKE => {
            ("application/json", serde_json::json!({ "Message": message }).to_string())
        }
        "Publish" | "AssumeRole" | "GetCallerIdentity" => (
            "text/xml",
            format!("<ErrorResponse>{error}<RequestId>{REQUEST}</RequestId></ErrorResponse>"),
        ),
        _ => (
            "text/xml",
            format!(
                "<Response><Errors>{error}</Errors><RequestID>{REQUEST}</RequestID></Response>"
            ),
        ),
    }
}

/// The fields of an `application/x-www-form-urlencoded` body.
fn form(body: &[u8]) -> BTreeMap<String, String> {
    let body = String::from_utf8_lossy(body);
    let pairs = body.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (decoded(name), decoded(value))).collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut plain = Vec::new();
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [bytes.next(), bytes.next()]
                    .map(|digit| digit.expect("two hexadecimal digits"));
                u8::from_str_radix(&String::from_utf8_lossy(&digits), 16)
                    .expect("hexadecimal digits")
            }
            other => other,
        });
    }
    String::from_utf8(plain).expect("UTF-8")
}

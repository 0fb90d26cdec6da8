//! ministack in the place of CloudFormation, Lambda, EventBridge, SNS and SQS: one server for the test process, which
//! ends with it. What is deployed to it finds moto in EC2's place, since ministack does not know rules as EC2 does.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_lambda::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_lambda::types::InvocationType;
use serde::Deserialize;
use serde_json::Value;

use super::sg_audit::repository;
use super::world::{ACCOUNT, Message};
use super::{moto, venv};

/// Where the stacks are. Other tests have no groups there, so no schedule of a stack meets one of theirs, and no sweep of
/// theirs meets one of a stack.
pub const REGION: &str = "ap-southeast-4";
/// How long to wait for what takes seconds on an idle machine.
const LIMIT: Duration = Duration::from_secs(60);

/// A running server.
pub struct Ministack {
    url: String,
    /// Has the template and the code that are deployed, and the server's log. It goes with the server.
    folder: PathBuf,
    /// `sam deploy` makes its bucket where there is none, which two at a time would both do.
    deploying: Mutex<()>,
    /// Held because the server ends when this end of its standard input is closed.
    _server: Child,
}

/// What `sam deploy` has deployed.
pub struct Stack {
    /// The outputs by their names.
    pub outputs: BTreeMap<String, String>,
    name: String,
    server: &'static Ministack,
    lambda: aws_sdk_lambda::Client,
    sns: aws_sdk_sns::Client,
    sqs: aws_sdk_sqs::Client,
}

/// As `deployed.py` tells it.
#[derive(Deserialize)]
struct Deployed {
    outputs: BTreeMap<String, String>,
    matches: BTreeMap<String, Vec<String>>,
}

/// The server of this process, started on first use.
pub fn server() -> &'static Ministack {
    static MINISTACK: OnceLock<Ministack> = OnceLock::new();
    MINISTACK.get_or_init(|| {
        let mut server = Command::new(venv::program("python"))
            .arg("-B")
            .arg(venv::script("ministack_server.py"))
            .arg(env!("CARGO_TARGET_TMPDIR"))
            .env_clear()
            .env("PATH", path())
            .env("MINISTACK_ACCOUNT_ID", ACCOUNT)
            .env("MINISTACK_REGION", REGION)
            // The functions have the server's variables beside those of the template.
            .env("AWS_ENDPOINT_URL_EC2", moto::server().url())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("ministack's starter starts");
        let mut line = String::new();
        BufReader::new(server.stdout.take().expect("a pipe"))
            .read_line(&mut line)
            .expect("ministack tells its port");
        let (port, folder) = line.trim().split_once(' ').expect("ministack starts");
        let url = format!("http://127.0.0.1:{port}");
        let folder = PathBuf::from(folder);
        lay_out(&folder);
        Ministack { url, folder, deploying: Mutex::default(), _server: server }
    })
}

/// What `sam build` would leave: the built function, and the template that names its folder. The rest of the template,
/// and the settings of `sam deploy`, are the repository's own.
fn lay_out(folder: &Path) {
    fs::create_dir(folder.join("code")).expect("a folder");
    fs::copy(env!("CARGO_BIN_EXE_typo3-sg-auditor"), folder.join("code/bootstrap"))
        .expect("the function");
    let template = fs::read_to_string(repository().join("template.yaml")).expect("the template");
    let (before, after) = template.split_once("\n      CodeUri: .\n").expect("the code's folder");
    fs::write(folder.join("template.yaml"), format!("{before}\n      CodeUri: code\n{after}"))
        .expect("the template's copy");
    fs::copy(repository().join("samconfig.toml"), folder.join("samconfig.toml"))
        .expect("the settings");
    // Where nobody has put a baseline of their own.
    fs::create_dir(folder.join("layer")).expect("a folder");
    fs::copy(repository().join("layer/README.md"), folder.join("layer/README.md"))
        .expect("the layer's page");
}

/// The environment's programs before the system's.
fn path() -> OsString {
    let system = std::env::var_os("PATH").unwrap_or_default();
    let programs = venv::path().join("bin");
    std::env::join_paths([programs].into_iter().chain(std::env::split_paths(&system)))
        .expect("a search path")
}

impl Ministack {
    /// Deploys the template as README.md says, with these parameters and the processor of this machine.
    pub fn deploy(&'static self, name: &str, parameters: &[(&str, &str)]) {
        let processor = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
        let parameters = parameters.iter().copied().chain([("Architecture", processor)]);
        let mut sam = self.command("sam");
        sam.args(["deploy", "--no-confirm-changeset", "--no-progressbar", "--stack-name", name])
            .arg("--parameter-overrides")
            .args(parameters.map(|(name, value)| format!("{name}={value}")));
        // Another test may have failed while it deployed; that is no reason for this one to fail.
        let turn = self.deploying.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let output = sam.output().expect("sam starts");
        drop(turn);
        assert!(
            output.status.success(),
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// What was deployed under this name. Each test asks for its own, since connections end with a test.
    pub fn stack(&'static self, name: &str) -> Stack {
        let key = Credentials::new("AKIAEXAMPLEEXAMPLE04", "secret", None, None, "tests");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(&self.url)
            .region(Region::new(REGION))
            .credentials_provider(SharedCredentialsProvider::new(key))
            .build();
        Stack {
            outputs: self.deployed(name, &BTreeMap::new()).outputs,
            name: name.to_owned(),
            server: self,
            lambda: aws_sdk_lambda::Client::new(&config),
            sns: aws_sdk_sns::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
        }
    }

    fn deployed(&self, stack: &str, events: &BTreeMap<String, Value>) -> Deployed {
        let mut python = self.command("python");
        python.arg("-B").arg(venv::script("deployed.py")).arg(stack);
        python.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut python = python.spawn().expect("python starts");
        let events = serde_json::to_vec(events).expect("JSON");
        python.stdin.take().expect("a pipe").write_all(&events).expect("python reads");
        let output = python.wait_with_output().expect("python ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    /// A program of the environment, with nothing of the caller's own settings, in the folder of what is deployed.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(venv::program(program));
        command
            .current_dir(&self.folder)
            .env_clear()
            .env("PATH", path())
            .env("HOME", &self.folder)
            .env("TMPDIR", &self.folder)
            .env("AWS_ENDPOINT_URL", &self.url)
            .env("AWS_DEFAULT_REGION", REGION)
            .env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLEEXAMPLE04")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .env("SAM_CLI_TELEMETRY", "0")
            .stdin(Stdio::null());
        command
    }
}

impl Stack {
    /// Those of the events that each rule with a pattern matches, by the rules' names in the template.
    pub fn matches(&self, events: &BTreeMap<String, Value>) -> BTreeMap<String, Vec<String>> {
        self.server.deployed(&self.name, events).matches
    }

    /// A new queue that is subscribed to the topic of the findings.
    pub async fn subscriber(&self, name: &str) -> String {
        let queue = self.sqs.create_queue().queue_name(name).send().await.expect("a queue");
        let arn = format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}");
        let call = self.sns.subscribe().topic_arn(&self.outputs["FindingsTopic"]);
        call.protocol("sqs").endpoint(arn).send().await.expect("a subscription");
        queue.queue_url.expect("the queue's URL")
    }

    /// Hands the function an event as EventBridge does: Lambda takes it, and nobody waits for the answer.
    pub async fn deliver(&self, event: &Value) {
        let call = self.lambda.invoke().function_name(&self.outputs["Function"]);
        let call = call
            .invocation_type(InvocationType::Event)
            .payload(event.to_string().into_bytes().into());
        assert_eq!(call.send().await.expect("Lambda takes the event").status_code, 202);
    }

    /// The first message of a [subscriber](Self::subscriber), waited for.
    pub async fn message(&self, queue_url: &str) -> Message {
        let start = Instant::now();
        while start.elapsed() < LIMIT {
            let call = self.sqs.receive_message().queue_url(queue_url).wait_time_seconds(5);
            let received = call.send().await.expect("the queue").messages.unwrap_or_default();
            if let Some(message) = received.into_iter().next() {
                return Message::from_body(&message.body.expect("a body"));
            }
        }
        let log = fs::read_to_string(self.server.folder.join("log")).unwrap_or_default();
        panic!("no message came:\n{log}");
    }
}

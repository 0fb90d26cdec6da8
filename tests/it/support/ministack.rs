//! ministack in the place of CloudFormation, Lambda, EventBridge, SNS and SQS: one server for the test process, which
//! ends with it. What is deployed to it finds moto in EC2's place, since ministack does not know rules as EC2 does.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, OnceLock};

use serde::Deserialize;
use serde_json::Value;

use super::sg_audit::repository;
use super::stack::Stack;
use super::world::ACCOUNT;
use super::{artefact, built, moto, venv};

/// Where the stacks are. Other tests have no groups there, so no schedule of a stack meets one of theirs, and no sweep of
/// theirs meets one of a stack.
pub const REGION: &str = "ap-southeast-4";

/// A running server.
pub struct Ministack {
    pub url: String,
    /// Has the templates and the code that are deployed, and the server's log. It goes with the server.
    pub folder: PathBuf,
    /// `sam deploy` makes its bucket where there is none, which two at a time would both do.
    deploying: Mutex<()>,
    /// Held because the server ends when this end of its standard input is closed.
    _server: Child,
}

/// A folder as `sam build` leaves it: the built function for this machine, and the template that names both. The rest of the
/// template, and the settings of `sam deploy`, are the repository's own.
pub struct Built {
    pub folder: PathBuf,
    server: &'static Ministack,
}

/// As `deployed.py` tells it.
#[derive(Deserialize)]
pub struct Deployed {
    pub outputs: BTreeMap<String, String>,
    /// By their names in the template, the type of each and its own name.
    pub resources: BTreeMap<String, (String, String)>,
    pub matches: BTreeMap<String, Vec<String>>,
}

/// The server of this process, started on first use.
pub fn server() -> &'static Ministack {
    static MINISTACK: OnceLock<Ministack> = OnceLock::new();
    MINISTACK.get_or_init(|| {
        let mut server = Command::new(venv::program("python"))
            .arg("-B")
            .arg(venv::script("ministack_server.py"))
            .arg(built::scratch())
            .env_clear()
            .env("PATH", path())
            .env("MINISTACK_ACCOUNT_ID", ACCOUNT)
            .env("MINISTACK_REGION", REGION)
            // Between the tries of an event that fails. Lambda waits for a minute and then for two.
            .env("LAMBDA_ASYNC_RETRY_BASE_SECONDS", "0")
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
        Ministack {
            url,
            folder: PathBuf::from(folder),
            deploying: Mutex::default(),
            _server: server,
        }
    })
}

/// The environment's programs before the system's, and `sg-audit`.
fn path() -> OsString {
    let system = std::env::var_os("PATH").unwrap_or_default();
    let programs = venv::path().join("bin");
    let own = built::sg_audit().parent().expect("a folder").to_owned();
    std::env::join_paths([programs].into_iter().chain(std::env::split_paths(&system)).chain([own]))
        .expect("a search path")
}

impl Ministack {
    /// A new folder of this name with the built function, and the template as `edit` leaves it.
    pub fn build(&'static self, name: &str, edit: impl FnOnce(String) -> String) -> Built {
        let folder = self.folder.join(name);
        fs::create_dir_all(folder.join("code")).expect("a folder");
        fs::create_dir_all(folder.join("stacks")).expect("a folder");
        for part in fs::read_dir(repository().join("stacks")).expect("the parts") {
            let part = part.expect("a part");
            fs::copy(part.path(), folder.join("stacks").join(part.file_name())).expect("its copy");
        }
        fs::copy(artefact::function(), folder.join("code/bootstrap")).expect("the function");
        let template = fs::read_to_string(repository().join("template.yaml"));
        let template = template.expect("the template");
        let built = with_code(&template);
        fs::write(folder.join("template.yaml"), edit(built)).expect("the template's copy");
        fs::copy(repository().join("samconfig.toml"), folder.join("samconfig.toml"))
            .expect("the settings");
        // Where nobody has put a baseline of their own.
        fs::create_dir_all(folder.join("layer")).expect("a folder");
        fs::copy(repository().join("layer/README.md"), folder.join("layer/README.md"))
            .expect("the layer's page");
        Built { folder, server: self }
    }

    /// What was deployed under this name. Each test asks for its own, since connections end with a test.
    pub fn stack(&'static self, name: &str) -> Stack {
        Stack::new(self, name, self.deployed(name, &BTreeMap::new()).outputs)
    }

    /// What a stack has deployed, with those of the events that its rules match.
    pub fn deployed(&self, stack: &str, events: &BTreeMap<String, Value>) -> Deployed {
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

    /// What `aws` answers, without the last line's end.
    pub fn aws(&self, arguments: &[&str]) -> String {
        succeeded(self.command("aws").args(arguments)).trim_end().to_owned()
    }

    /// What the server has logged, the functions' output with it.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// A program of the environment, with nothing of the caller's own settings, in the server's folder.
    pub fn command(&self, program: &str) -> Command {
        self.prepared(Command::new(venv::program(program)))
    }

    /// A line for a shell that has `aws`, `sam` and `sg-audit`.
    pub fn shell(&self, line: &str) -> Command {
        let mut shell = self.prepared(Command::new("sh"));
        shell.args(["-c", line]);
        shell
    }

    fn prepared(&self, mut command: Command) -> Command {
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
            .env("AWS_PAGER", "")
            .env("SAM_CLI_TELEMETRY", "0")
            // In seconds, between sam's looks at what becomes of a stack.
            .env("SAM_CLI_POLL_DELAY", "0.5")
            .stdin(Stdio::null());
        command
    }
}

impl Built {
    /// Deploys it as README.md says, with these parameters, and mails nobody unless they say so.
    pub fn deploy(&self, name: &str, parameters: &[(&str, &str)]) {
        let is_mailed = parameters.iter().any(|(name, _)| *name == "AlertEmail");
        let nobody = (!is_mailed).then_some(("AlertEmail", "none"));
        let mut sam = self.server.command("sam");
        sam.current_dir(&self.folder);
        sam.args(["deploy", "--no-confirm-changeset", "--no-progressbar", "--stack-name", name]);
        let parameters = parameters.iter().copied().chain(nobody);
        sam.arg("--parameter-overrides")
            .args(parameters.map(|(name, value)| format!("{name}=\"{value}\"")));
        self.server.alone(|| succeeded(&mut sam));
    }

    /// Deploys a part of stacks/ beside a stack, with that stack's outputs and these parameters, as docs/accounts.md says.
    pub fn deploy_beside(
        &self,
        stack: &Stack,
        part: &str,
        name: &str,
        parameters: &[(&str, &str)],
    ) {
        let mut aws = self.server.command("aws");
        aws.args(["cloudformation", "deploy", "--capabilities", "CAPABILITY_NAMED_IAM"]);
        self.deploy_with(aws, stack, part, name, parameters);
    }

    /// The same for a part that SAM transforms, as docs/organisation.md says.
    pub fn deploy_transformed(
        &self,
        stack: &Stack,
        part: &str,
        name: &str,
        parameters: &[(&str, &str)],
    ) {
        let mut sam = self.server.command("sam");
        sam.args(["deploy", "--no-confirm-changeset", "--no-progressbar", "--resolve-s3"]);
        sam.args(["--capabilities", "CAPABILITY_IAM"]);
        self.deploy_with(sam, stack, part, name, parameters);
    }

    fn deploy_with(
        &self,
        mut command: Command,
        stack: &Stack,
        part: &str,
        name: &str,
        parameters: &[(&str, &str)],
    ) {
        let outputs = stack.outputs.iter().map(|(name, value)| format!("{name}={value}"));
        let set = parameters.iter().map(|(name, value)| format!("{name}={value}"));
        command.current_dir(&self.folder).args(["--stack-name", name, "--template-file"]);
        command.arg(format!("stacks/{part}.yaml")).arg("--parameter-overrides");
        command.args(outputs.chain(set));
        self.server.alone(|| succeeded(&mut command));
    }

    /// A copy of a part without a resource that ministack does not know: it refuses `AWS::Events::EventBusPolicy`. Nothing
    /// else refers to it. Returns the copy's name.
    pub fn without(&self, part: &str, resource: &str) -> String {
        let text = fs::read_to_string(self.folder.join(format!("stacks/{part}.yaml")));
        let text = text.expect("the part");
        let (before, after) = text.split_once(&format!("\n  {resource}:\n")).expect(resource);
        let (_, after) = after.split_once("\n\n").expect("what follows");
        let copy = format!("{part}-without");
        let file = self.folder.join(format!("stacks/{copy}.yaml"));
        fs::write(file, format!("{before}\n\n{after}")).expect("the copy");
        copy
    }

    /// Runs a script here that has `aws`, `sam` and `sg-audit`, and answers every question with yes.
    pub fn shell(&self, script: &str, variables: &[(&str, &str)]) -> Output {
        let mut shell = self.server.prepared(Command::new("sh"));
        shell
            .args(["-c", script])
            .current_dir(&self.folder)
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        self.server.alone(|| {
            let mut running = shell.spawn().expect("a shell");
            let asked = running.stdin.take().expect("a pipe").write_all(b"y\ny\ny\n");
            // One that asks nothing may have ended.
            asked.unwrap_or_default();
            running.wait_with_output().expect("the shell ends")
        })
    }
}

impl Ministack {
    /// Deployments one after the other.
    fn alone<T>(&self, work: impl FnOnce() -> T) -> T {
        // Another test may have failed while it deployed; that is no reason for this one to fail.
        let _turn = self.deploying.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        work()
    }
}

/// A template as `sam build` leaves it: it names the folder of the code, and this machine's processor.
pub fn with_code(template: &str) -> String {
    let processor = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
    let lines = [
        ("\n      CodeUri: .\n", "\n      CodeUri: code\n".to_owned()),
        (
            "\n      Architectures:\n        - arm64\n",
            format!("\n      Architectures:\n        - {processor}\n"),
        ),
    ];
    lines.iter().fold(template.to_owned(), |template, (line, own)| {
        assert_eq!(template.matches(line).count(), 1, "{line}");
        template.replace(line, own)
    })
}

/// What a command that has to succeed writes to standard output.
pub fn succeeded(command: &mut Command) -> String {
    let output = command.output().expect("it starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{command:?}\n{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout)
}

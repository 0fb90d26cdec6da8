//! The wheel as somebody uses it who has neither Rust nor the sources. Cargo runs this test only if it is named, because
//! it needs what release/build.py made:
//! `SG_AUDIT_WHEEL=/…/sg_audit-….whl cargo test --package sg-audit-tests --test released`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use sg_audit_tests::ministack::{self, succeeded};
use sg_audit_tests::permission::tcp;
use sg_audit_tests::rie::Function;
use sg_audit_tests::venv;
use sg_audit_tests::world::{ACCOUNT, Direction::Ingress, Message, World};

/// Names the wheel.
const VARIABLE: &str = "SG_AUDIT_WHEEL";
/// How Lambda calls the processor of this machine, and how it calls the other one.
const PROCESSORS: [&str; 2] =
    if cfg!(target_arch = "aarch64") { ["arm64", "x86_64"] } else { ["x86_64", "arm64"] };
/// What a revert needs.
const REVERT: [(&str, &str); 3] =
    [("REMEDIATION", "revert-ssh"), ("SCOPE", "all"), ("SSH_SOURCES", "203.0.113.0/24")];

/// What somebody has on their machine: the wheel in an environment of its own, `sam` and `aws`, and the system's programs.
struct Machine {
    folder: PathBuf,
    path: String,
}

/// The machine, and how long the wheel took to install.
fn machine() -> &'static (Machine, Duration) {
    static MACHINE: OnceLock<(Machine, Duration)> = OnceLock::new();
    MACHINE.get_or_init(|| {
        let wheel = std::env::var_os(VARIABLE).unwrap_or_else(|| {
            panic!("{VARIABLE} has to name the wheel that release/build.py made")
        });
        let folder = ministack::server().folder.join("machine");
        let began = Instant::now();
        succeeded(Command::new("python3").args(["-m", "venv"]).arg(folder.join("venv")));
        let mut pip = Command::new(folder.join("venv/bin/pip"));
        pip.args(["install", "--quiet", "--disable-pip-version-check", "--no-index"]).arg(&wheel);
        succeeded(&mut pip);
        let installed = began.elapsed();
        // Of the environment of the tests, only these two.
        fs::create_dir_all(folder.join("bin")).expect("a folder");
        for name in ["sam", "aws"] {
            let start = format!("#!/bin/sh\nexec '{}' \"$@\"\n", venv::program(name).display());
            executable(&folder.join("bin").join(name), &start);
        }
        let own = folder.display();
        let path = format!("{own}/venv/bin:{own}/bin:/usr/bin:/bin");
        (Machine { folder, path }, installed)
    })
}

fn executable(path: &Path, text: &str) {
    fs::write(path, text).expect("a script");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("its mode");
}

impl Machine {
    /// What a line prints that a person types here.
    fn shell(&self, line: &str) -> String {
        let mut shell = ministack::server().command("python");
        shell.args([
            "-c",
            "import os, sys; os.execv('/bin/sh', ['sh', '-euc', sys.argv[1]])",
            line,
        ]);
        succeeded(shell.env("PATH", &self.path).current_dir(&self.folder))
    }

    /// Unpacks for a processor, and the function's program out of its zip.
    fn program(&self, arch: &str) -> PathBuf {
        let folder = format!("for-{arch}");
        self.shell(&format!("sg-audit unpack {folder} --arch {arch}"));
        let template = fs::read_to_string(self.folder.join(&folder).join("template.yaml")).unwrap();
        let code = format!("\n      CodeUri: function-{arch}.zip\n");
        assert!(template.contains(&code) && template.contains(&format!("\n        - {arch}\n")));
        self.shell(&format!(
            "python3 -m zipfile -e {folder}/function-{arch}.zip {folder}/code; chmod +x {folder}/code/bootstrap"
        ));
        let program = self.folder.join(folder).join("code/bootstrap");
        let machine = fs::read(&program).expect("the program")[18];
        // As in the header of an ELF file.
        assert_eq!(machine, if arch == "arm64" { 183 } else { 62 }, "{arch}");
        program
    }
}

#[tokio::test]
async fn the_wheel_is_deployed_and_closes_open_ssh_without_rust() {
    let (machine, installed) = machine();
    let began = Instant::now();
    // `command -v` fails for what is not there.
    let tools =
        machine.shell("for tool in cargo rustc zig; do command -v $tool || echo no $tool; done");
    assert_eq!(tools, "no cargo\nno rustc\nno zig\n");
    let [arch, _] = PROCESSORS;
    let told = machine.shell(&format!("sg-audit unpack auditor --arch {arch}"));
    // What it says is to be done next, and what nobody has to confirm here.
    let line = told.lines().find(|line| line.contains("sam deploy")).expect("the line");
    machine.shell(&format!(
        "{} Remediation=revert-ssh Scope=all --no-confirm-changeset --no-progressbar --stack-name released",
        line.trim()
    ));
    let stack = ministack::server().stack("released");
    let queue = stack.subscriber("told-by-released").await;
    let site = World::new().await.site(ACCOUNT, ministack::REGION).await;
    let group = site.group("typo3-shop").await;
    let rules = [tcp(22, 22).from("0.0.0.0/0"), tcp(22, 22).from("203.0.113.0/24")];
    let event = site.authorize(&group, Ingress, &rules).await;

    stack.deliver(&event).await;

    let message = stack.message(&queue).await;
    assert_closed(&message, &group.id);
    assert_eq!(site.ingress(&group).await, ["ingress tcp 22-22 203.0.113.0/24"]);
    let took = began.elapsed() + *installed;
    println!("from the wheel to the message: {:.1} s", took.as_secs_f64());
    assert!(took < Duration::from_secs(120), "{took:?}");
}

fn assert_closed(message: &Message, group: &str) {
    let finding = &message.report["findings"][0];
    assert_eq!(finding["code"], "open-ssh", "{:#}", message.report);
    assert_eq!(finding["group"]["id"], group, "{:#}", message.report);
    assert_eq!(finding["remediation"]["outcome"], "reverted", "{:#}", message.report);
}

#[test]
fn what_is_deployed_is_what_was_built() {
    let (machine, _) = machine();
    let [arch, _] = PROCESSORS;
    let built = fs::read(sg_audit_tests::artefact::function()).expect("the built function");
    assert!(
        fs::read(machine.program(arch)).unwrap() == built,
        "another build than the one that was tested"
    );
}

#[tokio::test]
async fn the_function_for_the_other_processor_closes_open_ssh_too() {
    let (machine, _) = machine();
    let [_, other] = PROCESSORS;
    let program = machine.program(other);
    let (emulator, libraries) = match other {
        "arm64" => ("qemu-aarch64", "/usr/aarch64-linux-gnu"),
        _ => ("qemu-x86_64", "/usr/x86_64-linux-gnu"),
    };
    let start = machine.folder.join("emulated");
    executable(
        &start,
        &format!("#!/bin/sh\nexec {emulator} -L {libraries} '{}'\n", program.display()),
    );
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    let rules = [tcp(22, 22).from("0.0.0.0/0"), tcp(22, 22).from("203.0.113.0/24")];
    let event = world.authorize(&group, Ingress, &rules).await;
    let url = world.endpoint_url();
    let mut function = Function::start_other(&start, &world.variables(&url, &REVERT));

    let began = Instant::now();
    let report = function.report(&event);

    println!(
        "{other} under {emulator}: {:.1} s for {}",
        began.elapsed().as_secs_f64(),
        report["outcome"]
    );
    let messages = world.messages().await;
    assert_closed(&messages[0], &group.id);
    assert_eq!(messages.len(), 1);
    assert_eq!(world.ingress(&group).await, ["ingress tcp 22-22 203.0.113.0/24"]);
}

#[test]
fn the_wheel_has_the_command_line_and_nothing_else() {
    let (machine, _) = machine();
    let wheel = std::env::var(VARIABLE).expect("the wheel");
    let listed = machine.shell(&format!("python3 -m zipfile -l '{wheel}'"));
    let names = listed.lines().skip(1).map(|line| line.split(' ').next().expect("a name"));
    let (information, programs): (Vec<&str>, Vec<&str>) =
        names.partition(|name| name.contains(".dist-info/"));
    assert!(!information.is_empty());
    let programs: Vec<&str> =
        programs.iter().filter_map(|name| Some(name.split_once(".data/")?.1)).collect();
    assert_eq!(programs, ["scripts/sg-audit"], "{listed}");
    let help = machine.shell("sg-audit --help; sg-audit man unpack");
    assert!(help.contains("  unpack ") && help.contains("sg\\-audit unpack auditor"), "{help}");
    let version = machine.shell("sg-audit --version; pip show sg-audit");
    let expected = env!("CARGO_PKG_VERSION");
    assert!(version.contains(&format!("sg-audit {expected}\n")), "{version}");
    assert!(version.contains(&format!("Version: {expected}\n")), "{version}");
}

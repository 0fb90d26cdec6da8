//! `sg-audit check --live`: an account audited with somebody's own credentials, by calls that only read.

mod history;
mod organization;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::built;
use crate::support::endpoint::{Answer, Call};
use crate::support::permission::{Permission, tcp};
use crate::support::sg_audit::{Ran, command, ran, repository};
use crate::support::venv;
use crate::support::world::{ACCOUNT, Direction::Ingress, FAR, MEMBER, World};

/// Somebody with a profile for the account, one for a role in another, and one whose SSO session is over.
struct Person {
    home: PathBuf,
    endpoint: String,
}

impl Person {
    fn new(world: &World) -> Self {
        let endpoint = world.endpoint_url();
        let port = endpoint.rsplit(':').next().expect("a port");
        let home = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("home-{port}"));
        fs::create_dir_all(home.join(".aws")).expect("a folder");
        let config = format!(
            "[profile shop]
region = eu-central-1
aws_access_key_id = AKIAEXAMPLEEXAMPLE04
aws_secret_access_key = secret

[profile member]
region = eu-central-1
role_arn = arn:aws:iam::{MEMBER}:role/readers
source_profile = shop

[profile sso]
region = eu-central-1
sso_session = example
sso_account_id = {ACCOUNT}
sso_role_name = readers

[sso-session example]
sso_region = eu-central-1
sso_start_url = https://example.com/start
"
        );
        fs::write(home.join(".aws/config"), config).expect("a configuration");
        Self { home, endpoint }
    }

    /// What a shell of this person sets, with one profile.
    fn environment(&self, profile: &'static str) -> BTreeMap<&str, String> {
        BTreeMap::from([
            ("HOME", self.home.display().to_string()),
            ("AWS_ENDPOINT_URL", self.endpoint.clone()),
            ("AWS_PROFILE", profile.to_owned()),
            // It is no machine of AWS's that could lend its role.
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ])
    }

    fn checks_as(&self, profile: &'static str, arguments: &[&str]) -> Ran {
        self.runs(profile, &[&["check", "--live"], arguments].concat(), &[])
    }

    /// Runs a command with these variables besides their own.
    fn runs(&self, profile: &'static str, arguments: &[&str], more: &[(&str, &str)]) -> Ran {
        let mut command = command(arguments);
        command.envs(self.environment(profile)).envs(more.iter().copied()).stdin(Stdio::null());
        ran(&command.output().expect("sg-audit starts"))
    }

    /// What a command writes to standard error, where that is a terminal.
    fn on_a_terminal(&self, line: &str, more: &[(&str, &str)]) -> Ran {
        let program = built::sg_audit().display();
        // What is written to standard error alone goes to the terminal.
        let line = format!("'{program}' {line} 2>&1 >/dev/null");
        let output = Command::new(venv::program("python"))
            .arg(venv::script("terminal.py"))
            .args(["100", "sh", "-c", &line])
            .env_clear()
            .envs(self.environment("shop"))
            .envs(more.iter().copied())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("TERM", "xterm-256color")
            .output()
            .expect("Python starts");
        ran(&output)
    }

    fn checks(&self, arguments: &[&str]) -> Ran {
        self.checks_as("shop", arguments)
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        // It is in a folder for what may be lost.
        let _ = fs::remove_dir_all(&self.home);
    }
}

fn open() -> Permission {
    tcp(22, 22).from("0.0.0.0/0")
}

fn report(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran}"))
}

fn told(report: &Value) -> BTreeSet<[String; 4]> {
    let findings = report["findings"].as_array().expect("findings").iter();
    let names = ["fingerprint", "code", "severity", "region"];
    findings.map(|it| names.map(|name| it[name].to_string())).collect()
}

/// That every call so far only reads, and the right for it is on the page of rights.
fn only_read(world: &World) {
    let page = fs::read_to_string(repository().join("docs/rights.md")).expect("a page");
    let reads = ["Describe", "Get", "AssumeRole"];
    for Call { action, .. } in world.calls() {
        assert!(reads.iter().any(|read| action.starts_with(read)), "{action}");
        let service =
            if action == "AssumeRole" || action == "GetCallerIdentity" { "sts" } else { "ec2" };
        assert!(page.contains(&format!("`{service}:{action}`")), "{service}:{action}");
    }
}

#[tokio::test]
async fn it_reports_the_same_as_the_sweep() {
    let regions = ["me-south-1", "me-central-1"];
    let world = World::new().await;
    for region in regions {
        let site = world.site(ACCOUNT, region).await;
        let list = site.prefix_list("vendors", &["198.51.100.0/24"]).await;
        let group = site.group("typo3-shop").await;
        let rules = [open(), tcp(22, 22).from(&list), tcp(443, 443).from("::/0")];
        site.authorize(&group, Ingress, &rules).await;
    }
    let person = Person::new(&world);
    let arguments = ["--region", regions[0], "--region", regions[1], "--format", "json"];
    let checked = person.checks(&arguments);
    assert_eq!((checked.err.as_str(), checked.status), ("", 1), "{checked}");
    only_read(&world);
    let checked = report(&checked);
    let swept = world.report(&mut world.function(&[]), &json!({"sweep": {"regions": regions}}));
    assert_eq!(told(&checked), told(&swept));
    assert!(told(&checked).len() >= 4, "{checked:#}");
    for same in ["baseline", "outcome", "totals", "groups_audited", "rules_audited", "partial"] {
        assert_eq!(checked[same], swept[same], "{same}");
    }
    // For a person it is text, with nothing of a progress in it.
    let text = person.checks(&arguments[..4]);
    assert_eq!((text.err.as_str(), text.status), ("", 1), "{text}");
    assert!(text.out.contains("typo3-shop"), "{text}");
    assert!(!text.out.contains(['\u{1b}', '\r']), "{text}");
}

#[tokio::test]
async fn every_enabled_region_is_audited_and_a_compliant_one_has_no_finding() {
    const SCOPE: [&str; 2] = ["--scope", "tag:Application=live-regions"];
    let world = World::new().await;
    let fine = world.group("typo3-fine").await;
    world.authorize(&fine, Ingress, &[tcp(443, 443).from("0.0.0.0/0")]).await;
    world.tag(&fine.id, "Application", "live-regions").await;
    let person = Person::new(&world);
    let compliant = person.checks(&SCOPE);
    assert_eq!((compliant.err.as_str(), compliant.status), ("", 0), "{compliant}");

    // What nobody looks at, because nothing of the site is there.
    let far = world.site(ACCOUNT, FAR).await;
    let group = far.group("typo3-forgotten").await;
    far.authorize(&group, Ingress, &[open()]).await;
    far.tag(&group.id, "Application", "live-regions").await;
    assert_eq!(person.checks(&SCOPE).status, 0);
    let all = person.checks(&[&SCOPE[..], &["--all-regions", "--format", "json"]].concat());
    assert_eq!((all.err.as_str(), all.status), ("", 1), "{all}");
    let all = report(&all);
    assert_eq!(all["groups_audited"], 2, "{all:#}");
    assert_eq!(all["findings"][0]["region"], FAR);
    only_read(&world);
}

#[tokio::test]
async fn a_profile_of_another_account_is_that_account() {
    const HERE: &str = "ap-southeast-3";
    let world = World::new().await;
    let (own, member) = (world.site(ACCOUNT, HERE).await, world.site(MEMBER, HERE).await);
    let mut expected = BTreeMap::new();
    for (profile, site) in [("shop", &own), ("member", &member)] {
        let group = site.group("typo3-shop").await;
        site.authorize(&group, Ingress, &[open()]).await;
        expected.insert(profile, (site.account.clone(), group.id));
    }
    let person = Person::new(&world);
    for (profile, (account, group)) in &expected {
        // Named on the command line, it is that one whatever the shell has set.
        let arguments = ["--region", HERE, "--format", "json", "--profile", profile];
        let checked = report(&person.checks_as("sso", &arguments));
        let findings = checked["findings"].as_array().expect("findings").iter();
        let open: Vec<&Value> = findings.filter(|it| it["code"] == "open-ssh").collect();
        assert_eq!(open.len(), 1, "{checked:#}");
        assert_eq!(
            (&open[0]["account"], &open[0]["group"]["id"]),
            (&json!(account), &json!(group))
        );
    }
    only_read(&world);
}

#[tokio::test]
async fn without_credentials_the_error_says_what_to_do() {
    let world = World::new().await;
    let person = Person::new(&world);
    for (profile, cause) in [
        ("nobody", "profile `nobody` was not defined"),
        ("sso", "failed to load the cached SSO token"),
    ] {
        let ran = person.checks_as(profile, &["--region", "eu-central-1"]);
        assert_eq!((ran.out.as_str(), ran.status), ("", 2), "{ran}");
        assert!(ran.err.contains("log in (`aws sso login`), or look at --profile"), "{ran}");
        // As AWS words it, and not as Rust would.
        assert!(ran.err.contains(cause), "{ran}");
        assert!(!ran.err.contains("Error {") && !ran.err.contains("\\u{"), "{ran}");
    }
    // Without a profile and without anything else.
    let mut alone = command(&["check", "--live", "--region", "eu-central-1"]);
    alone.envs(person.environment("shop")).env_remove("AWS_PROFILE").stdin(Stdio::null());
    let alone = ran(&alone.output().expect("sg-audit starts"));
    assert_eq!(alone.status, 2, "{alone}");
    assert!(alone.err.contains("log in (`aws sso login`), or look at --profile"), "{alone}");
    assert_eq!(world.calls(), []);

    let mut nowhere = command(&["check", "--live"]);
    nowhere.envs([("AWS_ACCESS_KEY_ID", "AKIAEXAMPLEEXAMPLE04"), ("AWS_SECRET_ACCESS_KEY", "s")]);
    nowhere.env("AWS_EC2_METADATA_DISABLED", "true").stdin(Stdio::null());
    let nowhere = ran(&nowhere.output().expect("sg-audit starts"));
    assert_eq!(nowhere.status, 2, "{nowhere}");
    assert!(nowhere.err.contains("no region is set: write --region"), "{nowhere}");

    world.answer(|_| Answer::Error(403, "ExpiredToken", "The security token is expired"));
    let expired = person.checks(&[]);
    assert_eq!(expired.status, 2, "{expired}");
    assert!(expired.err.contains("log in (`aws sso login`)"), "{expired}");
    assert!(expired.err.contains("ExpiredToken"), "{expired}");
}

#[tokio::test]
async fn groups_that_could_not_be_read_are_never_compliant() {
    const SCOPE: [&str; 2] = ["--scope", "tag:Application=live-faults"];
    let world = World::new().await;
    let group = world.group("typo3-fine").await;
    world.tag(&group.id, "Application", "live-faults").await;
    let person = Person::new(&world);
    assert_eq!(person.checks(&SCOPE).status, 0);

    world.answer(|call| match call.action.as_str() {
        "DescribeSecurityGroups" => Answer::Error(503, "RequestLimitExceeded", "Too many."),
        _ => Answer::Moto,
    });
    let throttled = person.checks(&[&SCOPE[..], &["--format", "json"]].concat());
    assert_eq!(throttled.status, 2, "{throttled}");
    assert!(throttled.err.contains("not everything was audited"), "{throttled}");
    assert!(throttled.err.contains("RequestLimitExceeded"), "{throttled}");
    assert!(throttled.err.contains("try it again"), "{throttled}");
    assert_eq!(report(&throttled)["partial"], true);

    world.answer(|call| match call.action.as_str() {
        "DescribeSecurityGroups" => Answer::Error(403, "UnauthorizedOperation", "No."),
        _ => Answer::Moto,
    });
    let denied = person.checks(&SCOPE);
    assert_eq!(denied.status, 2, "{denied}");
    assert!(denied.err.contains("UnauthorizedOperation"), "{denied}");

    world.answer(|_| Answer::Moto);
    let none = person.checks(&["--scope", "tag:Application=nobody-has-this"]);
    assert_eq!((none.out.as_str(), none.status), ("", 2), "{none}");
    assert!(none.err.contains("look at --scope and --region"), "{none}");
    only_read(&world);
}

#[tokio::test]
async fn whatever_it_is_told_to_do_about_findings_it_changes_nothing() {
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    world.authorize(&group, Ingress, &[open()]).await;
    world.tag(&group.id, "Application", "live-reverts").await;
    let before = world.rules(&group).await;
    let person = Person::new(&world);
    let reverting = ["--remediation", "revert-ingress", "--ssh-source", "203.0.113.0/24"];
    let ran =
        person.checks(&[&reverting[..], &["--scope", "tag:Application=live-reverts"]].concat());
    assert_eq!(ran.status, 1, "{ran}");
    assert_eq!(world.rules(&group).await, before);
    only_read(&world);
}

#[tokio::test]
async fn there_is_a_progress_on_a_terminal() {
    let world = World::new().await;
    let group = world.group("typo3-fine").await;
    world.tag(&group.id, "Application", "live-progress").await;
    let person = Person::new(&world);
    let ran = person.on_a_terminal("check --live --scope tag:Application=live-progress", &[]);
    assert_eq!(ran.status, 0, "{ran}");
    assert!(ran.out.contains("groups audited"), "{ran:?}");
}

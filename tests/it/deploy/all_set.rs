//! template.yaml with each of its parameters set to something else than its default.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::OnceLock;

use super::opt::{self, BASELINE};
use super::{TAGS, matched_by_others, tagged, these};
use crate::page::parameters;
use crate::support::ministack::{self, succeeded};
use crate::support::permission::tcp;
use crate::support::sg_audit::repository;
use crate::support::stack::Stack;
use crate::support::venv;
use crate::support::world::{ACCOUNT, Direction::Ingress, Group, Site, World};
use aws_sdk_ec2::types::Tag;

const NAME: &str = "all-set";

/// All but the baseline, since the ARN of its layer is known once it is there.
const SET: [(&str, &str); 13] = [
    ("SshSources", "203.0.113.0/24,2001:db8:1::/48"),
    ("WebPorts", "8080,8443"),
    ("Scope", "tag:Application=typo3"),
    ("Remediation", "revert-ingress+sweep-revert-ssh+keep-nothing"),
    ("HoldMaxHours", "12"),
    ("AlertEmail", "findings@example.com"),
    ("MailSeverity", "high"),
    ("Schedule", "hourly"),
    ("Encryption", "all"),
    ("Watch", "on"),
    ("Observability", "traces"),
    ("Hook", "fail"),
    ("Organisation", "typo3-sg-auditor-member::our-typo3-servers"),
];
/// What the function makes of it.
const VARIABLES: [(&str, &str); 13] = [
    ("BASELINE", "/opt/our-site.yaml"),
    ("SSH_SOURCES", "203.0.113.0/24,2001:db8:1::/48"),
    ("WEB_PORTS", "8080,8443"),
    ("SCOPE", "tag:Application=typo3"),
    ("REMEDIATION", "revert-ingress"),
    ("SWEEP_REMEDIATION", "revert-ssh"),
    ("REVERT_KEEPS", "nothing"),
    ("HOLD_MAX_HOURS", "12"),
    ("HOOK", "fail"),
    ("MEMBER_ROLE_NAME", "typo3-sg-auditor-member"),
    ("MEMBER_EXTERNAL_ID", "our-typo3-servers"),
    ("MAIL_SEVERITY", "high"),
    ("STACK_NAME", NAME),
];

/// The stack, and the layer that it was deployed with.
pub fn all_set() -> (Stack, &'static str) {
    static LAYER: OnceLock<String> = OnceLock::new();
    let layer = LAYER.get_or_init(deploy);
    (ministack::server().stack(NAME), layer)
}

fn deploy() -> String {
    let server = ministack::server();
    let built = server.build(NAME, |template| template);
    // The layer of the baseline, as docs/settings.md has it made apart.
    let mut python = server.command("python");
    python.arg("-B").arg(venv::script("layer.py")).arg("typo3-sg-baseline").arg("our-site.yaml");
    fs::write(built.folder.join("our-site.yaml"), BASELINE).expect("the baseline");
    let layer = succeeded(python.current_dir(&built.folder)).trim().to_owned();
    opt::stand_in(&built);
    let baseline = format!("{layer}/our-site.yaml");
    let parameters: Vec<(&str, &str)> =
        SET.into_iter().chain([("Baseline", baseline.as_str())]).collect();
    built.deploy(NAME, &parameters);
    opt::fill(&built, &server.stack(NAME));
    layer
}

/// A group in the stack's scope.
async fn in_scope(site: &Site) -> Group {
    let group = site.group("typo3-shop").await;
    let tag = Tag::builder().key("Application").value("typo3").build();
    site.ec2.create_tags().resources(&group.id).tags(tag).send().await.expect("tagged");
    group
}

#[test]
fn nothing_is_left_at_its_default() {
    let template = fs::read_to_string(repository().join("template.yaml")).expect("the template");
    let defaults = parameters(&template);
    let set: BTreeMap<&str, &str> = SET.into();
    for (name, value) in &set {
        assert_ne!(defaults.get(name), Some(value), "{name}");
    }
    let left: BTreeSet<&str> =
        defaults.into_keys().filter(|name| !set.contains_key(name)).collect();
    assert_eq!(left, ["Baseline"].into());
}

#[tokio::test]
async fn each_setting_reaches_the_function() {
    let (stack, layer) = all_set();
    let function = stack.lambda.get_function().function_name(&stack.outputs["Function"]).send();
    let function = function.await.expect("the function");
    let configuration = function.configuration.expect("its configuration");
    let layers = configuration.layers.unwrap_or_default();
    assert_eq!(layers.iter().filter_map(|it| it.arn.as_deref()).collect::<Vec<_>>(), [layer]);
    let tracing = configuration.tracing_config.and_then(|it| it.mode);
    assert_eq!(tracing.map(|mode| mode.as_str().to_owned()).as_deref(), Some("Active"));
    let environment = configuration.environment.and_then(|it| it.variables).unwrap_or_default();
    for (variable, value) in VARIABLES {
        assert_eq!(environment.get(variable).map(String::as_str), Some(value), "{variable}");
    }
    assert_eq!(environment["TOPIC_ARN"], stack.outputs["FindingsTopic"]);
    assert_eq!(environment["STATE_TABLE"], stack.outputs["MemoryTable"]);
    assert_eq!(environment["MAIL_SEVERITY"], "high");
    assert_eq!(environment.len(), 15, "{environment:?}");
}

#[tokio::test]
async fn all_that_is_set_is_done_at_once() {
    let (stack, _) = all_set();
    let queue = stack.subscriber("told-by-all-set").await;
    let site = World::new().await.site(ACCOUNT, ministack::REGION).await;
    let group = in_scope(&site).await;
    let rules = [
        tcp(22, 22).from("0.0.0.0/0"),
        tcp(22, 22).from("203.0.113.0/24"),
        // Not among the web ports that are set.
        tcp(80, 80).from("0.0.0.0/0"),
        tcp(8443, 8443).from("0.0.0.0/0"),
        // By the baseline of the layer.
        tcp(8983, 8983).from("198.51.100.0/24"),
        // Nothing of it is kept, not even what the sources may have.
        tcp(22, 22).from("203.0.112.0/23"),
    ];
    let event = site.authorize(&group, Ingress, &rules).await;

    stack.deliver(&event).await;

    let report = stack.message(&queue).await.report;
    assert_eq!(report["baseline"]["name"], "our-site", "{report:#}");
    let findings = report["findings"].as_array().expect("findings");
    assert_eq!(findings.len(), 3, "{report:#}");
    for finding in findings {
        assert_eq!(finding["remediation"]["outcome"], "reverted", "{finding:#}");
    }
    let left = [
        "ingress tcp 22-22 203.0.113.0/24",
        "ingress tcp 8443-8443 0.0.0.0/0",
        "ingress tcp 8983-8983 198.51.100.0/24",
    ];
    assert_eq!(site.ingress(&group).await, left);
}

#[tokio::test]
async fn a_group_without_the_tag_is_left_alone() {
    let (stack, _) = all_set();
    let site = World::new().await.site(ACCOUNT, ministack::REGION).await;
    let group = site.group("somebody-elses").await;
    let event = site.authorize(&group, Ingress, &[tcp(22, 22).from("0.0.0.0/0")]).await;
    assert_eq!(stack.report(&event).await["outcome"], "out-of-scope");
    assert_eq!(site.ingress(&group).await.len(), 1);
}

#[test]
fn the_tag_of_the_scope_has_its_rule() {
    let expected = these(&[("WatchEvents", &["stop-logging.json"])]);
    let stack = all_set().0;
    assert_eq!(matched_by_others(&stack), expected);
    assert_eq!(stack.matches(&tagged())["Changes"], TAGS);
}

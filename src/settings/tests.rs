//! Valid settings, and the exact message for each fault.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::*;
use crate::baseline::samples::today;
use crate::baseline::{Baseline, PeerTerm, SSH_SOURCES, parse_peers};
use crate::ec2::Scope;

const ARN: &str = "arn:aws:sns:eu-central-1:123456789012:typo3-sg-auditor";

fn from_env(variables: &[(&str, &str)]) -> Result<FunctionSettings, SettingsError> {
    let variables: BTreeMap<_, _> = variables.iter().copied().collect();
    FunctionSettings::from_env(|name| variables.get(name).map(|value| (*value).to_owned()), today())
}

/// The variables and a topic.
fn with_topic(variables: &[(&str, &str)]) -> Result<FunctionSettings, SettingsError> {
    from_env(&[&[("TOPIC_ARN", ARN)], variables].concat())
}

#[test]
fn only_the_topic_is_required() {
    let settings = with_topic(&[]).unwrap();
    assert_eq!(settings.topic_arn, ARN);
    assert_eq!(&settings.account, "123456789012");
    assert_eq!(
        settings.settings,
        Settings {
            baseline: Baseline::load("standard", today()).unwrap(),
            scope: Scope::All,
            remediation: Remediation::Notify,
            revert_keeps: RevertKeeps::Baseline,
            sweep_remediation: Remediation::Notify,
            hold_max_hours: 24,
            binding: None,
            bound: Vec::new(),
        }
    );
}

#[test]
fn an_empty_variable_is_not_set() {
    let names = Names::ENVIRONMENT;
    let empty = [
        (names.baseline, ""),
        (names.ssh_sources, " "),
        (names.web_ports, ""),
        (names.scope, ""),
        (names.remediation, ""),
        (names.revert_keeps, ""),
        (names.sweep_remediation, ""),
        (names.hold_max_hours, ""),
    ];
    assert_eq!(with_topic(&empty), with_topic(&[]));
}

#[test]
fn every_setting_can_be_set() {
    let settings = with_topic(&[
        ("BASELINE", "restricted-egress"),
        ("SSH_SOURCES", "203.0.113.0/24, pl-1"),
        ("WEB_PORTS", "8443"),
        ("SCOPE", "tag:sg-audit=a=b"),
        ("REMEDIATION", "revert-ssh"),
        ("REVERT_KEEPS", "nothing"),
        ("SWEEP_REMEDIATION", "revert-ingress"),
    ])
    .unwrap()
    .settings;
    assert_eq!(settings.baseline.name, "restricted-egress");
    let sources = parse_peers("203.0.113.0/24,pl-1").unwrap();
    assert_eq!(settings.baseline.peer_sets[SSH_SOURCES], sources);
    assert_eq!(settings.baseline.ingress[0].name, "Web");
    assert_eq!(settings.baseline.ingress[1].peers, [PeerTerm::Set(SSH_SOURCES.to_owned())]);
    assert_eq!(settings.scope, Scope::Tag { key: "sg-audit".into(), value: "a=b".into() });
    assert_eq!(settings.remediation, Remediation::RevertSsh);
    assert_eq!(settings.revert_keeps, RevertKeeps::Nothing);
    assert_eq!(settings.sweep_remediation, Remediation::RevertIngress);
}

#[test]
fn reverting_is_allowed_with_ssh_sources_none_and_scope_all() {
    let settings =
        with_topic(&[("SSH_SOURCES", "none"), ("SCOPE", "all"), ("REMEDIATION", "revert-ingress")])
            .unwrap()
            .settings;
    assert_eq!(settings.baseline.peer_sets[SSH_SOURCES], []);
    assert_eq!(settings.scope, Scope::All);
}

#[test]
fn faults_in_settings_are_reported() {
    let cases: &[(&[(&str, &str)], &str)] = &[
        (
            &[("REMEDIATION", "revert")],
            "REMEDIATION is `revert`: write notify, revert-ssh or revert-ingress",
        ),
        (
            &[("SWEEP_REMEDIATION", "Notify")],
            "SWEEP_REMEDIATION is `Notify`: write notify, revert-ssh or revert-ingress",
        ),
        (&[("REVERT_KEEPS", "all")], "REVERT_KEEPS is `all`: write baseline or nothing"),
        (&[("SCOPE", "some")], "SCOPE is `some`: write all, or tag:KEY=VALUE"),
        (&[("SCOPE", "tag:key")], "SCOPE is `tag:key`: write all, or tag:KEY=VALUE"),
        (&[("SCOPE", "tag:=value")], "SCOPE is `tag:=value`: write all, or tag:KEY=VALUE"),
        (
            &[("REMEDIATION", "revert-ssh")],
            "SSH_SOURCES is required because REMEDIATION is `revert-ssh`: write who may use SSH, or none for nobody\n\
             SCOPE is required because REMEDIATION is `revert-ssh`: write all, or tag:KEY=VALUE",
        ),
        (
            &[("SWEEP_REMEDIATION", "revert-ingress"), ("SSH_SOURCES", "none")],
            "SCOPE is required because SWEEP_REMEDIATION is `revert-ingress`: write all, or tag:KEY=VALUE",
        ),
        (
            &[("SSH_SOURCES", "203.0.113.7/24,office"), ("WEB_PORTS", "http,99999")],
            "SSH_SOURCES: `203.0.113.7/24` has host bits set; write 203.0.113.0/24, or 203.0.113.7/32 for that address alone\n\
             SSH_SOURCES: `office` is not a peer; write a CIDR block, sg-…, account/sg-… or pl-…\n\
             WEB_PORTS: `http` is not a port; write a number from 0 to 65535, or a range such as \"8000-8010\"\n\
             WEB_PORTS: port `99999` is out of range; write numbers from 0 to 65535",
        ),
        (&[("WEB_PORTS", "22,80")], "WEB_PORTS: 22 is for SSH; write web ports without it"),
        (
            &[("BASELINE", "standrad")],
            "BASELINE: `standrad` is neither a shipped baseline nor a file; did you mean `standard`? write standard, restricted-egress, as-documented, or the path of a YAML file",
        ),
        (
            &[("TOPIC_ARN", "my-topic"), ("REMEDIATION", "x"), ("SCOPE", "y")],
            "TOPIC_ARN is `my-topic`: write the ARN of a standard SNS topic, such as arn:aws:sns:eu-central-1:123456789012:typo3-sg-auditor\n\
             SCOPE is `y`: write all, or tag:KEY=VALUE\n\
             REMEDIATION is `x`: write notify, revert-ssh or revert-ingress",
        ),
        (
            &[("TOPIC_ARN", "")],
            "TOPIC_ARN is missing: write the ARN of a standard SNS topic, such as arn:aws:sns:eu-central-1:123456789012:typo3-sg-auditor",
        ),
    ];
    let mut wrong = String::new();
    for (variables, expected) in cases {
        let message = with_topic(variables).expect_err(expected).to_string();
        if message != *expected {
            let _ = write!(wrong, "---\nexpected: {expected}\nsaid:     {message}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_topic_must_be_a_standard_topic_of_any_partition() {
    let account = |arn: &str| {
        from_env(&[("TOPIC_ARN", arn)]).ok().map(|settings| settings.account.to_string())
    };
    for arn in [
        ARN,
        "arn:aws-cn:sns:cn-north-1:123456789012:a",
        "arn:aws-us-gov:sns:us-gov-west-1:123456789012:a_b-c",
    ] {
        assert_eq!(account(arn).as_deref(), Some("123456789012"), "{arn}");
    }
    for arn in [
        "arn:aws:sqs:eu-central-1:123456789012:a",
        "arn:aws:sns:eu-central-1:1234:a",
        "arn:aws:sns::123456789012:a",
        "arn:aws:sns:eu-central-1:123456789012:",
        "arn:aws:sns:eu-central-1:123456789012:a.fifo",
        "arn:aws:sns:eu-central-1:123456789012:a:4c0fe4b5-0000-0000-0000-000000000000",
    ] {
        assert_eq!(account(arn), None, "{arn}");
    }
}

#[test]
fn faults_of_a_baseline_file_have_line_numbers() {
    let path = std::env::temp_dir().join(format!("settings-{}.yaml", std::process::id()));
    std::fs::write(&path, "version: 1\nname: x\nssh_ports: [0x16]\ningress: []\negress: 1\n")
        .unwrap();
    let path = path.to_str().unwrap();
    let message = with_topic(&[("BASELINE", path), ("SCOPE", "x")]).unwrap_err().to_string();
    assert_eq!(
        message.replace(path, "FILE"),
        "BASELINE: FILE:3: `0x16` is not a port; write a number from 0 to 65535, or a range such as \"8000-8010\"\n\
         BASELINE: FILE:5: `egress` is `1`; write a list in [ ]\n\
         SCOPE is `x`: write all, or tag:KEY=VALUE"
    );
    std::fs::remove_file(path).unwrap();
}

#[test]
fn faults_on_the_command_line_name_the_option() {
    let mut raw = RawSettings::new(Names::COMMAND_LINE);
    raw.remediation = Some("revert-ssh".into());
    raw.web_ports = Some("22".into());
    let message = Settings::from_raw(&raw, today()).unwrap_err().to_string();
    assert_eq!(
        message,
        "--web-port: 22 is for SSH; write web ports without it\n\
         --ssh-source is required because --remediation is `revert-ssh`: write who may use SSH, or none for nobody\n\
         --scope is required because --remediation is `revert-ssh`: write all, or tag:KEY=VALUE"
    );
}

#[test]
fn ssh_sources_must_not_make_the_baseline_too_fragmented() {
    let mut raw = RawSettings::new(Names::COMMAND_LINE);
    let sources: Vec<_> = (0..1001).map(|n| format!("10.{}.{}.0/25", n / 256, n % 256)).collect();
    raw.ssh_sources = Some(sources.join(","));
    assert_eq!(
        Settings::from_raw(&raw, today()).unwrap_err().to_string(),
        "--ssh-source: with it, ingress has 1005 combinations of ports and peers, more than 1000; write fewer and wider ranges"
    );
}

//! Every file in events/ is what its name says.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use super::super::{ChangeKind, Event, Kind, decode};
use super::lines;

const SG: &str = "sg-0a1b2c3d4e5f67890";

const OPEN: &str = "ingress tcp 22-22 0.0.0.0/0";

/// Each file and its only event, without the group where that is [`SG`].
const SAMPLES: [(&str, &str); 48] = [
    ("authorize-all-tcp-ports", "ingress tcp 0-65535 0.0.0.0/0"),
    ("authorize-all-traffic", "ingress all * 0.0.0.0/0"),
    ("authorize-database", "ingress tcp 3306-3306 0.0.0.0/0"),
    (
        "authorize-egress-smtp",
        "egress tcp 25-25 0.0.0.0/0, egress tcp 465-465 0.0.0.0/0, egress tcp 587-587 0.0.0.0/0",
    ),
    ("authorize-flat-form", OPEN),
    ("authorize-from-group", "ingress tcp 22-22 sg-0b2c3d4e5f6789012"),
    ("authorize-halves", "ingress tcp 22-22 0.0.0.0/1, ingress tcp 22-22 128.0.0.0/1"),
    ("authorize-held", OPEN),
    ("authorize-held-too-long", OPEN),
    ("authorize-ipv6-halves", "ingress tcp 22-22 ::/1, ingress tcp 22-22 8000::/1"),
    ("authorize-office-ssh", "ingress tcp 22-22 203.0.113.0/24, ingress tcp 22-22 2001:db8:1::/48"),
    ("authorize-one-host", "ingress tcp 22-22 198.51.100.7/32"),
    ("authorize-open-ssh", OPEN),
    ("authorize-open-ssh-ipv6", "ingress tcp 22-22 ::/0"),
    (
        "authorize-open-ssh-with-office",
        "ingress tcp 22-22 203.0.113.0/24, ingress tcp 22-22 0.0.0.0/0",
    ),
    ("authorize-port-range", "ingress tcp 20-25 0.0.0.0/0"),
    ("authorize-private-ssh", "ingress tcp 22-22 10.0.0.0/8"),
    ("authorize-protocol-number", OPEN),
    (
        "authorize-web",
        "ingress tcp 80-80 0.0.0.0/0, ingress tcp 80-80 ::/0, \
         ingress tcp 443-443 0.0.0.0/0, ingress tcp 443-443 ::/0",
    ),
    ("authorize-wide-block", "ingress tcp 22-22 54.0.0.0/8"),
    ("bare-record", OPEN),
    ("by-group-name", "group named typo3-shop: ingress tcp 22-22 0.0.0.0/0"),
    ("create-group", "sg-0f6789012345678ab: created"),
    ("create-tags", "tags of sg-0a1b2c3d4e5f67890: Application=typo3"),
    ("delete-tags", "tags of sg-0a1b2c3d4e5f67890: -Application"),
    ("disable-rule", "Rule watched: DisableRule typo3-sg-auditor-Changes-1OZ5KX8QJ3T2M"),
    ("failed-call", "ignored: the call failed (Client.UnauthorizedOperation) and changed nothing"),
    ("failure-destination", OPEN),
    ("member-account", "sg-0b7c8d9e0f1a2b3c4: ingress tcp 22-22 0.0.0.0/0"),
    (
        "modify-many",
        "sgr-0c3d4e5f678901234 is tcp 22-22 203.0.113.64/26, \
         sgr-0d4e5f67890123456 is tcp 22-22 2001:db8:1::/48, \
         sgr-0e5f6789012345678 is tcp 443-443 pl-0f678901234567890",
    ),
    ("modify-prefix-list", "pl-0f678901234567890 (office) after version 3: +0.0.0.0/1"),
    ("modify-widened", "sgr-0c3d4e5f678901234 is tcp 22-22 0.0.0.0/0"),
    ("no-response", "ingress tcp 22-22 0.0.0.0/0, ingress tcp 22-22 ::/0"),
    ("restore-prefix-list", "pl-0f678901234567890 (office) after version 4: -?"),
    ("revoke-by-rule-id", "ingress revoked"),
    ("revoke-http", "revoked ingress tcp 80-80 0.0.0.0/0, ingress tcp 80-80 ::/0"),
    (
        "revoke-load-balancer",
        "revoked ingress tcp 80-80 sg-0b2c3d4e5f6789012, \
         ingress tcp 443-443 sg-0b2c3d4e5f6789012",
    ),
    ("revoke-ping", "ingress revoked of icmp type 8"),
    ("revoke-self", "revoked ingress all * sg-0a1b2c3d4e5f67890"),
    (
        "revoke-web",
        "revoked ingress tcp 80-80 0.0.0.0/0, ingress tcp 80-80 ::/0, \
         ingress tcp 443-443 0.0.0.0/0, ingress tcp 443-443 ::/0",
    ),
    ("scheduled-holds", "holds in 123456789012, 210987654321; eu-central-1"),
    ("scheduled-sweep", "sweep in ; "),
    (
        "server-error",
        "unknown: `AuthorizeSecurityGroupIngress` (Server.InternalError): \
         the call ended in a server error, so what it changed is not known",
    ),
    ("sns-wrapped", OPEN),
    ("sqs-wrapped", OPEN),
    ("stop-logging", "Trail watched: StopLogging trail/management-events"),
    (
        "truncated",
        "unknown: the rules of `AuthorizeSecurityGroupIngress` are not understood: \
         in the request, `ipPermissions` was cut short by CloudTrail; \
         in the response, `responseElements` was cut short by CloudTrail",
    ),
    (
        "update-function",
        "Function watched: UpdateFunctionCode typo3-sg-auditor-Auditor-7hQ2LmXv9TzR, CloudFormation",
    ),
];

/// Each file's name and content, by name.
pub(super) static FILES: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(|| {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("events");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, fs::read(path).unwrap())
        })
        .collect();
    files.sort();
    files
});

#[test]
fn each_file_is_what_its_name_says() {
    let found: Vec<_> = FILES.iter().map(|(name, bytes)| (name.clone(), lines(bytes))).collect();
    let expected: Vec<_> = SAMPLES
        .iter()
        .map(|(name, line)| {
            let elsewhere =
                ["ignored: ", "group named ", "sg-", "pl-", "tags of ", "sweep in ", "holds in "];
            let whole = elsewhere.iter().any(|start| line.starts_with(start))
                || line.contains(" watched: ");
            let line = if whole { (*line).to_owned() } else { format!("{SG}: {line}") };
            ((*name).to_owned(), vec![line])
        })
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn each_rule_of_a_response_has_its_id() {
    for (name, bytes) in FILES.iter() {
        let without_response = ["by-group-name", "no-response"].contains(&name.as_str());
        for event in decode(bytes) {
            let Kind::Change(change) = event.kind else { continue };
            let ChangeKind::Authorized(rules) = change.kind else { continue };
            for rule in rules {
                assert_eq!(rule.id().is_none(), without_response, "{name}");
            }
        }
    }
}

#[test]
fn held_rules_have_the_tags_of_a_hold() {
    let samples = [
        ("authorize-held", "2026-03-12T16:00:00Z"),
        ("authorize-held-too-long", "2026-04-30T16:00:00Z"),
    ];
    for (name, until) in samples {
        let event = event(name);
        let Kind::Change(change) = event.kind else { panic!("{name}") };
        let ChangeKind::Authorized(rules) = &change.kind else { panic!("{name}") };
        assert_eq!(rules[0].tags()["sg-audit:allow-until"], until);
        assert_eq!(rules[0].tags()["sg-audit:reason"], "vendor migration, ticket 4711");
        assert_eq!(event.record.time.unwrap().to_rfc3339(), "2026-03-12T08:11:14+00:00");
    }
}

#[test]
fn the_account_is_the_groups_and_not_the_callers() {
    let record = event("member-account").record;
    assert_eq!(record.account.unwrap().as_str(), "210987654321");
    assert_eq!(record.actor.as_deref(), Some("AROATYPO3ADMN7EXAMPLE:operator@example.com"));
    assert!(record.shared_event_id.is_some() && record.shared_event_id != record.event_id);
}

/// The event in a file.
fn event(name: &str) -> Event {
    let (_, bytes) = FILES.iter().find(|(file, _)| file == name).unwrap();
    decode(bytes).pop().unwrap()
}

#[test]
fn the_record_of_a_sample_tells_who_when_and_where() {
    let record = event("authorize-open-ssh").record;
    assert_eq!(record.event_name.as_deref(), Some("AuthorizeSecurityGroupIngress"));
    assert_eq!(record.account.unwrap().as_str(), "123456789012");
    assert_eq!(record.region.unwrap().as_str(), "eu-central-1");
    assert_eq!(record.source_ip.as_deref(), Some("198.51.100.23"));
    assert!(record.actor.as_ref().unwrap().ends_with("/operator@example.com"));
    assert!(record.user_agent.as_ref().unwrap().starts_with("aws-cli/"));
    assert_eq!(record.time.unwrap().to_rfc3339(), "2026-03-12T08:11:14+00:00");
    assert!(record.event_id.is_some() && record.shared_event_id.is_none());
}

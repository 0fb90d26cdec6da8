//! What readers get to see, case by case; and what must hold whatever a report says.

mod email;
mod holds;
mod inert;
mod json;
mod laws;
mod sns;
mod subject;
mod terminal;

use chrono::{DateTime, TimeDelta, Utc};

use crate::ec2::hold::Hold;
use crate::ec2::{Direction, Peer, Protocol, Rule};
use crate::finding::{
    Code, ExcessBox, Exempted, Finding, FindingChange, FindingGroup, FindingRemediation, Generator,
    Outcome, Report, ReportBaseline, ReportOutcome, Severity, Totals,
};

const UNDO: &str = r#"aws ec2 authorize-security-group-ingress --region 'eu-central-1' --group-id 'sg-0a1b2c3d4e5f60718' --ip-permissions '[{"IpProtocol":"tcp","FromPort":22,"ToPort":22,"IpRanges":[{"CidrIp":"0.0.0.0/0","Description":"temp"}]}]'"#;

fn changed() -> DateTime<Utc> {
    "2026-11-22T03:12:09Z".parse().unwrap()
}

fn rule(protocol: Protocol, from: i32, to: i32, peer: &str) -> Rule {
    let peer: Peer = peer.parse().unwrap();
    Rule::new(Direction::Ingress, protocol, Some(from), Some(to), peer).unwrap()
}

fn known(id: &str, description: Option<&str>, port: i32) -> Rule {
    let mut rule = rule(Protocol::TCP, port, port, "0.0.0.0/0");
    rule.id = Some(id.to_owned());
    rule.description = description.map(str::to_owned);
    rule
}

fn piece(ports: &str, peers: &[&str]) -> ExcessBox {
    ExcessBox {
        protocol: "tcp".to_owned(),
        ports: Some(ports.to_owned()),
        icmp: None,
        peers: peers.iter().map(|&peer| peer.to_owned()).collect(),
    }
}

/// Traffic that is exempt, for a reason.
fn exempted(reason: &str) -> Exempted {
    Exempted {
        account: Some("123456789012".to_owned()),
        region: Some("eu-central-1".to_owned()),
        group: "sg-0a1b2c3d4e5f60718".to_owned(),
        rule: None,
        traffic: "tcp 8000 from 198.51.100.0/24".to_owned(),
        reason: reason.to_owned(),
        until: changed().date_naive(),
    }
}

/// SSH from anywhere, on `typo3-shop`, with nothing done about it.
fn open_ssh() -> Finding {
    Finding {
        id: "5f0c".to_owned(),
        fingerprint: "9f86d081884c7d65".to_owned(),
        code: Code::OpenSsh,
        severity: Severity::Critical,
        title: "SSH is open to the Internet on typo3-shop".to_owned(),
        account: Some("123456789012".to_owned()),
        region: Some("eu-central-1".to_owned()),
        group: Some(FindingGroup {
            id: "sg-0a1b2c3d4e5f60718".to_owned(),
            name: Some("typo3-shop".to_owned()),
            vpc_id: Some("vpc-0f1e2d3c4b5a69788".to_owned()),
        }),
        rule: Some(known("sgr-0123456789abcdef0", Some("temp"), 22)),
        excess: vec![piece("22", &["0.0.0.0/0"])],
        excess_omitted: 0,
        undecided: None,
        excess_text: "tcp 22 from anywhere but 203.0.113.0/24".to_owned(),
        exemption: None,
        controls: vec!["CIS 5.0.0 5.3".to_owned(), "EC2.13".to_owned()],
        console_url: Some(
            "https://eu-central-1.console.aws.amazon.com/ec2/home?region=eu-central-1#SecurityGroup:groupId=sg-0a1b2c3d4e5f60718"
                .to_owned(),
        ),
        change: Some(FindingChange {
            event_id: Some("8d7c2f4e-51aa-4c0e-9d0e-0a6f5b1c2d3e".to_owned()),
            event_name: Some("AuthorizeSecurityGroupIngress".to_owned()),
            time: Some(changed()),
            actor: Some("arn:aws:sts::123456789012:assumed-role/Admin/operator".to_owned()),
            source_ip: Some("198.51.100.23".to_owned()),
            user_agent: Some(
                "[aws-cli/2.31.0 (Linux x86_64; Python 3.13.7) md/awscrt#0.27.6]".to_owned(),
            ),
        }),
        remediation: FindingRemediation {
            outcome: Outcome::None,
            detail: "Nothing was changed: findings are only reported. The rule was still in the group.".to_owned(),
            time: changed() + TimeDelta::seconds(41),
            undo: None,
            hold: None,
            kept: vec!["tcp 22 from 203.0.113.0/24".to_owned()],
            connections: None,
        },
    }
}

/// The same, with the rule gone for whatever reason.
fn gone(outcome: Outcome, detail: &str) -> Finding {
    let mut finding = open_ssh();
    finding.title = "SSH was open to the Internet on typo3-shop".to_owned();
    finding.remediation = FindingRemediation {
        outcome,
        detail: detail.to_owned(),
        undo: Some(UNDO.to_owned()),
        connections: Some(
            "Connections that only this rule let in were untracked and ended with it.".to_owned(),
        ),
        ..finding.remediation
    };
    finding
}

fn narrowed() -> Finding {
    gone(
        Outcome::Narrowed,
        "The rule was revoked, and tcp 22 from 203.0.113.0/24 put in its place.",
    )
}

fn failed() -> Finding {
    let mut finding = open_ssh();
    finding.remediation.outcome = Outcome::Failed;
    finding.remediation.detail =
        "EC2 refused the revoke: UnauthorizedOperation (the function's role may not call ec2:RevokeSecurityGroupIngress on this group)."
            .to_owned();
    finding
}

/// MySQL from anywhere, on `typo3-shop`.
fn mysql() -> Finding {
    Finding {
        id: "77aa".to_owned(),
        fingerprint: "60303ae22b998861".to_owned(),
        code: Code::IngressNotInBaseline,
        severity: Severity::High,
        title: "Tcp 3306 is open to the Internet on typo3-shop".to_owned(),
        rule: Some(known("sgr-0fedcba9876543210", None, 3306)),
        excess: vec![piece("3306", &["0.0.0.0/0"])],
        excess_text: "tcp 3306 from anywhere".to_owned(),
        remediation: FindingRemediation {
            detail:
                "Nothing was changed: only open SSH is reverted. The rule was still in the group."
                    .to_owned(),
            kept: Vec::new(),
            ..open_ssh().remediation
        },
        ..open_ssh()
    }
}

/// A change that nobody understood, of which nothing but this is known.
fn unaudited() -> Finding {
    Finding {
        code: Code::UnauditedChange,
        severity: Severity::High,
        title: "A change of a security group could not be audited".to_owned(),
        account: None,
        region: None,
        group: None,
        rule: None,
        excess: Vec::new(),
        excess_text: String::new(),
        controls: Vec::new(),
        console_url: None,
        change: None,
        remediation: FindingRemediation {
            outcome: Outcome::None,
            detail: "The event is no JSON: expected value at line 1 column 1.".to_owned(),
            kept: Vec::new(),
            ..open_ssh().remediation
        },
        ..open_ssh()
    }
}

/// SSH from anywhere that was announced, and is left alone for eight hours.
fn held() -> Finding {
    let mut finding = open_ssh();
    finding.remediation.outcome = Outcome::Held;
    finding.remediation.detail =
        "Nothing was changed: the rule says that it is temporary.".to_owned();
    finding.remediation.hold = Some(hold(8, "vendor support, ticket 4711"));
    finding
}

/// A hold that begins with the change.
fn hold(hours: i64, reason: &str) -> Hold {
    Hold { until: changed() + TimeDelta::hours(hours), reason: reason.to_owned() }
}

/// A revert whose undo carries a hold.
fn undone_with_hold() -> Finding {
    let mut finding = narrowed();
    finding.remediation.hold = Some(hold(24, "put back"));
    finding
}

/// HTTP and HTTPS, which no rule of `typo3-shop` lets in any more.
fn down(severity: Severity) -> Finding {
    Finding {
        code: Code::ExpectedTrafficClosed,
        severity,
        title: "HTTP and HTTPS are no longer let into typo3-shop".to_owned(),
        rule: None,
        excess: Vec::new(),
        excess_text: "tcp 80, 443 from anywhere".to_owned(),
        controls: Vec::new(),
        remediation: FindingRemediation {
            detail: "Nothing was changed: nothing that was closed is opened again by itself."
                .to_owned(),
            kept: Vec::new(),
            undo: Some(UNDO.to_owned()),
            ..open_ssh().remediation
        },
        ..open_ssh()
    }
}

/// `typo3-shop`, which lost its tag.
fn left_scope() -> Finding {
    Finding {
        code: Code::LeftScope,
        severity: Severity::High,
        title: "Typo3-shop is no longer audited: its tag Site=typo3 was removed".to_owned(),
        rule: None,
        excess: Vec::new(),
        excess_text: String::new(),
        controls: Vec::new(),
        remediation: FindingRemediation {
            detail: "It was audited once more as it is now; later changes of it are not."
                .to_owned(),
            kept: Vec::new(),
            ..open_ssh().remediation
        },
        ..open_ssh()
    }
}

/// The line that would silence a finding.
const EXEMPTION: &str = r#"- { group: sg-0a1b2c3d4e5f60718, direction: ingress, protocol: tcp, ports: [22], peers: [anywhere], reason: "say why", until: 2026-12-22 }"#;

fn report(findings: Vec<Finding>) -> Report {
    let mut totals = Totals::default();
    for finding in &findings {
        *totals.by_code.entry(finding.code).or_default() += 1;
        *totals.by_severity.entry(finding.severity).or_default() += 1;
    }
    Report {
        version: 1,
        generator: Generator { name: "typo3-sg-auditor", version: "0.1.0" },
        baseline: ReportBaseline {
            name: "standard".to_owned(),
            sha256: "1a2b3c4d5e6f70819a2b3c4d5e6f70819a2b3c4d5e6f70819a2b3c4d5e6f7081".to_owned(),
        },
        outcome: if findings.iter().any(|finding| finding.severity > Severity::Informational) {
            ReportOutcome::Noncompliant
        } else {
            ReportOutcome::Compliant
        },
        reason: None,
        groups_audited: 1,
        rules_audited: 4,
        totals,
        exempt: Vec::new(),
        handed_on: 0,
        partial: false,
        part: None,
        parts: None,
        findings,
    }
}

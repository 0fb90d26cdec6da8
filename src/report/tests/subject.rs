use chrono::TimeDelta;
use insta::assert_snapshot;

use super::{failed, gone, mysql, narrowed, open_ssh, piece, report, rule, unaudited};
use crate::finding::{Code, Finding, Outcome, Severity};
use crate::report::subject::subject;
use crate::rule::{Direction, Protocol, Rule};

fn of(finding: Finding) -> String {
    subject(&report(vec![finding]))
}

#[test]
fn each_outcome() {
    assert_snapshot!(of(narrowed()), @"CLOSED after 41 s: SSH was open to the Internet on typo3-shop");
    assert_snapshot!(of(gone(Outcome::Reverted, "")), @"CLOSED after 41 s: SSH was open to the Internet on typo3-shop");
    assert_snapshot!(of(failed()), @"NOT CLOSED: SSH is open to the Internet on typo3-shop");
    assert_snapshot!(of(gone(Outcome::Failed, "")), @"CLOSED TOO FAR after 41 s: SSH was open to the Internet on typo3-shop");
    assert_snapshot!(of(gone(Outcome::AlreadyGone, "")), @"ALREADY GONE: SSH was open to the Internet on typo3-shop");
    assert_snapshot!(of(gone(Outcome::None, "")), @"NO LONGER THERE: SSH was open to the Internet on typo3-shop");
    assert_snapshot!(of(open_ssh()), @"OPEN: SSH is open to the Internet on typo3-shop");
    assert_snapshot!(of(unaudited()), @"NOT AUDITED: a change");
    assert_snapshot!(of(Finding { change: open_ssh().change, group: open_ssh().group, ..unaudited() }), @"NOT AUDITED: AuthorizeSecurityGroupIngress on typo3-shop");
    assert_snapshot!(of(Finding { code: Code::UnresolvedPeer, ..open_ssh() }), @"UNDECIDED: a prefix list cannot be read; tcp 22 on typo3-shop");
    assert_snapshot!(of(Finding { code: Code::OpenSshInBaseline, severity: Severity::Informational, ..unaudited() }), @"NOTE: the baseline standard admits SSH from a wide range");
}

#[test]
fn each_kind_of_traffic() {
    let all = Rule::new(Direction::Ingress, Protocol::All, None, None, "::/0".parse().unwrap());
    let mut smtp = rule(Protocol::TCP, 25, 25, "0.0.0.0/0");
    smtp.direction = Direction::Egress;
    let with = |code, rule, excess| of(Finding { code, rule: Some(rule), excess, ..open_ssh() });
    assert_snapshot!(with(Code::OpenSsh, rule(Protocol::TCP, 0, 65535, "0.0.0.0/0"), vec![]), @"OPEN: all TCP ports are open to the Internet on typo3-shop");
    assert_snapshot!(with(Code::OpenSsh, all.unwrap(), vec![]), @"OPEN: all protocols and ports are open to the IPv6 Internet on typo3-shop");
    assert_snapshot!(with(Code::OpenSsh, rule(Protocol::TCP, 20, 25, "0.0.0.0/1"), vec![]), @"OPEN: SSH (tcp 20-25) is open to 0.0.0.0/1 on typo3-shop");
    assert_snapshot!(with(Code::SshFromUnlistedHost, rule(Protocol::TCP, 22, 22, "8.8.8.8/32"), vec![]), @"OPEN: SSH is open to 8.8.8.8 on typo3-shop");
    let excess = vec![piece("22", &["203.0.112.0/24"])];
    assert_snapshot!(with(Code::OpenSsh, rule(Protocol::TCP, 22, 22, "203.0.112.0/23"), excess), @"OPEN: SSH is open to 203.0.112.0/24 on typo3-shop");
    let excess = vec![piece("81-442", &["0.0.0.0/0"])];
    assert_snapshot!(with(Code::IngressNotInBaseline, rule(Protocol::TCP, 80, 443, "0.0.0.0/0"), excess), @"OPEN: tcp 81-442 is open to the Internet on typo3-shop");
    assert_snapshot!(with(Code::EgressNotInBaseline, smtp, vec![]), @"OPEN: outgoing tcp 25 is open to the Internet on typo3-shop");
    assert_snapshot!(with(Code::IngressNotInBaseline, rule(Protocol::ICMP, 8, -1, "10.0.0.0/8"), vec![]), @"OPEN: icmp type 8 is open to 10.0.0.0/8 on typo3-shop");
    assert_snapshot!(with(Code::IngressNotInBaseline, rule(Protocol::Number(47), -1, -1, "sg-0123456789abcdef0"), vec![]), @"OPEN: protocol 47 is open to sg-0123456789abcdef0 on typo3-shop");
}

#[test]
fn each_length_of_time() {
    let after = |seconds| {
        let mut finding = narrowed();
        finding.remediation.time = super::changed() + TimeDelta::seconds(seconds);
        of(finding).split(':').next().unwrap().to_owned()
    };
    let all = [-5, 0, 59, 60, 125, 3600, 11_520, 86_400, 187_200].map(after).join("\n");
    assert_snapshot!(all, @r"
    CLOSED
    CLOSED after 0 s
    CLOSED after 59 s
    CLOSED after 1 min
    CLOSED after 2 min 5 s
    CLOSED after 1 h
    CLOSED after 3 h 12 min
    CLOSED after 1 d
    CLOSED after 2 d 4 h
    ");
}

#[test]
fn several_findings() {
    let of = |findings| subject(&report(findings));
    assert_snapshot!(of(vec![narrowed(), narrowed(), narrowed()]), @"CLOSED after 41 s: SSH was open to the Internet on typo3-shop (+2 more)");
    assert_snapshot!(of(vec![open_ssh(), mysql(), mysql()]), @"OPEN: SSH is open to the Internet on typo3-shop (+2 more)");
    assert_snapshot!(of(vec![narrowed(), mysql()]), @"CLOSED after 41 s: SSH was open to the Internet on typo3-shop (+1 more, open)");
    assert_snapshot!(of(vec![narrowed(), narrowed(), mysql()]), @"CLOSED after 41 s: SSH was open to the Internet on typo3-shop (+2 more, 1 open)");
    // What went wrong comes before what is worse and went right.
    assert_snapshot!(of(vec![narrowed(), Finding { severity: Severity::High, ..failed() }]), @"NOT CLOSED: SSH is open to the Internet on typo3-shop (+1 more)");
    let mut part = report(vec![narrowed()]);
    (part.part, part.parts) = (Some(2), Some(3));
    assert_snapshot!(subject(&part), @"CLOSED after 41 s: SSH was open to the Internet on typo3-shop [part 2 of 3]");
    assert_snapshot!(of(vec![]), @"No findings");
}

#[test]
fn the_name_of_the_group_gives_way() {
    let mut finding = narrowed();
    finding.group.as_mut().unwrap().name = Some("launch-wizard-".repeat(18));
    assert_snapshot!(subject(&report(vec![finding.clone(), mysql()])), @"CLOSED after 41 s: SSH was open to the Internet on launch-wizard-launch-wizard-l... (+1 more, open)");
    finding.group.as_mut().unwrap().name = Some("Büro\u{202e}\nCLOSED".to_owned());
    assert_snapshot!(of(finding.clone()), @"CLOSED after 41 s: SSH was open to the Internet on B?ro??CLOSED");
    finding.group.as_mut().unwrap().name = None;
    assert_snapshot!(of(finding.clone()), @"CLOSED after 41 s: SSH was open to the Internet on sg-0a1b2c3d4e5f60718");
    finding.group = None;
    assert_snapshot!(of(finding), @"CLOSED after 41 s: SSH was open to the Internet");
}

use chrono::TimeDelta;
use insta::assert_snapshot;

use super::{failed, gone, mysql, narrowed, open_ssh, report, unaudited};
use crate::finding::{Code, Finding, Outcome, Severity};
use crate::report::subject::subject;

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
    let title = "Tcp 22 from pl-0123456789abcdef0 on typo3-shop depends on a prefix list that could not be read";
    assert_snapshot!(of(Finding { code: Code::UnresolvedPeer, title: title.to_owned(), ..open_ssh() }), @"UNDECIDED: tcp 22 from pl-0123456789abcdef0 on typo3-shop depends on a prefix list");
    let title = "The baseline as-documented itself lets the Internet reach SSH, which CIS and Security Hub fail";
    assert_snapshot!(of(Finding { code: Code::OpenSshInBaseline, severity: Severity::Informational, title: title.to_owned(), ..unaudited() }), @"NOTE: the baseline as-documented itself lets the Internet reach SSH, which CIS and Security Hub...");
}

#[test]
fn the_title_goes_on_after_the_colon() {
    let of = |title: &str| of(Finding { title: title.to_owned(), ..open_ssh() });
    assert_snapshot!(of("All TCP ports are open to the Internet on typo3-shop"), @"OPEN: all TCP ports are open to the Internet on typo3-shop");
    assert_snapshot!(of("Tcp 3306 is open to the Internet on typo3-shop"), @"OPEN: tcp 3306 is open to the Internet on typo3-shop");
    assert_snapshot!(of("A"), @"OPEN: A");
    assert_snapshot!(of(""), @"OPEN:");
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
    let called = |name: &str| {
        let title = format!("SSH was open to the Internet on {name}");
        Finding { title, ..narrowed() }
    };
    assert_snapshot!(subject(&report(vec![called(&"launch-wizard-".repeat(18)), mysql()])), @"CLOSED after 41 s: SSH was open to the Internet on launch-wizard-launch-wizard-l... (+1 more, open)");
    assert_snapshot!(of(called("Büro\u{202e}\nCLOSED")), @"CLOSED after 41 s: SSH was open to the Internet on B?ro??CLOSED");
}

//! Exemptions, and lists that are SSH sources, in reports and reverts.

use super::*;
use crate::ec2::hold::PLACEHOLDER_REASON;
use crate::finding::ExpiredExemption;
use crate::report::to_json;
use crate::words::excess_text;

/// The settings with exemptions of the group.
fn exempting(remediation: Remediation, exemptions: &[&str]) -> Settings {
    let mut settings = settings(remediation);
    let text = format!("{}exemptions:\n", settings.baseline.to_yaml());
    let items = exemptions.iter().map(|what| format!("- {{ group: {SG}, {what} }}\n"));
    let text = items.fold(text, |text, item| text + &item);
    settings.baseline = Baseline::parse("exempting.yaml", &text, today()).unwrap();
    settings
}

const VENDOR: &str = "direction: ingress, protocol: tcp, ports: [\"8000-8010\"], \
     peers: [198.51.100.0/24], reason: \"vendor migration, ticket 4711\", until: 2026-11-02";

/// An exemption for SSH from the prefix list `pl-0a`.
const BY_LIST: &str = "direction: ingress, protocol: tcp, ports: [22], peers: [pl-0a], \
     reason: ticket 4712, until: 2026-11-30";

fn world(texts: &[&str]) -> MemoryEc2 {
    ec2(&rules(texts))
}

fn exempt_json(report: &Report) -> Value {
    let report: Value = serde_json::from_str(&to_json(report).unwrap()).unwrap();
    report["exempt"].clone()
}

#[test]
fn a_completely_exempt_rule_is_counted_and_not_a_finding() {
    let settings = exempting(Remediation::RevertIngress, &[VENDOR]);
    let text = "tcp 8000-8005 198.51.100.0/24 sgr-1";
    let world = world(&[text]);
    let report = run(&world, &settings, &authorized(&[text])).unwrap();
    assert_eq!((report.outcome, report.findings.len()), (ReportOutcome::Compliant, 0));
    assert_eq!(report.totals.exempt, 1);
    let [exempt] = &report.exempt[..] else { panic!("{report:#?}") };
    assert_eq!((&exempt.group, exempt.rule.id()), (&id(SG), Some(&id("sgr-1"))));
    assert_eq!(excess_text(&exempt.rule, &exempt.traffic), "tcp 8000-8005 from 198.51.100.0/24");
    assert_eq!(exempt.reason, "vendor migration, ticket 4711");
    assert_eq!(exempt.until, today());
    assert_eq!(ingress(&world), ["tcp 8000-8005 from 198.51.100.0/24"]);

    // A check reports the same.
    let lists = Lists::new();
    let mut check = GroupCheck::new(&settings, &lists, noon());
    check.group(&place(), &group(), &[rule(text)]);
    let check = check.report();
    assert_eq!((check.findings.len(), check.totals.exempt), (0, 1));
    assert_eq!(exempt_json(&check), exempt_json(&report));
}

#[test]
fn a_revert_keeps_the_exempt_part_of_a_rule() {
    let settings = exempting(Remediation::RevertIngress, &[VENDOR]);
    // Open SSH cannot hide behind an exempt port.
    let text = "tcp 22-8000 198.51.100.0/24 sgr-1";
    let world = world(&[text]);
    let report = run(&world, &settings, &authorized(&[text])).unwrap();
    let finding = only(&report);
    assert_eq!((finding.code, finding.outcome()), (Code::OpenSsh, Outcome::Narrowed));
    assert_eq!(report.totals.exempt, 1);
    assert_eq!(
        ingress(&world),
        [
            "tcp 443 from 198.51.100.0/24",
            "tcp 80 from 198.51.100.0/24",
            "tcp 8000 from 198.51.100.0/24"
        ]
    );
}

#[test]
fn a_piece_is_added_even_where_an_exempt_rule_admits_it() {
    // The exempt rule ends with its exemption. What the baseline admits has to stay.
    let web = "direction: ingress, protocol: tcp, ports: [\"80-90\"], peers: [anywhere], \
               reason: move, until: 2026-11-02";
    let settings = exempting(Remediation::RevertIngress, &[web]);
    let (exempt, open) = ("tcp 80-90 0.0.0.0/0 sgr-1", "tcp 80-91 0.0.0.0/0 sgr-2");
    let world = world(&[exempt, open]);
    run(&world, &settings, &authorized(&[open])).unwrap();
    assert!(ingress(&world).contains(&"tcp 80 from 0.0.0.0/0".to_owned()), "{:?}", ingress(&world));
}

#[test]
fn an_expired_exemption_is_named() {
    let expired = VENDOR.replace("2026-11-02", "2026-11-01");
    let settings = exempting(Remediation::Notify, &[&expired]);
    let text = "tcp 8000 198.51.100.0/24 sgr-1";
    let ran = run_at(&world(&[text]), &settings, &authorized(&[text]), noon(), None);
    let expired = ExpiredExemption {
        reason: "vendor migration, ticket 4711".to_owned(),
        until: id("2026-11-01"),
    };
    assert_eq!(found(ran.report()).expired, [expired]);
    let said = "An exemption for this expired after 2026-11-01: \"vendor migration, ticket 4711\".";
    assert!(ran.detail().contains(said), "{}", ran.detail());
    assert_eq!((ran.report().exempt.len(), ran.report().totals.exempt), (0, 0));
}

#[test]
fn a_rule_that_may_be_exempt_is_not_reverted() {
    let settings = exempting(Remediation::RevertIngress, &[BY_LIST]);
    let (ssh, other) = ("tcp 22 0.0.0.0/0 sgr-1", "tcp 3306 0.0.0.0/0 sgr-2");
    let both = rules(&[ssh, other]);
    let world = ec2_with_lists(&both, unreadable_list("pl-0a"));
    let ran = run_at(&world, &settings, &authorized(&[ssh, other]), noon(), None);
    let [left, reverted] = &ran.report().findings[..] else { panic!("{:#?}", ran.report()) };
    assert_eq!((left.code, left.outcome()), (Code::OpenSsh, Outcome::Exempt));
    let Action::PerhapsExempt(exemptions) = &left.found_rule().unwrap().action else {
        panic!("{left:#?}")
    };
    let [exemption] = &exemptions[..] else { panic!("{left:#?}") };
    assert_eq!(exemption.reason, "ticket 4712");
    assert_eq!(exemption.until.to_string(), "2026-11-30");
    let [(unread, Some(Ec2Error::Denied { .. }))] = &exemption.lists[..] else {
        panic!("{left:#?}")
    };
    assert_eq!(unread.as_str(), "pl-0a");
    let published = ran.published();
    let detail = published["findings"][0]["remediation"]["detail"].as_str().unwrap();
    for said in ["ticket 4712", "2026-11-30", "pl-0a", "UnauthorizedOperation"] {
        assert!(detail.contains(said), "{detail}");
    }
    assert_eq!((reverted.outcome(), &left.undo), (Outcome::Reverted, &None));
    assert_eq!(ingress(&world), ["tcp 22 from 0.0.0.0/0"]);

    // Where no revert is due, the exemption does not matter.
    let settings = Settings { remediation: Remediation::Notify, ..settings };
    let report = run(&world, &settings, &authorized(&[ssh])).unwrap();
    assert_eq!(only(&report).outcome(), Outcome::None);

    // A list that can be read exempts its entries.
    let settings = Settings { remediation: Remediation::RevertIngress, ..settings };
    let world = ec2_with_lists(&both, list("pl-0a", &["198.51.100.0/24"]));
    let report = run(&world, &settings, &authorized(&[ssh])).unwrap();
    assert_eq!(only(&report).outcome(), Outcome::Narrowed);
    assert!(ingress(&world).contains(&"tcp 22 from pl-0a".to_owned()), "{:?}", ingress(&world));
}

#[test]
fn if_a_list_is_not_readable_for_now_the_audit_is_tried_again() {
    let settings = exempting(Remediation::RevertIngress, &[BY_LIST]);
    let ssh = "tcp 22 0.0.0.0/0 sgr-1";
    let world = world(&[ssh]);
    let throttling = hooked(&world, |call| matches!(call, Call::PrefixList(_)).then(throttled));
    run(&throttling, &settings, &authorized(&[ssh])).unwrap_err();
    assert_eq!(ingress(&world), ["tcp 22 from 0.0.0.0/0"]);
}

#[test]
fn the_exemption_in_a_finding_silences_it() {
    let text = "tcp 3306 ::/0 sgr-1";
    let settings = settings(Remediation::Notify);
    let ran = run_at(&world(&[text]), &settings, &authorized(&[text]), noon(), None);
    let published = ran.published();
    let line = published["findings"][0]["exemption"].as_str().unwrap();
    // Nobody has said why yet.
    let line = line.replace(PLACEHOLDER_REASON, "vendor, ticket 4711");
    let yaml = format!("{}exemptions:\n  {line}\n", settings.baseline.to_yaml());
    let baseline = Baseline::parse("pasted.yaml", &yaml, today()).unwrap();
    assert_eq!(baseline.exemptions[0].until.to_string(), "2026-12-02");
    let settings = Settings { baseline, ..settings };
    let report = run(&world(&[text]), &settings, &authorized(&[text])).unwrap();
    assert_eq!((report.findings.len(), report.totals.exempt), (0, 1));
}

#[test]
fn a_change_that_names_a_wide_list_is_reported() {
    let text = "tcp 22 pl-0a sgr-1";
    let settings = with_sources(settings(Remediation::RevertIngress), "pl-0a");
    let with = |lists| {
        let world = ec2_with_lists(&rules(&[text]), lists);
        let report = run(&world, &settings, &authorized(&[text])).unwrap();
        assert_eq!(ingress(&world), ["tcp 22 from pl-0a"]);
        report
    };
    let wide = with(list("pl-0a", &["54.0.0.0/8"]));
    let finding = only(&wide);
    assert_eq!(finding.code, Code::OpenSshInBaseline);
    assert_eq!(finding.severity.as_str(), "high");
    assert_eq!(wide.outcome, ReportOutcome::Noncompliant);
    assert_eq!(finding.rule().unwrap().id(), Some(&id("sgr-1")));
    assert_eq!(finding.group.as_ref().unwrap().id, id::<GroupId>(SG));
    assert_eq!(
        to_title(finding),
        "SSH is open to the Internet on typo3-shop (tcp 22 from pl-0a): the baseline standard \
         admits it by a prefix list that is wide"
    );
    assert_eq!(with(list("pl-0a", &["54.0.0.0/16"])).findings.len(), 0);
    // An exemption could name a list that is not too wide.
    let vendor = ec2_with_lists(&rules(&[text]), list("pl-0a", &["198.51.100.0/24"]));
    let only_reporting = super::settings(Remediation::Notify);
    let report = run(&vendor, &only_reporting, &authorized(&[text])).unwrap();
    assert!(found(&report).exemption.is_some());
    let unread = with(unreadable_list("pl-0a"));
    let (code, severity) = (only(&unread).code, only(&unread).severity);
    assert_eq!((code, severity.as_str()), (Code::UnresolvedPeer, "high"));
    assert_eq!(found(&unread).exemption, None);
}

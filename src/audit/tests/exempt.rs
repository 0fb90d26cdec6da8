//! Exemptions and lists named for SSH, as a report has them and as a revert keeps to them.

use super::*;
use crate::evaluate::expected::closed;

/// The settings with exemptions, each as what follows its group and direction.
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

fn authorized(rules: &[&str]) -> Event {
    event(ChangeKind::Authorized(rules.iter().map(|text| rule(text)).collect()))
}

fn world(rules: &[&str]) -> MemoryEc2 {
    ec2(&rules.iter().map(|text| rule(text)).collect::<Vec<_>>())
}

#[test]
fn what_is_wholly_exempt_is_no_finding_and_is_counted() {
    let settings = exempting(Remediation::RevertIngress, &[VENDOR]);
    let text = "tcp 8000-8005 198.51.100.0/24 sgr-1";
    let world = world(&[text]);
    let report = run(&world, &settings, &authorized(&[text])).unwrap();
    assert_eq!((report.outcome, report.findings.len()), (ReportOutcome::Compliant, 0));
    assert_eq!(report.totals.exempt, 1);
    let [exempt] = &report.exempt[..] else { panic!("{report:#?}") };
    assert_eq!((exempt.group.as_str(), exempt.rule.as_deref()), (SG, Some("sgr-1")));
    assert_eq!(exempt.traffic, "tcp 8000-8005 from 198.51.100.0/24");
    assert_eq!(exempt.reason, "vendor migration, ticket 4711");
    assert_eq!(exempt.until, today());
    assert_eq!(ingress(&world), ["tcp 8000-8005 from 198.51.100.0/24"]);

    // The check says the same.
    let lists = Lists::new();
    let mut check = Check::new(&settings, &lists, noon());
    check.group(&place(), &group(), &[rule(text)]);
    let check = check.report();
    assert_eq!((check.findings.len(), check.totals.exempt), (0, 1));
    assert_eq!(check.exempt, report.exempt);
}

#[test]
fn the_rest_of_a_rule_is_reverted_and_what_is_exempt_stays() {
    let settings = exempting(Remediation::RevertIngress, &[VENDOR]);
    // Whoever hides SSH behind an exempt port.
    let text = "tcp 22-8000 198.51.100.0/24 sgr-1";
    let world = world(&[text]);
    let report = run(&world, &settings, &authorized(&[text])).unwrap();
    let finding = only(&report);
    assert_eq!((finding.code, finding.remediation.outcome), (Code::OpenSsh, Outcome::Narrowed));
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
fn an_exempt_rule_is_no_reason_to_leave_a_piece_out() {
    // It ends with its exemption; what the baseline admits stays.
    let web = "direction: ingress, protocol: tcp, ports: [\"80-90\"], peers: [anywhere], \
               reason: move, until: 2026-11-02";
    let settings = exempting(Remediation::RevertIngress, &[web]);
    let (exempt, open) = ("tcp 80-90 0.0.0.0/0 sgr-1", "tcp 80-91 0.0.0.0/0 sgr-2");
    let world = world(&[exempt, open]);
    run(&world, &settings, &authorized(&[open])).unwrap();
    assert!(ingress(&world).contains(&"tcp 80 from 0.0.0.0/0".to_owned()), "{:?}", ingress(&world));
}

#[test]
fn an_exemption_that_has_expired_is_named() {
    let expired = VENDOR.replace("2026-11-02", "2026-11-01");
    let settings = exempting(Remediation::Notify, &[&expired]);
    let text = "tcp 8000 198.51.100.0/24 sgr-1";
    let report = run(&world(&[text]), &settings, &authorized(&[text])).unwrap();
    let detail = &only(&report).remediation.detail;
    let said = "An exemption for this expired after 2026-11-01: \"vendor migration, ticket 4711\".";
    assert!(detail.contains(said), "{detail}");
    assert_eq!((report.exempt.len(), report.totals.exempt), (0, 0));
}

#[test]
fn an_exemption_that_cannot_be_evaluated_means_hands_off() {
    let by_list = "direction: ingress, protocol: tcp, ports: [22], peers: [pl-0a], \
                   reason: ticket 4712, until: 2026-11-30";
    let settings = exempting(Remediation::RevertIngress, &[by_list]);
    let (ssh, other) = ("tcp 22 0.0.0.0/0 sgr-1", "tcp 3306 0.0.0.0/0 sgr-2");
    let rules: Vec<Rule> = [ssh, other].map(rule).to_vec();
    let denied: Lists = [("pl-0a".to_owned(), Err("denied".to_owned()))].into();
    let world = MemoryEc2::new([(place(), group(), rules.clone())], denied);
    let report = run(&world, &settings, &authorized(&[ssh, other])).unwrap();
    let [left, taken] = &report.findings[..] else { panic!("{report:#?}") };
    assert_eq!((left.code, left.remediation.outcome), (Code::OpenSsh, Outcome::Exempt));
    for said in ["ticket 4712", "2026-11-30", "pl-0a", "denied"] {
        assert!(left.remediation.detail.contains(said), "{}", left.remediation.detail);
    }
    assert_eq!((taken.remediation.outcome, &left.remediation.undo), (Outcome::Reverted, &None));
    assert_eq!(ingress(&world), ["tcp 22 from 0.0.0.0/0"]);

    // Where nothing is due, there is nothing to hold back.
    let settings = Settings { remediation: Remediation::Notify, ..settings };
    let report = run(&world, &settings, &authorized(&[ssh])).unwrap();
    assert_eq!(only(&report).remediation.outcome, Outcome::None);

    // Read, it covers what it covers.
    let settings = Settings { remediation: Remediation::RevertIngress, ..settings };
    let read: Lists = [("pl-0a".to_owned(), Ok(vec!["198.51.100.0/24".parse().unwrap()]))].into();
    let world = MemoryEc2::new([(place(), group(), rules)], read);
    let report = run(&world, &settings, &authorized(&[ssh])).unwrap();
    assert_eq!(only(&report).remediation.outcome, Outcome::Narrowed);
    assert!(ingress(&world).contains(&"tcp 22 from pl-0a".to_owned()), "{:?}", ingress(&world));
}

#[test]
fn a_list_that_may_come_back_is_tried_again() {
    let by_list = "direction: ingress, protocol: tcp, ports: [22], peers: [pl-0a], \
                   reason: ticket 4712, until: 2026-11-30";
    let settings = exempting(Remediation::RevertIngress, &[by_list]);
    let ssh = "tcp 22 0.0.0.0/0 sgr-1";
    let world = world(&[ssh]);
    let staged = Staged::new(&world, |call: &str, _: &MemoryEc2| {
        (call == "prefix_list").then(|| Ec2Error::Passing {
            action: "GetManagedPrefixListEntries",
            message: "throttled".to_owned(),
        })
    });
    run(&staged, &settings, &authorized(&[ssh])).unwrap_err();
    assert_eq!(ingress(&world), ["tcp 22 from 0.0.0.0/0"]);
}

#[test]
fn a_finding_shows_the_exemption_that_silences_it() {
    let text = "tcp 3306 ::/0 sgr-1";
    let settings = settings(Remediation::Notify);
    let report = run(&world(&[text]), &settings, &authorized(&[text])).unwrap();
    let line = only(&report).exemption.clone().unwrap();
    let yaml = format!("{}exemptions:\n  {line}\n", settings.baseline.to_yaml());
    let baseline = Baseline::parse("pasted.yaml", &yaml, today()).unwrap();
    assert_eq!(baseline.exemptions[0].until.to_string(), "2026-12-02");
    let settings = Settings { baseline, ..settings };
    let report = run(&world(&[text]), &settings, &authorized(&[text])).unwrap();
    assert_eq!((report.findings.len(), report.totals.exempt), (0, 1));
}

#[test]
fn a_change_that_names_a_wide_list_is_called_out() {
    let text = "tcp 22 pl-0a sgr-1";
    let mut settings = settings(Remediation::RevertIngress);
    settings.baseline = settings.baseline.with_ssh_sources(parse_peers("pl-0a").unwrap());
    let with = |entries: Result<Vec<ipnet::IpNet>, String>| {
        let lists: Lists = [("pl-0a".to_owned(), entries)].into();
        let world = MemoryEc2::new([(place(), group(), vec![rule(text)])], lists);
        let report = run(&world, &settings, &authorized(&[text])).unwrap();
        assert_eq!(ingress(&world), ["tcp 22 from pl-0a"]);
        report
    };
    let wide = with(Ok(vec!["54.0.0.0/8".parse().unwrap()]));
    let finding = only(&wide);
    assert_eq!(finding.code, Code::OpenSshInBaseline);
    assert_eq!(finding.severity.as_str(), "high");
    assert_eq!(wide.outcome, ReportOutcome::Noncompliant);
    assert_eq!(finding.rule.as_ref().unwrap().id.as_deref(), Some("sgr-1"));
    assert_eq!(finding.group.as_ref().unwrap().id, SG);
    assert_eq!(
        finding.title,
        "SSH is open to the Internet on typo3-shop (tcp 22 from pl-0a): the baseline standard \
         admits it by a prefix list that is wide"
    );
    assert_eq!(with(Ok(vec!["54.0.0.0/16".parse().unwrap()])).findings, []);
    let denied = with(Err("denied".to_owned()));
    assert_eq!(
        (only(&denied).code, only(&denied).severity.as_str()),
        (Code::UnresolvedPeer, "high")
    );
    assert_eq!(only(&denied).exemption, None);
}

#[test]
fn closed_traffic_can_be_opened_again_by_the_undo_line() {
    let settings = settings(Remediation::RevertIngress);
    let taken = [rule("tcp 80-443 0.0.0.0/0 sgr-1"), rule("tcp 443 ::/0 sgr-2")];
    let found = closed(&settings.baseline, Direction::Ingress, Some(&taken), &[]);
    let (place, group) = (place(), group());
    let case = Case { place: &place, group: Some(&group), record: None };
    let findings: Vec<_> = found.iter().map(|one| case.expected_closed(one, noon())).collect();
    let [http, https] = &findings[..] else { panic!("{findings:#?}") };
    assert_eq!(http.title, "HTTP is no longer let in on typo3-shop");
    assert_eq!((https.code, https.severity.as_str()), (Code::ExpectedTrafficClosed, "high"));
    assert_eq!(https.remediation.outcome, Outcome::None);
    let undo = https.remediation.undo.as_deref().unwrap();
    assert_eq!(undo.matches("authorize-security-group-ingress").count(), 1);
    assert!(undo.contains("0.0.0.0/0") && undo.contains("::/0") && !undo.contains('\n'), "{undo}");
    // The same rule closed both, and yet they are two.
    assert_ne!(http.fingerprint, https.fingerprint);

    let unknown = closed(&settings.baseline, Direction::Ingress, None, &[]);
    let finding = case.expected_closed(&unknown[0], noon());
    assert_eq!((finding.severity.as_str(), &finding.rule), ("low", &None));
    assert_eq!(finding.remediation.undo, None);
    assert!(finding.remediation.detail.contains("is not known"));
}

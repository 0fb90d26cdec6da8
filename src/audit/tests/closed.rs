//! Changes that close traffic which the site lives on.

use super::*;
use crate::net::Cells;

fn revoked(texts: &[&str]) -> Event {
    revoked_of(Removed::Rules(rules(texts)))
}

fn revoked_of(removed: Removed) -> Event {
    event(ChangeKind::Revoked(RevokedRules {
        direction: Direction::Ingress,
        removed,
        ids: Vec::new(),
    }))
}

/// Rules were removed, and nobody knows which.
fn revoked_unknown() -> Event {
    revoked_of(Removed::Within(Cells::everything()))
}

/// Audits a change after which the group has these rules.
fn audit(event: &Event, left: &[&str]) -> Ran {
    run_at(&ec2(&rules(left)), &settings(Remediation::Notify), event, noon(), None)
}

/// The severity and the title of the only finding.
fn told(ran: &Ran) -> (&'static str, String) {
    let finding = only(ran.report());
    assert_eq!(finding.code, Code::ExpectedTrafficClosed);
    (finding.severity.as_str(), to_title(finding))
}

fn nothing_is_told(event: &Event, left: &[&str]) {
    let ran = audit(event, left);
    assert_eq!(ran.report().outcome, ReportOutcome::Compliant, "{left:?}: {:#?}", ran.report());
    assert!(ran.messages.is_empty());
}

#[test]
fn closing_the_website_is_one_finding_with_an_undo() {
    let web = ["tcp 80 0.0.0.0/0", "tcp 80 ::/0", "tcp 443 0.0.0.0/0", "tcp 443 ::/0"];
    let ran = audit(&revoked(&web), &["tcp 22 203.0.113.0/24 sgr-1"]);
    let title = "HTTP and HTTPS on typo3-shop are closed";
    assert_eq!(told(&ran), ("high", title.to_owned()));
    let finding = only(ran.report());
    assert_eq!(finding.outcome(), Outcome::None);
    let undo = finding.undo.as_deref().unwrap();
    assert_eq!(undo.matches("authorize-security-group-ingress").count(), 1, "{undo}");
    assert_eq!((undo.matches("0.0.0.0/0").count(), undo.matches("::/0").count()), (2, 2), "{undo}");
    assert_eq!(
        ran.messages[0].subject,
        "FIX NOW: HTTP and HTTPS closed on typo3-shop (high, 123456789012, eu-central-1)"
    );
    let told = "Everybody could reach HTTP and HTTPS; now nobody can.";
    assert!(ran.detail().contains(told), "{}", ran.detail());
}

#[test]
fn the_words_say_what_still_works() {
    let http = revoked(&["tcp 80 0.0.0.0/0", "tcp 80 ::/0"]);
    let ran = audit(&http, &["tcp 443 0.0.0.0/0", "tcp 443 ::/0"]);
    let title = "HTTP on typo3-shop is closed; HTTPS still works";
    assert_eq!(told(&ran), ("medium", title.to_owned()));
    assert_eq!(
        ran.messages[0].subject,
        "CHECK: HTTP closed on typo3-shop (medium, 123456789012, eu-central-1)"
    );
    let finding = &ran.published()["findings"][0];
    let expected = |entry: &str, family: &str, before: &str, after: &str| {
        serde_json::json!({
            "entry": entry, "direction": "ingress", "family": family,
            "before": before, "after": after,
        })
    };
    let all = [
        expected("HTTP", "ipv4", "everybody", "nobody"),
        expected("HTTP", "ipv6", "everybody", "nobody"),
        expected("HTTPS", "ipv4", "everybody", "everybody"),
        expected("HTTPS", "ipv6", "everybody", "everybody"),
    ];
    assert_eq!(finding["expected"], Value::from(all.to_vec()));

    let title = "HTTP on typo3-shop is closed; HTTPS still works for some";
    assert_eq!(told(&audit(&http, &["tcp 443 sg-0b"])), ("medium", title.to_owned()));
}

#[test]
fn one_address_family_can_be_closed() {
    let left = ["tcp 80 0.0.0.0/0", "tcp 443 0.0.0.0/0"];
    let ran = audit(&revoked(&["tcp 80 ::/0", "tcp 443 ::/0"]), &left);
    let title = "HTTP and HTTPS on typo3-shop are closed for IPv6, open for IPv4";
    assert_eq!(told(&ran), ("medium", title.to_owned()));
    let ran = audit(&revoked(&["tcp 443 0.0.0.0/0"]), &["tcp 443 ::/0"]);
    let title = "HTTPS on typo3-shop is closed for IPv4, open for IPv6";
    assert_eq!(told(&ran), ("medium", title.to_owned()));
}

#[test]
fn what_is_there_again_is_not_called_gone_and_not_put_back() {
    let ran = audit(&revoked(&["tcp 80 0.0.0.0/0", "tcp 80 ::/0"]), &["tcp 80 0.0.0.0/0 sgr-7"]);
    let undo = only(ran.report()).undo.as_deref().unwrap();
    assert!(undo.contains("::/0") && !undo.contains("0.0.0.0/0"), "{undo}");
    assert!(ran.detail().contains("gone: tcp 80 from ::/0."), "{}", ran.detail());
}

#[test]
fn a_narrowed_website_is_reported_with_who_is_left() {
    for left in ["tcp 443 198.51.100.7/32", "tcp 443 10.0.0.5/32", "tcp 443 sg-0b"] {
        let ran = audit(&revoked(&["tcp 443 0.0.0.0/0"]), &[left]);
        let title = "HTTPS on typo3-shop is open to some only";
        assert_eq!(told(&ran), ("medium", title.to_owned()), "{left}");
        let left = rule_text(&rule(left));
        let told = format!("A part of HTTPS still gets through: {left}.");
        assert!(ran.detail().contains(&told), "{}", ran.detail());
        // Removing a rule lets nobody in.
        assert!(!ran.detail().contains("Nobody could"), "{}", ran.detail());
    }
}

/// Audits a change after which the group has these rules, with these prefix lists.
fn audit_with_lists(event: &Event, left: &[&str], lists: Lists) -> Ran {
    let world = ec2_with_lists(&rules(left), lists);
    run_at(&world, &settings(Remediation::Notify), event, noon(), None)
}

#[test]
fn the_entries_of_a_list_decide_who_is_left() {
    let everybody = revoked(&["tcp 443 0.0.0.0/0", "tcp 443 ::/0"]);
    let left = |lists: Lists| audit_with_lists(&everybody, &["tcp 443 pl-1"], lists);
    let ran = left(list("pl-1", &["198.51.100.0/24"]));
    let title = "HTTPS on typo3-shop is open to some only for IPv4, closed for IPv6";
    assert_eq!(told(&ran), ("medium", title.to_owned()));
    let ran = left(list("pl-1", &["0.0.0.0/0"]));
    let title = "HTTPS on typo3-shop is closed for IPv6, open for IPv4";
    assert_eq!(told(&ran), ("medium", title.to_owned()));
    let missing = Ec2Error::NotFound {
        action: "TheCall",
        missing: Missing::Other,
        cause: cause("no such list"),
    };
    for nobody in [list("pl-1", &[]), list("pl-1", &["127.0.0.0/8"]), list_error("pl-1", missing)] {
        let ran = left(nobody);
        assert_eq!(told(&ran), ("high", "HTTPS on typo3-shop is closed".to_owned()));
        assert!(ran.detail().contains("No other rule lets HTTPS through."), "{}", ran.detail());
        assert_eq!(ran.published()["findings"][0]["expected_unread"], serde_json::json!([]));
    }
    // Taking such a rule away closes nothing.
    let last = revoked(&["tcp 443 pl-1"]);
    let compliant = |lists: Lists| {
        let ran = audit_with_lists(&last, &[], lists);
        ran.report().outcome == ReportOutcome::Compliant
    };
    assert!(compliant(list("pl-1", &[])));
    assert!(!compliant(list("pl-1", &["198.51.100.0/24"])));
}

#[test]
fn a_list_that_cannot_be_read_closes_nothing_for_certain() {
    let ran = audit_with_lists(
        &revoked(&["tcp 443 0.0.0.0/0"]),
        &["tcp 443 pl-1"],
        list_error("pl-1", denied()),
    );
    let title = "HTTPS on typo3-shop is perhaps closed: the prefix list pl-1 could not be read";
    assert_eq!(told(&ran), ("low", title.to_owned()));
    assert_eq!(
        ran.messages[0].subject,
        "CHECK: HTTPS perhaps closed on typo3-shop (low, 123456789012, eu-central-1)"
    );
    let detail = "The auditor opens nothing by itself. Nobody can reach HTTP, as \
                  before. Everybody could reach HTTPS over IPv4; who can now is not known. Who can \
                  reach HTTPS over IPv6 is not known. The rules that let HTTPS through are gone: tcp \
                  443 from 0.0.0.0/0. A part of HTTPS may still get through: tcp 443 from pl-1. \
                  Whom a list lets in is not known: the prefix list pl-1 could not be read.";
    assert_eq!(ran.detail(), detail);
    let finding = &ran.published()["findings"][0];
    assert_eq!(finding["expected_unread"], serde_json::json!(["pl-1"]));
    let ipv4 = serde_json::json!({
        "entry": "HTTPS", "direction": "ingress", "family": "ipv4",
        "before": "everybody", "after": null,
    });
    assert_eq!(finding["expected"][2], ipv4);

    let last = revoked(&["tcp 443 pl-1"]);
    let ran = audit_with_lists(&last, &[], list_error("pl-1", denied()));
    assert_eq!(told(&ran), ("low", title.to_owned()));
    let gone = "The rules that may have let HTTPS through are gone: tcp 443 from pl-1.";
    assert!(ran.detail().contains(gone), "{}", ran.detail());
    let left = ["tcp 443 198.51.100.7/32"];
    let ran = audit_with_lists(&last, &left, list_error("pl-1", denied()));
    let title =
        "HTTPS on typo3-shop is perhaps closed to some: the prefix list pl-1 could not be read";
    assert_eq!(told(&ran), ("low", title.to_owned()));

    // What is certain is told as such, beside what is not.
    let both = revoked(&["tcp 80 0.0.0.0/0", "tcp 443 0.0.0.0/0"]);
    let ran = audit_with_lists(&both, &["tcp 443 pl-1"], list_error("pl-1", denied()));
    let title = "HTTP on typo3-shop is closed; HTTPS is perhaps closed: the prefix list pl-1 could \
                 not be read";
    assert_eq!(told(&ran), ("medium", title.to_owned()));
}

#[test]
fn a_list_that_cannot_be_read_for_now_is_read_in_another_try() {
    let world = ec2_with_lists(&rules(&["tcp 443 pl-1"]), list("pl-1", &["0.0.0.0/0"]));
    let throttling = hooked(&world, |call| matches!(call, Call::PrefixList(_)).then(throttled));
    let (event, settings) = (revoked(&["tcp 443 0.0.0.0/0"]), settings(Remediation::Notify));
    let ran = run_at(&throttling, &settings, &event, noon(), None);
    assert_eq!(ran.error_kind(), "Ec2Unavailable");
    assert!(ran.messages.is_empty());
    assert_eq!(run(&world, &settings, &event).unwrap().outcome, ReportOutcome::Compliant);
    // Where no list can decide, none is read.
    let reads = |removed: &str| {
        let (world, list) = (ec2(&rules(&["tcp 22 pl-1", "tcp 443 sg-0b"])), "PrefixList");
        run(&world, &settings, &revoked(&[removed])).unwrap();
        world.take_calls().iter().any(|call| call.contains(list))
    };
    assert!(!reads("tcp 443 0.0.0.0/0") && !reads("tcp 22 pl-1") && reads("tcp 443 pl-1"));
}

#[test]
fn a_load_balancer_that_is_shut_out_is_reported_by_its_group() {
    let balancer = ["tcp 80 sg-0b", "tcp 443 sg-0b"];
    let title = "HTTP and HTTPS on typo3-shop are closed";
    for left in [&[][..], &["-1 * sg-0123456789abcdef0"], &["tcp 8080 sg-0b"]] {
        assert_eq!(told(&audit(&revoked(&balancer), left)), ("high", title.to_owned()), "{left:?}");
    }
    for left in ["-1 * sg-0c", "tcp 80-443 198.51.100.7/32"] {
        let ran = audit(&revoked(&balancer), &[left]);
        let title = "HTTP and HTTPS on typo3-shop are closed to sg-0b";
        assert_eq!(told(&ran), ("medium", title.to_owned()), "{left}");
        assert!(ran.detail().contains("now fewer can"), "{}", ran.detail());
    }
    let web = ["tcp 80 0.0.0.0/0", "tcp 443 0.0.0.0/0"];
    nothing_is_told(&revoked(&balancer), &web);
    nothing_is_told(&revoked(&balancer), &["tcp 80 sg-0b", "tcp 443 sg-0b"]);
}

#[test]
fn the_same_traffic_by_other_rules_closes_nothing() {
    let everybody = revoked(&["tcp 443 0.0.0.0/0"]);
    nothing_is_told(&everybody, &["tcp 443 0.0.0.0/1", "tcp 443 128.0.0.0/1"]);
    nothing_is_told(&everybody, &["-1 * 0.0.0.0/0"]);
    // The auditor's own narrowing.
    let all_ports = revoked(&["tcp 0-65535 0.0.0.0/0"]);
    nothing_is_told(&all_ports, &["tcp 80 0.0.0.0/0", "tcp 443 0.0.0.0/0"]);
}

#[test]
fn a_group_that_only_admitted_itself_loses_nothing() {
    let itself = ["-1 * sg-0123456789abcdef0"];
    nothing_is_told(&revoked(&itself), &[]);
    nothing_is_told(&revoked(&["tcp 0-65535 sg-0123456789abcdef0"]), &["tcp 6379 sg-0b"]);
    // Nor is it somebody for whom the website still works.
    let ran = audit(&revoked(&["tcp 443 0.0.0.0/0"]), &itself);
    assert_eq!(told(&ran).0, "high");
    assert!(!only(ran.report()).undo.as_deref().unwrap().contains("UserIdGroupPairs"));
    // A group whose id only the look-up brings.
    let ChangeKind::Revoked(rules) = (match revoked(&itself).kind {
        Kind::Change(change) => change.kind,
        other => panic!("{other:?}"),
    }) else {
        panic!("a revoke")
    };
    let group = GroupKey::Name { name: "typo3-shop".to_owned(), vpc_id: None };
    let kind = Kind::Change(GroupChange { group, owner: None, kind: ChangeKind::Revoked(rules) });
    nothing_is_told(&Event::new(record(), kind), &[]);
}

#[test]
fn closing_other_traffic_costs_no_call() {
    let ping = rule("icmp 8-0 0.0.0.0/0").traffic().cells();
    for event in [
        revoked(&["tcp 22 0.0.0.0/0", "tcp 8080 0.0.0.0/0", "-1 * sg-0123456789abcdef0"]),
        revoked_of(Removed::Within(ping)),
    ] {
        let world = ec2(&[]);
        assert_eq!(run(&world, &settings(Remediation::Notify), &event).unwrap().findings.len(), 0);
        assert_eq!(world.take_calls(), Vec::<String>::new());
    }
}

#[test]
fn if_the_removed_rules_are_not_known_the_severity_is_low() {
    let ran = audit(&revoked_unknown(), &["-1 * sg-0123456789abcdef0"]);
    let title = "HTTP and HTTPS are not let in on typo3-shop, and whether they were before is not \
                 known";
    assert_eq!(told(&ran), ("low", title.to_owned()));
    let finding = only(ran.report());
    let Matter::ExpectedClosed(closed) = &finding.matter else { panic!("{finding:#?}") };
    assert_eq!(closed.removed, None);
    assert!(ran.detail().contains("is not known"), "{}", ran.detail());
    assert!(finding.rule().is_none() && finding.undo.is_none());
    assert_eq!(ran.published()["findings"][0]["expected"][0]["before"], Value::Null);
    assert!(ran.messages[0].subject.starts_with("CHECK: "), "{}", ran.messages[0].subject);
    // Somebody is left, and perhaps nobody else was there before.
    for left in ["tcp 443 0.0.0.0/0", "tcp 80 sg-0b", "-1 * 10.0.0.0/8"] {
        nothing_is_told(&revoked_unknown(), &[left]);
    }
}

#[test]
fn the_ports_of_unknown_rules_tell_what_may_be_closed() {
    let http = revoked_of(Removed::Within(rule("tcp 80 0.0.0.0/0").cells()));
    let title = "HTTP is not let in on typo3-shop, and whether it was before is not known; HTTPS \
                 still works";
    assert_eq!(told(&audit(&http, &["tcp 443 0.0.0.0/0"])), ("low", title.to_owned()));
    nothing_is_told(&http, &["tcp 80 sg-0b"]);
}

#[test]
fn moving_a_rule_to_another_port_can_close_the_website() {
    let moved = "tcp 8443 203.0.113.0/24 sgr-1";
    let change = event(ChangeKind::Modified(vec![modified(moved)]));
    let report = run(&ec2(&[rule(moved)]), &settings(Remediation::Notify), &change).unwrap();
    assert_eq!(with_code(&report, Code::ExpectedTrafficClosed).severity.as_str(), "low");
    // Of a rule that was narrowed in place nobody knows what it was.
    let narrowed = "tcp 443 198.51.100.7/32 sgr-1";
    let change = event(ChangeKind::Modified(vec![modified(narrowed)]));
    nothing_is_told(&change, &[narrowed]);
    // An egress rule lets nobody in.
    let egress = rule("tcp 25 0.0.0.0/0 sgr-1").with_direction(Direction::Egress);
    let change = event(ChangeKind::Modified(vec![modified("tcp 25 0.0.0.0/0 sgr-1")]));
    let report = run(&ec2(&[egress]), &settings(Remediation::Notify), &change).unwrap();
    assert_eq!(report.outcome, ReportOutcome::Compliant, "{report:#?}");
}

#[test]
fn a_change_that_is_not_understood_is_one_finding_at_most() {
    let ran = audit(&cut_short(), &[]);
    assert_eq!(told(&ran).0, "low");
    nothing_is_told(&cut_short(), &["tcp 443 0.0.0.0/0"]);
}

#[test]
fn the_fingerprint_goes_by_what_is_closed() {
    let of = |removed: &[&str], left: &[&str]| {
        let report = audit(&revoked(removed), left).answer.unwrap();
        only(&report).fingerprint.clone()
    };
    let https = of(&["tcp 443 0.0.0.0/0"], &[]);
    assert_eq!(of(&["tcp 443 ::/0"], &["tcp 443 0.0.0.0/0", "tcp 80 ::/0"]), https);
    assert_eq!(of(&["-1 * sg-0b"], &["tcp 80 sg-0b"]), https);
    assert_ne!(of(&["tcp 80 0.0.0.0/0"], &[]), https);
    assert_ne!(of(&["tcp 80 0.0.0.0/0", "tcp 443 0.0.0.0/0"], &[]), https);
    let unknown = audit(&revoked_unknown(), &[]);
    let both = of(&["-1 * 0.0.0.0/0"], &[]);
    assert_eq!(only(unknown.report()).fingerprint, both);
}

#[test]
fn a_group_that_was_deleted_has_no_website() {
    let nowhere = MemoryEc2::new([], Lists::new());
    let event = revoked(&["tcp 443 0.0.0.0/0"]);
    let report = run(&nowhere, &settings(Remediation::Notify), &event).unwrap();
    assert_eq!((report.outcome, report.groups), (ReportOutcome::Compliant, 1));
}

#[test]
fn if_the_remaining_rules_cannot_be_read_the_change_is_unaudited() {
    let world = ec2(&[]);
    let event = revoked(&["tcp 443 0.0.0.0/0"]);
    let settings = settings(Remediation::Notify);
    let refusing = hooked(&world, |call| matches!(call, Call::Rules(_)).then(denied));
    assert_eq!(only(&run(&refusing, &settings, &event).unwrap()).code, Code::UnauditedChange);
    let throttling = hooked(&world, |call| matches!(call, Call::Rules(_)).then(throttled));
    assert!(run(&throttling, &settings, &event).is_err());
}

#[test]
fn a_read_that_is_behind_does_not_hide_it() {
    let removed = "tcp 443 0.0.0.0/0 sgr-1";
    assert_eq!(told(&audit(&revoked(&[removed]), &[removed])).0, "high");
    nothing_is_told(&revoked(&[removed]), &["tcp 443 0.0.0.0/0 sgr-2"]);
}

/// What a sample event closes in its group, which has these rules now.
fn closed_by_sample(event: &[u8], left: &[&str]) -> Vec<(&'static str, String)> {
    let [event] = &decode(event)[..] else { panic!("one event") };
    let group = Group { id: id("sg-0a1b2c3d4e5f67890"), ..group() };
    let world = MemoryEc2::new([(place(), group, rules(left))], Lists::new());
    let report = run(&world, &settings(Remediation::Notify), event).unwrap();
    report.findings.iter().map(|it| (it.severity.as_str(), to_title(it))).collect()
}

#[test]
fn recorded_revokes_close_what_they_say() {
    let title = |what: &str, how: &str| format!("{what} on typo3-shop {how}");
    let web = include_bytes!("../../../events/revoke-web.json");
    let itself = "-1 * sg-0a1b2c3d4e5f67890";
    let both = title("HTTP and HTTPS", "are closed");
    assert_eq!(closed_by_sample(web, &[itself]), [("high", both.clone())]);
    let balancer = include_bytes!("../../../events/revoke-load-balancer.json");
    assert_eq!(closed_by_sample(balancer, &[itself]), [("high", both)]);
    assert_eq!(closed_by_sample(balancer, &["tcp 80 0.0.0.0/0", "tcp 443 0.0.0.0/0"]), []);
    let to_balancer = title("HTTP and HTTPS", "are closed to sg-0b2c3d4e5f6789012");
    assert_eq!(closed_by_sample(balancer, &["-1 * sg-0c"]), [("medium", to_balancer)]);
    let http = include_bytes!("../../../events/revoke-http.json");
    let still = title("HTTP", "is closed; HTTPS still works");
    assert_eq!(closed_by_sample(http, &["tcp 443 0.0.0.0/0", "tcp 443 ::/0"]), [("medium", still)]);
    for harmless in [
        &include_bytes!("../../../events/revoke-self.json")[..],
        include_bytes!("../../../events/revoke-ping.json"),
    ] {
        assert_eq!(closed_by_sample(harmless, &[]), []);
        assert_eq!(closed_by_sample(harmless, &["tcp 3306 sg-0b"]), []);
    }
}

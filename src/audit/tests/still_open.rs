//! What a message says is true of the group: SSH that is open through another rule is named.

use super::*;
use crate::ec2::hold::{REASON, UNTIL};
use crate::evaluate::Severity;
use crate::finding::Unchecked;
use crate::report::ReportJson;

const OPENED: &str = "tcp 22 0.0.0.0/0 sgr-1";

/// What an audit of the change that opened [`OPENED`] tells, in a group that also has `others`.
fn opened_beside(others: &[&str]) -> (MemoryEc2, Ran) {
    let world = ec2(&rules(&[&[OPENED], others].concat()));
    let settings = settings(Remediation::RevertSsh);
    let ran = run_at(&world, &settings, &authorized(&[OPENED]), noon(), None);
    (world, ran)
}

fn open_ids(finding: &Finding) -> Vec<&str> {
    finding.still_open().iter().map(|rule| rule.id().unwrap().as_str()).collect()
}

fn subject(ran: &Ran) -> &str {
    &ran.messages[0].subject
}

/// Everything that a person reads.
fn mail(ran: &Ran) -> String {
    let bodies = ran.messages.iter().map(|message| {
        let body: Value = serde_json::from_str(&message.body).unwrap();
        body["email"].as_str().unwrap().to_owned()
    });
    bodies.collect()
}

#[test]
fn where_nothing_else_is_open_the_message_says_closed() {
    let compliant = ["tcp 443 0.0.0.0/0 sgr-2", "tcp 22 203.0.113.64/26 sgr-3"];
    let (world, ran) = opened_beside(&compliant);
    let finding = only(ran.report());
    assert_eq!((finding.still_open().len(), &finding.fix), (0, &None));
    assert_eq!(found(ran.report()).unchecked, None);
    assert!(subject(&ran).starts_with("CLOSED "), "{}", subject(&ran));
    assert!(!ingress(&world).contains(&"tcp 22 from 0.0.0.0/0".to_owned()));
}

#[test]
fn ssh_that_was_open_before_is_named_and_nothing_is_called_closed() {
    for other in [
        "tcp 22 ::/0 sgr-2",
        "tcp 22 0.0.0.0/1 sgr-2",
        "tcp 20-25 198.51.100.0/24 sgr-2",
        "tcp 22 198.51.100.0/31 sgr-2",
        "-1 * 0.0.0.0/0 sgr-2",
        "6 0-65535 ::/1 sgr-2",
        "50 * 0.0.0.0/0 sgr-2",
    ] {
        let (world, ran) = opened_beside(&[other]);
        let finding = only(ran.report());
        if other.starts_with("50") {
            // A protocol without ports is no SSH.
            assert_eq!(open_ids(finding), [] as [&str; 0], "{other}");
            continue;
        }
        assert_eq!(open_ids(finding), ["sgr-2"], "{other}");
        assert_eq!(finding.severity, Severity::Critical, "{other}");
        let subject = subject(&ran);
        assert!(subject.starts_with("STILL OPEN via sgr-2: "), "{subject}");
        let said = format!("{subject} {} {}", ran.detail(), mail(&ran)).to_lowercase();
        assert!(!said.contains("closed"), "{said}");
        assert!(ran.detail().starts_with("STILL OPEN: "), "{}", ran.detail());
        let published = &ran.published()["findings"][0];
        assert_eq!(published["still_open"][0]["id"], "sgr-2", "{other}");
        // It is not touched, for no change has opened it, and the next line closes it.
        assert!(world.rules_of(&id(SG)).unwrap().contains(&rule(other)), "{other}");
        assert!(paste(&world, finding.fix.as_deref().unwrap()), "{other}");
        let again = run(&world, &settings(Remediation::Notify), &sweep()).unwrap();
        assert!(again.findings.iter().all(|it| it.code != Code::OpenSsh), "{other}");
    }
}

#[test]
fn what_is_not_open_ssh_is_not_named() {
    let others = [
        "tcp 22 8.8.8.8/32 sgr-2",
        "tcp 22 10.0.0.0/8 sgr-3",
        "tcp 22 sg-0b sgr-4",
        "tcp 3306 0.0.0.0/0 sgr-5",
        "udp 22 0.0.0.0/0 sgr-6",
    ];
    let (_, ran) = opened_beside(&others);
    assert_eq!(open_ids(only(ran.report())), [] as [&str; 0]);
    // Egress to everybody's SSH opens nothing here.
    let peer = id("0.0.0.0/0");
    let out = Rule::new(Direction::Egress, id("tcp"), Some(22), Some(22), peer).unwrap();
    let world = ec2(&[rule(OPENED), out]);
    let settings = settings(Remediation::RevertSsh);
    let report = run(&world, &settings, &authorized(&[OPENED])).unwrap();
    assert_eq!(open_ids(only(&report)), [] as [&str; 0]);
}

#[test]
fn the_fix_closes_several_open_rules_at_once() {
    let (world, ran) = opened_beside(&["tcp 22-80 ::/0 sgr-2", "tcp 22-443 ::/0 sgr-3"]);
    let finding = only(ran.report());
    assert_eq!(open_ids(finding), ["sgr-2", "sgr-3"]);
    assert!(subject(&ran).starts_with("STILL OPEN via sgr-2 +1: "), "{}", subject(&ran));
    assert!(paste(&world, finding.fix.as_deref().unwrap()));
    assert_eq!(
        ingress(&world),
        [
            "tcp 22 from 2001:db8:1::/48",
            "tcp 22 from 203.0.113.0/24",
            "tcp 443 from ::/0",
            "tcp 80 from ::/0",
        ]
    );
}

/// Two rules that keep open what the change opened, which is gone.
const HALVES: [&str; 2] = ["tcp 22 0.0.0.0/1 sgr-2", "tcp 22 128.0.0.0/1 sgr-3"];

/// How many rules of the group are open SSH.
fn open_rules(world: &MemoryEc2) -> usize {
    let report = run(world, &settings(Remediation::Notify), &sweep()).unwrap();
    report.findings.iter().filter(|finding| finding.code == Code::OpenSsh).count()
}

#[test]
fn the_fix_and_the_line_that_completes_add_nothing_twice() {
    let (office, http) = ("tcp 22 from 203.0.113.0/24", "tcp 80 from 0.0.0.0/0");
    let world = ec2(&rules(&HALVES));
    let settings = settings(Remediation::RevertSsh);
    let report = run(&world, &settings, &authorized(&["tcp 22-80 0.0.0.0/0 sgr-1"])).unwrap();
    let (finding, found) = (only(&report), found(&report));
    assert_eq!(finding.outcome(), Outcome::AlreadyGone);
    assert_eq!(texts(&found.missing), [http, office]);
    assert_eq!(
        (texts(&found.offered), texts(&found.admitted)),
        (vec![office.to_owned()], vec![office.to_owned()])
    );
    // Each alone.
    let (fix, complete) = (finding.fix.as_deref().unwrap(), finding.complete.as_deref().unwrap());
    assert!(paste(&world, fix));
    assert_eq!(ingress(&world), [office]);
    let other = ec2(&rules(&HALVES));
    assert!(paste(&other, complete));
    assert_eq!(ingress(&other), ["tcp 22 from 0.0.0.0/1", "tcp 22 from 128.0.0.0/1", http]);
    // One after the other, in both orders.
    assert!(paste(&world, complete) && paste(&other, fix));
    for world in [world, other] {
        assert_eq!(
            (ingress(&world), open_rules(&world)),
            (vec![office.to_owned(), http.to_owned()], 0)
        );
    }
}

#[test]
fn where_the_fix_adds_all_that_is_missing_no_other_line_does() {
    let world = ec2(&rules(&HALVES));
    let settings = settings(Remediation::RevertSsh);
    let ran = run_at(&world, &settings, &authorized(&[OPENED]), noon(), None);
    let finding = only(ran.report());
    assert_eq!((found(ran.report()).missing.len(), &finding.complete), (1, &None));
    let said = "A command for another rule of the group adds tcp 22 from 203.0.113.0/24.";
    assert!(ran.detail().contains(said), "{}", ran.detail());
    assert!(paste(&world, finding.fix.as_deref().unwrap()));
    assert_eq!(ingress(&world), ["tcp 22 from 203.0.113.0/24"]);
}

#[test]
fn in_a_full_group_the_fix_closes_all_open_rules_before_it_adds() {
    let mut all = rules(&["tcp 22-80 0.0.0.0/1 sgr-2", "tcp 22-80 128.0.0.0/1 sgr-3"]);
    all.extend((2..60).map(|n| rule(&format!("tcp 8443 203.0.113.{n}/32 sgr-f{n}"))));
    let world = ec2(&all);
    let report = run(&world, &settings(Remediation::RevertSsh), &authorized(&[OPENED])).unwrap();
    paste(&world, only(&report).fix.as_deref().unwrap());
    assert_eq!(open_rules(&world), 0);
}

#[test]
fn a_rule_that_could_not_be_reverted_keeps_the_others_from_being_called_closed() {
    let both = [OPENED, "tcp 22 ::/0 sgr-2"];
    let world = ec2(&rules(&both));
    let refusing = hooked(&world, |call| revokes(call, "::/0").then(denied));
    let settings = settings(Remediation::RevertSsh);
    let ran = run_at(&refusing, &settings, &authorized(&both), noon(), None);
    let [first, second] = &ran.report().findings[..] else { panic!("{:#?}", ran.report()) };
    assert!(first.is_rule_gone() && !second.is_rule_gone());
    assert_eq!((open_ids(first), open_ids(second)), (vec!["sgr-2"], vec![]));
    assert!(!subject(&ran).contains("CLOSED") || subject(&ran).contains("NOT CLOSED"));
    // A piece of it was added before EC2 refused, and the next line does not add it once more.
    assert!(ingress(&world).contains(&"tcp 22 from 2001:db8:1::/48".to_owned()));
    // The line for the rule is with the finding about it, and only there: a second one would be
    // refused, and would close nothing that only it names.
    assert_eq!(
        (&first.fix, texts(&first.found_rule().unwrap().closed_elsewhere).len()),
        (&None, 1)
    );
    assert!(paste(&world, second.fix.as_deref().unwrap()), "{:?}", second.fix);
    assert!(!ingress(&world).contains(&"tcp 22 from ::/0".to_owned()));
    let told = &ran.published()["findings"];
    let detail = told[0]["remediation"]["detail"].as_str().unwrap();
    assert!(
        detail.contains("The command of another finding closes sgr-2 (tcp 22 from ::/0)"),
        "{detail}"
    );
}

#[test]
fn a_rule_that_keeps_two_findings_open_is_closed_by_one_line() {
    let opened = [OPENED, "tcp 22 198.51.100.0/24 sgr-4"];
    let world = ec2(&rules(&[&opened[..], &["tcp 22 ::/0 sgr-2"]].concat()));
    let settings = settings(Remediation::RevertSsh);
    let ran = run_at(&world, &settings, &authorized(&opened), noon(), None);
    let [first, second] = &ran.report().findings[..] else { panic!("{:#?}", ran.report()) };
    assert_eq!((open_ids(first), open_ids(second)), (vec!["sgr-2"], vec!["sgr-2"]));
    assert_eq!((first.fix.is_some(), &second.fix), (true, &None));
    assert!(subject(&ran).starts_with("STILL OPEN via sgr-2: "), "{}", subject(&ran));
    assert!(paste(&world, first.fix.as_deref().unwrap()));
    assert_eq!(open_rules(&world), 0);
}

#[test]
fn lines_of_rules_with_the_same_pieces_add_them_once() {
    let opened = ["tcp 443-3306 0.0.0.0/0 sgr-1", "tcp 22 198.51.100.0/24 sgr-3"];
    let world = ec2(&rules(&[&opened[..], &["tcp 22-443 0.0.0.0/0 sgr-2"]].concat()));
    let refusing = hooked(&world, |call| match call {
        Call::Revoke(_, _, rule) => (rule.id() == Some(&id("sgr-1"))).then(denied),
        _ => None,
    });
    let settings = settings(Remediation::RevertIngress);
    let report = run(&refusing, &settings, &authorized(&opened)).unwrap();
    assert_eq!(report.findings.iter().filter(|it| it.is_rule_gone()).count(), 1);
    assert_true_of(&report, &settings, &id(SG), &world.rules_of(&id(SG)).unwrap());
}

#[test]
fn a_rule_that_is_authorised_again_at_once_is_still_open() {
    let world = ec2(&rules(&[OPENED]));
    let revoked = Cell::new(false);
    let put_back = hooked(&world, |call| {
        revoked.set(revoked.get() || is_revoke(call));
        if revoked.get() && matches!(call, Call::Rules(_)) {
            let again = ChangeKind::Authorized(rules(&["tcp 22 0.0.0.0/0 sgr-9"]));
            world.follow(&place(), &change(again));
        }
        None
    });
    let settings = settings(Remediation::RevertSsh);
    let ran = run_at(&put_back, &settings, &authorized(&[OPENED]), noon(), None);
    assert_eq!(open_ids(only(ran.report())), ["sgr-9"]);
    assert!(subject(&ran).starts_with("STILL OPEN "), "{}", subject(&ran));
}

#[test]
fn a_read_that_still_shows_what_was_revoked_does_not_make_it_open() {
    let (before, after) = (ec2(&rules(&[OPENED])), Cell::new(false));
    // EC2 is eventually consistent: its second read shows the first one's rules.
    struct Stale<'a>(&'a MemoryEc2, &'a Cell<bool>);
    impl Hook for Stale<'_> {
        async fn before(&self, call: Call<'_>) -> Result<(), Ec2Error> {
            if self.1.get() && matches!(call, Call::Rules(_)) {
                let seen = ChangeKind::Authorized(rules(&[OPENED]));
                self.0.follow(&place(), &change(seen));
            }
            self.1.set(self.1.get() || is_revoke(call));
            Ok(())
        }
    }
    let stale = Hooked { ec2: &before, hook: Stale(&before, &after) };
    let settings = settings(Remediation::RevertSsh);
    let ran = run_at(&stale, &settings, &authorized(&[OPENED]), noon(), None);
    assert_eq!(open_ids(only(ran.report())), [] as [&str; 0]);
    assert!(subject(&ran).starts_with("CLOSED "), "{}", subject(&ran));
}

#[test]
fn where_the_group_cannot_be_read_again_nothing_is_called_closed() {
    for error in [throttled, denied] {
        for (others, named) in [(&[][..], vec![]), (&["tcp 22 ::/0 sgr-2"], vec!["sgr-2"])] {
            let world = ec2(&rules(&[&[OPENED], others].concat()));
            let revoked = Cell::new(false);
            let failing = hooked(&world, |call| {
                revoked.set(revoked.get() || is_revoke(call));
                (revoked.get() && matches!(call, Call::Rules(_))).then(error)
            });
            let settings = settings(Remediation::RevertSsh);
            let ran = run_at(&failing, &settings, &authorized(&[OPENED]), noon(), None);
            // That the rule is gone is known, and told at once.
            assert_eq!(only(ran.report()).outcome(), Outcome::Narrowed);
            assert_eq!(found(ran.report()).unchecked, Some(Unchecked::Group));
            assert_eq!(open_ids(only(ran.report())), named);
            let subject = subject(&ran);
            let begins = if named.is_empty() { "MAYBE STILL OPEN: " } else { "STILL OPEN via " };
            assert!(subject.starts_with(begins), "{subject}");
            let said = format!("{subject} {} {}", ran.detail(), mail(&ran)).to_lowercase();
            assert!(!said.contains("closed"), "{said}");
            assert!(ran.detail().contains("could not be read again"), "{}", ran.detail());
            assert_eq!(ran.published()["findings"][0]["still_open_unknown"], true);
        }
    }
}

#[test]
fn a_list_that_cannot_be_read_leaves_open_whether_its_rule_is() {
    for lists in [unreadable_list("pl-1"), Lists::new()] {
        let world = ec2_with_lists(&rules(&[OPENED, "tcp 22 pl-1 sgr-2"]), lists);
        let settings = settings(Remediation::RevertSsh);
        let ran = run_at(&world, &settings, &authorized(&[OPENED]), noon(), None);
        let undecided = Unchecked::Rules(rules(&["tcp 22 pl-1 sgr-2"]));
        assert_eq!(found(ran.report()).unchecked, Some(undecided));
        assert!(subject(&ran).starts_with("MAYBE STILL OPEN: "), "{}", subject(&ran));
        assert!(ran.detail().contains("sgr-2 (tcp 22 from pl-1)"), "{}", ran.detail());
    }
    // One that can be read says it.
    let wide = ec2_with_lists(&rules(&[OPENED, "tcp 22 pl-1 sgr-2"]), list("pl-1", &["::/0"]));
    let report = run(&wide, &settings(Remediation::RevertSsh), &authorized(&[OPENED])).unwrap();
    assert_eq!(open_ids(only(&report)), ["sgr-2"]);
}

#[test]
fn a_rule_that_is_held_open_is_still_open() {
    let tags = [(UNTIL, "2026-11-02T20:00:00Z"), (REASON, "vendor, ticket 4711")];
    let tags = tags.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let held = rule("tcp 22 ::/0 sgr-2").with_tags(tags.into());
    let world = ec2(&[rule(OPENED), held]);
    let settings = settings(Remediation::RevertSsh);
    let report = run(&world, &settings, &authorized(&[OPENED])).unwrap();
    assert_eq!(open_ids(only(&report)), ["sgr-2"]);
}

#[test]
fn every_finding_about_ssh_names_what_is_open() {
    let host = "tcp 22 8.8.8.8/32 sgr-1";
    let world = ec2(&rules(&[host, "tcp 22 ::/0 sgr-2"]));
    let notify = settings(Remediation::Notify);
    let report = run(&world, &notify, &authorized(&[host])).unwrap();
    assert_eq!(only(&report).code, Code::SshFromUnlistedHost);
    assert_eq!(open_ids(only(&report)), ["sgr-2"]);
    assert_eq!(only(&report).severity, Severity::Critical);
    // Two that are open name each other.
    let world = ec2(&rules(&[OPENED, "tcp 22 ::/0 sgr-2"]));
    let report = run(&world, &notify, &sweep()).unwrap();
    let [first, second] = &report.findings[..] else { panic!("{report:#?}") };
    assert_eq!((open_ids(first), open_ids(second)), (vec!["sgr-2"], vec!["sgr-1"]));
    // What is not about SSH says nothing about it.
    let database = "tcp 3306 0.0.0.0/0 sgr-3";
    let world = ec2(&rules(&[database, OPENED]));
    let report = run(&world, &notify, &authorized(&[database])).unwrap();
    assert_eq!(open_ids(only(&report)), [] as [&str; 0]);
}

#[test]
fn what_cannot_be_handed_on_tells_of_the_other_rules_too() {
    struct Alone;
    impl Invoker for Alone {
        async fn invoke(&self, _: &Value) -> Result<(), InvokeError> {
            Err(InvokeError { cause: cause("AccessDenied"), is_transient: false })
        }
    }
    let world = ec2(&rules(&[OPENED, "tcp 22 ::/0 sgr-2"]));
    let settings =
        Settings { sweep_remediation: Remediation::RevertSsh, ..settings(Remediation::Notify) };
    let (notifier, home) = (MemoryNotifier::default(), place());
    let auditor = Auditor::new(&world, &notifier, &Alone, &settings, &home);
    assert!(block_on(auditor.audit(&sweep(), &noon, None)).is_ok());
    let [message] = &notifier.take()[..] else { panic!("one message") };
    assert!(message.body.contains("Closing it would keep"), "{}", message.body);
    let report = report_in(message);
    for finding in report["findings"].as_array().unwrap() {
        assert_eq!(finding["still_open"].as_array().unwrap().len(), 1, "{finding}");
        assert!(paste(&world, finding["remediation"]["fix"].as_str().unwrap()));
    }
    assert_eq!(ingress(&world), ["tcp 22 from 2001:db8:1::/48", "tcp 22 from 203.0.113.0/24"]);
}

#[test]
fn of_a_group_that_cannot_be_read_nothing_is_known() {
    let world = ec2(&rules(&[OPENED]));
    let refusing = hooked(&world, |call| matches!(call, Call::Rules(_)).then(denied));
    let settings = settings(Remediation::RevertSsh);
    let report = run(&refusing, &settings, &authorized(&[OPENED])).unwrap();
    assert_eq!(found(&report).unchecked, Some(Unchecked::Group));
    // A revert of a rule that was not read revokes it first. So does the next line.
    assert!(paste(&world, only(&report).fix.as_deref().unwrap()));
    assert_eq!(ingress(&world), ["tcp 22 from 203.0.113.0/24"]);
}

const HOST: &str = "tcp 22 198.51.100.1/32 sgr-1";

/// What a change tells that opened [`HOST`], in a group that also has `others`.
fn host_beside(others: &[&str]) -> Ran {
    let world = ec2(&rules(&[&[HOST], others].concat()));
    let settings = settings(Remediation::RevertSsh);
    run_at(&world, &settings, &authorized(&[HOST]), noon(), None)
}

#[test]
fn rules_for_single_hosts_are_counted() {
    let alone = "Nothing was changed: beyond the baseline, this rule lets one public host reach SSH, \
                 and only rules that let in more than one are closed. The rule was still in the \
                 group.";
    let ran = host_beside(&["tcp 443 198.51.100.2/32 sgr-2", "tcp 22 203.0.113.9/32 sgr-3"]);
    assert_eq!(found(ran.report()).other_hosts, Some(0));
    assert_eq!(ran.detail(), alone);
    // In another family, among other ports, with office addresses, and the same host once more.
    let others = [
        "tcp 22 2001:db8:2::1/128 sgr-2",
        "tcp 0-65535 198.51.100.3/32 sgr-3",
        "-1 * 198.51.100.1/32 sgr-4",
        "tcp 22 10.0.0.0/8 sgr-5",
        "tcp 22 sg-0b sgr-6",
    ];
    let ran = host_beside(&others);
    assert_eq!(found(ran.report()).other_hosts, Some(3));
    assert!(ran.detail().contains(" 3 other rules of the group do the same. "), "{}", ran.detail());
    let ran = host_beside(&others[..1]);
    let told = " Another rule of the group does the same. ";
    assert!(ran.detail().contains(told), "{}", ran.detail());
    // Where SSH is open, that is told by the rule that opens it.
    let ran = host_beside(&["tcp 22 198.51.100.2/31 sgr-2"]);
    assert_eq!(found(ran.report()).other_hosts, Some(0));
    assert!(ran.detail().contains("SSH is open through sgr-2"), "{}", ran.detail());
}

#[test]
fn many_hosts_of_one_change_are_counted_in_each_finding() {
    let hosts: Vec<String> =
        (0..50).map(|host| format!("tcp 22 198.51.100.{host}/32 sgr-{host:x}")).collect();
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let ran = run_at(
        &ec2(&rules(&hosts)),
        &settings(Remediation::RevertSsh),
        &authorized(&hosts),
        noon(),
        None,
    );
    assert_eq!(ran.report().findings.len(), 50);
    for finding in &ran.report().findings {
        assert_eq!(finding.code, Code::SshFromUnlistedHost);
        assert_eq!(finding.found_rule().unwrap().other_hosts, Some(49));
    }
    assert!(mail(&ran).contains("49 other rules of the group do the same."));
}

#[test]
fn hosts_of_a_group_that_cannot_be_read_again_are_not_counted() {
    let world = ec2(&rules(&[OPENED, "tcp 22 198.51.100.1/32 sgr-2"]));
    let reads = Cell::new(0);
    let second = |call: Call<'_>| {
        let is_second = matches!(call, Call::Rules(_)) && reads.replace(reads.get() + 1) > 0;
        is_second.then(denied)
    };
    let refusing = hooked(&world, second);
    let event = authorized(&[OPENED, "tcp 22 198.51.100.1/32 sgr-2"]);
    let report = run(&refusing, &settings(Remediation::RevertSsh), &event).unwrap();
    let host = with_code(&report, Code::SshFromUnlistedHost);
    assert_eq!(host.found_rule().unwrap().other_hosts, None);
    let detail = serde_json::to_value(ReportJson::from(&report)).unwrap().to_string();
    assert!(
        detail.contains("Whether other rules of the group do the same is not known."),
        "{detail}"
    );
}

#[test]
fn what_is_not_closed_besides_hosts_says_which_rules_are() {
    let database = "tcp 3306 0.0.0.0/0 sgr-2";
    let world = ec2(&rules(&[HOST, "tcp 22 198.51.100.2/32 sgr-3", database]));
    let settings = settings(Remediation::RevertSsh);
    let ran = run_at(&world, &settings, &authorized(&[database]), noon(), None);
    let told = "the auditor closes a rule only if it opens SSH to more than one public address that \
                the baseline does not allow.";
    assert!(ran.detail().contains(told), "{}", ran.detail());
}

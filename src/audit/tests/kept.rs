//! What is kept of a closed rule is there, what is missing is not, and a line adds it.

use super::*;

const ALL_TCP: &str = "tcp 0-65535 0.0.0.0/0 sgr-1";
const HTTP: &str = "tcp 80 from 0.0.0.0/0";
const HTTPS: &str = "tcp 443 from 0.0.0.0/0";
const OFFICE: &str = "tcp 22 from 203.0.113.0/24";

/// A group with [`ALL_TCP`], `others`, and as many rules for single hosts as fill it up.
fn full(others: &[&str]) -> MemoryEc2 {
    let mut all = rules(&[&[ALL_TCP], others].concat());
    let more = 60 - all.len();
    // What may leave the group lets nobody in.
    all.extend(Rule::of_new_group().iter().cloned());
    all.extend((1..=more).map(|n| rule(&format!("tcp 443 203.0.113.{n}/32 sgr-f{n}"))));
    ec2(&all)
}

fn revoke(world: &MemoryEc2, text: &str) {
    block_on(world.revoke(&place(), &id(SG), &rule(text))).unwrap();
}

fn closed(world: &impl SecurityGroups, change: &[&str]) -> Ran {
    run_at(world, &settings(Remediation::RevertSsh), &authorized(change), noon(), None)
}

/// What is kept and what is missing.
fn kept_and_missing(ran: &Ran) -> (Vec<String>, Vec<String>) {
    let found = found(ran.report());
    (texts(&found.kept), texts(&found.missing))
}

fn complete(ran: &Ran) -> &str {
    only(ran.report()).complete.as_deref().unwrap()
}

/// What the published findings say of the remediation.
fn details(ran: &Ran) -> Vec<String> {
    let published = ran.published();
    let findings = published["findings"].as_array().unwrap().iter();
    findings.map(|it| it["remediation"]["detail"].as_str().unwrap().to_owned()).collect()
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

#[test]
fn what_replaced_the_rule_is_kept_and_nothing_is_missing() {
    let world = ec2(&rules(&[ALL_TCP]));
    let ran = closed(&world, &[ALL_TCP]);
    assert_eq!(kept_and_missing(&ran), (strings(&[HTTPS, HTTP, OFFICE]), vec![]));
    assert_eq!(only(ran.report()).complete, None);
    // A second run says the same of what the first one left.
    let again = closed(&world, &[ALL_TCP]);
    let (mut kept, missing) = kept_and_missing(&again);
    kept.sort();
    assert_eq!((kept, missing), (strings(&[OFFICE, HTTPS, HTTP]), vec![]));
}

#[test]
fn at_the_limit_https_is_kept_and_what_is_missing_has_a_line() {
    let world = full(&[]);
    let ran = closed(&world, &[ALL_TCP]);
    assert_eq!(only(ran.report()).outcome(), Outcome::Failed);
    assert_eq!(kept_and_missing(&ran), (strings(&[HTTPS]), strings(&[HTTP, OFFICE])));
    let published = &ran.published()["findings"][0]["remediation"];
    assert_eq!(published["kept"][0], HTTPS);
    assert_eq!(published["missing"][0], HTTP);
    // The group is full. With room for one rule, the first one fits.
    assert!(!paste(&world, complete(&ran)));
    assert!(!ingress(&world).contains(&HTTP.to_owned()));
    revoke(&world, "tcp 443 203.0.113.1/32");
    assert!(!paste(&world, complete(&ran)));
    assert!(ingress(&world).contains(&HTTP.to_owned()));
    assert!(!ingress(&world).contains(&OFFICE.to_owned()));
}

#[test]
fn the_line_adds_exactly_what_is_missing() {
    let world = full(&[]);
    let ran = closed(&world, &[ALL_TCP]);
    let before = ingress(&world);
    revoke(&world, "tcp 443 203.0.113.1/32");
    revoke(&world, "tcp 443 203.0.113.2/32");
    assert!(paste(&world, complete(&ran)));
    let mut added = ingress(&world);
    added.retain(|rule| !before.contains(rule));
    assert_eq!(added, strings(&[OFFICE, HTTP]));
}

#[test]
fn what_is_there_already_is_not_missing() {
    let web = ["tcp 80 0.0.0.0/0 sgr-2", "tcp 443 0.0.0.0/0 sgr-3"];
    let world = full(&web);
    let ran = closed(&world, &[ALL_TCP]);
    assert_eq!(kept_and_missing(&ran), (strings(&[OFFICE]), vec![]));
    // Where another rule takes the room, only the office is missing.
    let world = full(&web).with_rule_limit(59);
    let ran = closed(&world, &[ALL_TCP]);
    assert_eq!(kept_and_missing(&ran), (vec![], strings(&[OFFICE])));
    revoke(&world, "tcp 443 203.0.113.1/32");
    assert!(paste(&world, complete(&ran)));
    assert!(ingress(&world).contains(&OFFICE.to_owned()));
}

#[test]
fn what_only_a_rule_beyond_the_baseline_admits_is_missing() {
    // It admits port 80 as well, and has to go.
    let world = full(&["tcp 80-90 0.0.0.0/0 sgr-2", "tcp 443 0.0.0.0/0 sgr-3"]);
    let world = world.with_rule_limit(59);
    let ran = closed(&world, &[ALL_TCP]);
    assert_eq!(kept_and_missing(&ran), (vec![], strings(&[HTTP, OFFICE])));
}

#[test]
fn what_such_a_rule_admits_for_now_is_missing_all_the_same_and_the_sentence_says_both() {
    let world = full(&["tcp 80-90 0.0.0.0/0 sgr-2", "tcp 443 0.0.0.0/0 sgr-3"]);
    let world = world.with_rule_limit(59);
    let ran = closed(&world, &[ALL_TCP]);
    let found = found(ran.report());
    assert_eq!(texts(&found.missing), [HTTP, OFFICE]);
    assert_eq!((texts(&found.admitted), found.offered.len()), (strings(&[HTTP]), 0));
    let said = format!("For now, rules that do not comply admit {HTTP}.");
    assert!(ran.detail().contains(&said), "{}", ran.detail());
    assert!(complete(&ran).contains("\"FromPort\":80"));
}

#[test]
fn two_rules_of_one_change_tell_of_each_piece_as_it_is_in_the_end() {
    // There is no room for port 80 when the first rule is closed. The second one makes it.
    let both = [ALL_TCP, "tcp 20-500 0.0.0.0/0 sgr-2"];
    let world = full(&both[1..]);
    let ran = closed(&world, &both);
    let [first, second] = &ran.report().findings[..] else { panic!("{:#?}", ran.report()) };
    assert_true_of(
        ran.report(),
        &settings(Remediation::RevertSsh),
        &id(SG),
        &world.rules_of(&id(SG)).unwrap(),
    );
    let details = details(&ran);
    for (finding, told) in [first, second].into_iter().zip(&details) {
        assert_eq!(texts(&finding.found_rule().unwrap().missing), [OFFICE]);
        assert!(told.contains(&format!("could not be added: {OFFICE} (")), "{told}");
    }
    // Only one of the two lines adds it, and both can be pasted.
    assert_eq!((first.complete.is_some(), &second.complete), (true, &None));
    assert!(details[1].contains("A command for another rule of the group adds"));
    revoke(&world, "tcp 443 203.0.113.1/32");
    assert!(paste(&world, first.complete.as_deref().unwrap()));
    assert!(ingress(&world).contains(&OFFICE.to_owned()));
}

#[test]
fn what_a_later_revert_put_back_is_no_failure() {
    let both = [ALL_TCP, "tcp 20-500 0.0.0.0/0 sgr-2"];
    let world = full(&both[1..]);
    let settings = with_sources(settings(Remediation::RevertSsh), "none");
    let ran = run_at(&world, &settings, &authorized(&both), noon(), None);
    for finding in &ran.report().findings {
        assert_eq!(finding.outcome(), Outcome::Narrowed, "{finding:#?}");
    }
    assert!(details(&ran).iter().all(|told| !told.contains("could not")), "{:?}", details(&ran));
    assert!(ran.messages[0].subject.starts_with("CLOSED "), "{}", ran.messages[0].subject);
}

#[test]
fn a_peer_that_ec2_refuses_does_not_keep_the_rest_from_being_added() {
    let settings =
        with_sources(settings(Remediation::RevertSsh), "sg-0123456789abcdef1,203.0.113.0/24");
    let world = full(&["tcp 80 0.0.0.0/0 sgr-2", "tcp 443 0.0.0.0/0 sgr-3"]).with_rule_limit(59);
    let refusing = hooked(&world, |call| match call {
        Call::Authorize(_, _, rule) if rule.peer().to_string().starts_with("sg-") => {
            Some(no_group())
        }
        _ => None,
    });
    let ran = run_at(&refusing, &settings, &authorized(&[ALL_TCP]), noon(), None);
    let line = complete(&ran);
    let (office, group) = (line.find("203.0.113.0/24").unwrap(), line.find("sg-0123456789abcdef1"));
    assert!(group.is_none_or(|group| office < group) && line.contains(" && "), "{line}");
}

#[test]
fn more_than_forty_pieces_are_kept_up_to_forty_and_the_rest_is_missing() {
    let sources: Vec<String> = (0..43).map(|n| format!("203.0.113.{}/32", 2 * n)).collect();
    let settings = with_sources(settings(Remediation::RevertSsh), &sources.join(","));
    let open = "tcp 22 0.0.0.0/0 sgr-1";
    let world = ec2(&rules(&[open]));
    let ran = run_at(&world, &settings, &authorized(&[open]), noon(), None);
    let (kept, missing) = kept_and_missing(&ran);
    assert_eq!((kept.len(), missing.len()), (40, 3));
    assert_eq!(ingress(&world).len(), 40);
    assert!(paste(&world, complete(&ran)));
    assert_eq!(ingress(&world).len(), 43);
}

#[test]
fn a_description_that_somebody_copied_does_not_make_open_ssh_complete() {
    let forged = "kept by typo3-sg-auditor from sgr-1 (tcp 0-65535 from 0.0.0.0/0)".to_owned();
    let other = rule("tcp 22 198.51.100.0/24 sgr-2").with_description(Some(forged));
    let world = ec2(&[rule(ALL_TCP), other]);
    let ran = closed(&world, &[ALL_TCP]);
    assert_eq!(only(ran.report()).still_open()[0].id(), Some(&id("sgr-2")));
    let (kept, missing) = kept_and_missing(&ran);
    assert!(kept.contains(&OFFICE.to_owned()) && missing.is_empty(), "{kept:?}");
}

#[test]
fn where_the_group_cannot_be_read_again_what_this_run_added_is_kept() {
    let world = full(&[]);
    let revoked = Cell::new(false);
    let failing = hooked(&world, |call| {
        revoked.set(revoked.get() || is_revoke(call));
        (revoked.get() && matches!(call, Call::Rules(_))).then(throttled)
    });
    let ran = closed(&failing, &[ALL_TCP]);
    assert_eq!(kept_and_missing(&ran), (strings(&[HTTPS]), strings(&[HTTP, OFFICE])));
    assert!(ingress(&world).contains(&HTTPS.to_owned()));
}

#[test]
fn pieces_of_a_rule_that_somebody_else_removed_meanwhile_are_kept_and_not_offered_again() {
    let world = ec2(&rules(&[ALL_TCP]));
    let revoked = Cell::new(false);
    let failing = hooked(&world, |call| match call {
        Call::Revoke(..) => {
            revoked.set(true);
            Some(not_found())
        }
        Call::Rules(_) => revoked.get().then(denied),
        _ => None,
    });
    let ran = closed(&failing, &[ALL_TCP]);
    assert_eq!(only(ran.report()).outcome(), Outcome::AlreadyGone);
    assert_eq!(kept_and_missing(&ran), (strings(&[HTTPS, HTTP, OFFICE]), vec![]));
    assert_eq!(only(ran.report()).complete, None);
}

#[test]
fn a_rule_that_is_still_there_keeps_nothing_and_its_fix_adds_only_what_is_not_there() {
    let world = ec2(&rules(&[ALL_TCP]));
    let refusing = hooked(&world, |call| is_revoke(call).then(denied));
    let ran = closed(&refusing, &[ALL_TCP]);
    assert_eq!(kept_and_missing(&ran), (vec![], vec![]));
    assert_eq!(only(ran.report()).complete, None);
    assert!(ran.detail().contains(HTTPS), "{}", ran.detail());
    assert!(paste(&world, only(ran.report()).fix.as_deref().unwrap()));
    assert_eq!(ingress(&world), strings(&[OFFICE, HTTPS, HTTP]));
}

#[test]
fn a_rule_that_was_gone_before_says_what_is_missing() {
    let world = ec2(&rules(&["tcp 80 0.0.0.0/0 sgr-2"]));
    let ran = closed(&world, &[ALL_TCP]);
    assert_eq!(only(ran.report()).outcome(), Outcome::AlreadyGone);
    assert_eq!(kept_and_missing(&ran), (vec![], strings(&[HTTPS, OFFICE])));
    assert!(paste(&world, complete(&ran)));
    assert_eq!(ingress(&world), strings(&[OFFICE, HTTPS, HTTP]));
}

#[test]
fn without_a_region_there_is_no_line() {
    let home = Place { region: None, ..place() };
    let world = MemoryEc2::new([(home.clone(), group(), rules(&[ALL_TCP]))], Lists::new());
    let (notifier, settings) = (MemoryNotifier::default(), settings(Remediation::RevertSsh));
    let auditor = Auditor::new(&world, &notifier, &notifier, &settings, &home);
    let mut event = authorized(&[ALL_TCP]);
    event.record.region = None;
    let report = block_on(auditor.audit(&event, &noon, None)).unwrap();
    assert_eq!((&only(&report).complete, &only(&report).undo), (&None, &None));
}

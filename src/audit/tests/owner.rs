//! A group that another account has shared: it is that account's everywhere, and never changed.

use super::*;
use crate::event::{Close, FoundBy, ListChange, RuleToClose, TagAction, TagChange};

const OPEN: &str = "tcp 22 0.0.0.0/0 sgr-1";

/// The group, which its owner has shared with the account of [`place`].
fn shared() -> Group {
    Group { owner: Some(id("210987654321")), ..group() }
}

fn world(rule: &Rule) -> MemoryEc2 {
    MemoryEc2::new([(place(), shared(), vec![rule.clone()])], list("pl-1", &["0.0.0.0/0"]))
}

fn reverting() -> Settings {
    Settings {
        sweep_remediation: Remediation::RevertIngress,
        ..settings(Remediation::RevertIngress)
    }
}

/// The calls that would change something.
fn changes(world: &MemoryEc2) -> Vec<String> {
    let is_change = |call: &String| call.starts_with("Revoke") || call.starts_with("Authorize");
    world.take_calls().into_iter().filter(is_change).collect()
}

#[test]
fn event_sweep_and_check_name_the_owner_and_agree_on_the_fingerprint() {
    let world = world(&rule(OPEN));
    let settings = settings(Remediation::Notify);
    let event = run(&world, &settings, &authorized(&[OPEN])).unwrap();
    let swept = run(&world, &settings, &sweep()).unwrap();
    let lists = Lists::new();
    let mut check = Check::new(&settings, &lists, noon());
    check.group(&place(), &shared(), &rules(&[OPEN]));
    let checked = check.report();
    // The owner sees it the same way.
    let mut own = Check::new(&settings, &lists, noon());
    own.group(&shared().owned_at(&place()), &shared(), &rules(&[OPEN]));
    let own = own.report();
    for report in [&event, &swept, &checked, &own] {
        assert_eq!(only(report).place.account, Some(id("210987654321")));
        assert_eq!(only(report).fingerprint, only(&event).fingerprint);
        assert!(only(report).fix.is_some());
    }
    // A group of the account itself is another one.
    let other = run(&ec2(&rules(&[OPEN])), &settings, &authorized(&[OPEN])).unwrap();
    assert_eq!(only(&other).place, place());
    assert_ne!(only(&other).fingerprint, only(&event).fingerprint);
}

#[test]
fn a_shared_group_is_reported_and_never_changed_whatever_leads_to_it() {
    let tags = [("sg-audit:allow-until", "2026-11-02T11:45:00Z"), ("sg-audit:reason", "vendor")];
    let tags = tags.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let over = rule(OPEN).with_tags(tags.into());
    let to_close = RuleToClose {
        place: place(),
        group: id(SG),
        rule: rule(OPEN),
        note: None,
        found_by: FoundBy::Leaving,
    };
    let untagged = TagChange {
        groups: vec![id(SG)],
        tags: [("Role".to_owned(), TagAction::Deleted(None))].into(),
        all_deleted: false,
    };
    let grown = ListChange { list: id("pl-1"), version_before: None, added: vec![] };
    for (event, rule, scope) in [
        (authorized(&[OPEN]), rule(OPEN), Scope::All),
        (event(ChangeKind::Modified(vec![modified(OPEN)])), rule(OPEN), Scope::All),
        (cut_short(), rule(OPEN), Scope::All),
        (sweep(), rule(OPEN), Scope::All),
        (check_of_holds(), over, Scope::All),
        (message(Message::Close(Close { rules: vec![to_close] })), rule(OPEN), Scope::All),
        (Event { record: record(), kind: Kind::Tags(untagged) }, rule(OPEN), role_scope()),
        (
            Event { record: record(), kind: Kind::List(grown) },
            super::rule("tcp 22 pl-1 sgr-1"),
            Scope::All,
        ),
    ] {
        let world = world(&rule);
        let settings = Settings { scope, ..reverting() };
        let ran = run_at(&world, &settings, &event, noon(), None);
        let report = ran.report();
        assert_eq!(changes(&world), [] as [&str; 0], "{event:?}");
        let finding = with_code(report, Code::OpenSsh);
        assert_eq!(finding.outcome(), Outcome::None, "{event:?}");
        let Action::NotDue { why, .. } = finding.found_rule().unwrap().action else {
            panic!("{finding:#?}")
        };
        assert_eq!(why, NotDue::OtherOwner, "{event:?}");
        for finding in report.findings.iter().filter(|it| it.rule().is_some()) {
            assert_eq!(finding.place.account, Some(id("210987654321")), "{event:?}");
        }
    }
}

#[test]
fn a_group_whose_owner_is_not_known_is_the_account_s_that_was_asked() {
    let group = Group { owner: None, ..group() };
    let world = MemoryEc2::new([(place(), group, rules(&[OPEN]))], Lists::new());
    let report = run(&world, &reverting(), &authorized(&[OPEN])).unwrap();
    assert_eq!((only(&report).outcome(), &only(&report).place), (Outcome::Narrowed, &place()));
}

#[test]
fn a_shared_group_that_cannot_be_read_is_not_changed() {
    let world = world(&rule(OPEN));
    let refusing = hooked(&world, |call| matches!(call, Call::Rules(_)).then(denied));
    let report = run(&refusing, &reverting(), &authorized(&[OPEN])).unwrap();
    assert_eq!(changes(&world), [] as [&str; 0]);
    assert_eq!(only(&report).place.account, Some(id("210987654321")));
}

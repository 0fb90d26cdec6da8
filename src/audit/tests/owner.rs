//! A group that another account has shared: it is that account's everywhere, and never changed.

use super::*;
use crate::event::{Close, FoundBy, HoldTags, ListChange, RuleToClose, TagAction, TagChange};

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
    let mut check = GroupCheck::new(&settings, &lists, noon());
    check.group(&place(), &shared(), &rules(&[OPEN]));
    let checked = check.report();
    // The owner sees it the same way.
    let mut own = GroupCheck::new(&settings, &lists, noon());
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
        promise: None,
        claim: None,
    };
    let untagged = TagChange {
        groups: vec![id(SG)],
        tags: [("Role".to_owned(), TagAction::Deleted(None))].into(),
        all_deleted: false,
    };
    let grown = ListChange {
        list: id("pl-1"),
        name: None,
        version_before: None,
        added: vec![],
        removed: None,
        restored: None,
    };
    for (event, rule, scope) in [
        (authorized(&[OPEN]), rule(OPEN), Scope::All),
        (event(ChangeKind::Modified(vec![modified(OPEN)])), rule(OPEN), Scope::All),
        (cut_short(), rule(OPEN), Scope::All),
        (sweep(), rule(OPEN), Scope::All),
        (check_of_holds(), over, Scope::All),
        (
            message(Job::Close(Close { rules: vec![to_close], occasion: None })),
            rule(OPEN),
            Scope::All,
        ),
        (Event::new(record(), Kind::Tags(untagged)), rule(OPEN), role_scope()),
        (Event::new(record(), Kind::List(grown)), super::rule("tcp 22 pl-1 sgr-1"), Scope::All),
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
        for finding in &report.findings {
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

/// What the settings name by its account is the group's own where that account owns the group.
#[test]
fn the_owner_s_settings_count_whatever_leads_to_a_shared_group() {
    let named = |settings: Settings| with_sources(settings, "210987654321/sg-0b0b,203.0.113.0/24");
    let tags = [("sg-audit:allow-until", "2026-11-02T11:45:00Z"), ("sg-audit:reason", "vendor")];
    let tags = tags.map(|(key, value)| (key.to_owned(), value.to_owned()));
    // The owner's rules name a group of its account without the account.
    let admitted = rule("tcp 22 sg-0b0b sgr-1");
    let over = admitted.clone().with_tags(tags.into());
    let to_close = |found_by| RuleToClose {
        place: place(),
        group: id(SG),
        rule: admitted.clone(),
        note: None,
        found_by,
        promise: None,
        claim: None,
    };
    let closing =
        |found_by| message(Job::Close(Close { rules: vec![to_close(found_by)], occasion: None }));
    let retagged = HoldTags { rules: vec![id("sgr-1")], unread: None };
    let tagged = TagChange {
        groups: vec![id(SG)],
        tags: [("Role".to_owned(), TagAction::Set("typo3".to_owned()))].into(),
        all_deleted: false,
    };
    for (event, rule, scope) in [
        (authorized(&["tcp 22 sg-0b0b sgr-1"]), &admitted, Scope::All),
        (cut_short(), &admitted, Scope::All),
        (sweep(), &admitted, Scope::All),
        (check_of_holds(), &over, Scope::All),
        (closing(FoundBy::Sweep), &admitted, Scope::All),
        (Event::new(record(), Kind::HoldTags(retagged)), &admitted, Scope::All),
        (Event::new(record(), Kind::Tags(tagged)), &admitted, role_scope()),
    ] {
        let settings = Settings { scope, ..named(reverting()) };
        let about_rules = |world: &MemoryEc2| {
            let report = run(world, &settings, &event).unwrap();
            report.findings.iter().filter(|finding| finding.found_rule().is_some()).count()
        };
        assert_eq!(about_rules(&world(rule)), 0, "{event:?}");
        // In a group of the account that is asked, the rule names another group.
        assert_eq!(about_rules(&ec2(std::slice::from_ref(rule))), 1, "{event:?}");
    }
}

#[test]
fn an_event_that_tells_the_owner_is_believed_where_the_group_cannot_be_read() {
    let mut event = authorized(&[OPEN]);
    let Kind::Change(change) = &mut event.kind else { panic!("{event:?}") };
    change.owner = Some(id("210987654321"));
    let world = MemoryEc2::default();
    let gone = run(&world, &reverting(), &event).unwrap();
    assert_eq!(changes(&world), [] as [&str; 0]);
    let refusing = hooked(&world, |call| matches!(call, Call::Group(_)).then(denied));
    let unread = run(&refusing, &reverting(), &event).unwrap();
    let read = run(&self::world(&rule(OPEN)), &reverting(), &event).unwrap();
    for report in [&gone, &unread] {
        assert_eq!(only(report).place.account, Some(id("210987654321")));
        assert_eq!(only(report).fingerprint, only(&read).fingerprint);
        assert_eq!(only(report).outcome(), Outcome::None);
    }
}

#[test]
fn a_check_of_groups_of_several_accounts_judges_each_as_its_own_account_sees_it() {
    let lists = Lists::new();
    let settings = with_sources(settings(Remediation::Notify), "210987654321/sg-0b0b");
    // Each account's rule names a group of its own.
    let named = rules(&["tcp 22 sg-0b0b sgr-1"]);
    let mut check = GroupCheck::new(&settings, &lists, noon());
    for group in [group(), shared(), group()] {
        check.group(&place(), &group, &named);
    }
    let report = check.report();
    let accounts = report.findings.iter().map(|finding| finding.place.account.clone());
    assert_eq!(accounts.collect::<Vec<_>>(), [place().account, place().account]);
}

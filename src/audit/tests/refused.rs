//! Lambda refuses to invoke the function again while something is left to audit.

use super::*;
use crate::audit::Counts;
use crate::event::{
    Close, FoundBy, HoldTags, ListChange, ListResume, Lost, Resume, RuleToClose, TagAction,
    TagChange,
};

/// Lambda refuses every invocation: for good, or for now.
struct Alone {
    is_transient: bool,
}

impl Invoker for Alone {
    async fn invoke(&self, _: &Value) -> Result<(), InvokeError> {
        Err(InvokeError { cause: cause("AccessDenied"), is_transient: self.is_transient })
    }
}

const OPEN: &str = "tcp 22 0.0.0.0/0";

/// Two groups with a rule each, on a page each.
fn two(rule: &Rule) -> MemoryEc2 {
    let groups = [1, 2].map(|number| {
        let rule = rule.clone().with_id(Some(id(&format!("sgr-{number}"))));
        (place(), Group { id: numbered(number), ..group() }, vec![rule])
    });
    MemoryEc2::new(groups, list("pl-1", &["0.0.0.0/0"])).with_groups_a_page(1)
}

fn ended_hold() -> Rule {
    let tags = [("sg-audit:allow-until", "2026-11-02T11:45:00Z"), ("sg-audit:reason", "vendor")];
    rule(OPEN).with_tags(tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into())
}

/// The findings `unaudited-change` that are published about an event when there is only time for one
/// of the groups.
fn unaudited(rule: &Rule, settings: &Settings, event: &Event, is_transient: bool) -> Vec<Value> {
    let (world, notifier, home) = (two(rule), MemoryNotifier::default(), place());
    let lambda = Alone { is_transient };
    let auditor = Auditor::new(&world, &notifier, &lambda, settings, &home);
    let deadline = Some(noon() + TimeDelta::seconds(1));
    let mut counts = Counts::default();
    let answer = block_on(auditor.audit_and_count(event, &noon, deadline, &mut counts));
    // What may pass is tried again, and then the failure queue has it.
    let failed = answer.err().map(|error| error.kind());
    assert_eq!(failed, is_transient.then_some("NotHandedOn"), "{event:?}");
    assert_eq!(counts.sweeps, 0);
    let published: Vec<Value> = notifier
        .take()
        .iter()
        .flat_map(|message| report_in(message)["findings"].as_array().unwrap().clone())
        .filter(|finding| finding["code"] == "unaudited-change")
        .collect();
    let count = counts.findings.get(&Code::UnauditedChange).copied();
    assert_eq!(count, u64::try_from(published.len()).ok(), "{event:?}");
    published
}

/// Otherwise nobody would hear of the rest before the event is parked, a day later.
#[test]
fn what_no_other_invocation_could_be_asked_for_is_published_as_unaudited() {
    let reverting =
        Settings { sweep_remediation: Remediation::RevertSsh, ..settings(Remediation::RevertSsh) };
    let scoped = Settings { scope: role_scope(), ..reverting.clone() };
    let change = |kind| Event::new(record(), kind);
    let close = [1, 2].map(|number| RuleToClose {
        place: place(),
        group: numbered(number),
        rule: rule(&format!("{OPEN} sgr-{number}")),
        note: None,
        found_by: FoundBy::Sweep,
        promise: None,
        claim: None,
    });
    let tags = TagChange {
        groups: vec![numbered(1), numbered(2)],
        tags: [("Role".to_owned(), TagAction::Set("typo3".to_owned()))].into(),
        all_deleted: false,
    };
    let hold_tags = HoldTags { rules: vec![id("sgr-1"), id("sgr-2")], unread: None };
    let grown = ListChange {
        list: id("pl-1"),
        name: None,
        version_before: None,
        added: vec![],
        removed: None,
        restored: None,
    };
    let lost = Lost { reason: "cut".to_owned(), is_of_tags: false, resume: Resume::default() };
    let second = numbered(2).to_string();
    let (open, of_list) = (rule(OPEN), rule("tcp 22 pl-1"));
    for (event, rule, settings, named) in [
        (change(Kind::Tags(tags.clone())), &open, &scoped, &*second),
        (change(Kind::HoldTags(hold_tags)), &open, &reverting, "sgr-2"),
        (change(Kind::List(grown.clone())), &of_list, &reverting, "pl-1"),
        (change(Kind::Job(Job::List(grown, ListResume::default()))), &of_list, &reverting, "pl-1"),
        (change(Kind::Lost(lost)), &open, &reverting, "account 123456789012 in eu-central-1"),
        (sweep(), &open, &reverting, "account 123456789012 in eu-central-1"),
        (check_of_holds(), &ended_hold(), &reverting, "account 123456789012 in eu-central-1"),
    ] {
        for is_transient in [false, true] {
            // What is to be closed is tried again before anything is published.
            let remediation =
                [settings.remediation, Remediation::Notify][usize::from(is_transient)];
            let sweep_remediation = remediation;
            let settings = &Settings { remediation, sweep_remediation, ..settings.clone() };
            let published = unaudited(rule, settings, &event, is_transient);
            let [finding] = &published[..] else { panic!("{event:?}: {published:#?}") };
            let title = finding["title"].as_str().unwrap();
            let named = title.to_lowercase().contains(&named.to_lowercase());
            assert!(named && title.contains("AccessDenied"), "{event:?}: {title}");
            assert_eq!(title.ends_with("it is tried again"), is_transient, "{title}");
            let has_change = !finding["change"].is_null();
            assert_eq!(has_change, event.record != Record::default(), "{event:?}");
        }
    }
    // What was found before and is to be closed gets further with each try, and is published at the
    // end; where it does not, it is published once.
    let close = message(Job::Close(Close { rules: close.into(), occasion: None }));
    let home = place();
    for (does_revert, lambda) in [(true, false), (true, true), (false, true), (false, false)] {
        let (world, notifier) = (two(&open), MemoryNotifier::default());
        let mode = if does_revert { Remediation::RevertSsh } else { Remediation::Notify };
        let settings = Settings { sweep_remediation: mode, ..settings(mode) };
        let lambda = Alone { is_transient: lambda };
        let auditor = Auditor::new(&world, &notifier, &lambda, &settings, &home);
        let deadline = Some(noon() + TimeDelta::seconds(1));
        let answer = block_on(auditor.audit(&close, &noon, deadline));
        let messages = notifier.take();
        if does_revert || lambda.is_transient {
            assert_eq!((answer.unwrap_err().kind(), messages.len()), ("NotHandedOn", 0));
            continue;
        }
        assert!(answer.is_ok());
        let [message] = &messages[..] else { panic!("{messages:?}") };
        let findings = report_in(message)["findings"].as_array().unwrap().clone();
        let left = findings.iter().find(|finding| finding["code"] == "unaudited-change").unwrap();
        let title = left["title"].as_str().unwrap();
        assert!(title.contains(&second) && title.contains("tcp 22 from 0.0.0.0/0"), "{title}");
    }
}

#[test]
fn what_could_be_handed_on_is_not_reported_as_unaudited() {
    let (world, settings) = (two(&rule(OPEN)), settings(Remediation::Notify));
    let ran = run_alone(&world, &settings, &sweep(), noon(), Some(1));
    assert_eq!((brief(ran.report()).len(), ran.handed_on.len()), (1, 1));
    assert_eq!(with_code(ran.report(), Code::OpenSsh).group.as_ref().unwrap().id, numbered(1));
    assert_eq!(ran.messages.len(), 1);
}

/// If it could not be published either, all of it is tried again.
#[test]
fn what_cannot_be_handed_on_or_published_is_tried_again() {
    let (world, settings, home) =
        (two(&rule("tcp 443 0.0.0.0/0")), settings(Remediation::Notify), place());
    let auditor = Auditor::new(&world, &NoTopic, &Alone { is_transient: false }, &settings, &home);
    let deadline = Some(noon() + TimeDelta::seconds(1));
    let answer = block_on(auditor.audit(&sweep(), &noon, deadline));
    assert_eq!(answer.unwrap_err().kind(), "NotPublished");
}

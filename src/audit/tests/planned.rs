//! Rules that may have been there before are closed only after a sweep has said so.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::ec2::hold::{REASON, UNTIL};
use crate::evaluate::Severity;
use crate::event::{TagAction, TagChange};
use crate::finding::Planner;
use crate::memory::MemoryLedger;

const OPEN: &str = "tcp 22 0.0.0.0/0 sgr-1";

fn reverting() -> Settings {
    Settings { sweep_remediation: Remediation::RevertSsh, ..settings(Remediation::RevertSsh) }
}

/// What is remembered, and what becomes of each audit.
struct Site {
    ec2: MemoryEc2,
    ledger: MemoryLedger,
    settings: Settings,
    notifier: MemoryNotifier,
}

impl Site {
    fn new(ec2: MemoryEc2, settings: Settings) -> Self {
        let (ledger, notifier) = (MemoryLedger::default(), MemoryNotifier::default());
        Self { ec2, ledger, settings, notifier }
    }

    fn open(settings: Settings) -> Self {
        Self::new(ec2(&[rule(OPEN)]), settings)
    }

    /// An invocation so many hours after noon.
    fn invoke(&self, payload: &Value, id: &str, hours: i64) -> Result<Report, AuditError> {
        self.invoke_on(&self.ec2, payload, id, hours)
    }

    fn invoke_on(
        &self,
        ec2: &impl SecurityGroups,
        payload: &Value,
        id: &str,
        hours: i64,
    ) -> Result<Report, AuditError> {
        let (home, now) = (place(), noon() + TimeDelta::hours(hours));
        let auditor = Auditor::new(ec2, &self.notifier, &self.notifier, &self.settings, &home)
            .with_ledger(&self.ledger, Severity::Low);
        let invocation = Invocation { id: Some(id), deadline: None };
        let payload = payload.to_string();
        let clock = || now;
        let mut counts = Counts::default();
        block_on(auditor.handle_and_count(payload.as_bytes(), &clock, invocation, &mut counts))
    }

    /// How many rules an audit hands on to be closed. Others it only plans.
    fn closes(&self, payload: &Value, id: &str, hours: i64) -> usize {
        self.invoke(payload, id, hours).unwrap().handed_on
    }

    fn audit(&self, event: &Event, hours: i64) -> Report {
        self.audit_on(&self.ec2, event, hours).unwrap()
    }

    fn audit_on(
        &self,
        ec2: &impl SecurityGroups,
        event: &Event,
        hours: i64,
    ) -> Result<Report, AuditError> {
        let (home, now) = (place(), noon() + TimeDelta::hours(hours));
        let auditor = Auditor::new(ec2, &self.notifier, &self.notifier, &self.settings, &home)
            .with_ledger(&self.ledger, Severity::Low);
        block_on(auditor.audit(event, &|| now, None))
    }
}

fn asked() -> Value {
    json!({"sweep": {}})
}

/// The topic does not take a digest, so the invocation fails after its findings were published.
#[test]
fn a_sweep_that_is_tried_again_closes_nothing_of_what_it_planned() {
    let site = Site::open(reverting());
    site.ledger.set_hook(Box::new(|_| Ok(())));
    assert_eq!(site.closes(&asked(), "request-1", 0), 0);
    assert_eq!(site.ledger.audits().len(), 1);
    // Lambda tries again with the request id of the first invocation.
    assert_eq!(site.closes(&asked(), "request-1", 0), 0);
    // Then the message comes by the failure queue, in another invocation each time.
    let failed = json!({
        "requestContext": {"requestId": "request-1", "condition": "RetriesExhausted"},
        "requestPayload": asked(),
    });
    let queued = json!({"Records": [{"messageId": "m-1", "body": failed.to_string()}]});
    assert_eq!(site.closes(&queued, "request-2", 1), 0);
    assert_eq!(site.closes(&queued, "request-3", 23), 0);
    assert_eq!(site.closes(&asked(), "request-4", 24), 1);
    // And that one closes also when it is tried again.
    assert_eq!(site.closes(&asked(), "request-4", 24), 1);
}

/// EventBridge could not deliver it to Lambda: then the queue's message is what names it.
#[test]
fn a_sweep_that_comes_by_the_queue_alone_is_known_by_its_message() {
    let site = Site::open(reverting());
    let queued = |id: &str| json!({"Records": [{"messageId": id, "eventSource": "aws:sqs", "body": asked().to_string()}]});
    assert_eq!(site.closes(&queued("m-1"), "request-1", 0), 0);
    assert_eq!(site.closes(&queued("m-1"), "request-2", 1), 0);
    assert_eq!(site.closes(&queued("m-2"), "request-3", 2), 1);
}

/// Every invocation of a sweep has a request id of its own.
#[test]
fn the_rest_of_a_sweep_closes_nothing_of_what_its_first_part_planned() {
    let groups =
        [1, 2].map(|number| (place(), Group { id: numbered(number), ..group() }, rules(&[OPEN])));
    let site = Site::new(MemoryEc2::new(groups, Lists::new()).with_groups_a_page(1), reverting());
    let (home, now) = (place(), noon());
    let auditor = Auditor::new(&site.ec2, &site.notifier, &site.notifier, &site.settings, &home)
        .with_ledger(&site.ledger, Severity::Low);
    let invoke = |payload: &Value, id| {
        let invocation = Invocation { id: Some(id), deadline: Some(now) };
        let (payload, mut counts) = (payload.to_string(), Counts::default());
        let clock = || now;
        block_on(auditor.handle_and_count(payload.as_bytes(), &clock, invocation, &mut counts))
            .unwrap()
            .handed_on
    };
    assert_eq!(invoke(&asked(), "request-1"), 0);
    let [rest] = &site.notifier.take_handed_on()[..] else { panic!("there is a rest") };
    assert_eq!(invoke(rest, "request-2"), 0);
    assert_eq!(site.ledger.audits().len(), 1);
    // The first invocation is tried again, and hands on another rest.
    assert_eq!(invoke(&asked(), "request-1"), 0);
    let [rest] = &site.notifier.take_handed_on()[..] else { panic!("there is a rest") };
    assert_eq!(invoke(rest, "request-3"), 0);
}

/// A table that did not answer once must not keep what was planned later open for one more day.
#[test]
fn what_a_sweep_plans_once_the_table_answers_again_the_next_one_closes() {
    let site = Site::new(pages(2), reverting());
    let fails = Cell::new(true);
    site.ledger.set_hook(Box::new(move |call| match call {
        "place" if fails.take() => Err(LedgerError(cause("throttled"))),
        _ => Ok(()),
    }));
    let (home, now) = (place(), noon());
    let auditor = Auditor::new(&site.ec2, &site.notifier, &site.notifier, &site.settings, &home)
        .with_ledger(&site.ledger, Severity::Low);
    let sweep = decoded(&asked());
    assert_eq!(block_on(auditor.audit(&sweep, &|| now, Some(now))).unwrap().handed_on, 1);
    let rest = site.notifier.take_handed_on().pop().unwrap();
    assert_eq!(site.closes(&rest, "request-2", 0), 0);
    assert_eq!(site.closes(&asked(), "request-3", 24), 2);
}

/// Nobody could see it coming.
#[test]
fn a_plan_that_was_not_published_is_none() {
    let site = Site::open(reverting());
    let refuses = Cell::new(true);
    let told = RefCell::new(Vec::new());
    let notifier = Refusing { refuses: &refuses, told: &told };
    let home = place();
    let sweep = |id: &str, hours| {
        let auditor = Auditor::new(&site.ec2, &notifier, &site.notifier, &site.settings, &home)
            .with_ledger(&site.ledger, Severity::Low);
        let invocation = Invocation { id: Some(id), deadline: None };
        let (payload, mut counts) = (asked().to_string(), Counts::default());
        let clock = || noon() + TimeDelta::hours(hours);
        block_on(auditor.handle_and_count(payload.as_bytes(), &clock, invocation, &mut counts))
            .map(|report| report.handed_on)
    };
    assert!(sweep("request-1", 0).is_err());
    refuses.set(false);
    assert_eq!(sweep("request-2", 24).unwrap(), 0);
    assert_eq!(sweep("request-3", 48).unwrap(), 1);
}

/// A topic that may be out of order.
struct Refusing<'r> {
    refuses: &'r Cell<bool>,
    told: &'r RefCell<Vec<Report>>,
}

impl Notifier for Refusing<'_> {
    async fn publish(&self, report: &Report) -> Result<(), NotifyError> {
        if self.refuses.get() {
            return Err(NotifyError(cause("the topic did not answer")));
        }
        self.told.borrow_mut().push(report.clone());
        Ok(())
    }
}

fn lost() -> Event {
    decoded(&json!({
        "eventSource": "ec2.amazonaws.com", "eventName": "AuthorizeSecurityGroupIngress",
        "eventID": "e-1", "awsRegion": "eu-central-1", "recipientAccountId": "123456789012",
        "requestParameters": {"omitted": true, "originalSize": 112640},
    }))
}

fn tagged(value: &str) -> Event {
    let tags = [("Role".to_owned(), TagAction::Set(value.to_owned()))].into();
    let change = TagChange { groups: vec![id(SG)], tags, all_deleted: false };
    let record = Record { event_id: Some("e-2".to_owned()), ..record() };
    Event::new(record, Kind::Tags(change))
}

fn not_understood() -> Event {
    let record = Record { event_id: Some("e-3".to_owned()), ..record() };
    Event { record, ..event(ChangeKind::Unknown("it is not known".to_owned())) }
}

/// A tag call that does not tell what it did.
fn retagged() -> Event {
    let record = Record { event_id: Some("e-5".to_owned()), ..record() };
    Event { record, ..event(ChangeKind::Retagged("it is cut short".to_owned())) }
}

/// Changes after which rules are judged that may have been there before, each with its world.
fn changes() -> Vec<(Event, MemoryEc2)> {
    let group_of = |value: &str| {
        let tags = [("Role".to_owned(), value.to_owned())].into();
        MemoryEc2::new(
            [(place(), Group { tags: Some(tags), ..group() }, rules(&[OPEN]))],
            Lists::new(),
        )
    };
    let untagged = Group { tags: Some(BTreeMap::new()), ..group() };
    let without_tags = MemoryEc2::new([(place(), untagged, rules(&[OPEN]))], Lists::new());
    vec![
        (lost(), group_of("typo3")),
        (tagged("typo3"), group_of("typo3")),
        (tagged("wiki"), group_of("wiki")),
        (not_understood(), group_of("typo3")),
        (retagged(), without_tags),
    ]
}

fn is_planned(report: &Report) -> bool {
    let found = with_code(report, Code::OpenSsh).found_rule().unwrap();
    matches!(found.action, Action::Planned(Planner::Change))
}

#[test]
fn what_was_there_before_is_closed_only_after_a_sweep_has_reported_under_the_settings() {
    for (event, world) in changes() {
        let site = Site::new(world, Settings { scope: role_scope(), ..reverting() });
        let first = site.audit(&event, 0);
        assert!(is_planned(&first), "{event:?}");
        assert_eq!(first.handed_on, 0, "{event:?}");
        let said = messages(&first).unwrap();
        let said = &said.first().unwrap().body;
        assert!(said.contains("no sweep has reported under these settings"), "{said}");
        assert!(!said.contains("the next sweep closes it"), "{said}");
        site.invoke(&asked(), "request-1", 1).unwrap();
        assert_eq!(site.audit(&event, 2).handed_on, 1, "{event:?}");
        // Under other settings it is planned again.
        let other = Settings { revert_keeps: RevertKeeps::Nothing, ..site.settings.clone() };
        let site = Site { settings: other, ..site };
        assert_eq!(site.audit(&event, 3).handed_on, 0, "{event:?}");
    }
}

/// What a change says that it opened is that change's business.
#[test]
fn what_a_change_opened_is_closed_at_once_under_any_settings() {
    let site = Site::open(reverting());
    let report = site.audit(&authorized(&[OPEN]), 0);
    assert_eq!(brief(&report), ["open-ssh narrowed tcp 22 from 0.0.0.0/0"]);
}

/// A place that no sweep covers, and a table that fails, must keep nothing open.
#[test]
fn without_a_sweep_it_is_closed_a_day_later_and_without_the_table_at_once() {
    for (event, world) in changes() {
        let site = Site::new(world, Settings { scope: role_scope(), ..reverting() });
        assert_eq!(site.audit(&event, 0).handed_on, 0, "{event:?}");
        let mut later = event.clone();
        later.record.event_id = Some("e-4".to_owned());
        assert_eq!(site.audit(&later, 24).handed_on, 0, "{event:?}");
        assert_eq!(site.audit(&event, 26).handed_on, 0, "the same event: {event:?}");
        assert_eq!(site.audit(&later, 26).handed_on, 1, "{event:?}");
    }
    for (refused, (event, world)) in ["place", "planned"]
        .iter()
        .flat_map(|call| changes().into_iter().map(move |it| (*call, it)))
    {
        let site = Site::new(world, Settings { scope: role_scope(), ..reverting() });
        site.ledger.set_hook(Box::new(move |call| match call == refused {
            true => Err(LedgerError(cause("denied"))),
            false => Ok(()),
        }));
        assert_eq!(site.audit(&event, 0).handed_on, 1, "{refused}: {event:?}");
    }
}

/// Tags make no hold of a rule that stood there before, whatever call brings the audit.
#[test]
fn tags_on_a_rule_that_was_found_before_make_no_hold() {
    for (event, world) in changes() {
        let site = Site::new(world, Settings { scope: role_scope(), ..reverting() });
        let tagged = event.clone();
        site.invoke(&asked(), "request-1", 0).unwrap();
        let until = crate::text::timestamp(&(noon() + TimeDelta::hours(8)));
        let tags = [(UNTIL.to_owned(), until), (REASON.to_owned(), "vendor".to_owned())].into();
        site.ec2.retag(&id(SG), &rule(OPEN), &tags);
        let group = block_on(site.ec2.group(&place(), &GroupKey::Id(id(SG)))).unwrap().unwrap();
        if role_scope().contains(&group) {
            assert_eq!(site.audit(&tagged, 1).handed_on, 1, "{event:?}");
        }
    }
}

#[test]
fn a_change_of_the_scope_asks_nothing_of_the_ledger_where_nothing_is_closed() {
    for (event, world) in changes() {
        let site =
            Site::new(world, Settings { scope: role_scope(), ..settings(Remediation::Notify) });
        let calls = std::rc::Rc::new(RefCell::new(Vec::new()));
        let noted = std::rc::Rc::clone(&calls);
        site.ledger.set_hook(Box::new(move |call| {
            noted.borrow_mut().push(call);
            Ok(())
        }));
        site.audit(&event, 0);
        assert!(!calls.borrow().contains(&"place"), "{event:?}: {:?}", calls.borrow());
    }
}

/// So many open groups, one a page.
fn pages(groups: usize) -> MemoryEc2 {
    let groups = (0..groups)
        .map(|number| (place(), Group { id: numbered(number), ..group() }, rules(&[OPEN])));
    MemoryEc2::new(groups, Lists::new()).with_groups_a_page(1)
}

#[test]
fn what_is_in_a_place_that_could_not_be_read_to_its_end_was_not_planned() {
    for (is_later, error) in [(false, denied()), (false, throttled()), (true, denied())] {
        let site = Site::new(pages(2), reverting());
        let failing = hooked(&site.ec2, |call| match call {
            Call::Groups(_, page) if page.is_some() == is_later => Some(error.clone()),
            _ => None,
        });
        drop(site.invoke_on(&failing, &asked(), "request-1", 0));
        assert_eq!(site.closes(&asked(), "request-2", 24), 0, "{is_later} {error:?}");
        assert_eq!(site.closes(&asked(), "request-3", 48), 2, "{is_later} {error:?}");
    }
}

#[test]
fn what_is_in_a_group_that_a_tag_call_brought_and_that_could_not_be_read_was_not_planned() {
    for error in [denied(), throttled()] {
        let (_, world) = changes().swap_remove(1);
        let site = Site::new(world, Settings { scope: role_scope(), ..reverting() });
        let failing = hooked(&site.ec2, |call| {
            matches!(call, Call::Group(_) | Call::Rules(_)).then(|| error.clone())
        });
        let call = |number: usize| {
            let mut event = tagged("typo3");
            event.record.event_id = Some(format!("e-{number}"));
            event
        };
        drop(site.audit_on(&failing, &call(1), 0));
        assert_eq!(site.audit(&call(2), 26).handed_on, 0, "{error:?}");
        assert_eq!(site.audit(&call(3), 52).handed_on, 1, "{error:?}");
    }
}

#[test]
fn a_binding_that_is_chosen_by_other_tags_is_another_setting() {
    let by_role = |value: &str| {
        super::bound::bound(&format!(
            "  - {{ name: a, tags: {{ Role: {value} }}, trust_tags: true, remediation: notify }}\n"
        ))
    };
    let site = Site::open(by_role("typo3"));
    assert_eq!(site.closes(&asked(), "request-1", 0), 0);
    let site = Site { settings: by_role("wiki"), ..site };
    assert_eq!(site.closes(&asked(), "request-2", 1), 0);
    assert_eq!(site.closes(&asked(), "request-3", 2), 1);
}

#[test]
fn a_binding_that_holds_in_one_more_account_is_no_other_setting_in_the_first() {
    let in_accounts = |accounts: &str| {
        super::bound::bound(&format!(
            "  - {{ name: a, accounts: [{accounts}], ssh_sources: [203.0.113.0/24] }}\n"
        ))
    };
    let site = Site::open(in_accounts("\"123456789012\""));
    assert_eq!(site.closes(&asked(), "request-1", 0), 0);
    let site = Site { settings: in_accounts("\"123456789012\", \"210987654321\""), ..site };
    assert_eq!(site.closes(&asked(), "request-2", 1), 1);
}

/// A deployment comes in the middle of it, and then the one before is deployed again.
#[test]
fn a_sweep_that_goes_on_under_other_settings_covers_nothing_and_plans_nothing() {
    let site = Site::new(pages(3), reverting());
    let (home, now) = (place(), noon());
    let mut payload = asked();
    let keeps = [RevertKeeps::Baseline, RevertKeeps::Nothing, RevertKeeps::Baseline];
    for (number, revert_keeps) in keeps.into_iter().enumerate() {
        let settings = Settings { revert_keeps, ..reverting() };
        let auditor = Auditor::new(&site.ec2, &site.notifier, &site.notifier, &settings, &home)
            .with_ledger(&site.ledger, Severity::Low);
        let id = format!("request-{number}");
        let invocation = Invocation { id: Some(&id), deadline: Some(now) };
        let (text, mut counts, clock) = (payload.to_string(), Counts::default(), || now);
        block_on(auditor.handle_and_count(text.as_bytes(), &clock, invocation, &mut counts))
            .unwrap();
        let handed_on = site.notifier.take_handed_on();
        assert_eq!(handed_on.len(), usize::from(number < 2));
        payload = handed_on.into_iter().next().unwrap_or_default();
    }
    assert_eq!(site.ledger.audits(), []);
    assert_eq!(site.closes(&asked(), "request-4", 24), 0);
    assert_eq!(site.closes(&asked(), "request-5", 48), 3);
}

#[test]
fn what_is_planned_comes_with_a_line_that_closes_it_at_once_and_with_what_that_would_keep() {
    let site = Site::open(reverting());
    let report = site.audit(&sweep(), 0);
    assert_eq!(only(&report).outcome(), Outcome::Planned);
    let kept = ["tcp 22 from 203.0.113.0/24"];
    assert_eq!(texts(found(&report).would_keep.as_ref().unwrap()), kept);
    assert!(paste(&site.ec2, only(&report).fix.as_deref().unwrap()));
    assert_eq!(ingress(&site.ec2), kept);
}

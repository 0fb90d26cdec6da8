//! What waits to be mailed: nothing of it is lost, and a digest tells the present state.

use std::rc::Rc;

use super::*;
use crate::evaluate::Severity;
use crate::event::{HookRequest, HookTask, Target, Wanted};
use crate::finding::{Mail, Status};
use crate::ledger::item::{Attribute, waiting_item};
use crate::ledger::{MAILS, Waiting};
use crate::memory::MemoryLedger;
use crate::report::sns::MAX_BYTES;

/// Less severe than what is mailed at once.
const PROXY: &str = "tcp 8080 0.0.0.0/0 sgr-1";

/// A site whose findings are all less severe than what is mailed at once.
struct Site {
    ec2: MemoryEc2,
    ledger: Rc<MemoryLedger>,
    settings: Settings,
    least: Severity,
    notifier: MemoryNotifier,
}

impl Site {
    fn new(ec2: MemoryEc2) -> Self {
        Self {
            ec2,
            ledger: Rc::default(),
            settings: settings(Remediation::Notify),
            least: Severity::Critical,
            notifier: MemoryNotifier::default(),
        }
    }

    fn audit(&self, event: &Event, hours: i64) -> Result<Report, AuditError> {
        let (home, now) = (place(), noon() + TimeDelta::hours(hours));
        let auditor =
            Auditor::new(&self.ec2, &self.notifier, &self.notifier, &self.settings, &home)
                .with_ledger(&*self.ledger, self.least);
        block_on(auditor.audit(event, &|| now, None))
    }

    /// What the digests say that were published since this was last asked.
    fn digests(&self) -> Vec<Value> {
        let reports = self.notifier.take().iter().map(report_in).collect::<Vec<_>>();
        let digests = reports.into_iter().map(|report| report["digest"].clone());
        digests.filter(|digest| !digest.is_null()).collect()
    }
}

fn named(event_id: &str, event: Event, hours: i64) -> Event {
    let time = Some(noon() + TimeDelta::hours(hours) - TimeDelta::seconds(40));
    let record = Record { event_id: Some(event_id.to_owned()), time, ..record() };
    Event { record, ..event }
}

fn opened(event_id: &str, hours: i64) -> Event {
    named(event_id, authorized(&[PROXY]), hours)
}

fn revoked(event_id: &str, hours: i64) -> Event {
    let (direction, removed) = (Direction::Ingress, Removed::Rules(rules(&[PROXY])));
    let kind = ChangeKind::Revoked(RevokedRules { direction, removed, ids: Vec::new() });
    named(event_id, event(kind), hours)
}

/// What waits, with a member that only another version knows.
fn of_another_version(waiting: &Waiting) -> crate::ledger::item::Item {
    let mut content = serde_json::to_value(waiting).unwrap();
    content["entry"]["brief"]["mood"] = "gloomy".into();
    let mut item = waiting_item(waiting).unwrap();
    item.insert("content".to_owned(), Attribute::text(content.to_string()));
    item
}

#[test]
fn what_another_version_wrote_waits_no_longer_once_it_is_mailed() {
    let site = Site::new(ec2(&[rule(PROXY)]));
    site.audit(&opened("e-1", 0), 0).unwrap();
    let [waiting] = &site.ledger.waits()[..] else { panic!("one waits") };
    site.ledger.put_waiting(&waiting.key, of_another_version(waiting));
    assert_eq!(site.ledger.waits().len(), 1);
    site.audit(&check_of_holds(), 26).unwrap();
    assert_eq!(site.digests().len(), 1);
    assert_eq!(site.ledger.waits(), []);
}

#[test]
fn what_came_to_wait_in_the_place_of_something_that_is_mailed_still_waits() {
    let site = Site::new(ec2(&[rule(PROXY)]));
    site.audit(&opened("e-1", 0), 0).unwrap();
    let [waiting] = &site.ledger.waits()[..] else { panic!("one waits") };
    let (later, key) = (of_another_version(waiting), waiting.key.clone());
    let ledger = Rc::downgrade(&site.ledger);
    site.ledger.set_hook(Box::new(move |call| {
        if call == "digested" {
            ledger.upgrade().unwrap().put_waiting(&key, later.clone());
        }
        Ok(())
    }));
    site.audit(&check_of_holds(), 26).unwrap();
    assert_eq!(site.digests().len(), 1);
    assert_eq!(site.ledger.waits().len(), 1);
}

/// So many groups with names as long as EC2 takes them, each letter of which takes six bytes.
fn long_names(groups: usize) -> MemoryEc2 {
    let groups = (0..groups).map(|number| {
        let name = Some(format!("{number:04} {}", "ü".repeat(250)));
        (place(), Group { id: numbered(number), name, ..group() }, rules(&["tcp 8080 0.0.0.0/0"]))
    });
    MemoryEc2::new(groups, Lists::new())
}

#[test]
fn a_digest_of_many_long_entries_is_several_messages_that_list_all_of_them() {
    let site = Site::new(long_names(700));
    site.audit(&sweep(), 0).unwrap();
    let messages = site.notifier.take();
    let sizes: Vec<usize> = messages.iter().map(crate::report::Message::size).collect();
    assert!(sizes.iter().all(|size| *size <= MAX_BYTES), "{sizes:?}");
    let mut told = Vec::new();
    for message in &messages {
        assert!(!message.body.contains("sg-audit status lists all"), "{}", message.subject);
        let digest = &report_in(message)["digest"];
        let findings = digest["findings"].as_array().into_iter().flatten();
        told.extend(findings.map(|one| one["fingerprint"].as_str().unwrap().to_owned()));
    }
    let waiting: Vec<_> =
        site.ledger.waits().into_iter().map(|one| one.entry.brief.fingerprint).collect();
    assert!(!waiting.is_empty(), "five mails at once are enough");
    assert!(told.len() > 50, "{}", told.len());
    // The rest comes within a quarter of an hour, and each finding once.
    told.extend(waiting);
    let all: std::collections::BTreeSet<_> = told.iter().collect();
    assert_eq!((told.len(), all.len()), (700, 700));
}

/// A topic that takes so many messages.
struct Takes<'t>(&'t MemoryNotifier, Cell<usize>);

impl Notifier for Takes<'_> {
    async fn publish(&self, report: &Report) -> Result<(), NotifyError> {
        if report.digest.is_none() {
            return Ok(());
        }
        match self.1.get().checked_sub(1) {
            Some(left) => self.1.set(left),
            None => return Err(NotifyError(cause("the topic did not answer"))),
        }
        self.0.publish(report).await
    }

    fn fitting(&self, digest: &Report) -> usize {
        self.0.fitting(digest)
    }
}

#[test]
fn what_the_topic_did_not_take_still_waits() {
    let site = Site::new(long_names(200));
    let (topic, home) = (Takes(&site.notifier, Cell::new(2)), place());
    let auditor = Auditor::new(&site.ec2, &topic, &site.notifier, &site.settings, &home)
        .with_ledger(&*site.ledger, site.least);
    assert!(block_on(auditor.audit(&sweep(), &noon, None)).is_err());
    let told: usize =
        site.digests().iter().map(|it| it["findings"].as_array().unwrap().len()).sum();
    assert!(told > 0);
    assert_eq!(told + site.ledger.waits().len(), 200);
    // It does not wait for a day.
    for hour in 1..20 {
        site.audit(&check_of_holds(), hour).unwrap();
    }
    assert_eq!(site.ledger.waits(), []);
}

#[test]
fn what_is_more_than_five_mails_comes_with_the_next_checks() {
    let site = Site::new(long_names(700));
    site.audit(&sweep(), 0).unwrap();
    assert_ne!(site.ledger.waits(), []);
    for hour in 1..20 {
        site.audit(&check_of_holds(), hour).unwrap();
    }
    assert_eq!(site.ledger.waits(), []);
}

#[test]
fn what_cannot_be_deleted_is_mailed_again_with_the_next_daily_digest_and_not_before() {
    for world in [ec2(&[rule(PROXY)]), long_names(700)] {
        let site = Site::new(world);
        site.ledger.set_hook(Box::new(|call| match call {
            "delete" => Err(LedgerError(cause("AccessDeniedException"))),
            _ => Ok(()),
        }));
        site.audit(&sweep(), 0).unwrap();
        assert_eq!(site.digests().len(), 1);
        for hour in 1..25 {
            site.audit(&check_of_holds(), hour).unwrap();
        }
        assert_eq!(site.digests(), [] as [Value; 0]);
        site.audit(&check_of_holds(), 26).unwrap();
        assert_eq!(site.digests().len(), 1);
    }
}

#[test]
fn a_daily_digest_that_there_were_too_many_mails_for_comes_with_the_next_check() {
    let site = Site::new(ec2(&[rule(PROXY)]));
    for _ in 0..MAILS {
        block_on(site.ledger.may_mail(noon())).unwrap();
    }
    site.audit(&sweep(), 0).unwrap();
    assert_eq!(site.digests(), [] as [Value; 0]);
    site.audit(&check_of_holds(), 1).unwrap();
    assert_eq!(site.digests().len(), 1);
}

#[test]
fn what_is_found_after_the_daily_digest_waits_for_the_next_one() {
    let site = Site::new(ec2(&[rule(PROXY)]));
    site.audit(&sweep(), 0).unwrap();
    assert_eq!(site.digests().len(), 1);
    site.audit(&opened("e-1", 1), 1).unwrap();
    for hour in 2..25 {
        site.audit(&check_of_holds(), hour).unwrap();
    }
    assert_eq!(site.digests(), [] as [Value; 0]);
    site.audit(&check_of_holds(), 26).unwrap();
    assert_eq!(site.digests().len(), 1);
}

/// The status and the state of each finding in the digests.
fn told_of(site: &Site) -> Vec<(String, usize, usize)> {
    let digests = site.digests();
    let findings = digests.iter().flat_map(|digest| {
        let number = |name: &str| usize::try_from(digest[name].as_u64().unwrap()).unwrap();
        let counts = (number("new") + number("reopened"), number("resolved"));
        let findings = digest["findings"].as_array().unwrap();
        findings
            .iter()
            .map(move |one| (one["status"].as_str().unwrap().to_owned(), counts.0, counts.1))
    });
    findings.collect()
}

#[test]
fn a_digest_tells_the_present_state_of_a_finding_and_no_other() {
    let site = Site::new(ec2(&[rule(PROXY)]));
    site.audit(&opened("e-1", 0), 0).unwrap();
    block_on(site.ec2.revoke(&place(), &id(SG), &rule(PROXY))).unwrap();
    site.audit(&revoked("e-2", 1), 1).unwrap();
    assert_eq!(site.ledger.waits().len(), 2);
    site.audit(&check_of_holds(), 26).unwrap();
    assert_eq!(told_of(&site), [("resolved".to_owned(), 0, 1)]);

    let site = Site::new(ec2(&[rule(PROXY)]));
    site.audit(&opened("e-1", 0), 0).unwrap();
    site.audit(&revoked("e-2", 1), 1).unwrap();
    site.audit(&opened("e-3", 2), 2).unwrap();
    assert_eq!(site.ledger.waits().len(), 3);
    site.audit(&sweep(), 3).unwrap();
    assert_eq!(told_of(&site), [("reopened".to_owned(), 1, 0)]);
}

/// A program that has seen the id and the outcome of a message takes the next one with these for the
/// same.
#[test]
fn each_resolution_has_an_id_of_its_own_which_stays_when_it_is_told_again() {
    let world = MemoryEc2::new([(place(), group(), rules(&[PROXY]))], Lists::new());
    let site = Site::new(world);
    let swept = |hours| {
        let report = site.audit(&sweep(), hours).unwrap();
        // That the rule changed without an event is told too.
        with_code(&report, Code::IngressNotInBaseline).clone()
    };
    let open = swept(0);
    let mut ids = vec![open.id];
    for (away, back) in [(24, 48), (72, 96)] {
        block_on(site.ec2.revoke(&place(), &id(SG), &rule(PROXY))).unwrap();
        site.ledger.set_hook(Box::new(|call| match call {
            "told" => Err(LedgerError(cause("it died"))),
            _ => Ok(()),
        }));
        let first = swept(away);
        site.ledger.set_hook(Box::new(|_| Ok(())));
        let again = swept(away + 1);
        assert_eq!(first.life.map(|life| life.status), Some(Status::Resolved));
        assert_eq!((&first.id, first.outcome()), (&again.id, again.outcome()));
        ids.push(first.id);
        block_on(site.ec2.authorize(&place(), &id(SG), &rule(PROXY))).unwrap();
        site.audit(&sweep(), back).unwrap();
    }
    let different: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(different.len(), 3, "{ids:?}");
}

/// What CloudFormation asks before it makes a rule that opens a database.
fn asked(number: usize) -> Event {
    let properties = serde_json::json!({
        "GroupId": SG, "IpProtocol": "tcp", "FromPort": 3306, "ToPort": 3306, "CidrIp": "0.0.0.0/0",
    });
    let wanted = Wanted {
        target: Target::Ingress,
        name: "Database".to_owned(),
        properties: properties.into(),
        previous: None,
    };
    let token = Some(format!("token-{number}"));
    let request = HookRequest { token, task: Ok(HookTask::Make(wanted)) };
    let record = Record { event_id: Some(format!("e-{number}")), ..record() };
    Event::new(record, Kind::Hook(Box::new(request)))
}

#[test]
fn refusals_of_a_hook_are_in_the_budget_of_mails() {
    let site = Site { least: Severity::Low, ..Site::new(ec2(&[])) };
    for number in 0..2 * MAILS {
        site.audit(&asked(number), 0).unwrap();
    }
    let mails = |word: &str| {
        let messages = site.notifier.messages();
        let is_it = |it: &crate::report::Attribute| it.name == "mail" && it.value == word;
        messages.iter().filter(|message| message.attributes.iter().any(is_it)).count()
    };
    assert_eq!((mails("now"), mails("later")), (MAILS, MAILS));
    assert_eq!(site.ledger.waits().len(), MAILS);
    site.notifier.take();
    site.audit(&check_of_holds(), 1).unwrap();
    let [digest] = &site.notifier.take()[..] else { panic!("one digest") };
    assert!(digest.body.contains("(not made)"), "{}", digest.body);
    assert!(!digest.body.contains("(open)"), "{}", digest.body);
    assert_eq!(site.ledger.waits(), []);
}

/// The answer of a hook does not depend on the table.
#[test]
fn a_refusal_is_published_and_mailed_if_the_table_fails() {
    let site = Site { least: Severity::Low, ..Site::new(ec2(&[])) };
    site.ledger.set_hook(Box::new(|_| Err(LedgerError(cause("throttled")))));
    let report = site.audit(&asked(0), 0).unwrap();
    assert_eq!(brief(&report), ["ingress-not-in-baseline prevented tcp 3306 from 0.0.0.0/0"]);
    assert!(matches!(report.mail, Mail::Now { .. }));
    assert_eq!(site.notifier.take().len(), 1);
}

/// Lambda takes nothing.
struct TakesNothing;

impl Invoker for TakesNothing {
    async fn invoke(&self, _: &Value) -> Result<(), InvokeError> {
        Err(InvokeError { cause: cause("AccessDenied"), is_transient: false })
    }
}

#[test]
fn that_the_rest_of_a_sweep_was_not_handed_on_is_in_the_budget_of_mails() {
    let groups =
        [1, 2].map(|number| (place(), Group { id: numbered(number), ..group() }, Vec::new()));
    let world = MemoryEc2::new(groups, Lists::new()).with_groups_a_page(1);
    let site = Site { least: Severity::Low, ..Site::new(ec2(&[])) };
    let home = place();
    let auditor = Auditor::new(&world, &site.notifier, &TakesNothing, &site.settings, &home)
        .with_ledger(&*site.ledger, site.least);
    for _ in 0..2 * MAILS {
        block_on(auditor.audit(&sweep(), &noon, Some(noon()))).unwrap();
    }
    let is_now = |it: &crate::report::Attribute| it.name == "mail" && it.value == "now";
    let messages = site.notifier.take();
    let mailed = messages.iter().filter(|message| message.attributes.iter().any(is_now)).count();
    assert_eq!((messages.len(), mailed), (2 * MAILS, MAILS));
}

#[test]
fn the_digest_after_a_sweep_comes_with_its_last_part() {
    let groups =
        [1, 2].map(|number| (place(), Group { id: numbered(number), ..group() }, rules(&[PROXY])));
    let site = Site::new(MemoryEc2::new(groups, Lists::new()).with_groups_a_page(1));
    let home = place();
    let auditor = Auditor::new(&site.ec2, &site.notifier, &site.notifier, &site.settings, &home)
        .with_ledger(&*site.ledger, site.least);
    block_on(auditor.audit(&sweep(), &noon, Some(noon()))).unwrap();
    assert_eq!(site.digests(), [] as [Value; 0]);
    let [rest] = &site.notifier.take_handed_on()[..] else { panic!("there is a rest") };
    block_on(auditor.audit(&decoded(rest), &noon, None)).unwrap();
    let [digest] = &site.digests()[..] else { panic!("one digest") };
    assert_eq!(digest["findings"].as_array().unwrap().len(), 2);
}

//! Holds that are remembered: they count as they were authorised, whatever becomes of their tags and
//! whether anybody hears of that.

use std::collections::BTreeMap;

use super::bound::{Tree, bound};
use super::*;
use crate::ec2::hold::{REASON, Refusal, UNTIL};
use crate::evaluate::Severity;
use crate::event::HoldTags;
use crate::finding::Mail;
use crate::memory::MemoryLedger;

const OPEN: &str = "tcp 22 0.0.0.0/0 sgr-1";
const WHO: &str = "arn:aws:iam::123456789012:user/vendor-care";

/// One group, what is remembered, and a clock.
struct Site {
    ec2: MemoryEc2,
    ledger: MemoryLedger,
    settings: Settings,
    /// How many reports were mailed at once.
    mails: Cell<usize>,
}

fn tags(until: &str) -> BTreeMap<String, String> {
    [(UNTIL, until), (REASON, "vendor, ticket 4711")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

/// Open SSH that was authorised at noon until the evening.
fn held() -> Rule {
    rule(OPEN).with_tags(tags("2026-11-02T20:00:00Z"))
}

fn site(rules: &[Rule]) -> Site {
    let settings = settings(Remediation::RevertSsh);
    Site { ec2: ec2(rules), ledger: MemoryLedger::default(), settings, mails: Cell::new(0) }
}

/// One where the hold was authorised and reported.
fn promised() -> Site {
    let site = site(&[held()]);
    site.held(&held(), "2026-11-02T11:59:19Z");
    site
}

impl Site {
    fn audit(&self, event: &Event, time: &str) -> Vec<Report> {
        let (notifier, home, now) = (MemoryNotifier::default(), place(), at(time));
        let auditor = Auditor::new(&self.ec2, &notifier, &notifier, &self.settings, &home)
            .with_ledger(&self.ledger, Severity::Low);
        let mut reports = vec![block_on(auditor.audit(event, &|| now, None)).unwrap()];
        for payload in notifier.take_handed_on() {
            reports.push(block_on(auditor.audit(&decoded(&payload), &|| now, None)).unwrap());
        }
        let is_mailed =
            |report: &&Report| !report.findings.is_empty() && report.mail != Mail::Later;
        self.mails.set(self.mails.get() + reports.iter().filter(is_mailed).count());
        reports
    }

    fn mailed(&self) -> usize {
        self.mails.get()
    }

    fn held(&self, rule: &Rule, time: &str) -> Report {
        let kind = Kind::Change(change(ChangeKind::Authorized(vec![rule.clone()])));
        let (time_of_call, actor) = (Some(at(time)), Some(WHO.to_owned()));
        let event_id = Some(format!("e-{time}"));
        let record = Record { time: time_of_call, actor, event_id, ..record() };
        self.audit(&Event::new(record, kind), "2026-11-02T12:00:00Z").remove(0)
    }

    /// The check of holds at a time, with everything it has others close.
    fn check(&self, time: &str) -> Vec<Finding> {
        let reports = self.audit(&check_of_holds(), time);
        reports.into_iter().flat_map(|report| report.findings).collect()
    }

    fn sweep(&self, time: &str) -> Vec<Finding> {
        let reports = self.audit(&sweep(), time);
        reports.into_iter().flat_map(|report| report.findings).collect()
    }

    fn retag(&self, tags: &BTreeMap<String, String>) {
        self.ec2.retag(&id(SG), &rule(OPEN), tags);
    }

    fn is_open(&self) -> bool {
        ingress(&self.ec2).contains(&"tcp 22 from 0.0.0.0/0".to_owned())
    }

    fn remembered(&self) -> usize {
        block_on(self.ledger.holds(&place())).unwrap().len()
    }
}

fn outcomes(findings: &[Finding]) -> Vec<Outcome> {
    findings.iter().map(Finding::outcome).collect()
}

fn remarks(findings: &[Finding]) -> Vec<Remark> {
    findings.iter().filter_map(Finding::found_rule).flat_map(|it| it.remarks.clone()).collect()
}

fn authorized() -> Remark {
    Remark::HoldAuthorized { at: at("2026-11-02T11:59:19Z"), actor: Some(WHO.to_owned()) }
}

#[test]
fn a_hold_is_left_alone_until_its_end_and_then_closed_and_forgotten() {
    let site = promised();
    assert!(site.check("2026-11-02T19:55:00Z").is_empty());
    assert_eq!(outcomes(&site.sweep("2026-11-02T19:56:00Z")), [Outcome::Held]);
    let closed = site.check("2026-11-02T20:10:00Z");
    assert_eq!(outcomes(&closed), [Outcome::Narrowed]);
    assert!(remarks(&closed).contains(&authorized()), "{closed:#?}");
    assert!(!site.is_open());
    assert_eq!(site.remembered(), 1);
    // It was announced, so the day's digest tells it.
    assert_eq!(site.mailed(), 1);
    assert!(site.check("2026-11-02T20:25:00Z").is_empty());
    assert_eq!(site.remembered(), 0);
}

#[test]
fn tags_taken_off_end_the_hold_even_if_the_event_is_lost() {
    let site = promised();
    site.retag(&BTreeMap::new());
    let closed = site.check("2026-11-02T14:00:00Z");
    assert_eq!(outcomes(&closed), [Outcome::Narrowed]);
    assert_eq!(remarks(&closed), [Remark::HoldRefused(Refusal::TagsRemoved), authorized()]);
    assert_eq!(site.mailed(), 2);
    assert!(!site.is_open());
}

#[test]
fn without_its_tags_a_rule_is_closed_at_the_promised_end_too() {
    let site = promised();
    site.retag(&BTreeMap::new());
    let closed = site.check("2026-11-02T20:10:00Z");
    assert_eq!(outcomes(&closed), [Outcome::Narrowed]);
    assert!(matches!(remarks(&closed)[..], [Remark::HoldOver(_), _]), "{closed:#?}");
    assert!(!site.is_open());
}

#[test]
fn the_sweep_ends_it_as_well() {
    let mut site = promised();
    site.settings.sweep_remediation = Remediation::RevertSsh;
    site.retag(&BTreeMap::new());
    site.sweep("2026-11-02T13:00:00Z");
    let closed = site.sweep("2026-11-02T14:00:00Z");
    assert_eq!(outcomes(&closed), [Outcome::Narrowed]);
    assert!(!site.is_open());
    site.sweep("2026-11-02T15:00:00Z");
    assert_eq!(site.remembered(), 0);
}

#[test]
fn a_later_end_is_no_extension() {
    for later in ["2026-11-03T06:00:00Z", "2099-01-01T00:00:00Z"] {
        let site = promised();
        site.retag(&tags(later));
        assert!(site.check("2026-11-02T14:00:00Z").is_empty(), "{later}");
        let swept = site.sweep("2026-11-02T14:05:00Z");
        assert_eq!(remarks(&swept), [authorized(), Remark::HoldMoved(at(later))]);
        let hold = swept[0].hold().unwrap();
        assert_eq!(
            (hold.until, &*hold.reason),
            (at("2026-11-02T20:00:00Z"), "vendor, ticket 4711")
        );
        assert_eq!(outcomes(&site.check("2026-11-02T20:10:00Z")), [Outcome::Narrowed]);
        assert!(!site.is_open());
    }
}

#[test]
fn an_earlier_end_counts() {
    let site = promised();
    site.retag(&tags("2026-11-02T13:00:00Z"));
    assert_eq!(outcomes(&site.check("2026-11-02T13:05:00Z")), [Outcome::Narrowed]);
}

#[test]
fn tags_on_a_standing_rule_make_no_hold_even_if_the_event_is_lost() {
    // It was found before, so the sweep knows it.
    let mut known = site(&[rule(OPEN)]);
    known.settings.sweep_remediation = Remediation::RevertSsh;
    known.sweep("2026-11-02T06:00:00Z");
    known.retag(&tags("2026-11-02T20:00:00Z"));
    assert_eq!(outcomes(&known.sweep("2026-11-02T12:00:00Z")), [Outcome::Narrowed]);
    // Nothing is known of it: its event may be late, but not for long.
    let unknown = site(&[held()]);
    assert!(unknown.check("2026-11-02T12:00:00Z").is_empty());
    let swept = unknown.sweep("2026-11-02T12:05:00Z");
    assert_eq!(outcomes(&swept), [Outcome::Held]);
    assert_eq!(remarks(&swept), [Remark::HoldUnseen]);
    let closed = unknown.check("2026-11-02T12:15:00Z");
    assert_eq!(outcomes(&closed), [Outcome::Narrowed]);
    assert_eq!(remarks(&closed), [Remark::HoldRefused(Refusal::Unseen)]);
    assert!(!unknown.is_open());
}

#[test]
fn taking_the_tags_off_and_putting_them_on_again_gains_no_time() {
    let site = site(&[held()]);
    site.check("2026-11-02T12:00:00Z");
    site.retag(&BTreeMap::new());
    site.check("2026-11-02T12:10:00Z");
    site.retag(&tags("2026-11-03T06:00:00Z"));
    assert_eq!(outcomes(&site.check("2026-11-02T12:20:00Z")), [Outcome::Narrowed]);
}

#[test]
fn an_event_that_comes_late_makes_the_hold() {
    let site = site(&[held()]);
    site.check("2026-11-02T12:00:00Z");
    let report = site.held(&held(), "2026-11-02T11:59:19Z");
    assert_eq!(outcomes(&report.findings), [Outcome::Held]);
    assert!(site.check("2026-11-02T18:00:00Z").is_empty());
    assert!(site.is_open());
}

#[test]
fn a_rule_that_was_authorised_again_has_its_own_hold() {
    let site = promised();
    site.ec2.delete_group(&id(SG));
    let again = rule("tcp 22 0.0.0.0/0 sgr-2").with_tags(tags("2026-11-02T23:00:00Z"));
    let site = Site { ec2: ec2(std::slice::from_ref(&again)), ..site };
    site.held(&again, "2026-11-02T15:00:00Z");
    // The older event is delivered once more, and does not count.
    site.held(&held(), "2026-11-02T11:59:19Z");
    assert!(site.check("2026-11-02T20:10:00Z").is_empty());
    assert!(site.is_open());
}

#[test]
fn a_call_that_changed_the_tags_ends_the_hold_for_good() {
    let mut site = promised();
    site.settings.remediation = Remediation::Notify;
    site.retag(&tags("2026-11-03T06:00:00Z"));
    let kind = Kind::HoldTags(HoldTags { rules: vec![id("sgr-1")], unread: None });
    let told = site.audit(&Event::new(record(), kind), "2026-11-02T13:00:00Z").remove(0);
    assert_eq!(outcomes(&told.findings), [Outcome::None]);
    let swept = site.sweep("2026-11-02T13:01:00Z");
    assert_eq!(outcomes(&swept), [Outcome::None]);
    assert_eq!(remarks(&swept), [Remark::HoldRefused(Refusal::Unseen)]);
}

#[test]
fn a_hold_whose_rule_or_group_is_gone_is_forgotten() {
    let removed = promised();
    block_on(removed.ec2.revoke(&place(), &id(SG), &held())).unwrap();
    assert!(removed.check("2026-11-02T14:00:00Z").is_empty());
    assert_eq!(removed.remembered(), 0);
    let deleted = promised();
    deleted.ec2.delete_group(&id(SG));
    assert!(deleted.check("2026-11-02T14:00:00Z").is_empty());
    assert_eq!(deleted.remembered(), 0);
}

#[test]
fn only_reported_the_end_is_told_once_whatever_became_of_the_tags() {
    for tags in [tags("2026-11-02T20:00:00Z"), tags("2026-11-03T06:00:00Z"), BTreeMap::new()] {
        let mut site = promised();
        site.settings.remediation = Remediation::Notify;
        site.retag(&tags);
        assert!(site.check("2026-11-02T14:00:00Z").is_empty(), "{tags:?}");
        let over = site.check("2026-11-02T20:10:00Z");
        assert_eq!(outcomes(&over), [Outcome::None], "{tags:?}");
        assert!(site.check("2026-11-02T20:45:00Z").is_empty());
        assert!(site.is_open());
    }
}

#[test]
fn where_nothing_can_be_remembered_the_tags_count_as_without_a_ledger() {
    for refused in ["holds", "answer"] {
        let site = promised();
        site.ledger.set_hook(Box::new(move |call| match call == refused {
            true => Err(LedgerError(cause("ResourceNotFoundException"))),
            false => Ok(()),
        }));
        assert!(site.check("2026-11-02T14:00:00Z").is_empty());
        assert_eq!(outcomes(&site.check("2026-11-02T20:10:00Z")), [Outcome::Narrowed]);
    }
}

#[test]
fn a_hold_that_is_not_remembered_says_so() {
    let site = site(&[held()]);
    site.ledger.set_hook(Box::new(|call| match call {
        "hold" => Err(LedgerError(cause("throttled"))),
        _ => Ok(()),
    }));
    let report = site.held(&held(), "2026-11-02T11:59:19Z");
    assert_eq!(remarks(&report.findings), [Remark::HoldNotRemembered]);
    // Its tags are all that is known, and they count.
    assert_eq!(outcomes(&site.sweep("2026-11-02T13:00:00Z")), [Outcome::Held]);
}

#[test]
fn a_hold_is_one_of_its_rule_and_not_of_the_others_in_the_group() {
    let site = site(&[held(), rule("tcp 22 ::/0 sgr-2")]);
    site.held(&held(), "2026-11-02T11:59:19Z");
    let swept = site.sweep("2026-11-02T13:00:00Z");
    let other = swept.iter().filter(|it| it.rule().is_some_and(|it| it.id() == Some(&id("sgr-2"))));
    let other: Vec<Finding> = other.cloned().collect();
    assert_eq!((outcomes(&other), remarks(&other)), (vec![Outcome::None], vec![]));
}

#[test]
fn tags_taken_off_one_rule_end_its_hold_and_not_that_of_another_one_in_the_group() {
    let other = rule("tcp 22 ::/0 sgr-2").with_tags(tags("2026-11-02T20:00:00Z"));
    let site = site(&[held(), other.clone()]);
    site.held(&held(), "2026-11-02T11:59:19Z");
    site.held(&other, "2026-11-02T11:59:20Z");
    site.retag(&BTreeMap::new());
    assert_eq!(outcomes(&site.check("2026-11-02T14:00:00Z")), [Outcome::Narrowed]);
    assert!(!site.is_open());
    assert!(ingress(&site.ec2).contains(&"tcp 22 from ::/0".to_owned()));
}

#[test]
fn a_held_rule_that_was_modified_is_not_held_even_if_the_event_is_lost() {
    let site = promised();
    let wider = ChangeKind::Modified(vec![modified("tcp 22-80 0.0.0.0/0 sgr-1")]);
    site.ec2.follow(&place(), &change(wider));
    // The event may only be late.
    assert!(site.check("2026-11-02T14:00:00Z").is_empty());
    let closed = site.check("2026-11-02T14:20:00Z");
    assert_eq!(outcomes(&closed), [Outcome::Narrowed]);
    assert_eq!(remarks(&closed), [Remark::HoldRefused(Refusal::Unseen)]);
}

#[test]
fn a_check_of_the_holds_of_named_regions_leaves_the_others_alone() {
    let elsewhere = Place { region: Some(id("eu-west-1")), ..place() };
    let world = MemoryEc2::new([(elsewhere.clone(), group(), vec![held()])], Lists::new());
    let site = Site { ec2: world, ..site(&[]) };
    let time = Some(at("2026-11-02T11:59:19Z"));
    let record = Record { region: elsewhere.region, time, ..record() };
    let kind = Kind::Change(change(ChangeKind::Authorized(vec![held()])));
    site.audit(&Event::new(record, kind), "2026-11-02T12:00:00Z");
    let named = Sweep { regions: vec![id("eu-central-1")], ..Sweep::default() };
    site.audit(&message(Job::Holds(named)), "2026-11-02T20:10:00Z");
    assert!(site.is_open());
    assert_eq!(outcomes(&site.check("2026-11-02T20:11:00Z")), [Outcome::Narrowed]);
}

#[test]
fn a_check_of_holds_reads_them_once_and_a_closed_hold_costs_two_calls() {
    let site = promised();
    assert_eq!(site.ledger.take_calls(), 3);
    let check = |time| {
        let (notifier, home, now) = (MemoryNotifier::default(), place(), at(time));
        let auditor = Auditor::new(&site.ec2, &notifier, &notifier, &site.settings, &home)
            .with_ledger(&site.ledger, Severity::Low);
        block_on(auditor.audit(&check_of_holds(), &|| now, None)).unwrap();
        let asked = site.ledger.take_calls();
        let closing = notifier.take_handed_on();
        for payload in &closing {
            block_on(auditor.audit(&decoded(payload), &|| now, None)).unwrap();
        }
        (asked, closing.len(), site.ledger.take_calls())
    };
    // Besides the holds it asks where others are, and what waits for a digest.
    assert_eq!(check("2026-11-02T14:00:00Z"), (3, 0, 0));
    assert_eq!(check("2026-11-02T20:10:00Z"), (3, 1, 2));
    assert_eq!(check("2026-11-02T20:25:00Z"), (4, 0, 0));
}

/// Which accounts an organisation has is known to its sweep only.
#[test]
fn a_hold_in_an_account_that_nobody_named_is_closed_when_it_ends() {
    for (can_reach, remembers) in [(true, true), (false, true), (true, false)] {
        let member = Place { account: Some(id("210987654321")), region: Some(id("eu-west-1")) };
        let of_member = Group { owner: member.account.clone(), ..group() };
        let ec2 = MemoryEc2::new([(member.clone(), of_member, vec![held()])], Lists::new());
        let (ledger, settings) = (MemoryLedger::default(), settings(Remediation::RevertSsh));
        let home = place();
        let audit = |event: &Event, time: &str| {
            let (notifier, now) = (MemoryNotifier::default(), at(time));
            let auditor = Auditor::new(&ec2, &notifier, &notifier, &settings, &home)
                .with_members(can_reach)
                .with_ledger(&ledger, Severity::Low);
            block_on(auditor.audit(event, &|| now, None)).unwrap();
            for payload in notifier.take_handed_on() {
                block_on(auditor.audit(&decoded(&payload), &|| now, None)).unwrap();
            }
        };
        let (account, region) = (member.account.clone(), member.region.clone());
        let time = Some(at("2026-11-02T11:59:19Z"));
        let record = Record { account, region, time, ..record() };
        let kind = Kind::Change(change(ChangeKind::Authorized(vec![held()])));
        if can_reach {
            audit(&Event::new(record, kind), "2026-11-02T12:00:00Z");
        }
        ledger.set_hook(Box::new(move |call| match call == "held_places" && !remembers {
            true => Err(LedgerError(cause("throttled"))),
            false => Ok(()),
        }));
        audit(&check_of_holds(), "2026-11-02T19:45:00Z");
        assert!(ingress(&ec2).contains(&"tcp 22 from 0.0.0.0/0".to_owned()), "it is held");
        audit(&check_of_holds(), "2026-11-02T20:15:00Z");
        let is_open = ingress(&ec2).contains(&"tcp 22 from 0.0.0.0/0".to_owned());
        assert_eq!(is_open, !(can_reach && remembers));
        let places = |time| block_on(ledger.held_places(at(time))).map(|it| it.len());
        if remembers && can_reach {
            assert_eq!(places("2026-11-03T19:00:00Z").unwrap(), 1);
            assert_eq!(places("2026-11-03T21:00:00Z").unwrap(), 0);
        }
    }
}

#[test]
fn the_units_of_an_account_that_nobody_named_are_asked_for_before_a_hold_in_it_ends() {
    let settings =
        bound("  - { name: agencies, ous: [ou-ab12-11111111], ssh_sources: [203.0.113.0/24] }\n");
    let member = Place { account: Some(id("210987654321")), region: Some(id("eu-west-1")) };
    let of_member = Group { owner: member.account.clone(), ..group() };
    let ec2 = MemoryEc2::new([(member.clone(), of_member, vec![held()])], Lists::new());
    let (ledger, home) = (MemoryLedger::default(), place());
    // Each time by a function that was not warm.
    let audit = |event: &Event, time: &str, tree: &Tree| {
        let (notifier, now) = (MemoryNotifier::default(), at(time));
        let auditor = Auditor::new(&ec2, &notifier, &notifier, &settings, &home)
            .with_members(true)
            .with_parents(tree)
            .with_ledger(&ledger, Severity::Low);
        let answer = block_on(auditor.audit(event, &|| now, None));
        for payload in notifier.take_handed_on() {
            block_on(auditor.audit(&decoded(&payload), &|| now, None)).unwrap();
        }
        answer.is_ok()
    };
    let (tree, busy) = (Tree::of(&["ou-ab12-11111111", "r-ab12"]), Tree::failing(throttled()));
    let time = Some(at("2026-11-02T11:59:19Z"));
    let record = Record { account: member.account, region: member.region, time, ..record() };
    let kind = Kind::Change(change(ChangeKind::Authorized(vec![held()])));
    assert!(audit(&Event::new(record, kind), "2026-11-02T12:00:00Z", &tree));
    // No hold ended, so nothing depends on them.
    assert!(audit(&check_of_holds(), "2026-11-02T19:45:00Z", &busy));
    assert_eq!(busy.asked(), 0);
    assert!(!audit(&check_of_holds(), "2026-11-02T20:15:00Z", &busy), "it is tried again");
    assert_eq!(ingress(&ec2), ["tcp 22 from 0.0.0.0/0"]);
    assert!(audit(&check_of_holds(), "2026-11-02T20:16:00Z", &tree));
    assert_eq!(ingress(&ec2), ["tcp 22 from 203.0.113.0/24"]);
}

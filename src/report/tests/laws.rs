//! What must hold whatever a report says.

use chrono::{DateTime, Days, Utc};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::events::{ACCOUNT, GROUP, LIST, REGION};
use super::scene::{default, mail, rule};
use crate::baseline::{Baseline, Lists, parse_peers};
use crate::ec2::command::{Sequence, authorize_line, undo};
use crate::ec2::hold::{Hold, Refusal};
use crate::ec2::{Direction, Ec2Error, Group, GroupKey, Missing, Place, Region, Rule, cause};
use crate::evaluate::{Judge, Verdict};
use crate::event::trail::Unfit;
use crate::event::{Component, Note, Record, WatchedChange};
use crate::finding::{
    Action, AfterHold, BaselineName, Connections, DoubtfulExemption, Exempted, Finding, Handled,
    ListEntries, Matter, NotAdded, NotDue, NotHandedOn, NotReverted, Origin, Outcome, Presence,
    Reason, Remark, Report, Reverted, ScopeExit, Tally, Unaudited, Unfed, UnfitTrail, Unheard,
    Weakening,
};
use crate::report::terminal::{View, render};
use crate::report::{ReportJson, messages, sns, subject};
use crate::text::inert;
use crate::words::boxes;

fn now() -> DateTime<Utc> {
    "2026-03-12T08:11:55Z".parse().unwrap()
}

/// Short or absurdly long, harmless or hostile.
///
/// Boxed, because strategies are values that contain one another, and a test's stack is small.
fn text() -> BoxedStrategy<String> {
    let piece = prop_oneof![
        "[ -~]{0,20}",
        ".{0,20}",
        Just("\u{1b}[31m\n\r\u{0}\u{7f}\u{9b}".to_owned()),
        Just("\u{202e}\u{2066}\u{200b}\u{2028}\u{feff}\u{ffff}\u{10ffff}\u{e0041}".to_owned()),
        Just("\"\\\n".to_owned()),
        Just("<https://evil.example> ](x) `".to_owned()),
    ];
    let times = prop_oneof![20 => 1..4_usize, 1 => 500..5000_usize];
    (piece, times).prop_map(|(piece, times)| piece.repeat(times)).boxed()
}

fn any_error() -> impl Strategy<Value = Ec2Error> {
    (text(), text(), 0..5).prop_map(|(code, message, which)| {
        let (action, cause) = ("RevokeSecurityGroupIngress", cause(message));
        match which {
            0 => Ec2Error::Denied { action, cause },
            1 => Ec2Error::NotFound { action, missing: Missing::Other, cause },
            2 => Ec2Error::NoRole { role: code, cause },
            3 => Ec2Error::LimitExceeded,
            _ => Ec2Error::Refused { action, code, cause },
        }
    })
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let rules = [
        "tcp 22 0.0.0.0/0",
        "tcp 20-25 ::/0 sgr-0123456789abcdef0",
        "-1 * 0.0.0.0/0",
        "icmp 8--1 198.51.100.0/24",
        "tcp 3306 sg-0123456789abcdef0",
        "tcp 22 pl-0123456789abcdef0",
    ];
    let tags = vec((text(), text()), 0..4);
    (select(rules.to_vec()), option::of(text()), tags).prop_map(|(text, description, tags)| {
        rule(text).with_description(description).with_tags(tags.into_iter().collect())
    })
}

fn any_hold() -> impl Strategy<Value = Hold> {
    text().prop_map(|reason| Hold { until: now(), reason })
}

fn any_entries() -> impl Strategy<Value = ListEntries> {
    let entry = any::<([u8; 4], bool)>()
        .prop_map(|(address, added)| (std::net::IpAddr::from(address).into(), added));
    (vec(entry, 0..9), any::<bool>()).prop_map(|(entries, are_excess)| ListEntries {
        list: LIST.parse().unwrap(),
        entries,
        are_excess,
    })
}

fn any_action() -> BoxedStrategy<Action> {
    let reasons = vec![NotDue::OnlyReported, NotDue::NotOpenSsh, NotDue::SweepOnlyReported];
    let not_added = prop_oneof![any_error().prop_map(NotAdded::Ec2), Just(NotAdded::TooMany)];
    let rules = || vec(any_rule(), 0..3);
    let exemption = (text(), option::of(any_error())).prop_map(|(reason, error)| {
        let (until, list) = (now().date_naive(), LIST.parse().unwrap());
        DoubtfulExemption { reason, until, lists: vec![(list, error)] }
    });
    prop_oneof![
        (select(reasons), option::of(any::<bool>()))
            .prop_map(|(why, seen)| Action::NotDue { why, seen }),
        (any_hold(), any::<bool>()).prop_map(|(hold, seen)| Action::Held {
            hold,
            then: AfterHold::Closed,
            seen
        }),
        vec(exemption, 1..4).prop_map(Action::PerhapsExempt),
        text().prop_map(|why| Action::Later(Some(NotHandedOn::Refused(why)))),
        Just(Action::GoneBefore),
        (any_error(), any::<bool>()).prop_map(|(error, noted)| Action::Unreadable {
            error,
            due: Outcome::Failed,
            noted
        }),
        (rules(), rules(), vec((any_rule(), not_added), 0..3)).prop_map(
            |(placed, refused, missing)| Action::Reverted(Reverted { placed, refused, missing })
        ),
        (any::<bool>(), rules()).prop_map(|(seen, added)| Action::AlreadyGone { seen, added }),
        Just(Action::GroupGone),
        (any_error(), rules()).prop_map(|(error, added)| Action::NotReverted {
            reason: NotReverted::Ec2(error),
            added
        }),
    ]
    .boxed()
}

fn any_remark() -> BoxedStrategy<Remark> {
    prop_oneof![
        text().prop_map(|reason| Remark::Note(Note::NotUnderstood(reason))),
        text().prop_map(|reason| Remark::Note(Note::Lost(reason))),
        text().prop_map(|reason| Remark::Note(Note::TagsNotUnderstood(reason))),
        any_hold().prop_map(Remark::HoldOver),
        text().prop_map(|until| Remark::HoldRefused(Refusal::NotATime(until))),
        any_entries().prop_map(Remark::List),
        text().prop_map(|actor| Remark::HoldAuthorized { at: now(), actor: Some(actor) }),
        Just(Remark::HoldMoved(now())),
    ]
    .boxed()
}

fn any_handled() -> impl Strategy<Value = Handled> {
    let presences = vec![
        Presence::Present,
        Presence::Gone(Connections::Ended),
        Presence::Gone(Connections::LiveOn),
        Presence::WithGroup,
    ];
    let undone = option::of((any_rule(), vec(any_rule(), 0..45), option::of(any_hold())));
    let kept = option::of(vec(any_rule(), 0..45));
    (any_action(), select(presences), undone, kept, vec(any_remark(), 0..3)).prop_map(
        |(action, presence, undone, would_keep, remarks)| {
            let (region, group) = (REGION.parse().unwrap(), GROUP.parse().unwrap());
            let undo_hold = undone.as_ref().and_then(|(_, _, hold)| hold.clone());
            let undo = undone.and_then(|(rule, pieces, hold)| {
                let sequence = Sequence::RuleFirst;
                undo(Some(&region), &group, Some(&rule), &pieces, sequence, hold.as_ref())
            });
            let fix = undo.clone();
            Handled { action, time: now(), presence, would_keep, fix, undo, undo_hold, remarks }
        },
    )
}

fn any_record() -> impl Strategy<Value = Record> {
    vec(option::of(text()), 5).prop_map(|texts| Record {
        event_name: texts[0].clone(),
        event_id: texts[1].clone(),
        actor: texts[2].clone(),
        source_ip: texts[3].clone(),
        user_agent: texts[4].clone(),
        time: Some(now()),
        ..Record::default()
    })
}

fn any_group() -> impl Strategy<Value = Group> {
    (option::of(text()), option::of(text())).prop_map(|(name, vpc_id)| Group {
        name,
        vpc_id,
        ..Group::known_by_id(GROUP.parse().unwrap())
    })
}

/// `standard` with this many scattered addresses as SSH sources, which cut an excess into pieces.
fn baseline(sources: u32) -> Baseline {
    let address = |n: u32| format!("198.51.{}.{}/32", n / 128, 2 * (n % 128));
    let sources: Vec<String> = (0..sources).map(address).collect();
    let sources = if sources.is_empty() { "none".to_owned() } else { sources.join(",") };
    let baseline = Baseline::load("standard", now().date_naive()).unwrap();
    baseline.with_ssh_sources(parse_peers(&sources).unwrap())
}

/// Whatever is in a finding besides the place, the group and the change.
#[derive(Clone, Debug)]
enum Found {
    Rule(Rule, Box<Handled>, u32, Box<Settled>),
    Unaudited(bool, Reason),
    LeftScope(String),
    WideList(Rule, Option<ListEntries>, String),
    WideBaseline(Option<ListEntries>, String),
    Auditor(WatchedChange, Vec<Weakening>),
    Unfed(Unfed),
}

/// What of a rule is in the group, what is missing, and what else is open.
type Settled = (Vec<Rule>, Vec<Rule>, Vec<Rule>);

fn any_found() -> BoxedStrategy<Found> {
    let reason = prop_oneof![
        text().prop_map(Reason::NotUnderstood),
        option::of(text()).prop_map(Reason::NoGroup),
        any_error().prop_map(Reason::Ec2),
    ];
    let components = select(vec![Component::Trail, Component::Function, Component::Key]);
    let sources = prop_oneof![10 => 0..4_u32, 1 => 100..400_u32];
    let handled = any_handled().prop_map(Box::new);
    let rules = || vec(any_rule(), 0..9);
    let settled = (rules(), rules(), rules());
    prop_oneof![
        6 => (any_rule(), handled, sources, settled.prop_map(Box::new))
            .prop_map(|(rule, handled, n, settled)| Found::Rule(rule, handled, n, settled)),
        1 => (any::<bool>(), reason).prop_map(|(known, reason)| Found::Unaudited(known, reason)),
        1 => text().prop_map(Found::LeftScope),
        1 => (any_rule(), option::of(any_entries()), text())
            .prop_map(|(rule, list, name)| Found::WideList(rule, list, name)),
        1 => (option::of(any_entries()), text())
            .prop_map(|(list, name)| Found::WideBaseline(list, name)),
        1 => (components, text(), option::of(text()), any::<bool>(), option::of(text())).prop_map(
            |(component, call, resource, by_cloudformation, server_error)| {
                let (settings, weakened) = (None, vec![Weakening::ScopeNarrowed]);
                let change = WatchedChange {
                    component,
                    call,
                    resource,
                    with: Vec::new(),
                    by_cloudformation,
                    server_error,
                    settings,
                };
                Found::Auditor(change, if by_cloudformation { weakened } else { Vec::new() })
            }
        ),
        1 => vec((text(), select(vec![Unfit::Stopped, Unfit::LeavesOut])), 0..4).prop_map(|trails| {
            let home: Region = "eu-central-1".parse().unwrap();
            let unfit = |(arn, why)| UnfitTrail { arn, home: home.clone(), why };
            Found::Unfed(Unfed::Trails(trails.into_iter().map(unfit).collect()))
        }),
        1 => any_error().prop_map(|error| Found::Unfed(Unfed::NotSeen(error))),
        1 => (0..9_usize).prop_map(|more| {
            let groups = vec![GROUP.parse().unwrap()];
            let unheard = Unheard { since: now(), seen: now(), groups, more };
            Found::Unfed(Unfed::Unheard(unheard))
        }),
    ]
    .boxed()
}

fn any_finding() -> impl Strategy<Value = Finding> {
    let is_known = (any::<bool>(), any::<bool>());
    (any_found(), any_group(), option::of(any_record()), is_known).prop_map(
        |(found, group, record, (account, region))| {
            let place = Place {
                account: account.then(|| ACCOUNT.parse().unwrap()),
                region: region.then(|| REGION.parse().unwrap()),
            };
            let origin = Origin { place: &place, group: Some(&group), record: record.as_ref() };
            let without_group = Origin { group: None, ..origin };
            match found {
                Found::Rule(rule, handled, sources, settled) => {
                    let (baseline, lists) = (baseline(sources), Lists::new());
                    let today = now().date_naive();
                    let id = Some(&group.id);
                    let judge = Judge::new(&baseline, Direction::Ingress, id, &lists, today);
                    let judgement = judge.judge(&rule);
                    let code = judge.code(&judgement).unwrap();
                    let verdict = Verdict { code, rule: &rule, judgement };
                    let mut finding = origin.rule(&judge, verdict, *handled);
                    if let Matter::Rule(found) = &mut finding.matter {
                        (found.kept, found.missing, found.still_open) = *settled;
                        let region = place.region.as_ref();
                        finding.complete = authorize_line(region, &group.id, &found.missing, None);
                    }
                    finding
                }
                Found::Unaudited(true, reason) => {
                    origin.unaudited(Some(&GroupKey::Id(group.id.clone())), reason, now())
                }
                Found::Unaudited(false, reason) => {
                    without_group.not_audited(Unaudited::Place, reason, now())
                }
                Found::LeftScope(key) => {
                    origin.left_scope(ScopeExit::OtherValue(key), false, now())
                }
                Found::WideList(rule, list, name) => origin.wide_list(&name, &rule, list, now()),
                Found::WideBaseline(list, name) => without_group.wide_baseline(&name, list, now()),
                Found::Auditor(change, weakened) => {
                    without_group.auditor_changed(&change, weakened, [None, None], now())
                }
                Found::Unfed(unfed) => without_group.unfed(unfed, None, now()),
            }
        },
    )
}

fn any_exempted() -> impl Strategy<Value = Exempted> {
    (any_rule(), text()).prop_map(|(rule, reason)| Exempted {
        place: Place::default(),
        group: GROUP.parse().unwrap(),
        traffic: rule.traffic(),
        rule,
        reason,
        until: now().date_naive() + Days::new(1),
    })
}

/// A few findings, or one of them many times over.
fn any_report() -> impl Strategy<Value = Report> {
    let findings = prop_oneof![
        4 => vec(any_finding(), 1..6),
        1 => (any_finding(), 1..900_usize).prop_map(|(finding, n)| {
            let one = Report::new(&name(String::new()), Tally::of(finding.clone()));
            let bytes = serde_json::to_string(&ReportJson::from(&one)).unwrap().len();
            // Some ten messages are enough, and a test must not take all day.
            vec![finding; n.min(1 + 1_500_000 / bytes)]
        }),
    ];
    (findings, text(), vec(any_exempted(), 0..30), 0..3_usize).prop_map(
        |(mut findings, text, exempt, handed_on)| {
            for (finding, n) in findings.iter_mut().zip(0..) {
                finding.id = format!("{n:032x}");
            }
            let partial = handed_on == 2;
            let tally = Tally { findings, exempt, handed_on, partial, ..Tally::default() };
            Report::new(&name(text), tally)
        },
    )
}

fn name(name: String) -> BaselineName {
    BaselineName { name, sha256: "1a2b3c4d5e6f7081".repeat(4), binding: None }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_finding_arrives_once_and_whole(report in any_report()) {
        let messages = messages(&report).unwrap();
        let mut ids = Vec::new();
        for message in &messages {
            prop_assert!(message.size() <= sns::MAX_BYTES, "{} bytes", message.size());

            prop_assert!(!message.subject.is_empty());
            prop_assert!(message.subject.len() <= subject::MAX_CHARS);
            prop_assert!(message.subject.bytes().all(|byte| matches!(byte, b' '..=b'~')));
            prop_assert!(message.subject.starts_with(|c: char| c.is_ascii_alphanumeric()));

            let mail = mail(message);
            for line in mail.lines() {
                prop_assert_eq!(inert::plain(line), line);
            }
            prop_assert!(!mail.contains(['\r', '\t']));

            let default = default(message);
            prop_assert_eq!(&default["totals"], &serde_json::to_value(&report.totals).unwrap());
            for finding in default["findings"].as_array().unwrap() {
                let whole = &report.findings[ids.len()];
                ids.push(finding["id"].as_str().unwrap().to_owned());
                let excess = finding["excess"].as_array().unwrap();
                let peers: usize =
                    excess.iter().map(|it| it["peers"].as_array().unwrap().len()).sum();
                let omitted = finding["excess_omitted"].as_u64().unwrap_or_default();
                let whole = whole.found_rule().map(|found| boxes(&found.excess));
                let whole: usize = whole.into_iter().flatten().map(|it| it.peers.len()).sum();
                prop_assert_eq!(peers as u64 + omitted, whole as u64);
            }
            for attribute in &message.attributes {
                prop_assert!(!attribute.value.is_empty());
                prop_assert!(attribute.value.bytes().all(|byte| matches!(byte, b' '..=b'~')));
            }
        }
        let all: Vec<_> = report.findings.iter().map(|finding| finding.id.clone()).collect();
        prop_assert_eq!(ids, all);
    }

    #[test]
    fn a_terminal_gets_nothing_but_text(report in any_report(), width in 0..200_usize) {
        let text = render(&report, View::plain(width), 0);
        for line in text.lines() {
            prop_assert_eq!(inert::plain(line), line);
        }
    }

    #[test]
    fn a_clipped_text_is_short_enough(text in text(), max in 0..200_usize) {
        prop_assert!(inert::clip(&text, max).chars().count() <= max);
        prop_assert!(inert::clip_ascii(&text, max).chars().count() <= max);
    }
}

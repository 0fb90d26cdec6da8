//! The table of docs/memory.md: how many mails a week of a site makes, with what is remembered and
//! without.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};

use crate::audit::{Auditor, Ledger};
use crate::baseline::{Baseline, Lists, parse_peers};
use crate::ec2::hold::{REASON, UNTIL};
use crate::ec2::{Direction, Group, GroupId, GroupKey, Place, Rule, Scope, SecurityGroups};
use crate::evaluate::Severity;
use crate::event::{
    ActorType, ChangeKind, Event, GroupChange, Job, Kind, Record, Removed, RevokedRules, Sweep,
    decode,
};
use crate::memory::{MemoryEc2, MemoryLedger, MemoryNotifier};
use crate::report::Message as Mail;
use crate::settings::{Remediation, RevertKeeps, Settings};
use crate::text::timestamp;

use super::scene::rule;

/// What happens in the week, in the order of the table.
const HAPPENINGS: [&str; 9] = [
    "The daily sweep finds the same 14 rules",
    "A pipeline opens SSH for its own address and closes it again, four times a working day",
    "Somebody opens SSH to the Internet and forgets it",
    "A controller opens SSH again every five minutes for a day",
    "A vendor gets a hold for eight hours",
    "Somebody opens a database to the Internet, and closes it the next day",
    "Somebody lets out what the baseline does not",
    "A run of Terraform opens twelve ports at once",
    "The records of 40 changes are cut off",
];

const DIGESTS: &str = "Mails that tell together what waited";

fn parsed<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn monday() -> DateTime<Utc> {
    parsed("2026-03-09T00:00:00Z")
}

fn at(day: i64, hour: i64, minute: i64) -> DateTime<Utc> {
    monday() + TimeDelta::days(day) + TimeDelta::hours(hour) + TimeDelta::minutes(minute)
}

fn place() -> Place {
    Place { account: Some(parsed("123456789012")), region: Some(parsed("eu-central-1")) }
}

fn group_id(number: usize) -> GroupId {
    parsed(&format!("sg-{number:017x}"))
}

/// Something that happens.
enum Happening {
    Opens(&'static str),
    HeldOpen(&'static str),
    Closes(&'static str),
    CutOff,
    Sweep,
    CheckOfHolds,
}

/// The week: when something happens, the row of the table that it belongs to, and what it is.
fn week() -> Vec<(DateTime<Utc>, usize, Happening)> {
    use Happening::{CheckOfHolds, Closes, CutOff, HeldOpen, Opens};
    const OFFICE: &str = "tcp 22 198.51.100.7/32";
    const OPEN: &str = "tcp 22 0.0.0.0/0";
    const DATABASE: &str = "tcp 3306 0.0.0.0/0";
    let mut all = Vec::new();
    for day in 0..7 {
        all.push((at(day, 6, 0), 0, Happening::Sweep));
        all.extend((0..96).map(|number| (at(day, 0, 15 * number), 4, CheckOfHolds)));
    }
    for (day, hour) in (0..5).flat_map(|day| [9, 11, 14, 16].map(|hour| (day, hour))) {
        all.push((at(day, hour, 10), 1, Opens(OFFICE)));
        all.push((at(day, hour, 14), 1, Closes(OFFICE)));
    }
    all.push((at(1, 15, 2), 2, Opens(OPEN)));
    all.extend((0..288).map(|number| (at(2, 8, 1 + 5 * number), 3, Opens("tcp 22 ::/0"))));
    all.push((at(1, 8, 32), 4, HeldOpen("tcp 22 192.0.2.0/24")));
    all.push((at(3, 10, 3), 5, Opens(DATABASE)));
    all.push((at(4, 11, 3), 5, Closes(DATABASE)));
    all.push((at(3, 13, 7), 6, Opens("out udp 4000 0.0.0.0/0")));
    for port in 0..12 {
        let rule: &'static str = Box::leak(format!("tcp {} ::/0", 9000 + port).into_boxed_str());
        let time = at(4, 15, 8) + TimeDelta::milliseconds(80 * port);
        all.push((time, 7, Opens(rule)));
    }
    all.extend((0..40).map(|number| (at(5, 1, 9 + 7 * number), 8, CutOff)));
    all.sort_by_key(|(time, ..)| *time);
    all
}

/// How many mails each row makes.
fn mails(ledger: Option<&dyn Ledger>) -> BTreeMap<&'static str, usize> {
    let known =
        (0..14).map(|number| rule(&format!("tcp {} 0.0.0.0/0 sgr-{number}", 8000 + number)));
    let known: Vec<Rule> = known.collect();
    let group = |number| Group {
        name: Some(format!("typo3-{number}")),
        ..Group::known_by_id(group_id(number))
    };
    let groups =
        known.chunks(2).enumerate().map(|(number, rules)| (place(), group(number), rules.to_vec()));
    let ec2 = MemoryEc2::new(groups, Lists::new());
    let baseline = Baseline::load("restricted-egress", monday().date_naive()).unwrap();
    let settings = Settings {
        baseline: baseline.with_ssh_sources(parse_peers("203.0.113.0/24").unwrap()),
        scope: Scope::All,
        remediation: Remediation::RevertSsh,
        revert_keeps: RevertKeeps::Baseline,
        sweep_remediation: Remediation::Notify,
        hold_max_hours: 24,
        binding: None,
        bound: Vec::new(),
    };
    let (sns, home) = (MemoryNotifier::default(), place());
    let auditor = Auditor::new(&ec2, &sns, &sns, &settings, &home);
    let auditor = match ledger {
        Some(ledger) => auditor.with_ledger(ledger, Severity::Medium),
        None => auditor,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let group = group_id(0);
    let mut counted = BTreeMap::new();
    for (number, (time, row, happening)) in week().into_iter().enumerate() {
        let record = Record {
            event_name: Some("AuthorizeSecurityGroupIngress".to_owned()),
            event_id: Some(format!("event-{number}")),
            account: home.account.clone(),
            region: home.region.clone(),
            time: Some(time),
            actor: Some("arn:aws:sts::123456789012:assumed-role/deploy/run".to_owned()),
            actor_type: ActorType::RoleSession,
            ..Record::default()
        };
        let change = |kind| {
            let change = GroupChange { group: GroupKey::Id(group.clone()), owner: None, kind };
            Event::new(record.clone(), Kind::Change(change))
        };
        let opened = |text: &str, until: Option<DateTime<Utc>>| {
            let tag = |until| {
                [(UNTIL.to_owned(), timestamp(&until)), (REASON.to_owned(), "vendor".to_owned())]
            };
            let new = rule(text).with_tags(until.map(tag).into_iter().flatten().collect());
            // It may be there.
            let _ = runtime.block_on(ec2.authorize(&home, &group, &new));
            let rules = ec2.rules_of(&group).unwrap();
            let listed = rules.into_iter().find(|listed| listed.is_same_as(&new)).unwrap();
            change(ChangeKind::Authorized(vec![listed]))
        };
        let event = match happening {
            Happening::Opens(text) => opened(text, None),
            Happening::HeldOpen(text) => opened(text, Some(time + TimeDelta::hours(8))),
            Happening::Closes(text) => {
                let rule = rule(text);
                runtime.block_on(ec2.revoke(&home, &group, &rule)).unwrap();
                let direction = Direction::Ingress;
                let removed = Removed::Rules(vec![rule]);
                change(ChangeKind::Revoked(RevokedRules { direction, removed, ids: Vec::new() }))
            }
            Happening::CutOff => {
                let reason = "the record was cut off".to_owned();
                Event::new(record.clone(), Kind::Undecodable { group: None, reason })
            }
            Happening::Sweep => {
                Event::new(Record::default(), Kind::Job(Job::Sweep(Sweep::default())))
            }
            Happening::CheckOfHolds => {
                Event::new(Record::default(), Kind::Job(Job::Holds(Sweep::default())))
            }
        };
        let now = time + TimeDelta::seconds(40);
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            runtime.block_on(auditor.audit(&event, &|| now, None)).unwrap();
            for payload in sns.take_handed_on() {
                events.extend(decode(payload.to_string().as_bytes()));
            }
        }
        for mail in sns.take().iter().filter(|message| is_mailed(message)) {
            let is_digest = mail.body.contains("\\\"digest\\\":{");
            let row = if is_digest { DIGESTS } else { HAPPENINGS[row] };
            *counted.entry(row).or_default() += 1;
        }
    }
    counted
}

fn is_mailed(message: &Mail) -> bool {
    message.attributes.iter().any(|it| it.name == "mail" && it.value == "now")
}

fn section() -> String {
    let ledger = MemoryLedger::default();
    let (without, with) = (mails(None), mails(Some(&ledger)));
    let mut lines = vec![
        "| In a week | Mails without memory | Mails with it |".to_owned(),
        "|---|---|---|".to_owned(),
    ];
    let count = |of: &BTreeMap<&str, usize>, row| of.get(row).copied().unwrap_or_default();
    for row in HAPPENINGS.iter().chain([&DIGESTS]) {
        lines.push(format!("| {row} | {} | {} |", count(&without, row), count(&with, row)));
    }
    let sum = |of: &BTreeMap<&str, usize>| of.values().sum::<usize>();
    lines.push(format!("| **All** | **{}** | **{}** |", sum(&without), sum(&with)));
    lines.join("\n") + "\n"
}

#[test]
fn the_page_has_the_mails_of_the_week() {
    const HEAD: &str = "| In a week |";
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/memory.md");
    let page = fs::read_to_string(&file).unwrap();
    let start = page.find(HEAD).unwrap();
    let end = page[start..].find("\n\n").map_or(page.len(), |end| start + end + 1);
    let new = format!("{}{}{}", &page[..start], section(), &page[end..]);
    if std::env::var_os("INSTA_UPDATE").is_some_and(|value| value == "always") {
        fs::write(file, new).unwrap();
    } else {
        assert!(page == new, "INSTA_UPDATE=always brings docs/memory.md up to date");
    }
}

//! `sg-audit invoke`: the function's handler on events, against an EC2 in memory.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::args::{Format, Invoke};
use super::check::{list_missing, lists_missing};
use super::{Answer, CliError, input, settings};
use crate::audit::{AuditError, Auditor, Group, Place, completed, merged};
use crate::baseline::Lists;
use crate::ec2::Rule;
use crate::event::{Event, Task, decode};
use crate::finding::{Code, Finding, Report, ReportOutcome};
use crate::memory::{MemoryEc2, MemoryNotifier};
use crate::report::terminal::{Compliant, Style, exit_status, groups_compliant, render_changes};
use crate::report::{Message, to_json_pretty};
use crate::settings::{Scope, Settings};
use crate::text::inert;

/// Audits events one after another, in one EC2.
pub(super) fn run(args: &Invoke, style: Style, now: DateTime<Utc>) -> Result<Answer, CliError> {
    let common = &args.common;
    let sweep = args.sweep_remediation.as_deref();
    let settings = settings::resolve_sweeping(common, sweep, now.date_naive())?;
    if args.groups.is_none() && matches!(settings.scope, Scope::Tag { .. }) {
        return Err(CliError::TagsUnknown);
    }
    let events = args.events.iter().map(AsRef::as_ref);
    input::read_once(
        events.clone().chain(args.groups.as_deref()).chain(common.prefix_lists.as_deref()),
    )?;
    let lists = input::read_lists(common.prefix_lists.as_deref())?;
    let groups = match &args.groups {
        Some(path) => input::read_groups(path)?,
        None => Vec::new(),
    };
    let groups: Vec<(Place, Group, Vec<Rule>)> =
        groups.into_iter().map(|group| (group.place, group.group, group.rules)).collect();
    let world = World {
        home: home(&groups),
        given: lists.clone(),
        ec2: MemoryEc2::new(groups, lists),
        notifier: MemoryNotifier::default(),
        settings,
        told_by_events: args.groups.is_none(),
    };
    let payloads: Vec<(&Path, Vec<u8>)> =
        events.map(|path| Ok((path, input::read(path)?))).collect::<Result<_, CliError>>()?;
    let audited = payloads
        .iter()
        .map(|(path, payload)| world.audit(input::name(path), payload, now))
        .collect::<Result<Vec<_>, _>>()?;
    let notes = notes(&world, &audited, args.groups.as_deref());
    let status = audited.iter().map(|one| exit_status(&one.report)).max().unwrap_or_default();
    let out = match common.format {
        Format::Text => text(&audited, style),
        Format::Json => {
            let reports = audited.into_iter().map(|one| one.report).collect();
            let report = merged(&world.settings.baseline.reference(), reports);
            format!("{}\n", to_json_pretty(&report)?)
        }
    };
    Ok(Answer { out, notes, status })
}

/// Where an event that does not say so comes from: the place of the groups, where they are all of
/// one.
fn home(groups: &[(Place, Group, Vec<Rule>)]) -> Place {
    match groups {
        [(first, ..), rest @ ..] if rest.iter().all(|(place, ..)| place == first) => first.clone(),
        _ => Place::default(),
    }
}

/// What was audited, each under its name where there are several.
fn text(audited: &[Audited], style: Style) -> String {
    if let [one] = audited {
        return one.text(style);
    }
    let texts: Vec<String> = audited
        .iter()
        .map(|one| format!("== {} ==\n\n{}", inert::plain(&one.name), one.text(style)))
        .collect();
    texts.join("\n")
}

/// What could not be audited, and what would help; `groups` is the file of groups.
fn notes(world: &World, audited: &[Audited], groups: Option<&Path>) -> Vec<String> {
    let unaudited = || audited.iter().flat_map(|one| one.unaudited().map(|it| (&one.name, it)));
    let mut notes: Vec<String> = unaudited()
        .map(|(name, finding)| inert::plain(&format!("{name}: {}", finding.title)))
        .collect();
    match groups {
        Some(file) => notes.extend(groups_missing(audited, &input::name(file))),
        None if audited.iter().any(|one| one.seen.beyond_one_group) => {
            let hint =
                "such an event is about all groups and tells of none: give them with --groups FILE";
            notes.push(format!("note: {hint}"));
        }
        None if unaudited().any(|(_, finding)| finding.group.is_some()) => {
            let hint = "what an event does not tell of its group can be given with --groups FILE";
            notes.push(format!("note: {hint}"));
        }
        None => {}
    }
    let mut lists: BTreeSet<String> =
        audited.iter().flat_map(|one| one.seen.lists_missing.clone()).collect();
    for one in audited {
        lists.extend(lists_missing(&one.report, &world.settings.baseline, &world.given));
    }
    notes.extend(lists.iter().map(|list| list_missing(list)));
    let Settings { remediation, sweep_remediation, .. } = world.settings;
    let swept = audited.iter().any(|one| one.seen.swept);
    if swept && remediation.reverts() && !sweep_remediation.reverts() {
        let hint =
            "--remediation is for changes; for what a sweep finds, there is --sweep-remediation";
        notes.push(format!("note: {hint}"));
    }
    notes
}

/// Each group that the audit asked for and the file does not have.
fn groups_missing(audited: &[Audited], file: &str) -> Vec<String> {
    let missing: BTreeSet<&String> = audited.iter().flat_map(|one| &one.seen.missing).collect();
    missing
        .into_iter()
        .map(|group| {
            inert::plain(&format!(
                "note: {file} has no group {group}, so what is said of its present state is not \
                 known"
            ))
        })
        .collect()
}

/// What the handler works in.
struct World {
    ec2: MemoryEc2,
    notifier: MemoryNotifier,
    settings: Settings,
    home: Place,
    /// The prefix lists whose entries were given.
    given: Lists,
    /// Whether the groups are what the events tell of them.
    told_by_events: bool,
}

impl World {
    /// Does what the handler does, one event of the payload after another: each finds its group as
    /// it and those before it tell of it.
    fn audit(&self, name: String, payload: &[u8], now: DateTime<Utc>) -> Result<Audited, CliError> {
        let events = decode(payload);
        let clock = events.iter().filter_map(time).max().unwrap_or(now);
        let runtime =
            tokio::runtime::Builder::new_current_thread().build().map_err(CliError::Runtime)?;
        let auditor =
            Auditor::new(&self.ec2, &self.notifier, &self.notifier, &self.settings, &self.home)
                .with_members(true);
        let mut seen = Seen::default();
        let mut reports = Vec::new();
        for event in &events {
            if let Event::Change(change) = event
                && self.told_by_events
            {
                self.ec2.apply(change);
            }
            match runtime.block_on(self.completely(&auditor, event, clock)) {
                Ok(report) => {
                    self.count(&mut seen, event, &report);
                    reports.push(report);
                }
                Err(error) => return Err(CliError::Audit { name, source: Box::new(error) }),
            }
        }
        let report = merged(&self.settings.baseline.reference(), reports);
        Ok(Audited { name, report, messages: self.notifier.take(), seen })
    }

    /// Audits an event, and then what the handler hands to itself.
    async fn completely(
        &self,
        auditor: &Auditor<'_, MemoryEc2, MemoryNotifier, MemoryNotifier>,
        event: &Event,
        clock: DateTime<Utc>,
    ) -> Result<Report, AuditError> {
        let found = auditor.audit(event, &|| clock, None).await?;
        let mut closed = Vec::new();
        for payload in self.notifier.take_handed_on() {
            closed.push(auditor.handle(payload.to_string().as_bytes(), &|| clock, None).await?);
        }
        Ok(completed(&self.settings.baseline.reference(), found, closed))
    }

    /// What the audit of an event saw of the groups.
    fn count(&self, seen: &mut Seen, event: &Event, report: &Report) {
        let calls = self.ec2.take_calls();
        let complies = report.outcome == ReportOutcome::Compliant;
        match event {
            Event::Change(change) => {
                let held = self.ec2.rule_count(change);
                if held.is_none() && !calls.is_empty() {
                    seen.missing.insert(change.group.as_str().to_owned());
                }
                let whole = !calls.is_empty() && held == Some(report.rules_audited);
                let compliant = &mut seen.compliant;
                let counted = if whole { &mut compliant.groups } else { &mut compliant.changes };
                *counted += if complies { report.groups_audited } else { 0 };
            }
            Event::Tags(change) if !calls.is_empty() => {
                let missing =
                    change.groups.iter().filter(|group| self.ec2.rules_of(group).is_none());
                seen.missing.extend(missing.cloned());
                seen.compliant.groups += groups_compliant(report);
            }
            Event::List(change) => {
                if !self.given.contains_key(&change.list) {
                    seen.lists_missing.insert(change.list.clone());
                }
                seen.beyond_one_group = true;
                seen.compliant.naming += groups_compliant(report);
            }
            Event::Schedule(schedule) => {
                seen.beyond_one_group = true;
                // The check of holds looks at single rules.
                if schedule.task == Task::Sweep {
                    seen.swept = true;
                    seen.compliant.groups += groups_compliant(report);
                }
            }
            Event::Close(close) => {
                let groups = close.rules.iter().map(|one| &one.group);
                let missing = groups.filter(|group| self.ec2.rules_of(group).is_none());
                seen.missing.extend(missing.cloned());
            }
            Event::Tags(_) | Event::Watched(_) | Event::Undecodable { .. } | Event::Ignored(_) => {}
        }
        seen.calls.extend(calls);
    }
}

fn time(event: &Event) -> Option<DateTime<Utc>> {
    match event {
        Event::Change(change) => change.record.time,
        Event::Undecodable { record, .. } => record.time,
        Event::List(change) => change.record.time,
        Event::Tags(change) => change.record.time,
        Event::Watched(change) => change.record.time,
        Event::Close(close) => close.record.as_ref().and_then(|record| record.time),
        Event::Schedule(_) | Event::Ignored(_) => None,
    }
}

/// What came of an invocation.
struct Audited {
    /// What messages call the event.
    name: String,
    report: Report,
    messages: Vec<Message>,
    seen: Seen,
}

/// What the audits of a payload's events saw of the groups.
#[derive(Default)]
struct Seen {
    compliant: Compliant,
    /// Groups that EC2 was asked for and does not have.
    missing: BTreeSet<String>,
    /// Lists that changed and whose entries were not given.
    lists_missing: BTreeSet<String>,
    /// Whether it was about whatever groups there are.
    beyond_one_group: bool,
    /// Whether it was a sweep.
    swept: bool,
    calls: Vec<String>,
}

/// The body of a message, as SNS delivers it by mail.
#[derive(Deserialize)]
struct Body {
    email: String,
}

impl Audited {
    fn text(&self, style: Style) -> String {
        let mut text = render_changes(&self.report, style, self.seen.compliant);
        if self.messages.is_empty() {
            text.push_str("\nWould be published: nothing\n");
        }
        for message in &self.messages {
            text.push_str(&format!("\nWould be published:\n\n  Subject: {}\n\n", message.subject));
            // What is no such body would not be delivered as one either, and is shown as it is.
            let mail = serde_json::from_str(&message.body)
                .map_or_else(|_| message.body.clone(), |Body { email }| email);
            text.push_str(&indented(&mail));
        }
        if self.seen.calls.is_empty() {
            text.push_str("\nCalls to EC2: none\n");
        } else {
            text.push_str("\nCalls to EC2:\n\n");
            text.push_str(&indented(&self.seen.calls.join("\n")));
        }
        text
    }

    /// What could not be audited.
    fn unaudited(&self) -> impl Iterator<Item = &Finding> {
        self.report.findings.iter().filter(|finding| finding.code == Code::UnauditedChange)
    }
}

/// Each line a little to the right, and inert.
fn indented(text: &str) -> String {
    text.lines()
        .map(|line| match inert::plain(line) {
            line if line.is_empty() => "\n".to_owned(),
            line => format!("  {line}\n"),
        })
        .collect()
}

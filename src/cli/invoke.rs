//! `sg-audit invoke`: the function's handler on events, against an EC2 in memory.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::args::{Format, Invoke};
use super::{Answer, CliError, input, settings};
use crate::audit::{Auditor, Place, merged};
use crate::event::{Event, SgChange, decode};
use crate::finding::{Code, Finding, Report, ReportOutcome};
use crate::memory::{MemoryEc2, MemoryNotifier};
use crate::report::terminal::{Compliant, Style, exit_status, render_changes};
use crate::report::{Message, inert, to_json_pretty};
use crate::settings::{Scope, Settings};

/// Audits events one after another, in one EC2.
pub(super) fn run(args: &Invoke, style: Style, now: DateTime<Utc>) -> Result<Answer, CliError> {
    let common = &args.common;
    let settings = settings::resolve(common, now.date_naive())?;
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
    let groups = groups.into_iter().map(|group| (group.place, group.group, group.rules));
    let world = World {
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
    let notes = notes(&audited, args.groups.as_deref());
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
fn notes(audited: &[Audited], groups: Option<&Path>) -> Vec<String> {
    let unaudited = || audited.iter().flat_map(|one| one.unaudited().map(|it| (&one.name, it)));
    let mut notes: Vec<String> = unaudited()
        .map(|(name, finding)| inert::plain(&format!("{name}: {}", finding.title)))
        .collect();
    match groups {
        Some(file) => notes.extend(groups_missing(audited, &input::name(file))),
        None if unaudited().any(|(_, finding)| finding.group.is_some()) => {
            let hint = "what an event does not tell of its group can be given with --groups FILE";
            notes.push(format!("note: {hint}"));
        }
        None => {}
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
        let home = Place::default();
        let auditor =
            Auditor::new(&self.ec2, &self.notifier, &self.notifier, &self.settings, &home);
        let mut seen = Seen::default();
        let mut reports = Vec::new();
        for event in &events {
            let change = match event {
                Event::Change(change) => Some(change.as_ref()),
                _ => None,
            };
            if let Some(change) = change.filter(|_| self.told_by_events) {
                self.ec2.apply(change);
            }
            match runtime.block_on(auditor.audit(event, &|| clock, None)) {
                Ok(report) => {
                    self.count(&mut seen, change, &report);
                    reports.push(report);
                }
                Err(error) => return Err(CliError::Audit { name, source: Box::new(error) }),
            }
        }
        let report = merged(&self.settings.baseline.reference(), reports);
        Ok(Audited { name, report, messages: self.notifier.take(), seen })
    }

    /// What the audit of an event saw of the group.
    fn count(&self, seen: &mut Seen, change: Option<&SgChange>, report: &Report) {
        let calls = self.ec2.take_calls();
        let held = change.and_then(|change| self.ec2.rule_count(change));
        if let Some(change) = change.filter(|_| held.is_none() && !calls.is_empty()) {
            seen.missing.insert(change.group.as_str().to_owned());
        }
        if report.outcome == ReportOutcome::Compliant {
            let whole = !calls.is_empty() && held == Some(report.rules_audited);
            let counted =
                if whole { &mut seen.compliant.groups } else { &mut seen.compliant.changes };
            *counted += report.groups_audited;
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

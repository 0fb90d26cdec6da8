//! `sg-audit invoke`: runs the function's handler on events, with an EC2 in memory.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::args::{Format, InvokeArgs};
use super::check::{missing_list, missing_lists};
use super::error::CliError;
use super::output::Answer;
use super::{input, settings};
use crate::audit::{AuditError, Auditor};
use crate::baseline::Lists;
use crate::describe::{self, DescribedGroup};
use crate::ec2::{Group, ListId, Place, Rule, Scope};
use crate::evaluate::Code;
use crate::event::{Event, Kind, Message as Task, decode};
use crate::finding::{BaselineName, Finding, Report, ReportOutcome};
use crate::memory::{MemoryEc2, MemoryNotifier};
use crate::report::terminal::{Compliant, Style, exit_status, groups_compliant, render_changes};
use crate::report::{Message, to_json_pretty, to_title};
use crate::settings::Settings;
use crate::text::inert;

/// Audits events one after another. They share one EC2.
pub(super) fn run(args: &InvokeArgs, style: Style, now: DateTime<Utc>) -> Result<Answer, CliError> {
    let options = &args.audit;
    let sweep_remediation = args.sweep_remediation.clone();
    let settings = settings::resolve(options, sweep_remediation, now.date_naive())?;
    if args.groups.is_none() && matches!(settings.scope, Scope::Tag { .. }) {
        return Err(CliError::TagsUnknown);
    }
    let events = args.events.iter().map(AsRef::as_ref);
    let (group_file, list_file) = (args.groups.as_deref(), options.prefix_lists.as_deref());
    input::read_once(events.clone().chain(group_file).chain(list_file))?;
    let lists = input::prefix_lists_of(list_file)?;
    let groups = group_file.map(|file| input::parse(file, describe::groups)).transpose()?;
    let simulation = Simulation::new(groups, lists, settings);
    let payloads: Vec<(&Path, Vec<u8>)> =
        events.map(|path| Ok((path, input::read(path)?))).collect::<Result<_, CliError>>()?;
    let invocations = payloads
        .iter()
        .map(|(path, payload)| simulation.invoke(input::name(path), payload, now))
        .collect::<Result<Vec<_>, _>>()?;
    let notes = notes(&simulation, &invocations, group_file);
    let status = invocations.iter().map(|one| exit_status(&one.report)).max().unwrap_or_default();
    let out = match options.format {
        Format::Text => text(&invocations, style),
        Format::Json => {
            let reports = invocations.into_iter().map(|one| one.report).collect();
            format!("{}\n", to_json_pretty(&simulation.merged(reports))?)
        }
    };
    Ok(Answer { out, notes, status })
}

/// The output for each event, with its name if there are several.
fn text(invocations: &[Invocation], style: Style) -> String {
    if let [one] = invocations {
        return one.text(style);
    }
    let texts: Vec<String> = invocations
        .iter()
        .map(|one| format!("== {} ==\n\n{}", inert::plain(&one.name), one.text(style)))
        .collect();
    texts.join("\n")
}

/// What could not be audited, and which options would help.
fn notes(
    simulation: &Simulation,
    invocations: &[Invocation],
    group_file: Option<&Path>,
) -> Vec<String> {
    let unaudited = || invocations.iter().flat_map(|one| one.unaudited().map(|it| (&one.name, it)));
    let mut notes: Vec<String> = unaudited()
        .map(|(name, finding)| inert::plain(&format!("{name}: {}", to_title(finding))))
        .collect();
    match group_file {
        Some(file) => notes.extend(missing_groups(invocations, &input::name(file))),
        None if invocations.iter().any(|one| one.seen.beyond_one_group) => notes.push(
            "note: such an event is about all groups and contains none of them: give them with \
             --groups FILE"
                .to_owned(),
        ),
        None if unaudited().any(|(_, finding)| finding.group.is_some()) => notes.push(
            "note: if an event does not tell enough about its group, give the group with --groups \
             FILE"
                .to_owned(),
        ),
        None => {}
    }
    let mut lists: BTreeSet<&ListId> =
        invocations.iter().flat_map(|one| &one.seen.missing_lists).collect();
    for one in invocations {
        let Simulation { settings, lists: given, .. } = simulation;
        lists.extend(missing_lists(&one.report, &settings.baseline, given));
    }
    notes.extend(lists.into_iter().map(missing_list));
    let Settings { remediation, sweep_remediation, .. } = simulation.settings;
    let swept = invocations.iter().any(|one| one.seen.swept);
    if swept && remediation.reverts() && !sweep_remediation.reverts() {
        notes.push(
            "note: --remediation is for changes; use --sweep-remediation for findings of a sweep"
                .to_owned(),
        );
    }
    notes
}

/// A note for each group that the audit asked for and the file does not have.
fn missing_groups(invocations: &[Invocation], file: &str) -> Vec<String> {
    let missing: BTreeSet<&String> =
        invocations.iter().flat_map(|one| &one.seen.missing_groups).collect();
    let note =
        |group| format!("note: {file} has no group {group}, so its present state is not known");
    missing.into_iter().map(|group| inert::plain(&note(group))).collect()
}

/// The handler's surroundings.
struct Simulation {
    ec2: MemoryEc2,
    notifier: MemoryNotifier,
    settings: Settings,
    /// Where an event comes from that doesn't tell its account or region.
    home: Place,
    /// The prefix lists that were given.
    lists: Lists,
    /// Whether the groups are only known from events.
    follows_events: bool,
}

impl Simulation {
    fn new(groups: Option<Vec<DescribedGroup>>, lists: Lists, settings: Settings) -> Self {
        let follows_events = groups.is_none();
        let groups = groups.unwrap_or_default();
        let groups: Vec<(Place, Group, Vec<Rule>)> =
            groups.into_iter().map(|it| (it.place, it.group, it.rules)).collect();
        let home = match groups.as_slice() {
            [(first, ..), rest @ ..] if rest.iter().all(|(place, ..)| place == first) => {
                first.clone()
            }
            _ => Place::default(),
        };
        let ec2 = MemoryEc2::new(groups, lists.clone());
        let notifier = MemoryNotifier::default();
        Self { ec2, notifier, settings, home, lists, follows_events }
    }

    /// Audits the events of a payload one after another. Each event finds its group as this event
    /// and the earlier ones left it.
    fn invoke(
        &self,
        name: String,
        payload: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Invocation, CliError> {
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
            if let Kind::Change(change) = &event.kind
                && self.follows_events
            {
                self.ec2.follow(&place(event), change);
            }
            match runtime.block_on(self.audit(&auditor, event, clock)) {
                Ok(report) => {
                    self.observe(&mut seen, event, &report);
                    reports.push(report);
                }
                Err(source) => return Err(CliError::Audit { name, source }),
            }
        }
        let report = self.merged(reports);
        Ok(Invocation { name, report, messages: self.notifier.take(), seen })
    }

    /// Audits an event, and then what the handler hands on to itself.
    async fn audit(
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
        Ok(Report::completed(&BaselineName::from(&self.settings.baseline), found, closed))
    }

    fn merged(&self, reports: Vec<Report>) -> Report {
        Report::merged(&BaselineName::from(&self.settings.baseline), reports)
    }

    /// Adds to `seen` what the audit of an event saw of the groups.
    fn observe(&self, seen: &mut Seen, event: &Event, report: &Report) {
        let calls = self.ec2.take_calls();
        match &event.kind {
            Kind::Change(change) => {
                let known = self.ec2.rule_count(&place(event), &change.group);
                if known.is_none() && !calls.is_empty() {
                    seen.missing_groups.insert(change.group.as_str().to_owned());
                }
                if report.outcome == ReportOutcome::Compliant {
                    let compliant = &mut seen.compliant;
                    let whole = !calls.is_empty() && known == Some(report.rules);
                    *(if whole { &mut compliant.groups } else { &mut compliant.changes }) +=
                        report.groups;
                }
            }
            Kind::Tags(change) | Kind::Message(Task::Tags(change)) if !calls.is_empty() => {
                let missing = change.groups.iter().filter(|id| self.ec2.rules_of(id).is_none());
                seen.missing_groups.extend(missing.map(ToString::to_string));
                seen.compliant.groups += groups_compliant(report);
            }
            Kind::List(change) => {
                if !self.lists.contains_key(&change.list) {
                    seen.missing_lists.insert(change.list.clone());
                }
                seen.beyond_one_group = true;
                seen.compliant.naming += groups_compliant(report);
            }
            Kind::Message(Task::Sweep(_)) => {
                seen.beyond_one_group = true;
                seen.swept = true;
                seen.compliant.groups += groups_compliant(report);
            }
            // The check of holds looks at single rules.
            Kind::Message(Task::Holds(_)) => seen.beyond_one_group = true,
            Kind::Message(Task::Close(close)) => {
                let groups = close.rules.iter().map(|one| &one.group);
                let missing = groups.filter(|id| self.ec2.rules_of(id).is_none());
                seen.missing_groups.extend(missing.map(ToString::to_string));
            }
            Kind::Tags(_)
            | Kind::Message(Task::Tags(_))
            | Kind::Watched(_)
            | Kind::Undecodable(_)
            | Kind::Ignored(_) => {}
        }
        seen.calls.extend(calls);
    }
}

/// When the change was made. Ignored events don't move the clock.
fn time(event: &Event) -> Option<DateTime<Utc>> {
    event.record.time.filter(|_| !matches!(event.kind, Kind::Ignored(_)))
}

fn place(event: &Event) -> Place {
    Place { account: event.record.account.clone(), region: event.record.region.clone() }
}

/// The result of a payload.
struct Invocation {
    /// What messages call the payload.
    name: String,
    report: Report,
    messages: Vec<Message>,
    seen: Seen,
}

/// What the audits of a payload saw of the groups.
#[derive(Default)]
struct Seen {
    compliant: Compliant,
    /// Groups that EC2 was asked for and does not have.
    missing_groups: BTreeSet<String>,
    /// Lists that changed and were not given.
    missing_lists: BTreeSet<ListId>,
    /// Whether any event was about all groups.
    beyond_one_group: bool,
    /// Whether any event was a sweep.
    swept: bool,
    calls: Vec<String>,
}

/// The body of a message.
#[derive(Deserialize)]
struct Body {
    email: String,
}

impl Invocation {
    fn text(&self, style: Style) -> String {
        let mut text = render_changes(&self.report, style, self.seen.compliant);
        if self.messages.is_empty() {
            text.push_str("\nWould be published: nothing\n");
        }
        for message in &self.messages {
            text.push_str(&format!("\nWould be published:\n\n  Subject: {}\n\n", message.subject));
            // SNS would refuse any other body, so show it as it is.
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

    /// The findings about what could not be audited.
    fn unaudited(&self) -> impl Iterator<Item = &Finding> {
        self.report.findings.iter().filter(|finding| finding.code == Code::UnauditedChange)
    }
}

/// Every line, indented and inert.
fn indented(text: &str) -> String {
    text.lines()
        .map(|line| match inert::plain(line) {
            line if line.is_empty() => "\n".to_owned(),
            line => format!("  {line}\n"),
        })
        .collect()
}

//! `sg-audit invoke`: runs the function's handler on events, with an EC2 in memory.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::args::{Format, InvokeArgs};
use super::check::{missing_list, missing_lists};
use super::error::CliError;
use super::event_file::refuse_others;
use super::output::{Answer, NOT_AUDITED, view, written};
use super::progress::Progress;
use super::{input, settings};
use crate::audit::{AuditError, Auditor};
use crate::baseline::Lists;
use crate::describe::{self, DescribedGroup, DescribedLists};
use crate::ec2::{Group, ListId, Place, Rule, Scope};
use crate::evaluate::{Code, Severity};
use crate::event::{Component, Event, Job as Task, Kind, decode};
use crate::finding::{BaselineName, Finding, HookVerdict, Outcome, Report, ReportOutcome};
use crate::memory::{MemoryEc2, MemoryNotifier};
use crate::report::terminal::{
    Compliant, Style, View, exit_status, groups_compliant, render_changes,
};
use crate::report::{HookJson, Message, to_title};
use crate::settings::Settings;
use crate::text::{in_backticks, inert};

/// Audits events one after another. They share one EC2.
pub(super) fn run(args: &InvokeArgs, style: Style, now: DateTime<Utc>) -> Result<Answer, CliError> {
    let options = &args.audit;
    settings::refuse_summary(options)?;
    settings::refuse_sarif(options)?;
    let sweep_remediation = args.sweep_remediation.clone();
    let settings = settings::resolve(options, sweep_remediation, now.date_naive())?;
    if args.groups.is_empty() && matches!(settings.scope, Scope::Tag { .. }) {
        return Err(CliError::TagsUnknown);
    }
    let events = args.events.iter().map(AsRef::as_ref);
    let group_files: Vec<&Path> = args.groups.iter().map(AsRef::as_ref).collect();
    let list_file = options.prefix_lists.as_deref();
    input::read_once(events.clone().chain(group_files.iter().copied()).chain(list_file))?;
    let described = input::prefix_lists_of(list_file)?;
    let given = !group_files.is_empty();
    let groups = given.then(|| input::groups_of(&group_files, describe::groups)).transpose()?;
    let simulation = Simulation::new(groups, described, settings);
    let payloads: Vec<(String, Vec<u8>)> = events.map(payload).collect::<Result<_, _>>()?;
    let progress = Progress::of("event");
    let mut invocations = payloads
        .into_iter()
        .map(|(name, payload)| simulation.invoke(name, &payload, args, (&progress, now)))
        .collect::<Result<Vec<_>, _>>()?;
    drop(progress);
    let files = given.then(|| input::names(&group_files));
    let notes = notes(&simulation, &invocations, files.as_deref());
    let status = invocations.iter().map(|one| one.exit_status(options.fail_on)).max();
    let status = status.unwrap_or_default();
    let out = match options.format {
        Format::Text => {
            invocations.iter_mut().for_each(|one| one.report.hide_below(options.min_severity));
            text(&invocations, view(options, style))
        }
        _ => {
            let reports = invocations.into_iter().map(|one| one.report).collect();
            let mut report = simulation.merged(reports);
            report.hide_below(options.min_severity);
            written(&report, options)?
        }
    };
    Ok(Answer { out, notes, status })
}

/// The events in a file, with what messages call it.
fn payload(path: &Path) -> Result<(String, Vec<u8>), CliError> {
    let (name, payload) = (input::name(path), input::read(path)?);
    match refuse_others(&payload) {
        Ok(()) => Ok((name, payload)),
        Err(source) => Err(CliError::NotAnEvent { name, source }),
    }
}

/// The output for each event, with its name if there are several.
fn text(invocations: &[Invocation], view: View) -> String {
    if let [one] = invocations {
        return one.text(view);
    }
    let texts: Vec<String> = invocations
        .iter()
        .map(|one| format!("== {} ==\n\n{}", inert::plain(&one.name), one.text(view)))
        .collect();
    texts.join("\n")
}

/// What could not be audited, and which options would help.
fn notes(
    simulation: &Simulation,
    invocations: &[Invocation],
    group_files: Option<&str>,
) -> Vec<String> {
    let unaudited = || invocations.iter().flat_map(|one| one.unaudited().map(|it| (&one.name, it)));
    let mut notes: Vec<String> = unaudited()
        .map(|(name, finding)| inert::plain(&format!("{name}: {}", to_title(finding))))
        .chain(settings::warnings(&simulation.settings))
        .collect();
    match group_files {
        Some(file) => {
            notes.extend(missing_groups(invocations, file));
            if invocations.iter().any(|one| one.seen.tags_unknown) {
                notes.push(inert::plain(&format!(
                    "note: {file} does not show the tags of rules, so whether they have those of a \
                     hold now is not known: add the output of `aws ec2 \
                     describe-security-group-rules` to it"
                )));
            }
        }
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
    let lists: BTreeSet<&ListId> =
        invocations.iter().flat_map(|one| &one.seen.missing_lists).collect();
    notes.extend(lists.into_iter().map(missing_list));
    let others: BTreeSet<&String> = invocations.iter().flat_map(|one| &one.seen.others).collect();
    if !others.is_empty() {
        let others = others.into_iter().map(|other| in_backticks(other)).collect::<Vec<_>>();
        notes.push(inert::plain(&format!(
            "note: changes of {} are left out: if it is part of the auditor, name it, or the \
             auditor's stack, with --auditor NAME",
            others.join(", ")
        )));
    }
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
    fn new(
        groups: Option<Vec<DescribedGroup>>,
        DescribedLists { lists, names }: DescribedLists,
        settings: Settings,
    ) -> Self {
        let follows_events = groups.is_none();
        let groups = groups.unwrap_or_default();
        let groups: Vec<(Place, Group, Vec<Rule>)> =
            groups.into_iter().map(|it| (it.place, it.group, it.rules)).collect();
        let places = || groups.iter().map(|(place, ..)| place);
        let home = Place {
            account: common(places().map(|place| &place.account)),
            region: common(places().map(|place| &place.region)),
        };
        let ec2 = MemoryEc2::new(groups, lists.clone()).with_list_names(names).with_other_lists();
        let notifier = MemoryNotifier::default();
        Self { ec2, notifier, settings, home, lists, follows_events }
    }

    /// Audits the events of a payload one after another. Each event finds its group as this event
    /// and the earlier ones left it.
    fn invoke(
        &self,
        name: String,
        payload: &[u8],
        args: &InvokeArgs,
        (progress, now): (&Progress, DateTime<Utc>),
    ) -> Result<Invocation, CliError> {
        let mut seen = Seen::default();
        let mut events = decode(payload);
        for event in &mut events {
            seen.leave_out_others(event, &args.auditor);
        }
        let clock = events.iter().filter_map(time).max().unwrap_or(now);
        let runtime =
            tokio::runtime::Builder::new_current_thread().build().map_err(CliError::Runtime)?;
        let auditor =
            Auditor::new(&self.ec2, &self.notifier, &self.notifier, &self.settings, &self.home)
                .with_members(true);
        let mut reports = Vec::new();
        for (done, event) in events.iter().enumerate() {
            progress.done(done);
            if let Kind::Change(change) = &event.kind
                && self.follows_events
            {
                self.ec2.follow(&place(event), change);
            }
            match runtime.block_on(self.audit(&auditor, event, clock)) {
                Ok(report) => {
                    self.observe(&mut seen, event, &report);
                    let missing = missing_lists(&report, &self.settings.baseline, &self.lists);
                    seen.missing_lists.extend(missing.into_iter().cloned());
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
            Kind::Tags(change) | Kind::Job(Task::Tags(change)) if !calls.is_empty() => {
                let missing = change.groups.iter().filter(|id| self.ec2.rules_of(id).is_none());
                let before = seen.missing_groups.len();
                seen.missing_groups.extend(missing.map(ToString::to_string));
                seen.groups_unknown |= seen.missing_groups.len() > before;
                seen.compliant.groups += groups_compliant(report);
            }
            Kind::List(change) | Kind::Job(Task::List(change, _)) => {
                // Where no rule names the list, nothing depends on it.
                let is_named = self.follows_events || report.groups > 0;
                if is_named && !self.lists.contains_key(&change.list) {
                    seen.missing_lists.insert(change.list.clone());
                }
                seen.beyond_one_group = true;
                seen.compliant.naming += groups_compliant(report);
            }
            Kind::Job(Task::Sweep(_)) => {
                seen.beyond_one_group = true;
                seen.swept = true;
                seen.compliant.groups += groups_compliant(report);
            }
            Kind::Lost(_) | Kind::Job(Task::Lost(_)) => {
                seen.beyond_one_group = true;
                seen.compliant.groups += groups_compliant(report);
            }
            // These look at single rules, by their tags or their ids.
            Kind::HoldTags(_) | Kind::Job(Task::HoldTags(_) | Task::Holds(_)) => {
                seen.beyond_one_group = true;
                seen.tags_unknown |= self.ec2.has_rules_without_ids();
                seen.groups_unknown |= seen.tags_unknown;
            }
            Kind::Job(Task::Close(close)) => {
                let groups = close.rules.iter().map(|one| &one.group);
                let missing = groups.filter(|id| self.ec2.rules_of(id).is_none());
                seen.missing_groups.extend(missing.map(ToString::to_string));
            }
            Kind::Tags(_)
            | Kind::Job(Task::Tags(_))
            | Kind::Hook(_)
            | Kind::Watched(_)
            | Kind::Undecodable { .. }
            | Kind::Ignored(_)
            | Kind::NotAudited { .. } => {}
        }
        seen.groups_unknown |= self.follows_events && seen.beyond_one_group;
        seen.tags_unknown |= !self.follows_events
            && report.findings.iter().any(|finding| {
                finding.outcome() == Outcome::Held && self.ec2.has_rules_without_ids()
            });
        seen.calls.extend(calls);
    }
}

/// The value that all have.
fn common<'a, T: Clone + PartialEq + 'a>(
    mut values: impl Iterator<Item = &'a Option<T>>,
) -> Option<T> {
    let first = values.next()?;
    values.all(|value| value == first).then(|| first.clone())?
}

/// When the change was made. Ignored events don't move the clock.
fn time(event: &Event) -> Option<DateTime<Utc>> {
    event.record.time.filter(|_| !matches!(event.kind, Kind::Ignored(_) | Kind::NotAudited { .. }))
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
    /// Lists that changed, or that findings depend on, and that were not given.
    missing_lists: BTreeSet<ListId>,
    /// Whether any event was about all groups.
    beyond_one_group: bool,
    /// Whether any event was a sweep.
    swept: bool,
    /// Whether a hold matters and the file does not show the tags of rules.
    tags_unknown: bool,
    /// Whether an event was about groups that nobody gave.
    groups_unknown: bool,
    /// What changed and is not known to be part of the auditor.
    others: BTreeSet<String>,
    calls: Vec<String>,
}

impl Seen {
    /// The rules in stacks/watch.yaml only bring changes of the auditor's own parts, but a trail has
    /// those of everybody.
    fn leave_out_others(&mut self, event: &mut Event, auditor_names: &[String]) {
        let Kind::Watched(change) = &event.kind else { return };
        let resource = change.resource.as_deref().unwrap_or_default();
        let is_of = |name: &String| {
            let is_part = |part: &str| {
                part.strip_prefix(name.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
            };
            resource.split([':', '/']).any(is_part)
        };
        if change.component == Component::Trail || auditor_names.iter().any(is_of) {
            return;
        }
        let reason = format!("`{}` changes no part of the auditor that is known", change.call);
        self.others.insert(change.resource.clone().unwrap_or_else(|| change.call.clone()));
        event.kind = Kind::Ignored(reason);
    }
}

/// The body of a message.
#[derive(Deserialize)]
struct Body {
    email: String,
}

impl Invocation {
    fn text(&self, view: View) -> String {
        let status = self.exit_status(view.fail_on);
        let mut text = render_changes(&self.report, view, self.seen.compliant, status);
        if view.summary {
            return text;
        }
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
        if let Some(answer) = HookJson::of(&self.report) {
            // It is plain data.
            let answer = serde_json::to_string_pretty(&answer).unwrap_or_default();
            text.push_str("\nThe hook is answered:\n\n");
            text.push_str(&indented(&answer));
        }
        if self.seen.calls.is_empty() {
            text.push_str("\nCalls to EC2: none\n");
        } else {
            text.push_str("\nCalls to EC2:\n\n");
            text.push_str(&indented(&self.seen.calls.join("\n")));
        }
        text
    }

    /// What nobody could look at is not compliant.
    fn exit_status(&self, fail_on: Severity) -> u8 {
        let answer = self.report.hook.as_ref().map(|answer| &answer.verdict);
        let is_unjudged = matches!(answer, Some(HookVerdict::NotJudged(_)));
        if self.seen.groups_unknown || is_unjudged || !self.seen.missing_lists.is_empty() {
            NOT_AUDITED
        } else {
            exit_status(&self.report, fail_on)
        }
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

//! `sg-audit invoke`: the function's handler on events, against an EC2 in memory.

use std::path::Path;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::args::{Format, Invoke};
use super::{Answer, CliError, input, settings};
use crate::audit::{Auditor, Place};
use crate::event::{Event, decode};
use crate::finding::{Code, Finding, Report};
use crate::memory::{MemoryEc2, MemoryNotifier};
use crate::report::terminal::{Style, exit_status, render};
use crate::report::{Message, inert, to_json_pretty};
use crate::settings::Settings;

/// Audits events one after another, in one EC2.
pub(super) fn run(args: &Invoke, style: Style, now: DateTime<Utc>) -> Result<Answer, CliError> {
    let common = &args.common;
    let settings = settings::resolve(common, now.date_naive())?;
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
    let mut answer = Answer::default();
    let mut groups_unread = false;
    for (path, payload) in &payloads {
        let name = input::name(path);
        let audited = world.audit(&name, payload, now)?;
        if payloads.len() > 1 && common.format == Format::Text {
            let gap = if answer.out.is_empty() { "" } else { "\n" };
            answer.out.push_str(&format!("{gap}== {} ==\n\n", inert::plain(&name)));
        }
        answer.out.push_str(&match common.format {
            Format::Text => audited.text(style),
            Format::Json => format!("{}\n", to_json_pretty(&audited.report)?),
        });
        answer.status = answer.status.max(exit_status(&audited.report));
        groups_unread |= audited.unaudited().any(|finding| finding.group.is_some());
        answer.notes.extend(
            audited.unaudited().map(|finding| inert::plain(&format!("{name}: {}", finding.title))),
        );
    }
    if world.told_by_events && groups_unread {
        let hint = "note: what an event does not tell of its group can be given with --groups FILE";
        answer.notes.push(hint.to_owned());
    }
    Ok(answer)
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
    fn audit(&self, name: &str, payload: &[u8], now: DateTime<Utc>) -> Result<Audited, CliError> {
        let events = decode(payload);
        let clock = events.iter().filter_map(time).max().unwrap_or(now);
        if self.told_by_events {
            for event in &events {
                if let Event::Change(change) = event {
                    self.ec2.apply(change);
                }
            }
        }
        let home = Place::default();
        let auditor = Auditor::new(&self.ec2, &self.notifier, &self.settings, &home);
        let runtime =
            tokio::runtime::Builder::new_current_thread().build().map_err(CliError::Runtime)?;
        let report = runtime
            .block_on(auditor.handle(payload, &|| clock))
            .map_err(|error| CliError::Audit { name: name.to_owned(), source: Box::new(error) })?;
        Ok(Audited { report, messages: self.notifier.take(), calls: self.ec2.take_calls() })
    }
}

fn time(event: &Event) -> Option<DateTime<Utc>> {
    match event {
        Event::Change(change) => change.record.time,
        Event::Undecodable { record, .. } => record.time,
        Event::Ignored(_) => None,
    }
}

/// What came of an invocation.
struct Audited {
    report: Report,
    messages: Vec<Message>,
    calls: Vec<String>,
}

/// The body of a message, as SNS delivers it by mail.
#[derive(Deserialize)]
struct Body {
    email: String,
}

impl Audited {
    fn text(&self, style: Style) -> String {
        let mut text = render(&self.report, style);
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
        if self.calls.is_empty() {
            text.push_str("\nCalls to EC2: none\n");
        } else {
            text.push_str("\nCalls to EC2:\n\n");
            text.push_str(&indented(&self.calls.join("\n")));
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

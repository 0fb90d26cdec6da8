//! Everything that an audit says to anybody: messages, the report, the terminal, and the log.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};

use crate::audit::{AuditError, Auditor, Place, SecurityGroups, completed};
use crate::baseline::{Baseline, parse_peers};
use crate::finding::Report;
use crate::memory::MemoryNotifier;
use crate::report::terminal::{Style, render};
use crate::report::{Message, to_json_pretty};
use crate::settings::{Remediation, RevertKeeps, Scope, Settings};

pub(super) fn now() -> DateTime<Utc> {
    "2026-11-25T12:00:00Z".parse().unwrap()
}

pub(super) fn home() -> Place {
    Place { account: Some("123456789012".to_owned()), region: Some("eu-central-1".to_owned()) }
}

/// Everything is reverted that can be.
pub(super) fn settings() -> Settings {
    let sources = parse_peers("203.0.113.0/24,2001:db8:1::/48").unwrap();
    Settings {
        baseline: Baseline::load("standard", now().date_naive()).unwrap().with_ssh_sources(sources),
        scope: Scope::All,
        remediation: Remediation::RevertIngress,
        revert_keeps: RevertKeeps::Baseline,
        sweep_remediation: Remediation::RevertIngress,
        hold_max_hours: 24,
    }
}

/// What was said.
pub(super) struct Told {
    pub(super) answer: Result<Report, AuditError>,
    pub(super) messages: Vec<Message>,
    /// The values in the log, a line for each.
    pub(super) log: String,
}

impl Told {
    pub(super) fn of(ec2: &impl SecurityGroups, settings: &Settings, payload: &[u8]) -> Self {
        let notifier = MemoryNotifier::default();
        let home = home();
        let auditor = Auditor::new(ec2, &notifier, &notifier, settings, &home);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let answer = tracing::subscriber::with_default(Log(Arc::clone(&log)), || {
            let mut answer = runtime.block_on(auditor.handle(payload, &now, None));
            for payload in notifier.take_handed_on() {
                let payload = payload.to_string();
                let closed = runtime.block_on(auditor.handle(payload.as_bytes(), &now, None));
                let baseline = settings.baseline.reference();
                answer = answer.and_then(|found| Ok(completed(&baseline, found, vec![closed?])));
            }
            answer
        });
        let log = log.lock().unwrap().clone();
        Self { answer, messages: notifier.take(), log }
    }

    /// The mails.
    pub(super) fn mails(&self) -> Vec<String> {
        let bodies = self.messages.iter().map(|message| &message.body);
        let bodies = bodies.map(|body| serde_json::from_str::<Value>(body).unwrap());
        bodies.map(|body| body["email"].as_str().unwrap().to_owned()).collect()
    }

    /// The terminal, as wide and as narrow as it may be.
    pub(super) fn terminals(&self) -> Vec<String> {
        let report = self.answer.iter();
        report
            .flat_map(|report| {
                [0, 80, 500].map(|width| render(report, Style { colour: false, width }))
            })
            .collect()
    }

    /// All of it, one after another.
    pub(super) fn all(&self) -> String {
        let mut all = self.log.clone();
        for message in &self.messages {
            write!(all, "\n{}\n{}\n{:?}", message.subject, message.body, message.attributes)
                .unwrap();
        }
        match &self.answer {
            Ok(report) => all.push_str(&to_json_pretty(report).unwrap()),
            Err(error) => all.push_str(&error.to_string()),
        }
        self.terminals().iter().for_each(|text| all.push_str(text));
        all
    }
}

/// A log that keeps what it is told, at any level.
struct Log(Arc<Mutex<String>>);

impl Visit for Log {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        writeln!(self.0.lock().unwrap(), "{field}: {value:?}").unwrap();
    }
}

impl tracing::Subscriber for Log {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut Log(Arc::clone(&self.0)));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut Log(Arc::clone(&self.0)));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        event.record(&mut Log(Arc::clone(&self.0)));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

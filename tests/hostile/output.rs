//! Everything that an audit puts out: messages, the report, the terminal, and the log.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use typo3_sg_auditor::audit::{AuditError, Auditor};
use typo3_sg_auditor::baseline::{Baseline, parse_peers};
use typo3_sg_auditor::ec2::{Place, Scope, SecurityGroups};
use typo3_sg_auditor::finding::{BaselineName, Report};
use typo3_sg_auditor::memory::MemoryNotifier;
use typo3_sg_auditor::report::terminal::{View, render};
use typo3_sg_auditor::report::{Message, to_json_pretty};
use typo3_sg_auditor::settings::{Remediation, RevertKeeps, Settings};

use crate::report_schema::assert_fits;

pub fn now() -> DateTime<Utc> {
    "2026-11-25T12:00:00Z".parse().unwrap()
}

pub fn home() -> Place {
    Place { account: "123456789012".parse().ok(), region: "eu-central-1".parse().ok() }
}

/// Everything that can be reverted is reverted.
pub fn settings() -> Settings {
    let sources = parse_peers("203.0.113.0/24,2001:db8:1::/48").unwrap();
    Settings {
        binding: None,
        bound: Vec::new(),
        baseline: Baseline::load("standard", now().date_naive()).unwrap().with_ssh_sources(sources),
        scope: Scope::All,
        remediation: Remediation::RevertIngress,
        revert_keeps: RevertKeeps::Baseline,
        sweep_remediation: Remediation::RevertIngress,
        hold_max_hours: 24,
    }
}

/// What an audit puts out.
pub struct Output {
    pub answer: Result<Report, AuditError>,
    pub messages: Vec<Message>,
    /// The values in the log, each on a line of its own.
    pub log: String,
}

impl Output {
    pub fn of(ec2: &impl SecurityGroups, settings: &Settings, payload: &[u8]) -> Self {
        let notifier = MemoryNotifier::default();
        let home = home();
        let auditor = Auditor::new(ec2, &notifier, &notifier, settings, &home);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        // If there were only one, a line that another thread reaches first would be logged nowhere.
        let _second = tracing::Dispatch::new(Log(Arc::default()));
        let answer = tracing::subscriber::with_default(Log(Arc::clone(&log)), || {
            let mut answer = runtime.block_on(auditor.handle(payload, &now, None));
            for payload in notifier.take_handed_on() {
                let payload = payload.to_string();
                let closed = runtime.block_on(auditor.handle(payload.as_bytes(), &now, None));
                let baseline = BaselineName::from(&settings.baseline);
                answer =
                    answer.and_then(|found| Ok(Report::completed(&baseline, found, vec![closed?])));
            }
            answer
        });
        let log = log.lock().unwrap().clone();
        Self { answer, messages: notifier.take(), log }
    }

    /// The mails.
    pub fn mails(&self) -> Vec<String> {
        let bodies = self.messages.iter().map(|message| &message.body);
        let bodies = bodies.map(|body| serde_json::from_str::<Value>(body).unwrap());
        bodies.map(|body| body["email"].as_str().unwrap().to_owned()).collect()
    }

    /// The report on terminals of different widths.
    pub fn terminals(&self) -> Vec<String> {
        let Ok(report) = &self.answer else { return Vec::new() };
        [0, 80, 500].map(|width| render(report, View::plain(width), 0)).into()
    }

    /// All of it in one text.
    pub fn all(&self) -> String {
        let mut all = self.log.clone();
        for message in &self.messages {
            write!(all, "\n{}\n{}\n{:?}", message.subject, message.body, message.attributes)
                .unwrap();
        }
        match &self.answer {
            Ok(report) => {
                let json = to_json_pretty(report).unwrap();
                assert_fits(&serde_json::from_str(&json).unwrap());
                all.push_str(&json);
            }
            Err(error) => all.push_str(&error.to_string()),
        }
        self.terminals().iter().for_each(|text| all.push_str(text));
        all
    }
}

/// Keeps the values of every level.
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

//! The report as annotations of a GitHub Actions job: one workflow command a finding.

use super::declared::next_step;
use super::detail::lines;
use super::terminal::{audited, findings};
use crate::evaluate::Severity;
use crate::finding::{Finding, Report};
use crate::text::inert;

/// A command that is longer is left out, because GitHub cuts long annotations.
const COMMAND: usize = 3000;

/// The report as workflow commands, worst first. GitHub shows ten errors, ten warnings and ten
/// notices of a step; all of them are in its log.
pub fn render(report: &Report) -> String {
    let mut page = String::new();
    for finding in &report.findings {
        let (file, heading) = (file(finding), heading(finding));
        page.push_str(&line(level(finding.severity), &file, &heading, &message(finding)));
    }
    page.push_str(&line(
        "notice",
        "",
        "sg-audit",
        &format!("{}; {}", findings(report), audited(report)),
    ));
    page
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium | Severity::Low => "warning",
        Severity::Informational => "notice",
    }
}

fn heading(finding: &Finding) -> String {
    let group = finding.group.as_ref().map_or_else(String::new, |it| format!(" in {}", it.id));
    format!("{}: {}{group}", finding.severity.as_str(), finding.code.as_str())
}

fn message(finding: &Finding) -> String {
    let mut lines = lines(finding);
    let command = next_step(finding).filter(|(_, it)| it.len() <= COMMAND);
    lines.extend(command.map(|(label, command)| format!("{label}: {command}")));
    lines.iter().map(|line| inert::plain(line)).collect::<Vec<_>>().join("\n")
}

/// The properties with which GitHub shows it beside the line of a file.
fn file(finding: &Finding) -> String {
    let Some(location) = &finding.location else { return String::new() };
    let file = location.file.as_deref().map(|file| format!("file={},", property(file)));
    let line = location.line.map(|line| format!("line={line},"));
    file.map_or_else(String::new, |file| file + &line.unwrap_or_default())
}

fn line(level: &str, file: &str, title: &str, message: &str) -> String {
    let (title, message) = (property(title), data(message));
    format!("::{level} {file}title={title}::{message}\n")
}

/// The message of a workflow command, which ends with the line.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a workflow command, which ends with a comma or a colon.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

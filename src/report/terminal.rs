//! The report on a terminal: worst first, one block a group, then counts and the exit status.

mod lines;

use std::collections::HashMap;

use anstyle::{AnsiColor, Style as Ansi};

use lines::LABEL;

use super::wording;
use crate::audit::ONLY_REPORTED;
use crate::finding::{Code, Finding, Outcome, Report, ReportOutcome, Severity};
use crate::text::inert;

/// How to show it. Whether the output is a terminal and what `NO_COLOR` says, the caller knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether to use colours.
    pub colour: bool,
    /// Columns; texts are wrapped there, commands are not.
    pub width: usize,
}

const BOLD: Ansi = Ansi::new().bold();
const DIM: Ansi = Ansi::new().dimmed();

/// The exit status that a report means: 0 compliant, 1 findings, 2 something could not be audited.
pub fn exit_status(report: &Report) -> u8 {
    match report.outcome {
        _ if report.findings.iter().any(|finding| finding.code == Code::UnauditedChange) => 2,
        ReportOutcome::Noncompliant => 1,
        ReportOutcome::Compliant | ReportOutcome::OutOfScope | ReportOutcome::Ignored => 0,
    }
}

/// What complied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compliant {
    /// Groups whose rules were all looked at.
    pub groups: usize,
    /// Changes that introduced nothing beyond the baseline, in groups of which nothing else was
    /// looked at.
    pub changes: usize,
    /// Groups of which only the rules that name a list which changed were looked at.
    pub naming: usize,
}

/// The report on groups as they are, as text that ends in a line break.
pub fn render(report: &Report, style: Style) -> String {
    let page = Page { text: String::new(), style, about: About::Groups };
    let groups = groups_compliant(report);
    page.written(report, &blocks(&report.findings), Compliant { groups, ..Compliant::default() })
}

/// How many of the groups that were looked at have nothing noncompliant.
pub fn groups_compliant(report: &Report) -> usize {
    let blocks = blocks(&report.findings);
    let noncompliant = blocks.iter().filter(|(place, findings)| {
        place.group.is_some()
            && findings.iter().any(|finding| {
                finding.severity > Severity::Informational && finding.code != Code::UnauditedChange
            })
    });
    report.groups_audited.saturating_sub(noncompliant.count())
}

/// The report on changes of groups, as text that ends in a line break. Of what complied, a report
/// does not say how much of it was looked at.
pub fn render_changes(report: &Report, style: Style, compliant: Compliant) -> String {
    let page = Page { text: String::new(), style, about: About::Changes };
    page.written(report, &blocks(&report.findings), compliant)
}

/// What was audited.
#[derive(Clone, Copy, PartialEq, Eq)]
enum About {
    Groups,
    Changes,
}

/// `3 findings in 2 groups (1 critical, 2 medium); 10 groups, 57 rules audited; baseline …`
fn counts(report: &Report, groups: usize) -> String {
    let findings = match (report.findings.len(), groups) {
        (0, _) => "no findings".to_owned(),
        (n, 0) => {
            format!("{} ({})", wording::count(n, "finding"), wording::severities(&report.findings))
        }
        (n, _) => format!(
            "{} in {} ({})",
            wording::count(n, "finding"),
            wording::count(groups, "group"),
            wording::severities(&report.findings)
        ),
    };
    format!(
        "{findings}; {}, {} audited; {}",
        wording::count(report.groups_audited, "group"),
        wording::count(report.rules_audited, "rule"),
        wording::baseline(&report.baseline)
    )
}

/// `exit 1: noncompliant`
fn verdict(report: &Report) -> String {
    let outcome = match report.outcome {
        ReportOutcome::Compliant => "compliant",
        ReportOutcome::Noncompliant => "noncompliant",
        ReportOutcome::OutOfScope => "out of scope",
        ReportOutcome::Ignored => "ignored",
    };
    let status = exit_status(report);
    let outcome = if status == 2 { "not everything could be audited" } else { outcome };
    format!("exit {status}: {outcome}")
}

/// Where findings belong together.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Place<'a> {
    account: Option<&'a str>,
    region: Option<&'a str>,
    group: Option<&'a crate::finding::FindingGroup>,
}

/// The findings by group, in the order of the worst finding of each.
fn blocks(findings: &[Finding]) -> Vec<(Place<'_>, Vec<&Finding>)> {
    let mut blocks: Vec<(Place<'_>, Vec<&Finding>)> = Vec::new();
    let mut known: HashMap<Place<'_>, usize> = HashMap::new();
    for finding in findings {
        let place = Place {
            account: finding.account.as_deref(),
            region: finding.region.as_deref(),
            group: finding.group.as_ref(),
        };
        let at = *known.entry(place).or_insert(blocks.len());
        match blocks.get_mut(at) {
            Some((_, block)) => block.push(finding),
            None => blocks.push((place, vec![finding])),
        }
    }
    blocks
}

/// The widths of severity and code.
#[derive(Clone, Copy)]
struct Columns {
    severity: usize,
    code: usize,
}

impl Columns {
    fn of(findings: &[Finding]) -> Self {
        let widest = |of: fn(&Finding) -> &'static str| {
            findings.iter().map(|finding| of(finding).len()).max().unwrap_or_default()
        };
        Self {
            severity: widest(|finding| finding.severity.as_str()),
            code: widest(|finding| finding.code.as_str()),
        }
    }
}

/// The text so far. What comes from a report is made inert in its methods.
struct Page {
    text: String,
    style: Style,
    about: About,
}

impl Page {
    /// The text of a whole report.
    fn written(
        mut self,
        report: &Report,
        blocks: &[(Place<'_>, Vec<&Finding>)],
        compliant: Compliant,
    ) -> String {
        let columns = Columns::of(&report.findings);
        for (place, findings) in blocks {
            self.header(place);
            for finding in findings {
                self.finding(finding, columns);
            }
            self.line("");
        }
        self.compliant(compliant);
        for (exempt, _) in wording::exempt(&report.exempt) {
            self.flow(&format!("exempt: {exempt}"), 2);
        }
        if let Some(reason) = &report.reason {
            self.flow(reason, 2);
        }
        if report.partial {
            self.line("not everything was audited");
        }
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.line("");
        }
        let groups = blocks.iter().filter(|(place, _)| place.group.is_some()).count();
        self.line(&counts(report, groups));
        self.line(&verdict(report));
        self.text
    }

    fn compliant(&mut self, compliant: Compliant) {
        let Compliant { groups, changes, naming } = compliant;
        if groups > 0 {
            self.line(&format!("{} compliant", wording::count(groups, "group")));
        }
        if changes > 0 {
            let theirs = if changes == 1 { "its group" } else { "their groups" };
            let text = format!(
                "{} introduced nothing beyond the baseline; the rest of {theirs} was not looked at",
                wording::count(changes, "change")
            );
            self.flow(&text, 0);
        }
        if naming > 0 {
            let (name, theirs) = if naming == 1 { ("names", "its") } else { ("name", "their") };
            let text = format!(
                "{} {name} the list in rules that comply; {theirs} other rules were not looked at",
                wording::count(naming, "group")
            );
            self.flow(&text, 0);
        }
    }

    fn header(&mut self, place: &Place<'_>) {
        let (head, rest) = match place.group {
            Some(group) => (group.id.as_str(), [group.name.as_deref(), group.vpc_id.as_deref()]),
            None => ("no group", [None, None]),
        };
        let head = self.paint(head, BOLD);
        self.text.push_str(&head);
        for part in rest.into_iter().chain([place.region, place.account]).flatten() {
            let part = self.paint(&format!("  {part}"), Ansi::new());
            self.text.push_str(&part);
        }
        self.text.push('\n');
    }

    fn finding(&mut self, finding: &Finding, columns: Columns) {
        let severity = self.paint(
            &format!("{:<1$}", finding.severity.as_str(), columns.severity),
            colour(finding.severity),
        );
        let what = finding.rule.as_ref().map_or_else(|| finding.title.clone(), wording::rule);
        let id = finding.rule.as_ref().and_then(|rule| rule.id.as_deref());
        let first = format!("{:<1$}  ", finding.code.as_str(), columns.code);
        self.text.push_str(&format!("  {severity}  {first}"));
        self.flow(&what, 2 + columns.severity + 2 + columns.code + 2);
        if let Some(id) = id {
            self.text.truncate(self.text.trim_end().len());
            let id = self.paint(&format!("  {id}"), DIM);
            self.text.push_str(&format!("{id}\n"));
        }

        let indent = 2 + columns.severity + 2;
        let closed = finding.code == Code::ExpectedTrafficClosed;
        let label = if closed { "closed" } else { "excess" };
        self.wrapped(label, indent, &finding.excess_text);
        self.wrapped("undecided", indent, finding.undecided.as_deref().unwrap_or_default());
        if let Some((label, kept)) = wording::kept(finding) {
            let label = label.to_lowercase();
            self.wrapped(label.trim_start_matches("a revert "), indent, &kept);
        }
        let remediation = &finding.remediation;
        let outcome = match remediation.outcome {
            Outcome::None => "note",
            outcome => outcome.as_str(),
        };
        // That a look at groups changed nothing need not be said of each of their rules.
        let detail = match (self.about, &finding.rule) {
            (About::Groups, Some(_)) => {
                remediation.detail.strip_prefix(ONLY_REPORTED).unwrap_or(&remediation.detail)
            }
            _ => remediation.detail.as_str(),
        };
        self.wrapped(outcome, indent, detail);
        if let Some(hold) = wording::held(finding) {
            self.wrapped("reason", indent, &wording::quoted(&hold.reason));
        }
        self.wrapped("connections", indent, remediation.connections.as_deref().unwrap_or_default());
        if let Some(undo) = &remediation.undo {
            self.label("undo", indent);
            // A command is one line, whatever the width, so that it can be copied.
            self.line(undo);
        }
        if let Some(until) = wording::undone_until(finding) {
            let text = format!("until {}, then it is closed again", wording::minute(until));
            self.wrapped("undo holds", indent, &text);
        }
        // A line for a file has to be right to the letter, as a command.
        if let Some(line) = finding.exemption.as_ref().filter(|line| inert::plain(line) == **line) {
            self.wrapped("exemption", indent, &wording::tolerate(line));
            self.text.push_str(&format!("{:indent$}{line}\n", "", indent = indent + LABEL));
        }
    }
}

fn colour(severity: Severity) -> Ansi {
    match severity {
        Severity::Critical => AnsiColor::Red.on_default().bold(),
        Severity::High => AnsiColor::Red.on_default(),
        Severity::Medium => AnsiColor::Yellow.on_default(),
        Severity::Low => AnsiColor::Cyan.on_default(),
        Severity::Informational => DIM,
    }
}

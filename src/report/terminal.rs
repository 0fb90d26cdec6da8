//! The report on a terminal: worst first, one block a group, then counts and the exit status.

mod page;

use std::collections::HashMap;

use anstyle::{AnsiColor, Style as Ansi};

pub use page::Style;
use page::{About, DIM, LABEL, Page};

use super::detail::{connections, detail, of_checked_rule, undecided};
use super::title::title;
use super::wording;
use crate::ec2;
use crate::evaluate::{Code, Severity};
use crate::finding::{Finding, FoundGroup, Outcome, Report, ReportOutcome};
use crate::text::{count, minute, quoted};
use crate::words::excess_text;

const BOLD: Ansi = Ansi::new().bold();

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
    let compliant = Compliant { groups, ..Compliant::default() };
    page.written(report, &blocks(&report.findings), compliant, exit_status(report))
}

/// How many of the groups that were looked at have nothing noncompliant.
pub fn groups_compliant(report: &Report) -> usize {
    let blocks = blocks(&report.findings);
    let noncompliant = blocks.iter().filter(|block| {
        block.group.is_some()
            && block.findings.iter().any(|finding| {
                finding.severity > Severity::Informational && finding.code != Code::UnauditedChange
            })
    });
    report.groups.saturating_sub(noncompliant.count())
}

/// The report on changes of groups, as text that ends in a line break. Of what complied, a report
/// does not say how much of it was looked at. `status` is the exit status: a report does not say
/// either that the groups it is about were not given.
pub fn render_changes(report: &Report, style: Style, compliant: Compliant, status: u8) -> String {
    let page = Page { text: String::new(), style, about: About::Changes };
    page.written(report, &blocks(&report.findings), compliant, status)
}

/// `3 findings in 2 groups (1 critical, 2 medium); 10 groups, 57 rules audited; baseline …`
fn counts(report: &Report, groups: usize) -> String {
    let findings = match (report.findings.len(), groups) {
        (0, _) => "no findings".to_owned(),
        (n, 0) => {
            format!("{} ({})", count(n, "finding"), wording::severities(&report.findings))
        }
        (n, _) => format!(
            "{} in {} ({})",
            count(n, "finding"),
            count(groups, "group"),
            wording::severities(&report.findings)
        ),
    };
    format!(
        "{findings}; {}, {} audited; baseline {}",
        count(report.groups, "group"),
        count(report.rules, "rule"),
        wording::baseline(&report.baseline)
    )
}

/// `exit 1: noncompliant`
fn verdict(report: &Report, status: u8) -> String {
    let outcome = match report.outcome {
        ReportOutcome::Compliant => "compliant",
        ReportOutcome::Noncompliant => "noncompliant",
        ReportOutcome::OutOfScope => "out of scope",
        ReportOutcome::Ignored => "ignored",
    };
    let outcome = if status == 2 { "not everything could be audited" } else { outcome };
    format!("exit {status}: {outcome}")
}

/// The findings about one group, or about none.
struct Block<'a> {
    place: &'a ec2::Place,
    group: Option<&'a FoundGroup>,
    findings: Vec<&'a Finding>,
}

/// The findings by group, in the order of the worst finding of each.
fn blocks(findings: &[Finding]) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut known: HashMap<(&ec2::Place, Option<&FoundGroup>), usize> = HashMap::new();
    for finding in findings {
        let (place, group) = (&finding.place, finding.group.as_ref());
        let at = *known.entry((place, group)).or_insert(blocks.len());
        match blocks.get_mut(at) {
            Some(block) => block.findings.push(finding),
            None => blocks.push(Block { place, group, findings: vec![finding] }),
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

impl Page {
    /// The text of a whole report.
    fn written(
        mut self,
        report: &Report,
        blocks: &[Block<'_>],
        compliant: Compliant,
        status: u8,
    ) -> String {
        let columns = Columns::of(&report.findings);
        for block in blocks {
            self.header(block);
            for finding in &block.findings {
                self.finding(finding, columns);
            }
            self.line("");
        }
        self.compliant(compliant);
        for (exempt, _) in wording::exempt(&report.exempt) {
            self.flow(&format!("exempt: {exempt}"), 2);
        }
        for skipped in &report.skipped {
            self.flow(&wording::skipped(skipped), 2);
        }
        if report.partial {
            self.line("not everything was audited");
        }
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.line("");
        }
        let groups = blocks.iter().filter(|block| block.group.is_some()).count();
        self.line(&counts(report, groups));
        self.line(&verdict(report, status));
        self.text
    }

    fn compliant(&mut self, compliant: Compliant) {
        let Compliant { groups, changes, naming } = compliant;
        if groups > 0 {
            self.line(&format!("{} compliant", count(groups, "group")));
        }
        if changes > 0 {
            let theirs = if changes == 1 { "its group" } else { "their groups" };
            let text = format!(
                "{} introduced nothing beyond the baseline; the rest of {theirs} was not looked at",
                count(changes, "change")
            );
            self.flow(&text, 0);
        }
        if naming > 0 {
            let (name, theirs) = if naming == 1 { ("names", "its") } else { ("name", "their") };
            let text = format!(
                "{} {name} the list in rules that comply; {theirs} other rules were not looked at",
                count(naming, "group")
            );
            self.flow(&text, 0);
        }
    }

    fn header(&mut self, block: &Block<'_>) {
        let (head, name, vpc) = match block.group {
            Some(group) => (group.id.as_str(), group.name.as_deref(), group.vpc_id.as_deref()),
            None => ("no group", None, None),
        };
        let region = block.place.region.as_ref().map(|region| region.as_str());
        let account = block.place.account.as_ref().map(|account| account.as_str());
        let head = self.paint(head, BOLD);
        self.text.push_str(&head);
        for part in [name, vpc, region, account].into_iter().flatten() {
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
        let what = wording::only_rule(finding);
        let what = what.map_or_else(|| title(finding).whole(), |rule| wording::rule(finding, rule));
        let first = format!("{:<1$}  ", finding.code.as_str(), columns.code);
        self.text.push_str(&format!("  {severity}  {first}"));
        self.flow(&what, 2 + columns.severity + 2 + columns.code + 2);
        if let Some(id) = wording::only_rule(finding).and_then(|rule| rule.id()) {
            self.text.truncate(self.text.trim_end().len());
            let id = self.paint(&format!("  {id}"), DIM);
            self.text.push_str(&format!("{id}\n"));
        }

        let indent = 2 + columns.severity + 2;
        if let Some(found) = finding.found_rule() {
            self.wrapped("excess", indent, &excess_text(&found.rule, &found.excess));
            self.wrapped("undecided", indent, &undecided(found).unwrap_or_default());
        }
        if let Some(found) = finding.found_rule() {
            self.wrapped("kept", indent, &wording::texts(&found.kept));
            self.wrapped("missing", indent, &wording::texts(&found.missing));
        }
        self.wrapped("would keep", indent, &wording::would_keep(finding).unwrap_or_default());
        let outcome = match finding.outcome() {
            Outcome::None => "note",
            outcome => outcome.as_str(),
        };
        // That an audit of groups changed nothing need not be said about each of their rules.
        let detail = match (self.about, finding.found_rule()) {
            (About::Groups, Some(found)) => of_checked_rule(finding, found),
            _ => detail(finding),
        };
        self.wrapped(outcome, indent, &detail);
        if let Some(hold) = wording::held(finding) {
            self.wrapped("reason", indent, &quoted(&hold.reason));
        }
        if let Some(connections) = finding.found_rule().and_then(connections) {
            self.wrapped("connections", indent, connections);
        }
        // A command is one line, whatever the width, so that it can be copied.
        for (label, command) in
            [("fix", &finding.fix), ("complete", &finding.complete), ("undo", &finding.undo)]
        {
            if let Some(command) = command {
                self.label(label, indent);
                self.line(command);
            }
        }
        if let Some(until) = wording::undone_until(finding) {
            let text = format!("until {}, then it is closed again", minute(until));
            self.wrapped("undo holds", indent, &text);
        }
        let exemption = finding.found_rule().and_then(|found| found.exemption.as_ref());
        if let Some(exemption) = exemption {
            self.wrapped("exemption", indent, &wording::tolerate(exemption));
            // As a command, a line for a file is not wrapped.
            let line = exemption.to_line();
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

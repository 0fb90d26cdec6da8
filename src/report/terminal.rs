//! The report on a terminal: worst first, one block a group, then counts and the exit status.

mod blocks;
mod page;

use anstyle::{AnsiColor, Style as Ansi};

use page::{About, DIM, Page};
pub use page::{Style, View};

pub(super) use self::blocks::blocks;
use self::blocks::{Block, by_kind};
use super::declared;
use super::detail::{connections, detail, of_checked_rule, undecided};
use super::title::title;
use super::wording;
use crate::ec2::Rule;
use crate::ec2::command::revoke_line;
use crate::evaluate::{Code, Severity};
use crate::finding::{Finding, FoundRule, Outcome, Report, ReportOutcome};
use crate::text::{count, first_of, minute, quoted};
use crate::words::{excess_text, rules_text};

/// How many groups are named whose findings are told together.
const GROUPS_NAMED: usize = 6;

/// The exit status that a report means: 0 nothing of this severity or worse, 1 findings, 2 something
/// could not be audited. Findings that are not shown count.
pub fn exit_status(report: &Report, fail_on: Severity) -> u8 {
    let fails = |(severity, n): (&Severity, &usize)| *severity >= fail_on && *n > 0;
    let unaudited = report.totals.by_code.get(&Code::UnauditedChange);
    if unaudited.is_some_and(|n| *n > 0) {
        2
    } else {
        u8::from(report.handed_on > 0 || report.totals.by_severity.iter().any(fails))
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

/// The report on groups as they are, as text that ends in a line break. `compliant` is how many of
/// them complied.
pub fn render(report: &Report, view: View, compliant: usize) -> String {
    let page = Page { text: String::new(), view, about: About::Groups };
    let compliant = Compliant { groups: compliant, ..Compliant::default() };
    page.written(report, compliant, exit_status(report, view.fail_on))
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
pub fn render_changes(report: &Report, view: View, compliant: Compliant, status: u8) -> String {
    let page = Page { text: String::new(), view, about: About::Changes };
    page.written(report, compliant, status)
}

/// `3 findings in 2 groups: 1 critical, 2 medium`
pub(super) fn findings(report: &Report) -> String {
    let by_severity = report.totals.by_severity.iter().rev().filter(|(_, n)| **n > 0);
    let counts: Vec<String> = by_severity.map(|(it, n)| format!("{n} {}", it.as_str())).collect();
    let all: usize = report.totals.by_severity.values().sum();
    if all == 0 {
        return "no findings".to_owned();
    }
    let groups = blocks(&report.findings).iter().filter(|block| block.group.is_some()).count();
    let (places, hidden) = match (report.hidden(), groups) {
        (0, 0) => (String::new(), String::new()),
        (0, groups) => (format!(" in {}", count(groups, "group")), String::new()),
        (hidden, _) => (String::new(), format!("; {hidden} of them not shown")),
    };
    format!("{}{places}: {}{hidden}", count(all, "finding"), counts.join(", "))
}

/// `10 groups and 57 rules audited; baseline …`
pub(super) fn audited(report: &Report) -> String {
    format!(
        "{} and {} audited; baseline {}",
        count(report.groups, "group"),
        count(report.rules, "rule"),
        wording::baseline(&report.baseline)
    )
}

/// `exit 1: noncompliant`
fn verdict(report: &Report, status: u8, fail_on: Severity) -> String {
    let outcome = match report.outcome {
        _ if status == 2 => "not everything could be audited".to_owned(),
        ReportOutcome::Noncompliant if status == 0 => {
            format!("noncompliant, but nothing of severity {} or worse", fail_on.as_str())
        }
        ReportOutcome::Compliant if status == 1 => "informational findings".to_owned(),
        ReportOutcome::Compliant => "compliant".to_owned(),
        ReportOutcome::Noncompliant => "noncompliant".to_owned(),
        ReportOutcome::OutOfScope => "out of scope".to_owned(),
        ReportOutcome::Ignored => "ignored".to_owned(),
    };
    format!("exit {status}: {outcome}")
}

/// The widths of severity and code.
#[derive(Clone, Copy)]
struct Columns {
    severity: usize,
    code: usize,
}

impl Columns {
    fn of(findings: &[&Finding]) -> Self {
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
    fn written(mut self, report: &Report, compliant: Compliant, status: u8) -> String {
        if !self.view.summary {
            self.findings(report);
        }
        self.compliant(compliant);
        self.exempt(report);
        for skipped in &report.skipped {
            self.flow(&wording::skipped(skipped), 0, 2);
        }
        if report.partial {
            self.line("not everything was audited");
        }
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.line("");
        }
        self.flow(&findings(report), 0, 2);
        self.flow(&audited(report), 0, 2);
        self.flow(&verdict(report, status, self.view.fail_on), 0, 2);
        self.text
    }

    fn findings(&mut self, report: &Report) {
        let (made, others): (Vec<&Finding>, Vec<&Finding>) =
            report.findings.iter().partition(|finding| finding.is_of_every_default_group());
        let columns = Columns::of(&others);
        for block in blocks(others) {
            self.header(&block);
            for kind in by_kind(&block.findings) {
                match kind.as_slice() {
                    [one] => self.finding(one, columns),
                    many => self.many(many, &block, columns),
                }
            }
            self.line("");
        }
        self.default_groups(&made);
    }

    fn exempt(&mut self, report: &Report) {
        if self.view.exemptions {
            for (exempt, _) in wording::exempt(&report.exempt) {
                self.flow(&format!("exempt: {exempt}"), 0, 2);
            }
        } else if report.totals.exempt > 0 {
            self.line(&format!("{} exempt", count(report.totals.exempt, "rule")));
        }
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
            self.flow(&text, 0, 0);
        }
        if naming > 0 {
            let (name, theirs) = if naming == 1 { ("names", "its") } else { ("name", "their") };
            let text = format!(
                "{} {name} the list in rules that comply; {theirs} other rules were not looked at",
                count(naming, "group")
            );
            self.flow(&text, 0, 0);
        }
    }

    fn header(&mut self, block: &Block<'_>) {
        let (head, name, vpc) = match block.group {
            Some(group) => (group.id.as_str(), group.name.as_deref(), group.vpc_id.as_deref()),
            None => ("no group", None, None),
        };
        let region = block.place.region.as_ref().map(|region| region.as_str());
        let account = block.place.account.as_ref().map(|account| account.as_str());
        let binding = block.findings.first().and_then(|finding| finding.binding.as_ref());
        let binding = binding.map(|binding| format!("binding {binding}"));
        let parts = [name, vpc, region, account, binding.as_deref()];
        self.parts(head, parts.into_iter().flatten());
    }

    /// Severity, code, and what is wrong. Returns where the lines below begin.
    fn first_line(&mut self, finding: &Finding, what: &str, columns: Columns) -> usize {
        let Columns { severity, code } = columns;
        let colour = colour(finding.severity);
        if self.is_narrow() {
            let painted = self.paint(finding.severity.as_str(), colour);
            self.text.push_str(&format!("  {painted}  {}\n", finding.code.as_str()));
            self.paragraph(what, 4);
            return 4;
        }
        let painted = self.paint(&format!("{:severity$}", finding.severity.as_str()), colour);
        self.text.push_str(&format!("  {painted}  {:code$}  ", finding.code.as_str()));
        let at = 2 + severity + 2 + code + 2;
        self.flow(what, at, at);
        2 + severity + 2
    }

    fn finding(&mut self, finding: &Finding, columns: Columns) {
        let rule = wording::only_rule(finding);
        let what = rule.map_or_else(|| title(finding).whole(), |rule| wording::rule(finding, rule));
        let indent = self.first_line(finding, &what, columns);
        if let Some(id) = rule.and_then(|rule| rule.id()) {
            let id = self.paint(id.as_str(), DIM);
            if self.is_narrow() {
                self.text.push_str(&format!("{:indent$}{id}\n", ""));
            } else {
                self.text.truncate(self.text.trim_end().len());
                self.text.push_str(&format!("  {id}\n"));
            }
        }
        if let Some(location) = &finding.location {
            self.wrapped("at", indent, &declared::place(location));
        }
        if let Some(found) = finding.found_rule() {
            // Where all of it is, the rule says so already.
            if found.excess != found.rule.traffic() {
                self.wrapped("excess", indent, &excess_text(&found.rule, &found.excess));
            }
            self.wrapped("undecided", indent, &undecided(found).unwrap_or_default());
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
        self.wrapped("fix", indent, &declared::repair(finding).unwrap_or_default());
        for (label, command) in
            [("fix", &finding.fix), ("complete", &finding.complete), ("undo", &finding.undo)]
        {
            self.command(label, indent, command.as_deref());
        }
        if let Some(until) = wording::undone_until(finding) {
            let text = format!("until {}, then it is closed again", minute(until));
            self.wrapped("undo holds", indent, &text);
        }
        self.exemptions(&[finding], indent);
    }

    /// Findings of one kind as one.
    fn many(&mut self, findings: &[&Finding], block: &Block<'_>, columns: Columns) {
        let found: Vec<&FoundRule> = findings.iter().filter_map(|one| one.found_rule()).collect();
        let rules: Vec<&Rule> = found.iter().map(|found| &found.rule).collect();
        let Some((first, one)) = findings.first().zip(found.first()) else { return };
        let what = format!("{} rules: {}", rules.len(), rules_text(&rules));
        let indent = self.first_line(first, &what, columns);
        let detail = match self.about {
            About::Groups => of_checked_rule(first, one),
            About::Changes => detail(first),
        };
        self.wrapped("note", indent, &detail);
        let group = block.group.map(|group| &group.id);
        let fix = group.and_then(|id| revoke_line(block.place.region.as_ref(), id, &rules));
        self.command("fix", indent, fix.as_deref());
        self.exemptions(findings, indent);
    }

    /// What EC2 makes every default group with, once for all of them.
    fn default_groups(&mut self, findings: &[&Finding]) {
        let Some(first) = findings.first() else { return };
        let ids: Vec<&str> =
            findings.iter().filter_map(|one| Some(one.group.as_ref()?.id.as_str())).collect();
        let named = first_of(ids.iter(), GROUPS_NAMED, ", ");
        self.parts(&count(ids.len(), "default group"), std::iter::empty());
        let indent = self.first_line(first, &named, Columns::of(&[first]));
        let controls = match first.controls.as_slice() {
            [] => String::new(),
            controls => format!(" {} want it removed.", wording::controls(controls)),
        };
        let note = format!(
            "EC2 makes every default group with a rule that admits everything from the group \
             itself. It opens nothing to others.{controls}"
        );
        self.wrapped("note", indent, &note);
        self.exemptions(findings, indent);
        self.line("");
    }

    /// A command is one line, whatever the width, so that it can be copied.
    fn command(&mut self, label: &str, indent: usize, command: Option<&str>) {
        if let Some(command) = command {
            self.label(label, indent);
            self.line(command);
        }
    }

    /// As commands, lines for a file are not wrapped.
    fn exemptions(&mut self, findings: &[&Finding], indent: usize) {
        if !self.view.exemptions {
            return;
        }
        let found = findings.iter().filter_map(|finding| finding.found_rule());
        let exemptions: Vec<_> = found.filter_map(|found| found.exemption.as_ref()).collect();
        let Some(first) = exemptions.first() else { return };
        self.wrapped("exemption", indent, &wording::tolerate(first));
        for exemption in &exemptions {
            self.line(&format!("{:indent$}  {}", "", exemption.to_line()));
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

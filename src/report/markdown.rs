//! The report as Markdown, for `$GITHUB_STEP_SUMMARY` and for comments on pull requests.
//!
//! What others wrote stands in code spans only, where neither `@somebody` nor `#1` nor an address
//! means anything.

use super::console::console_url;
use super::declared;
use super::detail::exceeds;
use super::terminal::{audited, findings};
use super::title::title;
use super::wording;
use crate::finding::{Finding, Outcome, Report};
use crate::text::{count, inert};

/// GitHub takes 65,536 characters for a comment. So many bytes are for the table, and so many for
/// the commands.
const ROWS: usize = 40_000;
const COMMANDS: usize = 20_000;
/// So many characters of a cell stay.
const CELL: usize = 300;

/// The report as Markdown.
pub fn render(report: &Report) -> String {
    let mut page = format!("### Security groups: {}\n\n", findings(report));
    let rows: Vec<String> = report.findings.iter().map(row).collect();
    let shown = fitting(&rows, ROWS);
    if !shown.is_empty() {
        page.push_str("| Severity | Finding | Group | What |\n|---|---|---|---|\n");
        page.push_str(&shown.concat());
        page.push('\n');
    }
    if rows.len() > shown.len() {
        let more = count(rows.len() - shown.len(), "more finding");
        page.push_str(&format!("The table has no room for {more}.\n\n"));
    }
    let commands: Vec<String> = report.findings.iter().filter_map(command).collect();
    let shown = fitting(&commands, COMMANDS);
    if !shown.is_empty() {
        page.push_str(&format!(
            "<details>\n<summary>Commands that put this right</summary>\n\n```sh\n{}```\n\n</details>\n\n",
            shown.concat()
        ));
    }
    let repairs: Vec<String> = report.findings.iter().filter_map(repair).collect();
    let shown = fitting(&repairs, COMMANDS);
    if !shown.is_empty() {
        page.push_str(&format!("What to change:\n\n{}\n", shown.concat()));
    }
    let mut notes: Vec<String> = report.skipped.iter().map(wording::skipped).collect();
    notes
        .extend(wording::exempt(&report.exempt).into_iter().map(|(it, _)| format!("exempt: {it}")));
    let notes: Vec<String> = notes.iter().map(|note| format!("- {}\n", code(note))).collect();
    let shown = fitting(&notes, COMMANDS / 10);
    if !shown.is_empty() {
        page.push_str(&shown.concat());
        page.push('\n');
    }
    if report.partial || report.handed_on > 0 {
        page.push_str("Not everything was audited.\n\n");
    }
    page.push_str(&format!("{}\n", code(&audited(report))));
    page
}

/// As many from the beginning as take at most so many bytes.
fn fitting(parts: &[String], mut room: usize) -> &[String] {
    let fits = |part: &&String| {
        let fits = part.len() <= room;
        room = room.saturating_sub(part.len());
        fits
    };
    let fitting = parts.iter().take_while(fits).count();
    parts.get(..fitting).unwrap_or_default()
}

fn row(finding: &Finding) -> String {
    let outcome = match finding.outcome() {
        Outcome::None => String::new(),
        outcome => format!(" ({})", outcome.as_str()),
    };
    let what = exceeds(finding).unwrap_or_else(|| title(finding).whole());
    let (severity, what) = (finding.severity.as_str(), code(&what));
    format!("| {severity} | `{}`{outcome} | {} | {what} |\n", finding.code.as_str(), place(finding))
}

/// The group, with a link to the console, and where it is.
fn place(finding: &Finding) -> String {
    let (account, region) = (finding.place.account.as_ref(), finding.place.region.as_ref());
    let group = finding.group.as_ref();
    let name = group.and_then(|group| group.name.as_deref()).map(code);
    let id = group.map(|group| match console_url(finding) {
        Some(url) => format!("[{}]({url})", group.id),
        // An address of a plan may hold any text.
        None if group.id.is_declared() => whole(group.id.as_str()),
        None => group.id.to_string(),
    });
    let region = region.map(|region| region.to_string());
    let account = account.map(|account| account.to_string());
    let binding = finding.binding.as_deref().map(|binding| format!("binding {}", code(binding)));
    [name, id, region, account, binding].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// A line for a shell, below a comment that says what it closes.
fn command(finding: &Finding) -> Option<String> {
    let command = inert::plain(wording::next_command(finding)?.1);
    let group = finding.group.as_ref().map(|group| group.id.as_str()).unwrap_or_default();
    let traffic = inert::for_mail(&exceeds(finding).unwrap_or_default());
    let traffic = inert::clip(&traffic, CELL);
    Some(format!("# {group} {traffic}\n{command}\n"))
}

/// What to change in a file, and where.
fn repair(finding: &Finding) -> Option<String> {
    let (location, repair) = (finding.location.as_ref()?, declared::repair(finding)?);
    Some(format!("- {}: {}\n", whole(&declared::place(location)), whole(&repair)))
}

/// A text to compare or to copy: with its dots, which addresses in a plan have between their parts.
fn whole(text: &str) -> String {
    format!("`{}`", inert::plain(text).replace('`', "'").replace('|', "\\|"))
}

/// A text as it is, whatever it is, in a cell of a table or elsewhere.
fn code(text: &str) -> String {
    let text = inert::clip(&inert::for_mail(text), CELL).replace('|', "\\|");
    if text.trim().is_empty() { String::new() } else { format!("`{text}`") }
}

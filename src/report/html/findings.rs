//! The page of a report.

use maud::{Markup, html};

use super::super::console::console_url;
use super::super::detail::{detail, exceeds};
use super::super::terminal::{audited, findings, groups_compliant};
use super::super::title::title;
use super::super::wording;
use super::page::{Column, Page, Sort, Tile, command, rank, severity, table, text};
use super::picture::{Reach, reaches};
use crate::ec2::Direction;
use crate::evaluate::Severity;
use crate::finding::{Finding, Outcome, Presence, Report};
use crate::text::{count, minute};

/// The report as a page.
pub fn render(report: &Report) -> String {
    let of = |severity| report.totals.by_severity.get(&severity).copied().unwrap_or_default();
    let severities = [
        Severity::Critical,
        Severity::High,
        Severity::Medium,
        Severity::Low,
        Severity::Informational,
    ];
    let mut tiles: Vec<Tile> = severities
        .into_iter()
        .map(|severity| Tile {
            severity: (of(severity) > 0).then_some(severity),
            ..Tile::new(of(severity), severity.as_str())
        })
        .collect();
    tiles.push(Tile::new(report.groups, "groups audited"));
    let rows: Vec<Markup> = report.findings.iter().map(row).collect();
    let columns = [
        Column("Severity", Sort::Number),
        Column("Finding", Sort::Text),
        Column("Group", Sort::Text),
        Column("Change", Sort::Text),
        Column("What to do", Sort::No),
    ];
    let mut foot = vec![format!("{}.", audited(report))];
    foot.extend(report.skipped.iter().map(wording::skipped));
    foot.extend(wording::exempt(&report.exempt).into_iter().map(|(it, _)| format!("Exempt: {it}")));
    if report.partial || report.handed_on > 0 {
        foot.push("Not everything was audited.".to_owned());
    }
    Page {
        title: "Security groups",
        summary: summary(report),
        is_good: of(Severity::Critical)
            + of(Severity::High)
            + of(Severity::Medium)
            + of(Severity::Low)
            == 0,
        tiles,
        body: html! {
            (reaches(report.findings.iter().filter_map(reach).collect()))
            section aria-labelledby="findings" {
                h2 #findings { "Findings" }
                @if report.findings.is_empty() { p { "There are none." } }
                @else { (table(&findings(report), &columns, &[], &rows)) }
            }
        },
        foot,
    }
    .render()
}

/// The report for somebody who reads nothing else.
fn summary(report: &Report) -> String {
    let of = |severity| report.totals.by_severity.get(&severity).copied().unwrap_or_default();
    let urgent = of(Severity::Critical) + of(Severity::High);
    let others = of(Severity::Medium) + of(Severity::Low);
    let compliant = groups_compliant(report);
    let groups = format!(
        "{} audited, {} of them with nothing beyond the baseline",
        count(report.groups, "group"),
        compliant
    );
    match (urgent, others) {
        (0, 0) => format!("Nothing exceeds the baseline. {groups}."),
        (0, others) => {
            format!("Nothing urgent, and {} to look at. {groups}.", count(others, "finding"))
        }
        (1, _) => format!("1 finding needs attention now. {groups}."),
        (urgent, _) => format!("{urgent} findings need attention now. {groups}."),
    }
}

fn group(finding: &Finding) -> String {
    finding.group.as_ref().map(wording::called).unwrap_or_default()
}

/// Who reaches what by a rule that is there.
fn reach(finding: &Finding) -> Option<Reach> {
    let found = finding.found_rule().filter(|found| found.presence == Presence::Present)?;
    let is_ingress = found.rule.direction() == Direction::Ingress;
    let is_empty = exceeds(finding).is_none_or(|text| text.is_empty());
    (!is_empty).then(|| Reach::new(finding.severity, is_ingress, &found.excess, &group(finding)))
}

fn row(finding: &Finding) -> Markup {
    let place = &finding.place;
    let account = place.account.as_ref().map(ToString::to_string);
    let region = place.region.as_ref().map(ToString::to_string);
    let place: Vec<String> = [account, region].into_iter().flatten().collect();
    let outcome = finding.outcome();
    html! {
        tr data-severity=(finding.severity.as_str()) {
            td data-sort=(rank(finding.severity)) data-label="Severity" { (severity(finding.severity)) }
            td data-label="Finding" {
                strong { (text(&title(finding).whole())) }
                @if let Some(excess) = exceeds(finding) { p { "Exceeds the baseline: " (text(&excess)) } }
                p.detail { (text(&detail(finding))) }
                @if let Some(binding) = &finding.binding { p.detail { "Binding: " (text(binding)) } }
                @if !finding.controls.is_empty() { p.controls { (wording::controls(&finding.controls)) } }
            }
            td data-label="Group" {
                @if let Some(url) = console_url(finding) { a href=(url) rel="noreferrer" { (text(&group(finding))) } }
                @else { (text(&group(finding))) }
                p.detail { (place.join(" ")) }
            }
            td data-label="Change" {
                @if let Some(change) = &finding.change {
                    (text(change.actor.as_deref().unwrap_or("not known")))
                    p.detail {
                        (text(change.source_ip.as_deref().unwrap_or_default())) " "
                        (text(change.event_name.as_deref().unwrap_or_default())) " "
                        @if let Some(time) = change.time { (minute(time)) }
                    }
                } @else { "found as it is" }
            }
            td data-label="What to do" {
                @if outcome != Outcome::None { p { (outcome.as_str()) } }
                @if let Some((label, line)) = wording::next_command(finding) { (command(label, line)) }
            }
        }
    }
}

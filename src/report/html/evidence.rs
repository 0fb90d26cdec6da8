//! The index of evidence.

use maud::{Markup, html};

use super::super::evidence::words::{
    answer, asks, at, gap, life, period, standard, tolerates, watched,
};
use super::super::history::words::{group, opened_by, traffic};
use super::super::wording;
use super::page::{Page, Tile, text};
use crate::evaluate::Severity;
use crate::evidence::{Evidence, PlaceCovered};
use crate::finding::BaselineName;
use crate::text::{count, minute};

/// What is in the other files.
const FILES: [(&str, &str); 12] = [
    ("report.html", "the groups, and what is wrong with them"),
    ("report.json", "the same for programs"),
    ("report.csv", "the same for spreadsheets"),
    ("history.html", "what was open in the period, for how long and by whom"),
    ("history.json", "the same for programs"),
    ("history.csv", "the same for spreadsheets"),
    ("coverage.csv", "which accounts and regions were looked at"),
    ("exemptions.csv", "what the baseline tolerates, until when and why"),
    ("holds.csv", "what was opened for a limited time, and why"),
    ("controls.csv", "CIS and Security Hub controls, and what fails them"),
    ("evidence.json", "coverage, exemptions, holds and controls for programs"),
    ("baseline.yaml", "what the groups were compared with"),
];

/// How many gaps of a place are named. The table for spreadsheets has them all.
const GAPS: usize = 3;

/// The index as a page. Its links lead to the files beside it.
pub fn render(evidence: &Evidence) -> String {
    let places = evidence.covered();
    let history = &evidence.history;
    let of =
        |severity| evidence.report.totals.by_severity.get(&severity).copied().unwrap_or_default();
    let urgent = of(Severity::Critical) + of(Severity::High);
    let worst = if of(Severity::Critical) > 0 { Severity::Critical } else { Severity::High };
    let not_watched = places.iter().filter(|place| !place.gaps.is_empty()).count();
    let holds = evidence.held().count();
    let tiles = vec![
        Tile::new(evidence.report.groups, "groups audited"),
        Tile {
            severity: (urgent > 0).then_some(worst),
            ..Tile::new(urgent, "critical or high findings")
        },
        Tile::new(history.totals.openings, "openings in the period"),
        Tile::new(history.totals.open + history.totals.unknown, "open at its end, or perhaps"),
        Tile::new(evidence.baseline.exemptions.len(), "exemptions"),
        Tile::new(holds, "holds"),
        Tile::new(not_watched, "places not watched all the time"),
    ];
    let name = BaselineName::from(&evidence.baseline);
    Page {
        title: "Evidence on security groups",
        summary: summary(evidence, urgent, not_watched),
        is_good: urgent == 0 && not_watched == 0 && !evidence.is_partial(),
        tiles,
        body: html! {
            @if !evidence.unread.is_empty() {
                section aria-labelledby="unread" {
                    h2 #unread { "Not read" }
                    ul { @for fault in &evidence.unread { li { (text(fault)) } } }
                }
            }
            (contents())
            (coverage(&places))
            (controls(evidence))
            (exemptions(evidence))
            (held(evidence))
        },
        foot: vec![
            format!(
                "The period is in UTC. What is open counts until {}. Baseline {}.",
                minute(evidence.as_of),
                wording::baseline(&name)
            ),
            "MANIFEST.sha256 has the SHA-256 of each file; `sha256sum -c MANIFEST.sha256` checks them."
                .to_owned(),
        ],
    }
    .render()
}

fn summary(evidence: &Evidence, urgent: usize, not_watched: usize) -> String {
    let openings = count(evidence.history.totals.openings, "opening");
    let now = match urgent {
        0 => "nothing urgent is wrong now".to_owned(),
        1 => "1 finding needs attention now".to_owned(),
        _ => format!("{urgent} findings need attention now"),
    };
    let watched = match (evidence.is_partial(), not_watched) {
        (true, _) => " Not everything could be read.",
        (false, 0) => "",
        (false, _) => " Not every account and region was watched all the time.",
    };
    format!("{}: {openings} beyond the baseline, and {now}.{watched}", period(evidence.period))
}

fn contents() -> Markup {
    html! {
        section aria-labelledby="contents" {
            h2 #contents { "Files" }
            ul { @for (name, what) in FILES { li { a href=(name) { (name) } ": " (what) } } }
        }
    }
}

/// A table that is not sorted, or a sentence in its place.
fn table(id: &str, title: &str, caption: &str, heads: &[&str], rows: &[Vec<Markup>]) -> Markup {
    html! {
        section aria-labelledby=(id) {
            h2 id=(id) { (title) }
            @if rows.is_empty() { p { "There are none." } }
            @else {
                table.plain {
                    caption { (caption) }
                    thead { tr { @for head in heads { th scope="col" { (head) } } } }
                    tbody {
                        @for row in rows {
                            tr { @for (head, cell) in heads.iter().zip(row) { td data-label=(head) { (cell) } } }
                        }
                    }
                }
            }
        }
    }
}

fn plain(words: &str) -> Markup {
    html! { (text(words)) }
}

fn coverage(places: &[PlaceCovered]) -> Markup {
    let row = |covered: &PlaceCovered| {
        let mut gaps: Vec<String> = covered.gaps.iter().take(GAPS).map(gap).collect();
        if covered.gaps.len() > GAPS {
            gaps.push(format!("and {} more", covered.gaps.len() - GAPS));
        }
        vec![
            plain(&at(covered)),
            html! { (covered.groups) },
            html! { (covered.findings) },
            html! { (covered.records) },
            html! { (watched(covered)) @for gap in gaps { p.detail { (gap) } } },
        ]
    };
    let heads = ["Account and region", "Groups", "Findings", "Records", "Watched"];
    let caption = "Stretches of more than a day without any record count as not watched";
    let rows: Vec<_> = places.iter().map(row).collect();
    table("coverage", "Coverage", caption, &heads, &rows)
}

fn controls(evidence: &Evidence) -> Markup {
    let rows: Vec<_> = evidence
        .answers()
        .iter()
        .map(|it| {
            vec![
                html! { (it.control.as_str()) p.detail { (standard(it.control)) } },
                html! { (asks(it.control)) },
                html! { (answer(it)) @if it.open > 0 { ", " (it.open) " open at its end, or perhaps" } },
                html! { @for group in &it.groups { p { (text(group)) } } },
            ]
        })
        .collect();
    let heads = ["Control", "Asks for", "Answer", "Groups"];
    let caption = "Only rules that exceed the baseline are counted: what the baseline allows may still fail a control";
    table("controls", "Controls", caption, &heads, &rows)
}

fn exemptions(evidence: &Evidence) -> Markup {
    let rows: Vec<_> = evidence
        .tolerated()
        .iter()
        .map(|it| {
            let until = it.exemption.until.to_string();
            vec![
                plain(it.exemption.group.as_str()),
                html! { (text(&tolerates(evidence, it))) p.detail { "needed for " (count(it.rules, "rule")) } },
                plain(&it.exemption.reason),
                html! { (until) @if !it.is_active { p.detail { "expired" } } },
            ]
        })
        .collect();
    let heads = ["Group", "Tolerates", "Reason", "Until"];
    table("exemptions", "Exemptions", "What the baseline tolerates in one group", &heads, &rows)
}

fn held(evidence: &Evidence) -> Markup {
    let rows: Vec<_> = evidence
        .held()
        .map(|opening| {
            let hold = opening.hold.as_ref();
            vec![
                plain(&group(opening)),
                plain(&traffic(opening)),
                plain(hold.map(|hold| hold.reason.as_str()).unwrap_or_default()),
                html! { @if let Some(hold) = hold { (minute(hold.until)) } },
                html! { (text(&life(evidence, opening))) p.detail { (text(&opened_by(opening))) } },
            ]
        })
        .collect();
    let heads = ["Group", "Traffic", "Reason", "Held until", "What became of it"];
    table("holds", "Holds", "What was opened for a limited time", &heads, &rows)
}

//! The page of a history.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::super::history::words::{
    actor, closed_by, fix, group, length, open_for, opened_by, period, place, status, status_word,
    traffic,
};
use super::super::wording;
use super::page::{Column, Page, Sort, Tile, command, rank, severity, table, text};
use super::picture::{Bar, Reach, Row, reaches, timeline};
use crate::ec2::Direction;
use crate::evaluate::Severity;
use crate::history::{History, Opening, OpeningStatus};
use crate::text::{count, minute};

/// The history as a page. Openings below a severity are counted only.
pub fn render(history: &History, least: Severity) -> String {
    let totals = &history.totals;
    let shown: Vec<&Opening> =
        history.openings.iter().filter(|opening| opening.severity >= least).collect();
    let open: Vec<Reach> = shown
        .iter()
        .filter(|opening| opening.status() != OpeningStatus::Closed)
        .map(|opening| {
            let is_ingress = opening.rule.direction() == Direction::Ingress;
            Reach::new(opening.severity, is_ingress, &opening.excess, &group(opening))
        })
        .collect();
    let worst = shown
        .iter()
        .filter(|opening| opening.status() != OpeningStatus::Closed)
        .map(|opening| opening.severity)
        .max();
    let tiles = vec![
        Tile::new(totals.openings, "openings"),
        Tile { severity: worst, ..Tile::new(totals.open, "open") },
        Tile::new(totals.unknown, "perhaps closed"),
        Tile::new(length(totals.durations.median), "median time open"),
        Tile::new(length(totals.durations.longest), "longest"),
    ];
    let rows: Vec<Markup> = shown.iter().map(|opening| row(opening, history)).collect();
    let columns = [
        Column("Severity", Sort::Number),
        Column("Status", Sort::Text),
        Column("Open for", Sort::Number),
        Column("What", Sort::Text),
        Column("Group", Sort::Text),
        Column("When", Sort::Number),
        Column("Who", Sort::Text),
        Column("What to do", Sort::No),
    ];
    let caption = format!("{}, the longest first", count(shown.len(), "opening"));
    Page {
        title: "Openings of security groups",
        summary: summary(history),
        is_good: totals.open + totals.unknown == 0 && !history.is_partial,
        tiles,
        body: html! {
            (timeline(&timelines(&shown, history), history.now))
            (reaches(open))
            section aria-labelledby="openings" {
                h2 #openings { "Openings" }
                @if shown.is_empty() { p { "There are none." } }
                @else { (table(&caption, &columns, &["open", "closed", "unknown"], &rows)) }
            }
            (by_actor(history))
        },
        foot: foot(history),
    }
    .render()
}

fn summary(history: &History) -> String {
    let totals = &history.totals;
    let longest = length(totals.durations.longest);
    match (totals.openings, totals.open) {
        (0, _) if history.is_partial => {
            "Not everything could be read. In what could be, no rule exceeded the baseline."
                .to_owned()
        }
        (0, _) => "No rule exceeded the baseline in this time.".to_owned(),
        (all, 0) if totals.unknown == 0 => format!(
            "Nothing is open. {} exceeded the baseline for some time, the longest for {longest}.",
            count(all, "rule")
        ),
        (all, 0) => format!(
            "{} exceeded the baseline for some time, and a change that cannot be read may have closed {} of them.",
            count(all, "rule"),
            totals.unknown
        ),
        (all, 1) => {
            format!("1 of {} is open. The longest lasted {longest}.", count(all, "opening"))
        }
        (all, open) => {
            format!("{open} of {} are open. The longest lasted {longest}.", count(all, "opening"))
        }
    }
}

/// A row for each group, that with the longest opening first.
fn timelines(shown: &[&Opening], history: &History) -> Vec<Row> {
    let mut order: Vec<String> = Vec::new();
    let mut by_group: BTreeMap<String, Vec<&Opening>> = BTreeMap::new();
    for opening in shown {
        let label = format!("{}, {}", group(opening), place(&opening.place));
        let openings = by_group.entry(label.clone()).or_default();
        if openings.is_empty() {
            order.push(label);
        }
        openings.push(opening);
    }
    let row = |label: String| {
        let openings = by_group.get(&label).map(Vec::as_slice).unwrap_or_default();
        let bars = openings.iter().map(|opening| bar(opening, history)).collect();
        Row { who: who(openings, history), label, bars }
    };
    order.into_iter().map(row).collect()
}

fn bar(opening: &Opening, history: &History) -> Bar {
    let ((from, _), (until, _)) = (opening.from(), opening.until(history.now));
    let about = [
        Some(format!(
            "{}: {} for {}",
            opening.severity.as_str(),
            traffic(opening),
            open_for(opening, history.now)
        )),
        Some(period(opening)),
        Some(opened_by(opening)),
        closed_by(opening),
    ];
    Bar {
        severity: opening.severity,
        from,
        until,
        is_exact: opening.duration(history.now).1,
        is_open: opening.status() == OpeningStatus::Open,
        about: about.into_iter().flatten().collect::<Vec<_>>().join("; "),
    }
}

/// Who opened what of a group, for those who see no tooltip.
fn who(openings: &[&Opening], history: &History) -> String {
    const NAMED: usize = 3;
    let of = |opening: &&Opening| {
        let who = opening
            .opener()
            .map_or_else(|| "not known by whom".to_owned(), |deed| actor(opening, deed));
        format!(
            "{} {}, {}, {who}",
            status(opening),
            traffic(opening),
            open_for(opening, history.now)
        )
    };
    crate::text::first_of(openings.iter().map(of), NAMED, "; ")
}

fn row(opening: &Opening, history: &History) -> Markup {
    let (time, _) = opening.duration(history.now);
    html! {
        tr data-severity=(opening.severity.as_str()) data-status=(status_word(opening)) {
            td data-sort=(rank(opening.severity)) data-label="Severity" { (severity(opening.severity)) }
            td data-label="Status" { (status(opening)) }
            td data-sort=(time.num_seconds()) data-label="Open for" { (open_for(opening, history.now)) }
            td data-label="What" { strong { (text(&traffic(opening))) } }
            td data-label="Group" { (text(&group(opening))) p.detail { (text(&place(&opening.place))) } }
            td data-sort=(opening.from().0.timestamp()) data-label="When" { (text(&period(opening))) }
            td data-label="Who" {
                p { (text(&opened_by(opening))) }
                @if let Some(closed) = closed_by(opening) { p { (text(&closed)) } }
                @if let Some(hold) = &opening.hold {
                    p.detail { "held until " (minute(hold.until)) ": " (text(&hold.reason)) }
                }
            }
            td data-label="What to do" {
                @if let Some(line) = fix(opening) { (command("Close it", &line)) }
            }
        }
    }
}

fn by_actor(history: &History) -> Markup {
    const NAMED: usize = 20;
    let shares = &history.totals.by_actor;
    html! {
        @if !shares.is_empty() {
            section aria-labelledby="by-actor" {
                h2 #by-actor { "By who opened them" }
                table.plain {
                    caption { "The most openings first" }
                    thead { tr { th scope="col" { "Who" } th scope="col" { "Openings" } th scope="col" { "Open" } th scope="col" { "Longest" } } }
                    tbody {
                        @for share in shares.iter().take(NAMED) {
                            tr {
                                td data-label="Who" { (text(share.of.as_deref().unwrap_or("not known"))) }
                                td data-label="Openings" { (share.openings) }
                                td data-label="Open" { (share.open) }
                                td data-label="Longest" { (length(share.durations.longest)) }
                            }
                        }
                    }
                }
                @if shares.len() > NAMED { p { "And " (shares.len() - NAMED) " more." } }
            }
        }
    }
}

fn foot(history: &History) -> Vec<String> {
    const GAPS: usize = 3;
    let read = history.counts;
    let mut lines = vec![format!(
        "{} read until {}, {} of rules or lists; baseline {}.",
        count(read.records, "record"),
        minute(history.now),
        count(read.changes, "change"),
        wording::baseline(&history.baseline)
    )];
    if read.unread > 0 {
        lines.push(format!("{} cannot be read completely.", count(read.unread, "record")));
    }
    if history.is_partial {
        lines.push("Not everything could be read, so openings may be missing.".to_owned());
    }
    if !history.has_present {
        lines.push(
            "Not compared with the groups as they are: what no record shows closed counts as open."
                .to_owned(),
        );
    }
    for coverage in &history.coverage {
        let gaps = coverage.gaps();
        let gaps = gaps.iter().take(GAPS).map(|gap| {
            format!("; no record for {} from {}", length(gap.length()), minute(gap.from))
        });
        lines.push(format!(
            "{}: {} from {} to {}{}.",
            place(&coverage.place),
            count(coverage.records, "record"),
            minute(coverage.first),
            minute(coverage.last),
            gaps.collect::<String>()
        ));
    }
    lines
}

//! Pictures: who reaches what now, and what was open when.

use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};

use super::page::text;
use crate::evaluate::{Severity, is_wide};
use crate::net::{Set, Traffic};
use crate::words::{boxes, cells_text};

/// How many lines a picture has. The table has them all.
const MOST: usize = 40;

/// How many peers a line names.
const PEERS: usize = 2;

/// Somebody who reaches something.
pub(super) struct Reach {
    pub severity: Severity,
    pub who: String,
    pub what: String,
    pub group: String,
}

impl Reach {
    pub fn new(severity: Severity, is_ingress: bool, excess: &Traffic, group: &str) -> Self {
        let who = who(excess);
        let what = cells_text(&excess.cells());
        let what = if is_ingress { what } else { format!("{what} (outgoing)") };
        Self { severity, who, what, group: group.to_owned() }
    }
}

/// The peers of some traffic in few words.
fn who(excess: &Traffic) -> String {
    if is_wide(excess) {
        return "The Internet".to_owned();
    }
    if excess.is_empty() {
        return "Not known who".to_owned();
    }
    let mut peers: Vec<String> = boxes(excess).into_iter().flat_map(|it| it.peers).collect();
    peers.dedup();
    match peers.len() {
        n if n > PEERS => {
            let first: Vec<String> = peers.into_iter().take(PEERS).collect();
            format!("{} and {} more", first.join(", "), n - PEERS)
        }
        _ => peers.join(", "),
    }
}

/// Who reaches which ports of which group, a line each, the worst first.
pub(super) fn reaches(mut reaches: Vec<Reach>) -> Markup {
    let key = |it: &Reach| (it.severity, it.who.clone(), it.what.clone(), it.group.clone());
    reaches.sort_by_key(|it| std::cmp::Reverse(key(it)));
    reaches.dedup_by(|a, b| key(a) == key(b));
    let more = reaches.len().saturating_sub(MOST);
    html! {
        section aria-labelledby="open-now" {
            h2 #open-now { "Open now" }
            @if reaches.is_empty() {
                p { "Nothing is open beyond the baseline." }
            } @else {
                ul.reaches {
                    @for reach in reaches.iter().take(MOST) {
                        li.reach.(reach.severity.as_str()) {
                            span.who { (text(&reach.who)) }
                            svg.arrow viewBox="0 0 60 20" role="img" aria-label=(format!("reaches, {}", reach.severity.as_str())) {
                                path d="M2 10 H50" {}
                                path d="M44 4 L54 10 L44 16" {}
                            }
                            span.what { (text(&reach.what)) }
                            span.group { "on " (text(&reach.group)) }
                        }
                    }
                }
                @if more > 0 { p { "And " (more) " more, which are in the table." } }
            }
        }
    }
}

/// When something was open.
pub(super) struct Bar {
    pub severity: Severity,
    pub from: DateTime<Utc>,
    pub until: DateTime<Utc>,
    /// Whether the ends are known.
    pub is_exact: bool,
    pub is_open: bool,
    /// What, when and by whom.
    pub about: String,
}

/// The bars of one group.
pub(super) struct Row {
    pub label: String,
    pub bars: Vec<Bar>,
    /// Who opened them, in short.
    pub who: String,
}

/// The width of the picture in its own units; the page stretches it.
const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 24.0;

/// The least width of a bar, so that the shortest can be seen.
const NARROWEST: f64 = 4.0;

/// So many bars of a group that overlap are drawn one below the other.
const LANES: usize = 4;

/// How many times the axis names.
const TICKS: i32 = 4;

/// A row a group, with a bar for each opening.
pub(super) fn timeline(rows: &[Row], now: DateTime<Utc>) -> Markup {
    let bars = || rows.iter().flat_map(|row| &row.bars);
    let from = bars().map(|bar| bar.from).min().unwrap_or(now);
    let until = bars().map(|bar| bar.until).max().unwrap_or(now);
    let length = until.signed_duration_since(from).max(TimeDelta::minutes(1));
    let more = rows.len().saturating_sub(MOST);
    html! {
        section aria-labelledby="over-time" {
            h2 #over-time { "Openings over time" }
            @if rows.is_empty() {
                p { "Nothing exceeded the baseline in this time." }
            } @else {
                div.axis aria-hidden="true" {
                    @for tick in 0..=TICKS { span { (day(from + length * tick / TICKS, length)) } }
                }
                @for row in rows.iter().take(MOST) {
                    figure.row {
                        figcaption { (text(&row.label)) }
                        svg.bars viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) preserveAspectRatio="none" role="img"
                            aria-label=(text(&format!("{}: {} from {} to {}", row.label, crate::text::count(row.bars.len(), "opening"), day(from, length), day(until, length)))) {
                            @for tick in 1..TICKS {
                                line.grid x1=(WIDTH * f64::from(tick) / f64::from(TICKS)) x2=(WIDTH * f64::from(tick) / f64::from(TICKS)) y1="0" y2=(HEIGHT) {}
                            }
                            @let lanes = lanes(&row.bars);
                            @let many = lanes.iter().max().map_or(1, |lane| lane + 1);
                            @for (bar, lane) in row.bars.iter().zip(&lanes) { (drawn(bar, from, length, (*lane, many))) }
                        }
                        p.who { (text(&row.who)) }
                    }
                }
                @if more > 0 { p { "And " (more) " more groups, which are in the table." } }
                p.legend {
                    "Colour shows severity. A bar with a mark at its end is open; a pale bar is as long as is known at least."
                }
            }
        }
    }
}

/// The lane of each bar, so that bars that overlap do not hide each other. The last lane takes what is
/// too much for the others.
fn lanes(bars: &[Bar]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..bars.len()).collect();
    order.sort_by_key(|at| bars.get(*at).map(|bar| (bar.from, bar.until)));
    let mut ends: Vec<DateTime<Utc>> = Vec::new();
    let mut lanes = vec![0; bars.len()];
    for at in order {
        let Some(bar) = bars.get(at) else { continue };
        let free = ends.iter().position(|end| *end <= bar.from);
        let lane = free.unwrap_or(ends.len()).min(LANES - 1);
        match ends.get_mut(lane) {
            Some(end) => *end = bar.until.max(*end),
            None => ends.push(bar.until),
        }
        if let Some(of) = lanes.get_mut(at) {
            *of = lane;
        }
    }
    lanes
}

/// `lane` is which one of how many.
fn drawn(
    bar: &Bar,
    from: DateTime<Utc>,
    length: TimeDelta,
    (lane, lanes): (usize, usize),
) -> Markup {
    let at = |time: DateTime<Utc>| {
        let seconds = time.signed_duration_since(from).num_seconds();
        // No history is so long that this loses a second.
        WIDTH * (seconds as f64) / (length.num_seconds().max(1) as f64)
    };
    let x = at(bar.from).clamp(0.0, WIDTH - NARROWEST);
    let width = (at(bar.until) - x).clamp(NARROWEST, WIDTH - x);
    let exact = if bar.is_exact { "exact" } else { "least" };
    let number = |it: f64| format!("{it:.1}");
    let room = HEIGHT / (lanes as f64);
    let top = room * (lane as f64);
    let edge = 3.0_f64.min(room / 8.0);
    html! {
        g.bar.(bar.severity.as_str()).(exact) {
            title { (text(&bar.about)) }
            rect x=(number(x)) y=(number(top + edge)) width=(number(width)) height=(number(room - 2.0 * edge)) {}
            @if bar.is_open { rect.open x=(number(x + width - NARROWEST)) y=(number(top)) width=(NARROWEST) height=(number(room)) {} }
        }
    }
}

/// A time as exact as the length of the picture wants it.
fn day(time: DateTime<Utc>, length: TimeDelta) -> String {
    let format = if length < TimeDelta::days(2) { "%m-%d %H:%M" } else { "%Y-%m-%d" };
    time.format(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(from: i64, until: i64) -> Bar {
        let at = |minute: i64| DateTime::from_timestamp(minute * 60, 0).unwrap();
        Bar {
            severity: Severity::High,
            from: at(from),
            until: at(until),
            is_exact: true,
            is_open: false,
            about: String::new(),
        }
    }

    #[test]
    fn bars_that_overlap_do_not_hide_each_other() {
        assert_eq!(lanes(&[bar(5, 9), bar(0, 5)]), [0, 0]);
        assert_eq!(lanes(&[bar(2, 9), bar(0, 5), bar(6, 7)]), [1, 0, 0]);
        // More than there is room for.
        let many: Vec<Bar> = (0..9).map(|at| bar(at, 100)).collect();
        assert_eq!(lanes(&many), [0, 1, 2, 3, 3, 3, 3, 3, 3]);
        assert_eq!(lanes(&[]), [0_usize; 0]);
    }
}

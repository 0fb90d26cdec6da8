//! The history on a terminal: an opening a line, the longest first, then the totals.

use anstyle::{AnsiColor, Style as Ansi};

use super::super::terminal::Style;
use super::super::wording;
use super::words::{
    actor as short_actor, closed_by, group, length, open_for, opened_by, period, place, status,
    traffic,
};
use crate::evaluate::Severity;
use crate::history::{History, Opening, OpeningStatus, RecordsRead, Share};
use crate::text::{count, inert, minute};

/// How many actors, groups and gaps are named.
const NAMED: usize = 5;

/// The narrowest text.
const NARROWEST: usize = 24;

/// The exit status that a history means: 2 if not everything could be looked at; otherwise 1 if
/// something is open, or may be; otherwise 2 if a change could not be read, since that may have opened
/// anything.
pub fn exit_status(history: &History) -> u8 {
    let unread = history.counts.unread + history.counts.untimed > 0;
    if history.is_partial {
        return 2;
    }
    match history.openings.iter().any(|opening| opening.status() != OpeningStatus::Closed) {
        true => 1,
        false if unread => 2,
        false => 0,
    }
}

/// The history as text that ends in a line break. Openings below a severity are counted only.
pub fn render(history: &History, least: Severity, style: Style) -> String {
    let mut page = Page { text: String::new(), style };
    let shown: Vec<&Opening> =
        history.openings.iter().filter(|opening| opening.severity >= least).collect();
    for opening in &shown {
        page.opening(opening, history);
    }
    if !shown.is_empty() {
        page.text.push('\n');
    }
    page.totals(history, history.openings.len() - shown.len());
    page.text
}

struct Page {
    text: String,
    style: Style,
}

impl Page {
    /// Parts of a paragraph. Where they do not fit, a line ends between two of them; a part that is
    /// longer than a line is wrapped.
    fn parts(&mut self, first: (&str, Ansi), others: &[String]) {
        let width = self.style.width.max(NARROWEST);
        let (text, ansi) = (inert::plain(first.0), first.1);
        let mut column = text.chars().count();
        match self.style.colour {
            true => self.text.push_str(&format!("{ansi}{text}{ansi:#}")),
            false => self.text.push_str(&text),
        }
        for part in others.iter().filter(|part| !part.is_empty()) {
            let part = inert::plain(part);
            let length = part.chars().count() + 2;
            if column + length <= width {
                self.text.push_str("  ");
                self.text.push_str(&part);
                column += length;
                continue;
            }
            let options = textwrap::Options::new(width)
                .initial_indent("  ")
                .subsequent_indent("    ")
                .word_splitter(textwrap::WordSplitter::NoHyphenation)
                .break_words(false);
            for line in textwrap::wrap(&part, options) {
                self.text.push('\n');
                self.text.push_str(&line);
                column = line.chars().count();
            }
        }
        self.text.push('\n');
    }

    fn opening(&mut self, opening: &Opening, history: &History) {
        let first = format!("{} {}", status(opening), open_for(opening, history.now));
        let colour = match (opening.status(), opening.severity) {
            (OpeningStatus::Closed, _) => Ansi::new().bold(),
            (_, Severity::Critical | Severity::High) => AnsiColor::Red.on_default().bold(),
            _ => AnsiColor::Yellow.on_default().bold(),
        };
        let held = opening.hold.as_ref().map(|hold| format!("held until {}", minute(hold.until)));
        let parts = [
            opening.severity.as_str().to_owned(),
            traffic(opening),
            group(opening),
            place(&opening.place),
            period(opening),
            opened_by(opening),
            closed_by(opening).unwrap_or_default(),
            held.unwrap_or_default(),
        ];
        self.parts((&first, colour), &parts);
    }

    fn totals(&mut self, history: &History, hidden: usize) {
        let totals = &history.totals;
        let mut counts = vec![
            format!("{} open", totals.open),
            format!("{} closed", totals.openings - totals.open - totals.unknown),
        ];
        if totals.unknown > 0 {
            counts.push(format!("{} perhaps closed", totals.unknown));
        }
        if hidden > 0 {
            counts.push(format!("{hidden} below --min-severity not shown"));
        }
        if totals.openings > 0 {
            counts.push(format!("median {}", length(totals.durations.median)));
            counts.push(format!("longest {}", length(totals.durations.longest)));
        }
        let bold = Ansi::new().bold();
        self.parts((&count(totals.openings, "opening"), bold), &counts);
        let actors: Vec<(String, String)> = totals
            .by_actor
            .iter()
            .map(|share| (actor_name(history, share), in_short(share)))
            .collect();
        self.shares("by actor", &actors);
        let groups: Vec<(String, String)> =
            totals.by_group.iter().map(|share| (share.of.clone(), in_short(share))).collect();
        self.shares("by group", &groups);
        let read = history.counts;
        let mut records = vec![count(read.changes, "change") + " of rules or lists"];
        for (n, what) in [
            (read.repeated, "repeated and counted once"),
            (read.untimed, "without a time and left out"),
            (read.unread, "that cannot be read completely"),
        ] {
            if n > 0 {
                records.push(format!("{n} {what}"));
            }
        }
        records.push(format!("baseline {}", wording::baseline(&history.baseline)));
        self.parts((&(count(read.records, "record") + " read"), Ansi::new()), &records);
        for coverage in &history.coverage {
            self.covered(coverage);
        }
        let status = exit_status(history);
        let verdict = match (status, totals.open) {
            (0, _) => "nothing is open",
            (2, _) if history.is_partial => "not everything could be read",
            (2, _) => "not every change could be read",
            (_, 0) => "something may be open",
            _ => "something is open",
        };
        self.parts((&format!("exit {status}: {verdict}"), bold), &[]);
    }

    fn shares(&mut self, label: &str, shares: &[(String, String)]) {
        let mut parts: Vec<String> =
            shares.iter().take(NAMED).map(|(name, what)| format!("{name}: {what}")).collect();
        let more = shares.len().saturating_sub(NAMED);
        if more > 0 {
            parts.push(format!("and {more} more"));
        }
        if !parts.is_empty() {
            self.parts((label, Ansi::new().dimmed()), &parts);
        }
    }

    fn covered(&mut self, coverage: &RecordsRead) {
        let mut parts = vec![
            count(coverage.records, "record"),
            format!("{} to {}", minute(coverage.first), minute(coverage.last)),
        ];
        let gaps = coverage.gaps();
        for gap in gaps.iter().take(NAMED) {
            let (from, length) = (minute(gap.from), length(gap.length()));
            parts.push(format!("no record for {length} from {from}"));
        }
        if gaps.len() > NAMED {
            parts.push(format!("and {} more such gaps", gaps.len() - NAMED));
        }
        self.parts((&place(&coverage.place), Ansi::new().dimmed()), &parts);
    }
}

/// The actor as the lines name it.
fn actor_name(history: &History, share: &Share<Option<String>>) -> String {
    let of_share =
        |opening: &&Opening| opening.opener().is_some_and(|deed| deed.record.actor == share.of);
    let opening = history.openings.iter().find(of_share);
    let named = opening.and_then(|it| Some(short_actor(it, it.opener()?)));
    named.unwrap_or_else(|| "not known".to_owned())
}

fn in_short<T>(share: &Share<T>) -> String {
    let open = if share.open > 0 { format!(", {} open", share.open) } else { String::new() };
    format!("{}{open}, longest {}", share.openings, length(share.durations.longest))
}

//! What all pages have in common.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use crate::evaluate::Severity;
use crate::text::inert;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// So many characters of a text that others wrote are shown.
const LONGEST: usize = 400;

pub(super) struct Page {
    pub title: &'static str,
    /// The whole page in one or two sentences.
    pub summary: String,
    /// Whether there is something to do.
    pub is_good: bool,
    pub tiles: Vec<Tile>,
    pub body: Markup,
    /// What was read, for reference.
    pub foot: Vec<String>,
}

/// A number with what it counts.
pub(super) struct Tile {
    pub number: String,
    pub what: String,
    /// Colours it, where the number is not zero.
    pub severity: Option<Severity>,
}

impl Tile {
    pub fn new(number: impl ToString, what: &str) -> Self {
        Self { number: number.to_string(), what: what.to_owned(), severity: None }
    }
}

impl Page {
    pub fn render(self) -> String {
        let policy = format!(
            "default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'",
            hash(STYLE),
            hash(SCRIPT)
        );
        let version = env!("CARGO_PKG_VERSION");
        let mark = if self.is_good { "good" } else { "bad" };
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(policy);
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="referrer" content="no-referrer";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    header {
                        h1 { (self.title) }
                        p.summary.(mark) { (text(&self.summary)) }
                    }
                    main {
                        ul.tiles {
                            @for tile in &self.tiles {
                                li.tile.(tile.severity.map_or("", Severity::as_str)) {
                                    span.number { (tile.number) } " "
                                    span.what { (tile.what) }
                                }
                            }
                        }
                        (self.body)
                    }
                    footer {
                        @for line in &self.foot { p { (text(line)) } }
                        p { "Made by typo3-sg-auditor " (version) "." }
                    }
                    script { (PreEscaped(SCRIPT)) }
                }
            }
        };
        page.into_string() + "\n"
    }
}

/// A source of the Content-Security-Policy.
fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text.as_bytes())))
}

/// Text that others may have written.
pub(super) fn text(text: &str) -> String {
    inert::clip(&inert::plain(text), LONGEST)
}

/// The severity as a word in its colour.
pub(super) fn severity(severity: Severity) -> Markup {
    html! { span.severity.(severity.as_str()) { (severity.as_str()) } }
}

/// A command with a button that copies it.
pub(super) fn command(label: &str, command: &str) -> Markup {
    html! {
        details {
            summary { (label) }
            div.command {
                code { (inert::plain(command)) }
                button.copy type="button" { "Copy" }
            }
        }
    }
}

/// A heading of a column, and how its cells are sorted.
pub(super) struct Column(pub &'static str, pub Sort);

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// By the cell's text.
    Text,
    /// By the number in `data-sort`.
    Number,
    /// Not at all.
    No,
}

impl Sort {
    fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::No => "no",
        }
    }
}

/// From so many rows on, a browser lays out only those rows that are seen.
const MANY: usize = 200;

/// A table that the script lets people sort and filter.
pub(super) fn table(
    caption: &str,
    columns: &[Column],
    statuses: &[&str],
    rows: &[Markup],
) -> Markup {
    let long = (rows.len() >= MANY).then_some("long");
    html! {
        div.tools hidden {
            label { "Filter " input.filter type="search" autocomplete="off"; }
            label {
                "Severity "
                select.of-severity {
                    option value="" { "all" }
                    @for severity in [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Informational] {
                        option value=(severity.as_str()) { (severity.as_str()) }
                    }
                }
            }
            @if !statuses.is_empty() {
                label {
                    "Status "
                    select.of-status {
                        option value="" { "all" }
                        @for status in statuses { option value=(status) { (status) } }
                    }
                }
            }
            output.shown {}
        }
        table class=[long] {
            caption { (caption) }
            thead {
                tr {
                    @for Column(name, sort) in columns {
                        @let sort = sort.name();
                        th.(sort) scope="col" data-sort=(sort) { (name) }
                    }
                }
            }
            tbody { @for row in rows { (row) } }
        }
    }
}

/// The place of a severity in an order.
pub(super) fn rank(severity: Severity) -> u8 {
    match severity {
        Severity::Critical => 4,
        Severity::High => 3,
        Severity::Medium => 2,
        Severity::Low => 1,
        Severity::Informational => 0,
    }
}

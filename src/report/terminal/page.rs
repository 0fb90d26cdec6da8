//! Lines of a terminal, wrapped where they may be.

use anstyle::Style as Ansi;

use crate::evaluate::Severity;
use crate::text::inert;

/// Less important text.
pub(super) const DIM: Ansi = Ansi::new().dimmed();

/// Columns of a label and the gap after it; the longest is `already-gone`.
const LABEL: usize = 14;

/// Where there are fewer columns, nothing stands in columns of its own.
const NARROW: usize = 60;

/// Texts are not wrapped narrower than this, however narrow the terminal is.
const NARROWEST: usize = 24;

/// How to show it. Whether the output is a terminal and what `NO_COLOR` says, the caller knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether to use colours.
    pub colour: bool,
    /// Columns; texts are wrapped there, commands are not.
    pub width: usize,
}

/// What to show of a report, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// Colours and width.
    pub style: Style,
    /// Whether to propose exemptions.
    pub exemptions: bool,
    /// Whether only the counts are wanted.
    pub summary: bool,
    /// The least severity that makes the exit status 1.
    pub fail_on: Severity,
}

impl View {
    /// Everything but exemptions, without colours.
    pub fn plain(width: usize) -> Self {
        let style = Style { colour: false, width };
        Self { style, exemptions: false, summary: false, fail_on: Severity::Low }
    }
}

/// What was audited.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    Groups,
    Changes,
}

/// The text so far. What comes from a report is made inert in its methods.
pub(super) struct Page {
    pub text: String,
    pub view: View,
    pub about: About,
}

impl Page {
    pub(super) fn is_narrow(&self) -> bool {
        self.view.style.width < NARROW
    }

    pub(super) fn line(&mut self, line: &str) {
        self.text.push_str(&inert::plain(line));
        self.text.push('\n');
    }

    pub(super) fn paint(&self, text: &str, ansi: Ansi) -> String {
        let text = inert::plain(text);
        if self.view.style.colour { format!("{ansi}{text}{ansi:#}") } else { text }
    }

    /// Parts of a line, the first one in bold, with line breaks only between them.
    pub(super) fn parts<'a>(&mut self, first: &str, others: impl Iterator<Item = &'a str>) {
        const GAP: usize = 2;
        let mut column = inert::plain(first).chars().count();
        let first = self.paint(first, Ansi::new().bold());
        self.text.push_str(&first);
        for part in others {
            let part = inert::plain(part);
            let length = GAP + part.chars().count();
            let fits = column + length <= self.view.style.width;
            column = if fits { column + length } else { length };
            self.text.push_str(if fits { "  " } else { "\n  " });
            self.text.push_str(&part);
        }
        self.text.push('\n');
    }

    /// A label and a text beside it.
    pub(super) fn wrapped(&mut self, label: &str, indent: usize, text: &str) {
        if !text.trim().is_empty() {
            let at = self.label(label, indent);
            let indent = if self.is_narrow() { indent + 2 } else { at };
            self.flow(text, at, indent);
        }
    }

    /// Returns the column after the label.
    pub(super) fn label(&mut self, label: &str, indent: usize) -> usize {
        let width = if self.is_narrow() { label.len() } else { LABEL - 2 };
        let label = self.paint(&format!("{label:width$}"), DIM);
        self.text.push_str(&format!("{:indent$}{label}  ", ""));
        indent + width + 2
    }

    /// A text on lines of its own.
    pub(super) fn paragraph(&mut self, text: &str, indent: usize) {
        self.text.push_str(&" ".repeat(indent));
        self.flow(text, indent, indent);
    }

    /// A text that begins at column `at`, where the line already is, and continues at `indent`.
    pub(super) fn flow(&mut self, text: &str, at: usize, indent: usize) {
        let width = self.view.style.width.max(indent + NARROWEST);
        let (first, others) = (" ".repeat(at), " ".repeat(indent));
        let options = textwrap::Options::new(width)
            .initial_indent(&first)
            .subsequent_indent(&others)
            .break_words(false)
            .word_splitter(textwrap::WordSplitter::NoHyphenation);
        let lines = textwrap::wrap(&inert::plain(text), options).join("\n");
        self.text.push_str(lines.get(at..).unwrap_or_default());
        self.text.push('\n');
    }
}

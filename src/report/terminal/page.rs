//! Lines of a terminal, wrapped where they may be.

use anstyle::Style as Ansi;

use crate::text::inert;

/// Less important text.
pub(super) const DIM: Ansi = Ansi::new().dimmed();

/// Columns of a label and the gap after it; the longest is `should be kept`.
pub(super) const LABEL: usize = 16;

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

/// What was audited.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    Groups,
    Changes,
}

/// The text so far. What comes from a report is made inert in its methods.
pub(super) struct Page {
    pub text: String,
    pub style: Style,
    pub about: About,
}

impl Page {
    pub(super) fn line(&mut self, line: &str) {
        self.text.push_str(&inert::plain(line));
        self.text.push('\n');
    }

    pub(super) fn paint(&self, text: &str, ansi: Ansi) -> String {
        let text = inert::plain(text);
        if self.style.colour { format!("{ansi}{text}{ansi:#}") } else { text }
    }

    /// A label and a text beside it.
    pub(super) fn wrapped(&mut self, label: &str, indent: usize, text: &str) {
        if !text.trim().is_empty() {
            self.label(label, indent);
            self.flow(text, indent + LABEL);
        }
    }

    pub(super) fn label(&mut self, label: &str, indent: usize) {
        let label = self.paint(&format!("{label:<0$}", LABEL - 2), DIM);
        self.text.push_str(&format!("{:indent$}{label}  ", ""));
    }

    /// A text that begins at column `indent`, where the line already is, and continues there.
    pub(super) fn flow(&mut self, text: &str, indent: usize) {
        let width = self.style.width.saturating_sub(indent).max(NARROWEST);
        let options = textwrap::Options::new(width)
            .break_words(false)
            .word_splitter(textwrap::WordSplitter::NoHyphenation);
        let lines = textwrap::wrap(&inert::plain(text), options).join(&format!("\n{:indent$}", ""));
        self.text.push_str(&lines);
        self.text.push('\n');
    }
}

//! Lines of a terminal, wrapped where they may be.

use anstyle::Style as Ansi;

use super::{DIM, Page};
use crate::text::inert;

/// Columns of a label and the gap after it; the longest is `should be kept`.
pub(super) const LABEL: usize = 16;

/// Texts are not wrapped narrower than this, however narrow the terminal is.
const NARROWEST: usize = 24;

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

    /// A text that begins at column `indent`, where the line already is, and goes on there.
    pub(super) fn flow(&mut self, text: &str, indent: usize) {
        let width = self.style.width.saturating_sub(indent).max(NARROWEST);
        let mut column = 0;
        for word in inert::plain(text).split(' ').filter(|word| !word.is_empty()) {
            let len = word.chars().count();
            if column > 0 && column + 1 + len > width {
                self.text.push_str(&format!("\n{:indent$}", ""));
                column = 0;
            } else if column > 0 {
                self.text.push(' ');
                column += 1;
            }
            self.text.push_str(word);
            column += len;
        }
        self.text.push('\n');
    }
}

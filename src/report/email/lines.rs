//! What a mail is made of.

use crate::finding::Finding;
use crate::report::console::console_url;
use crate::report::{fit, wording};
use crate::text::inert;

/// Where the words are explained.
pub(super) const HELP: &str = "What each finding means and what to do: docs/findings.md.";

/// The pages that mails name. Their names are no links, whoever writes them.
const PAGES: [&str; 4] = ["accounts", "findings", "settings", "sweep"];

/// Characters of a sentence or a list.
pub(super) const TEXT: usize = 600;
/// Bytes of a command; forty pieces with IPv6 blocks are about half of it.
const COMMAND: usize = 16 * 1024;

const NO_COMMAND: &str = "The command is too long for a mail, or has characters that a mail would spoil; the JSON on the topic has it.";

const NO_COMMAND_ANYWHERE: &str =
    "The command is too long for a mail, and perhaps for the JSON on the topic.";

/// Lines of a mail. Nothing gets in but through a method that makes it inert.
#[derive(Default)]
pub(super) struct Lines(pub(super) String);

impl Lines {
    pub(super) fn text(&mut self, text: &str, max: usize) {
        let text = PAGES.iter().fold(inert::for_mail(text.trim()), |text, page| {
            text.replace(&format!("docs/{page}[.]md"), &format!("docs/{page}.md"))
        });
        if !text.is_empty() {
            self.0.push_str(&inert::clip(&text, max));
            self.0.push('\n');
        }
    }

    pub(super) fn label(&mut self, label: &str, value: &str, max: usize) {
        if !value.trim().is_empty() {
            self.text(&format!("{label}: {value}"), max);
        }
    }

    /// Where an object is in S3. The names in it are checked.
    pub(super) fn object(&mut self, label: &str, address: &str) {
        self.0.push_str(&format!("{label}: {address}\n"));
    }

    /// A command has to be right to the letter or it must not be there at all.
    pub(super) fn command(&mut self, command: Option<&str>) {
        match command {
            Some(line) if line.len() <= COMMAND && inert::plain(line) == line => {
                self.0.push_str(&inert::command_for_mail(line));
                self.0.push('\n');
            }
            Some(line) if fit::may_leave_out(line) => self.text(NO_COMMAND_ANYWHERE, TEXT),
            Some(_) => self.text(NO_COMMAND, TEXT),
            None => {}
        }
    }

    /// The line for a baseline. Everything in it is checked: ids, ports and addresses.
    pub(super) fn exemption(&mut self, finding: &Finding) {
        if let Some(exemption) = finding.found_rule().and_then(|found| found.exemption.as_ref()) {
            self.text(&wording::tolerate(exemption), TEXT);
            self.0.push_str(&exemption.to_line());
            self.0.push('\n');
        }
    }

    /// The group's page in the console, where that is known.
    pub(super) fn link(&mut self, finding: &Finding) {
        if let Some(page) = console_url(finding) {
            self.0.push_str(&format!("Console: {page}\n"));
        }
    }

    /// The line between what a reader needs now and the details.
    pub(super) fn rule(&mut self) {
        self.gap();
        self.0.push_str("--\n");
    }

    /// Blocks, with an empty line before each but at the beginning of a section.
    pub(super) fn append(&mut self, blocks: &[Lines]) {
        for block in blocks {
            if !self.0.ends_with("--\n") {
                self.gap();
            }
            self.0.push_str(&block.0);
        }
    }

    /// An empty line between what is there and what follows.
    pub(super) fn gap(&mut self) {
        if !self.0.is_empty() && !self.0.ends_with("\n\n") {
            self.0.push('\n');
        }
    }

    pub(super) fn json_len(&self) -> usize {
        crate::report::fit::json_len(&self.0)
    }
}

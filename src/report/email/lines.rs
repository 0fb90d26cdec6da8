//! What a mail is made of.

use crate::evaluate::Severity;
use crate::event::ActorType;
use crate::finding::Finding;
use crate::report::console::console_url;
use crate::report::{fit, wording};
use crate::text::inert;

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
        let text = inert::for_mail(text.trim());
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

    /// What else may be wrong, where it was bad and a person's credentials did it.
    pub(super) fn if_not_you(&mut self, finding: &Finding, worst: Option<Severity>) {
        let Some((change, worst)) = finding.change.as_ref().zip(worst) else { return };
        let is_of_person = matches!(change.actor_type, ActorType::Person | ActorType::Root);
        if !is_of_person || worst < Severity::High {
            return;
        }
        let event = change.event_id.as_deref().filter(|id| !id.is_empty());
        let event = event.map_or_else(String::new, |id| format!(", from event {id} on"));
        self.text(
            &format!(
                "Not you or your team? These credentials may be stolen: see in CloudTrail what else \
                 they did{event}."
            ),
            TEXT,
        );
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

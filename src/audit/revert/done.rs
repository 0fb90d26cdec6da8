//! What became of a revert, in a word and in sentences.

use super::Order;
use crate::ec2::Rule;
use crate::finding::Outcome;
use crate::text::rule_text;

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// In one word.
    pub outcome: Outcome,
    /// In sentences.
    pub detail: String,
    /// The pieces that were added by this run.
    pub added: Vec<Rule>,
    /// The pieces that are in place: those, and the ones that were there already.
    pub placed: Vec<Rule>,
    /// Whether the rule is gone.
    pub gone: bool,
    /// Whether the group was at its limit of rules.
    pub full: bool,
}

impl Done {
    /// The rule is as it was.
    pub fn failed(detail: String) -> Self {
        Self {
            outcome: Outcome::Failed,
            detail,
            added: Vec::new(),
            placed: Vec::new(),
            gone: false,
            full: false,
        }
    }

    /// The rule is there, and these pieces beside it.
    pub(super) fn left(reason: &str, pieces: Pieces) -> Self {
        let detail = left(reason, &pieces);
        Self { added: pieces.added, placed: pieces.placed, ..Self::failed(detail) }
    }

    /// There was nothing to revoke.
    pub(super) fn already_gone(mut detail: String, order: &Order<'_>, pieces: Pieces) -> Self {
        let missing: Vec<String> = order
            .pieces
            .iter()
            .filter(|piece| pieces.placed.iter().all(|other| other.content() != piece.content()))
            .map(rule_text)
            .collect();
        if !missing.is_empty() {
            detail.push_str(&format!(
                " What the baseline admits of it was not added: {}. Add it by hand where it is needed.",
                missing.join("; ")
            ));
        }
        Self {
            outcome: Outcome::AlreadyGone,
            gone: true,
            added: pieces.added,
            placed: pieces.placed,
            ..Self::failed(detail)
        }
    }
}

/// What became of the pieces.
#[derive(Default)]
pub(super) struct Pieces {
    /// Added by this run.
    pub(super) added: Vec<Rule>,
    /// In place.
    pub(super) placed: Vec<Rule>,
    /// Those whose peer EC2 did not take.
    pub(super) refused: Vec<String>,
    /// Those that could not be added, each with the reason.
    pub(super) missing: Vec<String>,
}

/// The rule is gone, by this revert.
pub(super) fn finished(pieces: Pieces) -> Done {
    let mut detail = if pieces.placed.is_empty() {
        "The rule was revoked.".to_owned()
    } else {
        "The rule was revoked; what the baseline admits of it was put in its place.".to_owned()
    };
    if !pieces.refused.is_empty() {
        detail.push_str(&format!(" EC2 did not take the peer of: {}.", pieces.refused.join("; ")));
    }
    let outcome = if !pieces.missing.is_empty() {
        detail.push_str(&format!(
            " The baseline admits these too, and they could not be added: {}. Add them by hand.",
            pieces.missing.join("; ")
        ));
        Outcome::Failed
    } else if pieces.placed.is_empty() {
        Outcome::Reverted
    } else {
        Outcome::Narrowed
    };
    Done { outcome, detail, added: pieces.added, placed: pieces.placed, gone: true, full: false }
}

fn left(reason: &str, pieces: &Pieces) -> String {
    let mut detail = format!("The rule was not revoked: {reason}.");
    if !pieces.added.is_empty() {
        detail.push_str(&format!(
            " Added before that, within what the rule and the baseline admit: {}.",
            texts(&pieces.added)
        ));
    }
    detail
}

/// Why there was nothing to revoke of a rule that was read.
pub(super) fn gone_meanwhile(pieces: &Pieces) -> String {
    let mut detail =
        "The rule was there when it was read and gone when it was to be revoked: somebody else \
         removed or changed it in between, or this audit did in another run."
            .to_owned();
    if !pieces.added.is_empty() {
        detail.push_str(&format!(" What complies of it stays: {}.", texts(&pieces.added)));
    }
    detail
}

fn texts(rules: &[Rule]) -> String {
    rules.iter().map(rule_text).collect::<Vec<_>>().join("; ")
}

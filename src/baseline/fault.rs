//! What is wrong with a baseline, and where.

use std::fmt;
use std::io;

use strsim::levenshtein;
use thiserror::Error;

use super::shipped::SHIPPED;

/// The longest text that is read.
pub(super) const MAX_BYTES: usize = 1 << 20;

/// Why a baseline could not be read. The message has one line for each fault.
#[derive(Debug, Error)]
pub enum BaselineError {
    /// The text is not a valid baseline: `file:line: what is wrong; what to write instead`.
    #[error("{}", lines(file, faults))]
    Invalid {
        /// The name or the path, as it was given.
        file: String,
        /// Every fault, by line.
        faults: Vec<Fault>,
    },
    /// The name is neither a shipped baseline nor a file.
    #[error(
        "`{given}` is neither a shipped baseline nor a file; {}write {}, or the path of a YAML file",
        meant.as_ref().map(|name| format!("did you mean `{name}`? ")).unwrap_or_default(),
        SHIPPED.map(|(name, _)| name).join(", ")
    )]
    NotFound {
        /// The name or the path, as it was given.
        given: String,
        /// The shipped baseline with a similar name.
        meant: Option<String>,
    },
    /// The file exists but cannot be read.
    #[error("`{path}` cannot be read: {source}; write the path of a readable YAML file")]
    Unreadable {
        /// The path, as it was given.
        path: String,
        /// The error of the operating system.
        source: io::Error,
    },
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong; what to write instead.
    pub message: String,
}

impl Fault {
    /// The text is longer than [`MAX_BYTES`].
    pub(super) fn too_long() -> Self {
        let message = format!(
            "the file is longer than {} MiB; write fewer and wider entries",
            MAX_BYTES >> 20
        );
        Self { line: 1, message }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.line, self.message)
    }
}

fn lines(file: &str, faults: &[Fault]) -> String {
    faults.iter().map(|fault| format!("{file}:{fault}")).collect::<Vec<_>>().join("\n")
}

/// The known word that was probably meant by `word`: at most two letters are wrong, and fewer than
/// half of them.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        // Two letters have at most 8 bytes. Don't compare words whose lengths differ by more.
        .filter(|candidate| candidate.len().abs_diff(word.len()) <= 8)
        .map(|candidate| (levenshtein(word, candidate), candidate))
        .filter(|(wrong, candidate)| *wrong <= 2 && wrong.saturating_mul(2) < candidate.len())
        .min_by_key(|(wrong, _)| *wrong)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_similar_word_is_suggested() {
        let known = ["name", "ports", "peers"];
        assert_eq!(nearest("port", known), Some("ports"));
        assert_eq!(nearest("peer", known), Some("peers"));
        assert_eq!(nearest("description", known), None);
        assert_eq!(nearest("", known), None);
        assert_eq!(nearest("tpc", ["tcp"]), None);
    }
}

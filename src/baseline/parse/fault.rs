//! What is wrong with a baseline, and where.

use std::fmt;
use std::io;

use thiserror::Error;

use super::super::shipped::SHIPPED;
use super::MAX_BYTES;

/// Why there is no baseline. The text has one line for each fault.
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
    /// Neither a baseline that ships nor a file.
    #[error(
        "`{given}` is neither a shipped baseline nor a file; {}write {}, or the path of a YAML file",
        meant.as_ref().map(|name| format!("did you mean `{name}`? ")).unwrap_or_default(),
        SHIPPED.map(|(name, _)| name).join(", ")
    )]
    NotFound {
        /// The name or the path, as it was given.
        given: String,
        /// The shipped baseline whose name is nearest, if any is near.
        meant: Option<String>,
    },
    /// The file is there and cannot be read.
    #[error("`{path}` cannot be read: {source}; write the path of a YAML file that can")]
    Unreadable {
        /// The path, as it was given.
        path: String,
        /// What the operating system says.
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
    pub(in crate::baseline) fn too_long() -> Self {
        Self {
            line: 1,
            message: format!(
                "the file is longer than {} MiB; write fewer and wider entries",
                MAX_BYTES >> 20
            ),
        }
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

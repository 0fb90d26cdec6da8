//! The baselines that ship, and how a name or a path becomes one.

use std::fs::File;
use std::io::{self, Read};

use chrono::NaiveDate;

use super::Baseline;
use super::parse::{BaselineError, Fault, MAX_BYTES, nearest};

/// The baseline that is used where none is named.
pub const DEFAULT: &str = "standard";

/// Name and text of each baseline that ships.
pub const SHIPPED: [(&str, &str); 3] = [
    ("standard", include_str!("../../baselines/standard.yaml")),
    ("restricted-egress", include_str!("../../baselines/restricted-egress.yaml")),
    ("as-documented", include_str!("../../baselines/as-documented.yaml")),
];

/// The text of the shipped baseline of that name.
pub fn shipped(name: &str) -> Option<&'static str> {
    SHIPPED.iter().find(|(shipped, _)| *shipped == name).map(|(_, text)| *text)
}

impl Baseline {
    /// The shipped baseline of that name, else the one in the YAML file of that path. `today`
    /// decides how far ahead an exemption may end.
    pub fn load(name_or_path: &str, today: NaiveDate) -> Result<Self, BaselineError> {
        match shipped(name_or_path) {
            Some(text) => Self::parse(name_or_path, text, today),
            None => Self::parse(name_or_path, &read(name_or_path)?, today),
        }
    }
}

fn read(path: &str) -> Result<String, BaselineError> {
    let mut bytes = Vec::new();
    // One byte more than is allowed: enough to see that it is too much, however long the file is.
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    File::open(path)
        .and_then(|file| file.take(limit).read_to_end(&mut bytes))
        .map_err(|error| unreadable(path, error))?;
    if bytes.len() > MAX_BYTES {
        return Err(BaselineError::Invalid {
            file: path.to_owned(),
            faults: vec![Fault::too_long()],
        });
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let line = good.iter().filter(|byte| **byte == b'\n').count().saturating_add(1);
        let message = "this is not UTF-8; save the file as UTF-8".to_owned();
        BaselineError::Invalid { file: path.to_owned(), faults: vec![Fault { line, message }] }
    })
}

fn unreadable(path: &str, source: io::Error) -> BaselineError {
    if source.kind() != io::ErrorKind::NotFound {
        return BaselineError::Unreadable { path: path.to_owned(), source };
    }
    // What has a dot or a slash in it was meant as a path.
    let meant = if path.contains(['.', '/', '\\']) {
        None
    } else {
        nearest(path, SHIPPED.iter().map(|(name, _)| *name))
    };
    BaselineError::NotFound { given: path.to_owned(), meant: meant.map(str::to_owned) }
}

#[cfg(test)]
mod tests;

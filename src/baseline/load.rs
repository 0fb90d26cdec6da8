//! Reads a shipped baseline or a file.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path};

use chrono::NaiveDate;

use super::fault::{BaselineError, Fault, MAX_BYTES, nearest};
use super::model::Baseline;
use super::shipped::{SHIPPED, shipped};
use crate::text::{in_backticks, unpacked};

impl Baseline {
    /// Reads the shipped baseline with this name, or else the YAML file with this path. An exemption
    /// may end at most a year after `today`.
    ///
    /// ```
    /// use chrono::NaiveDate;
    /// use typo3_sg_auditor::baseline::Baseline;
    ///
    /// let today = NaiveDate::from_ymd_opt(2026, 11, 23).unwrap_or_default();
    /// let baseline = Baseline::load("standard", today)?;
    /// assert_eq!(baseline.name, "standard");
    /// assert!(baseline.ssh_ports.contains(22));
    ///
    /// let error = Baseline::load("standrad", today).unwrap_err().to_string();
    /// assert!(error.contains("did you mean `standard`?"));
    /// # Ok::<(), typo3_sg_auditor::baseline::BaselineError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When there is no such file, when it cannot be read, and when it is not a valid baseline.
    pub fn load(name_or_path: &str, today: NaiveDate) -> Result<Self, BaselineError> {
        match shipped(name_or_path) {
            Some(text) => Self::parse(name_or_path, text, today),
            None => {
                let beside = |path: &str| beside(name_or_path, path);
                Self::parse_beside(name_or_path, &read(name_or_path)?, today, &beside)
            }
        }
    }
}

/// Reads a file that a binding of the file `of` names. It has to be in the same folder, or in one
/// inside it.
fn beside(of: &str, path: &str) -> Result<(String, String), String> {
    let folder = match Path::new(of).parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let outside = || {
        format!(
            "{} is not in the folder of this file; write the path of a file in it, such as \
             dev/servers.yaml",
            in_backticks(path)
        )
    };
    let is_inside = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    if !Path::new(path).components().all(is_inside) {
        return Err(outside());
    }
    let joined = folder.join(path);
    // A link may lead out of it.
    if let (Ok(folder), Ok(file)) = (folder.canonicalize(), joined.canonicalize())
        && !file.starts_with(folder)
    {
        return Err(outside());
    }
    let name = joined.display().to_string();
    let text = read(&name).map_err(|error| match error {
        BaselineError::NotFound { .. } => {
            format!("there is no file {}; write the path of one", in_backticks(&name))
        }
        error => error.to_string(),
    })?;
    Ok((name, text))
}

fn read(path: &str) -> Result<String, BaselineError> {
    let invalid = |fault| BaselineError::Invalid { file: path.to_owned(), faults: vec![fault] };
    let mut bytes = Vec::new();
    // One byte over the limit is enough to see that a file is too long.
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let bytes = File::open(path)
        .and_then(|file| file.take(limit).read_to_end(&mut bytes))
        .and_then(|_| unpacked(bytes, limit))
        .map_err(|error| unreadable(path, error))?;
    if bytes.len() > MAX_BYTES {
        return Err(invalid(Fault::too_long()));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let line = good.iter().filter(|byte| **byte == b'\n').count().saturating_add(1);
        invalid(Fault { line, message: "this is not UTF-8; save the file as UTF-8".to_owned() })
    })
}

fn unreadable(path: &str, source: io::Error) -> BaselineError {
    if source.kind() != io::ErrorKind::NotFound {
        return BaselineError::Unreadable { path: path.to_owned(), source };
    }
    // A text with a dot or a slash is meant as a path.
    let meant = if path.contains(['.', '/', '\\']) {
        None
    } else {
        nearest(path, SHIPPED.map(|(name, _)| name))
    };
    BaselineError::NotFound { given: path.to_owned(), meant: meant.map(str::to_owned) }
}

#[cfg(test)]
mod tests;

//! Reads a [`Baseline`] from YAML.
//!
//! A baseline decides which rules are removed, so nothing in it is guessed. Whatever is not
//! understood is a fault, with its line and what to write instead. All faults are reported at once,
//! unless the text is not YAML: then the first fault hides those after it.

mod bindings;
mod body;
mod document;
mod entries;
mod fields;
mod values;
mod yaml;

use chrono::NaiveDate;

pub use body::SSH_PORT;
pub use values::{parse_peers, parse_ports};

use super::fault::BaselineError;
use super::model::Baseline;
use crate::text::in_backticks;
use bindings::{Beside, Bindings};
use document::document;
use fields::Faults;

impl Baseline {
    /// Reads a baseline. Errors call it `file`. An exemption may end at most a year after `today`.
    ///
    /// ```
    /// use chrono::NaiveDate;
    /// use typo3_sg_auditor::baseline::Baseline;
    ///
    /// let today = NaiveDate::from_ymd_opt(2026, 11, 23).unwrap_or_default();
    /// let text = "\
    /// version: 1
    /// name: our-site
    /// ingress:
    ///   - { name: HTTPS, protocol: tcp, ports: [443], peers: [anywhere], expected: true }
    /// egress: []
    /// ";
    /// let baseline = Baseline::parse("our-site.yaml", text, today)?;
    /// assert_eq!(baseline.ingress[0].name, "HTTPS");
    ///
    /// let text = text.replace("443", "99999");
    /// let error = Baseline::parse("our-site.yaml", &text, today).unwrap_err();
    /// let message = "port `99999` is out of range; write numbers from 0 to 65535";
    /// assert_eq!(error.to_string(), format!("our-site.yaml:4: {message}"));
    /// # Ok::<(), typo3_sg_auditor::baseline::BaselineError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`BaselineError::Invalid`] with every fault.
    pub fn parse(file: &str, text: &str, today: NaiveDate) -> Result<Self, BaselineError> {
        Self::parse_beside(file, text, today, &|path| {
            let path = in_backticks(path);
            Err(format!("{path} cannot be read from here; write the entries under `baselines`"))
        })
    }

    /// The same. `beside` reads the files that its bindings name.
    pub(super) fn parse_beside(
        file: &str,
        text: &str,
        today: NaiveDate,
        beside: Beside<'_>,
    ) -> Result<Self, BaselineError> {
        let mut faults = Faults::default();
        let baseline = document(text, today, &mut faults, |mut base, fields, faults| {
            let mut bindings = Bindings { faults, file, base: &base, beside, today };
            base.bindings = bindings.read(fields);
            base
        });
        let mut faults = faults.0;
        match baseline {
            Some(baseline) if faults.is_empty() => Ok(baseline),
            _ => {
                faults.sort_by_key(|fault| fault.line);
                Err(BaselineError::Invalid { file: file.to_owned(), faults })
            }
        }
    }
}

#[cfg(test)]
mod tests;

//! Settings from options.

use chrono::NaiveDate;

use super::args::{AuditOptions, BaselineOptions, CheckArgs, Format};
use super::error::CliError;
use crate::audit::Units;
use crate::settings::{Names, RawSettings, Settings};

impl From<&BaselineOptions> for RawSettings {
    fn from(options: &BaselineOptions) -> Self {
        Self {
            baseline: options.baseline.clone(),
            ssh_sources: list(&options.ssh_source),
            web_ports: list(&options.web_port),
            ..Self::new(Names::COMMAND_LINE)
        }
    }
}

/// The values of an option that can be repeated.
fn list(values: &[String]) -> Option<String> {
    (!values.is_empty()).then(|| values.join(","))
}

/// A note for each setting that is accepted and may still surprise.
pub(super) fn warnings(settings: &Settings) -> impl Iterator<Item = String> {
    settings.warnings().into_iter().map(|warning| format!("warning: {warning}"))
}

/// Refuses `--summary` in a format that has its own.
pub(super) fn refuse_summary(options: &AuditOptions) -> Result<(), CliError> {
    match options.format {
        Format::Text => Ok(()),
        _ if options.summary => Err(CliError::SummaryOfText),
        _ => Ok(()),
    }
}

/// Refuses `--format sarif` of groups that are in no file.
pub(super) fn refuse_sarif(options: &AuditOptions) -> Result<(), CliError> {
    match options.format {
        Format::Sarif => Err(CliError::Sarif),
        _ => Ok(()),
    }
}

/// The settings of an audit. Only `invoke` has the option `sweep_remediation`.
pub(super) fn resolve(
    options: &AuditOptions,
    sweep_remediation: Option<String>,
    today: NaiveDate,
) -> Result<Settings, CliError> {
    let raw = RawSettings {
        scope: options.scope.clone(),
        remediation: options.remediation.clone(),
        sweep_remediation,
        revert_keeps: options.revert_keeps.clone(),
        ..RawSettings::from(&options.baseline)
    };
    Ok(Settings::from_raw(&raw, today)?)
}

/// The account and the units of the options. They are refused where they would decide nothing.
pub(super) fn units(args: &CheckArgs, settings: &Settings) -> Result<Units, CliError> {
    let CheckArgs { owner, ou, .. } = args;
    if settings.bound.is_empty() && (owner.is_some() || !ou.is_empty()) {
        return Err(CliError::NoBindings);
    }
    Ok(Units::given(ou, owner.clone()))
}

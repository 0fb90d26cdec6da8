//! Options, raw, to settings.

use chrono::NaiveDate;

use super::CliError;
use super::args::{Common, Policy};
use crate::settings::{Names, RawSettings, Settings};

/// What a list of options is to the settings; `None` where there is no such option.
fn list(values: &[String]) -> Option<String> {
    (!values.is_empty()).then(|| values.join(","))
}

pub(super) fn raw(policy: &Policy) -> RawSettings {
    RawSettings {
        baseline: policy.baseline.clone(),
        ssh_sources: list(&policy.ssh_source),
        web_ports: list(&policy.web_port),
        ..RawSettings::new(Names::COMMAND_LINE)
    }
}

/// The settings of a check.
pub(super) fn resolve(common: &Common, today: NaiveDate) -> Result<Settings, CliError> {
    resolve_sweeping(common, None, today)
}

/// The settings of events, with what is done about what a sweep finds.
pub(super) fn resolve_sweeping(
    common: &Common,
    sweep_remediation: Option<&str>,
    today: NaiveDate,
) -> Result<Settings, CliError> {
    let raw = RawSettings {
        sweep_remediation: sweep_remediation.map(ToOwned::to_owned),
        scope: common.scope.clone(),
        remediation: common.remediation.clone(),
        revert_keeps: common.revert_keeps.clone(),
        ..raw(&common.policy)
    };
    Ok(Settings::from_raw(&raw, today)?)
}

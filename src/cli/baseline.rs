//! `sg-audit baseline`: prints and validates baselines.

use chrono::NaiveDate;

use super::args::{BaselineArgs, ShowArgs};
use super::error::CliError;
use super::output::Answer;
use crate::baseline::{Baseline, DEFAULT, Exemption, Lists};
use crate::evaluate::admits_wide_ssh;
use crate::settings::{Names, RawSettings, Settings};
use crate::text::{count, inert};

/// Here the baseline is an argument, not an option.
pub(super) const NAMES: Names = Names { baseline: "the baseline", ..Names::COMMAND_LINE };

/// Prints the baseline as it is in effect.
pub(super) fn show(args: &ShowArgs, today: NaiveDate) -> Result<Answer, CliError> {
    let settings = in_effect(&args.baseline, today)?;
    let out = match &args.binding {
        None => settings.baseline.to_yaml(),
        Some(name) => {
            let of_name = settings.bound.iter().find(|bound| bound.name() == name);
            let bound = of_name.ok_or_else(|| CliError::NoBinding {
                name: name.clone(),
                known: settings.bound.iter().map(|bound| bound.name().to_owned()).collect(),
            })?;
            bound.settings.baseline.to_yaml()
        }
    };
    Ok(Answer { out, ..Answer::default() })
}

/// Prints what a valid baseline contains, or every fault.
pub(super) fn validate(args: &BaselineArgs, today: NaiveDate) -> Result<Answer, CliError> {
    // Load the file alone first: then each fault begins with file and line, which editors link.
    let mut baseline = Baseline::load(name(args), today)?;
    let has_options = !args.options.ssh_source.is_empty() || !args.options.web_port.is_empty();
    if has_options || !baseline.bindings.is_empty() {
        baseline = in_effect(args, today)?.baseline;
    }
    let mut counts = vec![
        entries(baseline.ingress.len(), "ingress"),
        entries(baseline.egress.len(), "egress"),
        some(baseline.peer_sets.len(), "peer set"),
        some(baseline.exemptions.len(), "exemption"),
    ];
    if !baseline.bindings.is_empty() {
        counts.push(count(baseline.bindings.len(), "binding"));
    }
    let out = format!("{}: valid ({})\n", inert::plain(name(args)), counts.join(", "));
    let mut notes = Vec::new();
    if admits_wide_ssh(&baseline, &Lists::new(), today) {
        notes.push(
            "note: this baseline lets the Internet reach SSH, which fails the checks of CIS and \
             Security Hub: name the addresses that need SSH as SSH sources"
                .to_owned(),
        );
    }
    notes.extend(baseline.ending(today).map(|exemption| ending(exemption, today)));
    Ok(Answer { out, notes, status: 0 })
}

pub(super) fn name(args: &BaselineArgs) -> &str {
    args.name.as_deref().or(args.options.baseline.as_deref()).unwrap_or(DEFAULT)
}

/// The settings with the SSH sources and web ports of the options.
fn in_effect(args: &BaselineArgs, today: NaiveDate) -> Result<Settings, CliError> {
    let baseline = Some(name(args).to_owned());
    let raw = RawSettings { names: NAMES, baseline, ..RawSettings::from(&args.options) };
    Ok(Settings::from_raw(&raw, today)?)
}

/// The note about an exemption that has expired or ends soon.
fn ending(exemption: &Exemption, today: NaiveDate) -> String {
    let Exemption { group, until, reason, .. } = exemption;
    let reason = inert::plain(reason);
    if exemption.is_active(today) {
        let when = match until.signed_duration_since(today).num_days() {
            0 => "today".to_owned(),
            1 => "tomorrow".to_owned(),
            days => format!("in {days} days"),
        };
        format!(
            "note: an exemption for {group} ends {when}, on {until} ({reason}): close what it allows \
             by then, or write a later day"
        )
    } else {
        format!(
            "note: an exemption for {group} has expired; its last day was {until} ({reason}): remove \
             it, or write a later day"
        )
    }
}

/// `1 ingress entry`, `2 ingress entries`
fn entries(n: usize, direction: &str) -> String {
    let noun = if n == 1 { "entry" } else { "entries" };
    if n == 0 { format!("no {direction} {noun}") } else { format!("{n} {direction} {noun}") }
}

/// `no exemptions`, `1 exemption`
fn some(n: usize, noun: &str) -> String {
    if n == 0 { format!("no {noun}s") } else { count(n, noun) }
}

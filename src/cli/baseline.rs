//! `sg-audit baseline`: what groups are held against.

use chrono::NaiveDate;

use super::args::BaselineArgs;
use super::settings::raw;
use super::{Answer, CliError};
use crate::baseline::{Baseline, DEFAULT, Exemption, Lists};
use crate::evaluate::open_ssh_in_baseline;
use crate::settings::{Names, RawSettings, Settings};
use crate::text::inert;

/// What messages call the baseline, which is no option here.
const NAMES: Names = Names { baseline: "the baseline", ..Names::COMMAND_LINE };

fn given(args: &BaselineArgs) -> &str {
    args.name.as_deref().or(args.policy.baseline.as_deref()).unwrap_or(DEFAULT)
}

/// The baseline as it is in effect.
fn effective(args: &BaselineArgs, today: NaiveDate) -> Result<Baseline, CliError> {
    let baseline = Some(given(args).to_owned());
    let raw = RawSettings { names: NAMES, baseline, ..raw(&args.policy) };
    Ok(Settings::from_raw(&raw, today)?.baseline)
}

/// Prints the baseline as it is in effect.
pub(super) fn show(args: &BaselineArgs, today: NaiveDate) -> Result<Answer, CliError> {
    let out = effective(args, today)?.to_yaml();
    Ok(Answer { out, ..Answer::default() })
}

/// Says that the baseline is valid and what is in it, or everything that is wrong with it.
pub(super) fn validate(args: &BaselineArgs, today: NaiveDate) -> Result<Answer, CliError> {
    // Read by itself, its faults begin with file and line, which editors take for a link.
    let mut baseline = Baseline::load(given(args), today)?;
    if !args.policy.ssh_source.is_empty() || !args.policy.web_port.is_empty() {
        baseline = effective(args, today)?;
    }
    let counts = [
        count(baseline.ingress.len(), "ingress entry", "ingress entries"),
        count(baseline.egress.len(), "egress entry", "egress entries"),
        count(baseline.peer_sets.len(), "peer set", "peer sets"),
        count(baseline.exemptions.len(), "exemption", "exemptions"),
    ];
    let out = format!("{}: valid ({})\n", inert::plain(given(args)), counts.join(", "));
    let mut notes = Vec::new();
    if open_ssh_in_baseline(&baseline, &Lists::new(), today) {
        notes.push(
            "note: this baseline lets the Internet reach SSH, which CIS and Security Hub fail: \
             name the addresses that need SSH as SSH sources"
                .to_owned(),
        );
    }
    notes.extend(baseline.ending(today).map(|exemption| ending(exemption, today)));
    Ok(Answer { out, notes, status: 0 })
}

/// That an exemption is over, or will be soon.
fn ending(exemption: &Exemption, today: NaiveDate) -> String {
    let Exemption { group, until, reason, .. } = exemption;
    let (group, reason) = (inert::plain(group), inert::plain(reason));
    if exemption.is_active(today) {
        let days = until.signed_duration_since(today).num_days();
        let left = match days {
            0 => "today".to_owned(),
            1 => "tomorrow".to_owned(),
            days => format!("in {days} days"),
        };
        format!(
            "note: an exemption of {group} ends {left}, on {until} ({reason}): close what it is for \
             by then, or write a later day"
        )
    } else {
        format!(
            "note: an exemption of {group} has expired, its last day was {until} ({reason}): take it \
             out, or write a later day"
        )
    }
}

fn count(number: usize, one: &str, many: &str) -> String {
    match number {
        0 => format!("no {many}"),
        1 => format!("1 {one}"),
        number => format!("{number} {many}"),
    }
}

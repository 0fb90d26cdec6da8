//! Validated settings.

use std::borrow::Cow;
use std::str::FromStr;

use chrono::NaiveDate;
use strum::VariantNames;
use thiserror::Error;

use super::raw::RawSettings;
use crate::baseline::{
    Baseline, BaselineError, BaselinePeer, DEFAULT, SSH_SOURCES, parse_peers, parse_ports,
};
use crate::ec2::{AccountId, Direction, Scope};
use crate::net::IntervalSet;
use crate::text::in_backticks;

/// The baseline, the groups to audit, and what to do with findings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The baseline, with the SSH sources and web ports of the settings.
    pub baseline: Baseline,
    /// The groups to audit.
    pub scope: Scope,
    /// What happens with findings of a change.
    pub remediation: Remediation,
    /// What a revert leaves of a rule.
    pub revert_keeps: RevertKeeps,
    /// What happens with findings of the sweep.
    pub sweep_remediation: Remediation,
    /// How many hours a hold may last. 0 means that holds are not allowed.
    pub hold_max_hours: u32,
}

/// The default of [`Settings::hold_max_hours`].
pub const HOLD_MAX_HOURS: u32 = 24;

/// The highest value of [`Settings::hold_max_hours`]: a month. Anything longer needs an exemption.
pub const HOLD_LONGEST_HOURS: u32 = 31 * 24;

/// What happens with a finding.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    strum::Display,
    strum::EnumString,
    strum::VariantNames,
)]
#[strum(serialize_all = "kebab-case")]
pub enum Remediation {
    /// It is published.
    #[default]
    Notify,
    /// Rules with open SSH are reverted, and the finding is published.
    RevertSsh,
    /// Ingress rules that admit public addresses beyond the baseline are reverted, and the finding is
    /// published.
    RevertIngress,
}

impl Remediation {
    /// Whether it changes groups.
    pub fn reverts(self) -> bool {
        self != Self::Notify
    }
}

/// More rules than this are not put in a reverted rule's place. A group holds 60 rules by default,
/// and a person has to be able to read what was done.
pub const MAX_PIECES: usize = 40;

/// What a revert leaves of a rule.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    strum::Display,
    strum::EnumString,
    strum::VariantNames,
)]
#[strum(serialize_all = "kebab-case")]
pub enum RevertKeeps {
    /// The part that the baseline admits.
    #[default]
    Baseline,
    /// Nothing.
    Nothing,
}

/// Why the settings are not valid. The message has one line for each fault.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}", faults.join("\n"))]
pub struct SettingsError {
    /// Every fault: the variable or the option, its value, and what to write.
    pub faults: Vec<String>,
}

impl Settings {
    /// Reads and checks the settings. An exemption may end at most a year after `today`.
    ///
    /// # Errors
    ///
    /// When a value is not valid, or when SSH sources or the scope are not set and something would
    /// be reverted.
    pub fn from_raw(raw: &RawSettings, today: NaiveDate) -> Result<Self, SettingsError> {
        let mut faults = Vec::new();
        let settings = Self::resolve(raw, today, &mut faults);
        settings.ok_or(SettingsError { faults })
    }

    /// The settings for the groups of an account; see [`Baseline::of_account`].
    #[must_use]
    pub fn of_account(&self, account: Option<&AccountId>) -> Cow<'_, Self> {
        match account {
            // What an exemption names counts as well, whenever it ends.
            Some(account) if self.baseline.names(account, NaiveDate::MIN) => {
                let baseline = self.baseline.clone().of_account(Some(account));
                Cow::Owned(Self { baseline, ..self.clone() })
            }
            _ => Cow::Borrowed(self),
        }
    }

    /// The settings if they have no fault. Adds faults to `faults`.
    pub(super) fn resolve(
        raw: &RawSettings,
        today: NaiveDate,
        faults: &mut Vec<String>,
    ) -> Option<Self> {
        let before = faults.len();
        let names = raw.names;
        let baseline = baseline(raw, today, faults);
        let scope = match set(&raw.scope) {
            Some(text) => scope(names.scope, text, faults),
            None => Some(Scope::All),
        };
        let change: Option<Remediation> = choice(names.remediation, &raw.remediation, faults);
        let sweep: Option<Remediation> =
            choice(names.sweep_remediation, &raw.sweep_remediation, faults);
        let revert_keeps = choice(names.revert_keeps, &raw.revert_keeps, faults);
        let reverting = [(names.remediation, change), (names.sweep_remediation, sweep)]
            .into_iter()
            .find_map(|(name, value)| Some((name, value.filter(|value| value.reverts())?)));
        let hold_max_hours = hours(names.hold_max_hours, &raw.hold_max_hours, faults);
        if let Some((name, value)) = reverting {
            let written = [
                (names.ssh_sources, &raw.ssh_sources, "who may use SSH, or none for nobody"),
                (names.scope, &raw.scope, "all, or tag:KEY=VALUE"),
            ];
            for (missing, _, write) in written.iter().filter(|(_, text, _)| set(text).is_none()) {
                faults.push(format!(
                    "{missing} is required because {name} is `{value}`: write {write}"
                ));
            }
        }
        if let (Some((name, value)), Some(sources)) =
            (reverting, baseline.as_ref().and_then(too_many_sources))
        {
            faults.push(format!(
                "{}: {sources} SSH sources are more than the {MAX_PIECES} rules that a revert puts \
                 back, and {name} is `{value}`: write fewer and wider blocks, or use a prefix list",
                names.ssh_sources
            ));
        }
        if faults.len() > before {
            return None;
        }
        Some(Self {
            baseline: baseline?,
            scope: scope?,
            remediation: change?,
            revert_keeps: revert_keeps?,
            sweep_remediation: sweep?,
            hold_max_hours: hold_max_hours?,
        })
    }
}

impl Settings {
    /// What is accepted and may still surprise, each as a sentence.
    pub fn warnings(&self) -> Vec<String> {
        let sources = too_many_sources(&self.baseline).map(|sources| {
            format!(
                "{sources} SSH sources are more than the {MAX_PIECES} rules that a revert puts back, \
                 so reverts cannot be switched on with them"
            )
        });
        sources.into_iter().collect()
    }
}

/// How many SSH sources there are, if they are more than a revert puts back.
fn too_many_sources(baseline: &Baseline) -> Option<usize> {
    let sources = baseline.peer_sets.get(SSH_SOURCES).map_or(0, Vec::len);
    (sources > MAX_PIECES && baseline.uses_ssh_sources()).then_some(sources)
}

/// The text of a setting. An empty text counts as not set, because a deployment cannot leave a
/// variable out.
pub(super) fn set(text: &Option<String>) -> Option<&str> {
    text.as_deref().map(str::trim).filter(|text| !text.is_empty())
}

/// The baseline with the SSH sources and web ports of the settings.
fn baseline(raw: &RawSettings, today: NaiveDate, faults: &mut Vec<String>) -> Option<Baseline> {
    let names = raw.names;
    let loaded = match Baseline::load(set(&raw.baseline).unwrap_or(DEFAULT), today) {
        Ok(baseline) => Some(baseline),
        Err(BaselineError::Invalid { file, faults: all }) => {
            faults.extend(all.iter().map(|fault| format!("{}: {file}:{fault}", names.baseline)));
            None
        }
        Err(error) => {
            faults.push(format!("{}: {error}", names.baseline));
            None
        }
    };
    let sources: Option<Vec<BaselinePeer>> =
        set(&raw.ssh_sources).and_then(|text| list(names.ssh_sources, parse_peers(text), faults));
    let web: Option<IntervalSet<u16>> =
        set(&raw.web_ports).and_then(|text| list(names.web_ports, parse_ports(text), faults));
    let mut baseline = loaded?;
    if let Some(sources) = sources {
        if !sources.is_empty() && !baseline.uses_ssh_sources() {
            faults.push(format!(
                "{} has no effect: no ingress entry of the baseline {} names the peer set \
                 `{SSH_SOURCES}`; name it in an entry such as `{{ name: SSH, protocol: tcp, ports: \
                 [22], peers: [{SSH_SOURCES}] }}`, or leave the setting out",
                names.ssh_sources,
                in_backticks(&baseline.name)
            ));
        }
        baseline = baseline.with_ssh_sources(sources);
    }
    if let Some(web) = web {
        baseline = match baseline.with_web_ports(&web) {
            Ok(baseline) => baseline,
            Err(fault) => {
                faults.push(format!("{}: {fault}", names.web_ports));
                return None;
            }
        };
    }
    // The file was within the limit, so one of the settings is the reason.
    let reason = set(&raw.ssh_sources).map_or(names.web_ports, |_| names.ssh_sources);
    for direction in Direction::BOTH {
        let fault = baseline.too_fragmented(direction);
        faults.extend(fault.map(|fault| format!("{reason}: with it, {fault}")));
    }
    Some(baseline)
}

/// The value of a list. Its faults get the name of the setting.
fn list<T>(name: &str, read: Result<T, Vec<String>>, faults: &mut Vec<String>) -> Option<T> {
    read.map_err(|all| faults.extend(all.iter().map(|fault| format!("{name}: {fault}")))).ok()
}

fn scope(name: &str, text: &str, faults: &mut Vec<String>) -> Option<Scope> {
    if text == "all" {
        return Some(Scope::All);
    }
    let tag = text.strip_prefix("tag:").and_then(|tag| tag.split_once('='));
    if let Some((key, value)) = tag
        && !key.is_empty()
    {
        return Some(Scope::Tag { key: key.to_owned(), value: value.to_owned() });
    }
    faults.push(format!("{name} is {}: write all, or tag:KEY=VALUE", in_backticks(text)));
    None
}

/// How many hours a hold may last.
fn hours(name: &str, text: &Option<String>, faults: &mut Vec<String>) -> Option<u32> {
    let Some(text) = set(text) else { return Some(HOLD_MAX_HOURS) };
    let hours = text.parse().ok().filter(|hours| *hours <= HOLD_LONGEST_HOURS);
    if hours.is_none() {
        faults.push(format!(
            "{name} is {}: write whole hours from 0 (no holds) to {HOLD_LONGEST_HOURS}",
            in_backticks(text)
        ));
    }
    hours
}

/// One of the words of an enum.
fn choice<T: Default + FromStr + VariantNames>(
    name: &str,
    text: &Option<String>,
    faults: &mut Vec<String>,
) -> Option<T> {
    let Some(text) = set(text) else { return Some(T::default()) };
    let found = text.parse().ok();
    if found.is_none() {
        let write = match T::VARIANTS {
            [words @ .., last] => format!("{} or {last}", words.join(", ")),
            [] => String::new(),
        };
        faults.push(format!("{name} is {}: write {write}", in_backticks(text)));
    }
    found
}

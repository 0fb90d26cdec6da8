//! Settings: raw, as the environment or the command line has them, to resolved.
//!
//! They are read once, at the start. What is wrong is named all at once, in the words of whoever set
//! it: a variable by its name, an option by its flag.

mod function;
mod raw;

use chrono::NaiveDate;
use thiserror::Error;

pub use function::{FunctionSettings, MemberRole};
pub use raw::{Names, RawSettings};

use crate::baseline::{
    Baseline, BaselineError, BaselinePeer, DEFAULT, parse_peers, parse_ports, quote,
};
use crate::ec2::Direction;
use crate::net::IntervalSet;

/// What to audit by, what to audit, and what to do about what is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The baseline, with the SSH sources and the web ports that are set.
    pub baseline: Baseline,
    /// The groups that are audited.
    pub scope: Scope,
    /// What becomes of what a change introduced.
    pub remediation: Remediation,
    /// What a revert leaves of a rule.
    pub revert_keeps: RevertKeeps,
    /// What becomes of what the sweep finds.
    pub sweep_remediation: Remediation,
    /// How many hours ahead a hold may end; 0 where there are no holds.
    pub hold_max_hours: u32,
}

/// How many hours a hold may last where nothing is said.
pub const HOLD_MAX_HOURS: u32 = 24;

/// What is open for longer than a month is not temporary: that is what exemptions are for.
pub const HOLD_LONGEST_HOURS: u32 = 31 * 24;

/// Which groups are audited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every group.
    All,
    /// The groups with this tag.
    Tag {
        /// Its key.
        key: String,
        /// Its value.
        value: String,
    },
}

/// What becomes of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Remediation {
    /// It is published.
    Notify,
    /// Rules with open SSH are reverted, and it is published.
    RevertSsh,
    /// Ingress rules that admit public addresses beyond the baseline are reverted, and it is
    /// published.
    RevertIngress,
}

impl Remediation {
    /// Whether it changes groups.
    pub fn reverts(self) -> bool {
        self != Self::Notify
    }

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Notify => "notify",
            Self::RevertSsh => "revert-ssh",
            Self::RevertIngress => "revert-ingress",
        }
    }
}

/// What a revert leaves of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevertKeeps {
    /// What the baseline admits of it.
    Baseline,
    /// Nothing.
    Nothing,
}

impl RevertKeeps {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Nothing => "nothing",
        }
    }
}

/// Why there are no settings. The text has one line for each fault.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}", faults.join("\n"))]
pub struct SettingsError {
    /// Every fault: the variable or the option, its value, and what to write.
    pub faults: Vec<String>,
}

impl Settings {
    /// Resolves what is set. `today` decides how far ahead an exemption may end.
    pub fn from_raw(raw: &RawSettings, today: NaiveDate) -> Result<Self, SettingsError> {
        let mut faults = Vec::new();
        let settings = Self::resolve(raw, today, &mut faults);
        settings.ok_or(SettingsError { faults })
    }

    /// The settings as the groups of an account see them.
    #[must_use]
    pub fn of_account(&self, account: Option<&str>) -> Self {
        let mut settings = self.clone();
        settings.baseline = settings.baseline.of_account(account);
        settings
    }

    /// The settings, if there is no fault.
    fn resolve(raw: &RawSettings, today: NaiveDate, faults: &mut Vec<String>) -> Option<Self> {
        let before = faults.len();
        let names = raw.names;
        let baseline = baseline(raw, today, faults);
        let scope = match set(&raw.scope) {
            Some(text) => scope(names.scope, text, faults),
            None => Some(Scope::All),
        };
        const REMEDIATIONS: [Remediation; 3] =
            [Remediation::Notify, Remediation::RevertSsh, Remediation::RevertIngress];
        let (write, default) = ("notify, revert-ssh or revert-ingress", Remediation::Notify);
        let mut remediation = |name, text| {
            choice(name, text, REMEDIATIONS, Remediation::as_str, write, default, faults)
        };
        let change = remediation(names.remediation, &raw.remediation);
        let sweep = remediation(names.sweep_remediation, &raw.sweep_remediation);
        let revert_keeps = choice(
            names.revert_keeps,
            &raw.revert_keeps,
            [RevertKeeps::Baseline, RevertKeeps::Nothing],
            RevertKeeps::as_str,
            "baseline or nothing",
            RevertKeeps::Baseline,
            faults,
        );
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
                let value = value.as_str();
                faults
                    .push(format!("{missing} is missing, and {name} is `{value}`: write {write}"));
            }
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

/// What is set: an empty text is not, because a deployment has no other way to leave one out.
fn set(text: &Option<String>) -> Option<&str> {
    text.as_deref().map(str::trim).filter(|text| !text.is_empty())
}

/// The baseline as it is in effect.
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
    // The file alone was not, so it is what was put in.
    let put_in = set(&raw.ssh_sources).map_or(names.web_ports, |_| names.ssh_sources);
    for direction in [Direction::Ingress, Direction::Egress] {
        let grown = baseline.too_fragmented(direction);
        faults.extend(grown.map(|fault| format!("{put_in}: with it {fault}")));
    }
    Some(baseline)
}

/// What a list was read as; its faults get the name of the variable.
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
    faults.push(format!("{name} is {}: write all, or tag:KEY=VALUE", quote(text)));
    None
}

/// How long a hold may last.
fn hours(name: &str, text: &Option<String>, faults: &mut Vec<String>) -> Option<u32> {
    let Some(text) = set(text) else { return Some(HOLD_MAX_HOURS) };
    let hours = text.parse().ok().filter(|hours| *hours <= HOLD_LONGEST_HOURS);
    if hours.is_none() {
        faults.push(format!(
            "{name} is {}: write whole hours from 0 (no holds) to {HOLD_LONGEST_HOURS}",
            quote(text)
        ));
    }
    hours
}

/// One of a few words.
fn choice<T: Copy, const N: usize>(
    name: &str,
    text: &Option<String>,
    values: [T; N],
    word: impl Fn(T) -> &'static str,
    write: &str,
    default: T,
    faults: &mut Vec<String>,
) -> Option<T> {
    let Some(text) = set(text) else { return Some(default) };
    let found = values.into_iter().find(|value| word(*value) == text);
    if found.is_none() {
        faults.push(format!("{name} is {}: write {write}", quote(text)));
    }
    found
}

#[cfg(test)]
mod tests;

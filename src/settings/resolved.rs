//! Validated settings.

use std::str::FromStr;

use chrono::NaiveDate;
use strum::VariantNames;
use thiserror::Error;

use super::bound::{Bound, Settings};
use super::raw::{Names, RawSettings};
use crate::baseline::{
    Baseline, BaselineError, BaselinePeer, Binding, DEFAULT, Remediation, SSH_SOURCES, parse_peers,
    parse_ports,
};
use crate::ec2::{Direction, NoScope, Scope};
use crate::net::IntervalSet;
use crate::text::in_backticks;

/// The default of [`Settings::hold_max_hours`].
pub const HOLD_MAX_HOURS: u32 = 24;

/// The highest value of [`Settings::hold_max_hours`]: a month. Anything longer needs an exemption.
pub const HOLD_LONGEST_HOURS: u32 = 31 * 24;

/// More rules than this are not put in a reverted rule's place. A group holds 60 rules by default,
/// and a person has to be able to read what was done.
pub const MAX_PIECES: usize = 40;

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

    /// The settings if they have no fault. Adds faults to `faults`.
    pub(super) fn resolve(
        raw: &RawSettings,
        today: NaiveDate,
        faults: &mut Vec<String>,
    ) -> Option<Self> {
        let before = faults.len();
        let names = raw.names;
        let file = loaded(raw, today, faults);
        let replacing = Replacing::new(raw, faults);
        let baseline = file.clone().and_then(|baseline| replacing.in_file(raw, baseline, faults));
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
        let settings = Self {
            baseline: baseline?,
            scope: scope?,
            remediation: change?,
            revert_keeps: revert_keeps?,
            sweep_remediation: sweep?,
            hold_max_hours: hold_max_hours?,
            binding: None,
            bound: Vec::new(),
        };
        let bound = replacing.bound(names, &file?, &settings, faults);
        (faults.len() == before).then_some(Self { bound, ..settings })
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

/// The baseline as it is written.
fn loaded(raw: &RawSettings, today: NaiveDate, faults: &mut Vec<String>) -> Option<Baseline> {
    let names = raw.names;
    match Baseline::load(set(&raw.baseline).unwrap_or(DEFAULT), today) {
        Ok(baseline) => Some(baseline),
        Err(BaselineError::Invalid { file, faults: all }) => {
            faults.extend(all.iter().map(|fault| format!("{}: {file}:{fault}", names.baseline)));
            None
        }
        Err(error) => {
            faults.push(format!("{}: {error}", names.baseline));
            None
        }
    }
}

/// What replaces parts of every baseline.
struct Replacing {
    sources: Option<Vec<BaselinePeer>>,
    web: Option<IntervalSet<u16>>,
}

impl Replacing {
    fn new(raw: &RawSettings, faults: &mut Vec<String>) -> Self {
        let names = raw.names;
        let sources = set(&raw.ssh_sources)
            .and_then(|text| list(names.ssh_sources, parse_peers(text), faults));
        let web =
            set(&raw.web_ports).and_then(|text| list(names.web_ports, parse_ports(text), faults));
        Self { sources, web }
    }

    /// The baseline of the file with the SSH sources and web ports of the settings.
    fn in_file(
        &self,
        raw: &RawSettings,
        mut baseline: Baseline,
        faults: &mut Vec<String>,
    ) -> Option<Baseline> {
        let names = raw.names;
        if let Some(sources) = &self.sources {
            let takes_them = |binding: &Binding| {
                let bound = binding.baseline.as_ref().map(|bound| &bound.baseline);
                binding.ssh_sources.is_none() && bound.is_some_and(|it| it.uses_ssh_sources())
            };
            let has_effect =
                baseline.uses_ssh_sources() || baseline.bindings.iter().any(takes_them);
            if !sources.is_empty() && !has_effect {
                faults.push(format!(
                    "{} has no effect: no ingress entry of the baseline {} names the peer set \
                     `{SSH_SOURCES}`; name it in an entry such as `{{ name: SSH, protocol: tcp, ports: \
                     [22], peers: [{SSH_SOURCES}] }}`, or leave the setting out",
                    names.ssh_sources,
                    in_backticks(&baseline.name)
                ));
            }
            baseline = baseline.with_ssh_sources(sources.clone());
        }
        if let Some(web) = &self.web {
            baseline = match baseline.with_web_ports(web) {
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

    /// What holds under each binding. `file` is the baseline as it is written, and `settings` is what
    /// holds under none.
    fn bound(
        &self,
        names: Names,
        file: &Baseline,
        settings: &Settings,
        faults: &mut Vec<String>,
    ) -> Vec<Bound> {
        let before = faults.len();
        let each = |binding| self.by_binding(names, file, settings, binding, faults);
        let bound: Vec<Bound> = file.bindings.iter().filter_map(each).collect();
        if faults.len() == before {
            for (at, one) in bound.iter().enumerate() {
                let later = bound.get(at + 1..).unwrap_or_default();
                faults.extend(
                    one.loosens(later, settings)
                        .map(|fault| format!("{}: {}: {fault}", names.baseline, one.at)),
                );
            }
        }
        bound
    }

    fn by_binding(
        &self,
        names: Names,
        file: &Baseline,
        settings: &Settings,
        binding: &Binding,
        faults: &mut Vec<String>,
    ) -> Option<Bound> {
        let before = faults.len();
        let mut fault =
            |what: &str| faults.push(format!("{}: {}: {what}", names.baseline, binding.at));
        let named = binding.baseline.as_ref().map(|bound| (*bound.baseline).clone());
        let mut baseline = named.unwrap_or_else(|| file.clone());
        baseline.bindings = Vec::new();
        if binding.ssh_sources.as_ref().is_some_and(|it| !it.is_empty())
            && !baseline.uses_ssh_sources()
        {
            fault(&format!(
                "`ssh_sources` has no effect, because no ingress entry of the baseline {} names the \
                 peer set `{SSH_SOURCES}`; name it in an entry, or leave `ssh_sources` out",
                in_backticks(&baseline.name)
            ));
        }
        if let Some(sources) = binding.ssh_sources.as_ref().or(self.sources.as_ref()) {
            baseline = baseline.with_ssh_sources(sources.clone());
        }
        if let Some(web) = &self.web {
            match baseline.with_web_ports(web) {
                Ok(with_ports) => baseline = with_ports,
                Err(what) => {
                    fault(&format!("{}: {what}", names.web_ports));
                    return None;
                }
            }
        }
        for direction in Direction::BOTH {
            if let Some(what) = baseline.too_fragmented(direction) {
                fault(&format!("under the settings, {what}"));
            }
        }
        let most = binding.remediation;
        let at_most = |remediation: Remediation| most.map_or(remediation, |it| it.min(remediation));
        let (remediation, sweep_remediation) =
            (at_most(settings.remediation), at_most(settings.sweep_remediation));
        let reverts = remediation.reverts() || sweep_remediation.reverts();
        if let Some(sources) = too_many_sources(&baseline).filter(|_| reverts) {
            fault(&format!(
                "{sources} SSH sources are more than the {MAX_PIECES} rules that a revert puts back; \
                 write fewer and wider blocks, a prefix list, or remediation: notify"
            ));
        }
        if faults.len() > before {
            return None;
        }
        Some(Bound {
            at: binding.at.clone(),
            when: binding.when.clone(),
            trust_tags: binding.trust_tags,
            asked: most,
            settings: Settings {
                baseline,
                scope: binding.scope.clone().unwrap_or_else(|| settings.scope.clone()),
                remediation,
                sweep_remediation,
                binding: Some(binding.name.clone()),
                bound: Vec::new(),
                ..settings.clone()
            },
        })
    }
}

/// The value of a list. Its faults get the name of the setting.
fn list<T>(name: &str, read: Result<T, Vec<String>>, faults: &mut Vec<String>) -> Option<T> {
    read.map_err(|all| faults.extend(all.iter().map(|fault| format!("{name}: {fault}")))).ok()
}

fn scope(name: &str, text: &str, faults: &mut Vec<String>) -> Option<Scope> {
    let mut fault = |error| faults.push(format!("{name} is {}: {error}", in_backticks(text)));
    text.parse().map_err(|error: NoScope| fault(error)).ok()
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

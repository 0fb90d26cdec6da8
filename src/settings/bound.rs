//! The settings, and which of them apply to a group.

use std::borrow::Cow;

use chrono::NaiveDate;

use crate::baseline::{Baseline, Conditions, Fit, Lists, Remediation, Whose};
use crate::ec2::{AccountId, Direction, GroupId, Scope};
use crate::net::{Cells, Set, Traffic};
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
    /// The binding that all of this is of; `None` for the settings that no binding changes.
    pub binding: Option<String>,
    /// What applies in some accounts, units and groups instead, in the order of the file.
    pub bound: Vec<Bound>,
}

/// What applies under a binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// `file:line` of the binding.
    pub at: String,
    /// Where it applies.
    pub when: Conditions,
    /// Whether its tags may loosen what applies.
    pub trust_tags: bool,
    /// The most that the binding says is done about a finding. The settings may say less.
    pub asked: Option<Remediation>,
    /// What applies.
    pub settings: Settings,
}

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
    Nothing,
}

impl Settings {
    /// What applies to a group, if it is one; else everything that may apply, in the order of the file.
    /// There is always at least one.
    pub fn candidates(&self, whose: &Whose<'_>) -> Vec<&Self> {
        let mut candidates = Vec::new();
        for bound in &self.bound {
            match bound.when.fit(whose) {
                Fit::No => {}
                Fit::Unknown => candidates.push(&bound.settings),
                Fit::Yes => {
                    candidates.push(&bound.settings);
                    return candidates;
                }
            }
        }
        candidates.push(self);
        candidates
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

    /// What holds under the binding of this name.
    pub fn bound_by(&self, name: &str) -> Option<&Bound> {
        self.bound.iter().find(|bound| bound.name() == name)
    }

    /// The same, with nothing done about what is found.
    #[must_use]
    pub fn only_reporting(&self) -> Self {
        let (remediation, sweep_remediation) = (Remediation::Notify, Remediation::Notify);
        Self { remediation, sweep_remediation, ..self.clone() }
    }

    /// What the bindings ask for and the settings do not allow, each as a sentence.
    pub fn held_back(&self) -> Vec<String> {
        self.bound.iter().filter_map(Bound::held_back).collect()
    }
}

impl Bound {
    /// The name of the binding.
    pub fn name(&self) -> &str {
        self.settings.binding.as_deref().unwrap_or_default()
    }

    /// That the binding asks for more than the settings allow, as a sentence.
    pub fn held_back(&self) -> Option<String> {
        let (asked, allowed) = (self.asked?, self.settings.remediation);
        (asked > allowed).then(|| {
            format!(
                "{}: the binding {} says {asked}, but a binding never does more than the settings, so \
                 it is {allowed} there",
                self.at,
                in_backticks(self.name())
            )
        })
    }

    /// How a tag could loosen what applies, so that anybody who may tag a group decides. `later` are
    /// the bindings after this one, and `settings` is what applies under none.
    pub(super) fn loosens(&self, later: &[Self], settings: &Settings) -> Option<String> {
        if self.when.tags.is_empty() || self.trust_tags {
            return None;
        }
        let mut others: Vec<&Settings> = Vec::new();
        let mut is_last = true;
        for other in later.iter().filter(|other| other.when.tags.is_empty()) {
            if other.when.excludes(&self.when) {
                continue;
            }
            others.push(&other.settings);
            if other.when.covers(&self.when) {
                is_last = false;
                break;
            }
        }
        others.extend(is_last.then_some(settings));
        others.into_iter().find_map(|other| {
            let what = self.settings.looser_than(other)?;
            let than = match &other.binding {
                Some(name) => format!("the binding {}", in_backticks(name)),
                None => "what applies without a binding".to_owned(),
            };
            Some(format!(
                "the binding {} is chosen by tags, and {what} {than}; make it stricter, or write \
                 trust_tags: true if only people you trust can tag groups",
                in_backticks(self.name())
            ))
        })
    }
}

impl Settings {
    /// In what these settings are looser than others.
    fn looser_than(&self, other: &Self) -> Option<String> {
        let no_lists = Lists::new();
        // Any id will do for `self`.
        let own: Option<GroupId> = "sg-self".parse().ok();
        let of =
            |baseline: &Baseline, direction| baseline.admitted(direction, own.as_ref(), &no_lists);
        for direction in Direction::BOTH {
            let theirs = of(&other.baseline, direction);
            // Where anybody is admitted, groups and lists are, too.
            let elsewhere = Cells::everything().difference(&theirs.anybody);
            let is_more = |traffic: &Traffic| {
                !traffic.difference(&theirs.traffic).within(&elsewhere).is_empty()
            };
            let mut entries = self.baseline.admitted_by_entry(direction, own.as_ref(), &no_lists);
            if let Some((entry, _)) = entries.find(|(_, traffic)| is_more(traffic)) {
                let name = in_backticks(&entry.name);
                return Some(format!("its {direction} entry {name} admits more than"));
            }
        }
        let ssh_ports = other.baseline.ssh_ports.difference(&self.baseline.ssh_ports);
        let whats = [
            (self.exempts_more_than(other, &no_lists), "it exempts more than"),
            (!ssh_ports.is_empty(), "it has fewer SSH ports than"),
            (
                self.scope != Scope::All && self.scope != other.scope,
                "its scope leaves out groups of",
            ),
            (self.remediation < other.remediation, "its remediation does less than"),
            (self.sweep_remediation < other.sweep_remediation, "its remediation does less than"),
        ];
        whats.into_iter().find_map(|(is_so, what)| is_so.then(|| what.to_owned()))
    }

    /// Whether some exemption tolerates traffic that no exemption there tolerates for as long.
    fn exempts_more_than(&self, other: &Self, lists: &Lists) -> bool {
        self.baseline.exemptions.iter().any(|own| {
            let tolerated = |baseline: &Baseline| {
                let all = baseline.exemptions_of(own.direction, &own.group, lists);
                let as_long = all.filter(|(exemption, _)| exemption.until >= own.until);
                Traffic::union_of(as_long.map(|(_, resolved)| resolved.traffic).collect())
            };
            !tolerated(&self.baseline).difference(&tolerated(&other.baseline)).is_empty()
        })
    }
}

#[cfg(test)]
mod tests;

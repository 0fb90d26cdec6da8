//! `sg-audit baseline explain`: which settings apply to a group, and why.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Serialize;

use super::args::{ExplainArgs, PlainFormat};
use super::baseline::NAMES;
use super::error::CliError;
use super::output::{Answer, NOT_AUDITED};
use crate::baseline::{Baseline, BaselinePeer, Fit, SSH_SOURCES, Whose};
use crate::finding::BaselineName;
use crate::settings::{Bound, RawSettings, Settings};
use crate::text::escape::ascii_json;
use crate::text::inert;

/// The answer as JSON. Each field is always there.
#[derive(Serialize)]
struct Explanation<'a> {
    version: u8,
    /// `None` where it is not decided.
    holds: Option<Held<'a>>,
    /// What may apply, where it is not decided; `None` in it stands for no binding.
    may_hold: Vec<Option<&'a str>>,
    considered: Vec<Considered<'a>>,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct Held<'a> {
    binding: Option<&'a str>,
    at: Option<&'a str>,
    baseline: BaselineName,
    ssh_sources: Option<Vec<String>>,
    scope: String,
    remediation: String,
    sweep_remediation: String,
}

/// A binding, and whether it fits.
#[derive(Serialize)]
struct Considered<'a> {
    binding: &'a str,
    at: &'a str,
    fits: Word,
    account: Word,
    ou: Word,
    tags: Word,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Yes,
    No,
    Unknown,
}

impl From<Fit> for Word {
    fn from(fit: Fit) -> Self {
        match fit {
            Fit::Yes => Self::Yes,
            Fit::No => Self::No,
            Fit::Unknown => Self::Unknown,
        }
    }
}

pub(super) fn run(args: &ExplainArgs, today: NaiveDate) -> Result<Answer, CliError> {
    let name = super::baseline::name(&args.baseline);
    // Alone first: then each fault begins with file and line, which editors link.
    Baseline::load(name, today)?;
    let raw = RawSettings {
        names: NAMES,
        baseline: Some(name.to_owned()),
        scope: args.scope.clone(),
        remediation: args.remediation.clone(),
        sweep_remediation: args.sweep_remediation.clone(),
        ..RawSettings::from(&args.baseline.options)
    };
    let settings = Settings::from_raw(&raw, today)?;
    let tags: BTreeMap<String, String> = args.tag.iter().cloned().collect();
    let units = (!args.ou.is_empty()).then_some(args.ou.as_slice());
    let whose = Whose { account: args.account.as_ref(), units, tags: Some(&tags) };
    let candidates = settings.candidates(&whose);
    let held = match candidates.as_slice() {
        [one] => Some(*one),
        _ => None,
    };
    let mut considered: Vec<Considered<'_>> = Vec::new();
    for bound in &settings.bound {
        let one = consider(bound, &whose);
        let is_last = one.fits == Word::Yes;
        considered.push(one);
        if is_last {
            break;
        }
    }
    let explanation = Explanation {
        version: 1,
        holds: held.map(|held| Held::new(held, &settings)),
        may_hold: match held {
            Some(_) => Vec::new(),
            None => candidates.iter().map(|it| it.binding.as_deref()).collect(),
        },
        warnings: warnings(&settings, held),
        considered,
    };
    let mut notes = Vec::new();
    if held.is_none() {
        notes.push(undecided(&explanation));
    }
    let out = match args.format {
        PlainFormat::Text => text(&explanation),
        PlainFormat::Json => {
            let json = serde_json::to_string_pretty(&explanation).map_err(CliError::Json)?;
            format!("{}\n", ascii_json(&json))
        }
    };
    if args.format == PlainFormat::Text {
        notes.extend(explanation.warnings.iter().map(|it| inert::plain(&format!("warning: {it}"))));
    }
    Ok(Answer { out, notes, status: if held.is_some() { 0 } else { NOT_AUDITED } })
}

fn consider<'a>(bound: &'a Bound, whose: &Whose<'_>) -> Considered<'a> {
    let [account, ou, tags] = bound.when.fit_of_each(whose).map(Word::from);
    let fits = bound.when.fit(whose).into();
    Considered { binding: bound.name(), at: &bound.at, fits, account, ou, tags }
}

impl<'a> Held<'a> {
    fn new(held: &'a Settings, all: &'a Settings) -> Self {
        let binding = held.binding.as_deref();
        let sources = held.baseline.peer_sets.get(SSH_SOURCES);
        let sources = sources.filter(|_| held.baseline.uses_ssh_sources());
        Self {
            binding,
            at: binding.and_then(|name| all.bound_by(name)).map(|bound| bound.at.as_str()),
            baseline: BaselineName::from(held),
            ssh_sources: sources.map(|peers| peers.iter().map(BaselinePeer::to_string).collect()),
            scope: held.scope.to_string(),
            remediation: held.remediation.to_string(),
            sweep_remediation: held.sweep_remediation.to_string(),
        }
    }
}

/// What may surprise about what applies.
fn warnings(settings: &Settings, held: Option<&Settings>) -> Vec<String> {
    let mut warnings = settings.warnings();
    let binding = held.and_then(|held| held.binding.as_deref());
    for bound in &settings.bound {
        if bound.trust_tags {
            warnings.push(format!(
                "{}: whoever may tag a group can choose the binding {}, which may be looser than what \
                 applies without the tag (trust_tags)",
                bound.at,
                bound.name()
            ));
        }
        if Some(bound.name()) == binding {
            warnings.extend(bound.held_back());
        }
    }
    warnings
}

fn undecided(explanation: &Explanation<'_>) -> String {
    let unknown = |of: fn(&Considered<'_>) -> Word| {
        explanation.considered.iter().any(|it| it.fits == Word::Unknown && of(it) == Word::Unknown)
    };
    let add: Vec<&str> = [
        (unknown(|it| it.account), "--account"),
        (unknown(|it| it.ou), "--ou, once for each unit that the account is in"),
    ]
    .into_iter()
    .filter_map(|(is_so, option)| is_so.then_some(option))
    .collect();
    format!("what applies is not decided: add {}", add.join(" and "))
}

fn text(explanation: &Explanation<'_>) -> String {
    let mut lines = Vec::new();
    match &explanation.holds {
        Some(held) => {
            lines.push(match (held.binding, held.at) {
                (Some(binding), Some(at)) => format!("The binding {binding} applies ({at})"),
                _ => "No binding fits, so what the file and the settings say applies".to_owned(),
            });
            let (name, hash) = (&held.baseline.name, held.baseline.short_sha256());
            let sources = match held.ssh_sources.as_deref() {
                None => "as the baseline says".to_owned(),
                Some([]) => "none".to_owned(),
                Some(sources) => sources.join(", "),
            };
            lines.extend([
                format!("  baseline     {name} {hash}"),
                format!("  SSH sources  {sources}"),
                format!("  scope        {}", held.scope),
                format!("  remediation  {}; sweep: {}", held.remediation, held.sweep_remediation),
            ]);
        }
        None => {
            lines.push("One of these applies:".to_owned());
            lines.extend(explanation.may_hold.iter().map(|binding| match binding {
                Some(binding) => format!("  the binding {binding}"),
                None => "  what the file and the settings say without a binding".to_owned(),
            }));
        }
    }
    if !explanation.considered.is_empty() {
        lines.extend([String::new(), "Bindings in their order:".to_owned()]);
    }
    lines.extend(explanation.considered.iter().map(Considered::line));
    lines.iter().map(|line| format!("{}\n", inert::plain(line))).collect()
}

impl Considered<'_> {
    fn line(&self) -> String {
        let each = [("account", self.account), ("OU", self.ou), ("tags", self.tags)];
        let those = |word| {
            let names = each.iter().filter(|(_, it)| *it == word).map(|(name, _)| *name);
            names.collect::<Vec<_>>().join(", ")
        };
        let why = match self.fits {
            Word::Yes => "fits".to_owned(),
            Word::No => format!("does not fit: {}", those(Word::No)),
            Word::Unknown => format!("may fit: {} not known", those(Word::Unknown)),
        };
        format!("  {} {why}", self.binding)
    }
}

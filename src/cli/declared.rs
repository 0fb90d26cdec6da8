//! `sg-audit check --plan` and `check --template`: audits groups before they are changed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::args::CheckArgs;
use super::check::{missing_list, missing_lists};
use super::error::CliError;
use super::file_kind::FileKind;
use super::output::{Answer, formatted};
use super::{input, settings};
use crate::audit::GroupCheck;
use crate::declared::{Declarations, PlanError, TemplateFile, TfFile, plan, template};
use crate::describe::DescribedLists;
use crate::report::terminal::{Style, exit_status};
use crate::text::{exact, lossy};

/// Larger files are no code that somebody wrote.
const MAX_TF: u64 = 1 << 20;

/// Audits what plans add or change.
pub(super) fn run(args: &CheckArgs, style: Style, now: DateTime<Utc>) -> Result<Answer, CliError> {
    settings::refuse_summary(&args.audit)?;
    let settings = settings::resolve(&args.audit, None, now.date_naive())?;
    let units = settings::units(args, &settings)?;
    let list_file = args.audit.prefix_lists.as_deref();
    let files: Vec<&Path> = args.plan.iter().chain(&args.template).map(AsRef::as_ref).collect();
    input::read_once(files.iter().copied().chain(list_file))?;
    let DescribedLists { mut lists, mut names } = input::prefix_lists_of(list_file)?;
    let mut plans = Vec::new();
    let parameters = parameters(args)?;
    for file in &files {
        let declared = match args.plan.is_empty() {
            true => read_template(file, &parameters)?,
            false => read(file)?,
        };
        lists.extend(declared.lists.clone());
        names.extend(declared.names.clone());
        plans.push(declared);
    }
    let mut check =
        GroupCheck::new(&settings, &lists, now).with_list_names(names).with_units(&units);
    for Declarations { groups, changed_lists, .. } in &plans {
        for group in groups {
            check.declared(group, changed_lists, args.all);
        }
    }
    let report = check.report();
    let missing = missing_lists(&report, &settings.baseline, &lists);
    let nothing = (report.groups == 0).then(|| nothing(&plans, &files));
    let notes = settings::warnings(&settings).chain(missing.into_iter().map(missing_list));
    let notes = notes.chain(nothing).collect();
    let status = exit_status(&report, args.audit.fail_on);
    Ok(Answer { out: formatted(report, &args.audit, style)?, notes, status })
}

/// Why nothing was judged, which is no fault of a plan.
fn nothing(plans: &[Declarations], files: &[&Path]) -> String {
    let names = input::names(files);
    match plans.iter().any(|plan| !plan.groups.is_empty()) {
        true => format!(
            "note: {names}: no rule of a security group in scope is added or changed; --all judges \
             those that stay, too"
        ),
        false => format!("note: {names}: there is no security group in it"),
    }
}

/// The parameters of the options; those that are written out count before those of the file.
fn parameters(args: &CheckArgs) -> Result<BTreeMap<String, String>, CliError> {
    let mut all = BTreeMap::new();
    if let Some(path) = &args.parameters_file {
        let fault = || CliError::Parameters { name: input::name(path), source: None };
        let bytes = input::read(path)?;
        let text = exact(&bytes).ok_or_else(fault)?;
        let json: Value = serde_json::from_str(&text).map_err(|source| CliError::Parameters {
            name: input::name(path),
            source: Some(source),
        })?;
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
            _ => None,
        };
        match json.get("Parameters").unwrap_or(&json) {
            Value::Object(members) => {
                for (key, value) in members {
                    all.insert(key.clone(), text(value).ok_or_else(fault)?);
                }
            }
            Value::Array(items) => {
                for item in items {
                    let key = item.get("ParameterKey").and_then(Value::as_str);
                    let value = item.get("ParameterValue").and_then(text);
                    let (key, value) = key.zip(value).ok_or_else(fault)?;
                    all.insert(key.to_owned(), value);
                }
            }
            _ => return Err(fault()),
        }
    }
    all.extend(args.parameter.iter().cloned());
    Ok(all)
}

fn read_template(
    path: &Path,
    parameters: &BTreeMap<String, String>,
) -> Result<Declarations, CliError> {
    let bytes = input::read(path)?;
    let text = lossy(&bytes);
    // Only files that are named from the template's own folder.
    let beside = |of: &str, url: &str| {
        let is_file = !url.contains("://") && Path::new(url).is_relative();
        let path = Path::new(of).parent()?.join(url);
        let bytes = is_file.then(|| fs::read(&path).ok()).flatten()?;
        Some((path.display().to_string(), lossy(&bytes).into_owned()))
    };
    let name = input::name(path);
    let file = TemplateFile { path: &name, text: &text, beside: &beside };
    template(&file, parameters).map_err(|source| CliError::Template { name: name.clone(), source })
}

fn read(path: &Path) -> Result<Declarations, CliError> {
    let bytes = input::read(path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let beside = |module: &str| tf_files(&folder.unwrap_or(Path::new(".")).join(module));
    plan(&bytes, &beside).map_err(|source| {
        let name = input::name(path);
        let is_other = matches!(
            source,
            PlanError::NotText
                | PlanError::NotJson(_)
                | PlanError::NotAPlan(_)
                | PlanError::NoVersion
        );
        match is_other.then(|| FileKind::of_bytes(&bytes)).flatten() {
            Some(kind) => CliError::NotAPlan { name, kind },
            None => CliError::Plan { name, source },
        }
    })
}

/// The `.tf` files of a folder, in the order of their names. Lines of files that cannot be read are
/// not known.
fn tf_files(folder: &Path) -> Vec<TfFile> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "tf"));
    paths.sort();
    let file = |path: &std::path::PathBuf| {
        let size = fs::metadata(path).ok()?.len();
        let text = (size <= MAX_TF).then(|| fs::read_to_string(path).ok()).flatten()?;
        let path: std::path::PathBuf =
            path.components().filter(|part| *part != std::path::Component::CurDir).collect();
        Some(TfFile { path: path.display().to_string(), text })
    };
    paths.iter().filter_map(file).collect()
}

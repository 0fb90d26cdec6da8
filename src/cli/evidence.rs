//! `sg-audit evidence`: what an audit of a period asks for, in one zip archive.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};

use super::args::{EvidenceArgs, LOOKED_UP_DAYS};
use super::error::CliError;
use super::input;
use super::output::{Answer, NOT_AUDITED};
use super::past::read;
use super::records::{Sources, Told};
use super::settings;
use crate::audit::GroupCheck;
use crate::evidence::{Evidence, Period};
use crate::report::evidence::{files, zipped};
use crate::settings::{RawSettings, Settings};
use crate::text::escape::hex;
use crate::text::minute;

pub(super) fn run(args: &EvidenceArgs, now: DateTime<Utc>) -> Result<Answer, CliError> {
    let period = Period { from: args.from, to: args.to };
    if period.from > period.to || period.begin() > now {
        return Err(CliError::Period { from: period.from, to: period.to });
    }
    let settings = Settings::from_raw(&RawSettings::from(&args.past.baseline), now.date_naive())?;
    let as_of = period.end().min(now);
    let kept = now - TimeDelta::days(LOOKED_UP_DAYS.into());
    let sources = Sources {
        files: &args.files,
        groups: &args.groups,
        live: args.live,
        options: &args.past,
        from: period.begin().max(kept),
        until: as_of,
        now,
    };
    let Told { history, groups, lists, list_names, notes, faults } = read(&sources, &settings)?;
    let groups = groups.unwrap_or_default();
    if groups.is_empty() && faults.is_empty() {
        let paths: Vec<&Path> = args.groups.iter().map(AsRef::as_ref).collect();
        return Err(match args.live {
            true => CliError::NoGroups { name: "the account".to_owned() },
            false => CliError::NoGroups { name: input::names(&paths) },
        });
    }
    let mut check = GroupCheck::new(&settings, &lists, as_of).with_list_names(list_names);
    for shown in &groups {
        check.group(&shown.place, &shown.group, &shown.rules);
    }
    let mut report = check.report();
    report.partial |= history.is_partial;
    let history = history.between(period.begin(), as_of);
    let baseline = settings.baseline.clone();
    let evidence = Evidence { period, as_of, baseline, report, history, unread: faults };
    let files = files(&evidence)?;
    let zip = zipped(&files)?;
    let path = match &args.output {
        Some(path) => path.clone(),
        None => PathBuf::from(format!("evidence-{}-{}.zip", period.from, period.to)),
    };
    write(&path, &zip)?;
    let hash = hex(&Sha256::digest(&zip));
    let out = format!("{hash}  {}\n", path.display());
    let mut notes: Vec<String> = settings::warnings(&settings).chain(notes).collect();
    let silent: Vec<_> = evidence.covered().into_iter().filter(|it| !it.gaps.is_empty()).collect();
    for covered in &silent {
        let gaps = match covered.gaps.len() {
            1 => "1 stretch of more than a day".to_owned(),
            more => format!("{more} stretches of more than a day"),
        };
        let first = covered.gaps.first().map(|gap| minute(gap.from)).unwrap_or_default();
        notes.push(format!(
            "note: {}: no record for {gaps}, the longest from {first}",
            covered.place
        ));
    }
    let status = if evidence.is_partial() { NOT_AUDITED } else { 0 };
    Ok(Answer { out, notes, status })
}

/// Writes a file that was not there: evidence that somebody has is not replaced.
fn write(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let name = input::name(path);
    let written = OpenOptions::new().write(true).create_new(true).open(path);
    match written.and_then(|mut file| file.write_all(bytes)) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(CliError::Exists { name }),
        Err(source) => Err(CliError::NotWritten { name, source }),
    }
}

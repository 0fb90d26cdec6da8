//! `sg-audit history`: lists every rule that exceeded the baseline, from CloudTrail records.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::args::{HistoryArgs, HistoryFormat};
use super::error::CliError;
use super::event_file::{NotAnEvent, refuse_others};
use super::output::{Answer, NOT_AUDITED};
use super::progress::Progress;
use super::{input, settings};
use crate::describe::{DescribedGroup, DescribedLists, groups};
use crate::event::{SplitEnd, split};
use crate::history::{Book, By, Present};
use crate::report::history::{csv, text, to_json_pretty};
use crate::report::html;
use crate::report::terminal::Style;
use crate::settings::{RawSettings, Settings};
use crate::text::{count, unpacking};

/// How many unreadable files are named.
const NAMED: usize = 5;

pub(super) fn run(
    args: &HistoryArgs,
    style: Style,
    now: DateTime<Utc>,
) -> Result<Answer, CliError> {
    let settings = Settings::from_raw(&RawSettings::from(&args.baseline), now.date_naive())?;
    let list_file = args.prefix_lists.as_deref();
    let paths = args.files.iter().chain(&args.groups).map(AsRef::as_ref);
    input::read_once(paths.chain(list_file))?;
    let DescribedLists { lists, .. } = input::prefix_lists_of(list_file)?;
    let group_files: Vec<&Path> = args.groups.iter().map(AsRef::as_ref).collect();
    let present = match group_files.as_slice() {
        [] => None,
        files => {
            Some(input::groups_of(files, groups)?.into_iter().map(present).collect::<Vec<_>>())
        }
    };
    let by = By::names(&args.auditor);
    let mut reading = Reading {
        book: Book::new(&settings.baseline, &lists, now.date_naive(), by),
        progress: Progress::reading("record"),
        faults: Vec::new(),
        left_out: 0,
    };
    for path in &args.files {
        reading.path(path, true);
    }
    let Reading { book, progress, faults, left_out } = reading;
    drop(progress);
    if book.counts().records == 0 {
        let names: Vec<&Path> = args.files.iter().map(AsRef::as_ref).collect();
        let none = CliError::NoRecords { name: input::names(&names) };
        return Err(faults.into_iter().next().unwrap_or(none));
    }
    let history = book.close(present.as_deref(), now);
    let mut notes: Vec<String> = settings::warnings(&settings).collect();
    if left_out > 0 {
        let files = count(left_out, "file");
        notes.push(format!("note: {files} without CloudTrail records left out"));
    }
    notes.extend(faults.iter().take(NAMED).flat_map(CliError::lines));
    if faults.len() > NAMED {
        notes.push(format!("{} more files could not be read", faults.len() - NAMED));
    }
    if present.is_none() && history.totals.open > 0 {
        notes.push(
            "note: `not seen closed` means that no record tells it was closed: give the output of \
             `aws ec2 describe-security-groups` with --groups to learn what is open now"
                .to_owned(),
        );
    }
    let status = if faults.is_empty() { text::exit_status(&history) } else { NOT_AUDITED };
    let out = match args.format {
        HistoryFormat::Text => text::render(&history, args.min_severity, style),
        HistoryFormat::Json => format!("{}\n", to_json_pretty(&history, args.min_severity)?),
        HistoryFormat::Html => html::history(&history, args.min_severity),
        HistoryFormat::Csv => csv::render(&history, args.min_severity)?,
    };
    Ok(Answer { out, notes, status })
}

fn present(described: DescribedGroup) -> Present {
    let DescribedGroup { place, group, rules } = described;
    Present { place, group, rules }
}

struct Reading<'a> {
    book: Book<'a>,
    progress: Progress,
    /// What could not be read.
    faults: Vec<CliError>,
    /// Files of a folder that have no records.
    left_out: usize,
}

impl Reading<'_> {
    /// `is_named` is whether a person named this very file.
    fn path(&mut self, path: &Path, is_named: bool) {
        if path.is_dir() {
            match entries(path) {
                Ok(entries) => entries.iter().for_each(|path| self.path(path, false)),
                Err(source) => {
                    self.faults.push(CliError::Unreadable { name: input::name(path), source });
                }
            }
            return;
        }
        match self.file(path) {
            Ok(None) => {}
            Ok(Some(_)) if !is_named => self.left_out += 1,
            Ok(Some(source)) => {
                self.faults.push(CliError::NotAnEvent { name: input::name(path), source });
            }
            Err(source) => {
                self.faults.push(CliError::Unreadable { name: input::name(path), source });
            }
        }
    }

    /// Reads a file, and returns why there are no records in it, if there are none.
    fn file(&mut self, path: &Path) -> io::Result<Option<NotAnEvent>> {
        let stream: Box<dyn BufRead> = if input::is_standard(path) {
            Box::new(io::stdin().lock())
        } else {
            Box::new(BufReader::new(File::open(path)?))
        };
        let mut stream = unpacking(stream)?;
        let start = String::from_utf8_lossy(stream.fill_buf()?).into_owned();
        let (mut refused, mut found) = (None, 0);
        let end = split(stream, |record| {
            // What the first one is, the others are too.
            if found == 0 {
                refused = refuse_others(record).err();
            }
            found += 1;
            if refused.is_none() {
                self.book.record(record);
                self.progress.done(self.book.counts().records);
            }
        })?;
        let has_lists = start.contains("\"Records\"") || start.contains("\"Events\"");
        match end {
            _ if refused.is_some() => Ok(refused),
            SplitEnd::Whole if found > 0 || has_lists => Ok(None),
            SplitEnd::CutShort if found > 0 || has_lists => {
                let what = format!("the file is cut short after {}", count(found, "record"));
                Err(io::Error::new(io::ErrorKind::UnexpectedEof, what))
            }
            SplitEnd::NotJson if found > 0 => {
                let what = format!("what follows {} is not JSON", count(found, "record"));
                Err(io::Error::new(io::ErrorKind::InvalidData, what))
            }
            _ => Ok(refuse_others(start.as_bytes()).err().or(Some(NotAnEvent::Other))),
        }
    }
}

/// What is in a folder, by name. Links to folders are not followed, so there is an end.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let is_link_to_folder = entry.file_type()?.is_symlink() && entry.path().is_dir();
        if !is_link_to_folder {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

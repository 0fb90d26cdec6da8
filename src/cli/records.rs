//! Records of CloudTrail in files and folders.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::args::PastOptions;
use super::error::CliError;
use super::event_file::{NotAnEvent, refuse_others};
use super::input;
use super::progress::Progress;
use crate::baseline::Lists;
use crate::ec2::ListNames;
use crate::event::{SplitEnd, split};
use crate::history::{Book, History, Present};
use crate::text::{count, inert, unpacking};

/// How many unreadable files are named.
const NAMED: usize = 5;

/// What to read of the past and the present.
#[cfg_attr(not(feature = "live"), expect(dead_code, reason = "some of it is for an account"))]
pub(super) struct Sources<'a> {
    /// Records of CloudTrail.
    pub files: &'a [PathBuf],
    /// Groups as they are now.
    pub groups: &'a [PathBuf],
    /// Whether an account is read, in place of `groups` and prefix lists.
    pub live: bool,
    pub options: &'a PastOptions,
    /// Since when the account's calls are looked up.
    pub from: DateTime<Utc>,
    /// Until when what is open counts, if no record is later.
    pub until: DateTime<Utc>,
    pub now: DateTime<Utc>,
}

/// What was read.
pub(super) struct Told {
    pub history: History,
    pub groups: Option<Vec<Present>>,
    pub lists: Lists,
    pub list_names: ListNames,
    /// What there is to say about the reading.
    pub notes: Vec<String>,
    /// What could not be read.
    pub faults: Vec<String>,
}

/// Records on their way into the book.
pub(super) struct Reading<'a> {
    pub book: Book<'a>,
    /// What could not be read.
    pub faults: Vec<CliError>,
    /// Files of a folder that have no records.
    left_out: usize,
}

impl<'a> Reading<'a> {
    /// Nothing has been read yet.
    pub fn new(book: Book<'a>) -> Self {
        Self { book, faults: Vec::new(), left_out: 0 }
    }

    /// Reads files and folders that somebody named.
    pub fn files(&mut self, paths: &[PathBuf]) {
        let progress = Progress::reading("record");
        for path in paths {
            self.path(path, true, &progress);
        }
    }

    /// The history, and what there is to say about the reading. `present` are the groups as they are
    /// now, if they are known.
    pub fn close(
        self,
        present: Option<&[Present]>,
        sources: &Sources<'_>,
    ) -> (History, Vec<String>, Vec<String>) {
        let last = self.book.last_time().unwrap_or(sources.until).min(sources.now);
        let mut history = self.book.close(present, sources.until.max(last));
        history.is_partial = !self.faults.is_empty();
        let mut notes = Vec::new();
        if self.left_out > 0 {
            let files = count(self.left_out, "file");
            notes.push(format!("note: {files} without CloudTrail records left out"));
        }
        notes.extend(self.faults.iter().take(NAMED).flat_map(CliError::lines));
        if self.faults.len() > NAMED {
            let more = self.faults.len() - NAMED;
            notes.push(format!("{more} more files or places could not be read"));
        }
        let faults = self.faults.iter().map(|fault| inert::plain(&fault.to_string())).collect();
        (history, notes, faults)
    }

    /// `is_named` is whether a person named this very file.
    fn path(&mut self, path: &Path, is_named: bool, progress: &Progress) {
        if path.is_dir() {
            match entries(path) {
                Ok(entries) => entries.iter().for_each(|path| self.path(path, false, progress)),
                Err(source) => {
                    self.faults.push(CliError::Unreadable { name: input::name(path), source });
                }
            }
            return;
        }
        match self.file(path, progress) {
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
    fn file(&mut self, path: &Path, progress: &Progress) -> io::Result<Option<NotAnEvent>> {
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
                progress.done(self.book.counts().records);
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

//! `sg-audit unpack`: writes the templates and the built function into a folder, ready to deploy.

mod carried;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process;

use sha2::{Digest, Sha256};

use super::args::{Arch, UnpackArgs};
use super::error::CliError;
use super::output::Answer;
use crate::text::escape::{hex, shell_word};

/// Has a line for each file that was written, so that the next version knows which of them somebody changed.
const SUMS: &str = "SHA256SUMS";

/// Writes what this build carries.
pub(super) fn run(args: &UnpackArgs) -> Result<Answer, CliError> {
    with_function(args, carried::function(args.arch).ok_or(CliError::NoFunction)?)
}

/// Writes the templates, and this zip as the function.
pub(super) fn with_function(args: &UnpackArgs, function: &[u8]) -> Result<Answer, CliError> {
    let folder = Folder { path: &args.folder, sums: read_sums(&args.folder)? };
    let files = files(args.arch, function);
    let mut changed = Vec::new();
    for File { name, bytes, .. } in files.iter().filter(|file| file.is_replaced) {
        if !args.overwrite && !folder.may_replace(name, bytes)? {
            changed.push(name.clone());
        }
    }
    if !changed.is_empty() {
        return Err(CliError::Changed { files: changed, folder: shown(&args.folder) });
    }
    let mut sums = String::new();
    let mut list = String::new();
    for File { name, bytes, is_replaced } in &files {
        if *is_replaced {
            folder.write(name, bytes)?;
            sums.push_str(&format!("{}  {name}\n", hex(&Sha256::digest(bytes))));
        } else if folder.read(name)?.is_none() {
            folder.write(name, bytes)?;
        } else {
            list.push_str(&format!("  {name} (left as it is)\n"));
            continue;
        }
        list.push_str(&format!("  {name}\n"));
    }
    folder.write(SUMS, sums.as_bytes())?;
    let template = shell_word(&shown(&args.folder.join(carried::TEMPLATE)));
    let (version, arch) = (env!("CARGO_PKG_VERSION"), args.arch.as_str());
    let out = format!(
        "typo3-sg-auditor {version} for {arch}, in {folder}:\n{list}\n\
         Deploy it:\n  \
         sam deploy --template-file {template} --parameter-overrides AlertEmail=you@example.com \
         SshSources=203.0.113.0/24\n",
        folder = shown(&args.folder),
    );
    Ok(Answer { out, ..Answer::default() })
}

struct File {
    /// Its path in the folder.
    name: String,
    bytes: Vec<u8>,
    /// Whether a new version replaces it. The others are written once, and then belong to the user.
    is_replaced: bool,
}

/// What is written, in this order. The template comes after everything that it refers to.
fn files(arch: Arch, function: &[u8]) -> Vec<File> {
    let replaced =
        |name: String, bytes: &[u8]| File { name, bytes: bytes.to_vec(), is_replaced: true };
    let mut files = vec![replaced(carried::zip_name(arch), function)];
    files.extend(
        carried::OTHERS.iter().map(|(name, text)| replaced((*name).to_owned(), text.as_bytes())),
    );
    let template = carried::deployable(arch);
    files.push(replaced(carried::TEMPLATE.to_owned(), template.as_bytes()));
    files.extend(carried::SETTINGS.iter().map(|(name, text)| File {
        name: (*name).to_owned(),
        bytes: text.as_bytes().to_vec(),
        is_replaced: false,
    }));
    files
}

/// Where the files go, and which of them an earlier version wrote.
struct Folder<'a> {
    path: &'a Path,
    /// The SHA-256 of each file that was written there, by its name.
    sums: BTreeMap<String, String>,
}

impl Folder<'_> {
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, CliError> {
        read(&self.path.join(name))
    }

    /// Whether there is no such file, or one that an earlier version wrote and nobody changed.
    fn may_replace(&self, name: &str, bytes: &[u8]) -> Result<bool, CliError> {
        let Some(there) = self.read(name)? else { return Ok(true) };
        Ok(there == bytes || self.sums.get(name) == Some(&hex(&Sha256::digest(&there))))
    }

    /// Writes a file whole or not at all. A symbolic link in its place is replaced and not followed.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), CliError> {
        let path = self.path.join(name);
        let part = path.with_extension(format!("{}.part", process::id()));
        let written = parent_of(&path)
            .and_then(|()| fs::write(&part, bytes))
            .and_then(|()| fs::rename(&part, &path));
        written.map_err(|source| {
            // If this fails too, the first error is the one to report.
            let _ = fs::remove_file(&part);
            CliError::NotWritten { name: shown(&path), source }
        })
    }
}

fn parent_of(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

/// The bytes of a file, or nothing if there is none.
fn read(path: &Path) -> Result<Option<Vec<u8>>, CliError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if [ErrorKind::NotFound, ErrorKind::NotADirectory].contains(&error.kind()) => {
            Ok(None)
        }
        Err(source) => Err(CliError::Unreadable { name: shown(path), source }),
    }
}

/// What an earlier version wrote into this folder. A file that cannot be understood lists nothing.
fn read_sums(folder: &Path) -> Result<BTreeMap<String, String>, CliError> {
    let text = read(&folder.join(SUMS))?.unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines = text.lines().filter_map(|line| line.split_once("  "));
    Ok(lines.map(|(sum, name)| (name.to_owned(), sum.to_owned())).collect())
}

fn shown(path: &Path) -> String {
    PathBuf::from(path).display().to_string()
}

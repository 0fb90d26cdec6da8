//! Files and standard input.

use std::fs;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

use super::error::CliError;
use super::file_kind::FileKind;
use super::output::print_notes;
use crate::describe::{DescribeError, DescribedLists, described_text, groups, prefix_lists};
use crate::text::unpacked;

/// The path that means standard input.
const STANDARD_INPUT: &str = "-";

/// The bytes of a file, or of standard input, without their compression with gzip.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    let bytes = if path == Path::new(STANDARD_INPUT) {
        let mut bytes = Vec::new();
        if io::stdin().is_terminal() {
            print_notes(&[
                "reading standard input; end it with Ctrl-D, or give a file instead".to_owned()
            ]);
        }
        io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        fs::read(path)
    };
    let bytes = bytes.and_then(|bytes| unpacked(bytes, u64::MAX));
    bytes.map_err(|source| CliError::Unreadable { name: name(path), source })
}

/// Whether the path means standard input.
pub(super) fn is_standard(path: &Path) -> bool {
    path == Path::new(STANDARD_INPUT)
}

/// What messages call the file.
pub(super) fn name(path: &Path) -> String {
    if path == Path::new(STANDARD_INPUT) {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    }
}

/// Refuses more than one `-`: the second reader of standard input would find nothing.
pub(super) fn read_once<'a>(paths: impl IntoIterator<Item = &'a Path>) -> Result<(), CliError> {
    match paths.into_iter().filter(|path| *path == Path::new(STANDARD_INPUT)).count() {
        0 | 1 => Ok(()),
        times => Err(CliError::StandardInputTwice { times }),
    }
}

/// Reads the groups of files that the AWS CLI wrote, as if they were one.
pub(super) fn groups_of<T>(
    paths: &[&Path],
    parse: impl Fn(&[u8]) -> Result<T, DescribeError>,
) -> Result<T, CliError> {
    let files = paths.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
    if let ([path], [file]) = (paths, files.as_slice()) {
        return parse(file).map_err(|error| no_groups(path, file, error));
    }
    let mut all = Vec::new();
    for (path, file) in paths.iter().zip(&files) {
        let text = described_text(file).map_err(|error| no_groups(path, file, error))?;
        all.extend_from_slice(text.as_bytes());
        all.push(b'\n');
    }
    parse(&all).map_err(|error| {
        // The same file has the same error when it is read alone, unless more pages follow in others.
        let alone = paths.iter().zip(&files).find_map(|(path, file)| match groups(file) {
            Ok(_) | Err(DescribeError::Partial) => None,
            Err(error) => Some(no_groups(path, file, error)),
        });
        let all = || CliError::Input { name: names(paths), source: Box::new(error) };
        alone.unwrap_or_else(all)
    })
}

/// Why there are no groups in a file.
fn no_groups(path: &Path, file: &[u8], error: DescribeError) -> CliError {
    let is_other = matches!(
        error,
        DescribeError::NotText | DescribeError::NotJson { .. } | DescribeError::NotGroups { .. }
    );
    let kind = is_other.then(|| FileKind::of_bytes(file)).flatten();
    match kind.filter(|kind| *kind != FileKind::Groups) {
        Some(kind) => CliError::NotGroups { name: name(path), kind },
        None => input(path, error),
    }
}

/// What messages call several files.
pub(super) fn names(paths: &[&Path]) -> String {
    paths.iter().map(|path| name(path)).collect::<Vec<_>>().join(", ")
}

fn input(path: &Path, error: DescribeError) -> CliError {
    CliError::Input { name: name(path), source: Box::new(error) }
}

/// The prefix lists of a file, if one is given.
pub(super) fn prefix_lists_of(path: Option<&Path>) -> Result<DescribedLists, CliError> {
    path.map_or_else(
        || Ok(DescribedLists::default()),
        |path| prefix_lists(&read(path)?).map_err(|error| input(path, error)),
    )
}

//! Files and standard input.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use super::CliError;
use crate::baseline::Lists;
use crate::describe::{DescribedGroup, fold, groups, prefix_lists};

/// What stands for standard input.
const STANDARD_INPUT: &str = "-";

/// A file's bytes, or those of standard input.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    let bytes = if path == Path::new(STANDARD_INPUT) {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        fs::read(path)
    };
    bytes.map_err(|source| CliError::Unreadable { name: name(path), source })
}

/// What messages call it.
pub(super) fn name(path: &Path) -> String {
    if path == Path::new(STANDARD_INPUT) {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    }
}

/// Refuses standard input in more than one place: the second reader would find it empty.
pub(super) fn read_once<'a>(paths: impl IntoIterator<Item = &'a Path>) -> Result<(), CliError> {
    match paths.into_iter().filter(|path| *path == Path::new(STANDARD_INPUT)).count() {
        0 | 1 => Ok(()),
        times => Err(CliError::StandardInputTwice { times }),
    }
}

/// The groups in a file.
pub(super) fn read_groups(path: &Path) -> Result<Vec<DescribedGroup>, CliError> {
    let bytes = read(path)?;
    groups(&bytes)
        .map_err(|error| CliError::Described { name: name(path), source: Box::new(error) })
}

/// The groups in a file, folded one by one into what `new` makes, as [`fold`] does.
pub(super) fn fold_groups<T>(
    path: &Path,
    new: impl Fn() -> T,
    take: impl FnMut(&mut T, DescribedGroup),
) -> Result<T, CliError> {
    let bytes = read(path)?;
    fold(&bytes, new, take)
        .map_err(|error| CliError::Described { name: name(path), source: Box::new(error) })
}

/// The prefix lists in a file, if there is one.
pub(super) fn read_lists(path: Option<&Path>) -> Result<Lists, CliError> {
    let Some(path) = path else { return Ok(Lists::new()) };
    let bytes = read(path)?;
    prefix_lists(&bytes)
        .map_err(|error| CliError::Described { name: name(path), source: Box::new(error) })
}

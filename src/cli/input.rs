//! Files and standard input.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use super::error::CliError;
use super::file_kind::FileKind;
use crate::describe::{DescribeError, DescribedLists, prefix_lists};

/// The path that means standard input.
const STANDARD_INPUT: &str = "-";

/// The bytes of a file, or of standard input, without their compression with gzip.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    let bytes = if path == Path::new(STANDARD_INPUT) {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        fs::read(path)
    };
    let bytes = bytes.and_then(|bytes| match bytes.as_slice() {
        // A trail's files have several members if somebody has joined them.
        [0x1f, 0x8b, ..] => {
            let mut text = Vec::new();
            MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut text).map(|_| text)
        }
        _ => Ok(bytes),
    });
    bytes.map_err(|source| CliError::Unreadable { name: name(path), source })
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

/// Reads the groups of a file that the AWS CLI wrote.
pub(super) fn groups_of<T>(
    path: &Path,
    parse: impl FnOnce(&[u8]) -> Result<T, DescribeError>,
) -> Result<T, CliError> {
    let bytes = read(path)?;
    parse(&bytes).map_err(|error| match error {
        DescribeError::NotJson { .. } | DescribeError::NotGroups { .. } => {
            match FileKind::of_bytes(&bytes).filter(|kind| *kind != FileKind::Groups) {
                Some(kind) => CliError::NotGroups { name: name(path), kind },
                None => input(path, error),
            }
        }
        error => input(path, error),
    })
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

//! The past as records tell it, and the present as groups do, from files or from an account.

use std::path::Path;

use super::error::CliError;
use super::input;
#[cfg(feature = "live")]
use super::live_history::read as in_account;
use super::records::{Reading, Sources, Told};
use crate::describe::{DescribedGroup, DescribedLists, groups};
use crate::history::{Book, By, Present};
use crate::settings::Settings;

/// Reads all of it.
///
/// # Errors
///
/// Where there is nothing to tell: no record, groups that are none, an account that lets nobody in.
pub(super) fn read(sources: &Sources<'_>, settings: &Settings) -> Result<Told, CliError> {
    if sources.live { in_account(sources, settings) } else { in_files(sources, settings) }
}

#[cfg(not(feature = "live"))]
fn in_account(_: &Sources<'_>, _: &Settings) -> Result<Told, CliError> {
    Err(CliError::NotLive)
}

fn in_files(sources: &Sources<'_>, settings: &Settings) -> Result<Told, CliError> {
    let paths = sources.files.iter().chain(sources.groups).map(AsRef::as_ref);
    let prefix_lists = sources.options.prefix_lists.as_deref();
    input::read_once(paths.chain(prefix_lists))?;
    let DescribedLists { lists, names } = input::prefix_lists_of(prefix_lists)?;
    let group_files: Vec<&Path> = sources.groups.iter().map(AsRef::as_ref).collect();
    let groups = match group_files.as_slice() {
        [] => None,
        files => {
            Some(input::groups_of(files, groups)?.into_iter().map(present).collect::<Vec<_>>())
        }
    };
    let (today, by) = (sources.until.date_naive(), By::names(&sources.options.auditor));
    let mut reading =
        Reading::new(Book::new(&settings.baseline, &lists, today, by).with_bindings(settings));
    reading.files(sources.files);
    if reading.book.counts().records == 0 {
        let names: Vec<&Path> = sources.files.iter().map(AsRef::as_ref).collect();
        let none = CliError::NoRecords { name: input::names(&names) };
        return Err(reading.faults.into_iter().next().unwrap_or(none));
    }
    let (history, notes, faults) = reading.close(groups.as_deref(), sources);
    Ok(Told { history, groups, lists, list_names: names, notes, faults })
}

fn present(described: DescribedGroup) -> Present {
    let DescribedGroup { place, group, rules } = described;
    Present { place, group, rules }
}

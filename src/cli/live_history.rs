//! The past of an account as CloudTrail tells it, held against its groups as they are now.

use std::collections::BTreeSet;

use super::error::CliError;
use super::input;
use super::live::{Account, Shown};
use super::records::{Reading, Sources, Told};
use crate::baseline::Lists;
use crate::ec2::{Group, GroupId, ListNames};
use crate::history::{Book, By, Present};
use crate::settings::Settings;

/// Looks up the past of the regions of the options.
pub(super) fn read(sources: &Sources<'_>, settings: &Settings) -> Result<Told, CliError> {
    input::read_once(sources.files.iter().map(AsRef::as_ref))?;
    let account = Account::log_in(&sources.options.account)?;
    let Shown { groups, whole, mut faults } = account.groups();
    let mut lists = Lists::new();
    faults.extend(account.look_up(account.lists_of(&settings.baseline), &mut lists));
    let of_rules = groups.iter().flat_map(|Present { place, rules, .. }| {
        rules.iter().filter_map(|rule| Some((place.clone(), rule.peer().list()?.clone())))
    });
    faults.extend(account.look_up(of_rules.collect(), &mut lists));

    let (today, by) = (sources.until.date_naive(), By::names(&sources.options.auditor));
    let mut reading =
        Reading::new(Book::new(&settings.baseline, &lists, today, by).with_bindings(settings));
    reading.faults = faults;
    reading.files(sources.files);
    let (from, now) = (sources.from, sources.now);
    let failed = account.past_calls(from, now, |record| reading.book.record(record));
    for place in &account.places {
        if !failed.iter().any(|(of, _)| of == place) {
            reading.book.is_whole(place, from, now);
        }
    }
    reading.faults.extend(failed.into_iter().map(|(_, fault)| fault));
    let mut all = lists.clone();
    reading.faults.extend(account.look_up(reading.book.lists(), &mut all));
    reading.book.set_lists(&all);
    // Where every group was read, those that are not among them are no more.
    let there: BTreeSet<GroupId> = groups.iter().map(|shown| shown.group.id.clone()).collect();
    let mut with_gone = groups.clone();
    for (place, id) in reading.book.groups() {
        if whole.contains(&place) && !there.contains(&id) {
            let group = Group::known_by_id(id);
            with_gone.push(Present { place, group, rules: Vec::new() });
        }
    }
    let (history, notes, faults) = reading.close(Some(&with_gone), sources);
    let list_names = ListNames::new();
    Ok(Told { history, groups: Some(groups), lists: all, list_names, notes, faults })
}

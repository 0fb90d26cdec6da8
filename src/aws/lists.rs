//! Prefix lists: what they hold is read once for each version, and kept across invocations.

use std::collections::HashMap;
use std::sync::Mutex;

use ipnet::IpNet;

use super::clients::At;
use super::connection_pool::locked;
use crate::ec2::{Ec2Error, ListId, ListState, Missing, Place, PrefixList, cause};

/// The largest page that `GetManagedPrefixListEntries` gives.
const ENTRIES_A_PAGE: i32 = 100;

/// So many lists are kept. A list has at most 1,000 entries, so together they stay under 5 MB.
const LISTS_KEPT: usize = 256;

/// The entries of lists by place and id, each in the newest version that was read.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<HashMap<(Place, ListId), Version>>);

#[derive(Debug)]
struct Version {
    number: i64,
    entries: Vec<IpNet>,
}

impl Kept {
    /// The entries in that version.
    fn get(&self, place: &Place, id: &ListId, version: i64) -> Option<Vec<IpNet>> {
        let kept = locked(&self.0);
        let kept = kept.get(&(place.clone(), id.clone()))?;
        (kept.number == version).then(|| kept.entries.clone())
    }

    fn keep(&self, place: &Place, id: &ListId, number: i64, entries: Vec<IpNet>) {
        let mut kept = locked(&self.0);
        let key = (place.clone(), id.clone());
        // EC2 is eventually consistent: an older version may be told of after a newer one.
        if kept.get(&key).is_some_and(|kept| kept.number > number) {
            return;
        }
        if kept.len() >= LISTS_KEPT && !kept.contains_key(&key) {
            // Which one goes does not matter: it is read anew.
            let any = kept.keys().next().cloned();
            any.map(|any| kept.remove(&any));
        }
        kept.insert(key, Version { number, entries });
    }
}

/// The list as it is now. Its version and state cost a call each time; its entries only where they
/// are not known in that version. A list without a version, as AWS's own are, is always read.
pub(super) async fn prefix_list(
    at: &At,
    kept: &Kept,
    place: &Place,
    id: &ListId,
) -> Result<PrefixList, Ec2Error> {
    const ACTION: &str = "DescribeManagedPrefixLists";
    let request = at.client.describe_managed_prefix_lists().prefix_list_ids(id.as_str());
    let answer = request.send().await.map_err(at.failed(ACTION))?;
    let Some(list) = answer.prefix_lists().first() else {
        let cause = cause(format!("there is no prefix list {id}"));
        return Err(Ec2Error::NotFound { action: ACTION, missing: Missing::Other, cause });
    };
    let name = list.prefix_list_name().filter(|name| !name.is_empty()).map(ToOwned::to_owned);
    let version = list.version();
    let state = list.state().map(|state| state_of(state.as_str())).unwrap_or_default();
    if let Some(entries) = version.and_then(|version| kept.get(place, id, version)) {
        return Ok(PrefixList { name, entries, version, state });
    }
    let entries = entries(at, id, version).await?;
    if let Some(version) = version {
        kept.keep(place, id, version, entries.clone());
    }
    Ok(PrefixList { name, entries, version, state })
}

/// `modify-in-progress`, `restore-failed`, `create-complete` and their like.
fn state_of(state: &str) -> ListState {
    if state.ends_with("-in-progress") {
        ListState::Changing
    } else if state.ends_with("-failed") {
        ListState::Failed
    } else {
        ListState::Settled
    }
}

/// The entries of the list in that version, else of what it is while it is read.
async fn entries(at: &At, id: &ListId, version: Option<i64>) -> Result<Vec<IpNet>, Ec2Error> {
    const ACTION: &str = "GetManagedPrefixListEntries";
    let mut pages = at
        .client
        .get_managed_prefix_list_entries()
        .prefix_list_id(id.as_str())
        .set_target_version(version)
        .max_results(ENTRIES_A_PAGE)
        .into_paginator()
        .send();
    let mut entries = Vec::new();
    while let Some(page) = pages.next().await {
        for entry in page.map_err(at.failed(ACTION))?.entries() {
            let cidr = entry.cidr().unwrap_or_default();
            let net: IpNet = cidr.parse().map_err(|_| Ec2Error::Refused {
                action: ACTION,
                code: "UnreadableEntry".to_owned(),
                cause: cause(format!("{id} has an entry `{cidr}`")),
            })?;
            entries.push(net.trunc());
        }
    }
    Ok(entries)
}

//! Changes of managed prefix lists.

use ipnet::IpNet;

use super::call::ListCall;
use super::error::NotUnderstood;
use super::list_change::ListChange;
use super::model::{Event, Kind, NotAudited};
use super::record::Record;
use super::wire::Node;

/// The members of a request that say which list it is about, and the two that change only the
/// list's name and size.
const NO_ENTRIES: [&str; 5] =
    ["PrefixListId", "CurrentVersion", "DryRun", "PrefixListName", "MaxEntries"];

/// The members of a request that add and remove entries. The list of either goes by two names.
const ADDED: [&str; 2] = ["AddEntry", "AddEntries"];
const REMOVED: [&str; 2] = ["RemoveEntry", "RemoveEntries"];

/// What a call did to a list. `is_told` is whether the record tells what was done.
///
/// Added and removed entries make a new version, and so does a restore. Another name or size does
/// not (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyManagedPrefixList.html>).
pub(super) fn read(node: Node<'_>, record: Record, call: ListCall, is_told: bool) -> Event {
    let (request, response) = (request(node, call), response(node, call));
    let ids = [request.member("PrefixListId"), response.member("prefixListId")];
    let Some(list) = ids.into_iter().filter_map(Node::string).find_map(|id| id.parse().ok()) else {
        let call = record.event_name.clone().unwrap_or_default();
        return Event::undecodable(record, &NotUnderstood::NoList { call });
    };
    let name = response.member("prefixListName").readable().filter(|name| !name.is_empty());
    let mut change = ListChange {
        list,
        name,
        version_before: None,
        added: Vec::new(),
        removed: None,
        restored: None,
    };
    if is_told && !request.is_omitted() {
        let makes_version = match call {
            ListCall::Modify if only_renames_or_resizes(request) => {
                return Event::ignored(record, "it changes the list's name or size only");
            }
            ListCall::Modify => {
                change.added = entries(request, ADDED);
                change.removed = removed(request);
                let mut lists = ADDED.into_iter().chain(REMOVED);
                lists.any(|list| has_entries(request.member(list)))
            }
            ListCall::Restore => {
                change.restored = request.member("PreviousVersion").number().ok().flatten();
                true
            }
            ListCall::Unknown => false,
        };
        if makes_version {
            // A number that cannot be read is not one to wait for.
            change.version_before = request.member("CurrentVersion").number().ok().flatten();
        }
    }
    Event::new(record, Kind::List(change))
}

/// These newer calls have the request in a member that is named after the call.
fn request(node: Node<'_>, call: ListCall) -> Node<'_> {
    let parameters = node.member("requestParameters");
    match call {
        ListCall::Modify => parameters.within("ModifyManagedPrefixListRequest"),
        ListCall::Restore => parameters.within("RestoreManagedPrefixListVersionRequest"),
        ListCall::Unknown => parameters,
    }
}

/// The list in the response.
fn response(node: Node<'_>, call: ListCall) -> Node<'_> {
    let elements = node.member("responseElements");
    let elements = match call {
        ListCall::Modify => elements.within("ModifyManagedPrefixListResponse"),
        ListCall::Restore => elements.within("RestoreManagedPrefixListVersionResponse"),
        ListCall::Unknown => elements,
    };
    elements.member("prefixList")
}

/// Whether all members of the request are among these.
fn has_only(request: Node<'_>, known: impl Iterator<Item = &'static str> + Clone) -> bool {
    request.names().all(|name| known.clone().any(|known| known.eq_ignore_ascii_case(name)))
}

/// Whether the request names a new name or size, and nothing that could be entries.
fn only_renames_or_resizes(request: Node<'_>) -> bool {
    let is_named = |name| !request.member(name).is_absent();
    has_only(request, NO_ENTRIES.into_iter())
        && (is_named("PrefixListName") || is_named("MaxEntries"))
}

/// The entries in these lists that can be read.
fn entries(request: Node<'_>, lists: [&'static str; 2]) -> Vec<IpNet> {
    let entries =
        lists.into_iter().flat_map(|list| request.member(list).items("Cidr").unwrap_or_default());
    entries.filter_map(cidr).collect()
}

/// The removed entries, if all of them can be read and nothing else in the request may remove some.
fn removed(request: Node<'_>) -> Option<Vec<IpNet>> {
    let known = NO_ENTRIES.into_iter().chain(ADDED).chain(REMOVED);
    if !request.has_members() || !has_only(request, known) {
        return None;
    }
    let mut removed = Vec::new();
    for list in REMOVED {
        for entry in request.member(list).items("Cidr").ok()? {
            removed.push(cidr(entry)?);
        }
    }
    Some(removed)
}

/// The address block of an entry, if it can be read. EC2 drops host bits.
fn cidr(entry: Node<'_>) -> Option<IpNet> {
    let cidr: IpNet = entry.member("Cidr").readable()?.trim().parse().ok()?;
    Some(cidr.trunc())
}

/// A list that was created, where the record names it. A request that cannot be read completely
/// tells no entries.
pub(super) fn created(node: Node<'_>) -> Option<NotAudited> {
    let request = node.member("requestParameters").within("CreateManagedPrefixListRequest");
    let response = node.member("responseElements").within("CreateManagedPrefixListResponse");
    let list = response.member("prefixList").member("prefixListId").id().ok().flatten()?;
    let written = ["Entry", "Entries"];
    let all = written.iter().map(|list| request.member(list).items("Cidr").map(|it| it.len()));
    let all: Option<usize> = all.map(Result::ok).sum();
    let entries = entries(request, written);
    let is_whole = !request.is_omitted() && request.has_members() && all == Some(entries.len());
    Some(NotAudited::ListCreated { list, entries: is_whole.then_some(entries) })
}

/// Whether there are entries, readable or not.
fn has_entries(list: Node<'_>) -> bool {
    list.items("Cidr").map_or(true, |entries| !entries.is_empty())
}

//! Changes of managed prefix lists.

use ipnet::IpNet;

use super::call::ListCall;
use super::verdict::{ignored, undecodable};
use super::wire::Node;
use super::{Event, ListChange, Record};
use crate::ec2::ids::is_list_id;

/// Members of a request that say which list it is about, and the two that change nothing but its
/// name and its size.
const NO_ENTRIES: [&str; 5] =
    ["PrefixListId", "CurrentVersion", "DryRun", "PrefixListName", "MaxEntries"];

/// What a call did to a list. `untold` where the record does not tell what was done.
///
/// A new version comes of added and removed entries and of a restore, not of another name or size.
/// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyManagedPrefixList.html>)
pub(super) fn read(node: Node<'_>, record: Record, call: ListCall, untold: bool) -> Event {
    let (request, response) = (request(node, call), response(node, call));
    let ids = [request.member("PrefixListId"), response.member("prefixListId")];
    let Some(list) = ids.into_iter().filter_map(Node::string).find(|id| is_list_id(id)) else {
        let name = record.event_name.clone().unwrap_or_default();
        let reason = format!("`{name}` changes a prefix list, and does not say which");
        return undecodable(record, &reason);
    };
    let mut change = ListChange { record, list, version_before: None, added: Vec::new() };
    if untold || request.is_omitted() {
        return Event::List(Box::new(change));
    }
    let makes_version = match call {
        ListCall::Modify if only_renames_or_resizes(request) => {
            return ignored(&change.record, "it changes the list's name or size only");
        }
        ListCall::Modify => {
            change.added = added(request);
            ["AddEntry", "AddEntries", "RemoveEntry", "RemoveEntries"]
                .into_iter()
                .any(|list| has_entries(request.member(list)))
        }
        ListCall::Restore => true,
        ListCall::Unknown => false,
    };
    if makes_version {
        // A number that cannot be read is none to wait for.
        change.version_before = request.member("CurrentVersion").number().ok().flatten();
    }
    Event::List(Box::new(change))
}

/// These newer calls have the request in a member of its own name.
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

/// Whether the request names a new name or size, and nothing that could be entries.
fn only_renames_or_resizes(request: Node<'_>) -> bool {
    let is_known = |name: &str| NO_ENTRIES.iter().any(|known| known.eq_ignore_ascii_case(name));
    let is_named = |name| !request.member(name).is_absent();
    request.names().all(is_known) && (is_named("PrefixListName") || is_named("MaxEntries"))
}

/// The entries that were added, those of them that can be read. EC2 drops host bits.
fn added(request: Node<'_>) -> Vec<IpNet> {
    let lists = ["AddEntry", "AddEntries"].into_iter();
    let entries = lists.flat_map(|list| request.member(list).items("Cidr").unwrap_or_default());
    let cidrs = entries.filter_map(|entry| entry.member("Cidr").told());
    cidrs.filter_map(|cidr| cidr.trim().parse::<IpNet>().ok()).map(|cidr| cidr.trunc()).collect()
}

/// Whether there are entries, readable or not.
fn has_entries(list: Node<'_>) -> bool {
    list.items("Cidr").map_or(true, |entries| !entries.is_empty())
}

//! Laws for a record that lost something on the way: it is still a change, perhaps one that is not
//! understood, or it is undecodable.

use serde_json::{Value, json};

use super::super::{Event, Kind, decode};
use super::laws::{places, remove};
use super::samples::FILES;
use super::{line, record};

/// Records that changed something.
fn changes() -> Vec<(String, Value)> {
    let samples = FILES.iter().filter(|(name, _)| {
        ["authorize", "create-tags", "delete-tags", "modify", "restore", "revoke", "member"]
            .iter()
            .any(|start| name.starts_with(start))
    });
    let mut changes: Vec<(String, Value)> = samples
        .map(|(name, bytes)| (name.clone(), serde_json::from_slice(bytes).unwrap()))
        .collect();
    let several = json!({
        "resourcesSet": {"items": [{"resourceId": "sg-1"}, {"resourceId": "sg-2"}]},
        "tagSet": {"items": [{"key": "a", "value": "1"}, {"key": "b"}]}});
    let entries = json!({"PrefixListId": "pl-1", "CurrentVersion": 3,
        "AddEntry": [{"Cidr": "10.0.0.0/8"}, {"Cidr": "0.0.0.0/1"}],
        "RemoveEntry": {"Cidr": "192.0.2.0/24"}});
    changes.push(("several-tags".to_owned(), record("DeleteTags", several, Value::Null)));
    let nested = json!({"ModifyManagedPrefixListRequest": entries});
    changes.push(("entries".to_owned(), record("ModifyManagedPrefixList", nested, Value::Null)));
    changes
}

/// The request, the response, and every place in them.
fn losable(change: &Value) -> Vec<String> {
    let mut all = Vec::new();
    places(change, "", &mut all);
    all.retain(|at| at.contains("/requestParameters") || at.contains("/responseElements"));
    all
}

fn is_ignored(events: &[Event]) -> bool {
    events.iter().all(|event| matches!(event.kind, Kind::Ignored(_)))
}

#[test]
fn no_loss_makes_a_change_ignored() {
    let marks = [json!(null), json!({}), json!(""), json!("[...]"), json!({"omitted": true})];
    for (name, change) in changes() {
        for place in losable(&change) {
            let mut lost = change.clone();
            remove(&mut lost, &place);
            let mut all = vec![lost];
            for mark in &marks {
                let mut lost = change.clone();
                *lost.pointer_mut(&place).unwrap() = mark.clone();
                all.push(lost);
            }
            for lost in all {
                let events = decode(lost.to_string().as_bytes());
                assert!(!is_ignored(&events), "{name} without {place}: {lost}");
            }
        }
    }
}

#[test]
fn no_cut_makes_a_change_ignored() {
    for (name, change) in changes() {
        let whole = change.to_string();
        for length in (0..whole.len()).step_by(7) {
            let Some(cut) = whole.get(..length) else { continue };
            let events = decode(cut.as_bytes());
            assert!(!is_ignored(&events), "{name} cut at {length}");
        }
    }
}

/// A record with something missing never has more entries or groups than the whole record.
#[test]
fn no_loss_adds_an_entry_or_a_group() {
    for (name, change) in changes() {
        let found = |change: &Value| -> Vec<(Vec<String>, Option<i64>)> {
            let of = |event: &Event| match &event.kind {
                Kind::List(list) => {
                    let added = list.added.iter().map(ToString::to_string);
                    Some((added.collect(), list.version_before))
                }
                Kind::Tags(tags) => {
                    Some((tags.groups.iter().map(ToString::to_string).collect(), None))
                }
                _ => None,
            };
            decode(change.to_string().as_bytes()).iter().filter_map(of).collect()
        };
        let whole = found(&change);
        for place in losable(&change) {
            let mut lost = change.clone();
            remove(&mut lost, &place);
            for (some, version) in found(&lost) {
                let is_in_whole = whole.iter().any(|(all, before)| {
                    some.iter().all(|one| all.contains(one))
                        && (version.is_none() || version == *before)
                });
                let lines: Vec<_> = decode(lost.to_string().as_bytes()).iter().map(line).collect();
                assert!(is_in_whole, "{name} without {place}: {lines:?}");
            }
        }
    }
}

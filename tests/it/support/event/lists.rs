//! Changes of managed prefix lists.

use serde_json::{Value, json};

use super::{envelope, uuid};

/// The event of a `ModifyManagedPrefixList`: an object for one entry, an array for several.
pub fn of_list_change(list: &str, version: i64, add: &[&str], remove: &[&str]) -> Value {
    let entries = |cidrs: &[&str]| {
        let entries = cidrs.iter().zip(1..).map(|(cidr, tag)| json!({"Cidr": cidr, "tag": tag}));
        let mut entries: Vec<Value> = entries.collect();
        if entries.len() == 1 { entries.remove(0) } else { entries.into() }
    };
    let mut request = json!({"PrefixListId": list, "CurrentVersion": version});
    for (member, cidrs) in [("AddEntry", add), ("RemoveEntry", remove)] {
        if !cidrs.is_empty() {
            request[member] = entries(cidrs);
        }
    }
    of_list("ModifyManagedPrefixList", list, version, &request)
}

/// The event of a `RestoreManagedPrefixListVersion`, which says of no entry what became of it.
pub fn of_list_restore(list: &str, version: i64, restored: i64) -> Value {
    let request =
        json!({"PrefixListId": list, "PreviousVersion": restored, "CurrentVersion": version});
    of_list("RestoreManagedPrefixListVersion", list, version, &request)
}

fn of_list(name: &str, list: &str, version: i64, request: &Value) -> Value {
    let response = json!({
        "xmlns": "http://ec2.amazonaws.com/doc/2016-11-15/",
        "prefixList": {"prefixListId": list, "state": "modify-in-progress", "version": version},
        "requestId": uuid(),
    });
    let request = json!({ format!("{name}Request"): request });
    envelope(name, request, json!({ format!("{name}Response"): response }))
}

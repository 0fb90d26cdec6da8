//! Changes of managed prefix lists.

use serde_json::{Value, json};

use super::{lines_of, record};

const MODIFY: &str = "ModifyManagedPrefixList";

const RESTORE: &str = "RestoreManagedPrefixListVersion";

/// A Modify call with these members, as CloudTrail nests them.
fn modify(members: Value) -> Vec<String> {
    let mut request = json!({"PrefixListId": "pl-1", "CurrentVersion": 3});
    request.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    lines_of(&record(MODIFY, json!({"ModifyManagedPrefixListRequest": request}), Value::Null))
}

#[test]
fn added_and_removed_entries_make_a_new_version() {
    let entry = |cidr: &str| json!({"Cidr": cidr, "Description": "home", "tag": 1});
    let cases = [
        (json!({"AddEntry": entry("0.0.0.0/1")}), "+0.0.0.0/1"),
        (json!({"AddEntry": {"cidr": "0.0.0.0/1", "tag": "1"}}), "+0.0.0.0/1"),
        (
            json!({"AddEntry": [entry("0.0.0.0/1"), entry("128.0.0.0/1")]}),
            "+0.0.0.0/1 +128.0.0.0/1",
        ),
        (json!({"AddEntries": {"items": [entry("2001:db8::1/32")]}}), "+2001:db8::/32"),
        (json!({"AddEntry": entry("203.0.113.9/0")}), "+0.0.0.0/0"),
        (
            json!({"AddEntry": entry("0.0.0.0/1"), "RemoveEntry": entry("10.0.0.0/8")}),
            "+0.0.0.0/1 -10.0.0.0/8",
        ),
        (json!({"AddEntry": entry("0.0.0.0/1"), "PrefixListName": "x"}), "+0.0.0.0/1"),
        (json!({"AddEntry": entry("0.0.0.0/1"), "CurrentVersion": "3"}), "+0.0.0.0/1"),
        // Entries that cannot be read make a new version too.
        (json!({"AddEntry": [entry("0.0.0.0/1"), entry("[...]"), {}]}), "+0.0.0.0/1"),
    ];
    for (members, added) in cases {
        assert_eq!(
            modify(members.clone()),
            [format!("pl-1 after version 3: {added}")],
            "{members}"
        );
    }
    let without_added = [
        (json!({"RemoveEntry": entry("10.0.0.9/8")}), " -10.0.0.0/8"),
        (
            json!({"RemoveEntries": [entry("10.0.0.0/8"), entry("192.0.2.0/24")]}),
            " -10.0.0.0/8 -192.0.2.0/24",
        ),
        (json!({"AddEntry": {"omitted": true}}), ""),
        (json!({"AddEntries": "[...]"}), ""),
        // What was removed is known completely or not at all.
        (json!({"RemoveEntry": [entry("10.0.0.0/8"), entry("[...]")]}), " -?"),
        (json!({"RemoveEntry": {"omitted": true}}), " -?"),
        (json!({"RemoveEntry": entry("10.0.0.0/8"), "SomethingNew": 1}), " -?"),
    ];
    for (members, removed) in without_added {
        let line = format!("pl-1 after version 3:{removed}");
        assert_eq!(modify(members.clone()), [line], "{members}");
    }
    for version in [Value::Null, json!("x"), json!({}), json!(1.5)] {
        let members = json!({"AddEntry": entry("0.0.0.0/1"), "CurrentVersion": version});
        assert_eq!(modify(members), ["pl-1 after version ?: +0.0.0.0/1"]);
    }
}

#[test]
fn a_call_that_only_changes_the_name_or_size_is_ignored() {
    let ignored = "ignored: `ModifyManagedPrefixList`: it changes the list's name or size only";
    for members in [
        json!({"PrefixListName": "office"}),
        json!({"MaxEntries": 20}),
        json!({"prefixListName": "office", "maxEntries": "20"}),
    ] {
        assert_eq!(modify(members), [ignored]);
    }
    for members in [
        json!({}),
        json!({"PrefixListName": ""}),
        json!({"PrefixListName": "office", "AddEntry": null}),
        json!({"PrefixListName": "office", "RemoveEntry": {}}),
        json!({"PrefixListName": "office", "IpamPrefixListResolverSyncEnabled": true}),
        json!({"MaxEntries": 20, "omitted": true}),
    ] {
        let line = &modify(members.clone())[0];
        assert_eq!(line.trim_end_matches(" -?"), "pl-1 after version ?:", "{members}");
    }
}

#[test]
fn a_restore_makes_a_new_version() {
    let members = json!({"PrefixListId": "pl-1", "CurrentVersion": 4, "PreviousVersion": 2});
    let nested = json!({"RestoreManagedPrefixListVersionRequest": members});
    let small = json!({"prefixListId": "pl-1", "currentVersion": "4", "previousVersion": 2.0});
    for request in [nested, members, small] {
        assert_eq!(lines_of(&record(RESTORE, request, Value::Null)), ["pl-1 after version 4: -?"]);
    }
}

#[test]
fn the_list_is_found_in_the_request_or_the_response() {
    let flat = json!({"prefixListId": "pl-1", "currentVersion": 3, "addEntries": [
        {"cidr": "0.0.0.0/1"},
    ]});
    let modify = |request: Value, response: Value| lines_of(&record(MODIFY, request, response));
    assert_eq!(modify(flat, Value::Null), ["pl-1 after version 3: +0.0.0.0/1"]);

    let list = json!({"prefixList": {"prefixListId": "pl-2", "version": 3}});
    let nested = json!({"ModifyManagedPrefixListResponse": list});
    let undecodable =
        "undecodable: `ModifyManagedPrefixList` changes a prefix list and does not say which";
    for request in
        [json!({"omitted": true}), Value::Null, json!("[...]"), json!({"PrefixListId": 7})]
    {
        for response in [&list, &nested] {
            let line = &modify(request.clone(), response.clone())[0];
            assert_eq!(line.trim_end_matches(" -?"), "pl-2 after version ?:");
        }
        assert_eq!(modify(request, json!({"omitted": true})), [undecodable]);
    }
    for id in ["", "pl-", "sg-1", "pl-1 --region x", &format!("pl-{}", "0".repeat(40))] {
        assert_eq!(modify(json!({"PrefixListId": id}), Value::Null), [undecodable], "{id}");
    }
    // A call that may be new.
    assert_eq!(
        lines_of(&record("ReplaceManagedPrefixListEntries", json!({"PrefixListId": "pl-1"}), list)),
        ["pl-1 after version ?: -?"]
    );
}

#[test]
fn a_record_that_does_not_tell_the_entries_is_still_a_change() {
    let members = json!({"PrefixListId": "pl-1", "CurrentVersion": 3, "MaxEntries": 20});
    let ended = |members: Value| {
        let mut event = record(MODIFY, members, Value::Null);
        let mut with = |name: &str, value: Value| {
            let before = event.clone();
            event[name] = value;
            let lines = lines_of(&event);
            event = before;
            lines
        };
        assert_eq!(with("omitted", json!(true)), ["pl-1 after version ?: -?"]);
        assert_eq!(with("errorCode", json!("Server.InternalError")), ["pl-1 after version ?: -?"]);
        let refused =
            "ignored: the call failed (Client.PrefixListVersionMismatch) and changed nothing";
        assert_eq!(with("errorCode", json!("Client.PrefixListVersionMismatch")), [refused]);
    };
    ended(members.clone());
    let mut entries = members;
    entries["AddEntry"] = json!({"Cidr": "0.0.0.0/1"});
    ended(entries);
}

use serde_json::{Value, json};

use super::*;
use crate::ec2::{Group, Place};

const OPEN: &str = "0.0.0.0/0";

fn of(records: &[Value]) -> Vec<String> {
    lines(&history(records, &Lists::new(), None))
}

#[test]
fn a_rule_that_is_opened_and_closed_is_one_opening() {
    let opened = authorize("a", 5, "sgr-1", 22, OPEN);
    for closed in [
        revoke("b", 9, 22, OPEN),
        revoke_id("b", 9, "sgr-1"),
        modify("b", 9, "sgr-1", 443, OPEN),
        call("b", "DeleteSecurityGroup", 9, json!({"groupId": GROUP}), json!({"_return": true})),
    ] {
        assert_eq!(of(&[closed, opened.clone()]), ["tcp 22 from 0.0.0.0/0: 5 (a) to 9 (b)"]);
    }
    assert_eq!(of(&[opened]), ["tcp 22 from 0.0.0.0/0: 5 (a) to not seen"]);
}

#[test]
fn what_complies_or_failed_is_no_opening() {
    let mut failed = authorize("a", 5, "sgr-1", 22, OPEN);
    failed["errorCode"] = json!("Client.UnauthorizedOperation");
    let complying = authorize("b", 6, "sgr-2", 443, OPEN);
    let other = call("c", "RunInstances", 7, json!({}), Value::Null);
    assert_eq!(of(&[failed, complying, revoke("d", 8, 443, OPEN), other]), [""; 0]);
}

#[test]
fn what_was_opened_before_the_first_record_is_said() {
    assert_eq!(
        of(&[revoke("b", 9, 22, OPEN)]),
        ["tcp 22 from 0.0.0.0/0: between ? and 9 to 9 (b)"]
    );
    // It was there once more, and nobody recorded who added it.
    assert_eq!(
        of(&[
            authorize("a", 1, "sgr-1", 22, OPEN),
            revoke("b", 3, 22, OPEN),
            revoke("c", 9, 22, OPEN)
        ]),
        [
            "tcp 22 from 0.0.0.0/0: 1 (a) to 3 (b)",
            "tcp 22 from 0.0.0.0/0: between 3 and 9 to 9 (c)"
        ]
    );
}

#[test]
fn what_was_closed_in_a_gap_is_said() {
    assert_eq!(
        of(&[authorize("a", 1, "sgr-1", 22, OPEN), authorize("b", 9, "sgr-2", 22, OPEN)]),
        [
            "tcp 22 from 0.0.0.0/0: 1 (a) to between 1 and 9",
            "tcp 22 from 0.0.0.0/0: 9 (b) to not seen"
        ]
    );
}

#[test]
fn a_change_that_cannot_be_read_may_have_closed_it() {
    let opened = authorize("a", 1, "sgr-1", 22, OPEN);
    let unread = call("b", "ReplaceSecurityGroupRules", 5, json!({"groupId": GROUP}), Value::Null);
    let perhaps = "tcp 22 from 0.0.0.0/0: 1 (a) to perhaps 5 (b)";
    assert_eq!(of(&[opened.clone(), unread.clone()]), [perhaps]);
    let closed = of(&[opened.clone(), unread, revoke("c", 9, 22, OPEN)]);
    assert_eq!(closed, ["tcp 22 from 0.0.0.0/0: 1 (a) to 9 (c)"]);
    // An old record has no ids, so nobody knows which rule this id is.
    let mut old = opened;
    old["responseElements"] = json!({"_return": true});
    assert_eq!(of(&[old, revoke_id("b", 5, "sgr-7")]), [perhaps]);
}

#[test]
fn a_rule_modified_in_place_is_one_opening_for_each_content() {
    assert_eq!(
        of(&[
            authorize("a", 1, "sgr-1", 443, OPEN),
            modify("b", 3, "sgr-1", 22, OPEN),
            modify("c", 5, "sgr-1", 3306, OPEN),
            revoke_id("d", 9, "sgr-1"),
        ]),
        ["tcp 22 from 0.0.0.0/0: 3 (b) to 5 (c)", "tcp 3306 from 0.0.0.0/0: 5 (c) to 9 (d)"]
    );
    // Whether it is an ingress rule no record tells.
    assert_eq!(
        of(&[modify("b", 3, "sgr-1", 22, OPEN)]),
        ["tcp 22 from 0.0.0.0/0, direction assumed: 3 (b) to not seen"]
    );
}

#[test]
fn reverts_by_the_auditor_are_recognised() {
    let mut closed = revoke("b", 2, 22, OPEN);
    closed["userIdentity"] = json!({
        "type": "AssumedRole", "accountId": "123456789012",
        "arn": "arn:aws:sts::123456789012:assumed-role/typo3-sg-auditor-Role-1/typo3-sg-auditor-Fn",
    });
    assert_eq!(
        of(&[authorize("a", 1, "sgr-1", 22, OPEN), closed]),
        ["tcp 22 from 0.0.0.0/0: 1 (a) to 2 (b, auditor)"]
    );
}

fn list_call(id: &str, minute: i64, version: i64, change: &Value) -> Value {
    let mut request = json!({"PrefixListId": "pl-1", "CurrentVersion": version});
    request.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    let list = json!({"prefixList": {"prefixListId": "pl-1"}});
    call(
        id,
        "ModifyManagedPrefixList",
        minute,
        json!({"ModifyManagedPrefixListRequest": request}),
        json!({"ModifyManagedPrefixListResponse": list}),
    )
}

fn from_list(id: &str, minute: i64) -> Value {
    let mut record = authorize(id, minute, "sgr-1", 22, OPEN);
    let item = &mut record["responseElements"]["securityGroupRuleSet"]["items"][0];
    item["cidrIpv4"] = Value::Null;
    item["prefixListId"] = json!("pl-1");
    record["requestParameters"]["cidrIp"] = Value::Null;
    record["requestParameters"]["prefixListId"] = json!("pl-1");
    record
}

#[test]
fn a_list_that_grows_and_shrinks_opens_and_closes() {
    let created = call(
        "a",
        "CreateManagedPrefixList",
        0,
        json!({"CreateManagedPrefixListRequest": {"PrefixListName": "x", "MaxEntries": 9,
            "Entry": {"Cidr": "10.0.0.0/8", "tag": 1}}}),
        json!({"CreateManagedPrefixListResponse": {"prefixList": {"prefixListId": "pl-1"}}}),
    );
    let grown = list_call("c", 3, 1, &json!({"AddEntry": {"Cidr": "198.51.100.0/24"}}));
    let shrunk = list_call("d", 7, 2, &json!({"RemoveEntry": {"Cidr": "198.51.100.0/24"}}));
    let both = [
        "tcp 22 from pl-1 (tcp 22 from 10.0.0.0/8): 1 (b) to 3 (c)",
        "tcp 22 from pl-1 (tcp 22 from 10.0.0.0/8, 198.51.100.0/24): 3 (c) to 7 (d)",
        "tcp 22 from pl-1 (tcp 22 from 10.0.0.0/8): 7 (d) to not seen",
    ];
    let records = [shrunk.clone(), from_list("b", 1), grown.clone(), created];
    assert_eq!(of(&records), both);
    // The same follows backwards from what the list holds now.
    let lists = Lists::from([("pl-1".parse().unwrap(), Ok(vec!["10.0.0.0/8".parse().unwrap()]))]);
    let later = [from_list("b", 1), grown.clone(), shrunk.clone()];
    assert_eq!(lines(&history(&later, &lists, None)), both);
    // Where a change is missing, what was before it is not known.
    let much_later = list_call("d", 7, 5, &json!({"RemoveEntry": {"Cidr": "198.51.100.0/24"}}));
    let gap = lines(&history(&[from_list("b", 1), grown, much_later], &lists, None));
    assert_eq!(
        gap,
        [
            "tcp 22 from pl-1 (): 1 (b) to 7 (d)",
            "tcp 22 from pl-1 (tcp 22 from 10.0.0.0/8): 7 (d) to not seen",
        ]
    );
}

fn present(rules: &[(&str, u16)]) -> Vec<Present> {
    let rule = |(id, port): &(&str, u16)| {
        let port = Some(i32::from(*port));
        let direction = crate::ec2::Direction::Ingress;
        crate::ec2::Rule::new(
            direction,
            crate::ec2::Protocol::TCP,
            port,
            port,
            OPEN.parse().unwrap(),
        )
        .unwrap()
        .with_id(id.parse().ok())
    };
    let mut group = Group::known_by_id(GROUP.parse().unwrap());
    group.name = Some("web".to_owned());
    let rules = rules.iter().map(rule).collect();
    vec![Present { place: Place::default(), group, rules }]
}

#[test]
fn the_groups_as_they_are_decide_what_is_open() {
    let opened = [authorize("a", 1, "sgr-1", 22, OPEN)];
    let held_against =
        |rules: &[(&str, u16)]| lines(&history(&opened, &Lists::new(), Some(&present(rules))));
    assert_eq!(held_against(&[("sgr-1", 22)]), ["tcp 22 from 0.0.0.0/0: 1 (a) to open"]);
    assert_eq!(held_against(&[]), ["tcp 22 from 0.0.0.0/0: 1 (a) to between 1 and 1000"]);
    assert_eq!(
        held_against(&[("sgr-9", 22), ("sgr-3", 3306), ("sgr-4", 443)]),
        [
            "tcp 22 from 0.0.0.0/0: 1 (a) to between 1 and 1000",
            "tcp 22 from 0.0.0.0/0: between 1 and 1000 to open",
            "tcp 3306 from 0.0.0.0/0: between ? and 1000 to open",
        ]
    );
}

#[test]
fn a_group_that_is_named_by_its_name_is_found_among_those_that_are_there() {
    let mut closed = revoke("b", 9, 22, OPEN);
    closed["requestParameters"]["groupId"] = Value::Null;
    closed["requestParameters"]["groupName"] = json!("web");
    let records = [authorize("a", 1, "sgr-1", 22, OPEN), closed];
    let found = lines(&history(&records, &Lists::new(), Some(&present(&[]))));
    assert_eq!(found, ["tcp 22 from 0.0.0.0/0: 1 (a) to 9 (b)"]);
}

#[test]
fn counts_and_gaps_are_told() {
    let opened = authorize("a", 1, "sgr-1", 22, OPEN);
    let mut untimed = authorize("b", 2, "sgr-2", 3306, OPEN);
    untimed["eventTime"] = Value::Null;
    let later = call("c", "RunInstances", 60 * 50, json!({}), Value::Null);
    let omitted =
        call("d", "AuthorizeSecurityGroupIngress", 60, json!({"omitted": true}), Value::Null);
    let records = [opened.clone(), opened, untimed, later, omitted];
    let history = history(&records, &Lists::new(), None);
    let RecordCounts { records, changes, repeated, untimed, unread } = history.counts;
    assert_eq!((records, changes, repeated, untimed, unread), (5, 3, 1, 1, 1));
    let coverage = &history.coverage[0];
    assert_eq!(coverage.records, 4);
    let gaps: Vec<_> = coverage.gaps().iter().map(|gap| gap.length().num_hours()).collect();
    assert_eq!(gaps, [48]);
}

#[test]
fn where_everything_was_asked_for_there_is_no_gap() {
    let records = [authorize("a", 60 * 50, "sgr-1", 22, OPEN), revoke("b", 60 * 250, 22, OPEN)];
    let here = Place { account: "123456789012".parse().ok(), region: "eu-central-1".parse().ok() };
    let silent = Place { region: "eu-west-1".parse().ok(), ..here.clone() };
    let baseline = load("standard");
    let (no_lists, from, until) = (Lists::new(), at(60 * 40), at(60 * 300));
    let mut book = Book::new(&baseline, &no_lists, today(), By::names(&[]));
    book.is_whole(&silent, from, until);
    for record in &records {
        book.record(record.to_string().as_bytes());
    }
    book.is_whole(&here, from, until);
    let history = book.close(None, until);
    for (place, coverage) in [(&here, &history.coverage[0]), (&silent, &history.coverage[1])] {
        assert_eq!((&coverage.place, coverage.first, coverage.last), (place, from, until));
        assert_eq!(coverage.gaps(), []);
    }
    assert_eq!((history.coverage[0].records, history.coverage[1].records), (2, 0));
}

#[test]
fn it_is_known_what_else_to_read() {
    let of_list = json!({"groupId": GROUP, "ipPermissions": {"items": [{
        "ipProtocol": "tcp", "fromPort": 22, "toPort": 22,
        "prefixListIds": {"items": [{"prefixListId": "pl-0a1b2c3d"}]},
    }]}});
    let added = call("a", "AuthorizeSecurityGroupIngress", 1, of_list, json!({"_return": true}));
    let baseline = load("standard");
    let no_lists = Lists::new();
    let mut book = Book::new(&baseline, &no_lists, today(), By::names(&[]));
    book.record(added.to_string().as_bytes());
    let groups: Vec<String> = book.groups().into_iter().map(|(_, id)| id.to_string()).collect();
    let lists: Vec<String> = book.lists().into_iter().map(|(_, id)| id.to_string()).collect();
    assert_eq!((groups, lists), (vec![GROUP.to_owned()], vec!["pl-0a1b2c3d".to_owned()]));
    let office = vec!["203.0.113.0/24".parse().unwrap()];
    let known = Lists::from([("pl-0a1b2c3d".parse().unwrap(), Ok(office))]);
    book.set_lists(&known);
    let found = lines(&book.close(None, at(1000)));
    assert_eq!(found, ["tcp 22 from pl-0a1b2c3d (tcp 22 from 203.0.113.0/24): 1 (a) to not seen"]);
}

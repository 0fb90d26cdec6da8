//! Generated input: whether it is accepted, and that no rule is lost.

use std::cell::Cell;
use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;

use super::*;
use crate::ec2::{Peer, RuleContent};

/// JSON text, and whether it is correct.
#[derive(Clone, Debug)]
struct Text {
    json: String,
    correct: bool,
}

impl Text {
    /// Puts the JSON into something else.
    fn within(self, wrap: impl FnOnce(&str) -> String) -> Self {
        Self { json: wrap(&self.json), ..self }
    }

    /// Puts both JSON texts into something else.
    fn both(self, other: Self, join: impl FnOnce(&str, &str) -> String) -> Self {
        Self { json: join(&self.json, &other.json), correct: self.correct && other.correct }
    }
}

fn list(all: Vec<Text>) -> Text {
    let correct = all.iter().all(|text| text.correct);
    let json: Vec<String> = all.into_iter().map(|text| text.json).collect();
    Text { json: format!("[{}]", json.join(", ")), correct }
}

/// Mostly a correct one.
fn text(
    correct: &'static [&'static str],
    wrong: &'static [&'static str],
) -> impl Strategy<Value = Text> {
    let text = |correct| move |json: &str| Text { json: json.to_owned(), correct };
    prop_oneof![15 => select(correct).prop_map(text(true)), 1 => select(wrong).prop_map(text(false))]
}

fn permission() -> impl Strategy<Value = Text> {
    let ports = text(
        &[
            r#""IpProtocol": "tcp", "FromPort": 22, "ToPort": 22"#,
            r#""ToPort": 443, "FromPort": 80, "IpProtocol": "6""#,
            r#""IpProtocol": "tc\u0070", "FromPort": 22, "ToPort": 22"#,
            r#""IpProtocol": "-1""#,
            r#""IpProtocol": "-1", "Newer": []"#,
        ],
        &[
            r#""IpProtocol": "tcp", "FromPort": 443, "ToPort": 80"#,
            r#""IpProtocol": "tcp", "FromPort": "22", "ToPort": 22"#,
            r#""IpProtocol": "-1", "Newer": [1]"#,
            r#""IpProtocol": "-1", "IpProtocol": "50""#,
        ],
    );
    let peers = text(
        &[
            r#""IpRanges": [{"CidrIp": "0.0.0.0/0"}, {"CidrIp": "203.0.113.7/24"}]"#,
            r#""IpRanges": [{"CidrIp": "0.0.0.0\/0", "Description": "b\u00fcro"}]"#,
            r#""Ipv6Ranges": [{"CidrIpv6": "::/0", "Description": ""}], "IpRanges": null"#,
            r#""UserIdGroupPairs": [{"GroupId": "sg-9", "UserId": "1", "VpcId": "vpc-1"}]"#,
            r#""PrefixListIds": [{"PrefixListId": "pl-1"}], "IpRanges": []"#,
        ],
        &[
            r#""IpRanges": []"#,
            r#""IpRanges": [{"CidrIp": "everybody"}]"#,
            r#""IpRanges": {"CidrIp": "0.0.0.0/0"}"#,
            r#""UserIdGroupPairs": [{"GroupId": "typo3"}]"#,
            r#""UserIdGroupPairs": [{"GroupId": "sg-9", "UserId": "2"}]"#,
            r#""PrefixListIds": [{"PrefixListId": "office"}]"#,
        ],
    );
    let whole = (ports, peers).prop_map(|(ports, peers)| {
        ports.both(peers, |ports, peers| format!("{{{ports}, {peers}}}"))
    });
    prop_oneof![50 => whole, 1 => text(&[r#"{"IpProtocol": "50", "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}"#], &[r#"["tcp", 22, 22]"#])]
}

fn id() -> impl Strategy<Value = &'static str> {
    select(&["sg-1", "sg-2", "sg-3", "sg-4"][..])
}

fn group() -> impl Strategy<Value = Text> {
    let permissions = || vec(permission(), 0..3).prop_map(list);
    let tags = text(&[r#""Tags": [{"Key": "a", "Value": "b"}],"#, ""], &[r#""Tags": 1,"#]);
    (id(), permissions(), permissions(), tags).prop_map(|(id, ingress, egress, tags)| {
        let both = ingress.both(egress, |ingress, egress| {
            format!(
                r#""IpPermissions": {ingress}, "GroupId": "{id}", "OwnerId": "1",
                "IpPermissionsEgress": {egress}, "GroupName": "web""#
            )
        });
        tags.both(both, |tags, rest| format!(r#"{{"Description": "x", {tags} {rest}}}"#))
    })
}

fn rule() -> impl Strategy<Value = Text> {
    let peer = text(
        &[r#""CidrIpv4": "0.0.0.0/0""#, r#""CidrIpv6": "::/0""#, r#""PrefixListId": "pl-1""#],
        &[r#""Description": "nobody""#, r#""PrefixListId": "office""#],
    );
    (id(), peer, 0..4, any::<bool>()).prop_map(|(id, peer, number, egress)| {
        peer.within(|peer| {
            format!(
                r#"{{"SecurityGroupRuleId": "sgr-{number}", "GroupId": "{id}", "GroupOwnerId": "1",
                "IsEgress": {egress}, "IpProtocol": "tcp", "FromPort": 2{number}, "ToPort": 2{number},
                {peer}, "Tags": [{{"Key": "n", "Value": "{number}"}}]}}"#
            )
        })
    })
}

/// An object with another member.
fn with(object: &str, member: &str) -> String {
    format!("{}, {member}}}", object.trim_end().strip_suffix('}').expect("an object"))
}

/// A document, and whether it announces another page. An empty array says nothing about that.
fn document() -> impl Strategy<Value = (Text, Option<bool>)> {
    let next = select(
        &[
            (r#""NextToken": null"#, false),
            (r#""NextToken": """#, false),
            (r#""Error": {"Code": "Denied"}"#, false),
            (r#""NextToken": "more""#, true),
            (r#""NextToken": 1"#, true),
        ][..],
    );
    let next = prop_oneof![8 => Just(("", false)), 2 => next];
    let groups = || vec(group(), 0..4).prop_map(list);
    let rules = || vec(rule(), 0..6).prop_map(list);
    let groups_of = |list: &str| format!(r#"{{"SecurityGroups": {list}}}"#);
    let rules_of = |list: &str| format!(r#"{{"SecurityGroupRules": {list}}}"#);
    let rules_in =
        |object: &str, rules: &str| with(object, &format!(r#""SecurityGroupRules": {rules}"#));
    let output = prop_oneof![
        4 => groups().prop_map(move |groups| groups.within(groups_of)),
        4 => rules().prop_map(move |rules| rules.within(rules_of)),
        1 => (groups(), rules()).prop_map(move |(groups, rules)| {
            groups.within(groups_of).both(rules, rules_in)
        }),
        1 => (group(), rules()).prop_map(move |(group, rules)| {
            group.both(rules, rules_in).within(|group| groups_of(&format!("[{group}]")))
        }),
        1 => (rule(), rules()).prop_map(move |(rule, rules)| {
            rule.both(rules, rules_in).within(|rule| rules_of(&format!("[{rule}]")))
        }),
        1 => (rule(), permission()).prop_map(move |(rule, permission)| {
            let permissions = permission.within(|one| {
                format!(r#""IpPermissions": [{one}], "IpPermissionsEgress": []"#)
            });
            rule.both(permissions, with).within(|rule| rules_of(&format!("[{rule}]")))
        }),
    ];
    let output = (output, next).prop_map(|(output, (next, more))| {
        let output = if next.is_empty() { output } else { output.within(|json| with(json, next)) };
        (output, Some(more))
    });
    let part = prop_oneof![group(), rule()];
    prop_oneof![
        12 => output.clone(),
        1 => part.clone().prop_map(|part| (part, Some(false))),
        1 => vec(part, 0..3).prop_map(|parts| {
            let more = (!parts.is_empty()).then_some(false);
            (list(parts), more)
        }),
        1 => output.prop_map(|(output, more)| (output.within(|json| format!("[[{json}]]")), more)),
    ]
}

/// Every rule in the JSON, however deep, found without the reader.
fn rules_in(value: &Value, found: &mut BTreeSet<(String, RuleContent)>) {
    let members = match value {
        Value::Array(items) => return items.iter().for_each(|item| rules_in(item, found)),
        Value::Object(members) => members,
        _ => return,
    };
    let group = members.get("GroupId").and_then(Value::as_str);
    let mut add = |direction, of: &Value, peer: &str| {
        let port = |key: &str| of[key].as_i64().map(|port| i32::try_from(port).unwrap());
        let protocol = of["IpProtocol"].as_str().unwrap().parse().unwrap();
        let peer: Peer = peer.parse().unwrap();
        let rule = Rule::new(direction, protocol, port("FromPort"), port("ToPort"), peer).unwrap();
        found.insert((group.unwrap().to_owned(), rule.content()));
    };
    if let Some(egress) = members.get("IsEgress") {
        let direction = if egress == true { Direction::Egress } else { Direction::Ingress };
        for key in ["CidrIpv4", "CidrIpv6", "PrefixListId"] {
            members.get(key).iter().for_each(|peer| add(direction, value, peer.as_str().unwrap()));
        }
    }
    for (direction, key) in
        [(Direction::Ingress, "IpPermissions"), (Direction::Egress, "IpPermissionsEgress")]
    {
        for permission in members.get(key).and_then(Value::as_array).into_iter().flatten() {
            for (list, key) in [
                ("IpRanges", "CidrIp"),
                ("Ipv6Ranges", "CidrIpv6"),
                ("UserIdGroupPairs", "GroupId"),
                ("PrefixListIds", "PrefixListId"),
            ] {
                for peer in permission[list].as_array().into_iter().flatten() {
                    add(direction, permission, peer[key].as_str().unwrap());
                }
            }
        }
    }
    for key in ["SecurityGroups", "SecurityGroupRules"] {
        members.get(key).iter().for_each(|list| rules_in(list, found));
    }
}

fn rules_of(groups: &[DescribedGroup]) -> Vec<(String, RuleContent)> {
    let rules = groups.iter().flat_map(|group| {
        group.rules.iter().map(|rule| (group.group.id.as_str().to_owned(), rule.content()))
    });
    let mut rules: Vec<_> = rules.collect();
    rules.sort();
    rules
}

/// The groups by id, each with its rules by content.
fn sorted(mut groups: Vec<DescribedGroup>) -> Vec<DescribedGroup> {
    groups.sort_by(|a, b| a.group.id.cmp(&b.group.id));
    groups.iter_mut().for_each(|group| group.rules.sort_by_key(Rule::content));
    groups
}

type Read = Result<Vec<DescribedGroup>, String>;

fn collected(input: &str) -> Read {
    groups(input.as_bytes()).map_err(|error| full(&error))
}

/// What `fold` passes on, and how often it began.
fn folded(input: &str) -> (Read, usize) {
    let begun = Cell::new(0);
    let new = || {
        begun.set(begun.get() + 1);
        Vec::new()
    };
    let folded = fold(input.as_bytes(), new, |groups, group| groups.push(group));
    (folded.map_err(|error| full(&error)), begun.get())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn correct_input_is_accepted_with_all_its_rules_and_other_input_is_not(
        documents in vec(document(), 0..4),
    ) {
        let more = documents.iter().rev().find_map(|(_, more)| *more).unwrap_or(false);
        let correct = !documents.is_empty() && !more && documents.iter().all(|(text, _)| text.correct);
        let documents: Vec<String> = documents.into_iter().map(|(text, _)| text.json).collect();
        let input = documents.join("\n");
        let read = collected(&input);
        prop_assert_eq!(read.is_ok(), correct, "{:?}\n{}", read, input);
        prop_assert_eq!(&folded(&input).0, &read, "{}", input);
        if let Ok(groups) = read {
            let values: Vec<Value> =
                documents.iter().map(|json| serde_json::from_str(json).unwrap()).collect();
            let mut rules = BTreeSet::new();
            values.iter().for_each(|value| rules_in(value, &mut rules));
            prop_assert_eq!(rules_of(&groups), Vec::from_iter(rules), "{}", input);
            // `Value` sorts the keys of objects.
            let reordered = values.iter().map(Value::to_string).collect::<String>();
            prop_assert_eq!(sorted(collected(&reordered).unwrap()), sorted(groups), "{}", input);
        }
    }

    #[test]
    fn a_document_that_is_cut_off_is_an_error(
        whole in vec(document(), 0..2),
        (last, _) in document(),
        cut in any::<Index>(),
    ) {
        let mut input: String = whole.into_iter().map(|(text, _)| text.json).collect();
        input.push_str(last.json.get(..1 + cut.index(last.json.len() - 1)).unwrap());
        prop_assert!(collected(&input).is_err(), "{}", input);
        prop_assert_eq!(folded(&input).0, collected(&input), "{}", input);
    }
}

#[test]
fn groups_that_stand_in_one_place_are_folded_without_starting_over() {
    let page = format!(r#"{{"SecurityGroups": [{GROUP}], "NextToken": "more"}}"#);
    let last = GROUP.replace("sg-0123456789abcdef0", "sg-2");
    let pages = format!(r#"{page}{{"SecurityGroups": [{last}]}}"#);
    for (input, times) in [
        (RULES, 1),
        (&pages, 1),
        (GROUP, 1),
        (&format!("[{GROUP}, {last}]"), 1),
        // The rules of a group may follow it.
        (&format!("{GROUP}{RULES}"), 1),
        (&format!("{pages}{RULES}"), 2),
        // An error ends the reading at once.
        (&format!("{GROUP}{RULES}{{}}{GROUP}"), 1),
    ] {
        let (groups, begun) = folded(input);
        assert_eq!(groups, collected(input), "{input}");
        assert_eq!(begun, times, "{input}");
    }
}

const WEB: &str = r#"{"GroupId": "sg-1", "IpPermissions": [], "IpPermissionsEgress": []"#;
const OPEN: &str = r#"{"SecurityGroupRuleId": "sgr-1", "GroupId": "sg-2", "GroupOwnerId": "1", "IsEgress": false,
    "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIpv4": "0.0.0.0/0""#;

#[test]
fn a_rule_is_found_wherever_it_stands() {
    let permission = r#"{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}"#;
    let https = OPEN.replace("22", "443");
    for (input, ports) in [
        (
            format!(r#"{{"SecurityGroups": [{WEB}}}], "SecurityGroupRules": [{OPEN}}}]}}"#),
            &[22][..],
        ),
        (format!(r#"{{"SecurityGroupRules": [{OPEN}}}], "SecurityGroups": [{WEB}}}]}}"#), &[22]),
        (format!(r#"{{"SecurityGroups": [{WEB}, "SecurityGroupRules": [{OPEN}}}]}}]}}"#), &[22]),
        (
            format!(r#"{{"SecurityGroupRules": [{OPEN}, "SecurityGroupRules": [{OPEN}}}]}}]}}"#),
            &[22],
        ),
        // An object that is both a rule and a group counts as both.
        (
            format!(
                r#"{{"SecurityGroupRules": [{https}, "IpPermissions": [{permission}], "IpPermissionsEgress": []}}]}}"#
            ),
            &[22, 443],
        ),
        (
            format!(r#"{{"SecurityGroupRules": [{https}, "SecurityGroupRules": [{OPEN}}}]}}]}}"#),
            &[22, 443],
        ),
    ] {
        let groups = read(&input);
        let found = groups.iter().find(|found| found.group.id.as_str() == "sg-2").unwrap();
        let mut found: Vec<i32> = found.rules.iter().filter_map(Rule::from_port).collect();
        found.sort();
        assert_eq!(found, ports, "{input}");
    }
}

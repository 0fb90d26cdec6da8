//! The quick reader says what the thorough one says, or leaves it to it.

use std::cell::Cell;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;

type Read<E> = Result<Vec<DescribedGroup>, E>;

/// The groups, or all that the error says.
fn said(read: Read<DescribeError>) -> Read<String> {
    read.map_err(|error| match error.source() {
        Some(source) => format!("{error}; {source}"),
        None => error.to_string(),
    })
}

/// The groups one by one, and how often they were begun.
fn folded(input: &str) -> (Read<DescribeError>, usize) {
    let begun = Cell::new(0);
    let new = || {
        begun.set(begun.get() + 1);
        Vec::new()
    };
    let folded = fold(input.as_bytes(), new, |groups, group| groups.push(group));
    (folded, begun.get())
}

/// One of the plain ones, seldom one of the odd ones.
fn text(plain: &'static [&'static str], odd: &'static [&'static str]) -> BoxedStrategy<String> {
    prop_oneof![15 => select(plain), 1 => select(odd)].prop_map(str::to_owned).boxed()
}

fn permission() -> impl Strategy<Value = String> {
    let ports = text(
        &[
            r#""IpProtocol": "tcp", "FromPort": 22, "ToPort": 22"#,
            r#""ToPort": 443, "FromPort": 80, "IpProtocol": "6""#,
            r#""IpProtocol": "tc\u0070", "FromPort": 22, "ToPort": 22"#,
            r#""IpProtocol": "-1""#,
        ],
        &[
            r#""IpProtocol": "tcp", "FromPort": 443, "ToPort": 80"#,
            r#""IpProtocol": "tcp", "FromPort": "22", "ToPort": 22"#,
            r#""IpProtocol": "-1", "Newer": []"#,
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
        ],
    );
    let whole = (ports, peers).prop_map(|(ports, peers)| format!("{{{ports}, {peers}}}"));
    prop_oneof![50 => whole, 1 => Just(r#"["tcp", 22, 22]"#.to_owned())]
}

fn id() -> impl Strategy<Value = &'static str> {
    select(&["sg-1", "sg-2", "sg-3", "sg-4"][..])
}

fn group() -> impl Strategy<Value = String> {
    let permissions = || vec(permission(), 0..3).prop_map(|all| all.join(", "));
    let tags = text(&[r#""Tags": [{"Key": "a", "Value": "b"}],"#, ""], &[r#""Tags": 1,"#]);
    (id(), permissions(), permissions(), tags).prop_map(|(id, ingress, egress, tags)| {
        format!(
            r#"{{"Description": "x", {tags} "IpPermissions": [{ingress}], "GroupId": "{id}",
            "OwnerId": "1", "IpPermissionsEgress": [{egress}], "GroupName": "web"}}"#
        )
    })
}

fn rule_of_group() -> impl Strategy<Value = String> {
    let peer = text(
        &[r#""CidrIpv4": "0.0.0.0/0""#, r#""CidrIpv6": "::/0""#, r#""PrefixListId": "pl-1""#],
        &[r#""Description": "nobody""#],
    );
    (id(), peer, 0..4, any::<bool>()).prop_map(|(id, peer, number, egress)| {
        format!(
            r#"{{"SecurityGroupRuleId": "sgr-{number}", "GroupId": "{id}", "GroupOwnerId": "1",
            "IsEgress": {egress}, "IpProtocol": "tcp", "FromPort": 2{number}, "ToPort": 2{number},
            {peer}, "Tags": [{{"Key": "n", "Value": "{number}"}}]}}"#
        )
    })
}

/// A list of one item, which has a member that is not its own.
fn within(list: &str, item: &str, member: &str) -> String {
    let item = item.trim_end().strip_suffix('}').expect("an object");
    format!(r#"{{"{list}": [{item}, {member}}}]}}"#)
}

fn document() -> impl Strategy<Value = String> {
    let next = text(
        &["", "", r#", "NextToken": null"#],
        &[r#", "NextToken": "more""#, r#", "NextToken": 1"#, r#", "Error": {"Code": "Denied"}"#],
    );
    let groups = vec(group(), 0..4)
        .prop_map(|all| format!(r#""SecurityGroups": [{}]"#, all.join(",")))
        .boxed();
    let rules = vec(rule_of_group(), 0..6)
        .prop_map(|all| format!(r#""SecurityGroupRules": [{}]"#, all.join(",")))
        .boxed();
    let list = prop_oneof![groups.clone(), rules.clone()];
    prop_oneof![
        8 => (list, next).prop_map(|(list, next)| format!("{{{list}{next}}}")),
        1 => (groups, rules.clone()).prop_map(|(groups, rules)| format!("{{{groups}, {rules}}}")),
        1 => prop_oneof![group(), rule_of_group()],
        1 => group().prop_map(|group| format!("[{group}]")),
        1 => (group(), rules.clone()).prop_map(|(group, rules)| within("SecurityGroups", &group, &rules)),
        1 => (rule_of_group(), rules).prop_map(|(rule, rules)| within("SecurityGroupRules", &rule, &rules)),
        1 => (rule_of_group(), permission()).prop_map(|(rule, permission)| {
            within("SecurityGroupRules", &rule, &format!(r#""IpPermissions": [{permission}]"#))
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn both_readers_say_the_same(
        documents in vec(document(), 0..4),
        cut in prop::option::weighted(0.1, any::<Index>()),
    ) {
        let mut input = documents.join("\n");
        if let Some(cut) = cut {
            input.truncate(cut.index(input.len() + 1));
        }
        let thorough = said(thorough(input.as_bytes()));
        prop_assert_eq!(&said(groups(input.as_bytes())), &thorough, "{}", input);
        prop_assert_eq!(&said(folded(&input).0), &thorough, "{}", input);
    }
}

#[test]
fn what_aws_prints_is_read_in_one_go() {
    let page = format!(r#"{{"SecurityGroups": [{GROUP}], "NextToken": "more"}}"#);
    let last = GROUP.replace("sg-0123456789abcdef0", "sg-2");
    let pages = format!(r#"{page}{{"SecurityGroups": [{last}]}}"#);
    for plain in [RULES, &pages] {
        let (groups, begun) = folded(plain);
        assert_eq!(said(groups), said(thorough(plain.as_bytes())));
        assert_eq!(begun, 1, "{plain}");
    }
    // That a group stands in two places shows at the second one. Groups alone are not AWS's output.
    for other in [&format!("{pages}{RULES}"), GROUP] {
        let (groups, begun) = folded(other);
        assert_eq!(said(groups), said(thorough(other.as_bytes())));
        assert_eq!(begun, 2, "{other}");
    }
}

const WEB: &str = r#"{"GroupId": "sg-1", "IpPermissions": [], "IpPermissionsEgress": []"#;
const OPEN: &str = r#"{"SecurityGroupRuleId": "sgr-1", "GroupId": "sg-2", "GroupOwnerId": "1", "IsEgress": false,
    "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIpv4": "0.0.0.0/0""#;

/// Whatever stands beside it, and in whatever it stands.
#[test]
fn no_rule_is_left_out() {
    let permission = r#"{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}"#;
    for (input, group) in [
        (format!(r#"{{"SecurityGroups": [{WEB}}}], "SecurityGroupRules": [{OPEN}}}]}}"#), "sg-2"),
        (format!(r#"{{"SecurityGroupRules": [{OPEN}}}], "SecurityGroups": [{WEB}}}]}}"#), "sg-2"),
        (format!(r#"{{"SecurityGroups": [{WEB}, "SecurityGroupRules": [{OPEN}}}]}}]}}"#), "sg-2"),
        (
            format!(r#"{{"SecurityGroupRules": [{OPEN}, "SecurityGroupRules": [{OPEN}}}]}}]}}"#),
            "sg-2",
        ),
        (
            format!(
                r#"{{"SecurityGroupRules": [{}, "IpPermissions": [{permission}]}}]}}"#,
                OPEN.replace("22", "443")
            ),
            "sg-2",
        ),
    ] {
        let groups = groups(input.as_bytes()).unwrap();
        let found = groups.iter().find(|found| found.group.id == group).unwrap();
        let ssh = found.rules.iter().filter(|rule| rule.from_port == Some(22)).count();
        assert_eq!(ssh, 1, "{input}");
    }
}

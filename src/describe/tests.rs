//! Outputs of the AWS command line, whole and broken.

mod plain;

use std::error::Error;

use super::*;
use crate::ec2::Direction;

/// A group as a recent version prints it.
const GROUP: &str = r#"{
  "GroupId": "sg-0123456789abcdef0", "GroupName": "typo3", "Description": "web",
  "OwnerId": "123456789012", "VpcId": "vpc-0123456789abcdef0",
  "SecurityGroupArn": "arn:aws:ec2:eu-central-1:123456789012:security-group/sg-0123456789abcdef0",
  "Tags": [{"Key": "Site", "Value": "typo3"}],
  "IpPermissionsEgress": [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
    "UserIdGroupPairs": [], "Ipv6Ranges": [], "PrefixListIds": []}],
  "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22,
    "IpRanges": [{"CidrIp": "203.0.113.0/24", "Description": "office"}, {"CidrIp": "0.0.0.0/0"}],
    "Ipv6Ranges": [{"CidrIpv6": "2001:db8:1::/48", "Description": ""}],
    "UserIdGroupPairs": [
      {"GroupId": "sg-0fedcba9876543210", "UserId": "123456789012", "Description": "bastion"},
      {"GroupId": "sg-0fedcba9876543210", "UserId": "210987654321"}],
    "PrefixListIds": [{"PrefixListId": "pl-0123456789abcdef0", "Description": "vpn"}]}]
}"#;

/// Two of its rules, and one of another group.
const RULES: &str = r#"{"SecurityGroupRules": [
  {"SecurityGroupRuleId": "sgr-1", "GroupId": "sg-0123456789abcdef0",
   "GroupOwnerId": "123456789012", "IsEgress": true, "IpProtocol": "-1", "FromPort": -1,
   "ToPort": -1, "CidrIpv4": "0.0.0.0/0", "Tags": [],
   "SecurityGroupRuleArn": "arn:aws:ec2:eu-central-1:123456789012:security-group-rule/sgr-1"},
  {"SecurityGroupRuleId": "sgr-2", "GroupId": "sg-0123456789abcdef0",
   "GroupOwnerId": "123456789012", "IsEgress": false, "IpProtocol": "tcp", "FromPort": 22,
   "ToPort": 22, "ReferencedGroupInfo": {"GroupId": "sg-0fedcba9876543210",
   "UserId": "123456789012"}, "Tags": [{"Key": "Name", "Value": "bastion"}]},
  {"SecurityGroupRuleId": "sgr-3", "GroupId": "sg-1", "IsEgress": false, "IpProtocol": "icmp",
   "FromPort": 8, "ToPort": -1, "CidrIpv6": "::/0", "Description": "ping", "Tags": null}
]}"#;

fn read(input: &str) -> Vec<DescribedGroup> {
    groups(input.as_bytes()).unwrap()
}

/// Everything that an error says.
fn fault(input: &str) -> String {
    let error = groups(input.as_bytes()).unwrap_err();
    match error.source() {
        Some(source) => format!("{error}; {source}"),
        None => error.to_string(),
    }
}

fn peers(group: &DescribedGroup, direction: Direction) -> Vec<String> {
    let rules = group.rules.iter().filter(|rule| rule.direction == direction);
    rules.map(|rule| rule.peer.to_string()).collect()
}

#[test]
fn a_group_has_a_rule_for_each_peer() {
    let [group] = &read(&format!(r#"{{"SecurityGroups": [{GROUP}]}}"#))[..] else { panic!() };
    assert_eq!(group.place.account.as_deref(), Some("123456789012"));
    assert_eq!(group.place.region.as_deref(), Some("eu-central-1"));
    assert_eq!(group.group.name.as_deref(), Some("typo3"));
    assert_eq!(group.group.vpc_id.as_deref(), Some("vpc-0123456789abcdef0"));
    assert_eq!(group.group.tags["Site"], "typo3");
    assert_eq!(peers(group, Direction::Egress), ["0.0.0.0/0"]);
    assert_eq!(
        peers(group, Direction::Ingress),
        [
            "203.0.113.0/24",
            "0.0.0.0/0",
            "2001:db8:1::/48",
            "sg-0fedcba9876543210",
            "210987654321/sg-0fedcba9876543210",
            "pl-0123456789abcdef0",
        ]
    );
    let described: Vec<_> = group.rules.iter().map(|rule| rule.description.as_deref()).collect();
    assert_eq!(described, [Some("office"), None, None, Some("bastion"), None, Some("vpn"), None]);
}

#[test]
fn a_rule_has_its_id_and_tags_and_its_group() {
    let all = read(RULES);
    let [group, other] = &all[..] else { panic!() };
    assert_eq!(group.rules[0].id.as_deref(), Some("sgr-1"));
    assert_eq!(group.rules[0].from_port, None);
    assert_eq!(group.rules[1].peer.to_string(), "sg-0fedcba9876543210");
    assert_eq!(group.rules[1].tags["Name"], "bastion");
    assert_eq!(group.place.region.as_deref(), Some("eu-central-1"));
    assert_eq!(other.group.id, "sg-1");
    assert_eq!(other.place, Place::default());
    assert_eq!((other.rules[0].from_port, other.rules[0].to_port), (Some(8), Some(-1)));
    assert_eq!(other.rules[0].description.as_deref(), Some("ping"));
}

#[test]
fn every_way_to_hand_over_groups_is_the_same() {
    let expected = read(GROUP);
    let utf16: Vec<u8> =
        [0xfeff].into_iter().chain(GROUP.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    for input in [
        format!("[{GROUP}]"),
        format!(r#"[{{"SecurityGroups": [{GROUP}]}}]"#),
        format!("\u{feff}{GROUP}"),
        format!("{GROUP}\n{GROUP}"),
        format!(r#"{{"SecurityGroups": [], "NextToken": "more"}} {{"SecurityGroups": [{GROUP}]}}"#),
        format!(r#"{{"SecurityGroups": [{GROUP}], "NextToken": null}}"#),
    ] {
        assert_eq!(read(&input), expected, "{input}");
    }
    assert_eq!(groups(&utf16).unwrap(), expected);
}

#[test]
fn groups_and_their_rules_together_are_read_as_one() {
    for input in [format!("{GROUP}{RULES}"), format!("{RULES}{GROUP}")] {
        let all = read(&input);
        let group = all.iter().find(|group| group.group.id == "sg-0123456789abcdef0").unwrap();
        assert_eq!(all.len(), 2);
        assert_eq!(group.rules.len(), 7);
        assert_eq!(group.group.name.as_deref(), Some("typo3"));
        let bastion = group.rules.iter().find(|rule| rule.id.as_deref() == Some("sgr-2")).unwrap();
        assert_eq!(bastion.description.as_deref(), Some("bastion"));
        assert_eq!(bastion.tags["Name"], "bastion");
    }
}

#[test]
fn no_group_at_all_is_not_an_error_of_the_input() {
    assert_eq!(read("[]"), []);
    assert_eq!(read(r#"{"SecurityGroups": []}"#), []);
}

#[test]
fn what_cannot_be_read_is_said_with_what_to_do() {
    let cut = GROUP.replace("\"CidrIp\": \"0.0.0.0/0\"", "\"CidrIp\": \"anywhere\"");
    let cases = [
        (
            " \n".to_owned(),
            "nothing in it: the AWS command that should have written it probably failed; run that \
             command by itself and see what it says",
        ),
        (
            "SECURITYGROUPS\tweb".to_owned(),
            "not JSON at line 1, column 1: run the AWS command with `--output json` and save the \
             whole output; expected value at line 1 column 1",
        ),
        (
            "{\"SecurityGroups\": [".to_owned(),
            "not JSON at line 1, column 20: run the AWS command with `--output json` and save the \
             whole output; EOF while parsing a list at line 1 column 20",
        ),
        (
            r#"{"Entries": []}"#.to_owned(),
            "expected the output of `aws ec2 describe-security-groups` or `aws ec2 \
             describe-security-group-rules`, without `--query`, and found an object with `Entries`",
        ),
        (
            r#"["sg-1"]"#.to_owned(),
            "expected the output of `aws ec2 describe-security-groups` or `aws ec2 \
             describe-security-group-rules`, without `--query`, and found a text",
        ),
        (
            r#"{"SecurityGroups": null}"#.to_owned(),
            "expected the output of `aws ec2 describe-security-groups` or `aws ec2 \
             describe-security-group-rules`, without `--query`, and found `SecurityGroups` with null",
        ),
        (
            r#"{"Error": {"Code": "InvalidGroup.NotFound", "Message": "none"}}"#.to_owned(),
            "an error from AWS and no answer: InvalidGroup.NotFound: none; correct the AWS command \
             and run it again",
        ),
        (
            r#"{"SecurityGroups": [], "NextToken": "more"}"#.to_owned(),
            "only a part: the last page ends in a `NextToken`; run the AWS command without \
             `--max-items` and `--no-paginate`, or add the pages that follow",
        ),
        (
            r#"{"GroupId": "sg-1", "IpPermissionsEgress": []}"#.to_owned(),
            "the group `sg-1` is not as `describe-security-groups` prints it: run the AWS command \
             without `--query` and save its output unchanged; missing field `IpPermissions`",
        ),
        (
            cut,
            "ingress permission 1 of the group `sg-0123456789abcdef0` is no rule that EC2 has: save \
             the output of the AWS command line unchanged; `anywhere` is no peer: write a CIDR \
             block, sg-…, account/sg-… or pl-…",
        ),
        (
            GROUP.replace("22", "\"ssh\""),
            "ingress permission 1 of the group `sg-0123456789abcdef0` is not as the AWS command \
             line prints it: save its output unchanged; invalid type: string \"ssh\", expected i32",
        ),
        (
            RULES.replace("\"ToPort\": 22", "\"ToPort\": 21"),
            "the rule `sgr-2` of the group `sg-0123456789abcdef0` is no rule that EC2 has: save the \
             output of the AWS command line unchanged; tcp has no ports 22 to 21",
        ),
        (
            RULES.replace("CidrIpv6", "CidrIpv8"),
            "the rule `sgr-3` of the group `sg-1` names no address block, group or prefix list: it \
             would be left out, and may be of a kind that is newer than this version of sg-audit",
        ),
    ];
    for (input, expected) in cases {
        assert_eq!(fault(&input), expected, "{input}");
    }
    assert!(matches!(groups(b"\xff\xfe\x00"), Err(DescribeError::NotText)));
    assert!(matches!(groups(b"\"\xe4\""), Err(DescribeError::NotText)));
}

/// Whoever is believed, the other one may be the open one.
#[test]
fn a_key_that_is_there_twice_is_not_decided_by_its_order() {
    let twice = "an object has the same key twice, and what it says would hang on which of them is \
                 believed: save the output of the AWS command line unchanged; ";
    for (output, key, other) in [
        (GROUP, "CidrIp", "\"10.0.0.0/8\""),
        (GROUP, "FromPort", "21"),
        (GROUP, "IpPermissions", "[]"),
        (GROUP, "GroupName", "\"web\""),
        (RULES, "IsEgress", "false"),
        (RULES, "SecurityGroupRules", "[]"),
        // The same again is no better: whoever wrote it may mean another key.
        (RULES, "FromPort", "-1"),
    ] {
        let once = format!("\"{key}\":");
        let input = output.replacen(&once, &format!("{once} {other}, {once}"), 1);
        let fault = fault(&input);
        assert!(fault.starts_with(&format!("{twice}`{key}` again at line ")), "{fault}");
    }
}

#[test]
fn no_peer_is_left_out_of_a_permission_in_silence() {
    let unknown = |names: &str| {
        format!(
            "ingress permission 1 of the group `sg-0123456789abcdef0` has {names} in it, which \
             this version of sg-audit does not know: what it admits would be left out; save the \
             output of the AWS command line unchanged, or use a newer version of sg-audit"
        )
    };
    let with =
        |members: &str| GROUP.replace("\"FromPort\": 22", &format!("{members}, \"FromPort\": 22"));
    let peers = r#""IPv6Ranges": [{"CidrIpv6": "::/0"}]"#;
    assert_eq!(fault(&with(peers)), unknown("`IPv6Ranges`"));
    assert_eq!(fault(&with(r#""NewPeers": [7]"#)), unknown("`NewPeers`"));
    assert_eq!(fault(&with(r#""NewPeer": {"Id": "new-1"}"#)), unknown("`NewPeer`"));
    let two = format!(r#"{peers}, "NewPeers": [7]"#);
    assert_eq!(fault(&with(&two)), unknown("`IPv6Ranges`, `NewPeers`"));
    for harmless in [r#""NewPeers": []"#, r#""NewPeers": null"#, r#""NewWord": "x""#] {
        assert_eq!(read(&with(harmless)), read(GROUP), "{harmless}");
    }
}

#[test]
fn a_rule_has_one_peer() {
    let several = |count: usize| {
        format!(
            "the rule `sgr-3` of the group `sg-1` names {count} peers, where EC2 has one a rule: \
             save the output of the AWS command line unchanged"
        )
    };
    let with = |members: &str| RULES.replace("\"CidrIpv6\"", &format!("{members}, \"CidrIpv6\""));
    assert_eq!(fault(&with(r#""CidrIpv4": "203.0.113.0/24""#)), several(2));
    assert_eq!(fault(&with(r#""PrefixListId": "pl-1""#)), several(2));
    let group = r#""ReferencedGroupInfo": {"GroupId": "sg-2"}"#;
    assert_eq!(fault(&with(group)), several(2));
    assert_eq!(fault(&with(&format!(r#"{group}, "CidrIpv4": "0.0.0.0/0""#))), several(3));
    assert_eq!(read(&with(r#""CidrIpv4": null"#)), read(RULES));
}

#[test]
fn prefix_lists_are_read_by_their_ids() {
    let input = r#"{"pl-1": {"Entries": [{"Cidr": "203.0.113.7/24", "Description": "a"}]}}
                   {"pl-2": {"Entries": []}}"#;
    let lists = prefix_lists(input.as_bytes()).unwrap();
    assert_eq!(lists["pl-1"], Ok(vec!["203.0.113.0/24".parse().unwrap()]));
    assert_eq!(lists["pl-2"], Ok(vec![]));
}

#[test]
fn prefix_lists_that_cannot_be_read_are_said() {
    let expected = "expected a JSON object with an output of `aws ec2 \
                    get-managed-prefix-list-entries` under the id of each list, like {\"pl-…\": \
                    {\"Entries\": […]}}, and found";
    for (input, message) in [
        (r#"{"Entries": []}"#, format!("{expected} the key `Entries`")),
        ("[]", format!("{expected} an array")),
        (
            r#"{"pl-1": {"Entries": [{"Cidr": "office"}]}}"#,
            "`office` in the list `pl-1` is no CIDR block like 198.51.100.0/24".to_owned(),
        ),
        (
            r#"{"pl-1": {"Entries": [], "NextToken": "more"}}"#,
            "only a part of the list `pl-1`: it ends in a `NextToken`; run `aws ec2 \
             get-managed-prefix-list-entries` without `--max-items` and `--no-paginate`"
                .to_owned(),
        ),
        (
            r#"{"pl-1": {"Entries": []}, "pl-1": {"Entries": [{"Cidr": "0.0.0.0/0"}]}}"#,
            "an object has the same key twice, and what it says would hang on which of them is \
             believed: save the output of the AWS command line unchanged"
                .to_owned(),
        ),
        (
            r#"{"pl-1": {"Entries": []}} {"pl-1": {"Entries": [{"Cidr": "0.0.0.0/0"}]}}"#,
            "the list `pl-1` is there twice, with different entries: keep the output that is newer"
                .to_owned(),
        ),
        (
            r#"{"pl-1": []}"#,
            "the list `pl-1` is not as `get-managed-prefix-list-entries` prints it: save the \
             output of the AWS command unchanged"
                .to_owned(),
        ),
    ] {
        assert_eq!(prefix_lists(input.as_bytes()).unwrap_err().to_string(), message, "{input}");
    }
}

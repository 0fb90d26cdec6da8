//! Output of the AWS CLI, correct and broken.

mod properties;

use std::error::Error;

use super::*;
use crate::ec2::{AccountId, Direction, Place, Region, Rule, RuleId};

/// A group as a recent version of the AWS CLI prints it.
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

/// Two rules of the same group, and one of another group.
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

/// The error and its causes.
fn full(error: &DescribeError) -> String {
    match error.source() {
        Some(source) => format!("{error}; {source}"),
        None => error.to_string(),
    }
}

fn error(input: &str) -> String {
    full(&groups(input.as_bytes()).unwrap_err())
}

fn lists_error(input: &str) -> String {
    full(&prefix_lists(input.as_bytes()).unwrap_err())
}

fn peers(group: &DescribedGroup, direction: Direction) -> Vec<String> {
    let rules = group.rules.iter().filter(|rule| rule.direction() == direction);
    rules.map(|rule| rule.peer().to_string()).collect()
}

fn id_of(rule: &Rule) -> Option<&str> {
    rule.id().map(RuleId::as_str)
}

#[test]
fn a_group_has_a_rule_for_each_peer() {
    let [group] = &read(&format!(r#"{{"SecurityGroups": [{GROUP}]}}"#))[..] else { panic!() };
    assert_eq!(group.place.account.as_ref().map(AccountId::as_str), Some("123456789012"));
    assert_eq!(group.place.region.as_ref().map(Region::as_str), Some("eu-central-1"));
    assert_eq!(group.group.name.as_deref(), Some("typo3"));
    assert_eq!(group.group.vpc_id.as_deref(), Some("vpc-0123456789abcdef0"));
    assert_eq!(group.group.tags.as_ref().unwrap()["Site"], "typo3");
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
    let described: Vec<_> = group.rules.iter().map(Rule::description).collect();
    assert_eq!(described, [Some("office"), None, None, Some("bastion"), None, Some("vpn"), None]);
}

#[test]
fn a_rule_has_its_id_and_tags_and_its_group() {
    let all = read(RULES);
    let [group, other] = &all[..] else { panic!() };
    assert_eq!(id_of(&group.rules[0]), Some("sgr-1"));
    assert_eq!(group.rules[0].from_port(), None);
    assert_eq!(group.rules[1].peer().to_string(), "sg-0fedcba9876543210");
    assert_eq!(group.rules[1].tags()["Name"], "bastion");
    assert_eq!(group.place.region.as_ref().map(Region::as_str), Some("eu-central-1"));
    assert_eq!(other.group.id.as_str(), "sg-1");
    assert_eq!(other.place, Place::default());
    assert_eq!((other.rules[0].from_port(), other.rules[0].to_port()), (Some(8), Some(-1)));
    assert_eq!(other.rules[0].description(), Some("ping"));
}

#[test]
fn all_forms_of_the_same_group_are_read_alike() {
    let expected = read(GROUP);
    let utf16 = || [0xfeff].into_iter().chain(GROUP.encode_utf16());
    let little_endian: Vec<u8> = utf16().flat_map(u16::to_le_bytes).collect();
    let big_endian: Vec<u8> = utf16().flat_map(u16::to_be_bytes).collect();
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
    assert_eq!(groups(&little_endian).unwrap(), expected);
    assert_eq!(groups(&big_endian).unwrap(), expected);
}

#[test]
fn a_group_and_its_rules_are_merged_in_either_order() {
    for input in [format!("{GROUP}{RULES}"), format!("{RULES}{GROUP}")] {
        let all = read(&input);
        let group =
            all.iter().find(|group| group.group.id.as_str() == "sg-0123456789abcdef0").unwrap();
        assert_eq!(all.len(), 2);
        assert_eq!(group.rules.len(), 7);
        assert_eq!(group.group.name.as_deref(), Some("typo3"));
        let bastion = group.rules.iter().find(|rule| id_of(rule) == Some("sgr-2")).unwrap();
        assert_eq!(bastion.description(), Some("bastion"));
        assert_eq!(bastion.tags()["Name"], "bastion");
    }
}

#[test]
fn output_without_groups_is_read() {
    assert_eq!(read("[]"), []);
    assert_eq!(read(r#"{"SecurityGroups": []}"#), []);
}

#[test]
fn each_error_says_what_to_do() {
    let expected = "expected the output of `aws ec2 describe-security-groups` or `aws ec2 \
                    describe-security-group-rules`, without `--query`";
    let shape = "is not as the AWS CLI prints it: run the AWS command without `--query` and save its \
                 output unchanged";
    let not_json = "run the AWS command with `--output json` and save the whole output; ";
    let unchecked = "cannot be checked: save the output of the AWS command unchanged";
    let permission = "ingress permission 1 of the group `sg-0123456789abcdef0`";
    let cases = [
        (
            " \n".to_owned(),
            "the input is empty: the AWS command that should have written it probably failed; run \
             that command by itself and read its error message"
                .to_owned(),
        ),
        (
            "SECURITYGROUPS\tweb".to_owned(),
            format!("not JSON at line 1, column 1: {not_json}expected value at line 1 column 1"),
        ),
        (
            "{\"SecurityGroups\": [".to_owned(),
            format!(
                "not JSON at line 1, column 20: {not_json}EOF while parsing a list at line 1 column 20"
            ),
        ),
        (
            format!("{GROUP}\n, {GROUP}"),
            format!("not JSON at line 16, column 1: {not_json}expected value at line 16 column 1"),
        ),
        (
            r#"{"Entries": []}"#.to_owned(),
            format!("{expected}; found an object with `Entries` at line 1 column 15"),
        ),
        (
            r#"[{"GroupId": "sg-1", "a": 1, "b": 2, "c": 3, "d": 4}]"#.to_owned(),
            format!(
                "{expected}; found an object with `GroupId`, `a`, `b`, `c` and more at line 1 column 52"
            ),
        ),
        ("{}".to_owned(), format!("{expected}; found an empty object at line 1 column 2")),
        (
            r#"["sg-1"]"#.to_owned(),
            format!(
                "{expected}; invalid type: string \"sg-1\", expected an object or an array at line \
                 1 column 7"
            ),
        ),
        (
            r#"{"SecurityGroups": null}"#.to_owned(),
            format!("{expected}; invalid type: null, expected an array at line 1 column 23"),
        ),
        (
            r#"{"SecurityGroups": {"GroupId": "sg-1", "IpPermissions": []}}"#.to_owned(),
            format!("{expected}; invalid type: map, expected an array at line 1 column 20"),
        ),
        (
            r#"{"Error": {"Code": "InvalidGroup.NotFound", "Message": "none"}}"#.to_owned(),
            "AWS returned an error: InvalidGroup.NotFound: none; correct the AWS command and run it \
             again"
                .to_owned(),
        ),
        (
            r#"{"SecurityGroups": [], "NextToken": "more"}"#.to_owned(),
            "the last page ends with a `NextToken`, so groups are missing: run the AWS command \
             without `--max-items` and `--no-paginate`, or add the pages that follow"
                .to_owned(),
        ),
        (
            r#"{"GroupId": "sg-1", "IpPermissionsEgress": []}"#.to_owned(),
            format!("the group `sg-1` {shape}; missing field `IpPermissions` at line 1 column 46"),
        ),
        (
            r#"{"GroupId": "sg-1", "IpPermissions": []}"#.to_owned(),
            format!(
                "the group `sg-1` {shape}; missing field `IpPermissionsEgress` at line 1 column 40"
            ),
        ),
        (
            r#"{"GroupId": "sg-1", "IpPermissions": null, "IpPermissionsEgress": []}"#.to_owned(),
            format!("the group `sg-1` {shape}; missing field `IpPermissions` at line 1 column 69"),
        ),
        (
            GROUP.replace("\"CidrIp\": \"0.0.0.0/0\"", "\"CidrIp\": \"anywhere\""),
            format!(
                "{permission} {unchecked}; `anywhere` is not a peer: write a CIDR block, sg-…, \
                 account/sg-… or pl-…"
            ),
        ),
        (
            GROUP.replace("22", "\"ssh\""),
            format!(
                "{permission} {shape}; invalid type: string \"ssh\", expected i32 at line 8 column 59"
            ),
        ),
        // The group's id comes after the error.
        (
            r#"{"IpPermissions": [{"IpProtocol": "-1"}, {"IpProtocol": -1}], "GroupId": "sg-1"}"#
                .to_owned(),
            format!(
                "ingress permission 2 of a group {shape}; invalid type: integer `-1`, expected a \
                 string at line 1 column 58"
            ),
        ),
        (
            RULES.replace("\"IsEgress\": false", "\"IsEgress\": 0"),
            format!(
                "the rule `sgr-2` of the group `sg-0123456789abcdef0` {shape}; invalid type: integer \
                 `0`, expected a boolean at line 7 column 48"
            ),
        ),
        (
            r#"{"GroupId": "sg-1", "IsEgress": true, "CidrIpv4": "0.0.0.0/0"}"#.to_owned(),
            format!(
                "a rule of the group `sg-1` {shape}; missing field `IpProtocol` at line 1 column 62"
            ),
        ),
        (
            r#"{"SecurityGroups": [{"GroupName": "web", "IpPermissions": []}]}"#.to_owned(),
            format!("an object {shape}; missing field `GroupId` at line 1 column 61"),
        ),
        (
            r#"{"SecurityGroups": [], "CidrIpv4": "0.0.0.0/0", "IsEgress": true}"#.to_owned(),
            format!("a rule of a group {shape}; missing field `GroupId` at line 1 column 65"),
        ),
        (
            r#"[{"GroupId": "sg-1", "SecurityGroupRuleId": "sgr-1"}]"#.to_owned(),
            format!(
                "{expected}; found an object with `GroupId`, `SecurityGroupRuleId` at line 1 column 52"
            ),
        ),
        (
            RULES.replace("\"ToPort\": 22", "\"ToPort\": 21"),
            format!(
                "the rule `sgr-2` of the group `sg-0123456789abcdef0` {unchecked}; tcp has no ports \
                 22 to 21"
            ),
        ),
        (
            RULES.replace("CidrIpv6", "CidrIpv8"),
            format!(
                "the rule `sgr-3` of the group `sg-1` {unchecked}; it has no address block, group or \
                 prefix list; it may be of a kind that is newer than this version of sg-audit"
            ),
        ),
    ];
    for (input, expected) in cases {
        assert_eq!(error(&input), expected, "{input}");
    }
    for not_text in [&b"\xff\xfe\x00"[..], b"\"\xe4\"", b"\xff\xfe\"\0\x00\xd8\"\0"] {
        assert!(matches!(groups(not_text), Err(DescribeError::NotText)), "{not_text:?}");
    }
}

#[test]
fn an_invalid_id_is_an_error_that_names_it() {
    let shape = "is not as the AWS CLI prints it: run the AWS command without `--query` and save its \
                 output unchanged";
    let unchecked = "cannot be checked: save the output of the AWS command unchanged";
    for (input, expected) in [
        (
            GROUP.replace("\"sg-0123456789abcdef0\"", "\"typo3\""),
            format!(
                "an object {shape}; `typo3` is not the id of a security group: write sg-… at line 2 \
                 column 20"
            ),
        ),
        (
            GROUP.replace("pl-0123456789abcdef0", "office"),
            format!(
                "ingress permission 1 of the group `sg-0123456789abcdef0` {shape}; `office` is not the \
                 id of a prefix list: write pl-… at line 14 column 47"
            ),
        ),
        (
            GROUP.replace("sg-0fedcba9876543210", "bastion"),
            format!(
                "ingress permission 1 of the group `sg-0123456789abcdef0` {shape}; `bastion` is not \
                 the id of a security group: write sg-… at line 12 column 27"
            ),
        ),
        (
            GROUP.replace("210987654321", "amazon-elb"),
            format!(
                "ingress permission 1 of the group `sg-0123456789abcdef0` {unchecked}; `amazon-elb` \
                 is not an account id: write its 12 digits"
            ),
        ),
        (
            RULES.replace("\"sgr-2\"", "\"\""),
            format!(
                "an object {shape}; `` is not the id of a security group rule: write sgr-… at line 6 \
                 column 28"
            ),
        ),
        (
            RULES.replace("\"sg-1\"", "\"sg 1\""),
            format!(
                "the rule `sgr-3` of a group {shape}; `sg 1` is not the id of a security group: write \
                 sg-… at line 10 column 52"
            ),
        ),
    ] {
        assert_eq!(error(&input), expected, "{input}");
    }
}

#[test]
fn output_with_anonymised_accounts_and_regions_is_read() {
    let group = GROUP.replace("123456789012", "XXXXXXXXXXXX").replace("eu-central-1", "REGION");
    let rules = RULES.replace("123456789012", "XXXXXXXXXXXX");
    let [group] = &read(&group)[..] else { panic!() };
    assert_eq!((&group.place, &group.group.owner), (&Place::default(), &None));
    assert_eq!(group.rules, read(GROUP)[0].rules);
    assert_eq!(read(&rules)[0].rules, read(RULES)[0].rules);
}

#[test]
fn a_duplicate_key_is_an_error() {
    for (output, key, other, location) in [
        (
            GROUP,
            "CidrIp",
            "\"10.0.0.0/8\"",
            "egress permission 1 of the group `sg-0123456789abcdef0`",
        ),
        (GROUP, "FromPort", "21", "ingress permission 1 of the group `sg-0123456789abcdef0`"),
        (GROUP, "IpPermissions", "[]", "the group `sg-0123456789abcdef0`"),
        (GROUP, "GroupName", "\"web\"", "the group `sg-0123456789abcdef0`"),
        (RULES, "IsEgress", "false", "the rule `sgr-1` of the group `sg-0123456789abcdef0`"),
        (RULES, "SecurityGroupRules", "[]", "an object"),
        // The same value again may have been meant for another key.
        (RULES, "FromPort", "-1", "the rule `sgr-1` of the group `sg-0123456789abcdef0`"),
    ] {
        let once = format!("\"{key}\":");
        let input = output.replacen(&once, &format!("{once} {other}, {once}"), 1);
        let error = error(&input);
        let expected = format!(
            "{location} is not as the AWS CLI prints it: run the AWS command without `--query` and \
             save its output unchanged; duplicate field `{key}` at line "
        );
        assert!(error.starts_with(&expected), "{error}");
    }
}

#[test]
fn unknown_members_of_a_permission_are_errors_unless_empty() {
    let unknown = |names: &str| {
        format!(
            "ingress permission 1 of the group `sg-0123456789abcdef0` cannot be checked: save the \
             output of the AWS command unchanged; it has {names}, which this version of sg-audit \
             does not know: use a newer version"
        )
    };
    let with =
        |members: &str| GROUP.replace("\"FromPort\": 22", &format!("{members}, \"FromPort\": 22"));
    let peers = r#""IPv6Ranges": [{"CidrIpv6": "::/0"}]"#;
    assert_eq!(error(&with(peers)), unknown("`IPv6Ranges`"));
    assert_eq!(error(&with(r#""NewPeers": [7]"#)), unknown("`NewPeers`"));
    assert_eq!(error(&with(r#""NewPeer": {"Id": "new-1"}"#)), unknown("`NewPeer`"));
    let two = format!(r#"{peers}, "NewPeers": [7]"#);
    assert_eq!(error(&with(&two)), unknown("`IPv6Ranges`, `NewPeers`"));
    let hidden = r#""NewPeers": [7], "NewPeers": []"#;
    assert_eq!(error(&with(hidden)), unknown("`NewPeers`"));
    for harmless in [r#""NewPeers": []"#, r#""NewPeers": null"#, r#""NewWord": "x""#] {
        assert_eq!(read(&with(harmless)), read(GROUP), "{harmless}");
    }
}

#[test]
fn a_rule_with_several_peers_is_an_error() {
    let several = |count: usize| {
        format!(
            "the rule `sgr-3` of the group `sg-1` cannot be checked: save the output of the AWS \
             command unchanged; it has {count} peers, and a rule can have only one"
        )
    };
    let with = |members: &str| RULES.replace("\"CidrIpv6\"", &format!("{members}, \"CidrIpv6\""));
    assert_eq!(error(&with(r#""CidrIpv4": "203.0.113.0/24""#)), several(2));
    assert_eq!(error(&with(r#""PrefixListId": "pl-1""#)), several(2));
    let group = r#""ReferencedGroupInfo": {"GroupId": "sg-2"}"#;
    assert_eq!(error(&with(group)), several(2));
    assert_eq!(error(&with(&format!(r#"{group}, "CidrIpv4": "0.0.0.0/0""#))), several(3));
    assert_eq!(read(&with(r#""CidrIpv4": null"#)), read(RULES));
}

#[test]
fn prefix_lists_are_read_by_their_ids() {
    let input = r#"{"pl-1": {"Entries": [{"Cidr": "203.0.113.7/24", "Description": "a"}]}}
                   {"pl-2": {"Entries": []}}"#;
    let lists = prefix_lists(input.as_bytes()).unwrap().lists;
    let [(one, one_entries), (two, two_entries)] = &lists.into_iter().collect::<Vec<_>>()[..]
    else {
        panic!()
    };
    assert_eq!((one.as_str(), two.as_str()), ("pl-1", "pl-2"));
    assert_eq!(*one_entries.as_ref().unwrap(), ["203.0.113.0/24".parse().unwrap()]);
    assert!(two_entries.as_ref().unwrap().is_empty());
}

#[test]
fn each_error_in_prefix_lists_says_what_to_do() {
    let expected = "expected a JSON object with the output of `aws ec2 \
                    get-managed-prefix-list-entries` under the id of each list, like {\"pl-…\": \
                    {\"Entries\": […]}}";
    let shape = "the list `pl-1` is not as the AWS CLI prints it: run the AWS command without \
                 `--query` and save its output unchanged";
    for (input, message) in [
        (r#"{"Entries": []}"#, format!("{expected}; found the key `Entries` at line 1 column 10")),
        (
            "[]",
            format!("{expected}; invalid type: sequence, expected an object at line 1 column 2"),
        ),
        (
            r#"{"Error": {"Message": "no such list"}}"#,
            "AWS returned an error: no such list; correct the AWS command and run it again"
                .to_owned(),
        ),
        (
            r#"{"pl-1": {"Entries": [{"Cidr": "office"}]}}"#,
            "`office` in the list `pl-1` is not a CIDR block: write one such as 198.51.100.0/24"
                .to_owned(),
        ),
        (
            r#"{"pl-1": {"Entries": [], "NextToken": "more"}}"#,
            "the output for the list `pl-1` ends with a `NextToken`, so entries are missing: run \
             `aws ec2 get-managed-prefix-list-entries` without `--max-items` and `--no-paginate`"
                .to_owned(),
        ),
        (
            r#"{"pl-1": {"Entries": []}, "pl-1": {"Entries": [{"Cidr": "0.0.0.0/0"}]}}"#,
            format!("{shape}; duplicate field `pl-1` at line 1 column 32"),
        ),
        (
            r#"{"pl-1": {"Entries": [], "Entries": [{"Cidr": "0.0.0.0/0"}]}}"#,
            format!("{shape}; duplicate field `Entries` at line 1 column 34"),
        ),
        (
            r#"{"pl-1": {"Entries": []}} {"pl-1": {"Entries": [{"Cidr": "0.0.0.0/0"}]}}"#,
            "the list `pl-1` occurs twice, with different entries: keep the newer output"
                .to_owned(),
        ),
        (
            r#"{"pl-1": []}"#,
            format!(
                "{shape}; invalid length 0, expected struct Output with 3 elements at line 1 column 11"
            ),
        ),
    ] {
        assert_eq!(lists_error(input), message, "{input}");
    }
}

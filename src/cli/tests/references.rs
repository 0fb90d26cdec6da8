//! Rules that name prefix lists, and groups beyond a peering.

use super::*;

const LIST: &str = "pl-0a1b2c3d4e5f67890";
const NAME: &str = "com.amazonaws.eu-central-1.ec2-instance-connect";

/// A prefix list as a file has it.
fn list(name: Option<&str>, entry: &str) -> String {
    let name = name.map_or_else(String::new, |name| format!(r#""PrefixListName": "{name}", "#));
    format!(r#"{{"{LIST}": {{{name}"Entries": [{{"Cidr": "{entry}"}}]}}}}"#)
}

/// The answer about a group whose rule admits SSH from the list.
fn of_list(file: &str, lists: &str, arguments: &[&str]) -> String {
    let groups = File::new(file, &group("sg-1", 22, &format!(r#""PrefixListId": "{LIST}""#)));
    let lists = File::new(&format!("lists-{file}"), lists);
    let given = ["check", "--groups", groups.path(), "--prefix-lists", lists.path()];
    answer(&[&given[..], arguments].concat()).unwrap().out
}

#[test]
fn a_prefix_list_is_named_by_name_and_id_where_the_name_is_known() {
    let named = of_list("named.json", &list(Some(NAME), "198.51.100.40/29"), &["--format=json"]);
    let report: serde_json::Value = serde_json::from_str(&named).unwrap();
    let title = report["findings"][0]["title"].as_str().unwrap();
    assert_eq!(title, format!("SSH is open to {LIST} ({NAME}) on sg-1"));
    let text = of_list("text.json", &list(Some(NAME), "198.51.100.40/29"), &[]);
    assert!(text.contains(LIST) && text.contains("ec2-instance-connect"), "{text}");

    for nameless in [list(None, "198.51.100.40/29"), list(Some(""), "198.51.100.40/29")] {
        let nameless = of_list("nameless.json", &nameless, &["--format=json"]);
        let report: serde_json::Value = serde_json::from_str(&nameless).unwrap();
        assert_eq!(report["findings"][0]["title"], format!("SSH is open to {LIST} on sg-1"));
    }
}

/// What `invoke` says about an event that lets SSH in from a list.
fn invoked(file: &str, lists: &str) -> String {
    let event = std::fs::read_to_string(event("authorize-open-ssh")).unwrap();
    let mut event: serde_json::Value = serde_json::from_str(&event).unwrap();
    let rule = &mut event["detail"]["responseElements"]["securityGroupRuleSet"]["items"][0];
    rule["prefixListId"] = LIST.into();
    rule.as_object_mut().unwrap().remove("cidrIpv4");
    let asked = &mut event["detail"]["requestParameters"]["ipPermissions"]["items"][0];
    asked["ipRanges"] = serde_json::json!({});
    asked["prefixListIds"] = serde_json::json!({"items": [{"prefixListId": LIST}]});
    let (event, lists) =
        (File::new(file, &event.to_string()), File::new(&format!("lists-{file}"), lists));
    answer(&["invoke", "--scope=all", "--prefix-lists", lists.path(), event.path()]).unwrap().out
}

#[test]
fn a_narrow_list_is_proposed_as_an_ssh_source() {
    let narrow = invoked("narrow.json", &list(Some("office"), "198.51.100.40/29"));
    assert!(narrow.contains(&format!("add {LIST} (office) to the SSH sources")), "{narrow}");
    // The name is somebody's text: it makes no sentence and no link.
    let odd = invoked("odd.json", &list(Some("office) www.evil.example"), "198.51.100.40/29"));
    assert!(odd.contains(r#"("office) www[.]evil[.]example")"#), "{odd}");
    let mail = odd.split_once("Subject: ").unwrap().1;
    assert!(!mail.contains("www.evil"), "{mail}");
    // A list that lets the Internet in must not become one.
    let wide = invoked("wide.json", &list(Some("office"), "0.0.0.0/1"));
    assert!(!wide.contains(&format!("add {LIST}")), "{wide}");
    assert!(wide.contains("add the addresses to the SSH sources"), "{wide}");
}

/// A group with a rule that names a group of another account.
fn peered(status: &str) -> String {
    format!(
        r#"{{"SecurityGroups": [{{"GroupId": "sg-1", "GroupName": "app", "OwnerId": "123456789012",
           "IpPermissions": [{{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22,
           "UserIdGroupPairs": [{{"UserId": "210987654321", "GroupId": "sg-2",
           "VpcPeeringConnectionId": "pcx-1"{status}}}]}}], "IpPermissionsEgress": []}}]}}"#
    )
}

#[test]
fn a_rule_by_a_deleted_peering_is_stale() {
    let stale = "The VPC peering with the group 210987654321/sg-2 is deleted: the rule is stale";
    let of = |status: &str| {
        let groups = File::new("peered.json", &peered(status));
        let found = answer(&["check", "--format=json", "--groups", groups.path()]).unwrap();
        let report: serde_json::Value = serde_json::from_str(&found.out).unwrap();
        let finding = &report["findings"][0];
        // An account that the baseline does not name.
        assert_eq!(finding["severity"], "medium");
        finding["remediation"]["detail"].as_str().unwrap().to_owned()
    };
    assert!(of(r#", "PeeringStatus": "deleted""#).contains(stale));
    for alive in ["", r#", "PeeringStatus": "active""#, r#", "PeeringStatus": null"#] {
        assert!(!of(alive).contains("stale"), "{alive}");
    }

    let rules = r#"{"SecurityGroupRules": [{"GroupId": "sg-1", "GroupOwnerId": "123456789012",
        "IsEgress": false, "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "ReferencedGroupInfo":
        {"GroupId": "sg-2", "UserId": "210987654321", "PeeringStatus": "deleted"}}]}"#;
    let both = File::new("both.json", &format!("{}{rules}", peered("")));
    let found = answer(&["check", "--format=json", "--groups", both.path()]).unwrap();
    assert!(found.out.contains(stale), "{}", found.out);
}

#[test]
fn a_console_that_is_not_known_is_not_linked() {
    let sample = std::fs::read_to_string(event("authorize-open-ssh")).unwrap();
    let in_region = |region: &str| {
        let event = File::new("region.json", &sample.replace("eu-central-1", region));
        answer(&["invoke", "--scope=all", event.path()]).unwrap().out
    };
    let sovereign = in_region("eusc-de-east-1");
    assert!(
        sovereign.contains("Console: https://eusc-de-east-1.console.amazonaws-eusc.eu/ec2/"),
        "{sovereign}"
    );
    let iso = in_region("us-iso-east-1");
    assert!(iso.contains("Subject: ") && !iso.contains("Console:"), "{iso}");
}

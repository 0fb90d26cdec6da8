//! Inputs that are easily judged wrong.

use serde_json::{Value, json};

use super::*;

const OTHER: &str = "210987654321";

fn json_of(arguments: &[&str]) -> (Value, Answer) {
    let found = answer(&[arguments, &["--format", "json"]].concat()).unwrap();
    (serde_json::from_str(&found.out).unwrap(), found)
}

/// A group as `describe-security-groups` lists it, with these ingress rules.
fn described(permissions: &[Value]) -> Value {
    json!({
        "SecurityGroupArn":
            format!("arn:aws:ec2:eu-central-1:123456789012:security-group/{SHOP}"),
        "GroupId": SHOP, "GroupName": "shop", "OwnerId": "123456789012", "VpcId": "vpc-1",
        "IpPermissions": permissions, "IpPermissionsEgress": [],
    })
}

fn groups(groups: &[Value]) -> String {
    json!({ "SecurityGroups": groups }).to_string()
}

fn from_cidrs(from: u16, to: u16, cidrs: &[String]) -> Value {
    let ranges: Vec<Value> = cidrs.iter().map(|cidr| json!({"CidrIp": cidr})).collect();
    json!({"IpProtocol": "tcp", "FromPort": from, "ToPort": to, "IpRanges": ranges})
}

/// The group is full: the opened rule and 59 narrow ones.
fn full() -> String {
    let partners: Vec<String> = (0..59).map(|n| format!("198.51.100.{n}/32")).collect();
    let opened = from_cidrs(0, 65535, &["0.0.0.0/0".to_owned()]);
    groups(&[described(&[opened, from_cidrs(8443, 8443, &partners)])])
}

#[test]
fn the_rule_that_a_default_group_is_made_with_is_told_and_fails_no_build() {
    let own = json!({"IpProtocol": "-1",
        "UserIdGroupPairs": [{"GroupId": SHOP, "UserId": "123456789012"}]});
    let mut group = described(std::slice::from_ref(&own));
    group["GroupName"] = "default".into();
    let status = |group: &Value| {
        let file = File::new("default.json", &groups(std::slice::from_ref(group)));
        let (report, found) = json_of(&["check", "--groups", file.path()]);
        let severities = report["findings"].as_array().unwrap().iter();
        let severities: Vec<String> =
            severities.map(|it| it["severity"].as_str().unwrap().to_owned()).collect();
        (severities.join(" "), found.status)
    };
    assert_eq!(status(&group), ("informational".to_owned(), 0));
    // The same rule in another group, and another rule in a default group, were made by somebody.
    assert_eq!(status(&described(&[own])), ("low".to_owned(), 1));
    group["IpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"] = "sg-0fedcba9876543210".into();
    assert_eq!(status(&group), ("low".to_owned(), 1));
}

const REVERT: [&str; 3] =
    ["--remediation=revert-ssh", "--scope=all", "--ssh-source=203.0.113.0/24"];

#[test]
fn a_full_group_keeps_what_matters_most_and_the_rest_has_a_command() {
    let file = File::new("full", &full());
    let event = event("authorize-all-tcp-ports");
    let arguments = [&["invoke", &event, "--groups", file.path()], &REVERT[..]].concat();
    let (report, found) = json_of(&arguments);
    assert_eq!(found.status, 1);
    let finding = report["findings"].as_array().unwrap().iter().find(|it| it["code"] == "open-ssh");
    let remediation = &finding.unwrap()["remediation"];
    assert_eq!(remediation["outcome"], "failed");
    assert_eq!(remediation["kept"], json!(["tcp 443 from 0.0.0.0/0"]));
    let missing = json!(["tcp 80 from 0.0.0.0/0", "tcp 22 from 203.0.113.0/24"]);
    assert_eq!(remediation["missing"], missing);
    let complete = remediation["complete"].as_str().unwrap();
    assert!(
        complete.contains(r#""ToPort":80"#) && complete.contains(r#""ToPort":22"#),
        "{complete}"
    );
    assert!(!complete.contains("443"), "{complete}");
    let out = answer(&arguments).unwrap().out;
    assert!(out.contains("Subject: FIX NOW: TCP 22, 80 closed on "), "{out}");
    assert!(!out.contains("Should be kept"), "{out}");
}

#[test]
fn what_is_left_of_a_rule_from_a_prefix_list_is_named_by_the_list() {
    let list = "pl-0123456789abcdef0";
    let opened = json!({"IpProtocol": "tcp", "FromPort": 0, "ToPort": 65535,
        "PrefixListIds": [{"PrefixListId": list}]});
    let file = File::new("list-rule", &groups(&[described(&[opened])]));
    let lists = json!({list: {"Entries": [{"Cidr": "198.51.100.0/24"}]}}).to_string();
    let lists = File::new("list-rule-lists", &lists);
    let mut change: Value =
        serde_json::from_str(&std::fs::read_to_string(event("authorize-open-ssh")).unwrap())
            .unwrap();
    change["detail"]["requestParameters"]["ipPermissions"]["items"] = json!([{
        "ipProtocol": "tcp", "fromPort": 0, "toPort": 65535,
        "prefixListIds": {"items": [{"prefixListId": list}]},
    }]);
    change["detail"]["responseElements"]["securityGroupRuleSet"]["items"] = json!([{
        "groupOwnerId": "123456789012", "groupId": SHOP, "isEgress": false,
        "securityGroupRuleId": "sgr-0123456789abcdef0", "ipProtocol": "tcp",
        "fromPort": 0, "toPort": 65535, "prefixListId": list,
    }]);
    let change = File::new("list-rule-event", &change.to_string());
    let given = ["--groups", file.path(), "--prefix-lists", lists.path()];
    let (report, _) = json_of(&[&["invoke", change.path()], &given[..], &REVERT].concat());
    let remediation = &report["findings"][0]["remediation"];
    assert_eq!(remediation["outcome"], "narrowed", "{report:#}");
    let kept = json!([format!("tcp 443 from {list}"), format!("tcp 80 from {list}")]);
    assert_eq!(remediation["kept"], kept);
    assert_eq!(remediation["missing"], json!([]));
    assert_eq!(remediation["complete"], Value::Null);
}

#[test]
fn groups_without_their_egress_are_refused() {
    for absent in ["IpPermissions", "IpPermissionsEgress"] {
        let mut group = described(&[]);
        group.as_object_mut().unwrap().remove(absent);
        let file = File::new(&format!("without-{absent}"), &groups(&[group]));
        for baseline in ["standard", "restricted-egress"] {
            let check = ["check", "--groups", file.path(), "--baseline", baseline];
            let error = answer(&check).unwrap_err();
            assert!(error[0].contains("without `--query`"), "{error:?}");
            assert!(error[1].contains(&format!("missing field `{absent}`")), "{error:?}");
        }
    }
}

/// A baseline with this in it.
fn baseline(ingress: &str, more: &str) -> String {
    format!("version: 1\nname: ours\ningress: [{ingress}]\negress: []\n{more}")
}

#[test]
fn ssh_sources_that_would_have_no_effect_are_refused() {
    let fixed = "{ name: SSH, protocol: tcp, ports: [22], peers: [203.0.113.0/24] }";
    let fixed = File::new("no-sources.yaml", &baseline(fixed, ""));
    let open = File::new("no-sources.json", &group(SHOP, 443, ANYWHERE));
    let of = |peer| {
        let options = ["--baseline", fixed.path(), "--ssh-source", peer];
        answer(&[&["check", "--groups", open.path()], &options[..]].concat())
    };
    let [error] = &of("198.51.100.7/32").unwrap_err()[..] else { panic!() };
    assert!(error.starts_with("--ssh-source has no effect"), "{error}");
    assert!(error.contains("leave the setting out"), "{error}");
    // Nobody is what the baseline says already.
    assert_eq!(of("none").unwrap().status, 1);
    let named = "{ name: SSH, protocol: tcp, ports: [22], peers: [ssh-sources] }";
    let named = baseline(named, "peer_sets: { ssh-sources: [203.0.113.0/24] }\n");
    let named = File::new("sources.yaml", &named);
    let options = ["--baseline", named.path(), "--ssh-source", "198.51.100.7/32"];
    let ssh = File::new("sources.json", &group(SHOP, 22, r#""CidrIpv4": "198.51.100.7/32""#));
    let found = answer(&[&["check", "--groups", ssh.path()], &options[..]].concat()).unwrap();
    assert_eq!(found.status, 0, "{}", found.out);
}

#[test]
fn a_peer_set_that_is_not_defined_has_a_hint_that_names_each_set_once() {
    let entry =
        |peer: &str| format!("{{ name: SSH, protocol: tcp, ports: [22], peers: [{peer}] }}");
    let hint = |name: &str, peer: &str, more: &str| {
        let file = File::new(name, &baseline(&entry(peer), more));
        answer(&["baseline", "validate", file.path()]).unwrap_err().join("\n")
    };
    let near = hint("near.yaml", "anywere", "");
    assert!(near.contains("write `anywhere`, or define it"), "{near}");
    let defined = hint("defined.yaml", "vpn", "peer_sets: { office: [203.0.113.0/24] }\n");
    assert!(defined.ends_with("write a set that is defined: anywhere, office"), "{defined}");
    let twice = hint("twice.yaml", "vpn", "peer_sets: { anywhere: [203.0.113.0/24] }\n");
    assert!(!twice.contains("anywhere, anywhere"), "{twice}");
    assert!(twice.contains("`anywhere` is built in"), "{twice}");
}

#[test]
fn a_reason_that_nobody_has_written_is_refused() {
    let open = File::new("placeholder.json", &group(SHOP, 22, ANYWHERE));
    let (report, _) = json_of(&["check", "--groups", open.path()]);
    let line = report["findings"][0]["exemption"].as_str().unwrap();
    let pasted = |line: &str| {
        let text = baseline("", &format!("exemptions:\n{line}\n"));
        let file = File::new("placeholder.yaml", &text);
        answer(&["check", "--groups", open.path(), "--baseline", file.path()])
    };
    let error = pasted(line).unwrap_err().join("\n");
    assert!(error.contains("`reason` is still the placeholder"), "{error}");
    let spaced = line.replace("needed>", "needed> ");
    let error = pasted(&spaced).unwrap_err().join("\n");
    assert!(error.contains("`reason` is still the placeholder"), "{error}");
    let written = pasted(&line.replace("<ticket, and why this is needed>", "ticket 4711")).unwrap();
    assert_eq!(written.status, 0, "{}", written.out);
}

#[test]
fn a_new_group_whose_id_is_not_in_the_event_is_not_compliant() {
    let mut created: Value =
        serde_json::from_str(&std::fs::read_to_string(event("create-group")).unwrap()).unwrap();
    created["detail"]["responseElements"] = Value::Null;
    let created = File::new("no-id", &created.to_string());
    let (report, found) = json_of(&["invoke", created.path()]);
    assert_eq!(found.status, NOT_AUDITED);
    assert_eq!(report["findings"][0]["code"], "unaudited-change");
    assert!(found.notes[0].contains("could not be audited"), "{:?}", found.notes);
}

#[test]
fn a_shared_group_is_one_group_from_sweep_event_and_check() {
    let mut shared = described(&[from_cidrs(22, 22, &["0.0.0.0/0".to_owned()])]);
    shared["OwnerId"] = OTHER.into();
    let own = json!({
        "SecurityGroupArn":
            "arn:aws:ec2:eu-central-1:123456789012:security-group/sg-0b2c3d4e5f6789012",
        "GroupId": "sg-0b2c3d4e5f6789012", "GroupName": "own", "OwnerId": "123456789012",
        "IpPermissions": [], "IpPermissionsEgress": [],
    });
    let file = File::new("shared-group", &groups(&[shared, own]));
    let sweep = event("scheduled-sweep");
    // Only the owner can change it.
    let change = std::fs::read_to_string(event("authorize-open-ssh")).unwrap();
    let change = File::new("shared-change", &change.replace("123456789012", OTHER));
    let seen: Vec<Value> = [
        ["check", "--groups", file.path()].as_slice(),
        &["invoke", &sweep, "--groups", file.path()],
        &["invoke", change.path(), "--groups", file.path()],
    ]
    .into_iter()
    .map(|arguments| {
        let (report, _) = json_of(arguments);
        let findings = report["findings"].as_array().unwrap();
        let finding = findings.iter().find(|it| it["code"] == "open-ssh").unwrap();
        json!([finding["account"], finding["fingerprint"], finding["group"]["id"]])
    })
    .collect();
    assert_eq!(seen[0][0], OTHER);
    for other in &seen {
        assert_eq!(other, &seen[0]);
    }
}

/// The file names the owner's account, and the event is of the account that the group is shared
/// with.
#[test]
fn an_event_of_the_account_that_a_group_is_shared_with_finds_the_group() {
    let mut shared = described(&[from_cidrs(22, 22, &["0.0.0.0/0".to_owned()])]);
    shared["OwnerId"] = OTHER.into();
    let arn = shared["SecurityGroupArn"].as_str().unwrap().replace("123456789012", OTHER);
    shared["SecurityGroupArn"] = arn.into();
    let groups = File::new("shared-elsewhere", &groups(&[shared]));
    let sweep = event("scheduled-sweep");
    let open = std::fs::read_to_string(event("authorize-open-ssh")).unwrap();
    // Newer events tell the owner, older ones do not.
    let told =
        open.replace(r#""groupOwnerId": "123456789012""#, &format!(r#""groupOwnerId": "{OTHER}""#));
    assert_ne!(told, open);
    let mut untold: Value = serde_json::from_str(&open).unwrap();
    untold["detail"]["responseElements"] = Value::Null;
    let told = File::new("shared-told", &told);
    let untold = File::new("shared-untold", &untold.to_string());
    let reverting = ["--remediation=revert-ssh", "--ssh-source=none", "--scope=all"];
    let swept = json_of(&["invoke", &sweep, "--groups", groups.path()]).0;
    for change in [&told, &untold] {
        let arguments = [&["invoke", change.path(), "--groups", groups.path()], &reverting[..]];
        let (report, found) = json_of(&arguments.concat());
        let [finding] = &report["findings"].as_array().unwrap()[..] else { panic!("{report:#}") };
        assert_eq!((&finding["code"], &finding["account"]), (&json!("open-ssh"), &json!(OTHER)));
        assert_eq!(finding["fingerprint"], swept["findings"][0]["fingerprint"]);
        assert_eq!(finding["remediation"]["outcome"], "none");
        assert_eq!((found.status, found.notes.len()), (1, 0), "{:?}", found.notes);
        let text = answer(&arguments.concat()).unwrap().out;
        assert!(!text.contains("RevokeSecurityGroup"), "{text}");
    }
    // Nobody gave the group: the event alone tells whose it is.
    let (report, _) = json_of(&[&["invoke", told.path()], &reverting[..]].concat());
    assert_eq!(report["findings"][0]["account"], OTHER);
    assert_eq!(report["findings"][0]["remediation"]["outcome"], "none");
}

#[test]
fn what_nobody_gave_cannot_be_compliant() {
    for (name, about) in [
        ("scheduled-sweep", "give them with --groups"),
        ("scheduled-holds", "give them with --groups"),
        ("modify-prefix-list", "--prefix-lists"),
    ] {
        let alone = answer(&["invoke", &event(name)]).unwrap();
        assert_eq!(alone.status, NOT_AUDITED, "{name}: {}", alone.out);
        assert!(alone.notes.iter().any(|note| note.contains(about)), "{name}: {:?}", alone.notes);
    }
    let given = File::new("given-groups", &groups(&[described(&[])]));
    for name in ["scheduled-sweep", "scheduled-holds"] {
        let found = answer(&["invoke", &event(name), "--groups", given.path()]).unwrap();
        assert_eq!(found.status, 0, "{name}: {}", found.out);
    }
    // The groups are given, and the list is not. Where no rule names it, nothing depends on it.
    let from_list = json!({"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22,
        "PrefixListIds": [{"PrefixListId": "pl-0f678901234567890"}]});
    let naming = File::new("naming-groups", &groups(&[described(&[from_list])]));
    for (file, status) in [(&naming, NOT_AUDITED), (&given, 0)] {
        let change = event("modify-prefix-list");
        let found = answer(&["invoke", &change, "--groups", file.path()]).unwrap();
        assert_eq!(found.status, status, "{}", found.out);
        assert!(found.out.contains(&format!("exit {status}: ")), "{}", found.out);
    }
    // The tags of a group that is not given.
    let mut other = described(&[]);
    other["GroupId"] = "sg-0b2c3d4e5f6789012".into();
    let other = File::new("other-group", &groups(&[other]));
    let tags = ["invoke", &event("create-tags"), "--scope", "tag:Application=typo3"];
    let found = answer(&[&tags[..], &["--groups", other.path()]].concat()).unwrap();
    assert_eq!(found.status, NOT_AUDITED, "{}", found.out);
    let mut tagged = described(&[]);
    tagged["Tags"] = json!([{"Key": "Application", "Value": "typo3"}]);
    let tagged = File::new("tagged-group", &groups(&[tagged]));
    let found = answer(&[&tags[..], &["--groups", tagged.path()]].concat()).unwrap();
    assert_eq!(found.status, 0, "{}", found.out);
}

#[test]
fn more_ssh_sources_than_a_revert_puts_back_are_warned_of() {
    let sources: Vec<String> = (0..41).map(|n| format!("203.0.113.{}/32", 2 * n)).collect();
    let sources = sources.join(",");
    let web = File::new("many-sources", &group(SHOP, 443, ANYWHERE));
    let event = event("authorize-web");
    for command in [["check", "--groups", web.path()], ["invoke", &event, "--scope=all"]] {
        let many = [&command[..], &["--ssh-source", &sources]].concat();
        let found = answer(&many).unwrap();
        assert_eq!(found.status, 0, "{}", found.out);
        let [warning] = &found.notes[..] else { panic!("{:?}", found.notes) };
        assert!(warning.starts_with("warning: 41 SSH sources are more than"), "{warning}");
        let few = [&command[..], &["--ssh-source", "203.0.113.0/24"]].concat();
        assert_eq!(answer(&few).unwrap().notes, Vec::<String>::new());
    }
    let revert = ["check", "--groups", web.path(), REVERT[0], REVERT[1], "--ssh-source", &sources];
    let error = answer(&revert).unwrap_err().join("\n");
    assert!(error.contains("41 SSH sources are more than the 40 rules"), "{error}");
}

#[test]
fn tags_that_a_file_does_not_show_are_unknown_and_not_gone() {
    let (open, tags) = (from_cidrs(22, 22, &["0.0.0.0/0".to_owned()]), "does not show the tags");
    let without = groups(&[described(&[open])]);
    let rule = json!({"SecurityGroupRules": [{"SecurityGroupRuleId": "sgr-0123456789abcdef0",
        "GroupId": SHOP, "GroupOwnerId": "123456789012", "IsEgress": false, "IpProtocol": "tcp",
        "FromPort": 22, "ToPort": 22, "CidrIpv4": "0.0.0.0/0", "Tags": []}]});
    let taken_off = format!("{without}{rule}");
    let held = event("authorize-held");
    for (name, text, outcome) in [("no-tags", &without, "held"), ("off", &taken_off, "narrowed")] {
        let file = File::new(name, text);
        let arguments = [&["invoke", &held, "--groups", file.path()], &REVERT[..]].concat();
        let (report, found) = json_of(&arguments);
        let remediation = &report["findings"][0]["remediation"];
        assert_eq!(remediation["outcome"], outcome, "{report:#}");
        let detail = remediation["detail"].as_str().unwrap();
        assert_eq!(detail.contains("taken off"), outcome == "narrowed", "{detail}");
        let is_told = found.notes.iter().any(|note| note.contains(tags));
        assert_eq!(is_told, outcome == "held", "{:?}", found.notes);
    }
    let file = File::new("no-tags-holds", &without);
    let untagged = std::fs::read_to_string(event("delete-tags")).unwrap();
    let untagged = untagged.replace(SHOP, "sgr-0123456789abcdef0");
    let untagged = untagged.replace(r#""Application""#, r#""sg-audit:allow-until""#);
    let untagged = File::new("deleted-hold-tags", &untagged);
    for name in [event("scheduled-holds").as_str(), untagged.path()] {
        let found = answer(&["invoke", name, "--groups", file.path()]).unwrap();
        assert_eq!(found.status, NOT_AUDITED, "{name}: {}", found.out);
        assert!(found.notes.iter().any(|note| note.contains(tags)), "{name}: {:?}", found.notes);
    }
}

#[test]
fn the_clock_of_a_sweep_is_that_of_its_event() {
    let rule = json!({"SecurityGroupRules": [{"SecurityGroupRuleId": "sgr-0123456789abcdef0",
        "GroupId": SHOP, "GroupOwnerId": "123456789012", "IsEgress": false, "IpProtocol": "tcp",
        "FromPort": 22, "ToPort": 22, "CidrIpv4": "0.0.0.0/0", "Tags": [
            {"Key": "sg-audit:allow-until", "Value": "2026-03-12T09:00:00Z"},
            {"Key": "sg-audit:reason", "Value": "vendor"}]}]});
    let both = format!("{}{rule}", groups(&[described(&[])]));
    let file = File::new("swept-hold", &both);
    let arguments = ["invoke", &event("scheduled-sweep"), "--groups", file.path()];
    let (report, _) = json_of(&arguments);
    let remediation = &report["findings"][0]["remediation"];
    assert_eq!(remediation["outcome"], "held", "{report:#}");
    assert_eq!(remediation["time"], "2026-03-12T03:17:00Z");
    assert_eq!(report["findings"][0]["change"], Value::Null);
}

#[test]
fn a_changed_list_is_called_by_the_name_in_the_event_where_the_file_has_none() {
    let list = "pl-0f678901234567890";
    let from_list = json!({"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22,
        "PrefixListIds": [{"PrefixListId": list}]});
    let groups = File::new("named-by-event", &groups(&[described(&[from_list])]));
    let mut nameless: Value =
        serde_json::from_str(&std::fs::read_to_string(event("modify-prefix-list")).unwrap())
            .unwrap();
    nameless["detail"]["responseElements"] = Value::Null;
    let nameless = File::new("nameless-event", &nameless.to_string());
    let titles = |change: &str, lists: Value| {
        let file = File::new("named-lists", &json!({ list: lists }).to_string());
        let given = ["--groups", groups.path(), "--prefix-lists", file.path()];
        let (report, _) = json_of(&[&["invoke", change], &given[..]].concat());
        report["findings"][0]["title"].as_str().unwrap().to_owned()
    };
    let entries = json!([{"Cidr": "0.0.0.0/1"}]);
    let change = event("modify-prefix-list");
    let title = titles(&change, json!({"Entries": entries}));
    assert!(title.ends_with(&format!("through the prefix list {list} (office)")), "{title}");
    let title = titles(&change, json!({"Entries": entries, "PrefixListName": "renamed"}));
    assert!(title.ends_with(&format!("through the prefix list {list} (renamed)")), "{title}");
    let title = titles(nameless.path(), json!({"Entries": entries}));
    assert!(title.ends_with(list), "{title}");
}

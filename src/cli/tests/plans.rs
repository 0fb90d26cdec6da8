//! `sg-audit check --plan`.

use serde_json::{Value, json};

use super::*;

/// A plan that creates a resource.
fn plan(kind: &str, after: Value, unknown: Value) -> String {
    let change =
        json!({"actions": ["create"], "before": null, "after": after, "after_unknown": unknown});
    json!({
        "format_version": "1.2",
        "resource_changes": [{
            "address": format!("{kind}.web"), "mode": "managed", "type": kind, "name": "web", "change": change
        }],
        "configuration": {
            "provider_config": {"aws": {"expressions": {"region": {"references": ["var.region"]}}}},
            "root_module": {"resources": [{
                "mode": "managed", "type": kind, "name": "web", "provider_config_key": "aws",
                "expressions": {"cidr_ipv4": {"references": ["aws_eip.office.public_ip", "aws_eip.office"]}}
            }]}
        },
        "variables": {"region": {"value": "eu-central-1"}}
    })
    .to_string()
}

/// A rule of its own from a peer, to SSH.
fn ssh(peer: Value) -> String {
    let mut after =
        json!({"ip_protocol": "tcp", "from_port": 22, "to_port": 22, "security_group_id": SHOP});
    let unknown = json!({"cidr_ipv4": peer.is_null()});
    if !peer.is_null() {
        after["cidr_ipv4"] = peer;
    }
    plan("aws_vpc_security_group_ingress_rule", after, unknown)
}

fn check(name: &str, plan: &str, more: &[&str]) -> Result<Answer, Vec<String>> {
    let file = File::new(name, plan);
    answer(&[&["check", "--plan", file.path()], more].concat())
}

#[test]
fn a_rule_that_a_plan_adds_is_found_with_its_address_and_what_to_change() {
    let found = check("open-plan.json", &ssh(json!("0.0.0.0/0")), &[]).unwrap();
    assert_eq!((found.status, found.notes.len()), (1, 0));
    for part in
        ["open-ssh", "aws_vpc_security_group_ingress_rule.web", "remove aws_vpc", "eu-central-1"]
    {
        assert!(found.out.contains(part), "{part}: {}", found.out);
    }
    // A command would name a rule that is not there.
    assert!(!found.out.contains("aws ec2"), "{}", found.out);
    let sources = ["--ssh-source", "203.0.113.0/24"];
    let found = check("sources-plan.json", &ssh(json!("0.0.0.0/0")), &sources).unwrap();
    assert!(found.out.contains(r#"set cidr_ipv4 to "203.0.113.0/24" in"#), "{}", found.out);
    assert_eq!(
        check("inside-plan.json", &ssh(json!("203.0.113.64/26")), &sources).unwrap().status,
        0
    );
    // Half of the Internet is the same case.
    assert_eq!(check("half-plan.json", &ssh(json!("128.0.0.0/1")), &[]).unwrap().status, 1);
}

#[test]
fn what_is_known_after_apply_is_undecided_and_named() {
    let found = check("unknown-plan.json", &ssh(Value::Null), &[]).unwrap();
    assert_eq!(found.status, 1);
    for part in ["unresolved-peer", "`cidr_ipv4` is known only after", "aws_eip.office.public_ip"] {
        assert!(found.out.contains(part), "{part}: {}", found.out);
    }
    // Whoever it will be, HTTPS is for everybody.
    let https =
        json!({"ip_protocol": "tcp", "from_port": 443, "to_port": 443, "security_group_id": SHOP});
    let https = plan("aws_vpc_security_group_ingress_rule", https, json!({"cidr_ipv4": true}));
    assert_eq!(check("https-plan.json", &https, &[]).unwrap().status, 0);
}

#[test]
fn the_name_of_a_protocol_in_an_address_stays_as_it_is() {
    let plan = ssh(Value::Null).replace(".web", ".tcp_web").replace("\"web\"", "\"tcp_web\"");
    let plan = plan.replace("aws_eip.office", "aws_eip.tcp_office");
    let found = check("address-plan.json", &plan, &[]).unwrap();
    assert!(found.out.contains("ingress_rule.tcp_web"), "{}", found.out);
    assert!(!found.out.contains("TCP_"), "{}", found.out);
}

#[test]
fn a_group_that_does_not_exist_yet_is_named_by_its_address_and_gets_no_exemption() {
    let block =
        json!({"protocol": "-1", "from_port": 0, "to_port": 0, "cidr_blocks": ["0.0.0.0/0"]});
    let group = plan(
        "aws_security_group",
        json!({"name": "web", "ingress": [block], "egress": []}),
        json!({"id": true}),
    );
    let found = check("group-plan.json", &group, &["--show-exemptions"]).unwrap();
    assert_eq!(found.status, 1);
    assert!(found.out.starts_with("aws_security_group.web  web  eu-central-1"), "{}", found.out);
    assert!(!found.out.contains("exemption"), "{}", found.out);
    let found = check("group-json.json", &group, &["--format", "json"]).unwrap();
    let report: Value = serde_json::from_str(&found.out).unwrap();
    let finding = &report["findings"][0];
    assert_eq!(finding["group"], Value::Null);
    assert_eq!(finding["exemption"], Value::Null);
    assert_eq!(finding["location"]["group"], "aws_security_group.web");
    assert_eq!(finding["location"]["part"], "ingress");
    for format in ["markdown", "junit", "github", "csv"] {
        let found = check("group-format.json", &group, &["--format", format]).unwrap();
        assert!(found.out.contains("aws_security_group.web"), "{format}: {}", found.out);
        assert!(!found.out.contains("aws ec2"), "{format}: {}", found.out);
    }
}

#[test]
fn a_plan_that_changes_no_group_complies_and_says_so() {
    let found = check("other-plan.json", &plan("aws_instance", json!({}), json!({})), &[]).unwrap();
    assert_eq!(found.status, 0);
    assert!(found.notes[0].contains("there is no security group in it"), "{:?}", found.notes);
    let kept = ssh(json!("0.0.0.0/0")).replace(r#"["create"]"#, r#"["no-op"]"#);
    let kept = kept.replace(r#""before":null"#, &format!(r#""before":{{"ip_protocol":"tcp","from_port":22,"to_port":22,"cidr_ipv4":"0.0.0.0/0","security_group_id":"{SHOP}"}}"#));
    let found = check("kept-plan.json", &kept, &[]).unwrap();
    assert_eq!(found.status, 0);
    assert!(found.notes[0].contains("--all"), "{:?}", found.notes);
    assert_eq!(check("kept-plan.json", &kept, &["--all"]).unwrap().status, 1);
}

#[test]
fn what_another_rule_of_the_plan_admits_is_not_proposed_again() {
    let block = |from: u16, to: u16| json!({"protocol": "tcp", "from_port": from, "to_port": to, "cidr_blocks": ["0.0.0.0/0"]});
    let proposed = |ingress: &[Value]| {
        let after = json!({"name": "web", "ingress": ingress, "egress": []});
        let group = plan("aws_security_group", after, json!({"id": true}));
        check("covered-plan.json", &group, &["--format", "markdown"]).unwrap().out
    };
    let (all, https) = (block(0, 65535), block(443, 443));
    let alone = proposed(std::slice::from_ref(&all));
    assert!(alone.contains("tcp 443 from 0.0.0.0/0"), "{alone}");
    let beside = proposed(&[all, https]);
    assert!(beside.contains("tcp 80 from 0.0.0.0/0"), "{beside}");
    assert!(!beside.contains("tcp 443 from 0.0.0.0/0"), "{beside}");
}

#[test]
fn a_plan_that_closes_the_website_says_so() {
    let id = SHOP;
    let https =
        json!({"protocol": "tcp", "from_port": 443, "to_port": 443, "cidr_blocks": ["0.0.0.0/0"]});
    let http =
        json!({"protocol": "tcp", "from_port": 80, "to_port": 80, "cidr_blocks": ["0.0.0.0/0"]});
    let change = json!({"actions": ["update"],
        "before": {"id": id, "ingress": [https, http]}, "after": {"id": id, "ingress": [http]}, "after_unknown": {}});
    let kind = "aws_security_group";
    let mut plan: Value = serde_json::from_str(&plan(kind, Value::Null, Value::Null)).unwrap();
    plan["resource_changes"][0]["change"] = change;
    let found = check("closing-plan.json", &plan.to_string(), &[]).unwrap();
    assert_eq!(found.status, 1);
    for part in [
        "expected-traffic-closed",
        "After this change, HTTPS on sg-0a1b2c3d4e5f67890 is closed",
        "keep in aws_security_group.web",
    ] {
        assert!(found.out.contains(part), "{part}: {}", found.out);
    }
    assert!(!found.out.contains("aws ec2"), "{}", found.out);
}

#[test]
fn what_is_no_plan_is_refused_with_the_right_command() {
    let groups = group("sg-1", 22, ANYWHERE);
    let said = check("groups-as-plan.json", &groups, &[]).unwrap_err().join("\n");
    assert!(said.contains("`sg-audit check FILE`"), "{said}");
    let said = check("saved.tfplan", "PK\u{3}\u{4}\u{14}\u{0}", &[]).unwrap_err().join("\n");
    assert!(said.contains("terraform show -json"), "{said}");
    let said = check("new.json", r#"{"format_version": "2.0"}"#, &[]).unwrap_err().join("\n");
    assert!(said.contains("`format_version` is `2.0`"), "{said}");
}

#[test]
fn sarif_has_a_line_for_each_finding_or_is_refused() {
    let folder = std::env::temp_dir().join(format!("sg-audit-sarif-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let plan = folder.join("plan.json");
    std::fs::write(&plan, ssh(json!("0.0.0.0/0"))).unwrap();
    let ran = || answer(&["check", "--plan", plan.to_str().unwrap(), "--format", "sarif"]);
    let said = ran().unwrap_err().join("\n");
    assert!(said.contains("no .tf file beside the plan declares aws_vpc_security"), "{said}");
    let code = "# SSH\n/*\nresource \"aws_vpc_security_group_ingress_rule\" \"web\" {\n*/\n\
                resource \"aws_vpc_security_group_ingress_rule\" \"web\" {\n}\n";
    std::fs::write(folder.join("main.tf"), code).unwrap();
    let found = ran().unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(found.status, 1);
    let log: Value = serde_json::from_str(&found.out).unwrap();
    let run = &log["runs"][0];
    let result = &run["results"][0];
    assert_eq!(result["ruleId"], "open-ssh");
    let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
    assert_eq!(run["tool"]["driver"]["rules"][index]["id"], "open-ssh");
    let place = &result["locations"][0]["physicalLocation"];
    assert!(place["artifactLocation"]["uri"].as_str().unwrap().ends_with("/main.tf"));
    assert_eq!(place["region"]["startLine"], 5);
    assert_eq!(result["partialFingerprints"]["sgAudit/v1"].as_str().unwrap().len(), 32);
    // Groups of an account are in no file, whether or not there is anything to tell.
    let web = File::new("web-sarif.json", &group("sg-1", 443, ANYWHERE));
    let said = answer(&["check", web.path(), "--format", "sarif"]).unwrap_err().join("\n");
    assert!(said.contains("SARIF needs a line in a file"), "{said}");
}

/// The rows of a table of verdicts: file, exit status, codes.
fn verdicts(folder: &str) -> Vec<(String, u8, Vec<String>)> {
    let page = std::fs::read_to_string(format!("{folder}/README.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let codes = cells[3].split('`').filter(|code| code.contains('-'));
        let mut codes: Vec<String> = codes.map(ToOwned::to_owned).collect();
        codes.sort();
        (cells[1].trim_matches('`').to_owned(), cells[2].parse().unwrap(), codes)
    })
    .collect()
}

/// Checks each file of a folder against the verdict that its README has for it. Returns how many
/// there are.
pub(super) fn check_corpus(option: &str, folder: &str, ending: &str) -> usize {
    let verdicts = verdicts(folder);
    let mut wrong = Vec::new();
    for (name, status, codes) in &verdicts {
        let path = format!("{folder}/{name}{ending}");
        let sources = ["--ssh-source", "203.0.113.0/24", "--format", "json"];
        let found = answer(&[&["check", option, &path], &sources[..]].concat()).unwrap();
        let report: Value = serde_json::from_str(&found.out).unwrap();
        let of = |finding: &Value| finding["code"].as_str().unwrap().to_owned();
        let mut told: Vec<String> = report["findings"].as_array().unwrap().iter().map(of).collect();
        told.sort();
        if (found.status, &told) != (*status, codes) {
            wrong.push(format!("{name}: {} {told:?}, not {status} {codes:?}", found.status));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let files = std::fs::read_dir(folder).unwrap().count() - 1;
    assert_eq!(files, verdicts.len(), "each file has a verdict");
    files
}

#[test]
fn each_plan_of_the_corpus_has_its_verdict() {
    assert!(check_corpus("--plan", "tests/plans", ".json") >= 60);
}

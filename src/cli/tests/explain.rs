//! `sg-audit baseline explain`, and `check` with bindings.

use serde_json::{Value, json};

use super::*;

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/our-organisation.yaml");

fn explain(options: &[&str]) -> Answer {
    answer(&[&["baseline", "explain", EXAMPLE], options].concat()).unwrap()
}

fn json(options: &[&str]) -> (Value, u8) {
    let answer = explain(&[options, &["--format", "json"]].concat());
    (serde_json::from_str(&answer.out).unwrap(), answer.status)
}

#[test]
fn the_binding_that_applies_is_explained_with_the_reasons() {
    let held =
        explain(&["--account", "123456789012", "--ou", "ou-ab12-11111111", "--ou", "r-ab12"]);
    let out = held.out.replace(EXAMPLE, "our-organisation.yaml");
    insta::assert_snapshot!(out);
    assert_eq!((held.status, held.notes.len()), (0, 0));
    let (json, status) = json(&["--account", "210987654321", "--remediation", "notify"]);
    assert_eq!(status, 0);
    assert_eq!(json["holds"]["binding"], "agency");
    assert_eq!(json["holds"]["ssh_sources"], json!(["198.51.100.0/24"]));
    assert_eq!(json["considered"][0]["fits"], "yes");
    // The hash is that of what `show` prints.
    let show = answer(&["baseline", "show", EXAMPLE, "--binding", "agency"]).unwrap();
    let hash = crate::text::escape::hex(&<sha2::Sha256 as sha2::Digest>::digest(show.out));
    assert_eq!(json["holds"]["baseline"]["sha256"], hash);
    let error = answer(&["baseline", "show", EXAMPLE, "--binding", "agencies"]).unwrap_err();
    assert_eq!(
        error,
        ["the file has no binding `agencies`: write agency, development, databases, internal"]
    );
}

#[test]
fn what_is_missing_to_decide_is_said() {
    let open = explain(&["--account", "123456789012"]);
    assert_eq!(open.status, 2);
    assert_eq!(
        open.notes,
        ["what applies is not decided: add --ou, once for each unit that the account is in"]
    );
    let (json, status) = json(&[]);
    assert_eq!(status, 2);
    assert_eq!(json["holds"], Value::Null);
    assert_eq!(json["may_hold"], json!(["agency", "development", "databases", null]));
    let (tagged, _) =
        self::json(&["--account", "123456789012", "--ou", "r-ab12", "--tag", "exposure=internal"]);
    assert_eq!(tagged["holds"]["binding"], "internal");
    // Without bindings there is nothing to decide.
    let standard = answer(&["baseline", "explain", "standard"]).unwrap();
    assert_eq!(standard.status, 0);
    assert!(standard.out.starts_with("No binding fits"), "{}", standard.out);
}

#[test]
fn trusted_tags_and_what_a_binding_does_not_get_are_warned_of() {
    let text = std::fs::read_to_string(EXAMPLE).unwrap().replace(
        "  - { name: internal,",
        "  - { name: open, tags: { a: b }, trust_tags: true, remediation: revert-ssh, baseline: as-documented }\n  - { name: internal,",
    );
    let file = File::new("explain-trust.yaml", &text);
    let options = ["--account", "123456789012", "--ou", "r-ab12", "--tag", "a=b"];
    let told = answer(&[&["baseline", "explain", file.path()], &options[..]].concat()).unwrap();
    let notes = told.notes.join("\n");
    assert!(notes.contains("whoever may tag a group can choose the binding open"), "{notes}");
    assert!(
        notes.contains("the binding `open` says revert-ssh, but a binding never does more"),
        "{notes}"
    );
    // Without trust_tags the file is refused, with its line.
    let text = text.replace("trust_tags: true, ", "");
    let file = File::new("explain-no-trust.yaml", &text);
    let said = answer(&["baseline", "explain", file.path()]).unwrap_err().join("\n");
    assert!(said.contains("the binding `open` is chosen by tags, and its ingress entry"), "{said}");
    let said = answer(&["baseline", "validate", file.path()]).unwrap_err().join("\n");
    assert!(said.contains("the binding `open` is chosen by tags"), "{said}");
}

fn described(account: &str, tags: &Value) -> Value {
    json!({"GroupId": format!("sg-{account}"), "GroupName": "shop", "VpcId": "vpc-1",
        "OwnerId": account, "Tags": tags, "IpPermissionsEgress": [], "IpPermissions": [
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22,
             "IpRanges": [{"CidrIp": "203.0.113.0/24"}]}]})
}

#[test]
fn check_judges_groups_by_their_bindings() {
    let internal = json!([{"Key": "exposure", "Value": "internal"}]);
    let groups = json!({"SecurityGroups": [
        described("123456789012", &internal),
        described("210987654321", &json!([])),
    ]});
    let file = File::new("explain-check.json", &groups.to_string());
    let check = |options: &[&str]| {
        let arguments = ["check", file.path(), "--baseline", EXAMPLE, "--format", "json"];
        let found = answer(&[&arguments, options].concat()).unwrap();
        let json: Value = serde_json::from_str(&found.out).unwrap();
        let of = |it: &Value| (it["account"].to_string(), it["binding"].to_string());
        json["findings"].as_array().unwrap().iter().map(of).collect::<Vec<_>>()
    };
    // The office may use SSH, but not in the account of the agency.
    let agency = ("\"210987654321\"".to_owned(), "\"agency\"".to_owned());
    assert_eq!(check(&["--ou", "r-ab12"]), std::slice::from_ref(&agency));
    // A unit that the file binds to a baseline without SSH.
    let databases = ("\"123456789012\"".to_owned(), "\"databases\"".to_owned());
    assert_eq!(check(&["--ou", "ou-ab12-33333333"]), [databases, agency.clone()]);
    // Not knowing the unit, the account of the agency is decided, and the other is not.
    let undecided = ("\"123456789012\"".to_owned(), "null".to_owned());
    assert_eq!(check(&[]), [undecided, agency]);
    // Where there are no bindings, the options decide nothing.
    let refused = answer(&["check", file.path(), "--ou", "r-ab12"]).unwrap_err();
    assert!(
        refused[0].starts_with("--account and --ou decide between the bindings"),
        "{refused:?}"
    );
}

#[test]
fn every_format_names_the_binding() {
    let groups = json!({"SecurityGroups": [described("210987654321", &json!([]))]});
    let file = File::new("explain-formats.json", &groups.to_string());
    for (format, named) in [
        ("text", "binding agency"),
        ("markdown", "binding `agency`"),
        ("junit", "binding: agency"),
        ("github", "binding: agency"),
        ("csv", "\"agency\""),
        ("html", "Binding: agency"),
    ] {
        let given = ["check", file.path(), "--baseline", EXAMPLE, "--format", format];
        let out = answer(&given).unwrap().out;
        assert!(out.contains(named), "{format}: {out}");
    }
}

/// SSH from the office, and none in groups with a tag.
const BY_TAG: &str = "\
version: 1
name: our
peer_sets: { ssh-sources: [203.0.113.0/24] }
ingress:
  - { name: SSH, protocol: tcp, ports: [22], peers: [ssh-sources] }
egress: [{ name: All traffic, protocol: all, peers: [anywhere] }]
bindings:
  - { name: closed, tags: { exposure: none }, ssh_sources: [] }
";

#[test]
fn tags_that_are_known_only_after_the_change_pass_by_no_looser_binding() {
    let baseline = File::new("by-tag.yaml", BY_TAG);
    let check = |name: &str, kind: &str, text: &str| {
        let file = File::new(name, text);
        answer(&["check", kind, file.path(), "--baseline", baseline.path()]).unwrap()
    };
    let planned = |tags: Value, unknown: Value| {
        let after = json!({"name": "web", "tags": tags, "tags_all": tags, "egress": [], "ingress": [
            {"protocol": "tcp", "from_port": 22, "to_port": 22, "cidr_blocks": ["203.0.113.0/24"]}]});
        let unknown = json!({"id": true, "tags": unknown, "tags_all": unknown});
        let change = json!({"actions": ["create"], "before": null, "after": after, "after_unknown": unknown});
        let plan = json!({"format_version": "1.2", "configuration": {"root_module": {}},
            "resource_changes": [{"address": "aws_security_group.web", "mode": "managed",
                "type": "aws_security_group", "name": "web", "change": change}]});
        check("by-tag-plan.json", "--plan", &plan.to_string())
    };
    for (tags, unknown, status) in [
        (json!(null), json!(true), 1),
        (json!({"Name": "web"}), json!({"exposure": true}), 1),
        (json!({"exposure": "none"}), json!({}), 1),
        (json!({"exposure": "some"}), json!({}), 0),
        (json!(null), json!({}), 0),
    ] {
        let found = planned(tags.clone(), unknown.clone());
        assert_eq!(found.status, status, "{tags} {unknown}: {}", found.out);
    }
    // A group of a template needs neither a name nor tags.
    let template = |tags: &str| {
        let text = format!(
            "Parameters: {{ Exposure: {{ Type: String }} }}\nResources:\n  Web:\n    Type: AWS::EC2::SecurityGroup\n    \
             Properties:\n      GroupDescription: web\n{tags}      \
             SecurityGroupIngress:\n        \
             - {{ IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: 203.0.113.0/24 }}\n"
        );
        check("by-tag.template.yaml", "--template", &text).status
    };
    assert_eq!(template(""), 0);
    assert_eq!(template("      Tags: [{ Key: exposure, Value: none }]\n"), 1);
    assert_eq!(template("      Tags: [{ Key: exposure, Value: !Ref Exposure }]\n"), 1);
}

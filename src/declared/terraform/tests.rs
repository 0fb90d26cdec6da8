//! Plans and what is read of them.

use serde_json::json;

use super::*;

/// What a plan declares.
fn read(plan: &Value) -> Declarations {
    super::plan(plan.to_string().as_bytes(), &|_| Vec::new()).unwrap()
}

/// The rules of a group in short form, those that are new with a `+`.
fn rules(group: &DeclaredGroup) -> Vec<String> {
    let text = |rule: &DeclaredRule| {
        let new = if rule.is_new { "+ " } else { "" };
        let unknown: Vec<&str> = rule.location.unknown.iter().map(|it| it.name.as_str()).collect();
        let unknown =
            if unknown.is_empty() { String::new() } else { format!(" ?{}", unknown.join(",")) };
        format!(
            "{new}{} {}-{} {}{unknown}",
            rule.rule.protocol(),
            rule.rule.selector().first(),
            rule.rule.selector().last(),
            rule.rule.peer()
        )
    };
    group.rules.iter().map(text).collect()
}

/// A change of a resource.
fn change(address: &str, actions: &[&str], before: Value, after: Value, unknown: Value) -> Value {
    let (module, rest) = match address.rfind("aws_") {
        Some(at) => (address[..at].trim_end_matches('.'), &address[at..]),
        None => ("", address),
    };
    let (kind, name) = rest.split_once('.').unwrap();
    let (name, index) = match name.split_once('[') {
        Some((name, index)) => (name, serde_json::from_str(index.trim_end_matches(']')).unwrap()),
        None => (name, Value::Null),
    };
    json!({
        "address": address, "module_address": module, "mode": "managed", "type": kind, "name": name, "index": index,
        "change": {"actions": actions, "before": before, "after": after, "after_unknown": unknown}
    })
}

fn create(address: &str, after: Value, unknown: Value) -> Value {
    change(address, &["create"], Value::Null, after, unknown)
}

fn config(kind: &str, name: &str, expressions: Value) -> Value {
    json!({"mode": "managed", "type": kind, "name": name, "provider_config_key": "aws", "expressions": expressions})
}

fn refer(references: &[&str]) -> Value {
    json!({"references": references})
}

fn plan_of(changes: &[Value], root: Value) -> Value {
    json!({
        "format_version": "1.2", "resource_changes": changes,
        "configuration": {
            "provider_config": {"aws": {"expressions": {"region": {"constant_value": "eu-central-1"}}}},
            "root_module": root
        }
    })
}

/// A group that is created without blocks.
fn new_group(address: &str) -> Value {
    create(
        address,
        json!({"name": "web", "tags": null}),
        json!({"id": true, "arn": true, "ingress": true, "egress": true}),
    )
}

/// SSH from everybody as a resource.
fn new_ssh(address: &str, group: Value) -> Value {
    create(
        address,
        json!({"cidr_ipv4": "0.0.0.0/0", "ip_protocol": "tcp", "from_port": 22, "to_port": 22}),
        json!({"id": true, "security_group_id": group}),
    )
}

#[test]
fn a_rule_is_joined_to_its_group_by_reference() {
    let changes = [
        new_group("aws_security_group.web"),
        new_ssh("aws_vpc_security_group_ingress_rule.ssh", json!(true)),
    ];
    let root = json!({"resources": [
        config(GROUP, "web", json!({"name": {"constant_value": "web"}})),
        config(INGRESS_RULE, "ssh", json!({"security_group_id": refer(&["aws_security_group.web.id", "aws_security_group.web"])})),
    ]});
    let declared = read(&plan_of(&changes, root));
    let [group] = declared.groups.as_slice() else { panic!("{declared:?}") };
    assert_eq!(group.group.id.as_str(), "aws_security_group.web");
    assert_eq!(group.place.to_string(), "the region eu-central-1");
    assert_eq!(rules(group), ["+ tcp 22-22 0.0.0.0/0"]);
}

#[test]
fn a_rule_is_joined_through_variables_and_outputs_of_modules() {
    let changes = [
        new_group(r#"module.net["a"].aws_security_group.web"#),
        new_group(r#"module.net["b"].aws_security_group.web"#),
        new_ssh(r#"module.rules["b"].aws_vpc_security_group_ingress_rule.ssh"#, json!(true)),
    ];
    let net = json!({
        "outputs": {"group": {"expression": refer(&["aws_security_group.web.id", "aws_security_group.web"])}},
        "resources": [config(GROUP, "web", json!({}))],
    });
    let rules_module = json!({
        "resources": [config(INGRESS_RULE, "ssh", json!({"security_group_id": refer(&["var.group"])}))],
    });
    let root = json!({"module_calls": {
        "net": {"source": "./net", "module": net, "for_each_expression": {"constant_value": ["a", "b"]}},
        "rules": {
            "source": "./rules", "module": rules_module,
            "expressions": {"group": refer(&["module.net", "each.key"])},
        },
    }});
    // Terraform writes `module.net[each.key].group` as the call and the key alone, so the output is
    // not known, and the rule has a group that nobody knows.
    let declared = read(&plan_of(&changes, root.clone()));
    assert_eq!(declared.groups.len(), 3);
    assert!(declared.groups[2].group.tags.is_none());
    assert_eq!(rules(&declared.groups[2]), ["+ tcp 22-22 0.0.0.0/0"]);
    let mut root = root;
    root["module_calls"]["rules"]["expressions"]["group"] =
        refer(&[r#"module.net["b"].group"#, r#"module.net["b"]"#, "module.net"]);
    let declared = read(&plan_of(&changes, root));
    assert_eq!(declared.groups.len(), 2);
    assert_eq!(rules(&declared.groups[1]), ["+ tcp 22-22 0.0.0.0/0"]);
}

#[test]
fn an_instance_of_count_or_for_each_is_joined_to_that_of_the_same_key() {
    let changes = [
        new_group("aws_security_group.web[0]"),
        new_group("aws_security_group.web[1]"),
        new_ssh("aws_vpc_security_group_ingress_rule.ssh[1]", json!(true)),
    ];
    let root = |references: &[&str]| {
        json!({"resources": [
            config(GROUP, "web", json!({})),
            config(INGRESS_RULE, "ssh", json!({"security_group_id": refer(references)})),
        ]})
    };
    let declared = read(&plan_of(&changes, root(&["aws_security_group.web", "count.index"])));
    assert_eq!(rules(&declared.groups[1]), ["+ tcp 22-22 0.0.0.0/0"]);
    // Either of the two: nobody knows.
    let declared = read(&plan_of(&changes, root(&["aws_security_group.web"])));
    assert_eq!(declared.groups.len(), 3);
    assert_eq!(rules(&declared.groups[2]), ["+ tcp 22-22 0.0.0.0/0"]);
}

#[test]
fn a_value_that_is_known_after_apply_is_named() {
    let port = create(
        "aws_security_group_rule.port",
        json!({"type": "ingress", "cidr_blocks": ["0.0.0.0/0"], "protocol": "tcp", "security_group_id": "sg-0a1b2c3d4e5f67890"}),
        json!({"from_port": true, "to_port": true}),
    );
    let peer = create(
        "aws_security_group_rule.peer",
        json!({"type": "ingress", "cidr_blocks": ["203.0.113.0/24", null], "protocol": "tcp", "from_port": 22, "to_port": 22, "security_group_id": "sg-0a1b2c3d4e5f67890"}),
        json!({"cidr_blocks": [false, true]}),
    );
    let root = json!({"resources": [
        config(RULE, "peer", json!({"cidr_blocks": refer(&["aws_eip.office.public_ip", "aws_eip.office"])})),
    ]});
    let declared = read(&plan_of(&[port, peer], root));
    assert_eq!(
        rules(&declared.groups[0]),
        [
            "+ tcp 0-65535 0.0.0.0/0 ?from_port,to_port",
            "+ tcp 22-22 203.0.113.0/24",
            "+ tcp 22-22 aws_eip.office.public_ip ?cidr_blocks",
        ]
    );
    assert!(declared.groups[0].rules[0].is_wider_than_known);
}

#[test]
fn blocks_and_resources_of_one_group_are_read_once() {
    let id = "sg-0a1b2c3d4e5f67890";
    let ssh =
        json!({"cidr_blocks": ["0.0.0.0/0"], "protocol": "tcp", "from_port": 22, "to_port": 22});
    let own = json!({"security_group_id": id, "cidr_ipv4": "0.0.0.0/0", "ip_protocol": "tcp", "from_port": 22, "to_port": 22});
    let group = json!({"id": id, "ingress": [ssh]});
    // Terraform reads the rules of the group into its state, whatever resource made them.
    let changes = [
        change("aws_security_group.web", &["no-op"], group.clone(), group.clone(), json!({})),
        change(
            "aws_vpc_security_group_ingress_rule.ssh",
            &["delete"],
            own.clone(),
            Value::Null,
            json!({}),
        ),
    ];
    let declared = read(&plan_of(&changes, json!({})));
    assert_eq!(rules(&declared.groups[0]), Vec::<String>::new());
    assert_eq!(declared.groups[0].removed.len(), 1);
    let changes = [
        change("aws_security_group.web", &["no-op"], group.clone(), group.clone(), json!({})),
        change("aws_vpc_security_group_ingress_rule.ssh", &["no-op"], own.clone(), own, json!({})),
    ];
    let declared = read(&plan_of(&changes, json!({})));
    assert_eq!(rules(&declared.groups[0]), ["tcp 22-22 0.0.0.0/0"]);
}

#[test]
fn what_a_plan_forgets_or_replaces_is_told_apart() {
    let id = "sg-0a1b2c3d4e5f67890";
    let https =
        json!({"cidr_blocks": ["0.0.0.0/0"], "protocol": "tcp", "from_port": 443, "to_port": 443});
    let before = json!({"id": id, "ingress": [https]});
    let replaced = change(
        "aws_security_group.web",
        &["create", "delete"],
        before.clone(),
        json!({"ingress": [https]}),
        json!({"id": true, "egress": true}),
    );
    let root =
        json!({"resources": [config(GROUP, "web", json!({"ingress": {"constant_value": []}}))]});
    let declared = read(&plan_of(&[replaced], root));
    assert_eq!(declared.groups[0].group.id.as_str(), "aws_security_group.web");
    assert_eq!(rules(&declared.groups[0]), ["+ tcp 443-443 0.0.0.0/0"]);
    assert!(declared.groups[0].removed.is_empty());
    for actions in [&["forget"], &["delete"]] {
        let gone =
            change("aws_security_group.web", actions, before.clone(), Value::Null, json!({}));
        assert!(read(&plan_of(&[gone], json!({}))).groups.is_empty());
    }
}

#[test]
fn lists_come_with_their_entries() {
    let list = create(
        "aws_ec2_managed_prefix_list.office",
        json!({"name": "office", "entry": [{"cidr": "203.0.113.0/24"}]}),
        json!({"id": true}),
    );
    let more = create(
        "aws_ec2_managed_prefix_list_entry.more",
        json!({"cidr": "198.51.100.0/24"}),
        json!({"prefix_list_id": true}),
    );
    let rule = create(
        "aws_vpc_security_group_ingress_rule.ssh",
        json!({"ip_protocol": "tcp", "from_port": 22, "to_port": 22, "security_group_id": "sg-0a1b2c3d4e5f67890"}),
        json!({"prefix_list_id": true}),
    );
    let to_list = json!({"prefix_list_id": refer(&["aws_ec2_managed_prefix_list.office.id", "aws_ec2_managed_prefix_list.office"])});
    let root = json!({"resources": [
        config(LIST, "office", json!({"entry": [{}]})),
        config(ENTRY, "more", to_list.clone()),
        config(INGRESS_RULE, "ssh", to_list),
    ]});
    let declared = read(&plan_of(&[list, more, rule], root));
    let id = ListId::declared("aws_ec2_managed_prefix_list.office");
    assert_eq!(declared.lists[&id].as_ref().unwrap().len(), 2);
    assert!(declared.changed_lists.contains(&id));
    assert_eq!(rules(&declared.groups[0]), ["+ tcp 22-22 aws_ec2_managed_prefix_list.office"]);
}

#[test]
fn what_is_no_plan_is_refused_with_what_to_do() {
    let error = |text: &str| super::plan(text.as_bytes(), &|_| Vec::new()).unwrap_err().to_string();
    assert!(error("").contains("the file is empty"));
    assert!(error("not json").contains("this is not JSON at line 1"));
    assert!(error("[]").contains("not a plan or a state"));
    assert!(error(r#"{"version": 4}"#).contains("no `format_version`"));
    assert!(error(r#"{"format_version": "2.0"}"#).contains("`2.0`"));
    assert!(error(r#"{"format_version": "1.2", "errored": true}"#).contains("could not finish"));
    let nested = format!("{{\"format_version\": \"1.2\", \"variables\": {}", "[".repeat(100_000));
    assert!(error(&nested).contains("not JSON") || error(&nested).contains("not a plan"));
    let nested =
        format!("{{\"resource_changes\": [{{\"change\": {}", "{\"after\":".repeat(100_000));
    assert!(error(&nested).contains("not JSON"), "{}", error(&nested));
    let rule = create(
        "aws_security_group_rule.bad",
        json!({"type": "ingress", "cidr_blocks": ["anywhere"], "protocol": "tcp", "from_port": 22, "to_port": 22, "security_group_id": "sg-1"}),
        json!({}),
    );
    let said = error(&plan_of(&[rule], json!({})).to_string());
    assert_eq!(
        said,
        "aws_security_group_rule.bad: `cidr_blocks` is `anywhere`, which is no rule of EC2"
    );
    // Members that nobody knows are ignored.
    assert!(read(&json!({"format_version": "1.9", "new": {"a": [1]}})).groups.is_empty());
}

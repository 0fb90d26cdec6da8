//! Which call a record tells, on which group, how it ended, and who made it.

use serde_json::{Value, json};

use super::super::{Record, calls_that_change_rules};
use super::{AUTHORIZE, OPEN_SSH, lines_of, open_ssh, record, response, response_rule, ssh};

#[test]
fn the_group_is_found_in_the_request_or_the_response() {
    let by_name = |response: Value| {
        let mut request = ssh("ipRanges", json!({"cidrIp": "0.0.0.0/0"}));
        request.as_object_mut().unwrap().remove("groupId");
        request["groupName"] = json!("web");
        lines_of(&record(AUTHORIZE, request, response))
    };
    let rule = response_rule("sgr-1", "cidrIpv4", json!("0.0.0.0/0"));
    assert_eq!(by_name(Value::Null), ["group named web: ingress tcp 22-22 0.0.0.0/0"]);
    assert_eq!(by_name(response(json!([rule]))), [OPEN_SSH]);

    let revoke = |request: Value, response: Value| {
        lines_of(&record("RevokeSecurityGroupIngress", request, response))
    };
    let of_rules = json!({"revokedSecurityGroupRuleSet": {"items": [{"groupId": "sg-3"}]}});
    let cases = [
        (revoke(json!({"groupId": "sg-1"}), Value::Null), "sg-1: ingress revoked"),
        (revoke(json!({"groupName": "web"}), Value::Null), "group named web: ingress revoked"),
        (revoke(json!({"groupName": "web"}), of_rules), "sg-3: ingress revoked"),
        (
            revoke(json!({"groupId": {}}), Value::Null),
            "undecodable: `RevokeSecurityGroupIngress` names no group",
        ),
        (
            lines_of(&record("RevokeSecurityGroupEgress", json!({"groupId": "sg-1"}), Value::Null)),
            "sg-1: egress revoked",
        ),
        (
            lines_of(&record(
                "CreateSecurityGroup",
                json!({"groupName": "web"}),
                json!({"groupId": "sg-1"}),
            )),
            "sg-1: created",
        ),
        (
            lines_of(&record("CreateSecurityGroup", json!({"groupName": "web"}), Value::Null)),
            "group named web: unknown: the id of the new group is not in the event",
        ),
        (
            lines_of(&record(
                "CreateSecurityGroup",
                json!({"groupName": "web", "vpcId": "vpc-0a"}),
                Value::Null,
            )),
            "group named web in vpc-0a: unknown: the id of the new group is not in the event",
        ),
        // Which VPC is meant is not known then, and that of another group must not be taken.
        (
            lines_of(&record(
                "CreateSecurityGroup",
                json!({"groupName": "web", "vpcId": ["vpc-0a"]}),
                Value::Null,
            )),
            "undecodable: `vpcId` is a list, not a string",
        ),
    ];
    for (lines, expected) in cases {
        assert_eq!(lines, [expected]);
    }
}

#[test]
fn the_rules_of_a_modify_call() {
    let modify = |request: Value| {
        lines_of(&record("ModifySecurityGroupRules", request, json!({"return": true})))
    };
    let content =
        json!({"IpProtocol": "tcp", "FromPort": 22, "ToPort": "22", "CidrIpv4": "203.0.113.9/0"});
    let item = |content: &Value| {
        let id = "sgr-1";
        json!({"SecurityGroupRuleId": id, "tag": 1, "SecurityGroupRule": content})
    };
    let nested = |rules: Value| {
        let request = json!({"GroupId": "sg-1", "SecurityGroupRule": rules});
        json!({"ModifySecurityGroupRulesRequest": request})
    };
    let open = "sg-1: sgr-1 is tcp 22-22 0.0.0.0/0";
    let lower = json!({
        "groupId": "sg-1",
        "securityGroupRules": {"items": [{
            "securityGroupRuleId": "sgr-1",
            "securityGroupRule": {
                "ipProtocol": "6", "fromPort": 22, "toPort": 22, "cidrIpv4": "0.0.0.0/0",
            },
        }]},
    });
    let understood = [
        nested(item(&content)),
        nested(json!([item(&content)])),
        nested(json!({"items": [item(&content)]})),
        json!({"GroupId": "sg-1", "SecurityGroupRule": item(&content)}),
        lower,
    ];
    for request in understood {
        assert_eq!(modify(request), [open]);
    }
    let peer = |name: &str, peer: &str| json!({"IpProtocol": "-1", name: peer});
    let several = nested(json!([
        item(&peer("CidrIpv6", "::/0")),
        item(&peer("PrefixListId", "pl-1")),
        item(&peer("ReferencedGroupId", "sg-2")),
    ]));
    assert_eq!(
        modify(several),
        ["sg-1: sgr-1 is all * ::/0, sgr-1 is all * pl-1, sgr-1 is all * sg-2"]
    );

    let unread = "sg-1: unknown: the rules of `ModifySecurityGroupRules` are not understood:";
    let not_understood = [
        (nested(Value::Null), "it contains no rule"),
        (nested(json!("...")), "`SecurityGroupRule` is a string, not a list"),
        (nested(json!({"omitted": true})), "`SecurityGroupRule` was cut short by CloudTrail"),
        (nested(json!([item(&content), {}])), "`SecurityGroupRuleId` is missing"),
        (nested(item(&json!({"IpProtocol": "-1"}))), "a rule has 0 peers instead of one"),
        (nested(item(&json!({"CidrIpv4": "0.0.0.0/0"}))), "`IpProtocol` is missing"),
        (
            nested(item(&json!({"CidrIpv4": "0.0.0.0/0", "IpProtocol": "tcp", "FromPort": 22}))),
            "tcp has no ports 22 to none",
        ),
        (
            json!({"groupId": "sg-1", "omitted": true}),
            "`requestParameters` was cut short by CloudTrail",
        ),
    ];
    for (request, reason) in not_understood {
        assert_eq!(modify(request), [format!("{unread} {reason}")]);
    }
}

#[test]
fn failed_calls_are_ignored_and_server_errors_are_not() {
    let ended = |code: Value| {
        let mut event = open_ssh();
        event["errorCode"] = code;
        lines_of(&event)
    };
    for success in [json!(null), json!(""), json!({}), json!(7)] {
        assert_eq!(ended(success), [OPEN_SSH]);
    }
    let codes = [
        "Client.UnauthorizedOperation",
        "InvalidPermission.Duplicate",
        "RequestExpired",
        "Client.DryRunOperation",
    ];
    for code in codes {
        let expected = format!("ignored: the call failed ({code}) and changed nothing");
        assert_eq!(ended(json!(code)), [expected]);
    }
    let codes = [
        "Server.InternalError",
        "Server.X",
        "InternalFailure",
        "ServiceUnavailable",
        "Client.Unavailable",
    ];
    for code in codes {
        let expected = format!(
            "sg-1: unknown: `{AUTHORIZE}` ({code}): the call ended in a server error, \
             so what it changed is not known"
        );
        assert_eq!(ended(json!(code)), [expected]);
    }
}

#[test]
fn calls_that_change_no_rule_are_ignored() {
    let call = |name: &str| lines_of(&record(name, json!({"groupId": "sg-1"}), Value::Null));
    let ignored = [
        ("DescribeSecurityGroups", "it only reads"),
        ("GetSecurityGroupsForVpc", "it only reads"),
        ("UpdateSecurityGroupRuleDescriptionsIngress", "it changes descriptions only"),
        ("DeleteSecurityGroup", "the group is gone, with its rules"),
        ("RunInstances", "it changes no rules of a security group"),
        ("ModifyInstanceAttribute", "it changes no rules of a security group"),
        ("CreateNetworkInterface", "it changes no rules of a security group"),
        ("CreateManagedPrefixList", "no rule names a list that is new"),
        ("DeleteManagedPrefixList", "a list that a rule names cannot be deleted"),
        ("GetManagedPrefixListEntries", "it only reads"),
        ("DescribeTags", "it only reads"),
    ];
    for (name, reason) in ignored {
        assert_eq!(call(name), [format!("ignored: `{name}`: {reason}")]);
    }
    assert_eq!(
        call("ReplaceSecurityGroupRules"),
        ["sg-1: unknown: `ReplaceSecurityGroupRules` is not a call that this version knows"],
    );
}

#[test]
fn calls_of_other_services_are_ignored() {
    let from = |source: &str| {
        let mut event = open_ssh();
        event["eventSource"] = json!(source);
        lines_of(&event)
    };
    for source in
        ["rds.amazonaws.com", "ec2-instance-connect.amazonaws.com", "sts.amazonaws.com.cn"]
    {
        assert_eq!(from(source), [format!("ignored: `{AUTHORIZE}`: not a security-group call")]);
    }
    for source in ["ec2.amazonaws.com", "ec2.amazonaws.com.cn", "...", ""] {
        assert_eq!(from(source), [OPEN_SSH]);
    }
    let state = json!({
        "detail-type": "EC2 Instance State-change Notification", "source": "aws.ec2",
        "detail": {"instance-id": "i-1", "state": "running"},
    });
    let expected = "ignored: `EC2 Instance State-change Notification`: not a security-group call";
    assert_eq!(lines_of(&state), [expected]);
}

#[test]
fn names_of_calls_are_read_in_any_case() {
    let call = |name: &str| {
        let mut event = open_ssh();
        event["eventName"] = json!(name);
        event["eventSource"] = json!("EC2.AmazonAWS.com");
        lines_of(&event)
    };
    for name in ["authorizesecuritygroupingress", "AUTHORIZESECURITYGROUPINGRESS"] {
        assert_eq!(call(name), [OPEN_SSH]);
    }
    assert_eq!(call("revokesecuritygroupegress"), ["sg-1: revoked egress tcp 22-22 0.0.0.0/0"]);
    assert_eq!(
        call("describesecuritygroups"),
        ["ignored: `describesecuritygroups`: it only reads"]
    );
    assert_eq!(
        call("replacesecuritygrouprules"),
        ["sg-1: unknown: `replacesecuritygrouprules` is not a call that this version knows"]
    );
    let rule = json!({"IpProtocol": "-1", "CidrIpv4": "0.0.0.0/0"});
    let item = json!({"SecurityGroupRuleId": "sgr-1", "SecurityGroupRule": rule});
    let request = json!({"GroupId": "sg-1", "SecurityGroupRule": item});
    let request = json!({"ModifySecurityGroupRulesRequest": request});
    assert_eq!(
        lines_of(&record("modifysecuritygrouprules", request, Value::Null)),
        ["sg-1: sgr-1 is all * 0.0.0.0/0"]
    );

    let mut other = open_ssh();
    other["eventSource"] = json!("RDS.AmazonAWS.com");
    assert_eq!(lines_of(&other), [format!("ignored: `{AUTHORIZE}`: not a security-group call")]);
}

#[test]
fn a_name_that_is_not_a_string_is_not_a_name() {
    for name in [json!(5), json!(true), json!([AUTHORIZE]), json!({"name": AUTHORIZE})] {
        let mut event = open_ssh();
        event["eventName"] = name;
        assert_eq!(super::event(&event).record.event_name, None);
        let expected = "sg-1: unknown: the event does not say which call it is";
        assert_eq!(lines_of(&event), [expected]);
    }
}

#[test]
fn a_record_without_a_name_is_a_change_of_the_groups_that_it_names() {
    let reason = "unknown: the event does not say which call it is";
    let unnamed = |request: Value, response: Value| {
        let mut event = record("?", request, response);
        let named = lines_of(&event);
        event.as_object_mut().unwrap().remove("eventName");
        assert_eq!(lines_of(&event), named);
        named
    };
    let sg = |id: &str| format!("{id}: {reason}");
    assert_eq!(unnamed(json!({"groupId": "sg-1", "x": ["sg-2"]}), Value::Null), [sg("sg-1")]);
    assert_eq!(
        unnamed(json!({"x": [{"y": "sg-2"}, "sg-1", "sg-", "sg-a b"]}), json!(["sg-1"])),
        [sg("sg-1"), sg("sg-2")]
    );
    let none = "undecodable: the event is not a CloudTrail record and names no group";
    assert_eq!(unnamed(json!({"vpcId": "vpc-1"}), Value::Null), [none]);
    let many: Vec<_> = (0..21).map(|number| format!("sg-{number}")).collect();
    let expected = "undecodable: the event does not say which call it is, and it names 21 groups";
    assert_eq!(unnamed(json!(many), Value::Null), [expected]);

    // A part of a record.
    let part = json!({"groupId": "sg-1", "ipPermissions": {}});
    assert_eq!(lines_of(&part), [sg("sg-1")]);
}

#[test]
fn the_record_tells_who_when_and_where() {
    let record = |identity: Value, envelope: Value| -> Record {
        let mut event = json!({"detail-type": "AWS API Call via CloudTrail", "source": "aws.ec2"});
        event.as_object_mut().unwrap().extend(envelope.as_object().unwrap().clone());
        event["detail"] = json!({
            "eventName": AUTHORIZE,
            "requestParameters": {"groupId": "sg-1"},
            "userIdentity": identity,
        });
        super::event(&event).record
    };
    let actors = [
        (json!({"type": "Root", "arn": "arn:aws:iam::1:root"}), Some("arn:aws:iam::1:root")),
        (
            json!({
                "arn": "arn:aws:sts::1:assumed-role/a/b",
                "invokedBy": "cloudformation.amazonaws.com",
            }),
            Some("arn:aws:sts::1:assumed-role/a/b"),
        ),
        (
            json!({"type": "AWSService", "invokedBy": "inspector2.amazonaws.com"}),
            Some("inspector2.amazonaws.com"),
        ),
        (
            json!({"type": "WebIdentityUser", "principalid": "accounts.google.com:a"}),
            Some("accounts.google.com:a"),
        ),
        (
            json!({"type": "AWSAccount", "accountId": 12_345_678_901_i64}),
            Some("AWSAccount 012345678901"),
        ),
        (json!({"arn": {}, "type": ["x"]}), None),
        (json!("x"), None),
        (Value::Null, None),
    ];
    for (identity, expected) in actors {
        assert_eq!(record(identity, json!({})).actor.as_deref(), expected);
    }

    let envelope = json!({
        "account": 123_456_789_012_i64,
        "region": "eu-central-1",
        "time": "2026-03-12T09:11:14+01:00",
    });
    let whole = record(Value::Null, envelope);
    assert_eq!(whole.account.unwrap().as_str(), "123456789012");
    assert_eq!(whole.region.unwrap().as_str(), "eu-central-1");
    assert_eq!(whole.time.unwrap().to_rfc3339(), "2026-03-12T08:11:14+00:00");

    let poor = record(
        json!({"accountId": "210987654321"}),
        json!({"account": "", "region": {}, "time": "..."}),
    );
    assert_eq!(poor.account.unwrap().as_str(), "210987654321");
    assert_eq!((poor.region, poor.time), (None, None));
}

#[test]
fn the_calls_to_look_up_are_those_that_change_rules() {
    let calls: Vec<&str> = calls_that_change_rules().collect();
    assert_eq!(
        calls,
        [
            "AuthorizeSecurityGroupIngress",
            "AuthorizeSecurityGroupEgress",
            "RevokeSecurityGroupIngress",
            "RevokeSecurityGroupEgress",
            "ModifySecurityGroupRules",
            "CreateSecurityGroup",
            "ModifyManagedPrefixList",
            "RestoreManagedPrefixListVersion",
            "CreateManagedPrefixList",
            "DeleteSecurityGroup",
        ]
    );
}

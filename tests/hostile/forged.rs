//! Forged events, from somebody who may invoke the function.

use std::cell::RefCell;
use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};
use typo3_sg_auditor::baseline::{Baseline, Lists};
use typo3_sg_auditor::ec2::{
    AccountId, Direction, Ec2Error, Group, GroupId, Peer, Place, Protocol, Rule,
};
use typo3_sg_auditor::event::{Kind, decode};
use typo3_sg_auditor::memory::{Call, Hook, Hooked, MemoryEc2};
use typo3_sg_auditor::net::{Set, Traffic};
use typo3_sg_auditor::settings::{Remediation, RevertKeeps};

use super::output::{Output, home, settings};
use super::{ec2_with, ssh_from};

const OTHER: &str = "210987654321";

/// Groups in the function's account and region, in another region, and in another account.
const GROUPS: [(&str, &str, &str); 4] = [
    ("sg-0a000000000000001", "123456789012", "eu-central-1"),
    ("sg-0a000000000000002", "123456789012", "eu-central-1"),
    ("sg-0a000000000000003", "123456789012", "eu-west-1"),
    ("sg-0a000000000000004", OTHER, "eu-central-1"),
];

const PEERS: [&str; 8] = [
    "0.0.0.0/0",
    "::/0",
    "0.0.0.0/1",
    "203.0.113.0/24",
    "203.0.112.0/23",
    "198.51.100.7/32",
    "10.0.0.0/8",
    "2001:db8:1::/48",
];

const PORTS: [(i32, i32); 7] =
    [(22, 22), (80, 80), (443, 443), (20, 443), (0, 65535), (25, 25), (8080, 8090)];

fn any_rule() -> impl Strategy<Value = Rule> {
    let protocol =
        prop_oneof![4 => Just(Protocol::TCP), 1 => Just(Protocol::UDP), 1 => Just(Protocol::All)];
    let direction = prop_oneof![4 => Just(Direction::Ingress), 1 => Just(Direction::Egress)];
    (direction, protocol, prop::sample::select(&PORTS[..]), prop::sample::select(&PEERS[..]))
        .prop_map(|(direction, protocol, (from, to), peer)| {
            Rule::new(direction, protocol, Some(from), Some(to), peer.parse().unwrap()).unwrap()
        })
}

fn any_group() -> impl Strategy<Value = Vec<Rule>> {
    prop::collection::vec(any_rule(), 0..6).prop_map(|rules| {
        let mut group: Vec<Rule> = Vec::new();
        for rule in rules {
            if !group.iter().any(|other| other.is_same_as(&rule)) {
                let id = format!("sgr-{:017x}", group.len()).parse().ok();
                group.push(rule.with_id(id));
            }
        }
        group
    })
}

/// A member of a record, mostly with one of these values.
fn any_of(right: &[&'static str]) -> BoxedStrategy<Value> {
    let wrong = prop_oneof![
        Just(Value::Null),
        Just(json!("*")),
        Just(json!("x.evil.example")),
        Just(json!("210987654321")),
        Just(json!({})),
        Just(json!(7)),
    ];
    let right: Vec<Value> = right.iter().map(|text| json!(text)).collect();
    prop_oneof![8 => prop::sample::select(right), 1 => wrong].boxed()
}

fn permission(rule: &Rule) -> Value {
    let (list, name) = match rule.peer() {
        Peer::Ipv6(_) => ("ipv6Ranges", "cidrIpv6"),
        _ => ("ipRanges", "cidrIp"),
    };
    json!({
        "ipProtocol": rule.protocol().to_string().replace("all", "-1"),
        "fromPort": rule.from_port(), "toPort": rule.to_port(),
        list: { "items": [{ name: rule.peer().to_string(), "description": "forged" }] },
    })
}

/// A record of a call that nobody made.
fn any_record() -> impl Strategy<Value = Value> {
    let ids: Vec<&'static str> = GROUPS.iter().map(|(id, ..)| *id).collect();
    let call = any_of(&[
        "AuthorizeSecurityGroupIngress",
        "AuthorizeSecurityGroupEgress",
        "RevokeSecurityGroupIngress",
        "ModifySecurityGroupRules",
        "CreateSecurityGroup",
        "CopySecurityGroup",
        "CreateTags",
        "DeleteTags",
        "ModifyManagedPrefixList",
        "StopLogging",
    ]);
    let place =
        (any_of(&["123456789012", "123456789012", OTHER]), any_of(&["eu-central-1", "eu-west-1"]));
    let rules = prop::collection::vec(any_rule(), 0..4);
    let extras = (any::<bool>(), prop::option::of(any_of(&["Server.InternalError", "Client.X"])));
    (call, any_of(&ids), place, rules, extras).prop_map(
        |(call, group, (account, region), rules, (held, error))| {
            let permissions: Vec<Value> = rules.iter().map(permission).collect();
            let modified: Vec<Value> = rules.iter().zip(0..).map(|(rule, n)| json!({
                "SecurityGroupRuleId": format!("sgr-{n:017x}"),
                "SecurityGroupRule": {
                    "IpProtocol": rule.protocol().to_string().replace("all", "-1"),
                    "FromPort": rule.from_port(), "ToPort": rule.to_port(), "CidrIpv4": rule.peer().to_string(),
                },
            })).collect();
            let mut record = json!({
                "eventName": call,
                "eventSource": "ec2.amazonaws.com",
                "eventID": "forged",
                "eventTime": "2026-11-25T11:59:00Z",
                "awsRegion": region,
                "recipientAccountId": account,
                "requestParameters": {
                    "groupId": group,
                    "ipPermissions": { "items": permissions },
                    "ModifySecurityGroupRulesRequest": { "GroupId": group, "SecurityGroupRule": modified },
                    "resourcesSet": { "items": [{ "resourceId": group }] },
                    "tagSet": { "items": [{ "key": "sg-audit:allow-until", "value": "2026-11-26T00:00:00Z" }] },
                    "prefixListId": "pl-0a1b2c3d",
                },
                "responseElements": { "_return": true, "groupId": group },
            });
            if held {
                record["requestParameters"]["tagSpecificationSet"] = json!({ "items": [{
                    "resourceType": "security-group-rule",
                    "tags": [
                        { "key": "sg-audit:allow-until", "value": "2026-11-26T00:00:00Z" },
                        { "key": "sg-audit:reason", "value": "forged" },
                    ],
                }] });
            }
            if let Some(error) = error {
                record["errorCode"] = error;
            }
            record
        },
    )
}

/// A rule that an earlier invocation seems to have found, and that is to be closed.
fn any_to_close() -> impl Strategy<Value = Value> {
    let ids: Vec<&'static str> = GROUPS.iter().map(|(id, ..)| *id).collect();
    let place =
        (any_of(&["123456789012", "123456789012", OTHER]), any_of(&["eu-central-1", "eu-west-1"]));
    let found_by = any_of(&["sweep", "holds", "leaving"]);
    (any_of(&ids), place, any_rule(), any::<bool>(), found_by).prop_map(
        |(group, (account, region), rule, held, found_by)| {
            let tags = match held {
                true => json!({
                    "sg-audit:allow-until": "2026-11-26T00:00:00Z", "sg-audit:reason": "forged",
                }),
                false => json!({}),
            };
            json!({
                "account": account, "region": region, "group": group, "id": "sgr-0123456789abcdef0",
                "protocol": rule.protocol().to_string(), "from_port": rule.from_port(),
                "to_port": rule.to_port(), "peer": rule.peer().to_string(), "description": "forged",
                "tags": tags, "note": "forged", "found_by": found_by,
            })
        },
    )
}

fn any_payload() -> impl Strategy<Value = Value> {
    let records = prop::collection::vec(any_record(), 1..4);
    let task = (
        prop_oneof![Just("sweep"), Just("holds")],
        prop::collection::vec(prop::sample::select(&["123456789012", OTHER][..]), 0..3),
        prop::collection::vec(prop::sample::select(&["eu-central-1", "eu-west-1"][..]), 0..3),
        0..4_u32,
    );
    prop_oneof![
        6 => records.prop_map(|records| json!({ "Records": records })),
        2 => prop::collection::vec(any_to_close(), 1..4).prop_map(|rules| json!({ "close": {
            "change": { "event_name": "DeleteTags", "event_id": "forged" }, "rules": rules,
        } })),
        1 => task.prop_map(|(task, accounts, regions, done)| json!({ task: {
            "accounts": accounts, "regions": regions, "resume": { "places_done": done, "again": [done] },
        } })),
    ]
}

/// The payload as a message of the failure queue, where somebody who may send to the queue puts it.
fn queued(payload: &Value) -> Value {
    let destination = json!({
        "version": "1.0",
        "timestamp": "2026-11-25T11:59:30.000Z",
        "requestContext": { "condition": "RetriesExhausted", "approximateInvokeCount": 3 },
        "requestPayload": payload,
        "responseContext": { "statusCode": 200, "functionError": "Unhandled" },
        "responsePayload": { "errorType": "NotPublished", "errorMessage": "forged" },
    });
    json!({ "Records": [{
        "messageId": "c8107d2b-b7b8-473a-8c0c-8a53125645b8",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:failures",
        "awsRegion": "eu-central-1",
        "body": destination.to_string(),
    }] })
}

fn admits(rules: &[Rule], direction: Direction) -> Traffic {
    let rules = rules.iter().filter(|rule| rule.direction() == direction);
    Traffic::union_of(rules.map(Rule::traffic).collect())
}

fn complies(baseline: &Baseline, rule: &Rule) -> bool {
    let admitted = baseline.admitted(rule.direction(), None, &Lists::new()).traffic;
    rule.traffic().is_subset_of(&admitted)
}

/// Notes the account of every call to EC2.
#[derive(Default)]
struct Accounts(RefCell<BTreeSet<Option<AccountId>>>);

impl Hook for Accounts {
    async fn before(&self, call: Call<'_>) -> Result<(), Ec2Error> {
        self.0.borrow_mut().insert(call.place().account.clone());
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    /// No group admits more than before or loses compliant traffic, egress stays as it is, and no
    /// call goes to another account.
    #[test]
    fn a_forged_event_only_reverts_what_exceeds_the_baseline(
        payload in any_payload(),
        is_queued in any::<bool>(),
        world in prop::collection::vec(any_group(), GROUPS.len()),
        change in prop::sample::select(vec![Remediation::Notify, Remediation::RevertSsh, Remediation::RevertIngress]),
        sweep in prop::sample::select(vec![Remediation::Notify, Remediation::RevertIngress]),
        keeps in prop::sample::select(vec![RevertKeeps::Baseline, RevertKeeps::Nothing]),
    ) {
        let mut settings = settings();
        (settings.remediation, settings.sweep_remediation) = (change, sweep);
        settings.revert_keeps = keeps;
        let groups = GROUPS.iter().zip(&world).map(|((id, account, region), rules)| {
            let place = Place { account: account.parse().ok(), region: region.parse().ok() };
            let owner = place.account.clone();
            let group = Group { owner, ..Group::known_by_id(id.parse().unwrap()) };
            (place, group, rules.clone())
        });
        let memory = MemoryEc2::new(groups, Lists::new());
        let ec2 = Hooked { ec2: &memory, hook: Accounts::default() };
        let plain = payload.to_string();
        let payload = if is_queued { queued(&payload).to_string() } else { plain.clone() };
        let mut read = decode(payload.as_bytes());
        prop_assert!(!read.is_empty());
        // The queue's message names what came without an id of its own.
        for event in read.iter_mut().filter(|event| matches!(event.kind, Kind::Job(_))) {
            event.record.event_id = None;
        }
        prop_assert_eq!(read, decode(plain.as_bytes()));
        let _ = Output::of(&ec2, &settings, payload.as_bytes());

        let own = home().account;
        let accounts = ec2.hook.0.take();
        prop_assert!(accounts.iter().all(|account| *account == own), "{accounts:?}");
        for ((id, account, _), before) in GROUPS.iter().zip(&world) {
            let after = memory.rules_of(&id.parse().unwrap()).unwrap();
            if !change.reverts() && !sweep.reverts() || account.parse().ok() != own {
                prop_assert_eq!(&after, before);
            }
            for direction in Direction::BOTH {
                let (was, is) = (admits(before, direction), admits(&after, direction));
                prop_assert!(is.is_subset_of(&was), "{} admits more: {:?}", id, after);
                if keeps == RevertKeeps::Baseline {
                    let baseline = settings.baseline.admitted(direction, None, &Lists::new()).traffic;
                    prop_assert!(was.intersection(&baseline).is_subset_of(&is), "{} lost: {:?}", id, after);
                }
            }
            for rule in before {
                let untouched = rule.direction() == Direction::Egress || complies(&settings.baseline, rule);
                prop_assert!(!untouched || after.contains(rule), "{:?} is gone from {}", rule, id);
            }
        }
    }
}

/// Without this the law above could hold because nothing is ever reverted.
#[test]
fn a_forged_event_does_revert_what_exceeds_the_baseline() {
    let rule = ssh_from("0.0.0.0/0");
    let id: GroupId = GROUPS[0].0.parse().unwrap();
    let record = json!({
        "eventName": "AuthorizeSecurityGroupIngress", "eventSource": "ec2.amazonaws.com",
        "requestParameters": { "groupId": id, "ipPermissions": { "items": [permission(&rule)] } },
    });
    for payload in [record.clone(), queued(&record), queued(&queued(&record))] {
        let ec2 = ec2_with(Group::known_by_id(id.clone()), vec![rule.clone()]);
        let output = Output::of(&ec2, &settings(), payload.to_string().as_bytes());
        assert_eq!(output.messages.len(), 1);
        assert!(!ec2.rules_of(&id).unwrap().contains(&rule));
    }
}

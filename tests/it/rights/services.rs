//! What other services of AWS may do with the stacks' topics, queues and key: their part, and only for what is the
//! stack's own.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::resolved::{
    AUDITOR, MEMBER, ORGANISATION, Resources, member_parameters, organisation_parameters,
    resources, with_parts,
};

/// The statements of a policy that let a service do something.
fn for_services<'a>(resources: &'a Resources, name: &str, member: &str) -> Vec<&'a Value> {
    let statements = &resources[name]["Properties"][member]["Statement"];
    let statements = statements.as_array().expect("statements").iter();
    statements.filter(|statement| statement["Principal"].get("Service").is_some()).collect()
}

/// The ARNs of the rules of a stack, those of its parts among them.
fn rules(resources: &Resources) -> BTreeSet<String> {
    let rules = resources.values().filter(|it| it["Type"] == "AWS::Events::Rule");
    rules
        .map(|it| it["Properties"]["Name"].as_str().expect("a name"))
        .map(|name| format!("arn:aws:events:eu-central-1:123456789012:rule/{name}"))
        .collect()
}

/// The auditor with all parts, and the organisation's part of the same stack.
fn with_all_parts() -> Resources {
    let most = with_parts(json!({
        "Scope": "tag:role=web", "Organisation": "typo3-sg-auditor-member", "Encryption": "topic",
    }));
    let mut organisation = organisation_parameters();
    organisation["Accounts"] = "210987654321".into();
    organisation["MemberRoleName"] = "typo3-sg-auditor-member".into();
    let mut both = resources(&[(AUDITOR, most), (ORGANISATION, organisation)]).into_iter();
    let (mut all, part) = (both.next().expect("the auditor"), both.next().expect("the part"));
    // Both have an alarm of that name.
    all.extend(part.into_iter().filter(|(name, _)| name != "SweepMissed"));
    all
}

/// Whether a pattern with asterisks matches a text, as in `ArnLike`.
fn is_like(pattern: &str, text: &str) -> bool {
    let (start, end) = pattern.split_once('*').expect("an asterisk");
    assert!(end.is_empty(), "{pattern}");
    text.starts_with(start)
}

#[test]
fn eventbridge_may_keep_the_events_of_the_stacks_rules_and_of_no_others() {
    let least = resources(&[(AUDITOR, json!({}))]).remove(0);
    for (resources, count) in [(least, 4), (with_all_parts(), 11)] {
        let [statement] = for_services(&resources, "RulesReachFailures", "PolicyDocument")[..]
        else {
            panic!("one statement")
        };
        assert_eq!(statement["Principal"], json!({"Service": "events.amazonaws.com"}));
        assert_eq!(statement["Action"], "sqs:SendMessage");
        let like = statement["Condition"]["ArnLike"]["aws:SourceArn"].as_str().expect("an ARN");
        let rules = rules(&resources);
        assert!(rules.iter().all(|arn| is_like(like, arn)), "{like} {rules:#?}");
        assert_eq!(rules.len(), count, "{rules:#?}");
        for other in ["sg-auditor-member-changes-0a1b2c3d", "stack-Changes-1A2B3C4D5E6F", "other"] {
            let arn = format!("arn:aws:events:eu-central-1:123456789012:rule/{other}");
            assert!(!is_like(like, &arn), "{arn}");
        }
        // No key that can be disabled stands between an event and its queue.
        assert_eq!(keys_of_queues(&resources), BTreeSet::from([None]));
    }
}

#[test]
fn eventbridge_may_keep_the_events_of_a_forwarders_rules_and_of_no_others() {
    let mut most = member_parameters();
    most["Scope"] = "tag:role=web".into();
    let asked = [(MEMBER, member_parameters()), (MEMBER, most)];
    for resources in resources(&asked) {
        let [statement] = for_services(&resources, "RulesReachFailures", "PolicyDocument")[..]
        else {
            panic!("one statement")
        };
        let sources = statement["Condition"]["ArnEquals"]["aws:SourceArn"].as_array().unwrap();
        let sources: BTreeSet<String> =
            sources.iter().map(|arn| arn.as_str().unwrap().to_owned()).collect();
        assert_eq!(sources, rules(&resources));
        assert_eq!(sources.len(), 3, "{sources:?}");
        assert_eq!(keys_of_queues(&resources), BTreeSet::from([None]));
    }
}

/// The keys of the stack's own that its queues have; none is SQS's.
fn keys_of_queues(resources: &Resources) -> BTreeSet<Option<&str>> {
    let queues = resources.values().filter(|it| it["Type"] == "AWS::SQS::Queue");
    queues
        .map(|queue| {
            let key = queue["Properties"].get("KmsMasterKeyId");
            assert_eq!(queue["Properties"]["SqsManagedSseEnabled"], key.is_none());
            key.map(|key| key.as_str().expect("a key"))
        })
        .collect()
}

#[test]
fn who_keeps_events_may_use_the_key_of_the_queues_for_the_queue_of_failures_alone() {
    let resources = resources(&[(AUDITOR, json!({"Encryption": "queues"}))]).remove(0);
    let key = "arn:aws:kms:eu-central-1:123456789012:key/stack-QueueKey-1A2B3C4D5E6F";
    assert_eq!(keys_of_queues(&resources), BTreeSet::from([Some(key)]));
    let [statement] = for_services(&resources, "QueueKey", "KeyPolicy")[..] else {
        panic!("one service")
    };
    // Lambda does it with the function's role.
    assert_eq!(statement["Principal"], json!({"Service": "events.amazonaws.com"}));
    let does = json!(["kms:GenerateDataKey", "kms:Decrypt"]);
    assert_eq!(statement["Action"], does);
    let queue = |name: &str| {
        let arn = format!("arn:aws:sqs:eu-central-1:123456789012:{name}");
        json!({ "kms:EncryptionContext:aws:sqs:arn": arn })
    };
    // However much of the stack's name is left in the queue's.
    assert_eq!(statement["Condition"], json!({ "StringLike": queue("*-Failures-*") }));
    let policies = resources["Role"]["Properties"]["Policies"].as_array().expect("policies");
    let keep = policies.iter().find(|policy| policy["PolicyName"] == "keep").expect("keep");
    assert_eq!(
        keep["PolicyDocument"]["Statement"],
        json!([{
            "Effect": "Allow", "Action": does, "Resource": key,
            "Condition": { "StringEquals": queue("stack-Failures-1A2B3C4D5E6F") },
        }])
    );
}

#[test]
fn no_service_may_publish_or_use_the_key_of_the_topic() {
    let both = [json!({"Encryption": "topic"}), json!({})];
    let both = both.map(|parameters| (AUDITOR, parameters));
    let [encrypted, plain] = &resources(&both)[..] else { panic!("two stacks") };
    for (resources, key) in [(encrypted, Some("stack-TopicKey-1A2B3C4D5E6F")), (plain, None)] {
        let topics = resources.values().filter(|it| it["Type"] == "AWS::SNS::Topic");
        let keys: Vec<Option<&str>> =
            topics.map(|topic| topic["Properties"]["KmsMasterKeyId"].as_str()).collect();
        assert_eq!(keys, [key]);
        assert_eq!(resources.contains_key("TopicKey"), key.is_some());
        assert_eq!(for_services(resources, "FindingsPublish", "PolicyDocument"), [] as [&Value; 0]);
    }
    assert_eq!(for_services(encrypted, "TopicKey", "KeyPolicy"), [] as [&Value; 0]);
}

#[test]
fn lambda_takes_the_role_and_one_permission_is_for_each_rule_that_invokes_the_function() {
    let resources = with_all_parts();
    let [trust] = for_services(&resources, "Role", "AssumeRolePolicyDocument")[..] else {
        panic!("one service")
    };
    assert_eq!(trust["Principal"], json!({"Service": "lambda.amazonaws.com"}));
    let permissions = resources.values().filter(|it| it["Type"] == "AWS::Lambda::Permission");
    let [permission] = permissions.collect::<Vec<_>>()[..] else { panic!("one permission") };
    let properties = &permission["Properties"];
    assert_eq!(properties["Action"], "lambda:InvokeFunction");
    assert_eq!(properties["Principal"], "events.amazonaws.com");
    let like = properties["SourceArn"].as_str().expect("an ARN");
    for arn in rules(&resources) {
        assert!(is_like(like, &arn), "{arn}");
    }
    // Whatever the stack is called, the names are short enough and none is cut.
    assert!(rules(&resources).iter().all(|arn| arn.split_once("rule/").unwrap().1.len() <= 64));
}

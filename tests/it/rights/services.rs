//! What other services of AWS may do with the stacks' topics, queues and key: their part, and only for what is the
//! stack's own.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::resolved::{AUDITOR, MEMBER, Resources, member_parameters, resources};

/// The statements of a policy that let a service do something.
fn for_services<'a>(resources: &'a Resources, name: &str, member: &str) -> Vec<&'a Value> {
    let statements = &resources[name]["Properties"][member]["Statement"];
    let statements = statements.as_array().expect("statements").iter();
    statements.filter(|statement| statement["Principal"].get("Service").is_some()).collect()
}

/// The ARNs of the rules of a stack.
fn rules(resources: &Resources) -> BTreeSet<String> {
    let rules = resources.iter().filter(|(_, it)| it["Type"] == "AWS::Events::Rule");
    rules
        .map(|(name, it)| match it["Properties"]["Name"].as_str() {
            Some(name) => name.to_owned(),
            None => format!("stack-{name}-1A2B3C4D5E6F"),
        })
        .map(|name| format!("arn:aws:events:eu-central-1:123456789012:rule/{name}"))
        .collect()
}

#[test]
fn eventbridge_may_keep_the_events_of_the_stacks_rules_and_of_no_others() {
    let least = json!({"HoldMaxHours": "0"});
    let most = json!({"Scope": "tag:role=web", "MemberRoleName": "typo3-sg-auditor-member"});
    let mut member_most = member_parameters();
    member_most["Scope"] = "tag:role=web".into();
    let asked =
        [(AUDITOR, least), (AUDITOR, most), (MEMBER, member_parameters()), (MEMBER, member_most)];
    let counts = [8, 10, 4, 4];
    for (resources, count) in resources(&asked).iter().zip(counts) {
        let [statement] = for_services(resources, "RulesReachFailures", "PolicyDocument")[..]
        else {
            panic!("one statement")
        };
        assert_eq!(statement["Principal"], json!({"Service": "events.amazonaws.com"}));
        assert_eq!(statement["Action"], "sqs:SendMessage");
        let sources = statement["Condition"]["ArnEquals"]["aws:SourceArn"].as_array().unwrap();
        let sources: BTreeSet<String> =
            sources.iter().map(|arn| arn.as_str().unwrap().to_owned()).collect();
        assert_eq!(sources, rules(resources));
        assert_eq!(sources.len(), count, "{sources:?}");
        // No key that can be disabled stands between an event and its queue.
        assert_eq!(keys_of_queues(resources), BTreeSet::from([None]));
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
    let resources = resources(&[(AUDITOR, json!({"EncryptQueues": "true"}))]).remove(0);
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
fn alarms_of_the_stack_may_publish_to_its_topics_and_use_the_key_for_that() {
    let both =
        [json!({}), json!({"EncryptTopics": "false"})].map(|parameters| (AUDITOR, parameters));
    let [encrypted, plain] = &resources(&both)[..] else { panic!("two stacks") };
    for (resources, key) in [(encrypted, Some("stack-TopicKey-1A2B3C4D5E6F")), (plain, None)] {
        let topics = resources.values().filter(|it| it["Type"] == "AWS::SNS::Topic");
        let keys: Vec<Option<&str>> =
            topics.map(|topic| topic["Properties"]["KmsMasterKeyId"].as_str()).collect();
        assert_eq!(keys, [key, key]);
        assert_eq!(resources.contains_key("TopicKey"), key.is_some());
        let [statement] = for_services(resources, "AlarmsPublish", "PolicyDocument")[..] else {
            panic!("one statement")
        };
        assert_eq!(statement["Principal"], json!({"Service": "cloudwatch.amazonaws.com"}));
        assert_eq!(statement["Action"], "sns:Publish");
        assert_eq!(statement["Condition"], of_alarms());
    }
    let [statement] = for_services(encrypted, "TopicKey", "KeyPolicy")[..] else {
        panic!("one service")
    };
    assert_eq!(statement["Principal"], json!({"Service": "cloudwatch.amazonaws.com"}));
    assert_eq!(statement["Action"], json!(["kms:GenerateDataKey", "kms:Decrypt"]));
    let mut condition = of_alarms();
    condition["StringLike"] = json!({
        "kms:EncryptionContext:aws:sns:topicArn": "arn:aws:sns:eu-central-1:123456789012:stack-*",
    });
    assert_eq!(statement["Condition"], condition);
}

/// What a request on behalf of an alarm of the stack has in it.
fn of_alarms() -> Value {
    json!({
        "StringEquals": {"aws:SourceAccount": "123456789012"},
        "ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:stack-*"},
    })
}

#[test]
fn lambda_takes_the_role_and_each_rule_may_invoke_the_function() {
    let most = json!({"Scope": "tag:role=web", "MemberRoleName": "typo3-sg-auditor-member"});
    let resources = resources(&[(AUDITOR, most)]).remove(0);
    let [trust] = for_services(&resources, "Role", "AssumeRolePolicyDocument")[..] else {
        panic!("one service")
    };
    assert_eq!(trust["Principal"], json!({"Service": "lambda.amazonaws.com"}));
    let permissions = resources.values().filter(|it| it["Type"] == "AWS::Lambda::Permission");
    let sources: BTreeSet<String> = permissions
        .map(|permission| {
            let properties = &permission["Properties"];
            assert_eq!(properties["Action"], "lambda:InvokeFunction");
            assert_eq!(properties["Principal"], "events.amazonaws.com");
            properties["SourceArn"].as_str().expect("a rule").to_owned()
        })
        .collect();
    assert_eq!(sources, rules(&resources));
}

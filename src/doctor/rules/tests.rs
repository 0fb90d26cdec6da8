use serde_json::json;

use super::*;

const RULE_ARN: &str = "arn:aws:events:eu-central-1:123456789012:rule/auditor-Changes-1A";

fn statement(changed: Value) -> Value {
    let mut statement = json!({"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"},
        "Action": "lambda:InvokeFunction", "Condition": {"ArnLike": {"AWS:SourceArn": RULE_ARN}}});
    for (key, value) in changed.as_object().unwrap() {
        statement[key] = value.clone();
    }
    statement
}

#[test]
fn a_policy_lets_a_rule_call_only_if_everything_in_a_statement_fits() {
    let source = |pattern: &str| json!({"Condition": {"ArnLike": {"aws:SourceArn": pattern}}});
    for (changed, allowed) in [
        (json!({}), true),
        (source("arn:aws:events:*:123456789012:rule/auditor-*"), true),
        (source("arn:aws:events:eu-central-1:123456789012:rule/auditor-Sweep-1A"), false),
        (json!({"Condition": {"StringEquals": {"AWS:SourceArn": "arn:aws:events:*"}}}), false),
        (json!({"Condition": {"StringEquals": {"AWS:SourceAccount": "123456789012"}}}), true),
        (json!({"Condition": {"StringEquals": {"AWS:SourceAccount": "210987654321"}}}), false),
        (json!({"Condition": null}), true),
        (json!({"Principal": {"Service": "sns.amazonaws.com"}}), false),
        (json!({"Principal": "*"}), true),
        (json!({"Action": "lambda:*"}), true),
        (json!({"Action": ["lambda:GetFunction"]}), false),
        (json!({"Effect": "Deny"}), false),
        // Nobody here knows whether it is met.
        (json!({"Condition": {"Bool": {"aws:SecureTransport": "true"}}}), false),
    ] {
        let policy = json!({"Statement": [statement(changed.clone())]});
        assert_eq!(allows(&policy, RULE_ARN, "123456789012"), allowed, "{changed}");
    }
}

#[test]
fn a_statement_that_denies_wins() {
    let deny = statement(json!({"Effect": "Deny", "Condition": null}));
    let policy = json!({"Statement": [statement(json!({})), deny]});
    assert!(!allows(&policy, RULE_ARN, "123456789012"));
    assert!(!allows(&Value::Null, RULE_ARN, "123456789012"));
}

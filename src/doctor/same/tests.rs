use serde_json::json;

use super::*;

#[test]
fn order_and_types_of_scalars_do_not_matter_and_values_do() {
    assert_eq!(
        canonical(&json!({"a": [1, "b"], "c": true})),
        canonical(&json!({"c": "true", "a": ["b", "1"]}))
    );
    assert_eq!(canonical(&json!(1.0)), canonical(&json!(1)));
    assert_ne!(canonical(&json!(["a"])), canonical(&json!(["a", "a"])));
    assert_ne!(canonical(&json!({"a": []})), canonical(&json!({})));
    assert_eq!(canonical_text(&json!("{\"a\": [1]}")), canonical(&json!({"a": ["1"]})));
    assert_eq!(canonical_text(&json!("12")), json!("12"));
}

#[test]
fn policies_are_the_same_however_aws_writes_them() {
    let should = json!({"Version": "2012-10-17", "Statement": [{"Sid": "A", "Effect": "Allow", "Principal": "*",
        "Action": "sns:Publish", "Resource": "arn:x", "Condition": {"ArnLike": {"aws:SourceArn": "arn:y"}}}]});
    let is = json!({"Version": "2008-10-17", "Id": "x", "Statement": {"Sid": "A", "Effect": "Allow", "Principal": {"AWS": "*"},
        "Action": ["SNS:Publish"], "Resource": ["arn:x"], "Condition": {"ArnLike": {"AWS:SourceArn": ["arn:y"]}}}});
    assert_eq!(policy(&should), policy(&is.to_string().into()));
    for (pointer, other) in [
        ("/Statement/0/Effect", json!("Deny")),
        ("/Statement/0/Action", json!(["sns:Publish", "sns:Subscribe"])),
        ("/Statement/0/Principal", json!({"AWS": "123456789012"})),
        ("/Statement/0/Condition", json!({"ArnLike": {"aws:SourceArn": "arn:*"}})),
        ("/Statement/0/Condition/ArnLike/aws:SourceArn", json!("arn:Y")),
    ] {
        let mut changed = should.clone();
        *changed.pointer_mut(pointer).unwrap() = other;
        assert_ne!(policy(&should), policy(&changed), "{pointer}");
    }
}

#[test]
fn patterns_fit_as_arns_do() {
    for (pattern, text, fits_it) in [
        ("arn:*", "arn:aws:x", true),
        ("*", "", true),
        ("", "", true),
        ("a?c", "abc", true),
        ("a?c", "ac", false),
        ("a*b*c", "a-b-b-c", true),
        ("a*b", "a-b-c", false),
        ("rule/auditor-*", "rule/auditor", false),
    ] {
        assert_eq!(fits(pattern, text), fits_it, "{pattern} {text}");
    }
    // As long as a name can be, it is quick.
    assert!(!fits(&"*a".repeat(200), &"a".repeat(199)));
}

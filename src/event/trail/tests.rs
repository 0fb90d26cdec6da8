use serde_json::{Value, json};

use super::*;

/// As the CloudTrail user guide shows selectors.
#[test]
fn only_selectors_that_record_calls_of_ec2_that_write_count() {
    let plain = |selector: Value| json!({"EventSelectors": [selector]});
    let advanced = |fields: Value| json!({"AdvancedEventSelectors": [{"Name": "one", "FieldSelectors": fields}]});
    let management = json!({"Field": "eventCategory", "Equals": ["Management"]});
    let with = |field: Value| advanced(json!([management, field]));
    let partly = |field: &str| Records::Partly(field.to_owned());
    for (selectors, records_it) in [
        (plain(json!({"ReadWriteType": "All", "IncludeManagementEvents": true})), Records::All),
        (
            plain(json!({"ReadWriteType": "WriteOnly", "IncludeManagementEvents": true})),
            Records::All,
        ),
        (
            plain(json!({"ReadWriteType": "ReadOnly", "IncludeManagementEvents": true})),
            Records::None,
        ),
        (plain(json!({"ReadWriteType": "All", "IncludeManagementEvents": false})), Records::None),
        (
            plain(json!({"ReadWriteType": "All", "IncludeManagementEvents": true,
                "ExcludeManagementEventSources": ["kms.amazonaws.com", "rdsdata.amazonaws.com"]})),
            Records::All,
        ),
        (json!({"EventSelectors": []}), Records::None),
        (advanced(json!([management])), Records::All),
        (advanced(json!([{"Field": "eventCategory", "Equals": ["Data"]}])), Records::None),
        (with(json!({"Field": "readOnly", "Equals": ["true"]})), Records::None),
        (with(json!({"Field": "readOnly", "Equals": ["false"]})), Records::All),
        (with(json!({"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]})), Records::All),
        (with(json!({"Field": "eventSource", "NotEquals": ["ec2.amazonaws.com"]})), Records::None),
        (with(json!({"Field": "eventSource", "NotStartsWith": ["ec2"]})), Records::None),
        (with(json!({"Field": "eventSource", "StartsWith": ["ec2."]})), Records::All),
        (with(json!({"Field": "eventSource", "Equals": ["iam.amazonaws.com"]})), Records::None),
        // Perhaps it leaves out the very calls that matter.
        (
            with(json!({"Field": "eventName", "NotEquals": ["AuthorizeSecurityGroupIngress"]})),
            partly("eventName"),
        ),
        (
            with(
                json!({"Field": "userIdentity.arn", "NotStartsWith": ["arn:aws:iam::123456789012:user/me"]}),
            ),
            partly("userIdentity.arn"),
        ),
        // Some selector records them all.
        (
            json!({"AdvancedEventSelectors": [
                {"FieldSelectors": [management, {"Field": "eventName", "Equals": ["RunInstances"]}]},
                {"FieldSelectors": [management, {"Field": "readOnly", "Equals": ["false"]}]}]}),
            Records::All,
        ),
    ] {
        let read: Selectors = serde_json::from_value(selectors.clone()).unwrap();
        assert_eq!(read.records(), records_it, "{selectors:#}");
    }
}

//! Tags that come with a call, and calls that change them.

use serde_json::{Value, json};

use super::{envelope, uuid};

/// The event of an Authorize as it is where the call gave its rules these tags.
pub fn tagged(mut event: Value, tags: &[(&str, &str)]) -> Value {
    if !tags.is_empty() {
        let tags: Vec<Value> =
            tags.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
        event["detail"]["requestParameters"]["tagSpecificationSet"] =
            json!({"items": [{"resourceType": "security-group-rule", "tags": tags}]});
    }
    event
}

/// The event of a `CreateTags` or, where there is no value, of a `DeleteTags`.
pub fn of_tags(resource: &str, key: &str, value: Option<&str>) -> Value {
    let mut tag = json!({ "key": key });
    if let Some(value) = value {
        tag["value"] = value.into();
    }
    let request = json!({
        "resourcesSet": {"items": [{"resourceId": resource}]}, "tagSet": {"items": [tag]},
    });
    let name = if value.is_some() { "CreateTags" } else { "DeleteTags" };
    envelope(name, request, json!({"requestId": uuid(), "_return": true}))
}

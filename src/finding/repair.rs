//! The shell line that takes back a call that blinded the auditor.

use crate::ec2::Region;
use crate::event::{Component, WatchedChange};
use crate::text::escape::shell_word;

/// The line that takes the change back, where one call of AWS's does. Other changes have to be
/// compared with the template.
pub(super) fn repair(region: &Region, change: &WatchedChange) -> Option<String> {
    // CloudTrail shows a name, or an ARN of which `trail/NAME` is left. Whoever made the call chose
    // it, so only a name that cannot be anything else gets into a line that people paste.
    let name = |kind: &str| {
        let resource = change.resource.as_deref()?;
        let name = resource.strip_prefix(kind).unwrap_or(resource);
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
        let is_name = name.starts_with(|c: char| c.is_ascii_alphanumeric());
        (is_name && name.chars().all(is_plain)).then(|| shell_word(name))
    };
    let region = shell_word(region.as_str());
    let calls: Vec<String> = match (change.component, change.call.as_str()) {
        (Component::Trail, "StopLogging") => {
            vec![format!("cloudtrail start-logging --region {region} --name {}", name("trail/")?)]
        }
        (Component::Rule, "DisableRule") => {
            vec![format!("events enable-rule --region {region} --name {}", name("rule/")?)]
        }
        (Component::Key, "DisableKey") => {
            vec![format!("kms enable-key --region {region} --key-id {}", name("key/")?)]
        }
        (Component::Key, "ScheduleKeyDeletion") => {
            let key = name("key/")?;
            vec![
                format!("kms cancel-key-deletion --region {region} --key-id {key}"),
                format!("kms enable-key --region {region} --key-id {key}"),
            ]
        }
        (Component::Alarm, "DisableAlarmActions") => vec![format!(
            "cloudwatch enable-alarm-actions --region {region} --alarm-names {}",
            name("alarm:")?
        )],
        _ => return None,
    };
    Some(calls.iter().map(|call| format!("aws {call}")).collect::<Vec<_>>().join(" && "))
}

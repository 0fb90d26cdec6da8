//! Shell lines that mend the auditor: they reverse a call that blinded it, or show what is wrong with it.

use super::model::{Unfed, UnfitTrail};
use crate::ec2::{Arn, Place, Region};
use crate::event::trail::Unfit;
use crate::event::{Component, WatchedChange};
use crate::text::escape::shell_word;

/// The line that looks at the deployed auditor and prints what mends it.
pub fn doctor_line(stack: &str, region: &Region) -> String {
    let (stack, region) = (shell_word(stack), shell_word(region.as_str()));
    format!("sg-audit doctor --stack {stack} --region {region}")
}

/// The line that has the deployed auditor sweep its own account and region now.
pub fn sweep_line(stack: &str, region: &Region) -> String {
    let (stack, region) = (shell_word(stack), shell_word(region.as_str()));
    let function = format!(
        "aws cloudformation describe-stacks --region {region} --stack-name {stack} --output text \
         --query \"Stacks[0].Outputs[?OutputKey=='Function'].OutputValue\""
    );
    // The AWS CLI 2 takes a payload on the command line for base64, and version 1 does not.
    format!(
        "printf %s '{{\"sweep\":{{\"accounts\":[],\"regions\":[]}}}}' | aws lambda invoke --region {region} \
         --function-name \"$({function})\" --invocation-type Event --payload fileb:///dev/stdin /dev/stdout"
    )
}

/// The line that starts a trail again, where one of the place's own account is only stopped.
pub(super) fn start_logging(place: &Place, unfed: &Unfed) -> Option<String> {
    let Unfed::Trails(trails) = unfed else { return None };
    let account = place.account.as_ref()?.as_str();
    let is_own =
        |trail: &&UnfitTrail| Arn::parse(&trail.arn).is_some_and(|arn| arn.account == account);
    let mut stopped = trails.iter().filter(|trail| trail.why == Unfit::Stopped);
    let trail = stopped.find(is_own)?;
    let (region, arn) = (shell_word(trail.home.as_str()), shell_word(&trail.arn));
    Some(format!("aws cloudtrail start-logging --region {region} --name {arn}"))
}

/// The line that shows whether the rules that forward the events of a place are there and enabled.
pub(super) fn list_rules(place: &Place) -> Option<String> {
    let region = shell_word(place.region.as_ref()?.as_str());
    Some(format!(
        "aws events list-rules --region {region} --name-prefix sg-auditor- --query 'Rules[].[Name,State]' --output text"
    ))
}

/// The line that takes the change back, where one call of AWS's does and the record has all that it
/// takes. `sg-audit doctor` finds the others by comparing with the template.
pub(super) fn repair(region: &Region, change: &WatchedChange) -> Option<String> {
    // CloudTrail shows a name, or an ARN of which `trail/NAME` is left. Whoever made the call chose
    // it, so only a name that cannot be anything else gets into a line that people paste.
    let plain = |name: &str, also: &str| {
        let is_plain =
            |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c) || also.contains(c);
        let is_name = name.starts_with(|c: char| c.is_ascii_alphanumeric());
        (is_name && name.chars().all(is_plain)).then(|| shell_word(name))
    };
    let name = |kind: &str| {
        let resource = change.resource.as_deref()?;
        plain(resource.strip_prefix(kind).unwrap_or(resource), "")
    };
    let with = |also: &str| plain(change.with.first()?, also);
    let region = shell_word(region.as_str());
    let calls: Vec<String> = match (change.component, change.call.as_str()) {
        (Component::Trail, "StopLogging") => {
            vec![format!("cloudtrail start-logging --region {region} --name {}", name("trail/")?)]
        }
        (Component::Rule, "DisableRule") => {
            vec![format!("events enable-rule --region {region} --name {}", name("rule/")?)]
        }
        // The template limits nothing of it.
        (Component::Function, "PutFunctionConcurrency") => vec![format!(
            "lambda delete-function-concurrency --region {region} --function-name {}",
            name("function:")?
        )],
        (Component::Function, "AddPermission") => vec![format!(
            "lambda remove-permission --region {region} --function-name {} --statement-id {}",
            name("function:")?,
            with("")?
        )],
        (Component::Function, "UpdateEventSourceMapping") => vec![format!(
            "lambda update-event-source-mapping --region {region} --uuid {} --enabled",
            with("")?
        )],
        (Component::Role, "AttachRolePolicy") => vec![format!(
            "iam detach-role-policy --role-name {} --policy-arn {}",
            name("role/")?,
            with(":+=,@")?
        )],
        // The template sets none.
        (Component::Role, "PutRolePermissionsBoundary") => {
            vec![format!("iam delete-role-permissions-boundary --role-name {}", name("role/")?)]
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
        (Component::Alarm, "DisableAlarmActions") => {
            let first = name("alarm:")?;
            let others: Option<Vec<String>> =
                change.with.iter().map(|alarm| plain(alarm, "")).collect();
            let all = [vec![first], others?].concat().join(" ");
            vec![format!("cloudwatch enable-alarm-actions --region {region} --alarm-names {all}")]
        }
        (Component::Alarm, "PutAlarmMuteRule") => vec![format!(
            "cloudwatch delete-alarm-mute-rule --region {region} --alarm-mute-rule-name {}",
            with("")?
        )],
        _ => return None,
    };
    Some(calls.iter().map(|call| format!("aws {call}")).collect::<Vec<_>>().join(" && "))
}

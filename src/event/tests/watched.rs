//! Calls that can blind the auditor.

use serde_json::{Value, json};

use super::super::{Event, Kind, WatchedChange};
use super::samples::FILES;
use super::{event, lines_of, record};

fn of(service: &str, name: &str, request: Value) -> Value {
    let mut record = record(name, request, Value::Null);
    record["eventSource"] = json!(format!("{service}.amazonaws.com"));
    record
}

fn watched(value: &Value) -> WatchedChange {
    let Event { kind: Kind::Watched(change), .. } = event(value) else { panic!("{value}") };
    change
}

fn sample(name: &str) -> Value {
    let (_, bytes) = FILES.iter().find(|(file, _)| file == name).unwrap();
    serde_json::from_slice(bytes).unwrap()
}

#[test]
fn each_call_names_the_resource_that_it_changed() {
    let topic = "arn:aws:sns:eu-central-1:123456789012:Findings";
    let subscription = format!("{topic}:0d3f5a78-9c1e-4e53-8f6b-2a7d4c9e1b60");
    let function = "arn:aws:lambda:eu-central-1:123456789012:function:Auditor";
    let queue = "https://sqs.eu-central-1.amazonaws.com/123456789012/Failures";
    for (service, call, member, value, expected) in [
        ("cloudtrail", "StopLogging", "name", "all", "Trail watched: StopLogging all"),
        ("cloudtrail", "DeleteTrail", "name", "all", "Trail watched: DeleteTrail all"),
        ("cloudtrail", "UpdateTrail", "name", "all", "Trail watched: UpdateTrail all"),
        (
            "cloudtrail",
            "PutEventSelectors",
            "trailName",
            "all",
            "Trail watched: PutEventSelectors all",
        ),
        ("events", "DisableRule", "name", "Changes", "Rule watched: DisableRule Changes"),
        ("events", "DeleteRule", "name", "Changes", "Rule watched: DeleteRule Changes"),
        ("events", "PutRule", "name", "Changes", "Rule watched: PutRule Changes"),
        ("events", "RemoveTargets", "rule", "Changes", "Rule watched: RemoveTargets Changes"),
        ("events", "PutTargets", "rule", "Changes", "Rule watched: PutTargets Changes"),
        ("sns", "DeleteTopic", "topicArn", topic, "Topic watched: DeleteTopic Findings"),
        (
            "sns",
            "SetTopicAttributes",
            "topicArn",
            topic,
            "Topic watched: SetTopicAttributes Findings",
        ),
        ("sns", "RemovePermission", "topicArn", topic, "Topic watched: RemovePermission Findings"),
        (
            "sns",
            "PutDataProtectionPolicy",
            "resourceArn",
            topic,
            "Topic watched: PutDataProtectionPolicy Findings",
        ),
        (
            "sns",
            "Unsubscribe",
            "subscriptionArn",
            subscription.as_str(),
            "Topic watched: Unsubscribe Findings:0d3f5a78-9c1e-4e53-8f6b-2a7d4c9e1b60",
        ),
        (
            "sns",
            "SetSubscriptionAttributes",
            "subscriptionArn",
            &subscription,
            "Topic watched: SetSubscriptionAttributes Findings:0d3f5a78-9c1e-4e53-8f6b-2a7d4c9e1b60",
        ),
        ("sqs", "DeleteQueue", "queueUrl", queue, "Queue watched: DeleteQueue Failures"),
        (
            "sqs",
            "SetQueueAttributes",
            "queueUrl",
            queue,
            "Queue watched: SetQueueAttributes Failures",
        ),
        ("sqs", "PurgeQueue", "queueUrl", queue, "Queue watched: PurgeQueue Failures"),
        ("iam", "PutRolePolicy", "roleName", "Role", "Role watched: PutRolePolicy Role"),
        ("iam", "DeleteRolePolicy", "roleName", "Role", "Role watched: DeleteRolePolicy Role"),
        ("iam", "AttachRolePolicy", "roleName", "Role", "Role watched: AttachRolePolicy Role"),
        ("iam", "DetachRolePolicy", "roleName", "Role", "Role watched: DetachRolePolicy Role"),
        ("iam", "DeleteRole", "roleName", "Role", "Role watched: DeleteRole Role"),
        (
            "iam",
            "UpdateAssumeRolePolicy",
            "roleName",
            "Role",
            "Role watched: UpdateAssumeRolePolicy Role",
        ),
        ("logs", "DeleteLogGroup", "logGroupName", "Log", "Log watched: DeleteLogGroup Log"),
        (
            "logs",
            "PutRetentionPolicy",
            "logGroupName",
            "Log",
            "Log watched: PutRetentionPolicy Log",
        ),
        ("kms", "DisableKey", "keyId", "1a2b-3c", "Key watched: DisableKey 1a2b-3c"),
        (
            "kms",
            "ScheduleKeyDeletion",
            "keyId",
            "1a2b-3c",
            "Key watched: ScheduleKeyDeletion 1a2b-3c",
        ),
        ("kms", "PutKeyPolicy", "keyId", "1a2b-3c", "Key watched: PutKeyPolicy 1a2b-3c"),
        ("monitoring", "PutMetricAlarm", "alarmName", "a", "Alarm watched: PutMetricAlarm a"),
        ("monitoring", "SetAlarmState", "alarmName", "a", "Alarm watched: SetAlarmState a"),
        (
            "monitoring",
            "DeleteAlarmMuteRule",
            "alarmMuteRuleName",
            "night",
            "Alarm watched: DeleteAlarmMuteRule night",
        ),
        (
            "lambda",
            "PutResourcePolicy",
            "resourceArn",
            function,
            "Function watched: PutResourcePolicy function:Auditor",
        ),
        (
            "lambda",
            "DeleteResourcePolicy20241031",
            "resourceArn",
            function,
            "Function watched: DeleteResourcePolicy function:Auditor",
        ),
        // A name or any form of the ARN does for Lambda.
        (
            "lambda",
            "UpdateFunctionCode20150331v2",
            "functionName",
            "Auditor",
            "Function watched: UpdateFunctionCode Auditor",
        ),
        (
            "lambda",
            "DeleteFunction20150331",
            "functionName",
            function,
            "Function watched: DeleteFunction function:Auditor",
        ),
    ] {
        assert_eq!(lines_of(&of(service, call, json!({ member: value }))), [expected]);
    }
}

#[test]
fn the_version_that_lambda_adds_to_a_name_is_dropped() {
    for (name, call) in [
        ("UpdateFunctionCode20150331v2", "UpdateFunctionCode"),
        ("UpdateFunctionConfiguration20150331v2", "UpdateFunctionConfiguration"),
        ("UpdateFunctionConfiguration", "UpdateFunctionConfiguration"),
        ("DeleteFunction20150331", "DeleteFunction"),
        ("PutFunctionConcurrency20171031", "PutFunctionConcurrency"),
        ("DeleteFunctionConcurrency20171031", "DeleteFunctionConcurrency"),
        ("PutFunctionEventInvokeConfig", "PutFunctionEventInvokeConfig"),
        ("UpdateFunctionEventInvokeConfig", "UpdateFunctionEventInvokeConfig"),
        ("DeleteFunctionEventInvokeConfig", "DeleteFunctionEventInvokeConfig"),
        ("AddPermission20150331v2", "AddPermission"),
        ("RemovePermission20150331v2", "RemovePermission"),
        ("removepermission20150331v2", "removepermission"),
    ] {
        let change = watched(&of("lambda", name, json!({"functionName": "Auditor"})));
        assert_eq!((change.call.as_str(), change.resource.as_deref()), (call, Some("Auditor")));
        let call = of("lambda", name, json!({}));
        assert_eq!(event(&call).record.event_name.as_deref(), Some(name));
    }
}

#[test]
fn an_event_source_mapping_goes_by_the_function_in_the_response() {
    let arn = "arn:aws:lambda:eu-central-1:123456789012:function:Auditor";
    let mut call = of("lambda", "UpdateEventSourceMapping20150331", json!({"uUID": "a1b2"}));
    assert_eq!(watched(&call).resource.as_deref(), Some("a1b2"));
    call["responseElements"] = json!({"functionArn": arn, "state": "Disabling"});
    assert_eq!(watched(&call).resource.as_deref(), Some("function:Auditor"));
    call["eventName"] = json!("DeleteEventSourceMapping20150331");
    assert_eq!(watched(&call).call, "DeleteEventSourceMapping");
}

#[test]
fn the_first_of_several_alarms_is_named() {
    for call in ["DeleteAlarms", "DisableAlarmActions"] {
        let several =
            of("monitoring", call, json!({"alarmNames": ["EventsParked", "SweepMissed"]}));
        assert_eq!(lines_of(&several), [format!("Alarm watched: {call} EventsParked")]);
        let none = of("monitoring", call, json!({"alarmNames": []}));
        assert_eq!(lines_of(&none), [format!("Alarm watched: {call} ?")]);
    }
}

#[test]
fn what_a_call_did_is_read_where_the_record_has_it() {
    let with = |service, call, request| watched(&of(service, call, request)).with;
    let one = |name: &str| vec![name.to_owned()];
    let added = json!({"functionName": "Auditor", "statementId": "evil", "action": "lambda:*"});
    assert_eq!(with("lambda", "AddPermission20150331v2", added), one("evil"));
    let to_version = json!({"functionName": "Auditor", "statementId": "evil", "qualifier": "1"});
    assert_eq!(with("lambda", "AddPermission20150331v2", to_version), [] as [String; 0]);
    let arn = "arn:aws:iam::aws:policy/AdministratorAccess";
    let attached = json!({"roleName": "Role", "policyArn": arn});
    assert_eq!(with("iam", "AttachRolePolicy", attached), one(arn));
    for (enabled, read) in
        [(json!(false), one("a1b2")), (json!(true), vec![]), (json!(null), vec![])]
    {
        let request = json!({"uUID": "a1b2", "enabled": enabled});
        assert_eq!(with("lambda", "UpdateEventSourceMapping20150331", request), read);
    }
    let muted = json!({"name": "night", "muteTargets": {"alarmNames": ["EventsParked"]}});
    assert_eq!(with("monitoring", "PutAlarmMuteRule", muted), one("night"));
    let alarms = json!({"alarmNames": ["EventsParked", "SweepMissed"]});
    assert_eq!(with("monitoring", "DisableAlarmActions", alarms), one("SweepMissed"));
    for lost in [json!(null), json!({"omitted": true}), json!({"policyArn": {}})] {
        assert_eq!(with("iam", "AttachRolePolicy", lost), [] as [String; 0]);
    }
}

#[test]
fn a_mute_rule_goes_by_the_alarm_that_it_mutes() {
    let mute = |targets: Value| {
        let request = json!({"name": "night", "muteTargets": targets});
        lines_of(&of("monitoring", "PutAlarmMuteRule", request))
    };
    assert_eq!(
        mute(json!({"alarmNames": ["EventsParked", "SweepMissed"]})),
        ["Alarm watched: PutAlarmMuteRule EventsParked"]
    );
    assert_eq!(mute(json!({"alarmNames": []})), ["Alarm watched: PutAlarmMuteRule night"]);
    assert_eq!(mute(Value::Null), ["Alarm watched: PutAlarmMuteRule night"]);
}

#[test]
fn the_settings_that_a_call_gave_the_function_are_read_where_the_record_shows_them() {
    let call = |environment: Value| {
        let request = json!({"functionName": "Auditor", "environment": environment});
        watched(&of("lambda", "UpdateFunctionConfiguration20150331v2", request)).settings
    };
    let variables = json!({"SCOPE": "all", "REMEDIATION": "notify", "OTHER": "x"});
    let shown = call(json!({ "variables": variables })).unwrap();
    assert_eq!(shown.scope.as_deref(), Some("all"));
    assert_eq!(shown.remediation.as_deref(), Some("notify"));
    assert_eq!(shown.baseline, None);
    // CloudTrail mostly leaves out the values, or all of it.
    for hidden in [
        Value::Null,
        json!({}),
        json!({"variables": {}}),
        json!({"omitted": true}),
        json!({"variables": {"SCOPE": "HIDDEN_DUE_TO_SECURITY_REASONS"}}),
        json!({"variables": {"SCOPE": null}}),
        json!({"variables": "..."}),
    ] {
        assert_eq!(call(hidden.clone()), None, "{hidden}");
    }
    let mut told_back = of("lambda", "UpdateFunctionConfiguration", json!({}));
    told_back["responseElements"] = json!({"environment": {"variables": {"SCOPE": "all"}}});
    assert_eq!(watched(&told_back).settings.unwrap().scope.as_deref(), Some("all"));
    // Only the function has such settings.
    let request = json!({"name": "Changes", "environment": {"variables": {"SCOPE": "all"}}});
    assert_eq!(watched(&of("events", "PutRule", request)).settings, None);
}

#[test]
fn calls_that_do_not_blind_the_auditor_are_ignored() {
    for (service, call) in [
        ("cloudtrail", "StartLogging"),
        ("cloudtrail", "DescribeTrails"),
        ("events", "EnableRule"),
        ("events", "DescribeRule"),
        ("lambda", "Invoke"),
        ("lambda", "GetFunction20150331v2"),
        ("lambda", "PublishLayerVersion20181031"),
        ("lambda", "GetResourcePolicy"),
        ("monitoring", "ListAlarmMuteRules"),
        ("sns", "Subscribe"),
        ("sns", "Publish"),
        ("sqs", "ReceiveMessage"),
        ("iam", "CreateUser"),
        ("logs", "CreateLogStream"),
        ("kms", "Decrypt"),
        ("monitoring", "PutMetricData"),
        // The name of another service's call.
        ("s3", "StopLogging"),
        ("sns", "DisableRule"),
    ] {
        let expected = format!("ignored: `{call}`: not a security-group call");
        assert_eq!(lines_of(&of(service, call, json!({"name": "all"}))), [expected]);
    }
    let mut elsewhere = of("cloudtrail", "StopLogging", json!({"name": "all"}));
    elsewhere["eventSource"] = json!("cloudtrail.example.amazonaws.com");
    assert!(lines_of(&elsewhere)[0].starts_with("ignored: "));
}

#[test]
fn refused_calls_are_ignored_and_server_errors_are_not() {
    for code in [
        "AccessDenied",
        "AccessDeniedException",
        "TrailNotFoundException",
        "ResourceNotFoundException",
    ] {
        let mut refused = sample("stop-logging");
        refused["detail"]["errorCode"] = json!(code);
        let expected = format!("ignored: the call failed ({code}) and changed nothing");
        assert_eq!(lines_of(&refused), [expected]);
    }
    // A call that failed in the service may have changed something before.
    for code in ["InternalFailure", "ServiceException", "InternalException", "ServiceUnavailable"] {
        let mut failed = sample("stop-logging");
        failed["detail"]["errorCode"] = json!(code);
        assert_eq!(watched(&failed).server_error.as_deref(), Some(code));
    }
    let mut success = sample("stop-logging");
    success["detail"]["errorCode"] = Value::Null;
    assert_eq!(watched(&success).server_error, None);
}

#[test]
fn only_aws_can_tell_that_it_was_cloudformation() {
    let mut deployed = sample("update-function");
    assert!(watched(&deployed).by_cloudformation);
    // What a caller can write does not count.
    deployed["detail"]["userIdentity"].as_object_mut().unwrap().remove("invokedBy");
    assert!(!watched(&deployed).by_cloudformation);
    for service in ["AWS Internal", "ssm.amazonaws.com", "cloudformation.example.com", ""] {
        deployed["detail"]["userIdentity"]["invokedBy"] = json!(service);
        assert!(!watched(&deployed).by_cloudformation, "{service}");
    }
    let mut named = sample("update-function");
    named["detail"]["requestParameters"]["functionName"] = json!("cloudformation.amazonaws.com");
    named["detail"]["userIdentity"] = json!({"type": "Root", "accountId": "123456789012"});
    assert!(!watched(&named).by_cloudformation);
}

#[test]
fn a_record_that_lost_something_still_tells_the_call() {
    for name in ["stop-logging", "disable-rule", "update-function"] {
        let before = watched(&sample(name));
        for mark in [json!(null), json!({}), json!("[...]"), json!({"omitted": true}), json!([1])] {
            let mut lost = sample(name);
            lost["detail"]["requestParameters"] = mark.clone();
            lost["detail"]["responseElements"] = mark.clone();
            let change = watched(&lost);
            assert_eq!((&change.call, change.resource), (&before.call, None), "{name}: {mark}");
        }
        let mut lost = sample(name);
        lost["detail"]["omitted"] = json!(true);
        assert_eq!(watched(&lost), before);
        // The record alone, as a query of CloudTrail gives it, and in a queue.
        let record = sample(name)["detail"].take();
        assert_eq!(watched(&record), before);
        let body = sample(name).to_string();
        assert_eq!(
            watched(&json!({"Records": [{"eventSource": "aws:sqs", "body": body}]})),
            before
        );
    }
}

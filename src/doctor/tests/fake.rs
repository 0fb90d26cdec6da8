//! A small stack in which everything is as it has to be, as `aws` answers about it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::doctor::aws::{Aws, AwsError, error};

pub const NOW: &str = "2026-03-12T12:00:00Z";
pub const TOPIC: &str = "arn:aws:sns:eu-central-1:123456789012:auditor-Findings-1A";
const ROLE: &str = "arn:aws:iam::123456789012:role/auditor-Role-1A";
const FUNCTION: &str = "arn:aws:lambda:eu-central-1:123456789012:function:auditor-Auditor-1A";
const QUEUE: &str = "arn:aws:sqs:eu-central-1:123456789012:auditor-Failures-1A";
const QUEUE_URL: &str = "https://sqs.eu-central-1.amazonaws.com/123456789012/auditor-Failures-1A";

/// What to answer to calls that have all of some words.
pub struct Fake {
    answers: BTreeMap<String, Result<Value, String>>,
    refused: Option<String>,
    rights: Mutex<BTreeSet<String>>,
}

impl Fake {
    /// The answer to a call.
    pub fn answer(&mut self, call: &str, answer: Value) {
        self.answers.insert(call.to_owned(), Ok(answer));
    }

    /// What `aws` writes to standard error instead of an answer.
    pub fn fail(&mut self, call: &str, said: &str) {
        self.answers.insert(call.to_owned(), Err(said.to_owned()));
    }

    /// Refuses the calls that need this right.
    pub fn refuse(&mut self, right: &str) {
        self.refused = Some(right.to_owned());
    }

    /// The rights that the calls needed so far.
    pub fn rights(&self) -> BTreeSet<String> {
        self.rights.lock().unwrap().clone()
    }
}

impl Aws for Fake {
    fn call(&self, arguments: &[&str]) -> Result<Value, AwsError> {
        let [service, call, ..] = arguments else { panic!("{arguments:?}") };
        let operation: String =
            call.split('-').map(|word| word[..1].to_uppercase() + &word[1..]).collect();
        let service = if *service == "stepfunctions" { "states" } else { service };
        let right = format!("{service}:{operation}");
        self.rights.lock().unwrap().insert(right.clone());
        if self.refused.as_ref() == Some(&right) {
            let said = format!(
                "An error occurred (AccessDeniedException) when calling the {operation} operation: \
                 User: arn:aws:iam::123456789012:user/me is not authorized to perform: {right}"
            );
            return Err(error(arguments, &said));
        }
        let fits = |key: &&String| key.split(' ').all(|word| arguments.contains(&word));
        let key = self.answers.keys().filter(fits).max_by_key(|key| key.len());
        match key.and_then(|key| self.answers.get(key)) {
            Some(Ok(answer)) => Ok(answer.clone()),
            Some(Err(said)) => Err(error(arguments, said)),
            None => panic!("no answer to {arguments:?}"),
        }
    }
}

pub fn trust() -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
}

fn pattern() -> Value {
    json!({"source": ["aws.ec2"], "detail": {"eventName": ["AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress"]}})
}

fn publish() -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "FunctionPublishes", "Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "sns:Publish", "Resource": TOPIC}]})
}

pub fn template() -> Value {
    json!({
        "Parameters": {
            "AlertEmail": {"Type": "String"}, "Remediation": {"Type": "String", "Default": "notify"},
            "Accounts": {"Type": "CommaDelimitedList", "Default": ""},
        },
        "Conditions": {"Mails": {"Fn::Not": [{"Fn::Equals": [{"Ref": "AlertEmail"}, "none"]}]}},
        "Resources": {
            "Auditor": {"Type": "AWS::Lambda::Function", "Properties": {
                "Runtime": "provided.al2023", "Handler": "bootstrap", "Architectures": ["arm64"], "Timeout": 120,
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "LoggingConfig": {"LogFormat": "JSON", "LogGroup": {"Ref": "Log"}},
                "Environment": {"Variables": {"TOPIC_ARN": {"Ref": "Findings"}, "REMEDIATION": {"Ref": "Remediation"},
                    "SSH_SOURCES": "203.0.113.0/24", "SCOPE": "all",
                    "MEMBER_ROLE_NAME": "sg-auditor", "MEMBER_EXTERNAL_ID": "one-two"}}}},
            "OnFailure": {"Type": "AWS::Lambda::EventInvokeConfig", "Properties": {
                "FunctionName": {"Ref": "Auditor"}, "Qualifier": "$LATEST", "MaximumRetryAttempts": 2,
                "DestinationConfig": {"OnFailure": {"Destination": {"Fn::GetAtt": ["Failures", "Arn"]}}}}},
            "Again": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {
                "FunctionName": {"Ref": "Auditor"}, "EventSourceArn": {"Fn::GetAtt": ["Failures", "Arn"]}, "BatchSize": 1}},
            "Changes": {"Type": "AWS::Events::Rule", "Properties": {
                "EventPattern": pattern(), "Targets": [{"Id": "auditor", "Arn": {"Fn::GetAtt": ["Auditor", "Arn"]}}]}},
            "Sweep": {"Type": "AWS::Events::Rule", "Properties": {
                "ScheduleExpression": "rate(1 day)", "Targets": [{"Id": "auditor", "Arn": {"Fn::GetAtt": ["Auditor", "Arn"]},
                    "Input": {"Fn::Sub": ["{\"sweep\":{\"accounts\":[\"${AWS::AccountId}\",\"${Others}\"],\"regions\":[]}}",
                        {"Others": {"Fn::Join": ["\",\"", {"Ref": "Accounts"}]}}]}}]}},
            "MayCall": {"Type": "AWS::Lambda::Permission", "Properties": {
                "Action": "lambda:InvokeFunction", "FunctionName": {"Ref": "Auditor"}, "Principal": "events.amazonaws.com",
                "SourceArn": {"Fn::Sub": "arn:aws:events:${AWS::Region}:${AWS::AccountId}:rule/${AWS::StackName}-*"}}},
            "Members": {"Type": "AWS::Events::EventBusPolicy", "Properties": {"StatementId": "members", "Statement": {
                "Effect": "Allow", "Principal": "*", "Action": "events:PutEvents", "Resource": "*",
                "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}}}},
            "Findings": {"Type": "AWS::SNS::Topic", "Properties": {"KmsMasterKeyId": {"Ref": "Key"}}},
            "Publish": {"Type": "AWS::SNS::TopicPolicy", "Properties": {"Topics": [{"Ref": "Findings"}], "PolicyDocument": publish()}},
            "Mail": {"Type": "AWS::SNS::Subscription", "Condition": "Mails", "Properties": {
                "TopicArn": {"Ref": "Findings"}, "Protocol": "email", "Endpoint": {"Ref": "AlertEmail"},
                "FilterPolicy": {"severity": ["high", "critical"]}}},
            "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": trust()}},
            "Failures": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 900}},
            "Memory": {"Type": "AWS::DynamoDB::Table", "Properties": {"BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "TimeToLiveSpecification": {"AttributeName": "expires", "Enabled": true}}},
            "Log": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 400}},
            "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust(),
                "Policies": [{"PolicyName": "audit", "PolicyDocument": publish()}]}},
            "Fails": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"MetricName": "Errors", "Namespace": "AWS/Lambda",
                "Threshold": 1, "Period": 300, "AlarmActions": [{"Ref": "Findings"}]}},
        },
    })
}

/// The function as it is.
pub fn configuration() -> Value {
    json!({"State": "Active", "LastUpdateStatus": "Successful",
            "Runtime": "provided.al2023", "Handler": "bootstrap", "Architectures": ["arm64"], "Timeout": 120, "Role": ROLE,
            "LoggingConfig": {"LogFormat": "JSON", "LogGroup": "auditor-Log-1A", "ApplicationLogLevel": "INFO"},
            "Environment": {"Variables": {"TOPIC_ARN": TOPIC, "REMEDIATION": "notify", "SSH_SOURCES": "203.0.113.0/24",
                "SCOPE": "all", "MEMBER_ROLE_NAME": "sg-auditor", "MEMBER_EXTERNAL_ID": "one-two"}}})
}

/// A name, a type and a physical id of each.
const DEPLOYED: [(&str, &str, &str); 15] = [
    ("Auditor", "AWS::Lambda::Function", "auditor-Auditor-1A"),
    ("Again", "AWS::Lambda::EventSourceMapping", "u-1"),
    ("Changes", "AWS::Events::Rule", "auditor-Changes-1A"),
    ("Sweep", "AWS::Events::Rule", "auditor-Sweep-1A"),
    ("MayCall", "AWS::Lambda::Permission", "auditor-MayCall-1A"),
    ("Members", "AWS::Events::EventBusPolicy", "members"),
    ("Findings", "AWS::SNS::Topic", TOPIC),
    ("Publish", "AWS::SNS::TopicPolicy", "auditor-Publish-1A"),
    (
        "Mail",
        "AWS::SNS::Subscription",
        "arn:aws:sns:eu-central-1:123456789012:auditor-Findings-1A:s",
    ),
    ("Key", "AWS::KMS::Key", "0a1b2c3d"),
    ("Failures", "AWS::SQS::Queue", QUEUE_URL),
    ("Memory", "AWS::DynamoDB::Table", "auditor-Memory-1A"),
    ("Log", "AWS::Logs::LogGroup", "auditor-Log-1A"),
    ("Role", "AWS::IAM::Role", "auditor-Role-1A"),
    ("Fails", "AWS::CloudWatch::Alarm", "auditor-Fails-1A"),
];

/// Nothing is wrong.
pub fn healthy() -> Fake {
    let mut fake = Fake { answers: BTreeMap::new(), refused: None, rights: Mutex::default() };
    let resources: Vec<Value> = DEPLOYED
        .iter()
        .map(|(name, kind, id)| {
            json!({"LogicalResourceId": name, "ResourceType": kind, "PhysicalResourceId": id, "ResourceStatus": "CREATE_COMPLETE"})
        })
        .collect();
    let target = json!({"Id": "auditor", "Arn": FUNCTION});
    let mut swept = target.clone();
    swept["Input"] =
        r#"{"sweep":{"accounts":["123456789012","210987654321"],"regions":[]}}"#.into();
    let allowed = json!({"Statement": [{"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:events:eu-central-1:123456789012:rule/auditor-*"}}}]});
    let done = r#"{"level":"INFO","message":"done","task":"sweep"}"#;
    let bus = json!({"Version": "2012-10-17", "Statement": [{"Sid": "members", "Effect": "Allow", "Principal": "*",
        "Action": "events:PutEvents", "Resource": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}}]});
    let answers = [
        (
            "cloudformation describe-stacks",
            json!({"Stacks": [{
            "StackId": "arn:aws:cloudformation:eu-central-1:123456789012:stack/auditor/0a1b2c3d", "StackName": "auditor",
            "StackStatus": "CREATE_COMPLETE", "CreationTime": "2026-03-01T08:00:00Z", "Parameters": [
                {"ParameterKey": "AlertEmail", "ParameterValue": "you@example.com"},
                {"ParameterKey": "Remediation", "ParameterValue": "notify"},
                {"ParameterKey": "Accounts", "ParameterValue": "210987654321"}]}]}),
        ),
        ("cloudformation list-stack-resources", json!({"StackResourceSummaries": resources})),
        (
            "cloudtrail describe-trails",
            json!({"trailList": [{"Name": "all", "HomeRegion": "eu-central-1",
            "IsMultiRegionTrail": true, "TrailARN": "arn:aws:cloudtrail:eu-central-1:123456789012:trail/all"}]}),
        ),
        ("cloudtrail get-trail-status", json!({"IsLogging": true})),
        (
            "cloudtrail get-event-selectors",
            json!({"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": true,
            "DataResources": [], "ExcludeManagementEventSources": []}]}),
        ),
        (
            "events describe-rule auditor-Changes-1A",
            json!({"State": "ENABLED", "EventPattern": pattern().to_string()}),
        ),
        (
            "events describe-rule auditor-Sweep-1A",
            json!({"State": "ENABLED", "ScheduleExpression": "rate(1 day)"}),
        ),
        ("events list-targets-by-rule auditor-Changes-1A", json!({"Targets": [target]})),
        ("events list-targets-by-rule auditor-Sweep-1A", json!({"Targets": [swept]})),
        ("events describe-event-bus", json!({"Policy": bus.to_string()})),
        ("organizations describe-organization", json!({"Organization": {"Id": "o-a1b2c3d4e5"}})),
        ("stepfunctions describe-state-machine", json!({"status": "ACTIVE"})),
        (
            "stepfunctions list-executions",
            json!({"executions": [{"name": "daily", "status": "SUCCEEDED", "startDate": "2026-03-12T05:30:00Z",
            "executionArn": "arn:aws:states:eu-central-1:123456789012:execution:sg-auditor-0a1b2c3d-sweep:daily"}]}),
        ),
        (
            "events describe-rule sg-auditor-0a1b2c3d-MemberSweep",
            json!({"State": "ENABLED", "ScheduleExpression": "rate(1 day)"}),
        ),
        ("lambda get-policy", json!({"Policy": allowed.to_string()})),
        ("lambda get-function-configuration", configuration()),
        ("lambda get-function-concurrency", Value::Null),
        (
            "lambda get-function-event-invoke-config",
            json!({"MaximumRetryAttempts": 2, "DestinationConfig": {"OnFailure": {"Destination": QUEUE}}}),
        ),
        (
            "lambda get-event-source-mapping",
            json!({"UUID": "u-1", "State": "Enabled", "LastProcessingResult": "OK"}),
        ),
        (
            "sns get-topic-attributes",
            json!({"Attributes": {"TopicArn": TOPIC, "Policy": publish().to_string(),
            "KmsMasterKeyId": "0a1b2c3d"}}),
        ),
        (
            "sns list-subscriptions-by-topic",
            json!({"Subscriptions": [{"Protocol": "email", "Endpoint": "you@example.com",
            "SubscriptionArn": "arn:aws:sns:eu-central-1:123456789012:auditor-Findings-1A:s"}]}),
        ),
        (
            "sns get-subscription-attributes",
            json!({"Attributes": {"FilterPolicy": "{\"severity\":[\"critical\",\"high\"]}"}}),
        ),
        ("kms describe-key", json!({"KeyMetadata": {"KeyState": "Enabled"}})),
        ("kms get-key-policy", json!({"Policy": trust().to_string()})),
        (
            "sqs get-queue-attributes",
            json!({"Attributes": {"VisibilityTimeout": "900", "ApproximateNumberOfMessages": "0",
            "ApproximateNumberOfMessagesNotVisible": "0"}}),
        ),
        ("dynamodb describe-table", json!({"Table": {"TableStatus": "ACTIVE"}})),
        (
            "dynamodb describe-time-to-live",
            json!({"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}}),
        ),
        (
            "logs describe-log-groups",
            json!({"logGroups": [{"logGroupName": "auditor-Log-1A", "retentionInDays": 400}]}),
        ),
        (
            "logs filter-log-events",
            json!({"events": [{"timestamp": 1_773_306_000_000_i64, "message": done}]}),
        ),
        ("iam get-role", json!({"Role": {"AssumeRolePolicyDocument": trust()}})),
        ("iam get-role-policy", json!({"PolicyDocument": publish()})),
        ("iam list-role-policies", json!({"PolicyNames": ["audit"]})),
        ("iam list-attached-role-policies", json!({"AttachedPolicies": []})),
        (
            "cloudwatch describe-alarms",
            json!({"MetricAlarms": [{"AlarmName": "auditor-Fails-1A", "ActionsEnabled": true,
            "MetricName": "Errors", "Namespace": "AWS/Lambda", "Threshold": 1.0, "Period": 300, "AlarmActions": [TOPIC],
            "StateValue": "OK"}]}),
        ),
        ("cloudwatch list-alarm-mute-rules", json!({"AlarmMuteRuleSummaries": []})),
        (
            "cloudwatch get-metric-data",
            json!({"MetricDataResults": [
            {"Id": "errors", "Timestamps": [], "Values": []},
            {"Id": "rule0", "Timestamps": ["2026-03-12T09:00:00Z"], "Values": [1.0]}]}),
        ),
        ("sts get-caller-identity", json!({"Arn": "arn:aws:iam::123456789012:root"})),
        (
            "sts assume-role",
            json!({"Arn": "arn:aws:sts::210987654321:assumed-role/sg-auditor/sg-audit-doctor"}),
        ),
    ];
    for (call, answer) in answers {
        fake.answer(call, answer);
    }
    fake.answer("cloudformation get-template", json!({"TemplateBody": template()}));
    fake
}

//! What a stack has deployed, and what its template says that it should be.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;
use thiserror::Error;

use super::aws::{Aws, AwsError};
use super::resolve::{Scope, word};
use super::yaml;
use crate::ec2::Arn;

/// How deep stacks may be nested in stacks.
const MAX_NESTED: usize = 3;

/// The template of this version.
pub(super) const SHIPPED: &str = include_str!("../../template.yaml");

/// Why nothing could be looked at.
#[derive(Debug, Error)]
pub enum NotLooked {
    /// There is no such stack there.
    #[error(
        "there is no stack {name} in {region}: look at --stack and --region, and list the stacks with `aws cloudformation list-stacks`"
    )]
    NoStack {
        /// As it was given.
        name: String,
        /// Where it was looked for.
        region: String,
    },
    /// The AWS CLI is missing.
    #[error("`aws` cannot be started: install the AWS CLI (https://docs.aws.amazon.com/cli/)")]
    NoCli(#[source] AwsError),
    /// Nobody is logged in.
    #[error("`aws` has no valid credentials: log in with `aws sso login` or `aws configure`")]
    NoCredentials(#[source] AwsError),
    #[error("`aws` does not know which region is meant: add --region")]
    NoRegion,
    /// Anything else.
    #[error("the stack {name} cannot be read")]
    Unreadable {
        /// As it was given.
        name: String,
        source: AwsError,
    },
}

/// A resource of the stack or of a stack in it.
#[derive(Clone, Debug)]
pub(super) struct Resource {
    /// The name in the template; in a nested stack, with that stack's name and a slash before it.
    pub name: String,
    pub kind: String,
    /// Its physical id; empty where there is none.
    pub id: String,
    /// What the template says that it should be.
    pub should: BTreeMap<String, Value>,
}

impl Resource {
    /// A property as the template has it.
    pub fn get(&self, property: &str) -> Option<&Value> {
        self.should.get(property)
    }

    /// A scalar property as text.
    pub fn text(&self, property: &str) -> Option<String> {
        self.get(property).map(word)
    }
}

/// A stack, with what is in the stacks in it.
#[derive(Debug)]
pub(super) struct Deployed {
    pub name: String,
    /// The last part of its ARN.
    pub id: String,
    pub partition: String,
    pub region: String,
    pub account: String,
    /// When it was created or changed.
    pub changed: Option<DateTime<Utc>>,
    /// The status of this stack and of each in it, by their names.
    pub statuses: BTreeMap<String, String>,
    pub resources: Vec<Resource>,
    /// Properties that cannot be resolved, as `Resource.Property (what it depends on)`.
    pub unresolved: Vec<String>,
    /// The parameters of the stack itself.
    pub parameters: Vec<String>,
    /// Templates that could not be read, with the stack's name and why.
    pub unread: Vec<(String, AwsError)>,
    /// The rules of the shipped template that differ from those of the stack's own.
    pub differs: Vec<String>,
}

impl Deployed {
    /// Resources of a type.
    pub fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Resource> {
        self.resources.iter().filter(move |resource| resource.kind == kind)
    }

    /// The function. Both names of its type stand for the same.
    pub fn functions(&self) -> impl Iterator<Item = &Resource> {
        let kinds = ["AWS::Lambda::Function", "AWS::Serverless::Function"];
        self.resources.iter().filter(move |resource| kinds.contains(&resource.kind.as_str()))
    }

    /// An ARN in the stack's place.
    pub fn arn(&self, service: &str, rest: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{rest}", self.partition, self.region, self.account)
    }

    /// Reads a stack and the stacks in it. `shipped` is the template to compare with.
    pub fn read(
        aws: &dyn Aws,
        name: &str,
        region: Option<&str>,
        shipped: &str,
    ) -> Result<Self, NotLooked> {
        let mut deployed = Self {
            name: name.to_owned(),
            id: String::new(),
            partition: String::new(),
            region: region.unwrap_or("the configured region").to_owned(),
            account: String::new(),
            changed: None,
            statuses: BTreeMap::new(),
            resources: Vec::new(),
            unresolved: Vec::new(),
            parameters: Vec::new(),
            unread: Vec::new(),
            differs: Vec::new(),
        };
        match deployed.add(aws, name, "", yaml::read(shipped)) {
            Ok(_) => Ok(deployed),
            Err(AwsError::NotThere { .. }) => {
                Err(NotLooked::NoStack { name: name.to_owned(), region: deployed.region })
            }
            Err(error @ AwsError::NoCli(_)) => Err(NotLooked::NoCli(error)),
            Err(error @ AwsError::NoCredentials { .. }) => Err(NotLooked::NoCredentials(error)),
            Err(AwsError::NoRegion) => Err(NotLooked::NoRegion),
            Err(source) => Err(NotLooked::Unreadable { name: name.to_owned(), source }),
        }
    }

    /// Adds the stack with this name or id. Returns its outputs.
    fn add(
        &mut self,
        aws: &dyn Aws,
        id: &str,
        prefix: &str,
        shipped: Option<Value>,
    ) -> Result<BTreeMap<String, String>, AwsError> {
        let described = aws.call(&["cloudformation", "describe-stacks", "--stack-name", id])?;
        let not_there = || AwsError::NotThere { message: format!("there is no stack {id}") };
        let stack = described.pointer("/Stacks/0").ok_or_else(not_there)?;
        let status = text(stack, "StackStatus").to_owned();
        if status == "DELETE_COMPLETE" {
            return Err(not_there());
        }
        let own = if prefix.is_empty() { self.name.clone() } else { prefix.to_owned() };
        self.statuses.insert(own.clone(), status);
        let depth = prefix.matches('/').count();
        if depth == 0 {
            if let Some(arn) = Arn::parse(text(stack, "StackId")) {
                let Arn { partition, region, account, .. } = arn;
                (self.partition, self.region, self.account) =
                    (partition.to_owned(), region.to_owned(), account.to_owned());
                // stack/NAME/ID
                let mut words = arn.resource.split('/').skip(1);
                self.name = words.next().unwrap_or(id).to_owned();
                self.id = words.next().unwrap_or_default().to_owned();
            }
            let changed = stack.get("LastUpdatedTime").or_else(|| stack.get("CreationTime"));
            self.changed = changed.and_then(time);
        }

        let list = ["cloudformation", "list-stack-resources", "--stack-name", id];
        let listed = aws.call(&list)?;
        let mut physical = BTreeMap::new();
        for resource in array(&listed, "StackResourceSummaries") {
            let word = |key| text(resource, key).to_owned();
            if !text(resource, "ResourceStatus").starts_with("DELETE_COMPLETE") {
                let about = (word("ResourceType"), word("PhysicalResourceId"));
                physical.insert(word("LogicalResourceId"), about);
            }
        }
        let mut outputs = BTreeMap::new();
        for (name, (_, id)) in physical.iter().filter(|(_, (kind, _))| kind == NESTED) {
            if depth >= MAX_NESTED {
                break;
            }
            let inner = self.add(aws, id, &format!("{prefix}{name}/"), None)?;
            outputs.insert(name.clone(), inner);
        }

        let get = ["cloudformation", "get-template", "--template-stage", "Processed"];
        let template = aws.call(&[&get[..], &["--stack-name", id]].concat());
        let template = template.and_then(|answer| match answer.get("TemplateBody") {
            Some(Value::String(text)) => yaml::read(text).ok_or(AwsError::Other {
                message: format!("the template of {own} is neither JSON nor YAML"),
            }),
            Some(template) => Ok(template.clone()),
            None => Err(AwsError::Other { message: format!("{own} has no template") }),
        });
        let mut scope = Scope {
            physical,
            outputs,
            partition: self.partition.clone(),
            region: self.region.clone(),
            account: self.account.clone(),
            ..Scope::default()
        };
        match template {
            Ok(template) => {
                scope.template = template;
                scope.values = values(stack, &scope);
                self.take(&scope, prefix);
                if let Some(shipped) = shipped {
                    let before = std::mem::replace(&mut scope.template, shipped);
                    scope.values = values(stack, &scope);
                    self.differs = differing(&scope, &self.resources, &before);
                }
            }
            Err(error) => {
                self.unread.push((own, error));
                if let Some(shipped) = shipped {
                    scope.template = shipped;
                    scope.values = values(stack, &scope);
                    self.take(&scope, prefix);
                }
            }
        }
        if depth == 0 {
            let parameters = array(stack, "Parameters").iter();
            self.parameters = parameters.map(|it| text(it, "ParameterKey").to_owned()).collect();
        }
        let outputs = array(stack, "Outputs").iter();
        Ok(outputs
            .map(|it| (text(it, "OutputKey").to_owned(), text(it, "OutputValue").to_owned()))
            .collect())
    }

    /// Adds the resources of a template whose conditions hold.
    fn take(&mut self, scope: &Scope, prefix: &str) {
        let resources = scope.template.get("Resources").and_then(Value::as_object);
        for (logical, declared) in resources.into_iter().flatten() {
            let name = format!("{prefix}{logical}");
            let kind = text(declared, "Type").to_owned();
            match declared.get("Condition").and_then(Value::as_str).map(|it| scope.holds(it)) {
                Some(Ok(false)) => continue,
                Some(Err(error)) => {
                    self.unresolved.push(format!("{name} ({error})"));
                    continue;
                }
                Some(Ok(true)) | None => {}
            }
            let mut should = BTreeMap::new();
            let properties = declared.get("Properties").and_then(Value::as_object);
            for (property, value) in properties.into_iter().flatten() {
                match scope.resolve(value) {
                    Ok(Some(value)) => drop(should.insert(property.clone(), value)),
                    Ok(None) => {}
                    Err(error) if CHECKED.contains(&kind.as_str()) => {
                        self.unresolved.push(format!("{name}.{property} ({error})"));
                    }
                    Err(_) => {}
                }
            }
            let id = scope.physical.get(logical).map(|(_, id)| id.clone()).unwrap_or_default();
            self.resources.push(Resource { name, kind, id, should });
        }
    }
}

const NESTED: &str = "AWS::CloudFormation::Stack";

/// The types whose properties some check compares.
const CHECKED: [&str; 14] = [
    "AWS::CloudWatch::Alarm",
    "AWS::Events::EventBusPolicy",
    "AWS::Events::Rule",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::KMS::Key",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Permission",
    "AWS::Logs::LogGroup",
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::Queue",
    "AWS::SQS::QueuePolicy",
];

/// The parameters of a stack, with the defaults of those that it has no value for, and the pseudo
/// parameters. A parameter that is never shown is left out, so that what refers to it is not known.
fn values(stack: &Value, scope: &Scope) -> BTreeMap<String, Value> {
    const HIDDEN: &str = "****";
    let mut values = BTreeMap::new();
    let declared = scope.template.get("Parameters").and_then(Value::as_object);
    let given = |name: &str| {
        let given = array(stack, "Parameters").iter();
        let found = given.clone().find(|it| text(it, "ParameterKey") == name)?;
        found.get("ResolvedValue").or_else(|| found.get("ParameterValue")).cloned()
    };
    for (name, parameter) in declared.into_iter().flatten() {
        let Some(value) = given(name).or_else(|| parameter.get("Default").cloned()) else {
            continue;
        };
        let value = word(&value);
        let kind = text(parameter, "Type");
        if value == HIDDEN {
            continue;
        }
        let is_list = kind == "CommaDelimitedList" || kind.contains("List<");
        let list = || value.split(',').map(|item| item.trim().to_owned()).collect::<Vec<_>>();
        values.insert(name.clone(), if is_list { list().into() } else { value.into() });
    }
    let suffix = if scope.partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
    let pseudo = [
        ("AWS::AccountId", scope.account.as_str()),
        ("AWS::Partition", &scope.partition),
        ("AWS::Region", &scope.region),
        ("AWS::StackId", text(stack, "StackId")),
        ("AWS::StackName", text(stack, "StackName")),
        ("AWS::URLSuffix", suffix),
    ];
    values.extend(pseudo.map(|(name, value)| (name.to_owned(), value.into())));
    values
}

/// The rules that the shipped template has and the stack's does not, or with another pattern or
/// schedule, and the other way round. What cannot be resolved is not compared.
fn differing(shipped: &Scope, resources: &[Resource], own: &Value) -> Vec<String> {
    let rules = |template: &Value| -> Vec<String> {
        let resources = template.get("Resources").and_then(Value::as_object);
        let rules = resources.into_iter().flatten();
        rules.filter(|(_, it)| text(it, "Type") == RULE).map(|(name, _)| name.clone()).collect()
    };
    let (ours, theirs) = (rules(&shipped.template), rules(own));
    let mut differing: Vec<String> =
        ours.iter().filter(|name| !theirs.contains(name)).cloned().collect();
    differing.extend(theirs.iter().filter(|name| !ours.contains(name)).cloned());
    for name in ours.iter().filter(|name| theirs.contains(name)) {
        let declared = shipped.template.pointer(&format!("/Resources/{name}/Properties"));
        let rule = resources.iter().find(|resource| &resource.name == name);
        let (Some(declared), Some(rule)) = (declared, rule) else { continue };
        let same = ["EventPattern", "ScheduleExpression"].iter().all(|property| {
            let Some(value) = declared.get(*property) else { return rule.get(property).is_none() };
            match shipped.resolve(value) {
                Ok(value) => {
                    value.as_ref().map(super::same::canonical)
                        == rule.get(property).map(super::same::canonical)
                }
                Err(_) => true,
            }
        });
        if !same {
            differing.push(name.clone());
        }
    }
    differing.sort();
    differing
}

pub(super) const RULE: &str = "AWS::Events::Rule";

/// A member that is text, or nothing.
pub(super) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// A member that is a list, or nothing.
pub(super) fn array<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// A time as the AWS CLI writes it: version 1 in seconds for some services, else ISO 8601.
pub(super) fn time(value: &Value) -> Option<DateTime<Utc>> {
    if let Some(seconds) = value.as_f64() {
        // Times are recent, so nothing is lost.
        return DateTime::from_timestamp_millis((seconds * 1000.0) as i64);
    }
    DateTime::parse_from_rfc3339(value.as_str()?).ok().map(|time| time.to_utc())
}

//! A template's properties as plain values: its functions resolved with the parameters, the
//! conditions and the physical names of a deployed stack.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use thiserror::Error;

use crate::ec2::Arn;

/// How deeply functions and conditions may be nested.
const MAX_DEPTH: usize = 64;

/// What a value depends on that is not known here.
#[derive(Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub(super) struct Unresolved(pub String);

/// What the functions of a template refer to.
#[derive(Debug, Default)]
pub(super) struct Scope {
    /// The whole template.
    pub template: Value,
    /// Parameters and pseudo parameters. A list is an array.
    pub values: BTreeMap<String, Value>,
    /// The type of each resource that was deployed, and its physical id.
    pub physical: BTreeMap<String, (String, String)>,
    /// The outputs of the stacks in it.
    pub outputs: BTreeMap<String, BTreeMap<String, String>>,
    pub partition: String,
    pub region: String,
    pub account: String,
}

type Resolved<T> = Result<T, Unresolved>;

impl Scope {
    /// The value without functions. `None` stands for `AWS::NoValue`.
    pub fn resolve(&self, value: &Value) -> Resolved<Option<Value>> {
        self.at(value, 0)
    }

    /// Whether a condition of the template holds.
    pub fn holds(&self, name: &str) -> Resolved<bool> {
        self.named(name, 0)
    }

    fn at(&self, value: &Value, depth: usize) -> Resolved<Option<Value>> {
        if depth > MAX_DEPTH {
            return Err(Unresolved("something that refers to itself".to_owned()));
        }
        let depth = depth + 1;
        match value {
            Value::Array(items) => {
                let mut plain = Vec::with_capacity(items.len());
                for item in items {
                    plain.extend(self.at(item, depth)?);
                }
                Ok(Some(plain.into()))
            }
            Value::Object(members) => {
                if let Some((name, inner)) = members.iter().next()
                    && members.len() == 1
                    && (name == "Ref" || name.starts_with("Fn::"))
                {
                    return self.function(name, inner, depth);
                }
                let mut plain = Map::new();
                for (name, inner) in members {
                    if let Some(inner) = self.at(inner, depth)? {
                        plain.insert(name.clone(), inner);
                    }
                }
                Ok(Some(plain.into()))
            }
            _ => Ok(Some(value.clone())),
        }
    }

    fn function(&self, name: &str, inner: &Value, depth: usize) -> Resolved<Option<Value>> {
        let unresolved = || Unresolved(format!("{name} of {inner}"));
        let items = || inner.as_array().map(Vec::as_slice).unwrap_or_default();
        let plain = |value: &Value| self.at(value, depth)?.ok_or_else(unresolved);
        Ok(Some(match (name, items()) {
            ("Ref", _) => {
                let name = inner.as_str().ok_or_else(unresolved)?;
                if name == "AWS::NoValue" {
                    return Ok(None);
                }
                self.reference(name)?
            }
            ("Fn::GetAtt", [resource, attribute]) => {
                let (resource, attribute) = (resource.as_str(), attribute.as_str());
                let (resource, attribute) = resource.zip(attribute).ok_or_else(unresolved)?;
                self.attribute(resource, attribute)?.into()
            }
            ("Fn::If", [condition, yes, no]) => {
                let name = condition.as_str().ok_or_else(unresolved)?;
                return self.at(if self.named(name, depth)? { yes } else { no }, depth);
            }
            ("Fn::Sub", [text, own]) => {
                let own = plain(own)?;
                self.filled(text.as_str().ok_or_else(unresolved)?, Some(&own))?.into()
            }
            ("Fn::Sub", _) => self.filled(inner.as_str().ok_or_else(unresolved)?, None)?.into(),
            ("Fn::Join", [between, parts]) => {
                let parts = plain(parts)?;
                let parts = parts.as_array().ok_or_else(unresolved)?;
                let parts: Vec<String> = parts.iter().map(word).collect();
                parts.join(between.as_str().ok_or_else(unresolved)?).into()
            }
            ("Fn::Split", [between, text]) => {
                let between = between.as_str().ok_or_else(unresolved)?;
                word(&plain(text)?).split(between).map(str::to_owned).collect::<Vec<_>>().into()
            }
            ("Fn::Select", [at, list]) => {
                let at: usize = word(&plain(at)?).parse().map_err(|_| unresolved())?;
                plain(list)?.get(at).cloned().ok_or_else(unresolved)?
            }
            ("Fn::FindInMap", [map, first, second]) => {
                let [map, first, second] =
                    [plain(map)?, plain(first)?, plain(second)?].map(|it| word(&it));
                let maps = self.template.get("Mappings").ok_or_else(unresolved)?;
                let found = maps.get(&map).and_then(|it| it.get(&first)?.get(&second));
                found.cloned().ok_or_else(unresolved)?
            }
            _ => return Err(unresolved()),
        }))
    }

    fn reference(&self, name: &str) -> Resolved<Value> {
        if let Some(value) = self.values.get(name) {
            return Ok(value.clone());
        }
        let physical = self.physical.get(name).map(|(_, id)| id.clone().into());
        physical.ok_or_else(|| Unresolved(name.to_owned()))
    }

    fn attribute(&self, resource: &str, attribute: &str) -> Resolved<String> {
        let unresolved = || Unresolved(format!("{resource}.{attribute}"));
        if let Some(output) = attribute.strip_prefix("Outputs.") {
            let outputs = self.outputs.get(resource).ok_or_else(unresolved)?;
            return outputs.get(output).cloned().ok_or_else(unresolved);
        }
        let (kind, id) = self.physical.get(resource).ok_or_else(unresolved)?;
        let Self { partition, region, account, .. } = self;
        let arn = |service: &str, rest: &str| {
            let region = if service == "iam" { "" } else { region };
            format!("arn:{partition}:{service}:{region}:{account}:{rest}")
        };
        let last = id.rsplit('/').next().unwrap_or(id);
        Ok(match (kind.as_str(), attribute) {
            ("AWS::Lambda::Function" | "AWS::Serverless::Function", "Arn") => {
                arn("lambda", &format!("function:{id}"))
            }
            ("AWS::Events::Rule", "Arn") => arn("events", &format!("rule/{id}")),
            ("AWS::SQS::Queue", "Arn") => arn("sqs", last),
            ("AWS::DynamoDB::Table", "Arn") => arn("dynamodb", &format!("table/{id}")),
            ("AWS::SQS::Queue", "QueueName") => last.to_owned(),
            ("AWS::SNS::Topic", "TopicArn") => id.clone(),
            ("AWS::SNS::Topic", "TopicName") => {
                Arn::parse(id).map_or(id.as_str(), |arn| arn.resource).to_owned()
            }
            ("AWS::KMS::Key", "Arn") => arn("kms", &format!("key/{id}")),
            ("AWS::Logs::LogGroup", "Arn") => arn("logs", &format!("log-group:{id}:*")),
            ("AWS::CloudWatch::Alarm", "Arn") => arn("cloudwatch", &format!("alarm:{id}")),
            ("AWS::IAM::Role", "Arn") => arn("iam", &format!("role{}{id}", self.path(resource)?)),
            _ => return Err(unresolved()),
        })
    }

    /// The path of a role.
    fn path(&self, role: &str) -> Resolved<String> {
        let role = self.template.get("Resources").and_then(|all| all.get(role));
        match role.and_then(|role| role.get("Properties")?.get("Path")) {
            Some(path) => Ok(self.resolve(path)?.map_or("/".to_owned(), |path| word(&path))),
            None => Ok("/".to_owned()),
        }
    }

    /// The text of `Fn::Sub`.
    fn filled(&self, text: &str, own: Option<&Value>) -> Resolved<String> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            filled.push_str(before);
            let (name, after) = after.split_once('}').ok_or_else(|| Unresolved(text.to_owned()))?;
            if let Some(literal) = name.strip_prefix('!') {
                filled.push_str(&format!("${{{literal}}}"));
            } else if let Some(value) = own.and_then(|own| own.get(name)) {
                filled.push_str(&word(value));
            } else if let Some((resource, attribute)) = name.split_once('.') {
                filled.push_str(&self.attribute(resource, attribute)?);
            } else {
                filled.push_str(&word(&self.reference(name)?));
            }
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    fn named(&self, name: &str, depth: usize) -> Resolved<bool> {
        let conditions = self.template.get("Conditions").and_then(|all| all.get(name));
        let condition = conditions.ok_or_else(|| Unresolved(format!("the condition {name}")))?;
        self.is_true(condition, depth)
    }

    fn is_true(&self, condition: &Value, depth: usize) -> Resolved<bool> {
        let unresolved = || Unresolved(format!("the condition {condition}"));
        if depth > MAX_DEPTH {
            return Err(unresolved());
        }
        let depth = depth + 1;
        let (name, inner) =
            condition.as_object().and_then(|all| all.iter().next()).ok_or_else(unresolved)?;
        let items = inner.as_array().map(Vec::as_slice).unwrap_or_default();
        match (name.as_str(), items) {
            ("Condition", _) => self.named(inner.as_str().ok_or_else(unresolved)?, depth),
            ("Fn::Equals", [one, other]) => {
                let plain = |value| Ok(self.at(value, depth)?.as_ref().map(word));
                Ok(plain(one)? == plain(other)?)
            }
            ("Fn::Not", [inner]) => Ok(!self.is_true(inner, depth)?),
            ("Fn::And", all) => {
                all.iter().try_fold(true, |sum, one| Ok(sum & self.is_true(one, depth)?))
            }
            ("Fn::Or", all) => {
                all.iter().try_fold(false, |sum, one| Ok(sum | self.is_true(one, depth)?))
            }
            _ => Err(unresolved()),
        }
    }
}

/// A scalar as text: CloudFormation does not tell numbers and text apart.
pub(super) fn word(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Number(number) => {
            let text = number.to_string();
            text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;

//! A question of a CloudFormation hook: may this group or rule be made as it is declared?
//!
//! CloudFormation asks before it makes a resource of a stack, and Cloud Control before it makes one by
//! itself. Both send the [same request](https://docs.aws.amazon.com/cloudformation-cli/latest/hooks-userguide/lambda-hooks-create-lambda-function.html),
//! of which everything may be missing: what is not understood is a fault that the answer names.

use serde_json::{Map, Value};
use strum::{EnumString, IntoStaticStr};
use thiserror::Error;

use super::actor::ActorType;
use super::record::Record;
use crate::ec2::Arn;
use crate::text::in_backticks;
use crate::text::yaml::Node;

/// Members that only such a request has.
const OF_HOOKS: [&str; 3] = ["actionInvocationPoint", "hookModel", "hookTypeName"];
/// Members of what may be an event.
const OF_EVENTS: [&str; 6] =
    ["CloudTrailEvent", "Events", "Records", "detail", "eventName", "requestPayload"];

/// How many characters of a word are repeated in a fault.
const LONGEST: usize = 80;

/// A question of a hook.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HookRequest {
    /// `clientRequestToken`, which the answer has to repeat.
    pub token: Option<String>,
    /// What it asks about, or why that is not understood.
    pub task: Result<HookTask, HookFault>,
}

/// What a hook asks about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HookTask {
    /// Something is about to be deleted.
    Delete,
    /// A group or a rule is about to be made or changed.
    Make(Wanted),
}

/// A group or a rule that is about to be made or changed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Wanted {
    /// Its type.
    pub target: Target,
    /// Its logical id; where there is none, as with Cloud Control, its type.
    pub name: String,
    /// Its properties as they will be.
    pub properties: Node,
    /// Its properties before an update.
    pub previous: Option<Node>,
}

/// A type of resource that such a hook judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumString, IntoStaticStr)]
pub enum Target {
    /// A group with its rules.
    #[strum(serialize = "AWS::EC2::SecurityGroup")]
    Group,
    /// An ingress rule.
    #[strum(serialize = "AWS::EC2::SecurityGroupIngress")]
    Ingress,
    /// An egress rule.
    #[strum(serialize = "AWS::EC2::SecurityGroupEgress")]
    Egress,
}

/// Why a request is not understood.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Error)]
pub enum HookFault {
    /// It does not say what is about to happen.
    #[error("the request has no `actionInvocationPoint`")]
    NoAction,
    /// It says something that is not known.
    #[error(
        "`actionInvocationPoint` is {}, and this hook answers CREATE_PRE_PROVISION, \
         UPDATE_PRE_PROVISION and DELETE_PRE_PROVISION",
        in_backticks(.0)
    )]
    Action(String),
    /// It does not say what it is about.
    #[error("the request has no `requestData.targetName`")]
    NoTarget,
    /// It is about something else.
    #[error(
        "the request is about {}, and this hook judges AWS::EC2::SecurityGroup, \
         AWS::EC2::SecurityGroupIngress and AWS::EC2::SecurityGroupEgress",
        in_backticks(.0)
    )]
    Target(String),
    /// It has no properties to judge.
    #[error("`requestData.targetModel.{0}` of the request is missing, or is not an object")]
    Properties(&'static str),
}

impl Target {
    /// The type as CloudFormation calls it.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Whether `members` are the question of a hook.
pub fn is_hook_request(members: &Map<String, Value>) -> bool {
    let has = |name: &&str| members.contains_key(*name);
    OF_HOOKS.iter().any(&has) && !OF_EVENTS.iter().any(has)
}

/// Reads [the question of a hook](is_hook_request), and who asks it.
pub(super) fn read(members: &Map<String, Value>) -> (Record, HookRequest) {
    let text = |name: &str| members.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
    let token = text("clientRequestToken");
    // The stack is who wants it. With Cloud Control there is none.
    let stack = text("stackId").filter(|stack| Arn::parse(stack).is_some());
    let record = Record {
        event_name: text("actionInvocationPoint"),
        event_id: token.clone(),
        account: text("awsAccountId").and_then(|account| account.parse().ok()),
        actor_type: stack.as_ref().map_or(ActorType::Unknown, |_| ActorType::InfrastructureTool),
        actor: stack,
        ..Record::default()
    };
    (record, HookRequest { token, task: task(members) })
}

fn task(members: &Map<String, Value>) -> Result<HookTask, HookFault> {
    let short = |text: &str| text.chars().take(LONGEST).collect::<String>();
    let action = members.get("actionInvocationPoint").and_then(Value::as_str);
    let is_update = match action.ok_or(HookFault::NoAction)? {
        "CREATE_PRE_PROVISION" => false,
        "UPDATE_PRE_PROVISION" => true,
        "DELETE_PRE_PROVISION" => return Ok(HookTask::Delete),
        other => return Err(HookFault::Action(short(other))),
    };
    let data = members.get("requestData").unwrap_or(&Value::Null);
    let name = |name: &str| data.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    // With Cloud Control one of them says no more than that it is a resource.
    let kinds = || ["targetName", "targetType"].into_iter().filter_map(name);
    let kind = kinds().next().ok_or(HookFault::NoTarget)?;
    let target = kinds().find_map(|kind| kind.parse().ok());
    let target: Target = target.ok_or_else(|| HookFault::Target(short(kind)))?;
    let properties = |name: &'static str| match data.get("targetModel").and_then(|it| it.get(name))
    {
        // CloudFormation leaves it empty where there are none.
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(members)) if members.is_empty() => Ok(None),
        Some(properties @ Value::Object(_)) => Ok(Some(Node::from(properties.clone()))),
        Some(_) => Err(HookFault::Properties(name)),
    };
    const NOW: &str = "resourceProperties";
    Ok(HookTask::Make(Wanted {
        target,
        name: name("targetLogicalId").unwrap_or(target.as_str()).to_owned(),
        properties: properties(NOW)?.ok_or(HookFault::Properties(NOW))?,
        previous: if is_update { properties("previousResourceProperties")? } else { None },
    }))
}
